"""Losses on semantic maps and heat maps (Song et al., TPAMI 2021)."""

import torch.nn.functional as F
from torch import Tensor


def semantic_cross_entropy(logits: Tensor, label_map: Tensor, pose_mask: Tensor) -> Tensor:
    """Cross-entropy of a parsing, the body's area counted twice (Song et al. 2021, Eq. 3).

    Args:
        logits: (B, L, H, W), before the generator's softmax, so that a sure mistake stays finite.
        label_map: (B, H, W) int64 in 0..L-1, the pseudo label.
        pose_mask: (B, 1, H, W) in {0, 1}; 1 on the target's body by its skeleton.

    Returns:
        Scalar: the mean over pixels and pictures of (1 + mask) * -log p(label). The paper sums over pixels.
    """
    errors = F.cross_entropy(logits.float(), label_map, reduction="none")
    return (errors * (1 + pose_mask.squeeze(1))).mean()


def pose_loss(heat_maps: Tensor, target_pose: Tensor) -> Tensor:
    """Squared error of the pose that a detector finds in a picture (Song et al. 2021, one term of Eq. 8).

    Args:
        heat_maps: (B, K, H, W), the detector's answer to the generated picture.
        target_pose: (B, K, H, W), the pose the picture was asked to show, encoded as the detector was taught.

    Returns:
        Scalar, the mean over all elements.
    """
    return F.mse_loss(heat_maps.float(), target_pose.float())
