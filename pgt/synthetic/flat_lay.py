"""A sheet on which clothes are laid flat and photographed from above: outlines in, soft shaded cloth out.

Coordinates on the sheet are metres, x to the right and y up; a garment's own are those of
`pgt.synthetic.garments`, so that the same cloth shows the same pattern on the sheet and on the body.
"""

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter

from pgt.synthetic.patterns import edge, noise
from pgt.synthetic.textures import Texture

FINE = 4  # outlines are drawn so many times larger, then averaged
TABLE_TOP = (0.955, 0.950, 0.942)
THICKNESS = 0.012  # metres from the rim over which lying cloth rounds off


class Sheet:
    """A picture in the making; layers are laid from back to front.

    Args:
        size: (H, W) of the picture.
        box: (left, bottom, right, top) in metres, of what must be seen; it is centred and fills the picture
            up to a margin.
        margin: share of the picture left free on each side.
    """

    def __init__(
        self, size: tuple[int, int], box: tuple[float, float, float, float], margin: float = 0.07
    ) -> None:
        self.size = height, width = size
        left, bottom, right, top = box
        self.scale = float((1 - 2 * margin) * min(width / (right - left), height / (top - bottom)))
        self._middle = np.array([(left + right) / 2, (bottom + top) / 2])
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        self.x = (columns - (width - 1) / 2) / self.scale + self._middle[0]
        self.y = ((height - 1) / 2 - rows) / self.scale + self._middle[1]
        light = 1.01 - 0.04 * np.hypot(columns / width - 0.4, rows / height - 0.35)
        self.color = np.float32(TABLE_TOP) * light[..., None]
        self.covered = np.zeros(size, np.float32)

    @property
    def pixel(self) -> float:
        """Side of a pixel in metres."""
        return 1 / self.scale

    def place(self, points: np.ndarray) -> np.ndarray:
        """Return where points (..., 2) of the sheet, metres, are in the picture: (x, y) pixels, float32."""
        offset = (np.asarray(points) - self._middle) * self.scale * (1, -1)
        return (offset + (np.array(self.size[::-1]) - 1) / 2).astype(np.float32)

    def outline(self, points: np.ndarray) -> np.ndarray:
        """Return the share of each pixel inside a polygon (N, 2) of metres: (H, W) in [0, 1]."""
        height, width = self.size
        canvas = Image.new("L", (width * FINE, height * FINE))
        corners = (self.place(points) + 0.5) * FINE - 0.5
        ImageDraw.Draw(canvas).polygon([tuple(corner) for corner in corners.tolist()], fill=255)
        return np.asarray(canvas.reduce(FINE), np.float32) / 255

    def inside(self, distance: np.ndarray) -> np.ndarray:
        """Return the share of each pixel where a distance (H, W), metres, is positive."""
        return edge(distance, self.pixel).astype(np.float32)

    def soft(self, coverage: np.ndarray, metres: float) -> np.ndarray:
        """Blur a coverage over some metres."""
        picture = Image.fromarray((coverage * 255 + 0.5).astype(np.uint8))
        blurred = picture.filter(ImageFilter.GaussianBlur(float(metres * self.scale)))
        return np.asarray(blurred, np.float32) / 255

    def lay(
        self,
        coverage: np.ndarray,
        cloth: Texture,
        u: np.ndarray | None = None,
        v: np.ndarray | None = None,
        *,
        bright: np.ndarray | float = 1.0,
        shadow: float = 0.35,
        flat: bool = False,
    ) -> None:
        """Lay a piece of cloth on what is there.

        Args:
            coverage: (H, W) in [0, 1].
            cloth: its texture.
            u, v: (H, W) metres of cloth; x and y of the sheet by default.
            bright: factor, for example of folds, or of the inside of a garment.
            shadow: how dark the shadow beside it is.
            flat: True for a strip sewn on, which has no rounded rim of its own.
        """
        u, v = self.x if u is None else u, self.y if v is None else v
        shift = max(1, round(0.006 * self.scale))
        cast = np.roll(self.soft(coverage, 0.010), (shift, shift // 2), (0, 1))
        self.color = self.color * (1 - shadow * cast * (1 - coverage))[..., None]
        shown = coverage > 0
        flat_u, flat_v = (torch.from_numpy(a[shown].astype(np.float32)) for a in (u, v))
        own = np.zeros((*self.size, 3), np.float32)
        own[shown] = cloth.colors_at(flat_u, flat_v, torch.full_like(flat_u, self.pixel)).numpy()
        light = bright * (1 if flat else self._rounding(coverage)) * self._creases()
        painted = np.clip(own * np.asarray(light, np.float32)[..., None], 0, 1)
        self.color = self.color + coverage[..., None] * (painted - self.color)
        self.covered = np.maximum(self.covered, coverage)

    def darken(self, amount: np.ndarray) -> None:
        """Draw shade: 0 nothing, 1 black."""
        self.color = self.color * (1 - np.clip(amount, 0, 1))[..., None]

    def picture(self) -> np.ndarray:
        """Return the finished picture, uint8 (H, W, 3)."""
        return (np.clip(self.color, 0, 1) * 255 + 0.5).astype(np.uint8)

    def _rounding(self, coverage: np.ndarray) -> np.ndarray:
        """Light from the upper left on a piece that rounds off at its rim."""
        height = self.soft(coverage, THICKNESS)
        down, right = np.gradient(height)
        slope = (0.55 * right + 0.75 * down) * THICKNESS * self.scale
        return 0.86 + 0.14 * np.clip(2 * height - 1, 0, 1) + 0.22 * slope

    def _creases(self) -> np.ndarray:
        """Soft creases of lying cloth."""
        broad = noise(self.x * 7 + 2.3, self.y * 2.5 + 0.7)
        fine = noise(self.x * 17 + 0.8 * broad, self.y * 6 + 5.1)
        return 1.0 + 0.045 * broad + 0.025 * fine
