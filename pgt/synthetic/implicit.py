"""Smooth implicit shapes (blended ellipsoidal round cones) and the triangle meshes that cover them.

A body is modelled as a few dozen primitives melted together by a soft minimum, so that shoulders, hips and
armpits have no seams. Its surface is found once on a grid (naive surface nets, Gibson 1998); other bodies
reuse that topology, their vertices moved onto their own surface by Newton steps.
"""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Blend:
    """Primitives melted together: round cones from `a` to `b`, stretched by `scale` along their own axes."""

    bone: np.ndarray  # (P,) int64, the bone that carries each primitive
    a: np.ndarray  # (P, 3) metres
    b: np.ndarray  # (P, 3)
    radius_a: np.ndarray  # (P,) metres
    radius_b: np.ndarray  # (P,)
    scale: np.ndarray  # (P, 3)
    rotation: np.ndarray  # (P, 3, 3), primitive axes -> world
    softness: float  # metres over which neighbours melt together

    def inflated(self, amount: np.ndarray | float) -> "Blend":
        """Return the blend with all radii grown by `amount` metres."""
        amount = np.asarray(amount, np.float32)
        return replace(self, radius_a=self.radius_a + amount, radius_b=self.radius_b + amount)

    def subset(self, keep: np.ndarray) -> "Blend":
        """Return the blend of the chosen primitives only."""
        fields = ("bone", "a", "b", "radius_a", "radius_b", "scale", "rotation")
        return replace(self, **{name: getattr(self, name)[keep] for name in fields})

    def distances(self, points: np.ndarray) -> np.ndarray:
        """First-order distance of (N, 3) points to every primitive: (P, N) metres."""
        return self._in_local_axes(points)[0]

    def __call__(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Signed distance of (N, 3) points to the melted surface, (N,), and its gradient (N, 3)."""
        distance, gradient, to_local = self._in_local_axes(points)
        nearest = distance.min(0)
        weight = np.exp((nearest - distance) / self.softness)
        total = weight.sum(0)
        weight /= total
        gradient *= weight[:, None]
        world = gradient.reshape(-1, gradient.shape[2]).T @ to_local
        return nearest - self.softness * np.log(total), world

    def _in_local_axes(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distances (P, N), their gradients along the primitives' axes (P, 3, N), and those axes (3 P, 3)."""
        to_local = (self.rotation / self.scale[:, None, :]).transpose(0, 2, 1)  # (P, 3, 3)
        start = np.einsum("pij,pj->pi", to_local, self.a)
        axis = np.einsum("pij,pj->pi", to_local, self.b - self.a)
        length2 = np.maximum((axis**2).sum(-1), 1e-9)
        to_local = np.ascontiguousarray(to_local.reshape(-1, 3), np.float32)
        q = (to_local @ points.T.astype(np.float32)).reshape(len(start), 3, -1) - start[:, :, None]
        t = (q * (axis / length2[:, None])[:, :, None]).sum(1)
        inner = (t > 0) & (t < 1)
        np.clip(t, 0, 1, out=t)
        q -= t[:, None] * axis[:, :, None]
        norm = np.sqrt((q * q).sum(1)) + 1e-9
        taper = self.radius_b - self.radius_a
        distance = norm - (self.radius_a[:, None] + t * taper[:, None])
        q /= norm[:, None]
        q -= (inner * (taper / length2)[:, None])[:, None] * axis[:, :, None]
        # |rotation diag(1 / scale) q| without turning q to world axes
        steepness = np.sqrt((q * q * (self.scale**-2)[:, :, None]).sum(1)) + 1e-9
        distance /= steepness
        q /= steepness[:, None]
        return distance, q, to_local


def settle(blend: Blend, points: np.ndarray, steps: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Move (N, 3) points onto the blend's surface by Newton steps; return them and the unit normals there."""
    for _ in range(steps):
        value, gradient = blend(points)
        step = value / np.maximum((gradient**2).sum(-1), 0.05)
        points = points - np.clip(step, -0.05, 0.05)[:, None] * gradient
    normals = gradient / (np.linalg.norm(gradient, axis=-1, keepdims=True) + 1e-9)
    return points.astype(np.float32), normals.astype(np.float32)


def surface_nets(values: np.ndarray, origin: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Mesh the zero level of grid `values` (X, Y, Z), negative inside.

    Returns:
        vertices (V, 3) in world units and faces (F, 3) int64, counter-clockwise seen from outside.
    """
    inside = values < 0
    cells = np.array(values.shape) - 1
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]

    def corner(grid: np.ndarray, offset: tuple[int, int, int]) -> np.ndarray:
        i, j, k = offset
        return grid[i : i + cells[0], j : j + cells[1], k : k + cells[2]]

    count = sum(corner(inside, c).astype(np.int8) for c in corners)
    active = (count > 0) & (count < 8)
    index = np.full(cells, -1, np.int64)
    index[active] = np.arange(active.sum())
    total, hits = np.zeros((active.sum(), 3)), np.zeros(active.sum())
    for c in corners:
        for axis in range(3):
            if c[axis]:
                continue
            d = tuple(np.array(c) + np.eye(3, dtype=int)[axis])
            low, high = corner(values, c)[active], corner(values, d)[active]
            crosses = (low < 0) != (high < 0)
            t = np.where(crosses, low / np.where(crosses, low - high, 1), 0)
            point = np.tile(np.array(c, float), (len(t), 1))
            point[:, axis] = t
            total += point * crosses[:, None]
            hits += crosses
    vertices = (np.argwhere(active) + total / hits[:, None]) * spacing + origin
    return vertices.astype(np.float32), _net_faces(inside, index)


def _net_faces(inside: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Join the four cells around every grid edge that crosses the surface."""
    faces = []
    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        moved = np.moveaxis(inside, (axis, one, two), (0, 1, 2))[:, 1:-1, 1:-1]
        cell = np.moveaxis(index, (axis, one, two), (0, 1, 2))
        leaves = moved[:-1] & ~moved[1:]
        enters = ~moved[:-1] & moved[1:]
        a, b, c, d = cell[:, :-1, :-1], cell[:, 1:, :-1], cell[:, 1:, 1:], cell[:, :-1, 1:]
        for crossing, quad in ((leaves, (a, b, c, d)), (enters, (d, c, b, a))):
            p, q, r, s = (corner[crossing] for corner in quad)
            faces += [np.stack([p, q, r], 1), np.stack([p, r, s], 1)]
    return np.concatenate(faces)


def mesh_blend(blend: Blend, spacing: float, relax: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Mesh a blend's surface with edges of about `spacing` metres: vertices (V, 3) and faces (F, 3)."""
    reach = (np.maximum(blend.radius_a, blend.radius_b) * blend.scale.max(1))[:, None] + 3 * spacing
    low = (np.minimum(blend.a, blend.b) - reach).min(0)
    high = (np.maximum(blend.a, blend.b) + reach).max(0)
    axes = [np.arange(low[i], high[i] + spacing, spacing) for i in range(3)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    flat = grid.reshape(-1, 3)
    values = np.concatenate([blend(flat[i : i + 4096])[0] for i in range(0, len(flat), 4096)])
    vertices, faces = surface_nets(values.reshape(grid.shape[:3]), low, spacing)
    used, faces = np.unique(faces, return_inverse=True)
    vertices, faces = vertices[used], faces.reshape(-1, 3)
    for _ in range(relax):
        vertices = vertices + 0.6 * (neighbour_mean(vertices, faces) - vertices)
        vertices, _ = settle(blend, vertices, 2)
    return vertices, faces


def neighbour_mean(values: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Mean of each vertex's neighbours' values: (V, C) -> (V, C)."""
    start = faces[:, [0, 1, 2]].ravel()
    end = faces[:, [1, 2, 0]].ravel()  # on a closed surface every edge runs both ways
    out = np.stack([np.bincount(start, values[end, c], len(values)) for c in range(values.shape[1])], 1)
    degree = np.bincount(start, minlength=len(values))
    return (out / np.maximum(degree, 1)[:, None]).astype(np.float32)
