"""Scores that several studies share, on unseen people whose true picture and background are known.

Of a background, `background` is all that the target does not hide, and `hole` what the source hid of it.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from pgt.data.person import Pair, PairBatch, collate, encode_pair, signed_to_uint8, signed_to_unit
from pgt.evaluation import COLUMNS
from pgt.metrics import foreground_l1, sharpness
from pgt.models.pose_estimator import PoseEstimator
from pgt.truth import Truth, further_scores, score

BATCH = 50
BACKGROUND = {
    "hole_l1": ("L1 in the hole ↓", 4, "less"),
    "hole_sharpness": ("sharpness in the hole → 1", 2, "one"),
    "background_l1": ("background L1 ↓", 4, "less"),
}

COLOUR = {"colour_l1": ("L1 of mean colours ↓", 4, "less")}

ScoreBatch = Callable[[Sequence[Pair], PairBatch], dict[str, Tensor]]


def standard(*names: str) -> dict[str, tuple[str, int, str]]:
    """Return title, decimals and goal of scores of `pgt.evaluation`."""
    goals = {"↑": "more", "↓": "less", "1": "one"}
    return {name: (*COLUMNS[name], goals[COLUMNS[name][0][-1]]) for name in names}


def average(pairs: Sequence[Pair], generator: nn.Module, score_batch: ScoreBatch) -> dict[str, float]:
    """Return the mean of each score over the pairs for which it is defined.

    Args:
        pairs: of unseen people, with label maps and masks.
        generator: on the CPU; pairs are encoded as it wants them.
        score_batch: pairs, and the same encoded -> name -> (B,).
    """
    sums: dict[str, list[Tensor]] = {}
    for first in range(0, len(pairs), BATCH):
        chunk = pairs[first : first + BATCH]
        encoded = [encode_pair(pair, generator.config.image_size, generator.pose_encoding) for pair in chunk]
        with torch.inference_mode():
            values = score_batch(chunk, collate(encoded))
        for name, value in values.items():
            sums.setdefault(name, []).append(value.double())
    return {name: float(torch.cat(parts).nanmean()) for name, parts in sums.items()}


def picture_scores(
    generated: Tensor,
    chunk: Sequence[Pair],
    judge: PoseEstimator,
    names: Sequence[str],
    *,
    close_up: bool = False,
) -> dict[str, Tensor]:
    """Score pictures, rounded to bytes, as `pgt.evaluation` does.

    Args:
        generated: (B, 3, H, W) in [-1, 1].
        chunk: their pairs.
        judge: finds joints.
        names: of scores of `pgt.truth`.
        close_up: let the judge see the target person enlarged.

    Returns:
        name -> (B,), NaN where a score is undefined.
    """
    pictures, truth = list(np.asarray(signed_to_uint8(generated))), Truth.of([pair.target for pair in chunk])
    measured = score(pictures, truth, judge, close_up=close_up)
    if not set(names) <= set(measured):
        measured |= further_scores(pictures, truth)
    return {name: measured[name].values for name in names}


def background_scores(generated: Tensor, batch: PairBatch) -> dict[str, Tensor]:
    """Score what the target does not hide: all of it, and what the source hid of it."""
    seen = 1 - batch.target_person_mask
    hole = seen * (batch.source_label_map > 0)[:, None]
    images = signed_to_unit(generated), signed_to_unit(batch.target)
    return {
        "background_l1": foreground_l1(*images, seen).values,
        "hole_l1": foreground_l1(*images, hole).values,
        "hole_sharpness": sharpness(*images, hole).values,
    }


def colour_scores(generated: Tensor, batch: PairBatch) -> dict[str, Tensor]:
    """Compare the mean colours of drawn and true person: who it is, however badly drawn. Values in [0, 1]."""
    mask = batch.target_person_mask
    area = mask.sum((1, 2, 3))[:, None]
    drawn, true = ((signed_to_unit(one) * mask).sum((2, 3)) / area for one in (generated, batch.target))
    return {"colour_l1": (drawn - true).abs().mean(1)}
