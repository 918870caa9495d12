"""Losses that compare pictures, or features of pictures, place by place."""

from collections.abc import Sequence

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


def reconstruction_loss(generated: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of a picture whose hole was filled (Song et al. 2021, Eq. 13).

    Args:
        generated, target: (B, C, H, W).

    Returns:
        Scalar.
    """
    return F.mse_loss(generated.float(), target.float())


def content_loss(
    generated: Sequence[Tensor], target: Sequence[Tensor], alphas: Sequence[float] | None = None
) -> Tensor:
    """Squared errors of features, layer by layer (Song et al. 2021, Eq. 9).

    The paper's layers are the RGB picture, conv1_2 and conv2_1 of a VGG-16; its alphas weigh the terms
    (Eq. 9 prints them inside a term).

    Args:
        generated: one (B, C, h, w) per layer, of the picture mapped back.
        target: as many, of the real picture; constants, which get no gradient.
        alphas: the weight of each layer; 1 by default.

    Returns:
        Scalar: the sum over layers of alpha times the mean over the layer's elements.

    Raises:
        ValueError: not as many layers on both sides, or alphas.
    """
    alphas = [1.0] * len(generated) if alphas is None else alphas
    if not len(generated) == len(target) == len(alphas) > 0:
        raise ValueError(
            f"{len(generated)} generated layers met {len(target)} target layers and {len(alphas)} weights."
        )
    terms = zip(alphas, generated, target, strict=True)
    return sum(alpha * F.mse_loss(ours.float(), real.detach().float()) for alpha, ours, real in terms)
