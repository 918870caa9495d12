"""A canvas on which scenes are painted, layer over layer, in closed form.

Coordinates are in image heights: y runs from 0 at the top to 1 at the bottom, x from the middle of the
picture to the right, so a narrower canvas shows the middle of the same scene. Every border is filtered to the
width of a pixel, and whatever is finer than a pixel fades to its mean. A layer touches only the pixels of its
own bounding box.
"""

import math
from collections.abc import Sequence

import numpy as np

from pgt.synthetic.palettes import Color
from pgt.synthetic.patterns import detail, edge, noise, pulse, smoothstep

Box = tuple[float, float, float, float]  # x0, y0, x1, y1


def _blend(planes: np.ndarray, color: np.ndarray, share: np.ndarray | float) -> None:
    """Move planes (3, h, w) towards a colour that broadcasts with them, in place."""
    planes += (color - planes) * share


class Canvas:
    """A picture in the making.

    Args:
        size: (H, W) in pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        height, width = size
        self.pixel = np.float32(1 / height)
        self.y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
        self.x = ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height)[None, :]
        self.planes = np.zeros((3, height, width), dtype=np.float32)

    def picture(self) -> np.ndarray:
        """Return the picture, (H, W, 3) uint8."""
        return np.ascontiguousarray((self.planes.clip(0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0))

    def _part(self, box: Box, margin: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Return planes, x and y of the pixels in and around a box, or None where there are none."""
        height, width = self.planes.shape[1:]
        margin += self.pixel
        left = max(0, math.floor((box[0] - margin) * height + width / 2))
        right = min(width, math.ceil((box[2] + margin) * height + width / 2))
        top, bottom = (
            max(0, math.floor((box[1] - margin) * height)),
            min(height, math.ceil((box[3] + margin) * height)),
        )
        if left >= right or top >= bottom:
            return None
        return self.planes[:, top:bottom, left:right], self.x[:, left:right], self.y[top:bottom]

    def _color(self, color: Color) -> np.ndarray:
        return np.array(color, dtype=np.float32)[:, None, None]

    def _inside(self, x: np.ndarray, y: np.ndarray, box: Box, soft: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the shares of columns (1, w) and of rows (h, 1) inside a box."""
        width = self.pixel + soft

        def share(t: np.ndarray, low: float, high: float) -> np.ndarray:
            return edge(t - low, width) + edge(high - t, width) - 1

        return share(x, box[0], box[2]).clip(0), share(y, box[1], box[3]).clip(0)

    def gradient(self, top: float, bottom: float, colors: Sequence[Color]) -> None:
        """Fill all rows from `top` down, the colours changing evenly until `bottom`."""
        part = self._part((-9, top, 9, 1))
        if part is None:
            return
        planes, _, y = part
        t = (y - top) / (bottom - top) * (len(colors) - 1)
        color = self._color(colors[0])
        for i, following in enumerate(colors[1:]):
            color = color + (t - i).clip(0, 1) * (self._color(following) - self._color(colors[i]))
        _blend(planes, color, edge(y - top, self.pixel) if top > 0 else 1.0)

    def box(self, box: Box, color: Color, *, opacity: float = 1.0, soft: float = 0.0) -> None:
        """Paint an upright rectangle."""
        part = self._part(box, soft)
        if part is not None:
            planes, x, y = part
            columns, rows = self._inside(x, y, box, soft)
            _blend(planes, self._color(color), columns * rows * opacity)

    def ellipse(
        self, center: tuple[float, float], radii: tuple[float, float], color: Color, *, opacity: float = 1.0,
        soft: float = 0.0, hole: float = 0.0,
    ) -> None:  # fmt: skip
        """Paint an ellipse, or a ring whose hole is a share of it; `soft` is the width of its border."""
        (cx, cy), (rx, ry) = center, radii
        part = self._part((cx - rx, cy - ry, cx + rx, cy + ry), soft)
        if part is not None:
            planes, x, y = part
            distance = np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)
            inside = edge((1 - distance) * min(rx, ry), self.pixel + soft)
            if hole:
                inside = inside - edge((hole - distance) * min(rx, ry), self.pixel + soft)
            _blend(planes, self._color(color), inside * opacity)

    def convex(
        self, corners: Sequence[tuple[float, float]], color: Color, *, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        """Paint a convex polygon, corners clockwise on the screen."""
        xs, ys = zip(*corners, strict=True)
        part = self._part((min(xs), min(ys), max(xs), max(ys)), soft)
        if part is None:
            return
        planes, x, y = part
        distance = None
        for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
            length = math.hypot(bx - ax, by - ay)
            side = (x - ax) * ((ay - by) / length) + (y - ay) * ((bx - ax) / length)
            distance = side if distance is None else np.minimum(distance, side)
        _blend(planes, self._color(color), edge(distance, self.pixel + soft) * opacity)

    def line(self, start: tuple[float, float], end: tuple[float, float], width: float, color: Color) -> None:
        """Paint a straight stroke; one thinner than a pixel is fainter instead."""
        drawn = max(width, self.pixel)
        length = math.hypot(end[0] - start[0], end[1] - start[1])
        nx, ny = (start[1] - end[1]) / length * drawn / 2, (end[0] - start[0]) / length * drawn / 2
        corners = [(start[0] - nx, start[1] - ny), (end[0] - nx, end[1] - ny)]
        corners += [(end[0] + nx, end[1] + ny), (start[0] + nx, start[1] + ny)]
        self.convex(corners, color, opacity=width / drawn)

    def panes(
        self, box: Box, count: tuple[int, int], share: tuple[float, float], color: Color, opacity: float = 1.0
    ) -> None:
        """Paint a grid of (columns, rows) rectangles, each filling a share of its cell."""
        part = self._part(box)
        if part is None:
            return
        planes, x, y = part
        columns, rows = self._inside(x, y, box, 0)
        across, down = count[0] / (box[2] - box[0]), count[1] / (box[3] - box[1])
        columns = columns * pulse((x - box[0]) * across - (1 - share[0]) / 2, share[0], self.pixel * across)
        rows = rows * pulse((y - box[1]) * down - (1 - share[1]) / 2, share[1], self.pixel * down)
        _blend(planes, self._color(color), columns * rows * opacity)

    def mottle(
        self, box: Box, color: Color, frequency: tuple[float, float], phase: tuple[float, float], *,
        opacity: float = 0.3, level: float = 0.0, sharpness: float = 1.0,
    ) -> None:  # fmt: skip
        """Paint patches of noise: clouds, stains, dapples; `frequency` in patches per height (x, y)."""
        part = self._part(box)
        finest = max(frequency) * self.pixel
        left = float(detail(finest))
        if part is None or left == 0:
            return
        planes, x, y = part
        columns, rows = self._inside(x, y, box, 0)
        across, down = x * frequency[0] + phase[0], y * frequency[1] + phase[1]
        field = noise(across + 0.4 * down, down - 0.4 * across)  # turned: square cells must not show
        amount = smoothstep((field - level) * sharpness + 0.5)
        amount = amount if left == 1 else left * amount + (1 - left) * amount.mean()
        _blend(planes, self._color(color), columns * rows * amount * opacity)

    def foliage(
        self, center: tuple[float, float], radii: tuple[float, float], dark: Color, light: Color,
        phase: tuple[float, float], *, leaf: float = 0.02,
    ) -> None:  # fmt: skip
        """Paint a bush or a crown: a ragged ellipse of leaves `leaf` wide, lighter towards the upper left."""
        (cx, cy), (rx, ry) = center, radii
        part = self._part((cx - 1.3 * rx, cy - 1.3 * ry, cx + 1.3 * rx, cy + 1.3 * ry))
        if part is None:
            return
        planes, x, y = part
        dx, dy = (x - cx) / rx, (y - cy) / ry
        clumps = noise(dx * 2.2 + phase[0], dy * 2.2 + phase[1])
        leaves = noise(x / leaf + phase[1], y / leaf + phase[0]) * float(detail(self.pixel / leaf))
        distance = 1 - np.sqrt(dx * dx + dy * dy) + 0.30 * clumps + 0.13 * leaves
        amount = (0.45 - 0.28 * dx - 0.38 * dy + 0.45 * clumps + 0.55 * leaves).clip(0, 1)
        color = self._color(dark) + amount * (self._color(light) - self._color(dark))
        _blend(planes, color, edge(distance * min(rx, ry), self.pixel + 0.15 * leaf))

    def floor(
        self, horizon: float, top: float, color: Color, *, tile: tuple[float, float], vanishing: float = 0.0,
        depth: float = 0.9, gap: float = 0.06, opacity: float = 0.5,
    ) -> None:  # fmt: skip
        """Paint the joints of tiles or boards in perspective.

        Args:
            horizon: the y where the ground would end.
            top: the y where it starts to be seen, below the horizon.
            color: of the joints.
            tile: width and length in heights, at the lower edge of the picture; a length of 0 paints boards.
            vanishing: the x towards which the joints run.
            depth: how many heights the lower edge is away; the nearer, the stronger the perspective.
            gap: share of a tile that is joint.
            opacity: of the joints.
        """
        part = self._part((-9, top, 9, 1))
        if part is None:
            return
        planes, x, y = part
        away = (1 - horizon) / (y - horizon).clip(1e-3)  # 1 at the lower edge, growing with distance
        across = (x - vanishing) * away / tile[0]
        joints = pulse(across, gap, self.pixel * away / tile[0])
        if tile[1]:
            along = depth * away / tile[1]
            width = self.pixel * away * away * depth / ((1 - horizon) * tile[1])
            rows = pulse(along, gap, width)
            joints = 1 - (1 - joints) * (1 - rows)
        _blend(planes, self._color(color), joints * opacity * edge(y - top, self.pixel))

    def vignette(self, strength: float, center: tuple[float, float] = (0.0, 0.45)) -> None:
        """Darken the picture away from a centre."""
        squared = (self.x - center[0]) ** 2 + (self.y - center[1]) ** 2
        self.planes *= 1 - strength * (squared / 0.5).clip(None, 1.6)

    def tint(self, color: Color, contrast: float) -> None:
        """Multiply by a colour and pull towards middle grey, as a camera does."""
        self.planes = ((self.planes - 0.5) * contrast + 0.5) * self._color(color)
