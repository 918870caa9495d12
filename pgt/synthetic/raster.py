"""A batched software rasteriser: triangles of many images at once, in plain tensor operations.

Every triangle is cut into the rows of samples it crosses and every row into the samples between its two
edges, so that the flat list of candidates holds covered samples only. One scatter-minimum over (depth,
index) finds the nearest. Normals and texture coordinates are then looked up for these alone, once a pixel
where one smooth surface fills it, once a sample elsewhere (deferred shading).

An edge is always evaluated from its upper to its lower end and intervals are half open, so two triangles
that share an edge share no sample and leave none out. It knows nothing of people, light or colour.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pgt.synthetic.gbuffer import GBuffer, Mesh

NUM_LABELS = 10
EMPTY = torch.iinfo(torch.int64).max
DEPTH_STEPS = 2**12  # depth levels per pixel
SMOOTH = 2.0  # pixels of depth; a pixel is looked up once only if its samples differ by less


def rasterize(meshes: Sequence[Mesh], size: tuple[int, int], *, supersample: int = 2) -> GBuffer:
    """Find the nearest surface at every sample of every image.

    Args:
        meshes: one per image, all on one device.
        size: (H, W) of the final images in pixels.
        supersample: S, samples per pixel along each axis: 1, 2 or 4.

    Returns:
        GBuffer. At equal depth the face with the smaller index wins; an image is the same whichever batch it
        is drawn in. One image of 1024x1024 takes about 0.3 GB; batches are fastest while they fit the cache,
        up to about 2**18 pixels together.
    """
    soup, grid = _Soup(meshes), _Grid(len(meshes), *size, supersample)
    # In units of samples, whose centres get whole coordinates: sample i lies at pixel (i + 0.5) / S - 0.5.
    shift = (supersample - 1) / 2
    x, y = soup.x * supersample + shift, soup.y * supersample + shift
    kept, corners = _visible_faces(soup.faces, x, y, grid)
    covered = _covered_samples((x, y, soup.z), corners, soup.image.index_select(0, kept), grid)
    kind = (soup.material * NUM_LABELS + soup.label).index_select(0, kept)
    pixels = _Pixels(covered, _nearest(covered, grid), kind, grid)

    face = kept.index_select(0, pixels.triangle)
    corners = [corner.index_select(0, pixels.triangle) for corner in corners]
    normal, u, v = _interpolate(soup, corners, x, y, pixels.x, pixels.y)
    return GBuffer(
        num_images=len(meshes),
        size=size,
        pixel=pixels.pixel,
        coverage=pixels.coverage,
        depth=pixels.depth,
        label=pixels.label,
        owner=pixels.owner,
        weight=pixels.weight,
        footprint=pixels.weight.sqrt(),
        face=face - soup.first_face.index_select(0, soup.image.index_select(0, face)),
        normal=normal,
        u=u,
        v=v,
        material=soup.material.index_select(0, face),
    )


class _Grid(NamedTuple):
    """The samples of a batch, stored row by row as (B, H * S, W * S)."""

    num_images: int
    height: int
    width: int
    supersample: int

    @property
    def num_pixels(self) -> int:
        return self.num_images * self.height * self.width

    @property
    def rows(self) -> int:
        return self.height * self.supersample

    @property
    def columns(self) -> int:
        return self.width * self.supersample


class _Soup:
    """The meshes of a batch as one."""

    def __init__(self, meshes: Sequence[Mesh]) -> None:
        def joined(name: str, dtype: torch.dtype) -> Tensor:
            return torch.cat([torch.as_tensor(getattr(mesh, name), dtype=dtype) for mesh in meshes])

        self.x, self.y, self.z = joined("vertices", torch.float32).t().contiguous()
        self.normals = joined("normals", torch.float32).t().contiguous()
        self.u, self.v = joined("uv", torch.float32).t().contiguous()
        self.material, self.label = joined("material", torch.int64), joined("label", torch.uint8)
        device = self.x.device
        num_vertices = torch.tensor([0] + [len(mesh.vertices) for mesh in meshes], device=device)
        num_faces = torch.tensor([len(mesh.faces) for mesh in meshes], device=device)
        self.image = torch.repeat_interleave(torch.arange(len(meshes), device=device), num_faces)
        self.first_face = num_faces.cumsum(0) - num_faces
        self.faces = joined("faces", torch.int64) + num_vertices.cumsum(0)[self.image, None]


def _visible_faces(faces: Tensor, x: Tensor, y: Tensor, grid: _Grid) -> tuple[Tensor, list[Tensor]]:
    """Choose the faces that look at the viewer and hold a row and a column of samples.

    Returns:
        (T,) indices of the faces, and their corners, three of (T,).
    """
    corners = list(faces.t().contiguous().unbind(0))
    (xa, xb, xc), (ya, yb, yc) = ([axis.index_select(0, c) for c in corners] for axis in (x, y))
    towards = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya) < 0
    for low, high, limit in (
        (torch.minimum(torch.minimum(xa, xb), xc), torch.maximum(torch.maximum(xa, xb), xc), grid.width),
        (torch.minimum(torch.minimum(ya, yb), yc), torch.maximum(torch.maximum(ya, yb), yc), grid.height),
    ):
        towards &= (low.ceil() < high.ceil()) & (high > 0) & (low <= limit * grid.supersample - 1)
    kept = towards.nonzero().squeeze(1)
    return kept, [c.index_select(0, kept) for c in corners]


class _Covered(NamedTuple):
    """Every (triangle, sample) pair that overlaps."""

    row: Tensor  # (N,) int64, the triangle's row it lies in
    depth: Tensor  # (N,) float32, pixels towards the viewer
    sample: Tensor  # (N,) int64, index into the flat (B, H * S, W * S)
    row_triangle: Tensor  # (R,) int64, the triangle of each row


def _covered_samples(
    axes: tuple[Tensor, Tensor, Tensor], corners: list[Tensor], image: Tensor, grid: _Grid
) -> _Covered:
    ordered = _sorted_by_row(corners, axes[1])
    xs, ys, zs = ([axis.index_select(0, c) for c in ordered] for axis in axes)
    first = ys[0].ceil().clamp(min=0)
    triangle, offset = _ragged((ys[2].ceil().clamp(max=grid.rows) - first).long())
    row = first.index_select(0, triangle) + offset
    left, right = (end.ceil().clamp(0, grid.columns) for end in _crossings(xs, ys, triangle, row))
    from_depth, slope = _depths(xs, ys, zs, triangle, row, left, right)
    start = (image.index_select(0, triangle) * grid.rows + row.long()) * grid.columns + left.long()

    in_row, offset = _ragged((right - left).long())
    depth = from_depth.index_select(0, in_row) + offset * slope.index_select(0, in_row)
    return _Covered(in_row, depth, start.index_select(0, in_row) + offset.long(), triangle)


def _crossings(xs: list[Tensor], ys: list[Tensor], triangle: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
    """Return the columns where each row enters and leaves its triangle; corners run from top to bottom."""

    def crossing(upper: int, lower: int) -> Tensor:
        slope = (xs[lower] - xs[upper]) / (ys[lower] - ys[upper])
        start, end, top, slope = (
            values.index_select(0, triangle) for values in (xs[upper], xs[lower], ys[upper], slope)
        )
        column = start + (row - top) * slope
        return torch.maximum(torch.minimum(column, torch.maximum(start, end)), torch.minimum(start, end))

    long_edge = crossing(0, 2)
    short_edge = torch.where(row < ys[1].index_select(0, triangle), crossing(0, 1), crossing(1, 2))
    return torch.minimum(long_edge, short_edge), torch.maximum(long_edge, short_edge)


def _depths(
    xs: list[Tensor],
    ys: list[Tensor],
    zs: list[Tensor],
    triangle: Tensor,
    row: Tensor,
    left: Tensor,
    right: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the depth at the first sample of each row, and how it changes from sample to sample."""
    ux, uy, uz = xs[1] - xs[0], ys[1] - ys[0], zs[1] - zs[0]
    vx, vy, vz = xs[2] - xs[0], ys[2] - ys[0], zs[2] - zs[0]
    area = ux * vy - vx * uy
    nearest, farthest = torch.stack(zs).amax(0), torch.stack(zs).amin(0)
    along, down = (uz * vy - vz * uy) / area, (ux * vz - vx * uz) / area
    x0, y0, z0, along, down, nearest, farthest = (
        values.index_select(0, triangle) for values in (xs[0], ys[0], zs[0], along, down, nearest, farthest)
    )
    on_row = z0 + (row - y0) * down
    last = right - 1
    # A sliver's plane is steep: rounding must not throw its depth out of the triangle.
    at_left = torch.maximum(torch.minimum(on_row + (left - x0) * along, nearest), farthest)
    at_last = torch.maximum(torch.minimum(on_row + (last - x0) * along, nearest), farthest)
    return at_left, (at_last - at_left) / (last - left).clamp(min=1)


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


