"""Cloth: closed-form colours of (u, v) in metres, filtered to the size of a pixel.

Every kind says, at each point, how much there is of its second and third colour and how bright the cloth is;
mixing and the grain of the weave are common to all. Many textures are evaluated at once, grouped by kind.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pgt.synthetic.draw import Draw
from pgt.synthetic.palettes import ACCENTS, CAMOUFLAGES, DENIMS, NEUTRALS, Color, mixed
from pgt.synthetic.patterns import cell_random, detail, edge, fraction, noise, pulse, smoothstep

# How often each kind is drawn when nothing else is asked.
KINDS = {
    "solid": 0.26, "stripes": 0.16, "dots": 0.07, "plaid": 0.11, "floral": 0.08, "logo": 0.08,
    "gradient": 0.05, "camouflage": 0.04, "denim": 0.08, "knit": 0.07,
}  # fmt: skip

# Shortest and longest period of each kind, metres.
SCALES = {
    "solid": (0.02, 0.02), "stripes": (0.018, 0.09), "dots": (0.022, 0.07), "plaid": (0.05, 0.14),
    "floral": (0.06, 0.12), "logo": (0.12, 0.2), "gradient": (0.35, 0.6), "camouflage": (0.05, 0.1),
    "denim": (0.0035, 0.005), "knit": (0.008, 0.014),
}  # fmt: skip
FLORAL_LEAF: Color = (0.33, 0.45, 0.32)


@dataclass(frozen=True)
class Texture:
    """One cloth.

    Attributes:
        kind: one of `KINDS`.
        colors: ground, second and third colour, RGB in [0, 1].
        scale: period in metres (size of the figure for "logo", length for "gradient").
        angle: turn of the pattern in radians; stripes at 0 run along u, that is horizontally.
        phase: shift of the pattern in periods; for "logo" and "gradient" the (u, v) in metres of its centre
            or start.
        variant: free number in [0, 1), which each kind reads in its own way (width of stripes, shape of a
            logo).
        grain: strength of the weave's fine brightness noise; folds: of its broad one.
        gloss: strength of the highlight.
    """

    kind: str
    colors: tuple[Color, Color, Color]
    scale: float = 0.05
    angle: float = 0.0
    phase: tuple[float, float] = (0.0, 0.0)
    variant: float = 0.0
    grain: float = 0.05
    folds: float = 0.05
    gloss: float = 0.0

    def colors_at(self, u: Tensor, v: Tensor, footprint: Tensor) -> Tensor:
        """Return (N, 3) RGB in [0, 1] at (u, v) metres, a pixel there being `footprint` metres wide."""
        return self.colors_together([self], torch.zeros_like(u, dtype=torch.int64), u, v, footprint)

    @classmethod
    def colors_together(
        cls, textures: Sequence["Texture"], index: Tensor, u: Tensor, v: Tensor, footprint: Tensor
    ) -> Tensor:
        """Evaluate several textures over one flat list of points.

        Args:
            textures: M of them.
            index: (N,) int64 in [0, M), which texture each point has.
            u, v: (N,) metres of cloth.
            footprint: (N,) metres.
        """
        table = _parameters(textures, u.device)
        kinds = sorted({t.kind for t in textures})
        kind_of = torch.tensor([kinds.index(t.kind) for t in textures], device=u.device).index_select(
            0, index
        )
        second, third, bright = torch.zeros_like(u), torch.zeros_like(u), torch.ones_like(u)
        for number, kind in enumerate(kinds):
            chosen = (kind_of == number).nonzero().squeeze(1)
            weights = _weights(kind, table, *(a.index_select(0, chosen) for a in (index, u, v, footprint)))
            second[chosen], third[chosen], bright[chosen] = weights
        bright = bright * _weave(table, index, u, v, footprint)
        channels = []
        for channel in range(3):
            c0, c1, c2 = (table[9 + 3 * i + channel].index_select(0, index) for i in range(3))
            channels.append((c0 + second * (c1 - c0) + third * (c2 - c0)) * bright)
        return torch.stack(channels, 1).clamp(0, 1)


def _parameters(textures: Sequence[Texture], device: torch.device) -> Tensor:
    rows = [
        [1 / t.scale, math.cos(t.angle), math.sin(t.angle), *t.phase, t.variant, t.grain, t.folds, t.scale]
        + [value for color in t.colors for value in color]
        for t in textures
    ]
    return torch.tensor(rows, device=device).t().contiguous()


def _weights(
    kind: str, table: Tensor, index: Tensor, u: Tensor, v: Tensor, footprint: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (N,) shares of the second and third colour, and brightness, of points that all have one kind."""
    frequency, c, s, p, q, variant = (table[i].index_select(0, index) for i in range(6))
    width = footprint * frequency
    if kind in ("logo", "gradient"):
        u, v, p, q = u - p, v - q, 0.0, 0.0
    x, y = (c * u + s * v) * frequency + p, (c * v - s * u) * frequency + q
    second, third, bright = PATTERNS[kind](x, y, width, variant)
    return second, third, bright


