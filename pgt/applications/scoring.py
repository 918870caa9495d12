"""Score an application against the truth, where there is one: the same person, rendered in other clothes."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pgt.applications.drawing import CLOTHES, Redrawn, checked_label_map, checked_labels, checked_person
from pgt.data.parsing import LABELS
from pgt.data.person import Person
from pgt.metrics import Score, foreground_l1, foreground_ssim
from pgt.predictor import fit_person


def score_region(
    result: Redrawn | np.ndarray, truth: Person, labels: Sequence[int] = CLOTHES
) -> dict[str, Score]:
    """Measure a picture inside the regions that the true person's map gives some labels.

    Args:
        result: of an application, or any picture, uint8 (H, W, 3).
        truth: with a semantic map; fitted into the picture's frame.
        labels: which regions count, by default all clothes.

    Returns:
        "foreground_l1" and "foreground_ssim", one value each; NaN where the truth has no such region.

    Raises:
        ValueError: a truth without a map, an unknown label, or a picture smaller than the window of SSIM.
    """
    picture = result.image if isinstance(result, Redrawn) else result
    chosen = checked_labels(labels)
    fitted = fit_person(checked_person(truth, "the truth"), picture.shape[:2])
    mask = torch.from_numpy(np.isin(fitted.label_map, chosen)).float()[None, None]
    images = _unit(picture), _unit(fitted.image), mask
    return {score.name: score for score in (foreground_l1(*images), foreground_ssim(*images))}


def score_map(label_map: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Measure an edited map by intersection over union with the true one.

    Args:
        label_map, truth: (H, W) whole numbers 0 to 9.

    Returns:
        Name of each label that either map has -> IoU in [0, 1]; and "mean" over these.

    Raises:
        ValueError: maps of unequal sizes, or something that is no map.
    """
    true = checked_label_map(truth, truth.shape)
    found = checked_label_map(label_map, true.shape)
    ious = {}
    for label, name in enumerate(LABELS):
        either = (found == label) | (true == label)
        if either.any():
            ious[name] = float(((found == label) & (true == label)).sum() / either.sum())
    return {**ious, "mean": float(np.mean(list(ious.values())))}


def _unit(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).movedim(-1, 0)[None].float() / 255
