"""Points, boxes, shapes and warps as pure tensors; knows nothing of people.

Coordinates are (x, y) in pixels with the centre of the top left pixel at (0, 0); sizes are (H, W); a box is
(x1, y1, x2, y2). Convex shapes are handled row by row: a span is where a row of pixels enters and leaves a shape,
so filling one costs a few numbers per row instead of a test per pixel.
"""

from itertools import combinations
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Points = TypeVar("Points", np.ndarray, Tensor)


def resize_points(points: Points, old_size: tuple[int, int], new_size: tuple[int, int]) -> Points:
    """Return where points (..., 2) of an `old_size` image lie once it is stretched to `new_size`."""
    scale = [new_size[1] / old_size[1], new_size[0] / old_size[0]]
    factor = points.new_tensor(scale) if isinstance(points, Tensor) else np.array(scale, dtype=points.dtype)
    return (points + 0.5) * factor - 0.5


def hull_spans(points: Tensor, used: Tensor, height: int) -> tuple[Tensor, Tensor]:
    """Return where each row of pixels enters and leaves the convex hull of a few points.

    Args:
        points: (..., P, 2) float, (x, y).
        used: (..., P) bool; the other points are left out.
        height: number of rows.

    Returns:
        low and high, each (..., height): the row covers low <= x <= high; inf and -inf where it misses the hull.
    """
    rows = torch.arange(height, dtype=points.dtype, device=points.device)
    first, second = zip(*combinations(range(points.shape[-2]), 2), strict=True)
    start, end = points[..., list(first), :], points[..., list(second), :]  # every segment between two points
    (x0, y0), (x1, y1) = start.unsqueeze(-2).unbind(dim=-1), end.unsqueeze(-2).unbind(dim=-1)  # (..., S, 1)
    rise = y1 - y0
    level = rise == 0
    position = (rows - y0) / torch.where(level, 1.0, rise)
    crossed = torch.where(level, rows == y0, (position >= 0) & (position <= 1))
    crossed = crossed & (used[..., list(first)] & used[..., list(second)]).unsqueeze(-1)
    x = x0 + position * (x1 - x0)
    low = torch.where(crossed, torch.where(level, torch.minimum(x0, x1), x), torch.inf)
    high = torch.where(crossed, torch.where(level, torch.maximum(x0, x1), x), -torch.inf)
    return low.amin(dim=-2), high.amax(dim=-2)


def disc_spans(centers: Tensor, radius: float, height: int) -> tuple[Tensor, Tensor]:
    """Return where each row enters and leaves the discs around (..., 2) centers: low and high, each (..., height)."""
    rows = torch.arange(height, dtype=centers.dtype, device=centers.device)
    x, y = centers.unsqueeze(-2).unbind(dim=-1)
    squared = radius**2 - (rows - y) ** 2
    half = squared.clamp_min(0).sqrt()
    hit = squared >= 0
    return torch.where(hit, x - half, torch.inf), torch.where(hit, x + half, -torch.inf)


def _pixel_spans(low: Tensor, high: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Turn spans into the first pixel inside and the first one after it, both in [0, width]; equal where empty."""
    first = (low - 1e-4).ceil().clamp(0, width).long()  # a corner that lies on a pixel belongs to the shape
    after = (high + 1e-4).floor().add(1).clamp(0, width).long()
    return first, torch.maximum(first, after)


def spans_union(low: Tensor, high: Tensor, width: int) -> Tensor:
    """Fill all shapes of an image into one mask: spans (B, N, H) -> (B, H, width) bool."""
    batch, _, height = low.shape
    first, after = _pixel_spans(low, high, width)
    # A walk along the row counts the shapes it is inside of: +1 where one begins, -1 after its last pixel.
    steps = torch.zeros(batch, height, width + 1, dtype=torch.int32, device=low.device)
    ones = torch.ones_like(first, dtype=torch.int32).transpose(1, 2)
    steps.scatter_add_(2, first.transpose(1, 2), ones)
    steps.scatter_add_(2, after.transpose(1, 2), -ones)
    return steps.cumsum(dim=2, dtype=torch.int32)[..., :width] > 0


def spans_masks(low: Tensor, high: Tensor, width: int) -> Tensor:
    """Fill each shape into a mask of its own: spans (..., H) -> (..., H, width) bool."""
    first, after = _pixel_spans(low, high, width)
    columns = torch.arange(width, device=low.device)
    return (columns >= first.unsqueeze(-1)) & (columns < after.unsqueeze(-1))


def dilate(mask: Tensor, side: int) -> Tensor:
    """Dilate bool masks (..., H, W) with a square of odd `side`; nothing comes in from outside the image."""
    reach = side // 2
    for dim in (-1, -2):
        padding = (reach, reach, 0, 0) if dim == -1 else (0, 0, reach, reach)
        padded, length = F.pad(mask, padding), mask.shape[dim]
        mask = padded.narrow(dim, 0, length).clone()
        for shift in range(1, side):
            mask |= padded.narrow(dim, shift, length)
    return mask


def closing(mask: Tensor, side: int) -> Tensor:
    """Close holes and gaps of bool masks (..., H, W) smaller than a square of odd `side`: dilation, then erosion."""
    if side % 2 == 0 or side < 1:
        raise ValueError(f"A closing needs a square of odd side, not {side}.")
    return mask if side == 1 else ~dilate(~dilate(mask, side), side)
