"""What the recipes of the approaches share: a generator in parts, its discriminators, one optimiser each.

It moves, averages and saves them; which losses move them is the business of each approach's own recipe.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from pgt.config import Stage
from pgt.training.runner import PlainRunner, StepRunner
from pgt.training.schedule import learning_rate


class AdversarialRecipe:
    """Networks, optimisers and the moving average of a generator that discriminators judge.

    Args:
        config: with `stages`, `betas`, `discriminator_lr`, `max_grad_norm` and `ema_decay`.
        generator: freshly built; it has `trained_stages` and the classmethod `from_config`.
        parts: names of the generator's submodules that are trained apart from each other; None is skipped.
        judges: the discriminators by name.
        device: where to train; `prepare` overrides it.

    Attributes:
        nets: "generator", the judges, and "ema", the generator's moving average, if `config.ema_decay` > 0.
        optimizers: one per part and judge.
    """

    def __init__(
        self,
        config: Any,
        generator: nn.Module,
        parts: Sequence[str],
        judges: Mapping[str, nn.Module],
        device: torch.device | str = "cpu",
    ) -> None:
        self.config = config
        self.nets = nn.ModuleDict({"generator": generator, **judges})
        if config.ema_decay > 0:
            self.nets["ema"] = deepcopy(generator).requires_grad_(False)
        # Parts are wrapped apart from each other, because no stage runs all of them with gradients.
        trained = {name: getattr(generator, name) for name in parts}
        self._wrapped = {name: net for name, net in trained.items() if net is not None}
        self._updates = dict.fromkeys(self._wrapped, 0)
        self._judges = tuple(judges)
        self._wrapped |= judges
        self.optimizers: dict[str, Any] = {
            name: torch.optim.Adam(net.parameters(), lr=config.stages[0].lr, betas=config.betas, fused=True)
            for name, net in self._wrapped.items()
        }
        self.prepare(PlainRunner(device))

    def prepare(self, accelerator: StepRunner) -> None:
        """Move networks to the accelerator's device, in the layout convolutions like best, and wrap them."""
        self._runner = accelerator
        self.nets.to(accelerator.device, memory_format=torch.channels_last)
        self._wrapped = {name: accelerator.prepare(net) for name, net in self._wrapped.items()}
        self.optimizers = {name: accelerator.prepare(one) for name, one in self.optimizers.items()}

    def set_lr(self, stage: Stage, step: int) -> None:
        """Set the learning rates for a step of a stage, counted from the stage's beginning."""
        rate, own = learning_rate(stage, step), self.config.discriminator_lr
        for name, optimizer in self.optimizers.items():
            scale = own / stage.lr if name in self._judges and own is not None else 1.0
            for group in optimizer.param_groups:
                group["lr"] = rate * scale

    def _move(self, loss: Tensor, *names: str) -> None:
        """Take one optimiser step of some parts or judges down the loss."""
        self._runner.backward(loss)
        if not self._runner.sync_gradients:  # more pieces of this batch are to come
            return
        for name in names:
            if self.config.max_grad_norm is not None and name not in self._judges:
                part = getattr(self.nets["generator"], name)
                self._runner.clip_grad_norm_(part.parameters(), self.config.max_grad_norm)
            self.optimizers[name].step()
            self.optimizers[name].zero_grad()
            if name not in self._judges:
                self._follow(name)

    @torch.no_grad()  # an average of weights is not differentiated
    def _follow(self, name: str) -> None:
        """Move one part of the average towards the generator's.

        The decay starts near 0 and rises to its value, so that a short training is not drowned in the first,
        random weights.
        """
        self._updates[name] += 1
        if self.config.ema_decay > 0:
            count = self._updates[name]
            decay = min(self.config.ema_decay, (1 + count) / (10 + count))
            averages = list(getattr(self.nets["ema"], name).parameters())
            weights = list(getattr(self.nets["generator"], name).parameters())
            torch._foreach_lerp_(averages, weights, 1 - decay)

    @property
    def _deployed(self) -> Any:
        """The generator that is shown and saved: the moving average where there is one."""
        return self.nets["ema" if self.config.ema_decay > 0 else "generator"]

    def _note_trained(self, stage: str) -> None:
        """Keep on record that the weights have been in a stage."""
        stages = self.nets["generator"].trained_stages
        if stage not in stages:
            self._set_trained((*stages, stage))

    def _set_trained(self, stages: tuple[str, ...]) -> None:
        for name in {"generator", "ema"} & set(self.nets):
            self.nets[name].trained_stages = stages

    def deployable(self) -> Any:
        """Return a copy of the generator for use: averaged weights if any, marked with the stages trained."""
        deployed = self._deployed
        model = type(deployed).from_config(self.config, deployed.trained_stages)
        model.load_state_dict(deployed.state_dict())
        return model.to(self._runner.device).eval()

    def state_dict(self) -> dict[str, Any]:
        """Return everything that training moves."""
        return {
            "nets": self.nets.state_dict(),
            "optimizers": {name: one.state_dict() for name, one in self.optimizers.items()},
            "updates": dict(self._updates),
            "trained_stages": list(self.nets["generator"].trained_stages),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.nets.load_state_dict(state["nets"])
        for name, one in self.optimizers.items():
            one.load_state_dict(state["optimizers"][name])
        self._updates = dict(state["updates"])
        self._set_trained(tuple(state["trained_stages"]))


@contextmanager
def frozen(net: nn.Module) -> Iterator[nn.Module]:
    """Compute no gradients for a network's weights, but still through it."""
    net.requires_grad_(False)
    try:
        yield net
    finally:
        net.requires_grad_(True)
