"""What is not cloth: skin, faces and hair, as closed-form colours filtered to the size of a pixel.

A face is painted in head-local coordinates: u across (the person's left is positive) and v up, in head
lengths, as `head.head_surface` lays them out. Many faces are evaluated at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

import torch
from torch import Tensor

from pgt.synthetic.patterns import detail, edge, noise, smoothstep

Color = tuple[float, float, float]
HEAD_LENGTH = 0.23  # metres, turns a pixel's footprint into head lengths
EYE = (0.150, 0.560)  # of the left eye, head lengths
MOUTH = 0.245


def _columns(rows: Sequence[Sequence[float]], index: Tensor) -> Callable[[int], Tensor]:
    table = torch.tensor(rows, device=index.device).t().contiguous()
    return lambda column: table[column].index_select(0, index)


@dataclass(frozen=True)
class Skin:
    """Bare skin."""

    color: Color
    gloss: float = 0.035

    def colors_at(self, u: Tensor, v: Tensor, footprint: Tensor) -> Tensor:
        """Return (N, 3) RGB in [0, 1]."""
        return self.colors_together([self], torch.zeros_like(u, dtype=torch.int64), u, v, footprint)

    @classmethod
    def colors_together(
        cls, skins: Sequence["Skin"], index: Tensor, u: Tensor, v: Tensor, footprint: Tensor
    ) -> Tensor:
        """Evaluate several skins over one flat list of points (see `textures.Texture`)."""
        at = _columns([skin.color for skin in skins], index)
        tone = 1 + 0.025 * noise(u * 9, v * 9)
        return torch.stack([at(i) * tone for i in range(3)], 1).clamp(0, 1)


@dataclass(frozen=True)
class Hair:
    """Hair: strands along v, lighter and darker, with a broad sheen."""

    color: Color
    strength: float = 0.30
    curl: float = 0.0  # how much the strands wave
    gloss: float = 0.13

    def colors_at(self, u: Tensor, v: Tensor, footprint: Tensor) -> Tensor:
        """Return (N, 3) RGB in [0, 1]."""
        return self.colors_together([self], torch.zeros_like(u, dtype=torch.int64), u, v, footprint)

    @classmethod
    def colors_together(
        cls, hairs: Sequence["Hair"], index: Tensor, u: Tensor, v: Tensor, footprint: Tensor
    ) -> Tensor:
        """Evaluate several heads of hair over one flat list of points (see `textures.Texture`)."""
        at = _columns([(*hair.color, hair.strength, hair.curl) for hair in hairs], index)
        strength, curl = at(3), at(4)
        u = u + curl * 0.006 * torch.sin(v * 160 + 3 * noise(u * 60, v * 8))
        locks = noise(u * 110, v * 6 + 1.7) * detail(footprint * 110, 0.3)
        strands = noise(u * 420, v * 14) * detail(footprint * 420, 0.3)
        tone = 1 + strength * (0.75 * locks + 0.55 * strands) + 0.10 * noise(u * 30, v * 4)
        return torch.stack([at(i) * tone for i in range(3)], 1).clamp(0, 1)


@dataclass(frozen=True)
class Face:
    """A painted face; lengths in head lengths, colours RGB in [0, 1]."""

    skin: Color
    lips: Color
    iris: Color
    brow: Color
    eye_width: float = 0.072
    eye_height: float = 0.034
    eye_tilt: float = 0.0
    brow_height: float = 0.085
    brow_thickness: float = 0.016
    brow_arch: float = 0.02
    brow_strength: float = 0.85
    mouth_width: float = 0.098
    lip_fullness: float = 1.0
    smile: float = 0.0
    blush: float = 0.15
    lashes: float = 0.5
    beard: float = 0.0
    stubble: float = 0.0

    @property
    def gloss(self) -> float:
        """Strength of the highlight."""
        return 0.035

    def colors_at(self, u: Tensor, v: Tensor, footprint: Tensor) -> Tensor:
        """Return (N, 3) RGB in [0, 1]."""
        return self.colors_together([self], torch.zeros_like(u, dtype=torch.int64), u, v, footprint)

    @classmethod
    def colors_together(
        cls, faces: Sequence["Face"], index: Tensor, u: Tensor, v: Tensor, footprint: Tensor
    ) -> Tensor:
        """Paint several faces over one flat list of points (see `textures.Texture`)."""
        rows = [
            [x for entry in astuple(f) for x in (entry if isinstance(entry, tuple) else (entry,))]
            for f in faces
        ]
        paint = _Paint(_columns(rows, index), u, v, (footprint / HEAD_LENGTH).clamp(min=0.004))
        paint.cheeks()
        paint.beard()
        paint.mouth()
        paint.nostrils()
        paint.eyes()
        paint.brows()
        return torch.stack(paint.channels, 1).clamp(0, 1)


class _Paint:
    """Layers of colour over a flat list of face points."""

    def __init__(self, at: Callable[[int], Tensor], u: Tensor, v: Tensor, width: Tensor) -> None:
        self.at, self.u, self.v, self.width = at, u, v, width
        self.a = u.abs()
        tone = 1 + 0.02 * noise(u * 2, v * 2)
        self.skin = [at(i) * tone for i in range(3)]
        self.channels = list(self.skin)

    def over(self, alpha: Tensor, color: Sequence[Tensor | float]) -> None:
        """Lay a colour over what is there."""
        self.channels = [c + alpha * (new - c) for c, new in zip(self.channels, color, strict=True)]

    def blob(self, x: float, y: float, rx: float, ry: float) -> Tensor:
        """A soft symmetric spot, 1 in its middle."""
        return torch.exp(-(((self.a - x) / rx) ** 2) - ((self.v - y) / ry) ** 2)

    def cheeks(self) -> None:
        """Blush on cheeks and nose, shade under the eyes."""
        rosy = [self.skin[0] * 0.98, self.skin[1] * 0.66, self.skin[2] * 0.66]
        blush = self.at(22)
        self.over(blush * self.blob(0.20, 0.40, 0.10, 0.075), rosy)
        self.over(0.6 * blush * self.blob(0.0, 0.44, 0.06, 0.05), rosy)
        shade = [c * 0.72 for c in self.skin]
        self.over(0.30 * self.blob(EYE[0] - 0.01, 0.575, 0.085, 0.055), shade)
        self.over(0.22 * self.blob(0.0, 0.175, 0.07, 0.018), shade)

    def beard(self) -> None:
        """Stubble or a beard on jaw, chin and upper lip."""
        # Upper edge: down from the nose along the moustache, then up the cheek to the ear.
        top = torch.maximum(0.352 - 0.55 * self.a, 0.095 + 1.10 * self.a)
        jaw = smoothstep((top - self.v) / 0.045) * smoothstep((0.315 - self.a) / 0.06)
        jaw = jaw * (1 - 0.6 * self.blob(0.055, 0.185, 0.02, 0.012))
        hair = noise(self.u * 90, self.v * 40) * detail(self.width * 90, 0.3)
        brow = [self.at(9 + i) * (1 + 0.25 * hair) for i in range(3)]
        self.over(jaw * (0.90 * self.at(24) + 0.30 * self.at(25)), brow)

    def mouth(self) -> None:
        """Lips, the line between them, and corners."""
        half, full, smile = self.at(19), self.at(20), self.at(21)
        t = (self.u / half).clamp(-1.3, 1.3)
        bend = MOUTH + 0.30 * smile * half * (t * t - 0.35)
        arc = (1 - t * t).clamp(min=0)
        cupid = (
            1
            - 0.35 * torch.exp(-((self.u / 0.014) ** 2))
            + 0.12 * torch.exp(-(((self.a - 0.03) / 0.02) ** 2))
        )
        upper = edge(bend + 0.029 * full * arc.sqrt() * arc.clamp(min=0.25) * cupid - self.v, self.width)
        lower = edge(self.v - (bend - 0.040 * full * arc.sqrt()), self.width)
        inside = edge(half - self.a, self.width)
        soft = [self.at(3 + i) * (1.0 - 0.16 * (self.v > bend)) for i in range(3)]
        self.over(0.85 * upper * lower * inside, soft)
        shine = torch.exp(-((self.u / (0.45 * half)) ** 2) - ((self.v - bend + 0.021 * full) / 0.008) ** 2)
        self.over(0.18 * shine * detail(self.width / 0.03), [1.0, 0.95, 0.92])
        line = edge(0.0055 - (self.v - bend).abs() + 0.003 * arc, self.width) * edge(
            half * 1.04 - self.a, self.width
        )
        self.over(0.75 * line, [self.at(3) * 0.38, self.at(4) * 0.30, self.at(5) * 0.30])

    def nostrils(self) -> None:
        """Shade beside the nose, nostrils below its tip."""
        dark = [c * 0.45 for c in self.skin]
        self.over(0.55 * self.blob(0.036, 0.374, 0.019, 0.011), dark)
        self.over(0.18 * self.blob(0.068, 0.40, 0.016, 0.03), dark)

    def eyes(self) -> None:
        """White, iris, pupil, glint, lid and lashes; the same on both sides but for the glint."""
        half, high = self.at(12), self.at(13)
        x = self.a - EYE[0]
        y = self.v - EYE[1] - self.at(14) * x
        t = (x / half).clamp(-1.4, 1.4)
        arc = (1 - t * t).clamp(min=0)
        top, bottom = high * arc**0.75 * (1.0 + 0.10 * t), -0.72 * high * arc
        opening = edge(top - y, self.width) * edge(y - bottom, self.width) * edge(half - x.abs(), self.width)
        self.over(opening, [0.93, 0.915, 0.90])
        self.over(0.30 * opening * smoothstep((y - 0.1 * high) / (0.9 * high)), [0.45, 0.42, 0.42])
        radius = torch.sqrt(x * x + (y - 0.06 * high) ** 2)
        size = 0.96 * high
        ring = 0.55 + 0.45 * smoothstep((size - radius) / 0.012)
        self.over(opening * edge(size - radius, self.width), [self.at(6 + i) * ring for i in range(3)])
        self.over(opening * edge(0.46 * size - radius, self.width), [0.03, 0.03, 0.035])
        gx, gy = self.u - self.u.sign() * EYE[0] + 0.010, y - 0.014
        self.over(opening * edge(0.0085 - torch.sqrt(gx * gx + gy * gy), self.width), [1.0, 1.0, 1.0])
        ink = [self.at(9 + i) * 0.35 for i in range(3)]
        lash = self.at(23)
        upper = edge(0.005 + 0.006 * lash - (y - top - 0.002).abs(), self.width) * edge(
            half * 1.06 - x.abs(), self.width
        )
        self.over((0.60 + 0.35 * lash) * upper, ink)
        wing = edge(0.007 * lash - (y - 0.010 - 0.45 * (x - half)).abs(), self.width)
        self.over(0.8 * lash * wing * edge(0.016 - (x - half).abs(), self.width), ink)
        lower = edge(0.0028 - (y - bottom).abs(), self.width) * edge(half - x.abs(), self.width)
        self.over(0.40 * lower, ink)
        crease = edge(0.003 - (y - top - 0.018).abs(), self.width) * edge(half * 0.95 - x.abs(), self.width)
        self.over(0.30 * crease, [c * 0.5 for c in self.skin])

    def brows(self) -> None:
        """Arched, thinner outwards."""
        t = ((self.a - 0.065) / 0.185).clamp(-0.2, 1.2)
        middle = EYE[1] + self.at(15) + self.at(17) * (1 - (2 * t - 1.15) ** 2) - 0.010 * t
        thick = self.at(16) * (1.05 - 0.65 * t.clamp(0, 1))
        inside = edge(thick - (self.v - middle).abs(), self.width.clamp(min=0.008))
        ends = edge(self.a - 0.062, self.width.clamp(min=0.014)) * edge(
            0.252 - self.a, self.width.clamp(min=0.012)
        )
        hair = 1 + 0.3 * noise(self.u * 120, self.v * 30) * detail(self.width * 120, 0.3)
        self.over(self.at(18) * inside * ends, [self.at(9 + i) * hair for i in range(3)])
