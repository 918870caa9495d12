"""The perceptual losses of Progressive (2020, Eq. 2 to 4), of whole pictures and of regions of them."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

Criterion = Literal["l2", "l1"]


def level_criterion(step: int, num_steps: int, l2_share: float = 0.5) -> Criterion:
    """Choose C of Eq. 2: L2 in the first half of a level, L1 in the second (section 3.1).

    Args:
        step: steps already taken in the level, 0 <= step < num_steps.
        num_steps: of the level.
        l2_share: how much of the level "l2" has; 1/2 in the paper.
    """
    return "l2" if step < l2_share * num_steps else "l1"


def feature_errors(generated: Sequence[Tensor], target: Sequence[Tensor], criterion: Criterion) -> Tensor:
    """Compare features layer by layer, picture by picture: the sum over l in Eq. 2 and 3.

    Args:
        generated: one (M, C, h, w) per layer, of pictures or of crops.
        target: as many, of the real ones; constants, which get no gradient.
        criterion: "l2", squared differences, or "l1", absolute ones.

    Returns:
        (M,) float32: the sum over layers of the mean over the layer's elements.

    Raises:
        ValueError: not as many layers on both sides, or an unknown criterion.
    """
    if criterion not in ("l2", "l1"):
        raise ValueError(f'the criterion is "l2" or "l1", not {criterion!r}.')
    if not len(generated) == len(target) > 0:
        raise ValueError(f"{len(generated)} generated layers met {len(target)} target layers.")
    total = 0.0
    for ours, real in zip(generated, target, strict=True):
        difference = ours.float() - real.detach().float()
        each = difference.square() if criterion == "l2" else difference.abs()
        total = total + each.mean(dim=(1, 2, 3))
    return total


def global_perceptual_loss(errors: Tensor) -> Tensor:
    """Average the errors (B,) of whole pictures by `feature_errors`: L_global of Eq. 2 and 4. A scalar."""
    return errors.mean()


def local_perceptual_loss(errors: Tensor, valid: Tensor) -> Tensor:
    """Add up the errors of the regions of each picture: L_local of Eq. 3 and 4.

    Args:
        errors: by `feature_errors`, of the M regions that count, picture after picture.
        valid: (B, N) bool, which of the N regions of each picture count; M of them. A region around a joint
            that is not known adds nothing.

    Returns:
        Scalar: the sum over regions, mean over pictures; 0 without any region.
    """
    each = errors.new_zeros(valid.shape).masked_scatter(valid, errors)
    return each.sum(dim=1).mean()
