"""A batched software rasteriser: triangles of many images at once, in plain tensor operations.

Every triangle is cut into the rows of samples it crosses and every row into the samples between its two edges, so
that the flat list of fragments holds covered samples only. One scatter-minimum over (depth, fragment) finds the
nearest; normals and texture coordinates are then interpolated for the winners alone (deferred shading).

An edge is always evaluated from its upper to its lower end and intervals are half open, so two triangles that share
an edge share no sample and leave none out. It knows nothing of people, light or colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

EMPTY = torch.iinfo(torch.int64).max
DEPTH_STEPS = 2**12  # depth levels per pixel
CHUNK = 2**22  # samples held at once; bounds memory at large sizes


@dataclass(frozen=True)
class Mesh:
    """One figure in front of the camera (orthographic), ready to be drawn.

    Only faces whose corners run counter-clockwise as the viewer sees them are drawn; an open surface shows its
    inside only if its faces are given a second time in reverse.

    Attributes:
        vertices: (V, 3) float32, x right and y down in pixels of the final image, whole numbers being pixel centres;
            z towards the viewer, in pixels too.
        normals: (V, 3) float32, outward, in the same axes (y down); need not have unit length.
        faces: (F, 3) int64, corners as indices of vertices.
        uv: (V, 2) float32, metres of cloth.
        material: (F,) int64, index into the figure's materials.
        label: (F,) uint8, one of the ten labels.
    """

    vertices: np.ndarray | Tensor
    normals: np.ndarray | Tensor
    faces: np.ndarray | Tensor
    uv: np.ndarray | Tensor
    material: np.ndarray | Tensor
    label: np.ndarray | Tensor


@dataclass(frozen=True)
class GBuffer:
    """What is seen at the P covered samples of B images, ordered by image, then by face.

    Attributes:
        num_images: B.
        size: (H, W) of the final images.
        supersample: S, samples per pixel along each axis.
        pixel: (P,) int64, index into the flat (B, H, W).
        sub: (P,) int64 in [0, S * S), which sample of the pixel.
        face: (P,) int64, face of the image's mesh.
        depth: (P,) float32, pixels towards the viewer.
        normal: (P, 3) float32, unit length, x right, y down, z towards the viewer.
        u, v: (P,) float32, metres of cloth.
        material: (P,) int64, index into the image's own materials.
        label: (P,) uint8.
    """

    num_images: int
    size: tuple[int, int]
    supersample: int
    pixel: Tensor
    sub: Tensor
    face: Tensor
    depth: Tensor
    normal: Tensor
    u: Tensor
    v: Tensor
    material: Tensor
    label: Tensor

    @property
    def image(self) -> Tensor:
        """(P,) int64, the image each sample belongs to."""
        return self.pixel // (self.size[0] * self.size[1])


def rasterize(meshes: Sequence[Mesh], size: tuple[int, int], *, supersample: int = 2) -> GBuffer:
    """Find the nearest surface at every sample of every image.

    Args:
        meshes: one per image, all on one device.
        size: (H, W) of the final images in pixels.
        supersample: samples per pixel along each axis.

    Returns:
        GBuffer of the covered samples. At equal depth the face with the smaller index wins; an image is the same
        whichever batch it is drawn in.
    """
    per_chunk = max(1, CHUNK // (size[0] * size[1] * supersample**2))
    parts = [
        _rasterize_chunk(meshes[start : start + per_chunk], size, supersample)
        for start in range(0, len(meshes), per_chunk)
    ]
    if len(parts) == 1:
        return parts[0]
    names = ("pixel", "sub", "face", "depth", "normal", "u", "v", "material", "label")
    columns = {name: [getattr(part, name) for part in parts] for name in names}
    columns["pixel"] = [p + i * per_chunk * size[0] * size[1] for i, p in enumerate(columns["pixel"])]
    return GBuffer(
        len(meshes), size, supersample, **{name: torch.cat(column) for name, column in columns.items()}
    )


def _rasterize_chunk(meshes: Sequence[Mesh], size: tuple[int, int], supersample: int) -> GBuffer:
    soup = _Soup(meshes)
    # Sample centres have whole coordinates: sample i lies at pixel (i + 0.5) / S - 0.5.
    x, y, z = ((soup.vertices[:, i] + 0.5 * (i < 2)) * supersample - 0.5 * (i < 2) for i in range(3))
    kept, corners = _visible_faces(soup.faces, x, y, size, supersample)
    fragments = _fragments(x, y, z, corners, soup.image[kept], size, supersample)
    winner = _nearest(fragments, len(meshes) * size[0] * size[1] * supersample**2)
    triangle = fragments.triangle.index_select(0, winner)
    face = kept.index_select(0, triangle)

    px, py = fragments.x.index_select(0, winner), fragments.y.index_select(0, winner)
    normal, u, v = _interpolate(soup, [c.index_select(0, triangle) for c in corners], x, y, px, py)
    sample = fragments.sample.index_select(0, winner)
    return GBuffer(
        num_images=len(meshes),
        size=size,
        supersample=supersample,
        pixel=sample // supersample**2,
        sub=sample % supersample**2,
        face=face - soup.first_face[soup.image.index_select(0, face)],
        depth=fragments.depth.index_select(0, winner) / supersample,
        normal=normal,
        u=u,
        v=v,
        material=soup.material.index_select(0, face),
        label=soup.label.index_select(0, face),
    )


class _Soup:
    """The meshes of a batch as one."""

    def __init__(self, meshes: Sequence[Mesh]) -> None:
        def joined(name: str, dtype: torch.dtype) -> Tensor:
            return torch.cat([torch.as_tensor(getattr(mesh, name), dtype=dtype) for mesh in meshes])

        self.vertices = joined("vertices", torch.float32)
        self.normals, self.uv = joined("normals", torch.float32), joined("uv", torch.float32)
        self.material, self.label = joined("material", torch.int64), joined("label", torch.uint8)
        device = self.vertices.device
        num_vertices = torch.tensor([0] + [len(mesh.vertices) for mesh in meshes], device=device)
        num_faces = torch.tensor([len(mesh.faces) for mesh in meshes], device=device)
        self.image = torch.repeat_interleave(torch.arange(len(meshes), device=device), num_faces)
        self.first_face = num_faces.cumsum(0) - num_faces
        self.faces = joined("faces", torch.int64) + num_vertices.cumsum(0)[self.image, None]


def _visible_faces(
    faces: Tensor, x: Tensor, y: Tensor, size: tuple[int, int], supersample: int
) -> tuple[Tensor, list[Tensor]]:
    """Choose the faces that look at the viewer and hold a row and a column of samples.

    Returns:
        (T,) indices of the faces, and their corners, three of (T,).
    """
    corners = list(faces.t().contiguous().unbind(0))
    (xa, xb, xc), (ya, yb, yc) = ([axis.index_select(0, c) for c in corners] for axis in (x, y))
    towards = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya) < 0
    for low, high, limit in (
        (torch.minimum(torch.minimum(xa, xb), xc), torch.maximum(torch.maximum(xa, xb), xc), size[1]),
        (torch.minimum(torch.minimum(ya, yb), yc), torch.maximum(torch.maximum(ya, yb), yc), size[0]),
    ):
        towards &= (low.ceil() < high.ceil()) & (high > 0) & (low <= limit * supersample - 1)
    kept = towards.nonzero().squeeze(1)
    return kept, [c.index_select(0, kept) for c in corners]


@dataclass(frozen=True)
class _Fragments:
    """Every (triangle, sample) pair that overlaps."""

    triangle: Tensor  # (N,) int64
    x: Tensor  # (N,) float32, column in samples
    y: Tensor  # (N,) float32, row in samples
    depth: Tensor  # (N,) float32, samples towards the viewer
    sample: Tensor  # (N,) int64 index into the flat (B, H, W, S, S)


def _fragments(
    x: Tensor,
    y: Tensor,
    z: Tensor,
    corners: list[Tensor],
    image: Tensor,
    size: tuple[int, int],
    supersample: int,
) -> _Fragments:
    height, width = size[0] * supersample, size[1] * supersample
    top, middle, bottom = _sorted_by_row(corners, y)
    xs, ys, zs = ([axis.index_select(0, c) for c in (top, middle, bottom)] for axis in (x, y, z))

    # The plane of depth: z = z0 + dzdx (x - x0) + dzdy (y - y0).
    ux, uy, uz = xs[1] - xs[0], ys[1] - ys[0], zs[1] - zs[0]
    vx, vy, vz = xs[2] - xs[0], ys[2] - ys[0], zs[2] - zs[0]
    area = ux * vy - vx * uy
    dzdx, dzdy = (uz * vy - vz * uy) / area, (ux * vz - vx * uz) / area
    zmin, zmax = (
        torch.minimum(torch.minimum(zs[0], zs[1]), zs[2]),
        torch.maximum(torch.maximum(zs[0], zs[1]), zs[2]),
    )

    first = ys[0].ceil().clamp(min=0)
    row_triangle, row_offset = _ragged((ys[2].ceil().clamp(max=height) - first).long())

    def of_row(values: Tensor) -> Tensor:
        return values.index_select(0, row_triangle)

    row = of_row(first) + row_offset
    x0, y0 = of_row(xs[0]), of_row(ys[0])
    x1, y1 = of_row(xs[1]), of_row(ys[1])
    long_edge = _crossing(row, x0, y0, of_row(vx / vy), of_row(xs[2]))
    upper = _crossing(row, x0, y0, of_row(ux / uy), x1)
    lower = _crossing(row, x1, y1, of_row((xs[2] - xs[1]) / (ys[2] - ys[1])), of_row(xs[2]))
    short_edge = torch.where(row < y1, upper, lower)
    left = torch.minimum(long_edge, short_edge).ceil().clamp(0, width)
    right = torch.maximum(long_edge, short_edge).ceil().clamp(0, width)

    depth_at_left = of_row(zs[0]) + (row - y0) * of_row(dzdy) + (left - x0) * of_row(dzdx)
    whole_row = row.long()
    start = (of_row(image) * size[0] + whole_row // supersample) * size[1] * supersample**2
    start += whole_row % supersample * supersample

    in_row, offset = _ragged((right - left).long())
    triangle = row_triangle.index_select(0, in_row)
    column = left.index_select(0, in_row) + offset
    slope = dzdx.index_select(0, triangle)
    depth = depth_at_left.index_select(0, in_row) + offset * slope
    # A sliver's plane is steep: rounding must not throw its depth out of the triangle.
    depth = torch.maximum(
        torch.minimum(depth, zmax.index_select(0, triangle)), zmin.index_select(0, triangle)
    )
    whole = column.long()
    sample = start.index_select(0, in_row) + whole // supersample * supersample**2 + whole % supersample
    return _Fragments(triangle, column, row.index_select(0, in_row), depth, sample)


def _sorted_by_row(corners: list[Tensor], y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Order the corners of each triangle from the top of the screen to the bottom."""
    a, b, c = corners
    for first, second in ((0, 1), (1, 2), (0, 1)):
        triple = [a, b, c]
        p, q = triple[first], triple[second]
        swap = y.index_select(0, p) > y.index_select(0, q)
        triple[first], triple[second] = torch.where(swap, q, p), torch.where(swap, p, q)
        a, b, c = triple
    return a, b, c