def _nearest(covered: _Covered, grid: _Grid) -> Tensor:
    """Return the indices of those of `covered` that are nearest to the viewer at their sample, ascending."""
    depth = (covered.depth * -DEPTH_STEPS).long()
    key = (depth << 32) | torch.arange(len(depth), device=depth.device)
    buffer = torch.full((grid.num_images * grid.rows * grid.columns,), EMPTY, device=depth.device)
    if depth.device.type == "cpu":  # numpy's scatter is twice as fast; it writes into the tensor's memory
        np.minimum.at(buffer.numpy(), covered.sample.numpy(), key.numpy())
    else:
        buffer.scatter_reduce_(0, covered.sample, key, "amin")
    return (buffer.index_select(0, covered.sample) == key).nonzero().squeeze(1)


class _Pixels:
    """The touched pixels, and the points where the surface will be looked up."""

    def __init__(self, covered: _Covered, nearest: Tensor, kind: Tensor, grid: _Grid) -> None:
        supersample = grid.supersample
        per_pixel = supersample**2
        sample, depth = covered.sample.index_select(0, nearest), covered.depth.index_select(0, nearest)
        triangle = covered.row_triangle.index_select(0, covered.row.index_select(0, nearest))
        row = sample // grid.columns  # of the whole batch
        column = sample - row * grid.columns
        shift = supersample.bit_length() - 1  # dividing by a power of two
        sample_pixel = (row >> shift) * grid.width + (column >> shift)
        sub = ((row & (supersample - 1)) << shift) + (column & (supersample - 1))
        touched = torch.zeros(grid.num_pixels, dtype=torch.bool, device=sample.device)
        touched[sample_pixel] = True
        self.pixel = touched.nonzero().squeeze(1)
        count = len(self.pixel)
        rank = torch.empty_like(touched, dtype=torch.int64)
        rank[self.pixel] = torch.arange(count, device=sample.device)
        owner = rank.index_select(0, sample_pixel)

        def dense(values: Tensor, empty: float) -> Tensor:
            out = values.new_full((per_pixel * count,), empty)
            out[sub * count + owner] = values
            return out.view(per_pixel, count)

        triangles, depths = dense(triangle, -1), dense(depth, -torch.inf)
        kinds = dense(kind.index_select(0, triangle), -1)
        self.coverage = (triangles >= 0).sum(0) / per_pixel
        self.depth = depths.amax(0)
        uniform = (kinds == kinds[0]).all(0) & (self.depth - depths.amin(0) < SMOOTH)

        once = uniform.nonzero().squeeze(1)
        singly = (~uniform).index_select(0, owner).nonzero().squeeze(1)
        self.owner = torch.cat([once, owner.index_select(0, singly)])
        self.triangle = torch.cat([triangles[0].index_select(0, once), triangle.index_select(0, singly)])
        share = torch.tensor([1, 1 / per_pixel], device=sample.device)
        self.weight = share.repeat_interleave(torch.tensor([len(once), len(singly)], device=sample.device))
        center, sub = (supersample - 1) / 2, sub.index_select(0, singly)
        self.x = (self.pixel % grid.width * supersample).float().index_select(0, self.owner)
        self.y = (self.pixel // grid.width % grid.height * supersample).float().index_select(0, self.owner)
        self.x += torch.cat([torch.full_like(once, center, dtype=torch.float32), sub & (supersample - 1)])
        self.y += torch.cat([torch.full_like(once, center, dtype=torch.float32), sub >> shift])

        label = kind.index_select(0, self.triangle) % NUM_LABELS
        votes = torch.bincount(self.owner * NUM_LABELS + label, minlength=count * NUM_LABELS)
        self.label = votes.view(-1, NUM_LABELS).argmax(1).byte()


def _interpolate(
    soup: _Soup, corners: list[Tensor], x: Tensor, y: Tensor, px: Tensor, py: Tensor
) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor, Tensor]:
    """Mix the corners' normals (made unit) and texture coordinates at (px, py), near their triangles."""
    a, b, c = corners
    xa, ya = x.index_select(0, a), y.index_select(0, a)
    ux, uy = x.index_select(0, b) - xa, y.index_select(0, b) - ya
    vx, vy = x.index_select(0, c) - xa, y.index_select(0, c) - ya
    dx, dy = px - xa, py - ya
    area = ux * vy - vx * uy
    # A pixel's centre may lie beyond the triangle it is looked up in; a sliver must not send it far away.
    wb = ((dx * vy - vx * dy) / area).clamp(-1, 2)
    wc = ((ux * dy - dx * uy) / area).clamp(-1, 2)
    wa = 1 - wb - wc

    def mixed(values: Tensor) -> Tensor:
        return (
            wa * values.index_select(0, a) + wb * values.index_select(0, b) + wc * values.index_select(0, c)
        )

    nx, ny, nz = (mixed(axis) for axis in soup.normals)
    scale = torch.rsqrt((nx * nx + ny * ny + nz * nz).clamp(min=1e-12))
    return (nx * scale, ny * scale, nz * scale), mixed(soup.u), mixed(soup.v)
