"""Joints found in generated pictures against those that were asked for."""

import torch
from torch import Tensor

from pgt.metrics.score import Score, double


def pck(
    predicted: Tensor, true: Tensor, visible: Tensor, reference_length: Tensor, *, threshold: float = 0.1
) -> Score:
    """Percentage of correct keypoints: visible joints found within `threshold` times a reference length.

    Args:
        predicted: (B, K, 2) pixels, (x, y); NaN where no joint was found, which counts as wrong.
        true: (B, K, 2) pixels, (x, y).
        visible: (B, K) bool; other joints do not count.
        reference_length: (B,) pixels.
        threshold: in units of the reference length.
    """
    if predicted.shape != true.shape or visible.shape != true.shape[:2]:
        raise ValueError(
            f"keypoints {tuple(predicted.shape)}, {tuple(true.shape)}, visible {tuple(visible.shape)}."
        )
    distance = torch.linalg.vector_norm(double(predicted) - double(true), dim=-1)
    correct = (distance <= threshold * double(reference_length)[:, None]) & visible
    values = correct.sum(1).double() / visible.sum(1)  # 0 / 0 is NaN: no joint to be found
    return Score("pck", values, {"threshold": threshold, "joints": "visible in the target"})


def pckh(
    predicted: Tensor,
    true: Tensor,
    visible: Tensor,
    head_size: Tensor,
    *,
    threshold: float = 0.5,
    reference: str = "head size",
) -> Score:
    """PCK relative to the size of the head, (B,) pixels (Andriluka et al. 2014); the rest as `pck`.

    `reference` says in the protocol where that size came from: annotated heads are rare.
    """
    score = pck(predicted, true, visible, head_size, threshold=threshold)
    return Score("pckh", score.values, {**score.protocol, "reference": reference})