def _crossing(row: Tensor, x: Tensor, y: Tensor, slope: Tensor, x_end: Tensor) -> Tensor:
    """Return the column where the edge from (x, y) down to x_end meets each row."""
    column = x + (row - y) * slope
    return torch.maximum(torch.minimum(column, torch.maximum(x, x_end)), torch.minimum(x, x_end))


def _ragged(lengths: Tensor) -> tuple[Tensor, Tensor]:
    """List the entries of ragged rows.

    Args:
        lengths: (R,) int64; rows of negative length are empty.

    Returns:
        (N,) int64 row of each entry, and (N,) float32 position within its row.
    """
    lengths = lengths.clamp(min=0)
    row = torch.repeat_interleave(lengths)
    begin = lengths.cumsum(0) - lengths
    position = torch.arange(len(row), device=row.device) - begin.index_select(0, row)
    return row, position.float()


def _nearest(fragments: _Fragments, num_samples: int) -> Tensor:
    """Return the indices of the fragments nearest to the viewer at their sample, ascending."""
    depth = (fragments.depth * -DEPTH_STEPS).long()
    key = (depth << 32) | torch.arange(len(depth), device=depth.device)
    buffer = torch.full((num_samples,), EMPTY, device=depth.device)
    if depth.device.type == "cpu":  # numpy's scatter is twice as fast; it writes into the tensor's memory
        np.minimum.at(buffer.numpy(), fragments.sample.numpy(), key.numpy())
    else:
        buffer.scatter_reduce_(0, fragments.sample, key, "amin")
    return (buffer.index_select(0, fragments.sample) == key).nonzero().squeeze(1)


