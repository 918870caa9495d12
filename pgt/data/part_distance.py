"""Eq. 1 and 2 of SPT, pixel by pixel: how differently two people's rigid parts are labelled.

    Song et al., Unpaired Person Image Generation with Semantic Parsing Transformation, TPAMI 2021, sec. 3.2

One person is the base, whose pixels are compared; f_j takes the other person's part j to the base's part by
least squares over the four corners (Eq. 2). For each pixel of the base's part, the other's label is looked
up where the inverse of f_j says, at the nearest pixel, so that the squared distance of two one-hot vectors
is 0 or 2. A pixel that comes from outside the other's picture, or from outside the other's part, is compared
with a zero vector: 1. For nine parts f_j takes corners exactly to corners; only a torso can have pixels of
the second kind, and what of the other's torso reaches beyond the base's is not counted.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pgt.data.body_parts import NUM_PARTS
from pgt.data.part_descriptors import EDGE, OUTSIDE, LabelledPeople, PartDescriptors, part_rows
from pgt.geometry import fit_affine, hull_spans, invert_affine, transform_points

Run = Callable[[Callable, Iterable], Iterable]  # `map`, or that of an executor

TORSO = 0
_AT_ONCE = 64  # bases; at 256x256 each has 1 MB of pixels
_GROWN = 1.001  # a moved torso, so that its edge meets itself in spite of rounding


class PartPixels(NamedTuple):
    """The pixels of all parts of some people, listed person after person, part after part."""

    x: np.ndarray  # (N,) float32
    y: np.ndarray
    label: np.ndarray  # (N,) uint8
    start: np.ndarray  # (B * 10 + 1,), where each part's pixels begin


def part_pixels(corners: np.ndarray, valid: np.ndarray, label_maps: np.ndarray) -> PartPixels:
    """List the pixels of B^j with their labels.

    Args:
        corners: (B, 10, 4, 2) float32, (x, y) in pixels.
        valid: (B, 10) bool; an invalid part has no pixels.
        label_maps: (B, H, W) uint8.
    """
    height, width = label_maps.shape[1:]
    rows = part_rows(corners, valid, (height, width))
    before = rows.count.cumsum() - rows.count
    x = np.repeat(rows.first - before, rows.count)
    x += np.arange(len(x))
    y, person = np.repeat(rows.row, rows.count), np.repeat(rows.part // NUM_PARTS, rows.count)
    label = label_maps.reshape(-1)[(person * height + y) * width + x]
    start = np.append(0, rows.area(len(corners)).cumsum())
    return PartPixels(x.astype(np.float32), y.astype(np.float32), label, start)


def part_distances(
    people: LabelledPeople,
    descriptors: PartDescriptors,
    bases: np.ndarray,
    others: np.ndarray,
    run: Run = map,
) -> np.ndarray:
    """Compare the parts of some people with those of some others each.

    Args:
        people, descriptors: everyone.
        bases: (B,) int, who is compared, pixel by pixel.
        others: (B, K) int, with whom.
        run: `map`, or that of an executor.

    Returns:
        (B, K, 10) float32, the squared distance of the one-hot maps summed over the base's part; 0 for a part
        that is not valid in both.
    """
    result = np.zeros((*others.shape, NUM_PARTS), np.float32)
    for first in range(0, len(bases), _AT_ONCE):
        block = slice(first, first + _AT_ONCE)
        result[block] = _distances(people, descriptors, bases[block], others[block], run)
    return result


def _distances(
    people: LabelledPeople, descriptors: PartDescriptors, bases: np.ndarray, others: np.ndarray, run: Run
) -> np.ndarray:
    corners, valid = descriptors.corners, descriptors.valid
    pixels = part_pixels(corners[bases], valid[bases], people.label_maps[bases])
    base, other = (torch.from_numpy(corners[who]).double() for who in (bases[:, None], others))
    forward, _ = fit_affine(other, base.expand_as(other))  # f_j, Eq. 2
    reach = _torso_reach(transform_points(other[:, :, TORSO], forward[:, :, TORSO]), people.image_size[0])
    matrices = _pull_back(forward)
    both = valid[bases][:, None] & valid[others]

    def of_base(number: int) -> np.ndarray:
        maps = _framed(people.label_maps, others[number])
        return _compare(pixels, number, matrices[number], maps, both[number], reach[number])

    return np.stack(list(run(of_base, range(len(bases)))))


def _pull_back(forward: Tensor) -> np.ndarray:
    """Invert f_j (..., 2, 3), to look up framed maps; one that squeezes a part flat comes from outside."""
    inverse = invert_affine(forward)
    (a, b, _), (c, d, _) = (row.unbind(dim=-1) for row in forward.unbind(dim=-2))
    flat = (a * d - b * c).abs() < 1e-9
    inverse[flat] = inverse.new_tensor([[0.0, 0.0, -2.0]] * 2)
    inverse[..., 2] += 1.5  # the frame's pixel, and the half by which cutting off decimals rounds
    return inverse.float().numpy()


def _torso_reach(corners: Tensor, height: int) -> np.ndarray:
    """Return (B, K, 2, H): from where to where moved torsos (B, K, 4, 2) reach in each row."""
    middle = corners.mean(dim=-2, keepdim=True)
    grown = (middle + (corners - middle) * _GROWN).flatten(0, 1)
    spans = hull_spans(grown, torch.ones(grown.shape[:2], dtype=torch.bool), height)
    reach = corners.new_tensor([[torch.inf], [-torch.inf]]).repeat(len(grown), 1, height)
    reach[spans.shape, 0, spans.row], reach[spans.shape, 1, spans.row] = spans.low - EDGE, spans.high + EDGE
    return reach.view(*corners.shape[:2], 2, height).float().numpy()


def _framed(label_maps: np.ndarray, who: np.ndarray) -> np.ndarray:
    """Return the maps (K, H + 2, W + 2) of some people in a frame of OUTSIDE."""
    framed = np.full((len(who), label_maps.shape[1] + 2, label_maps.shape[2] + 2), OUTSIDE, np.uint8)
    framed[:, 1:-1, 1:-1] = label_maps[who]
    return framed


def _compare(
    pixels: PartPixels,
    number: int,
    matrices: np.ndarray,
    maps: np.ndarray,
    both: np.ndarray,
    reach: np.ndarray,
) -> np.ndarray:
    """Sum the squared distances of one base's parts to K others: (K, 10)."""
    _, height, width = maps.shape
    flat, map_start = maps.reshape(-1), np.arange(len(maps))[:, None] * (height * width)
    sums = np.zeros(both.shape, np.float32)
    for part in np.flatnonzero(both.any(axis=0)):
        at = slice(*pixels.start[number * NUM_PARTS + part :][:2])
        x, y, label = pixels.x[at], pixels.y[at], pixels.label[at]
        column, row = (_along(matrices[:, part, axis], x, y) for axis in (0, 1))
        np.clip(column, 0, width - 1, out=column)
        np.clip(row, 0, height - 1, out=row)
        np.floor(row, out=row)
        row *= width
        row += np.floor(column, out=column)
        code = flat.take(row.astype(np.intp) + map_start)
        if part == TORSO:
            low, high = reach[:, :, y.astype(np.intp)].swapaxes(0, 1)
            code[(x < low) | (x > high)] = OUTSIDE
        unequal = code != label
        sums[:, part] = np.count_nonzero(unequal, axis=1)
        sums[:, part] += np.count_nonzero(unequal & (code != OUTSIDE), axis=1)
    return np.where(both, sums, 0)


def _along(row: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Apply rows (K, 3) of affine maps to N points: (K, N)."""
    moved = row[:, :1] * x
    moved += row[:, 1:2] * y
    moved += row[:, 2:]
    return moved
