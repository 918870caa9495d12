"""Continue a picture where it is unknown, without learning: smooth, quick, and with no invented detail."""

import torch
from torch import Tensor
from torch.nn import functional as F

from pgt.geometry import dilate


def remove_person(image: Tensor, person: Tensor) -> Tensor:
    """Take a person out of a picture (B, 3, H, W): fill its mask (B, 1, H, W) and a rim from around."""
    rim = 2 * max(1, image.shape[-2] // 48) + 1
    hidden = dilate((person > 0.5).to(torch.uint8), rim).to(image)
    return fill_unknown(image, 1 - hidden)


def fill_unknown(image: Tensor, known: Tensor) -> Tensor:
    """Continue an image smoothly into its unknown pixels: average down a pyramid, then fill from coarse to
    fine.

    Args:
        image: (B, C, H, W).
        known: (B, 1, H, W) in [0, 1]; how far to trust each pixel.

    Returns:
        (B, C, H, W): the image itself where `known` is 1; zero everywhere if nothing is known.
    """
    if max(image.shape[-2:]) == 1:
        return image * (known > 0)
    weight = F.avg_pool2d(known, 2, ceil_mode=True)
    coarse = F.avg_pool2d(image * known, 2, ceil_mode=True) / weight.clamp_min(1e-6)
    coarse = fill_unknown(coarse, (4 * weight).clamp_max(1))  # one known pixel of four is enough
    smooth = F.interpolate(coarse, size=image.shape[-2:], mode="bilinear", align_corners=False)
    return known * image + (1 - known) * smooth
