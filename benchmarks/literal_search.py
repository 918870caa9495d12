"""SPT's pseudo-label search as its equations say it: loops over candidates and parts, whole one-hot maps.

Written from the definitions alone, in numpy, sharing no code with `pgt`. The tests hold the fast search
against it; `search.py` times both. Two forms:
- `distance`: Eq. 1 with one-hot maps of the whole picture, warped and subtracted;
- `PatientLoop`: the same numbers as cheaply as one candidate at a time allows: masks made once per source,
  labels compared in place of one-hot maps.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.literal import body_scale, convex, fit_affine, hull, part_corners

GROWN = 1.001  # a part's edge belongs to the part, in spite of rounding


class Someone(NamedTuple):
    """A person whose shoulders and hips are visible."""

    keypoints: np.ndarray  # (18, 2), (x, y)
    visible: np.ndarray  # (18,)
    label_map: np.ndarray  # (H, W) integers of 0 to 9


def is_inside(part: int, corners: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Say which points lie in the hull of four corners, which only the torso may have in any order."""
    corners = corners.mean(axis=0) + GROWN * (corners - corners.mean(axis=0))
    triangles = [np.delete(corners, i, axis=0) for i in range(4)] if part == 0 else [corners]
    result = np.zeros(x.shape, bool)
    for polygon in triangles:
        sides = []
        for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            sides.append((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0))
        result |= (np.min(sides, axis=0) >= 0) | (np.max(sides, axis=0) <= 0)
    return result


def valid_parts(person: Someone) -> list[np.ndarray | None]:
    """Return the corners of each part that has a pixel in the picture, and None for the others."""
    size = person.label_map.shape
    parts = part_corners(person.keypoints, person.visible)
    for part, corners in enumerate(parts):
        if corners is not None:
            along, across = np.linalg.svd(corners - corners.mean(axis=0))[1] ** 2
            mask = (hull if part == 0 else convex)(corners, size)
            on_a_line = along * across <= 1e-4 * ((along + across) / 2) ** 2
            if on_a_line or not mask.any():
                parts[part] = None
    return parts


def pull_back(source: np.ndarray, candidate: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return where pixels of the source come from in the candidate: Eq. 2, inverted; (2, ...)."""
    matrix = np.vstack([fit_affine(candidate, source), [0, 0, 1]])
    if abs(np.linalg.det(matrix)) < 1e-9:
        return np.full((2, *x.shape), -9.0)
    return np.tensordot(np.linalg.inv(matrix)[:2], np.stack([x, y, np.ones(x.shape)]), axes=1)


def one_hot(label_map: np.ndarray) -> np.ndarray:
    """Return (10, H, W)."""
    return np.stack([label_map == label for label in range(10)]).astype(np.float32)


def distance(source: Someone, candidate: Someone) -> tuple[float, int]:
    """Evaluate Eq. 1: the mean over parts, and their number n; infinite where n is 0."""
    size = source.label_map.shape
    ys, xs = np.mgrid[: size[0], : size[1]].astype(np.float64)
    total, count = 0.0, 0
    for part, (at, other) in enumerate(zip(valid_parts(source), valid_parts(candidate), strict=True)):
        if at is None or other is None:
            continue
        mask = (hull if part == 0 else convex)(at, size)
        x, y = pull_back(at, other, xs, ys)
        column, row = np.floor(x + 0.5).astype(int), np.floor(y + 0.5).astype(int)
        inside = (column >= 0) & (column < size[1]) & (row >= 0) & (row < size[0])
        inside &= is_inside(part, other, x, y)
        maps = one_hot(candidate.label_map)
        warped = maps[:, row.clip(0, size[0] - 1), column.clip(0, size[1] - 1)] * inside
        total += float((((one_hot(source.label_map) - warped) * mask) ** 2).sum()) / mask.sum()
        count += 1
    return (total / count if count else np.inf), count


class PatientLoop:
    """Eq. 1 from one source to one candidate after the other, with everything of the source made once."""

    def __init__(self, source: Someone) -> None:
        self.size = source.label_map.shape
        self.parts = valid_parts(source)
        self.pixels = []
        for part, corners in enumerate(self.parts):
            fill = hull if part == 0 else convex
            mask = np.zeros(self.size, bool) if corners is None else fill(corners, self.size)
            y, x = np.nonzero(mask)
            self.pixels.append((x, y, source.label_map[y, x]))

    def distance(self, candidate: Someone, corners: list[np.ndarray | None]) -> tuple[float, int]:
        """Evaluate Eq. 1; `corners` are the candidate's `valid_parts`."""
        total, count = 0.0, 0
        for part, (at, other) in enumerate(zip(self.parts, corners, strict=True)):
            if at is None or other is None:
                continue
            x, y, labels = self.pixels[part]
            from_x, from_y = pull_back(at, other, x.astype(float), y.astype(float))
            column, row = np.floor(from_x + 0.5).astype(int), np.floor(from_y + 0.5).astype(int)
            inside = (column >= 0) & (column < self.size[1]) & (row >= 0) & (row < self.size[0])
            if part == 0:
                inside &= is_inside(part, other, from_x, from_y)
            found = candidate.label_map[row.clip(0, self.size[0] - 1), column.clip(0, self.size[1] - 1)]
            total += np.where(inside, 2 * (found != labels), 1).sum() / len(labels)
            count += 1
        return (total / count if count else np.inf), count


def pose_difference(one: Someone, other: Someone) -> float:
    """Measure the mean distance of joints seen in both, without place and size, in lengths of the torso."""
    joints = [joint for joint in range(18) if one.visible[joint] and other.visible[joint]]
    if len(joints) < 2:
        return 0.0
    placed = []
    for person in (one, other):
        points = person.keypoints[joints].astype(np.float64) / body_scale(person.keypoints, person.visible)
        placed.append(points - points.mean(axis=0))
    return float(np.mean([np.hypot(*difference) for difference in placed[0] - placed[1]]))


def best(
    people: Sequence[Someone] | Mapping[int, Someone],
    query: int,
    candidates: list[int],
    *,
    min_pose_difference: float = 0.15,
    min_parts: int = 3,
    min_shared: float = 0.8,
) -> tuple[int, float]:
    """Find the pseudo-label of one person among candidates, in turn: its number or -1, and its distance."""
    source = people[query]
    loop, winner, least = PatientLoop(source), -1, np.inf
    own = sum(corners is not None for corners in loop.parts)
    for number in sorted(candidates):
        if number == query or pose_difference(source, people[number]) < min_pose_difference:
            continue
        corners = valid_parts(people[number])
        found, count = loop.distance(people[number], corners)
        theirs = sum(part is not None for part in corners)
        if count >= min_parts and count >= min_shared * max(own, theirs) - 1e-6 and found < least:
            winner, least = number, found
    return winner, least
