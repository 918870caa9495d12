"""How PG2 learns (Ma et al. 2017, sections 3.1, 3.2 and 4.1): the one place where its losses meet optimisers.

Stage "coarse" trains G1 by Eq. 1; "refine" trains D by Eq. 2 and then G2 by Eq. 3 and 4 while G1 stands
still; "one_stage" is the paper's G1 + D, where G1 takes G2's place. It knows nothing of loops or files.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from pgt.config import PG2Config, Stage
from pgt.data.person import PairBatch
from pgt.layers.discriminators import Discriminator
from pgt.losses import adversarial_loss, l1_loss, pose_mask_l1_loss
from pgt.models.pg2 import PG2Generator
from pgt.training.schedule import learning_rate


class StepRunner(Protocol):
    """The part of `accelerate.Accelerator` that a step needs."""

    device: torch.device
    sync_gradients: bool  # False while gradients are still being accumulated

    def prepare(self, *things: Any) -> Any:
        """Wrap a network or an optimiser for the device, its precision and the other processes."""

    def backward(self, loss: Tensor) -> None:
        """Add the loss's gradients to the parameters."""

    def autocast(self) -> AbstractContextManager:
        """Compute in the chosen precision."""

    def clip_grad_norm_(self, parameters: Any, max_norm: float) -> Any:
        """Shorten the gradient to `max_norm`."""


class PlainRunner:
    """One device, float32, nothing wrapped: what a recipe uses until it is given an Accelerator."""

    sync_gradients = True

    def __init__(self, device: torch.device | str) -> None:
        self.device = torch.device(device)

    def prepare(self, *things: Any) -> Any:
        """Give back what came."""
        return things[0] if len(things) == 1 else things

    def backward(self, loss: Tensor) -> None:
        """Add the loss's gradients to the parameters."""
        loss.backward()

    def autocast(self) -> AbstractContextManager:
        """Compute in float32."""
        return nullcontext()

    def clip_grad_norm_(self, parameters: Any, max_norm: float) -> Tensor:
        """Shorten the gradient to `max_norm`."""
        return nn.utils.clip_grad_norm_(parameters, max_norm)


