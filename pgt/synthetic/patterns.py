"""Filtered elementary patterns: pulses, edges and noise that know how wide a pixel is.

All are functions of coordinates alone, of tensors for textures and of numpy arrays for scenes (many small
steps, in which numpy costs a quarter). `width` is the extent of a pixel in the unit of the coordinate; a
pattern finer than that has faded to its mean, so nothing flickers or makes moire at small sizes.
"""

from functools import lru_cache
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from pgt.synthetic.draw import Draw

Array = TypeVar("Array", Tensor, np.ndarray)
TABLE = 64  # the noise repeats after this many cells


def floor(x: Array) -> Array:
    """Round down."""
    return torch.floor(x) if isinstance(x, Tensor) else np.floor(x)


def fraction(x: Array) -> Array:
    """Return what is left above the whole number below."""
    return x - floor(x)


def smoothstep(x: Array) -> Array:
    """Rise smoothly from 0 at x = 0 to 1 at x = 1."""
    x = x.clip(0, 1)
    return x * x * (3 - 2 * x)


def edge(distance: Array, width: Array | float) -> Array:
    """Return the share of a pixel inside a border, from its signed distance to it (positive inside)."""
    return (distance / width + 0.5).clip(0, 1)


def pulse(x: Array, duty: Array | float, width: Array) -> Array:
    """Return the share of [x - width/2, x + width/2] covered by the intervals [k, k + duty]; exact."""
    x = fraction(x)  # keeps the difference of integrals accurate far from the origin
    width = width.clip(1e-3)
    low, high = x - width / 2, x + width / 2
    low_whole, high_whole = floor(low), floor(high)
    covered = (high_whole - low_whole) * duty
    covered = covered + (high - high_whole).clip(None, duty) - (low - low_whole).clip(None, duty)
    return covered / width


def detail(width: Array, start: float = 0.4, end: float = 1.0) -> Array:
    """Return what is left of a pattern of period 1 at a pixel `width`: 1 to `start`, 0 from `end` on."""
    return ((end - width) / (end - start)).clip(0, 1)


def noise(x: Array, y: Array) -> Array:
    """Return smooth noise in [-1, 1] with cells of size 1 and period 64, standard deviation about 0.4."""
    x0, y0 = floor(x), floor(y)
    fx, fy = x - x0, y - y0
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    column, row = _whole(x0) & (TABLE - 1), _whole(y0) & (TABLE - 1)
    right, below = (column + 1) & (TABLE - 1), ((row + 1) & (TABLE - 1)) * TABLE
    row = row * TABLE
    a, b = _random(row + column), _random(below + column)
    upper, lower = a + fx * (_random(row + right) - a), b + fx * (_random(below + right) - b)
    return upper + fy * (lower - upper)


def cell_random(column: Array, row: Array, channel: int) -> Array:
    """Return a number in [-1, 1] that is fixed for each whole (column, row)."""
    row, column = (
        (_whole(row) * 7 + 13 * channel) & (TABLE - 1),
        (_whole(column) + 29 * channel) & (TABLE - 1),
    )
    return _random(row * TABLE + column)


def _whole(x: Array) -> Array:
    return x.long() if isinstance(x, Tensor) else x.astype(np.int64)


def _random(index: Array) -> Array:
    if isinstance(index, Tensor):
        return _table_on(index.device).index_select(0, index.reshape(-1)).view(index.shape)
    return _table().take(index)


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    draw = Draw(20170524)
    return np.array([draw.uniform(-1, 1) for _ in range(TABLE * TABLE)], dtype=np.float32)


@lru_cache(maxsize=8)
def _table_on(device: torch.device) -> Tensor:
    return torch.from_numpy(_table()).to(device)
