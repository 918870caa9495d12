"""Perceptual errors of many pictures or crops, in pieces that fit a cache, without keeping their features."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from pgt.losses import feature_errors
from pgt.losses.local import Criterion

# Pixels that run through the network at once. On a CPU more than this is memory traffic (44 crops of 128x128
# in one batch take longer than one after the other); a GPU wants to be filled.
PIXELS_AT_ONCE = {"cpu": 2**15}
PIXELS_AT_ONCE_ELSEWHERE = 2**18


def perceptual_errors(
    features: nn.Module,
    generated: Tensor,
    target: Tensor,
    criterion: Criterion,
    *,
    pixel_weight: float = 0.0,
) -> Tensor:
    """Compare pictures or crops by a network's layers, one by one: the sum over l in Eq. 2 and 3.

    Args:
        features: frozen; pictures (M, 3, h, w) in [-1, 1] -> a list of features (`PerceptualLayers`).
        generated: (M, 3, h, w).
        target: (M, 3, h, w); gets no gradient.
        criterion: C, see `feature_errors`.
        pixel_weight: of the pictures themselves, as one more layer.

    Returns:
        (M,) float32, differentiable once with respect to `generated`. No features are kept for that.
    """
    if len(generated) == 0:
        return generated.new_zeros(0, dtype=torch.float32)

    def errors(ours: Tensor, real: Tensor) -> Tensor:
        with torch.no_grad():  # the target is a constant
            wanted = features(real)
        found = feature_errors(features(ours), wanted, criterion)
        return found + pixel_weight * feature_errors([ours], [real], criterion)

    at_once = PIXELS_AT_ONCE.get(generated.device.type, PIXELS_AT_ONCE_ELSEWHERE)
    area = generated.shape[-2] * generated.shape[-1]
    generated, target = (
        one.contiguous(memory_format=torch.channels_last) for one in (generated, target)
    )  # convolutions run fastest on that
    count = max(1, at_once // area)
    early = generated.requires_grad and torch.is_grad_enabled() and not _in_half(generated.device.type)
    pieces = []
    for ours, real in zip(generated.split(count), target.split(count), strict=True):
        pieces.append(_Differentiated.apply(ours, real, errors) if early else errors(ours, real))
    return torch.cat(pieces)


class _Differentiated(torch.autograd.Function):
    """Errors that are differentiated where they are made, while the features of their piece are at hand.

    Each error is of one picture alone and the network stands still. So the gradient of their sum holds every
    picture's own, and the backward pass has but to multiply it: as much work as to keep all features until
    then, without the memory, and less than to make them twice.
    """

    @staticmethod
    def forward(ctx: Any, ours: Tensor, real: Tensor, errors: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        with torch.enable_grad():
            alone = ours.detach().requires_grad_()
            found = errors(alone, real)
            found.sum().backward()  # what else could get a gradient, the network's weights, stands still
        ctx.save_for_backward(alone.grad)
        return found.detach()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, wanted: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * wanted.to(gradient.dtype)[:, None, None, None], None, None


def _in_half(kind: str) -> bool:
    """Say whether a device computes in float16, whose gradients vanish unless the loss was scaled before."""
    known = torch.amp.is_autocast_available(kind)
    return known and torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.float16