class PG2Recipe:
    """PG2's networks, optimisers and training step.

    Args:
        config: sizes, losses and learning rates.
        device: where to train; `prepare` overrides it.

    Attributes:
        nets: "generator", "discriminator", and "ema", the generator's moving average, if
            `config.ema_decay` > 0.
        optimizers: "coarse", "refine" (two-stage only) and "discriminator".
    """

    def __init__(self, config: PG2Config, device: torch.device | str = "cpu") -> None:
        self.config = config
        generator = PG2Generator.from_config(config, trained_stages=())
        discriminator = Discriminator(
            config.image_size,
            num_pictures=2 if config.discriminator_input == "pair" else 1,
            base_channels=config.discriminator_channels,
            norm=config.discriminator_norm,
        )
        self.nets = nn.ModuleDict({"generator": generator, "discriminator": discriminator})
        if config.ema_decay > 0:
            self.nets["ema"] = deepcopy(generator).requires_grad_(False)
        trained = {"coarse": generator.coarse, "refine": generator.refine, "discriminator": discriminator}
        self.optimizers: dict[str, Any] = {
            name: torch.optim.Adam(net.parameters(), lr=config.stages[0].lr, betas=config.betas, fused=True)
            for name, net in trained.items()
            if net is not None
        }
        self._updates = dict.fromkeys(self.optimizers, 0)
        self.prepare(PlainRunner(device))

    def prepare(self, accelerator: StepRunner) -> None:
        """Move networks to the accelerator's device, in the layout convolutions like best, and wrap them."""
        self._runner = accelerator
        self.nets.to(accelerator.device, memory_format=torch.channels_last)
        # G1 and G2 are wrapped apart, because a stage runs only one of them with gradients.
        generator = self.nets["generator"]
        self._coarse = accelerator.prepare(generator.coarse)
        self._refine = generator.refine if generator.refine is None else accelerator.prepare(generator.refine)
        self._discriminator = accelerator.prepare(self.nets["discriminator"])
        self.optimizers = {name: accelerator.prepare(one) for name, one in self.optimizers.items()}

    def set_lr(self, stage: Stage, step: int) -> None:
        """Set the learning rates for a step of a stage, counted from the stage's beginning."""
        rate = learning_rate(stage, step)
        own = self.config.discriminator_lr
        for name, optimizer in self.optimizers.items():
            scale = own / stage.lr if name == "discriminator" and own is not None else 1.0
            for group in optimizer.param_groups:
                group["lr"] = rate * scale

    def train_step(self, batch: PairBatch, stage: Stage) -> dict[str, Tensor]:
        """Move the weights of one stage once.

        Args:
            batch: on the recipe's device, encoded with the generator's `pose_encoding`.
            stage: its name says which step runs.

        Returns:
            Unweighted terms: "g/l1"; in adversarial stages also "g/adversarial", "d/real" and "d/fake" (the
            triplet discriminator's "d/source" too). Detached scalars.

        Raises:
            ValueError: a stage that this model does not have.
        """
        names = ("one_stage",) if self.config.one_stage else ("coarse", "refine")
        if stage.name not in names:
            raise ValueError(f"this PG2 has the stages {names}, not {stage.name!r}")
        if stage.name not in self.nets["generator"].trained_stages:
            self._note_trained((*self.nets["generator"].trained_stages, stage.name))
        step = {"coarse": self._coarse_step, "refine": self._refine_step, "one_stage": self._one_stage_step}
        return {name: term.detach() for name, term in step[stage.name](batch).items()}

    def _coarse_step(self, batch: PairBatch) -> dict[str, Tensor]:
        """G1 alone, Eq. 1."""
        l1 = self._l1(self._draw_coarse(self._coarse, batch), batch)
        self._move("coarse", l1)
        return {"g/l1": l1}

    def _refine_step(self, batch: PairBatch) -> dict[str, Tensor]:
        """D, then G2; G1 stays as stage "coarse" left it."""
        with torch.no_grad(), self._runner.autocast():  # G1 is not trained in this stage
            coarse = self._draw_coarse(self._deployed.coarse, batch).float()
        refined = coarse + self._refine(batch.source, coarse)
        return self._adversarial_step(batch, refined, "refine")

    def _one_stage_step(self, batch: PairBatch) -> dict[str, Tensor]:
        """D, then G1 with the losses of G2."""
        return self._adversarial_step(batch, self._draw_coarse(self._coarse, batch), "coarse")

    def _adversarial_step(self, batch: PairBatch, generated: Tensor, trained: str) -> dict[str, Tensor]:
        """One update of the discriminator, then one of the generator half named `trained`."""
        # D learns first, on this very picture. Detached: D's update must not move the generator.
        terms = self._discriminator_terms(batch, generated.detach())
        weights = {"d/real": 1.0, "d/fake": 1.0}  # Eq. 2
        if self.config.discriminator_input == "triplet":
            weights = {"d/real": 0.5, "d/fake": 0.25, "d/source": 0.25}  # released code
        self._move("discriminator", sum(weights[name] * term for name, term in terms.items()))

        # G: fool D (Eq. 3), stay near the target (Eq. 4). No detach: D passes its gradient through. Its own
        # weights are frozen meanwhile, because this loss must not leave gradients for D's next update.
        with _frozen(self.nets["discriminator"]) as discriminator:
            logits = discriminator(*self._judged(batch, generated))
            terms["g/adversarial"] = adversarial_loss(logits, is_real=True)
            terms["g/l1"] = self._l1(generated, batch)
            self._move(trained, terms["g/adversarial"] + self.config.l1_weight * terms["g/l1"])
        return terms

    def _discriminator_terms(self, batch: PairBatch, generated: Tensor) -> dict[str, Tensor]:
        real_logits = self._discriminator(*self._judged(batch, batch.target))
        fake_logits = self._discriminator(*self._judged(batch, generated))
        terms = {
            "d/real": adversarial_loss(real_logits, is_real=True),
            "d/fake": adversarial_loss(fake_logits, is_real=False),
        }
        if self.config.discriminator_input == "triplet":
            terms["d/source"] = adversarial_loss(self._discriminator(batch.source), is_real=False)
        return terms

    def _judged(self, batch: PairBatch, picture: Tensor) -> tuple[Tensor, ...]:
        """What D is shown: with the source, so that "plausible" means "of this person" (section 3.2)."""
        return (batch.source, picture) if self.config.discriminator_input == "pair" else (picture,)

    def _draw_coarse(self, coarse: nn.Module, batch: PairBatch) -> Tensor:
        coordinates = self.nets["generator"].coordinates(batch.target_keypoints, batch.target_visible)
        source_pose = batch.source_pose if self.config.source_pose_input else None
        return coarse(batch.source, batch.target_pose, coordinates, source_pose)

    def _l1(self, generated: Tensor, batch: PairBatch) -> Tensor:
        if self.config.mask_weighting:
            return pose_mask_l1_loss(generated, batch.target, batch.target_pose_mask)
        return l1_loss(generated, batch.target)

    def _move(self, name: str, loss: Tensor) -> None:
        """Take one optimiser step down the loss."""
        self._runner.backward(loss)
        if not self._runner.sync_gradients:  # more parts of this batch are to come
            return
        if self.config.max_grad_norm is not None and name != "discriminator":
            half = getattr(self.nets["generator"], name)
            self._runner.clip_grad_norm_(half.parameters(), self.config.max_grad_norm)
        self.optimizers[name].step()
        self.optimizers[name].zero_grad()
        if name != "discriminator":
            self._follow(name)

    @torch.no_grad()  # an average of weights is not differentiated
    def _follow(self, name: str) -> None:
        """Move one half of the average towards the generator's.

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
    def _deployed(self) -> PG2Generator:
        """The generator that is shown, saved and refined upon: the moving average where there is one."""
        return self.nets["ema" if self.config.ema_decay > 0 else "generator"]

    def _note_trained(self, stages: tuple[str, ...]) -> None:
        for name in {"generator", "ema"} & set(self.nets):
            self.nets[name].trained_stages = stages

    @torch.no_grad()  # pictures to look at
    def sample(self, batch: PairBatch) -> dict[str, Tensor]:
        """Draw what the deployed generator makes of a batch.

        Returns:
            Pictures (B, 3, H, W), nominally in [-1, 1]: "coarse"; once stage "refine" has begun also
            "difference_map" and "refined".
        """
        with self._runner.autocast():
            output = self._deployed(
                batch.source,
                batch.target_pose,
                target_keypoints=batch.target_keypoints,
                target_visible=batch.target_visible,
                source_pose=batch.source_pose if self.config.source_pose_input else None,
            )
        pictures = output._asdict()
        if output.difference_map is None:
            pictures = {"coarse": output.coarse}
        return {name: picture.float() for name, picture in pictures.items()}

    def deployable(self) -> PG2Generator:
        """Return a copy of the generator for use: averaged weights if any, marked with the stages trained."""
        deployed = self._deployed
        model = PG2Generator.from_config(self.config, deployed.trained_stages)
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
        self._note_trained(tuple(state["trained_stages"]))


@contextmanager
def _frozen(net: nn.Module) -> Iterator[nn.Module]:
    """Compute no gradients for a network's weights, but still through it."""
    net.requires_grad_(False)
    try:
        yield net
    finally:
        net.requires_grad_(True)
