"""Foreground and background in one picture, by the semantic map (Song et al., TPAMI 2021, section 3.3)."""

import torch.nn.functional as F
from torch import Tensor


def composite(foreground: Tensor, background: Tensor, mask: Tensor) -> Tensor:
    """Lay a foreground over a background (Song et al. 2021, Eq. 6).

    Args:
        foreground, background: (B, C, H, W); their types may differ.
        mask: (B, 1, H, W) in [0, 1]; 1 where the foreground shows.

    Returns:
        (B, C, H, W).
    """
    return foreground * mask + background * (1 - mask)


def mask_from_parsing(parsing: Tensor, *, binary: bool = True) -> Tensor:
    """Say where a semantic map has a person: Omega(S) of Song et al. 2021, Eq. 6.

    Args:
        parsing: (B, L, H, W), one-hot or probabilities; label 0 is the background.
        binary: True is the paper's mask, 1 where another label than the background is likeliest. Its gradient
            is that of 1 - p(background), as if nothing had been rounded (straight-through), so that
            end-to-end training reaches the semantic generator. False is 1 - p(background) itself.

    Returns:
        (B, 1, H, W) in [0, 1].
    """
    person = 1 - parsing[:, :1]
    if not binary:
        return person
    likeliest = (parsing.max(dim=1, keepdim=True).indices != 0).to(person.dtype)
    return likeliest + (person - person.detach())  # the bracket is 0 and carries the gradient


def hole_in(parsing: Tensor, margin: int) -> Tensor:
    """Say where the background is hidden: the person's mask, grown by a margin.

    Args:
        parsing: as for `mask_from_parsing`.
        margin: in pixels, in all eight directions. The pixels of an outline show person and background mixed,
            so that a hole without a margin leaves a ghost of the outline behind.

    Returns:
        (B, 1, H, W), 1 in the hole.
    """
    mask = mask_from_parsing(parsing)
    return F.max_pool2d(mask, 2 * margin + 1, stride=1, padding=margin) if margin else mask