def _interpolate(
    soup: _Soup, corners: list[Tensor], x: Tensor, y: Tensor, px: Tensor, py: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mix the corners' normals (made unit) and texture coordinates at the points (px, py)."""
    a, b, c = corners
    xa, ya = x.index_select(0, a), y.index_select(0, a)
    ux, uy = x.index_select(0, b) - xa, y.index_select(0, b) - ya
    vx, vy = x.index_select(0, c) - xa, y.index_select(0, c) - ya
    dx, dy = px - xa, py - ya
    area = ux * vy - vx * uy
    wb = ((dx * vy - vx * dy) / area).clamp(0, 1)
    wc = torch.minimum(((ux * dy - dx * uy) / area).clamp(0, 1), 1 - wb)
    wa = 1 - wb - wc

    def mixed(values: Tensor) -> Tensor:
        values = values.contiguous()
        return (
            wa * values.index_select(0, a) + wb * values.index_select(0, b) + wc * values.index_select(0, c)
        )

    nx, ny, nz = (mixed(soup.normals[:, i]) for i in range(3))
    length = torch.sqrt(nx * nx + ny * ny + nz * nz).clamp(min=1e-8)
    return torch.stack([nx / length, ny / length, nz / length], 1), mixed(soup.uv[:, 0]), mixed(soup.uv[:, 1])
