"""Differences pixel by pixel, and sharpness."""

import torch
from torch import Tensor

from pgt.metrics.score import Score, check_pair, double, masked_mean


def l1(generated: Tensor, target: Tensor) -> Score:
    """Mean absolute error over all pixels and channels."""
    check_pair(generated, target)
    return Score("l1", (double(generated) - double(target)).abs().mean((1, 2, 3)), {"mask": "none"})


def foreground_l1(generated: Tensor, target: Tensor, target_mask: Tensor) -> Score:
    """Mean absolute error inside the target person's mask."""
    check_pair(generated, target, target_mask)
    error = (double(generated) - double(target)).abs()
    return Score("foreground_l1", masked_mean(error, target_mask), {"mask": "target's, mean inside"})


def psnr(generated: Tensor, target: Tensor, *, data_range: float = 1.0) -> Score:
    """Peak signal-to-noise ratio in dB, of each picture's mean squared error; infinite for equal pictures."""
    check_pair(generated, target)
    error = (double(generated) - double(target)).square().mean((1, 2, 3))
    values = 10 * torch.log10(data_range**2 / error)
    return Score("psnr", values, {"data_range": data_range, "mask": "none", "mean": "of each picture's dB"})


def sharpness(generated: Tensor, target: Tensor, target_mask: Tensor | None = None) -> Score:
    """Mean gradient magnitude of the generated picture over the true one's: below 1 is blurred.

    Gradients are differences of neighbouring pixels of the channels' mean; inside the target's mask if it is
    given.
    """
    check_pair(generated, target, target_mask)
    mask = torch.ones_like(generated[:, :1]) if target_mask is None else target_mask
    means = [
        masked_mean(_gradient_magnitude(double(image)), mask[..., :-1, :-1]) for image in (generated, target)
    ]
    where = "none" if target_mask is None else "target's, mean inside"
    return Score("sharpness", means[0] / means[1], {"gradient": "forward differences of grey", "mask": where})


def _gradient_magnitude(image: Tensor) -> Tensor:
    grey = image.mean(1, keepdim=True)
    dx, dy = grey[..., :-1, 1:] - grey[..., :-1, :-1], grey[..., 1:, :-1] - grey[..., :-1, :-1]
    return torch.hypot(dx, dy)
