"""Filtered elementary patterns: pulses, edges and noise that know how wide a pixel is.

All are functions of coordinates alone. `width` is the extent of a pixel in the unit of the coordinate; a pattern finer
than that has faded to its mean, so nothing flickers or makes moire at small sizes.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from pgt.synthetic.draw import Draw

TABLE = 64  # the noise repeats after this many cells


def smoothstep(x: Tensor) -> Tensor:
    """Rise smoothly from 0 at x = 0 to 1 at x = 1."""
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)


def edge(distance: Tensor, width: Tensor | float) -> Tensor:
    """Return the share of a pixel that is inside, from its signed distance to the border (positive inside)."""
    return (distance / width + 0.5).clamp(0, 1)


def pulse(x: Tensor, duty: Tensor | float, width: Tensor | float) -> Tensor:
    """Return the share of [x - width/2, x + width/2] covered by the intervals [k, k + duty]; exact."""

    def integral(t: Tensor) -> Tensor:
        whole = torch.floor(t)
        return whole * duty + torch.minimum(t - whole, torch.as_tensor(duty, dtype=t.dtype, device=t.device))

    x = x - torch.floor(x)  # keeps the difference of integrals accurate far from the origin
    width = torch.as_tensor(width, dtype=x.dtype, device=x.device).clamp(min=1e-3)
    return (integral(x + width / 2) - integral(x - width / 2)) / width


def detail(width: Tensor | float, start: float = 0.4, end: float = 1.0) -> Tensor:
    """Return how much of a pattern of period 1 is left at a pixel `width`: 1 up to `start`, 0 from `end` on."""
    return ((end - torch.as_tensor(width)) / (end - start)).clamp(0, 1)


def noise(x: Tensor, y: Tensor) -> Tensor:
    """Return smooth noise in [-1, 1] with cells of size 1 and period 64, standard deviation about 0.4."""
    x0, y0 = torch.floor(x), torch.floor(y)
    fx, fy = x - x0, y - y0
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    column, row = x0.long() & (TABLE - 1), y0.long() & (TABLE - 1)
    right, below = (column + 1) & (TABLE - 1), ((row + 1) & (TABLE - 1)) * TABLE
    row = row * TABLE
    table = _table(x.device)
    shape = (row + column).shape

    def value(index: Tensor) -> Tensor:
        return table.index_select(0, index.reshape(-1)).view(shape)

    upper = torch.lerp(value(row + column), value(row + right), fx)
    lower = torch.lerp(value(below + column), value(below + right), fx)
    return torch.lerp(upper, lower, fy)


def cell_random(column: Tensor, row: Tensor, channel: int) -> Tensor:
    """Return a number in [-1, 1] that is fixed for each whole (column, row)."""
    index = ((row.long() * 7 + 13 * channel) & (TABLE - 1)) * TABLE + (
        (column.long() + 29 * channel) & (TABLE - 1)
    )
    return _table(column.device).index_select(0, index.reshape(-1)).view(index.shape)


@lru_cache(maxsize=4)
def _table(device: torch.device) -> Tensor:
    draw = Draw(20170524)
    return torch.tensor([draw.uniform(-1, 1) for _ in range(TABLE * TABLE)], device=device)


def rotate(x: Tensor, y: Tensor, angle: float) -> tuple[Tensor, Tensor]:
    """Turn the plane's coordinates by `angle` radians."""
    c, s = math.cos(angle), math.sin(angle)
    return c * x + s * y, c * y - s * x