def _weave(table: Tensor, index: Tensor, u: Tensor, v: Tensor, footprint: Tensor) -> Tensor:
    """Brightness of threads (2 mm) where pixels are fine enough to show them, and of broad soft folds."""
    grain, folds = table[6].index_select(0, index), table[7].index_select(0, index)
    bright = 1 + folds * noise(u * 11 + v * 4, v * 7 - u * 3)
    fine = (footprint < 0.004).nonzero().squeeze(1)
    if len(fine):
        uf, vf, g = u.index_select(0, fine), v.index_select(0, fine), grain.index_select(0, fine)
        bright[fine] += g * noise(uf * 400, vf * 400) * detail(footprint.index_select(0, fine) / 0.004, 0.3)
    return bright


def _plain(x: Tensor) -> tuple[Tensor, Tensor]:
    return torch.zeros_like(x), torch.ones_like(x)


def _solid(x: Tensor, y: Tensor, width: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One colour; from variant 0.75 on, a melange of two yarns."""
    zero, one = _plain(x)
    yarn = 0.20 * noise(x * 9, y * 4) * detail(width * 9)
    return (0.35 + yarn) * (variant > 0.75), zero, one


def _stripes(x: Tensor, y: Tensor, width: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Bands of the second colour, pinstripes below variant 0.2; from 0.6 on, lines of the third between."""
    duty = torch.where(variant < 0.2, 0.10 + 0.3 * variant, 0.25 + 0.3 * variant)
    band = pulse(y, duty, width)
    line = pulse(y - (1 + duty) / 2 + 0.05, 0.1, width) * (variant > 0.6)
    return band, line, _plain(x)[1]


def _dots(x: Tensor, y: Tensor, width: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Discs in staggered rows; from variant 0.5 on, every other row has the third colour."""
    row = torch.floor(y)
    dx, dy = fraction(x + 0.5 * (row % 2)) - 0.5, y - row - 0.5
    radius = 0.20 + 0.25 * (variant % 0.5)
    disc = edge(radius - torch.sqrt(dx * dx + dy * dy), width.clamp(min=1e-3))
    disc = torch.lerp(math.pi * radius * radius, disc, detail(width))
    # The share of third-coloured rows, filtered over two rows.
    other = pulse((y + 0.0) / 2, 0.5, (width / 2).clamp(max=1)) * (variant > 0.5)
    other = torch.lerp(0.5 * (variant > 0.5), torch.floor(other + 0.5), detail(width))
    return disc * (1 - other), disc * other, _plain(x)[1]


def _plaid(x: Tensor, y: Tensor, width: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Crossing bands, half as strong where only one runs; from variant 0.35 on, thin lines of the third."""
    duty = 0.5 - 0.25 * variant
    bands = (pulse(x, duty, width) + pulse(y, duty, width)) / 2
    thin = 0.05 + 0.04 * variant
    across = 1 - pulse(x - (1 + duty) / 2 + thin / 2, thin, width) * 0.75
    lines = (1 - across * (1 - pulse(y - (1 + duty) / 2 + thin / 2, thin, width) * 0.75)) * (variant > 0.35)
    return bands * (1 - lines), lines, _plain(x)[1]


def _floral(x: Tensor, y: Tensor, width: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Five-petalled flowers of the second colour with hearts and leaves of the third, scattered."""
    row = torch.floor(y)
    x = x + 0.5 * (row % 2)
    column = torch.floor(x)
    jitter = [cell_random(column, row, channel) for channel in range(4)]
    dx, dy = x - column - 0.5 - 0.10 * jitter[0], y - row - 0.5 - 0.10 * jitter[1]
    size = 0.34 + 0.05 * jitter[2]
    width = width.clamp(min=1e-3)
    radius = torch.sqrt(dx * dx + dy * dy).clamp(min=1e-4)
    c, s = _five_fold(dx / radius, dy / radius)
    turn = jitter[3] * math.pi
    petals = edge(size * (0.74 + 0.26 * (c * torch.cos(turn) - s * torch.sin(turn))) - radius, width)
    heart = edge(0.30 * size - radius, width)
    # A leaf in the gap between the cells, where rows meet.
    lx, ly = fraction(x + 0.25) - 0.25, fraction(y + 0.5) - 0.5
    slant = 0.8 * jitter[2]
    leaf = edge(0.13 - torch.sqrt((lx + slant * ly) ** 2 * 5 + (ly - slant * lx) ** 2), width) * (
        variant > 0.3
    )
    leaf = leaf * (1 - petals)
    left = detail(width)
    return (
        torch.lerp(torch.full_like(x, 0.179), petals * (1 - heart), left),
        torch.lerp(0.033 + 0.020 * (variant > 0.3), torch.maximum(heart, leaf), left),
        torch.ones_like(x),
    )


def _logo(x: Tensor, y: Tensor, width: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One figure of height 1 round the origin: ring, star, heart, bars or mountains."""
    radius = torch.sqrt(x * x + y * y).clamp(min=1e-4)
    width = width.clamp(min=1e-3)
    shape = torch.floor(variant * 5)
    ring = 0.09 - (radius - 0.40).abs()
    five = _five_fold(x / radius, y / radius)[1]
    star = 0.5 * (0.62 + 0.30 * five + 0.08 * five * five * five) - radius
    hy = y * 1.1 - 0.55 * torch.sqrt(x.abs() + 0.01) + 0.12
    heart = 0.40 - torch.sqrt(x * x * 1.1 + hy * hy)
    bars = torch.minimum(
        0.5 - x.abs(), torch.minimum(0.42 - y.abs(), 0.08 - (fraction(y / 0.3 + 0.5) - 0.5).abs() * 0.3)
    )
    peaks = torch.minimum(
        torch.maximum(0.35 - 1.2 * (x + 0.12).abs(), 0.18 - 1.2 * (x - 0.25).abs()) - y, y + 0.32
    )
    distance = torch.zeros_like(x)
    for number, figure in enumerate((ring, star, heart, bars, peaks)):
        distance = torch.where(shape == number, figure, distance)
    inside = edge(distance, width)
    dot = edge(
        torch.where(shape == 0, 0.17 - radius, torch.where(shape == 4, 0.1 - _apart(x, y), -1.0)), width
    )
    return inside * (1 - dot), dot, torch.ones_like(x)


def _apart(x: Tensor, y: Tensor) -> Tensor:
    return torch.sqrt((x - 0.28) ** 2 + (y - 0.33) ** 2)


def _gradient(x: Tensor, y: Tensor, width: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """From the first colour to the second along v; from variant 0.7 on, by the third on the way."""
    t = smoothstep(y)
    between = 4 * t * (1 - t) * (variant > 0.7) * 0.6
    return t * (1 - between), between, torch.ones_like(x)


def _camouflage(x: Tensor, y: Tensor, width: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Patches of three colours."""
    soft = (1.6 * width).clamp(min=0.03)
    first = 0.7 * noise(x, y) + 0.3 * noise(2.7 * x + 5, 2.7 * y)
    other = 0.7 * noise(x + 31.4, y + 17.2) + 0.3 * noise(2.7 * x, 2.7 * y + 40)
    second, third = edge(first - 0.08, soft), edge(other - 0.2, soft)
    left = detail(width, 0.5, 1.4)
    third = torch.lerp(torch.full_like(x, 0.267), third, left)
    return torch.lerp(torch.full_like(x, 0.287), second * (1 - third), left), third, torch.ones_like(x)


def _denim(x: Tensor, y: Tensor, width: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Twill (period 1) with uneven warp threads, washed out in broad soft areas."""
    twill = 0.5 + (pulse(x + y, 0.5, width) - 0.5) * detail(width)
    thread = noise(x * 1.7, y * 0.12) * detail(width * 0.8)
    wash = noise(x * 0.035, y * 0.02) * (0.05 + 0.13 * variant)
    return (0.10 + 0.22 * twill + 0.10 * thread + wash).clamp(0, 0.8), torch.zeros_like(x), torch.ones_like(x)


def _knit(x: Tensor, y: Tensor, width: Tensor, variant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Columns of v-shaped stitches; from variant 0.5 on, ribs of three columns."""
    across = fraction(x) - 0.5
    stitch = torch.cos(2 * math.pi * (1.3 * y + across.abs())) * torch.cos(math.pi * across)
    valley = 1 - torch.cos(2 * math.pi * across)
    bright = 1.01 - (0.08 * (1 - stitch) + 0.06 * (valley - 1)) * detail(width) - 0.08 * (1 - detail(width))
    rib = torch.cos(2 * math.pi * x / 3) * detail(width / 3) * (variant > 0.5)
    return torch.zeros_like(x), torch.zeros_like(x), bright + 0.09 * rib


def _five_fold(c: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of five times the angle that has cosine c and sine s."""
    c2, s2 = c * c - s * s, 2 * c * s
    c4, s4 = c2 * c2 - s2 * s2, 2 * c2 * s2
    return c4 * c - s4 * s, s4 * c + c4 * s


PATTERNS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]] = {
    "solid": _solid, "stripes": _stripes, "dots": _dots, "plaid": _plaid, "floral": _floral, "logo": _logo,
    "gradient": _gradient, "camouflage": _camouflage, "denim": _denim, "knit": _knit,
}  # fmt: skip


def draw_color(draw: Draw, accent: float = 0.5) -> Color:
    """Draw a colour that clothes have: a neutral one, or with probability `accent` a lively one."""
    base = draw.choice(ACCENTS if draw.chance(accent) else NEUTRALS)
    shift = draw.uniform(-0.03, 0.03)
    return tuple(min(0.97, max(0.04, value + shift + draw.uniform(-0.025, 0.025))) for value in base)


def luminance(color: Color) -> float:
    """Return the brightness of a colour in [0, 1] (Rec. 601)."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def _draw_colors(draw: Draw, kind: str) -> tuple[Color, Color, Color]:
    """Three colours that go together: the second clearly lighter or darker, the third unlike both."""
    if kind == "camouflage":
        return draw.choice(CAMOUFLAGES)
    if kind == "denim":
        blue = draw.choice(DENIMS)
        return blue, mixed(blue, (0.95, 0.96, 0.97), 0.55), blue
    ground = draw_color(draw)
    if kind == "solid":
        return ground, mixed(ground, (0.9, 0.9, 0.9), 0.4), ground
    for _ in range(12):
        second = draw_color(draw, 0.35)
        if 0.22 < abs(luminance(second) - luminance(ground)) < 0.65:
            break
    for _ in range(12):
        third = draw_color(draw, 0.6)
        if min(abs(luminance(third) - luminance(other)) for other in (ground, second)) > 0.12:
            break
    return ground, second, FLORAL_LEAF if kind == "floral" and draw.chance(0.5) else third


def draw_texture(draw: Draw, kinds: dict[str, float] | None = None) -> Texture:
    """Draw a cloth.

    Args:
        draw: where the numbers come from.
        kinds: weight of each kind to choose from; `KINDS` by default.
    """
    kinds = KINDS if kinds is None else kinds
    kind = draw.choice(list(kinds), list(kinds.values()))
    colors = _draw_colors(draw, kind)
    low, high = SCALES[kind]
    texture = Texture(
        kind,
        colors,
        scale=low * (high / low) ** draw.uniform(),
        phase=(draw.uniform(0, 64), draw.uniform(0, 64)),
        variant=draw.uniform(),
        grain=0.07 if kind == "solid" else 0.05,
        folds=draw.uniform(0.02, 0.06),
    )
    if kind == "stripes":
        narrow = 0.6 if texture.variant < 0.2 else 1.0
        angle = draw.choice((0.0, math.pi / 2, math.pi / 4, -math.pi / 4), (6, 3, 0.6, 0.6))
        return replace(texture, angle=angle, scale=texture.scale * narrow)
    if kind in ("plaid", "dots"):
        return replace(texture, angle=draw.choice((0.0, math.pi / 4), (5, 1)))
    if kind == "floral":
        return replace(texture, angle=draw.uniform(-0.5, 0.5))
    if kind in ("logo", "gradient"):
        return replace(texture, phase=(0.0, draw.uniform(0.02, 0.06)))
    return texture
