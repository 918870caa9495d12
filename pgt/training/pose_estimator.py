"""How the pose estimator learns: from both pictures of each pair, blurred and recoloured now and then.

It will judge generated pictures, which are softer than photographs, so it must not rely on sharp detail.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pgt.config import PoseEstimatorConfig, Stage
from pgt.data.person import PairBatch
from pgt.data.pose import keypoints_to_discs
from pgt.models.pose_estimator import STRIDE, PoseEstimator, decode
from pgt.training.schedule import learning_rate

BLUR_SHARE, MAX_BLUR = 0.5, 3  # of the pictures; pixels of the largest box


def joint_location_loss(
    maps: Tensor, unseen: Tensor, keypoints: Tensor, visible: Tensor, *, sigma: float
) -> Tensor:
    """Cross-entropy of where each joint is, with "not to be seen" as one more place.

    Args:
        maps: (B, K, h, w) logits, each cell STRIDE pixels wide.
        unseen: (B, K) logits.
        keypoints: (B, K, 2) pixels, (x, y).
        visible: (B, K) bool.
        sigma: of the Gaussian that the softmax should be, in cells.

    Returns:
        Scalar: mean over joints, above the least possible value.
    """
    height, width = maps.shape[-2:]
    x, y = ((keypoints + 0.5) / STRIDE - 0.5)[..., None].unbind(dim=2)  # (B, K, 1) in cells
    cells = [torch.arange(length, device=maps.device, dtype=torch.float32) for length in (width, height)]
    across, down = (
        -0.5 * ((axis - position) / sigma) ** 2 for axis, position in zip(cells, (x, y), strict=True)
    )
    wanted = F.softmax((down[..., :, None] + across[..., None, :]).flatten(2), dim=2)
    inside = (x[..., 0] > -1) & (x[..., 0] < width) & (y[..., 0] > -1) & (y[..., 0] < height)
    seen = (visible & inside).float()[..., None]
    wanted = torch.cat([wanted * seen, 1 - seen], dim=2)
    log_chances = F.log_softmax(torch.cat([maps.flatten(2), unseen[..., None]], dim=2).float(), dim=2)
    return F.kl_div(log_chances, wanted, reduction="none").sum(2).mean()


class PoseEstimatorRecipe:
    """The pose estimator's network, optimiser and training step.

    Args:
        config: sizes and rates.
        device: where to train; `prepare` overrides it.
    """

    def __init__(self, config: PoseEstimatorConfig, device: torch.device | str = "cpu") -> None:
        self.config = config
        net = PoseEstimator.from_config(config).to(device, memory_format=torch.channels_last)
        self.nets = nn.ModuleDict({"generator": net, "ema": deepcopy(net).requires_grad_(False).eval()})
        self.optimizers: dict[str, Any] = {
            "generator": torch.optim.AdamW(net.parameters(), lr=config.stages[0].lr, fused=True)
        }
        self._runner: Any = None
        self._net: nn.Module = net

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
        """Move the weights once by both pictures of each pair.

        Returns:
            "location": the loss; "error": mean distance of the visible joints from the truth, pixels.
            Detached.
        """
        keypoints = torch.cat([batch.source_keypoints, batch.target_keypoints])
        visible = torch.cat([batch.source_visible, batch.target_visible])
        image = soften(torch.cat([batch.source, batch.target]))
        self._net.train()
        with self._runner.autocast():
            maps, unseen = self._net(image)
        loss = joint_location_loss(maps, unseen, keypoints, visible, sigma=self.config.sigma)
        self._runner.backward(loss)
        if self._runner.sync_gradients:
            self.optimizers["generator"].step()
            self.optimizers["generator"].zero_grad()
            self._follow()
        found, _ = decode(maps.detach().float(), unseen.detach().float())
        distance = (found - keypoints).norm(dim=-1)
        return {"location": loss.detach(), "error": distance[visible].mean()}

    @torch.no_grad()  # an average of weights is not differentiated
    def _follow(self) -> None:
        average, net = self.nets["ema"], self.nets["generator"]
        torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - self.config.ema_decay)
        for mine, its in zip(average.buffers(), net.buffers(), strict=True):
            mine.copy_(its)

    def sample(self, batch: PairBatch) -> dict[str, Tensor]:
        """Draw the joints found in the target, (B, 3, H, W) in [-1, 1], white on the dimmed picture."""
        keypoints, confidence = self.nets["ema"].find_joints(batch.target)
        discs = keypoints_to_discs(keypoints, confidence > 0.5, batch.image_size, radius=2.0)
        dots = discs.amax(dim=1, keepdim=True)
        return {"joints": (batch.target - 1) / 2 * (1 - dots) + dots}

    def deployable(self) -> PoseEstimator:
        """Return a copy of the averaged network for use."""
        model = PoseEstimator.from_config(self.config)
        model.load_state_dict(self.nets["ema"].state_dict())
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
