"""Skirts: cones around hips and thighs, pleated or plain, that swing with the legs.

Cloth coordinates are those of `garments`: u around the body, v the height above the hips, in metres.
"""

import numpy as np

from pgt.synthetic.body import face_normals
from pgt.synthetic.garments import SKIRT, Bottom, Dressing, banded, loosened
from pgt.synthetic.implicit import Blend
from pgt.synthetic.skeleton import BONE
from pgt.synthetic.surface import NUM_BONES, Surface, make_surface, two_sided


def dress_skirt(
    on: Dressing, detail: str, cut_of: Bottom, material: int, trim: int, label: int = SKIRT
) -> Surface:
    """Return a skirt, or the lower half of a dress: a cone, open below, seen from both sides."""
    rings, segments = {"fine": (22, 96), "medium": (14, 56), "coarse": (9, 32)}[detail]
    length = cut_of.length * (on.proportions.thigh + on.proportions.calf)
    top = on.crotch + cut_of.waist
    t = np.linspace(0, 1, rings)[:, None]
    angle = np.linspace(-np.pi, np.pi, segments + 1)[None]  # the seam is at the back
    heights = top - t * (cut_of.waist + length)
    grid = np.stack(np.broadcast_arrays(0.30 * np.sin(angle), heights, 0.26 * np.cos(angle)), -1).reshape(
        -1, 3
    )
    shells = loosened(on.blend, cut_of.ease, {}, 0.05)
    lower = np.isin(
        shells.bone,
        [BONE[b] for b in ("pelvis", "spine", "left_thigh", "right_thigh", "left_calf", "right_calf")],
    )
    points = _rounded(_shrink_wrap(shells.subset(lower), grid), angle, rings)
    drop = np.clip((on.crotch - 0.02 - points[:, 1]) / max(length, 0.1), 0, 1)
    radial = points * [1, 0, 1]
    radial /= np.linalg.norm(radial, axis=1, keepdims=True)
    wave = np.cos(cut_of.pleats * np.tile(angle, (rings, 1)).ravel()) if cut_of.pleats else 0.0
    fold = 0.012 + 0.03 * cut_of.flare
    points = (
        points + radial * (cut_of.flare * drop + fold * wave * np.sqrt(drop) * (cut_of.pleats > 0))[:, None]
    )
    faces = _grid_faces(rings, segments + 1)
    surface = make_surface(
        points, _closed_normals(points, faces, rings, segments), faces, _skirt_weights(on, points)
    )
    u = np.tile(angle * 0.145, (rings, 1)).ravel()
    surface = surface.painted(material, label).with_uv(u, points[:, 1] - on.crotch)
    if cut_of.waistband:
        surface = banded(surface, top - surface.vertices[:, 1], 0.03, trim)
    return two_sided(surface)


def _shrink_wrap(blend: Blend, points: np.ndarray) -> np.ndarray:
    """Move points level towards the axis until they meet the blend."""
    for _ in range(6):
        value, gradient = blend(points)
        level = gradient * np.array([1, 0, 1], np.float32)
        slope = np.maximum((level**2).sum(1), 0.35)
        points = points - (np.clip(value, -0.1, 0.1) / slope)[:, None] * level
    return points


def _rounded(points: np.ndarray, angle: np.ndarray, rings: int) -> np.ndarray:
    """Replace each ring by a round one of its width and depth, none narrower than those above."""
    ring = points.reshape(rings, -1, 3).copy()
    side, front, back = np.abs(ring[..., 0]).max(1), ring[..., 2].max(1), -ring[..., 2].min(1)
    side, front, back = (np.maximum.accumulate(extent)[:, None] for extent in (side, front, back))
    sine, cosine = np.sin(angle), np.cos(angle)
    ring[..., 0] = side * np.sign(sine) * np.abs(sine) ** 0.88
    ring[..., 2] = np.where(cosine > 0, front, back) * np.sign(cosine) * np.abs(cosine) ** 0.88
    return ring.reshape(-1, 3)


def _grid_faces(rows: int, columns: int) -> np.ndarray:
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (
        index[:-1, :-1].ravel(),
        index[:-1, 1:].ravel(),
        index[1:, 1:].ravel(),
        index[1:, :-1].ravel(),
    )
    return np.concatenate([np.stack([a, d, c], 1), np.stack([a, c, b], 1)])


def _closed_normals(points: np.ndarray, faces: np.ndarray, rings: int, segments: int) -> np.ndarray:
    normals = face_normals(points, faces).reshape(rings, segments + 1, 3)
    seam = normals[:, 0] + normals[:, -1]
    normals[:, 0] = normals[:, -1] = seam / np.linalg.norm(seam, axis=1, keepdims=True)
    return normals.reshape(-1, 3)


def _skirt_weights(on: Dressing, points: np.ndarray) -> np.ndarray:
    """Cloth follows the pelvis at the waist and the nearer thigh below, long skirts also the calves."""
    weights = np.zeros((len(points), NUM_BONES), np.float32)
    down = np.clip((on.crotch + 0.055 - points[:, 1]) / 0.14, 0, 1)
    down = down * down * (3 - 2 * down)
    knee = np.clip((on.along_leg(points) - 0.42) / 0.3, 0, 1)
    left = np.clip(0.5 + points[:, 0] / 0.27, 0, 1)
    left = left * left * (3 - 2 * left)
    for side, share in (("left", left), ("right", 1 - left)):
        weights[:, BONE[f"{side}_thigh"]] = down * share * (1 - 0.75 * knee)
        weights[:, BONE[f"{side}_calf"]] = down * share * 0.75 * knee
    waist = np.clip((points[:, 1] - on.crotch - 0.05) / 0.12, 0, 1)
    weights[:, BONE["pelvis"]] = (1 - down) * (1 - 0.5 * waist)
    weights[:, BONE["spine"]] = (1 - down) * 0.5 * waist
    return weights
