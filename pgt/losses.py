"""Every loss as a pure function of tensors: one unweighted scalar out.

Weights live in the configs, networks in the recipes. Pictures are in [-1, 1]; norms are means over all
elements, so that a loss does not grow with the picture or the batch.
"""

import torch.nn.functional as F
from torch import Tensor


def l1_loss(generated: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error.

    Args:
        generated, target: (B, C, H, W).

    Returns:
        Scalar.
    """
    return (generated - target).abs().mean()


def pose_mask_l1_loss(generated: Tensor, target: Tensor, pose_mask: Tensor) -> Tensor:
    """Mean absolute error with person pixels counted twice (Ma et al. 2017, Eq. 1).

    Args:
        generated, target: (B, C, H, W).
        pose_mask: (B, 1, H, W) in {0, 1}; 1 on the target person.

    Returns:
        Scalar.
    """
    return ((generated - target).abs() * (1 + pose_mask)).mean()


def adversarial_loss(logits: Tensor, is_real: bool) -> Tensor:
    """Binary cross-entropy of a discriminator's logits (Ma et al. 2017, Eq. 2 and 3).

    Args:
        logits: any shape, before the sigmoid.
        is_real: what the logits should say. A generator asks for True on what it drew.

    Returns:
        Scalar.
    """
    return F.softplus(-logits if is_real else logits).mean()
