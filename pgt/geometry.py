"""Points, boxes, shapes, affine maps and warps as pure tensors; knows nothing of people.

Coordinates are (x, y) in pixels with the centre of the top left pixel at (0, 0); sizes are (H, W). A box
(x1, y1, x2, y2) holds the pixels image[y1:y2, x1:x2], so its corners are pixel edges and may be fractions.

Convex shapes are handled row by row: a span is where a row of pixels enters and leaves a shape, so that
filling one costs a few numbers per row instead of a test per pixel.
"""

import math
import mmap
import weakref
from functools import cache
from itertools import combinations
from typing import NamedTuple, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Points = TypeVar("Points", np.ndarray, Tensor)

LARGE = 2**20  # bytes
SPARE = 2**28  # bytes of memory that are kept for the next call
_spare: dict[int, np.ndarray] = {}  # by size in bytes

DEGENERATE = 1e-4  # points whose spread across is below a hundredth of that along count as lying on one line


def resize_points(points: Points, old_size: tuple[int, int], new_size: tuple[int, int]) -> Points:
    """Return where points (..., 2) of an `old_size` image lie once it is stretched to `new_size`."""
    scale = [new_size[1] / old_size[1], new_size[0] / old_size[0]]
    factor = points.new_tensor(scale) if isinstance(points, Tensor) else np.array(scale, dtype=points.dtype)
    return (points + 0.5) * factor - 0.5


