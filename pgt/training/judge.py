"""What the trainings of the judges share: one network, one optimiser, and the average that is deployed.

A judge will look at generated pictures, which are softer than photographs, so it must not rely on sharp
detail: `soften` blurs and recolours what it learns from.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pgt.config import Stage
from pgt.data.person import PairBatch
from pgt.training.schedule import learning_rate

BLUR_SHARE, MAX_BLUR = 0.5, 3  # of the pictures; pixels of the largest box


class JudgeRecipe:
    """A network trained with supervision on both pictures of each pair; subclasses say by which loss.

    Args:
        net: freshly built; it has `config` with `stages` and `ema_decay`, and the classmethod `from_config`.
        device: where to train; `prepare` overrides it.
    """

    def __init__(self, net: nn.Module, device: torch.device | str = "cpu") -> None:
        self.config = net.config
        net = net.to(device, memory_format=torch.channels_last)
        self.nets = nn.ModuleDict({"generator": net, "ema": deepcopy(net).requires_grad_(False).eval()})
        self.optimizers: dict[str, Any] = {
            "generator": torch.optim.AdamW(net.parameters(), lr=self.config.stages[0].lr, fused=True)
        }
        self._runner: Any = None
        self._net: nn.Module = net

    def loss(self, batch: PairBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return what to minimise on a batch, and the terms to log."""
        raise NotImplementedError

    def prepare(self, accelerator: Any) -> None:
        """Move and wrap for the accelerator's device."""
        self._runner = accelerator
        self.nets.to(accelerator.device, memory_format=torch.channels_last)
        self._net = accelerator.prepare(self.nets["generator"])
        self.optimizers = {name: accelerator.prepare(one) for name, one in self.optimizers.items()}

    def set_lr(self, stage: Stage, step: int) -> None:
        """Set the learning rate for a step of a stage, counted from the stage's beginning."""
        for group in self.optimizers["generator"].param_groups:
            group["lr"] = learning_rate(stage, step)

    def train_step(self, batch: PairBatch, stage: Stage) -> dict[str, Tensor]:
        """Move the weights once by both pictures of each pair; return the loss's terms, detached."""
        self._net.train()
        loss, terms = self.loss(batch)
        self._runner.backward(loss)
        if self._runner.sync_gradients:
            self.optimizers["generator"].step()
            self.optimizers["generator"].zero_grad()
            self._follow()
        return {name: term.detach() for name, term in terms.items()}

    @torch.no_grad()  # an average of weights is not differentiated
    def _follow(self) -> None:
        average, net = self.nets["ema"], self.nets["generator"]
        torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - self.config.ema_decay)
        for mine, its in zip(average.buffers(), net.buffers(), strict=True):
            mine.copy_(its)

    def deployable(self) -> nn.Module:
        """Return a copy of the averaged network for use."""
        average = self.nets["ema"]
        model = type(average).from_config(self.config)
        model.load_state_dict(average.state_dict())
        return model.to(next(self.nets.parameters()).device).eval()

    def state_dict(self) -> dict[str, Any]:
        """Return everything that training moves."""
        optimizers = {name: one.state_dict() for name, one in self.optimizers.items()}
        return {"nets": self.nets.state_dict(), "optimizers": optimizers}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.nets.load_state_dict(state["nets"])
        for name, one in self.optimizers.items():
            one.load_state_dict(state["optimizers"][name])


def soften(image: Tensor) -> Tensor:
    """Blur, recolour and roughen pictures (B, 3, H, W) in [-1, 1] by chance (the global random numbers)."""
    batch, device = len(image), image.device
    for radius in range(1, MAX_BLUR):
        chosen = torch.rand(batch, 1, 1, 1, device=device) < BLUR_SHARE / (MAX_BLUR - 1)
        blurred = F.avg_pool2d(image, 2 * radius + 1, 1, radius, count_include_pad=False)
        image = torch.where(chosen, blurred, image)
    gain = 1 + 0.25 * torch.randn(batch, 3, 1, 1, device=device)
    shift = 0.15 * torch.randn(batch, 3, 1, 1, device=device)
    noise = 0.1 * torch.rand(batch, 1, 1, 1, device=device) * torch.randn_like(image)
    return (image * gain + shift + noise).clamp(-1, 1)
