"""Colours of the world behind the people, and small helpers to vary them."""

from pgt.synthetic.draw import Draw

Color = tuple[float, float, float]

BACKDROPS: tuple[Color, ...] = (
    (0.93, 0.93, 0.93), (0.90, 0.89, 0.88), (0.86, 0.87, 0.89), (0.91, 0.90, 0.86), (0.80, 0.81, 0.83),
    (0.88, 0.85, 0.84), (0.84, 0.88, 0.88), (0.87, 0.88, 0.83), (0.74, 0.76, 0.80), (0.89, 0.84, 0.79),
)  # fmt: skip
PAVEMENTS: tuple[Color, ...] = (
    (0.58, 0.57, 0.55), (0.66, 0.63, 0.58), (0.50, 0.51, 0.53), (0.70, 0.67, 0.63), (0.60, 0.53, 0.48),
    (0.44, 0.45, 0.47),
)  # fmt: skip
GRASSES: tuple[Color, ...] = ((0.36, 0.45, 0.25), (0.42, 0.50, 0.28), (0.46, 0.48, 0.30), (0.30, 0.40, 0.24))
FACADES: tuple[Color, ...] = (
    (0.72, 0.66, 0.58), (0.64, 0.42, 0.34), (0.78, 0.74, 0.68), (0.55, 0.57, 0.60), (0.80, 0.70, 0.54),
    (0.48, 0.40, 0.37), (0.68, 0.71, 0.73), (0.60, 0.50, 0.42),
)  # fmt: skip
WALLS: tuple[Color, ...] = (
    (0.87, 0.85, 0.80), (0.78, 0.80, 0.78), (0.68, 0.73, 0.76), (0.82, 0.76, 0.68), (0.58, 0.64, 0.60),
    (0.83, 0.79, 0.79), (0.47, 0.53, 0.58), (0.76, 0.64, 0.56), (0.88, 0.87, 0.86),
)  # fmt: skip
WOODS: tuple[Color, ...] = (
    (0.60, 0.45, 0.31), (0.48, 0.34, 0.23), (0.70, 0.56, 0.41), (0.37, 0.27, 0.20), (0.78, 0.68, 0.54),
)  # fmt: skip
FABRICS: tuple[Color, ...] = (
    (0.45, 0.50, 0.56), (0.62, 0.36, 0.30), (0.36, 0.45, 0.40), (0.76, 0.70, 0.60), (0.32, 0.36, 0.46),
    (0.72, 0.56, 0.36), (0.55, 0.46, 0.52), (0.50, 0.48, 0.45),
)  # fmt: skip
SKIES: tuple[tuple[Color, Color], ...] = (
    ((0.44, 0.60, 0.80), (0.80, 0.87, 0.93)), ((0.60, 0.70, 0.80), (0.87, 0.89, 0.90)),
    ((0.70, 0.73, 0.77), (0.86, 0.87, 0.87)), ((0.52, 0.60, 0.74), (0.93, 0.86, 0.78)),
)  # fmt: skip
LEAVES: tuple[tuple[Color, Color], ...] = (
    ((0.13, 0.21, 0.11), (0.45, 0.56, 0.28)), ((0.16, 0.23, 0.15), (0.42, 0.52, 0.36)),
    ((0.20, 0.22, 0.10), (0.58, 0.60, 0.30)), ((0.30, 0.19, 0.09), (0.76, 0.56, 0.27)),
)  # fmt: skip


def mixed(a: Color, b: Color, share: float) -> Color:
    """Return the colour `share` of the way from a to b."""
    return tuple(p + (q - p) * share for p, q in zip(a, b, strict=True))


def scaled(color: Color, factor: float) -> Color:
    """Return a brighter or darker colour."""
    return tuple(min(1.0, value * factor) for value in color)


def phase(draw: Draw) -> tuple[float, float]:
    """Draw a shift for a pattern of noise."""
    return draw.uniform(0, 64), draw.uniform(0, 64)


def jittered(draw: Draw, color: Color, amount: float = 0.03) -> Color:
    """Return a colour a little beside the given one."""
    shift = draw.uniform(-amount, amount)
    return tuple(min(1.0, max(0.0, value + shift + draw.uniform(-amount, amount) / 2)) for value in color)