def empty(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Return uninitialised memory of the type and device of `like`; large ones on the CPU are used again."""
    size = math.prod(shape)
    if like.device.type != "cpu" or like.dtype != torch.float32 or 4 * size < LARGE:
        return like.new_empty(shape)
    # The system zeroes fresh memory first, which takes longer than filling it. So what is no longer in use is
    # kept, as torch does on a GPU. Fresh memory comes from numpy: it asks for huge pages and torch does not,
    # which makes 100 MB twice as fast to write to.
    memory = _spare.pop(4 * size, None)
    memory = np.empty(size, np.float32) if memory is None else memory
    lent = memory.view()
    weakref.finalize(lent, _keep, memory).atexit = False  # once no tensor refers to it any more
    return torch.from_numpy(lent).view(shape)


def _keep(memory: np.ndarray) -> None:
    if sum(one.nbytes for one in list(_spare.values())) + memory.nbytes > SPARE:
        _spare.clear()
    if memory.nbytes <= SPARE:
        _spare[memory.nbytes] = memory


def zeros(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Return zeros of the type and device of `like`; large ones on the CPU without touching their memory.

    That is faster than `empty(...).zero_()` where one 4 kB page in ten or fewer will be written to.
    """
    num_bytes = math.prod(shape) * like.element_size()
    if like.device.type != "cpu" or num_bytes < LARGE or not hasattr(mmap, "MAP_ANONYMOUS"):
        return like.new_zeros(shape)
    # Fresh private pages are zero, and take memory only once something is written to them: for maps that are
    # zero nearly everywhere that is several times faster than writing the zeros.
    pages = mmap.mmap(-1, num_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return torch.frombuffer(pages, dtype=like.dtype).view(shape)


@cache
def constant(values: tuple, device: torch.device, dtype: torch.dtype = torch.long) -> Tensor:
    """Return a tensor of fixed numbers; made once per device, since making it costs more than using it."""
    with torch.inference_mode(False):  # a tensor made in inference mode could not take part in training later
        return torch.tensor(values, dtype=dtype, device=device)


# --- shapes as spans ---


class Spans(NamedTuple):
    """The rows of pixels that shapes cover, listed shape after shape; four tensors of one length."""

    shape: Tensor  # int64, which shape
    row: Tensor  # int64
    low: Tensor  # float: the shape covers low <= x <= high in this row
    high: Tensor


def _rows_between(top: Tensor, bottom: Tensor, height: int) -> tuple[Tensor, Tensor]:
    """List the rows of an image between `top` and `bottom` (N,) of each shape: shape and row, both (M,)."""
    first = top.ceil().clamp(0, height).long()
    count = (bottom.floor().clamp(-1, height - 1).long() + 1 - first).clamp_min(0)
    shape = torch.repeat_interleave(count)
    before = count.cumsum(dim=0) - count  # how many entries the shapes before have
    return shape, torch.arange(len(shape), device=top.device) + (first - before)[shape]


def hull_spans(points: Tensor, used: Tensor, height: int) -> Spans:
    """Return the spans of the convex hulls of a few points each.

    Args:
        points: (N, P, 2) float, (x, y).
        used: (N, P) bool; the other points are left out. A hull of one point or none has no spans.
        height: number of rows of the image.
    """
    first, second = (constant(ends, points.device) for ends in _segments(points.shape[1]))
    start, end = points.index_select(1, first), points.index_select(1, second)  # (N, S, 2)
    drawn = used.index_select(1, first) & used.index_select(1, second)
    (x0, y0), (x1, y1) = start.unbind(dim=-1), end.unbind(dim=-1)
    top = torch.where(drawn, torch.minimum(y0, y1), torch.inf)
    bottom = torch.where(drawn, torch.maximum(y0, y1), -torch.inf)
    # A level segment counts by its start: each point is the start of a segment.
    slope = (x1 - x0) / torch.where(y0 == y1, torch.inf, y1 - y0)
    shape, row = _rows_between(top.amin(dim=1), bottom.amax(dim=1), height)
    segments = torch.stack([x0, y0, slope, torch.minimum(x0, x1), torch.maximum(x0, x1), top, bottom])
    x0, y0, slope, left, right, top, bottom = segments.index_select(1, shape)  # each (M, S)
    y = row.unsqueeze(1).to(points.dtype)
    crossed = (y >= top) & (y <= bottom)
    # The crossing is kept between the ends: far outside the image, rounding could push it beyond them.
    x = torch.addcmul(x0, y - y0, slope).clamp(left, right)
    low = torch.where(crossed, x, torch.inf).amin(dim=1)
    return Spans(shape, row, low, torch.where(crossed, x, -torch.inf).amax(dim=1))


@cache
def _segments(count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return starts and ends of all segments between `count` points: once around, then the diagonals."""
    around = [(i, (i + 1) % count) for i in range(count)]
    pairs = combinations(range(count), 2)
    diagonals = [pair for pair in pairs if pair not in around and pair[::-1] not in around]
    return tuple(zip(*around, *diagonals, strict=True))


def capsule_spans(start: Tensor, end: Tensor, drawn: Tensor, radius: float, height: int) -> Spans:
    """Return the spans of what discs cover as they slide from `start` to `end`.

    Args:
        start, end: (N, 2) float, (x, y); may coincide.
        drawn: (N,) bool; the others have no spans.
        radius: of the discs, in pixels.
        height: number of rows of the image.
    """
    (x, y), (along, rise) = start.unbind(dim=-1), (end - start).unbind(dim=-1)
    rise_or_tiny = torch.where(rise == 0, 1e-6, rise)
    # The leftmost point of a row is on the disc whose edge there is tangent to the limb's side, so that
    # disc's centre is `reach` rows away from the row; or, past the limb's ends, on the last disc. The
    # rightmost likewise.
    reach = torch.sign(rise_or_tiny) * along / torch.hypot(along, rise_or_tiny) * (radius * (1 + 1e-6))
    top = torch.where(drawn, torch.minimum(y, y + rise) - (radius + 1e-5), torch.inf)
    bottom = torch.where(drawn, torch.maximum(y, y + rise) + (radius + 1e-5), -torch.inf)
    shape, row = _rows_between(top, bottom, height)
    x, y, along, rise, reach, rise_or_tiny = torch.stack([x, y, along, rise, reach, rise_or_tiny])[:, shape]
    below = row.to(start.dtype) - y
    edges = []
    for side in (-1, 1):
        place = ((below + side * reach) / rise_or_tiny).clamp(0, 1)
        half = (radius**2 - (below - place * rise).square()).clamp_min(0).sqrt()
        edges.append(x + place * along + side * half)
    return Spans(shape, row, *edges)


def fill_spans(masks: Tensor, plane: Tensor, spans: Spans) -> None:
    """Set the pixels of shapes to 1, in place; one within 1e-4 of the edge, along the row, is inside.

    Args:
        masks: (P, H, W), contiguous.
        plane: (N,) int64, the mask that each shape goes into; several may share one.
        spans: of the N shapes.
    """
    height, width = masks.shape[-2:]
    first = (spans.low - 1e-4).ceil().clamp(0, width).long()
    count = ((spans.high + 1e-4).floor().clamp(-1, width - 1).long() + 1 - first).clamp_min(0)
    # List the positions of all pixels inside: position = start of its span + place within it.
    before = count.cumsum(dim=0) - count
    start = (plane[spans.shape] * height + spans.row) * width + first
    inside = torch.repeat_interleave(start - before, count)
    inside += torch.arange(len(inside), device=masks.device)
    if masks.device.type == "cpu":  # numpy takes half as long
        masks.view(-1).numpy()[inside.numpy()] = 1
    else:
        masks.view(-1).index_fill_(0, inside, 1)


def dilate(mask: Tensor, side: int) -> Tensor:
    """Dilate uint8 masks (..., H, W) of 0 and 1 with a square of odd `side`; beyond the image all is 0."""
    reach = side // 2
    mask = F.pad(mask, (reach, reach, reach, reach))
    for dim in (-1, -2):
        covered = 1  # how far each pixel looks already; it doubles until `side`
        while covered < side:
            step = min(covered, side - covered)
            length = mask.shape[dim] - step
            mask = mask.narrow(dim, 0, length) | mask.narrow(dim, step, length)
            covered += step
    return mask


def closing(mask: Tensor, side: int) -> Tensor:
    """Close holes and gaps of uint8 masks (..., H, W) that a square of odd `side` does not fit into."""
    if side < 1 or side % 2 == 0:
        raise ValueError(f"A closing needs a square of odd side, not {side}.")
    # An erosion is a dilation of what is not covered; beyond the image all counts as covered.
    return mask if side == 1 else 1 - dilate(1 - dilate(mask, side), side)


# --- affine maps ---


def fit_affine(source: Tensor, target: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Fit the affine map that takes `source` points to `target` points best in the sense of least squares.

    Args:
        source: (..., N, 2) float, (x, y).
        target: (..., N, 2) float.
        weights: (..., N) float or bool, the weight of each squared error; 1 by default.

    Returns:
        matrices (..., 2, 3), target = matrix @ (x, y, 1), and valid (...) bool. Where the weighted source
        points are fewer than three or lie (nearly) on one line, valid is False and the matrix is the
        identity.
    """
    weights = source.new_ones(source.shape[:-1]) if weights is None else weights.to(source.dtype)
    # Coordinates and points first, (4, N, ...): then every operation runs along many problems, not along 2.
    points = torch.cat([source, target], dim=-1).movedim((-1, -2), (0, 1)).contiguous()
    weights = weights.movedim(-1, 0).contiguous()
    share = weights / weights.sum(dim=0).clamp_min(1e-12)
    mean = (share * points).sum(dim=1)
    points = points - mean.unsqueeze(1)
    # Sums of products, not `@`: under mixed precision that would round pixel positions to three digits.
    moments = ((share * points[:2]).unsqueeze(1) * points).sum(dim=2)  # (2, 4, ...)
    xx, xy, yy = moments[0, 0], moments[0, 1], moments[1, 1]
    determinant = xx * yy - xy * xy
    valid = determinant > DEGENERATE * ((xx + yy) / 2) ** 2
    safe = torch.where(valid, determinant, 1.0)
    a = (moments[0, 2:] * yy - moments[1, 2:] * xy) / safe  # (2, ...): one for each row of the map
    b = (moments[1, 2:] * xx - moments[0, 2:] * xy) / safe
    shift = mean[2:] - a * mean[0] - b * mean[1]
    matrices = torch.stack([a, b, shift]).movedim((1, 0), (-2, -1)).contiguous()
    return torch.where(valid[..., None, None], matrices, identity_affine(matrices)), valid


def identity_affine(like: Tensor) -> Tensor:
    """Return the (2, 3) map that moves nothing, of the type and device of `like`."""
    return constant(((1, 0, 0), (0, 1, 0)), like.device, like.dtype)


def transform_points(points: Tensor, matrices: Tensor) -> Tensor:
    """Apply affine maps (..., 2, 3) to points (..., N, 2)."""
    moved = points.unsqueeze(-2) * matrices[..., :2].unsqueeze(-3)  # not `@`: see `fit_affine`
    return moved.sum(dim=-1) + matrices[..., 2].unsqueeze(-2)


def invert_affine(matrices: Tensor) -> Tensor:
    """Return the inverse of affine maps (..., 2, 3); the identity where a map is flat."""
    (a, b, c), (d, e, f) = (row.unbind(dim=-1) for row in matrices.unbind(dim=-2))
    determinant = a * e - b * d
    flat = determinant.abs() < 1e-9
    safe = torch.where(flat, 1.0, determinant)
    rows = torch.stack([e, -b, b * f - c * e, -d, a, c * d - a * f], dim=-1) / safe.unsqueeze(-1)
    return torch.where(flat[..., None, None], identity_affine(matrices), rows.unflatten(-1, (2, 3)))


def warp_affine(
    image: Tensor, matrices: Tensor, *, mode: str = "bilinear", size: tuple[int, int] | None = None
) -> Tensor:
    """Warp images; what comes from outside the image is 0.

    Args:
        image: (B, C, H, W) float.
        matrices: (B, 2, 3), from a pixel of the output to a pixel of the input.
        mode: "bilinear" or "nearest".
        size: (H, W) of the output; that of the input by default.

    Returns:
        (B, C, *size). Exact at pixel centres, on images of any shape: a shift by whole pixels copies pixels.
    """
    height, width = size or image.shape[-2:]
    matrices = matrices.to(image.dtype)
    ys = torch.arange(height, dtype=image.dtype, device=image.device)
    xs = torch.arange(width, dtype=image.dtype, device=image.device)
    # Both coordinates are what the row says plus what the column says: no product for each pixel.
    rows = matrices[:, :, 1, None] * ys + matrices[:, :, 2, None]  # (B, 2, H)
    places = rows.unsqueeze(-1) + (matrices[:, :, 0, None] * xs).unsqueeze(-2)
    sides = image.new_tensor([image.shape[-1], image.shape[-2]]).view(2, 1, 1)
    grid = ((2 * places + 1) / sides - 1).movedim(1, -1)
    return F.grid_sample(image, grid, mode=mode, padding_mode="zeros", align_corners=False)


def distance_to_segments(start: Tensor, end: Tensor, size: tuple[int, int]) -> Tensor:
    """Return (B, N, H, W): how far each pixel is from the segments (B, N, 2), in pixels."""
    ys = torch.arange(size[0], dtype=start.dtype, device=start.device)[:, None]
    xs = torch.arange(size[1], dtype=start.dtype, device=start.device)[None, :]
    (x0, y0), (dx, dy) = start[..., None, None].unbind(2), (end - start)[..., None, None].unbind(2)
    position = ((xs - x0) * dx + (ys - y0) * dy) / (dx**2 + dy**2).clamp_min(1e-6)
    position = position.clamp(0, 1)
    return torch.hypot(xs - x0 - position * dx, ys - y0 - position * dy)


# --- boxes ---


def box_from_mask(mask: Tensor) -> Tensor:
    """Return the smallest boxes (B, 4) int64 around masks (B, H, W); of an empty mask, the whole image."""
    mask = mask > 0
    mask = mask | ~mask.flatten(1).any(dim=1)[:, None, None]
    columns, rows = mask.any(dim=1).long(), mask.any(dim=2).long()
    x1, y1 = columns.argmax(dim=1), rows.argmax(dim=1)  # argmax gives the first of equals
    x2, y2 = columns.shape[1] - columns.flip(1).argmax(dim=1), rows.shape[1] - rows.flip(1).argmax(dim=1)
    return torch.stack([x1, y1, x2, y2], dim=1)


def crop_and_resize(image: Tensor, boxes: Tensor, size: tuple[int, int], *, mode: str = "bilinear") -> Tensor:
    """Cut a box out of each image and stretch it.

    Args:
        image: (B, C, H, W) float.
        boxes: (B, 4), (x1, y1, x2, y2) in pixel edges; may be fractions and may reach outside, where there
            is 0.
        size: (H, W) of the result.
        mode: "bilinear" or "nearest"; neither averages, so shrink by more than 2 in steps.

    Returns:
        (B, C, *size).
    """
    x1, y1, x2, y2 = boxes.to(image.dtype).unbind(dim=1)
    across, down = (x2 - x1) / size[1], (y2 - y1) / size[0]
    zero = torch.zeros_like(x1)
    rows = [across, zero, x1 + across / 2 - 0.5, zero, down, y1 + down / 2 - 0.5]
    return warp_affine(image, torch.stack(rows, dim=1).view(-1, 2, 3), mode=mode, size=size)
