"""Skinned triangle surfaces: cut along smooth lines, hemmed, and bent with a skeleton."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pgt.synthetic.skeleton import BONE, BONES, PARENT, Frames

NUM_BONES = len(BONES)


@dataclass(frozen=True)
class Surface:
    """A piece of a figure in its bind pose, of one material and one label per face.

    Attributes:
        data: (V, 8 + 17) float32: position (metres), unit normal, uv (metres of cloth), skinning weights.
        faces: (F, 3) int64, counter-clockwise from outside.
        material: (F,) int64.
        label: (F,) uint8.
    """

    data: np.ndarray
    faces: np.ndarray
    material: np.ndarray
    label: np.ndarray

    @property
    def vertices(self) -> np.ndarray:
        """(V, 3) metres."""
        return self.data[:, :3]

    @property
    def normals(self) -> np.ndarray:
        """(V, 3) unit vectors."""
        return self.data[:, 3:6]

    @property
    def uv(self) -> np.ndarray:
        """(V, 2) metres of cloth."""
        return self.data[:, 6:8]

    @property
    def weights(self) -> np.ndarray:
        """(V, 17) skinning weights, rows summing to 1."""
        return self.data[:, 8:]

    @cached_property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions (3, V), normals (3, V) and weights (17, V), the order in which bending is fast."""
        columns = np.ascontiguousarray(self.data.T)
        return columns[:3], columns[3:6], columns[8:]

    def with_uv(self, u: np.ndarray, v: np.ndarray) -> "Surface":
        """Return the surface with other texture coordinates."""
        data = self.data.copy()
        data[:, 6], data[:, 7] = u, v
        return replace(self, data=data)

    def painted(self, material: int, label: int) -> "Surface":
        """Return the surface in one material and label."""
        count = len(self.faces)
        return replace(self, material=np.full(count, material), label=np.full(count, label, np.uint8))


def make_surface(
    vertices: np.ndarray,
    normals: np.ndarray,
    faces: np.ndarray,
    weights: np.ndarray,
    material: int = 0,
    label: int = 0,
) -> Surface:
    """Assemble a surface; its texture coordinates are still (x, y)."""
    data = np.concatenate([vertices, normals, vertices[:, :2], weights], 1).astype(np.float32)
    return Surface(data, faces, np.full(len(faces), material), np.full(len(faces), label, np.uint8))


def rigid_weights(count: int, bone: str) -> np.ndarray:
    """Weights (count, 17) of vertices that follow one bone."""
    weights = np.zeros((count, NUM_BONES), np.float32)
    weights[:, BONE[bone]] = 1
    return weights


def join(surfaces: Sequence[Surface]) -> Surface:
    """Put several surfaces into one."""
    starts = np.cumsum([0] + [len(s.data) for s in surfaces[:-1]])
    return Surface(
        np.concatenate([s.data for s in surfaces]),
        np.concatenate([s.faces + start for s, start in zip(surfaces, starts, strict=True)]),
        np.concatenate([s.material for s in surfaces]),
        np.concatenate([s.label for s in surfaces]),
    )


def cut(surface: Surface, field: np.ndarray) -> Surface:
    """Keep the side of the surface where `field` (V,) is positive, splitting triangles."""
    inside = field > 0
    corner_inside = inside[surface.faces]
    count = corner_inside.sum(1)
    if (count == 3).all():
        return surface
    whole = count == 3
    faces, parents, data = [surface.faces[whole]], [np.nonzero(whole)[0]], [surface.data]
    split = np.nonzero((count == 1) | (count == 2))[0]
    if len(split):
        odd = np.where(count[split] == 1, corner_inside[split].argmax(1), corner_inside[split].argmin(1))
        a, b, c = (surface.faces[split, (odd + i) % 3] for i in range(3))
        edges = np.concatenate([np.stack([a, b], 1), np.stack([a, c], 1)])
        edges.sort(1)
        size = len(surface.data)
        unique, index = np.unique(edges[:, 0] * size + edges[:, 1], return_inverse=True)
        low, high = unique // size, unique % size
        t = (field[low] / (field[low] - field[high]))[:, None].astype(np.float32)
        data.append(surface.data[low] * (1 - t) + surface.data[high] * t)
        ab, ac = np.split(index.ravel() + size, 2)
        one = count[split] == 1
        faces.append(np.stack([a, ab, ac], 1)[one])
        faces.append(np.stack([ab, b, c], 1)[~one])
        faces.append(np.stack([ab, c, ac], 1)[~one])
        parents += [split[one], split[~one], split[~one]]
    return _compact(np.concatenate(data), np.concatenate(faces), np.concatenate(parents), surface)


def _compact(data: np.ndarray, faces: np.ndarray, parents: np.ndarray, surface: Surface) -> Surface:
    used = np.zeros(len(data), bool)
    used[faces] = True
    renumber = np.cumsum(used) - 1
    return Surface(data[used], renumber[faces], surface.material[parents], surface.label[parents])


