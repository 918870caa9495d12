"""How the pose estimator learns: where the joints are in both pictures of each pair."""

import torch
from torch import Tensor
from torch.nn import functional as F

from pgt.config import PoseEstimatorConfig
from pgt.data.person import PairBatch
from pgt.data.pose import keypoints_to_discs
from pgt.models.pose_estimator import STRIDE, PoseEstimator, decode
from pgt.training.judge import JudgeRecipe, soften


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


class PoseEstimatorRecipe(JudgeRecipe):
    """The pose estimator's network, optimiser and training step.

    Args:
        config: sizes and rates.
        device: where to train; `prepare` overrides it.
    """

    def __init__(self, config: PoseEstimatorConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(PoseEstimator.from_config(config), device)

    def loss(self, batch: PairBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, and "error": mean distance of the visible joints from the truth, pixels."""
        keypoints = torch.cat([batch.source_keypoints, batch.target_keypoints])
        visible = torch.cat([batch.source_visible, batch.target_visible])
        image = soften(torch.cat([batch.source, batch.target]))
        with self._runner.autocast():
            maps, unseen = self._net(image)
        loss = joint_location_loss(maps, unseen, keypoints, visible, sigma=self.config.sigma)
        found, _ = decode(maps.detach().float(), unseen.detach().float())
        distance = (found - keypoints).norm(dim=-1)
        return loss, {"location": loss, "error": distance[visible].mean()}

    def sample(self, batch: PairBatch) -> dict[str, Tensor]:
        """Draw the joints found in the target, (B, 3, H, W) in [-1, 1], white on the dimmed picture."""
        keypoints, confidence = self.nets["ema"].find_joints(batch.target)
        discs = keypoints_to_discs(keypoints, confidence > 0.5, batch.image_size, radius=2.0)
        dots = discs.amax(dim=1, keepdim=True)
        return {"joints": (batch.target - 1) / 2 * (1 - dots) + dots}
