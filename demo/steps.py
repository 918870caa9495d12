"""How a result came about, step by step: what each approach saw and drew on the way."""

from itertools import pairwise

import numpy as np

from pgt.plot import color_parsing, mask_picture, overlay_heatmaps
from pgt.predictor import Prediction

Step = tuple[np.ndarray, str, str]  # a picture, its caption, a remark


def explain(prediction: Prediction) -> list[Step]:
    """Return the steps of a prediction: (picture, caption, note)."""
    heat_maps = overlay_heatmaps(None, prediction.target_pose)
    steps = [
        (prediction.source.image, "Source", "what the network is shown"),
        (heat_maps, "Heat maps", "18 joints, one channel each, drawn in one"),
    ]
    if prediction.refinements is not None:
        return steps + _mrnet_steps(prediction)
    if prediction.levels is not None:
        return steps + series(prediction)
    return steps + (_pg2_steps(prediction) if prediction.label_map is None else _spt_steps(prediction))


def series(prediction: Prediction) -> list[Step]:
    """Return MR-Net's rounds or Progressive's levels; nothing for approaches that draw once."""
    if prediction.refinements is not None:
        rounds = prediction.refinements
        changes = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(rounds)]
        notes = ["the first drawing", *(f"changes {change:.1f} of 255" for change in changes)]
        return [
            (image, f"Round {i}", note) for i, (image, note) in enumerate(zip(rounds, notes, strict=True), 1)
        ]
    levels = prediction.levels or ()
    return [
        (image, f"{image.shape[1]} × {image.shape[0]}", f"level {i} of {len(levels)}")
        for i, image in enumerate(levels, 1)
    ]


def _mrnet_steps(prediction: Prediction) -> list[Step]:
    cut = [
        (prediction.foreground, "Foreground", "the person cut out, one branch's input"),
        (prediction.background, "Background", "the rest with a hole, the other branch's"),
    ]
    return [*cut, *series(prediction)]


def _pg2_steps(prediction: Prediction) -> list[Step]:
    steps = [(mask_picture(prediction.pose_mask), "Pose mask", "where errors weigh double in training")]
    if prediction.coarse is not None:
        steps.append((prediction.coarse, "Coarse", "stage I: pose and colours, blurred"))
    if prediction.difference_map is not None:
        steps.append((prediction.difference_map, "Difference map", "stage II: what it adds, grey is nothing"))
    if prediction.refined is not None:
        steps.append((prediction.refined, "Refined", "coarse + difference map"))
    return steps


def _spt_steps(prediction: Prediction) -> list[Step]:
    steps = [
        (color_parsing(prediction.source.label_map), "Source map", "ten labels: what is where"),
        (color_parsing(prediction.label_map), "Predicted map", "where each label goes in the new pose"),
        (prediction.foreground, "Foreground", "the person, drawn region by region of that map"),
    ]
    if prediction.background is None:
        return steps
    return [
        *steps,
        (prediction.background, "Background", "what lies behind the person"),
        (prediction.image, "Composite", "foreground on background, by the predicted map"),
    ]
