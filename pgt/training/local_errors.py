"""Perceptual errors of many pictures or crops, in pieces that fit a cache, without keeping every feature."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from pgt.losses import feature_errors
from pgt.losses.local import Criterion

# Pixels that run through the network at once. On a CPU more than this is memory traffic (44 crops of 128x128
# in one batch take longer than one after the other); a GPU wants to be filled.
PIXELS_AT_ONCE = {"cpu": 2**15}
PIXELS_AT_ONCE_ELSEWHERE = 2**18
# Pictures of at least so many pixels are kept pixel by pixel in memory, smaller ones channel by channel: so
# each is a fifth faster on a CPU. The network's own weights stay in torch's usual layout, which suits both.
PIXELS_CHANNELS_LAST = 32 * 32


def perceptual_errors(
    features: nn.Module,
    generated: Tensor,
    target: Tensor,
    criterion: Criterion,
    *,
    pixel_weight: float = 0.0,
    recompute: bool = False,
) -> Tensor:
    """Compare pictures or crops by a network's layers, one by one: the sum over l in Eq. 2 and 3.

    Args:
        features: frozen; pictures (M, 3, h, w) in [-1, 1] -> a list of features (`PerceptualLayers`).
        generated: (M, 3, h, w).
        target: (M, 3, h, w); gets no gradient.
        criterion: C, see `feature_errors`.
        pixel_weight: of the pictures themselves, as one more layer.
        recompute: where there are several pieces, keep no features of `generated` for the backward pass but
            make them again then, one piece after the other.

    Returns:
        (M,) float32.
    """
    if len(generated) == 0:
        return generated.new_zeros(0, dtype=torch.float32)

    def errors(ours: Tensor, real: Tensor, *wanted: Tensor) -> Tensor:
        found = feature_errors(features(ours), wanted, criterion)
        return found + pixel_weight * feature_errors([ours], [real], criterion)

    at_once = PIXELS_AT_ONCE.get(generated.device.type, PIXELS_AT_ONCE_ELSEWHERE)
    area = generated.shape[-2] * generated.shape[-1]
    layout = torch.contiguous_format if area < PIXELS_CHANNELS_LAST else torch.channels_last
    generated, target = (one.contiguous(memory_format=layout) for one in (generated, target))
    count = max(1, at_once // area)
    recompute = recompute and generated.requires_grad and count < len(generated)
    pieces = []
    for ours, real in zip(generated.split(count), target.split(count), strict=True):
        with torch.no_grad():  # the target is a constant
            wanted = features(real)
        if recompute:
            # Nothing in the network is random, so there is no random state to keep for the second time.
            piece = checkpoint(errors, ours, real, *wanted, use_reentrant=False, preserve_rng_state=False)
        else:
            piece = errors(ours, real, *wanted)
        pieces.append(piece)
    return torch.cat(pieces)