def hemmed(surface: Surface, thickness: float) -> Surface:
    """Turn the open edges of the surface inwards by `thickness` metres, so that cloth has a body."""
    size = len(surface.data)
    start, end = surface.faces.ravel(), surface.faces[:, [1, 2, 0]].ravel()
    owner = np.repeat(np.arange(len(surface.faces)), 3)
    open_edge = ~np.isin(start * size + end, end * size + start)
    start, end, owner = start[open_edge], end[open_edge], owner[open_edge]
    rim, index = np.unique(np.concatenate([start, end]), return_inverse=True)
    inner = surface.data[rim].copy()
    inner[:, :3] -= thickness * inner[:, 3:6]
    start_in, end_in = np.split(index.ravel() + size, 2)
    lip = np.concatenate([np.stack([end, start, start_in], 1), np.stack([end, start_in, end_in], 1)])
    owner = np.concatenate([owner, owner])
    return Surface(
        np.concatenate([surface.data, inner]),
        np.concatenate([surface.faces, lip]),
        np.concatenate([surface.material, surface.material[owner]]),
        np.concatenate([surface.label, surface.label[owner]]),
    )


def two_sided(surface: Surface, where: np.ndarray | None = None) -> Surface:
    """Add the inside of an open surface: its faces, or those with a vertex `where` (V,), reversed."""
    chosen = slice(None) if where is None else where[surface.faces].any(1)
    inside = surface.data.copy()
    inside[:, 3:6] *= -1
    inside[:, :3] += 0.002 * inside[:, 3:6]
    faces, parents = surface.faces[chosen, ::-1], np.arange(len(surface.faces))[chosen]
    return join([surface, _compact(inside, faces, parents, surface)])


def bone_motions(bind: Frames, posed: Frames) -> np.ndarray:
    """Dual quaternions (17, 8), w first, that carry each bone from the bind pose to the posed one.

    Signs are chosen so that a bone and its parent lie in one hemisphere, as blending needs (Kavan et al.
    2007).
    """
    rotation = posed.rotations @ bind.rotations.transpose(0, 2, 1)
    shift = posed.origins - np.einsum("bij,bj->bi", rotation, bind.origins)
    q = quaternions(rotation)
    for bone, parent in enumerate(PARENT):
        if parent >= 0 and q[bone] @ q[parent] < 0:
            q[bone] = -q[bone]
    w, x, y, z = q.T
    tx, ty, tz = shift.T
    dual = 0.5 * np.stack([
        -tx * x - ty * y - tz * z, tx * w + ty * z - tz * y,
        -tx * z + ty * w + tz * x, tx * y - ty * x + tz * w,
    ], 1)  # fmt: skip
    return np.concatenate([q, dual], 1)


def quaternions(rotations: np.ndarray) -> np.ndarray:
    """Unit quaternions (N, 4), w first, of rotation matrices (N, 3, 3)."""
    m = rotations
    d0, d1, d2 = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    a, b, c = m[:, 2, 1], m[:, 0, 2], m[:, 1, 0]
    at, bt, ct = m[:, 1, 2], m[:, 2, 0], m[:, 0, 1]
    candidates = np.stack([
        np.stack([1 + d0 + d1 + d2, a - at, b - bt, c - ct], 1),
        np.stack([a - at, 1 + d0 - d1 - d2, c + ct, b + bt], 1),
        np.stack([b - bt, c + ct, 1 - d0 + d1 - d2, a + at], 1),
        np.stack([c - ct, b + bt, a + at, 1 - d0 - d1 + d2], 1),
    ], 1)  # fmt: skip
    best = np.stack([candidates[:, i, i] for i in range(4)], 1).argmax(1)
    q = candidates[np.arange(len(m)), best]
    return q / np.linalg.norm(q, axis=1, keepdims=True)


def bend(surface: Surface, motions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Skin a surface half-way between dual-quaternion (Kavan et al. 2007) and linear blending.

    Alone, the first swells at shoulders and the second collapses there.

    Args:
        surface: in the bind pose.
        motions: (17, 8) from `bone_motions`.

    Returns:
        posed vertices (V, 3) in world metres and unit normals (V, 3), float32.
    """
    points, normals, weights = surface.columns
    blended = motions.T.astype(np.float32) @ weights
    blended /= np.sqrt((blended[:4] * blended[:4]).sum(0))
    curved = _turned(blended, points) + _shift(blended)
    # The linear blend, from where each bone takes the origin and the three axes.
    own = motions.T.astype(np.float32)
    start = _shift(own)
    axes = [
        _turned(own, np.repeat(axis, own.shape[1], 1)) for axis in np.eye(3, dtype=np.float32)[:, :, None]
    ]
    linear = np.concatenate([start, *axes]) @ weights  # (12, V)
    straight = linear[:3]
    for i in range(3):
        straight += points[i] * linear[3 + 3 * i : 6 + 3 * i]
    posed = 0.45 * curved + 0.55 * straight
    return np.ascontiguousarray(posed.T), np.ascontiguousarray(_turned(blended, normals).T)


def _turned(motions: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Turn each vector (3, V) by its own unit dual quaternion (8, V)."""
    twice = 2 * _cross(motions[1:4], vectors)
    return vectors + motions[0] * twice + _cross(motions[1:4], twice)


def _shift(motions: np.ndarray) -> np.ndarray:
    """Return the translations (3, V) of unit dual quaternions (8, V)."""
    w, axis, dual_w, dual = motions[0], motions[1:4], motions[4], motions[5:8]
    return 2 * (w * dual - dual_w * axis + _cross(axis, dual))


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.empty_like(b)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.multiply(a[j], b[k], out=out[i])
        out[i] -= a[k] * b[j]
    return out
