"""What a discriminator's answers cost it, and the generator that it judges."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def adversarial_loss(
    logits: Tensor,
    is_real: bool,
    *,
    kind: Literal["log", "least_squares"] = "log",
    valid: Tensor | None = None,
) -> Tensor:
    """Judge a discriminator's logits (Ma et al. 2017, Eq. 2 and 3; Song et al. 2021, Eq. 4, 7 and 11).

    Args:
        logits: (B, ...), before the sigmoid.
        is_real: what the logits should say. A generator asks for True on what it drew.
        kind: "log", the papers' binary cross-entropy, or "least_squares", the squared distance of the logits
            from 1 (real) or 0, which the released code of SPT trains with (Mao et al. 2017).
        valid: (B,) bool, which pictures count, such as those with a face; all by default.

    Returns:
        Scalar, the mean over all logits that count; 0 if none does.

    Raises:
        ValueError: an unknown kind.
    """
    if kind == "log":
        errors = F.softplus(-logits if is_real else logits)
    elif kind == "least_squares":
        errors = (logits - float(is_real)).square()
    else:
        raise ValueError(f'An adversarial loss is "log" or "least_squares", not {kind!r}.')
    if valid is None:
        return errors.mean()
    each = errors.reshape(len(errors), -1).mean(dim=1)
    return torch.where(valid, each, 0.0).sum() / valid.sum().clamp_min(1)
