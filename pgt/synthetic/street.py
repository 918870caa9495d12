"""Streets as a surveillance camera sees them: pavement and lawns, things and passers-by at the upper edge."""

from pgt.synthetic.canvas import Canvas
from pgt.synthetic.draw import Draw
from pgt.synthetic.palettes import (
    FABRICS,
    FACADES,
    GRASSES,
    LEAVES,
    PAVEMENTS,
    SKIES,
    jittered,
    mixed,
    phase,
    scaled,
)  # fmt: skip


def paint_street(canvas: Canvas, draw: Draw) -> None:
    """A crop of a camera that looks down on a pavement: things at the top, ground and its borders below."""
    top = draw.uniform(0.10, 0.34)
    ground = jittered(draw, draw.choice(PAVEMENTS))
    back = draw.choice((_facade_strip, _hedge_strip, _lot_strip))
    back(canvas, draw, top)
    canvas.gradient(top, 1, (scaled(ground, 0.94), ground, scaled(ground, 1.05)))
    horizon = top - draw.uniform(0.15, 0.4)
    if draw.chance(0.6):
        size = draw.uniform(0.14, 0.26)
        canvas.floor(horizon, top, scaled(ground, 0.72), tile=(size, size * draw.choice((1, 1, 2))),
                     vanishing=draw.uniform(-0.8, 0.8), opacity=0.6)  # fmt: skip
    canvas.mottle((-9, top, 9, 1), scaled(ground, 0.8), (3, 5), phase(draw), opacity=0.35)
    if draw.chance(0.65):
        _verge(canvas, draw, top)
    for _ in range(draw.integer(0, 4)):
        _street_thing(canvas, draw, top + draw.uniform(-0.03, 0.06))
    if draw.chance(0.45):
        canvas.mottle(
            (-9, top, 9, 1), (0.10, 0.11, 0.14), (2.5, 6), phase(draw), opacity=0.45, level=0.1, sharpness=2.5
        )
    canvas.mottle((-9, top, 9, 1), scaled(ground, 0.6), (38, 52), phase(draw), opacity=0.16)
    warm = draw.uniform(-0.05, 0.05)
    bright = draw.uniform(0.88, 1.06)
    canvas.tint((bright * (1 + warm), bright, bright * (1 - warm)), draw.uniform(0.78, 1.0))
    canvas.vignette(draw.uniform(0.0, 0.12))


def _facade_strip(canvas: Canvas, draw: Draw, bottom: float) -> None:
    wall = jittered(draw, draw.choice(FACADES))
    canvas.gradient(0, bottom, (scaled(wall, 0.9), wall))
    count = draw.integer(3, 7)
    glass = draw.choice(((0.26, 0.32, 0.37), (0.35, 0.40, 0.42), (0.50, 0.56, 0.60)))
    canvas.panes((-1.0, -0.12, 1.0, bottom - 0.08), (count * 2, 1), (draw.uniform(0.5, 0.75), 0.9), glass)
    canvas.box((-9, bottom - 0.05, 9, bottom), scaled(wall, 0.62))
    canvas.mottle((-9, 0, 9, bottom), scaled(wall, 1.3), (4, 3), phase(draw), opacity=0.3)


def _hedge_strip(canvas: Canvas, draw: Draw, bottom: float) -> None:
    canvas.gradient(0, bottom, (draw.choice(SKIES)[1], mixed(draw.choice(GRASSES), (0.6, 0.65, 0.6), 0.5)))
    dark, light = draw.choice(LEAVES)
    x = -1.05
    while x < 1.05:
        radius = draw.uniform(0.10, 0.2)
        center = (x + radius, bottom - draw.uniform(0.3, 0.8) * radius)
        canvas.foliage(center, (radius * 1.3, radius), dark, light, phase(draw), leaf=0.018)
        x += radius * 1.4


def _lot_strip(canvas: Canvas, draw: Draw, bottom: float) -> None:
    far = jittered(draw, draw.choice(PAVEMENTS))
    canvas.gradient(0, bottom, (scaled(draw.choice(FACADES), 0.8), far))
    x = -1.0
    while x < 1.0:
        length = draw.uniform(0.3, 0.5)
        if draw.chance(0.75):
            car(canvas, draw, x, bottom - draw.uniform(0, 0.03), length)
        x += length * 1.15


def car(canvas: Canvas, draw: Draw, x: float, base: float, length: float) -> None:
    """Paint a car whose wheels stand at y = `base`, its left end at x."""
    paint = draw.choice(
        ((0.80, 0.80, 0.80), (0.20, 0.21, 0.24), (0.45, 0.16, 0.16), (0.30, 0.36, 0.44), (0.62, 0.63, 0.64))
    )
    height = length * 0.34
    canvas.ellipse((x + length / 2, base), (length * 0.52, 0.018), (0.1, 0.1, 0.12), opacity=0.6, soft=0.03)
    cabin = [(x + 0.25 * length, base - height), (x + 0.72 * length, base - height)]
    cabin += [(x + 0.9 * length, base - 0.55 * height), (x + 0.10 * length, base - 0.55 * height)]
    canvas.convex(cabin, scaled(paint, 0.9))
    glass = [(x + 0.28 * length, base - 0.94 * height), (x + 0.69 * length, base - 0.94 * height)]
    glass += [(x + 0.83 * length, base - 0.58 * height), (x + 0.18 * length, base - 0.58 * height)]
    canvas.convex(glass, (0.24, 0.28, 0.32))
    canvas.box((x, base - 0.58 * height, x + length, base - 0.14 * height), paint, soft=0.008)
    canvas.box((x, base - 0.28 * height, x + length, base - 0.14 * height), scaled(paint, 0.7), soft=0.01)
    for wheel in (0.2, 0.8):
        canvas.ellipse(
            (x + wheel * length, base - 0.13 * height), (0.09 * length, 0.09 * length), (0.12, 0.12, 0.13)
        )
        canvas.ellipse(
            (x + wheel * length, base - 0.13 * height), (0.05 * length, 0.05 * length), (0.55, 0.55, 0.56)
        )


def _verge(canvas: Canvas, draw: Draw, top: float) -> None:
    """A lawn, a road or another paving along one side, behind a kerb."""
    side = draw.choice((-1.0, 1.0))
    far, near = draw.uniform(-0.05, 0.25), draw.uniform(0.1, 0.55)
    color = jittered(draw, draw.choice((*GRASSES, *GRASSES, (0.34, 0.34, 0.36))))
    curb = 0.025

    def strip(shift: float) -> list[tuple[float, float]]:
        inner = [(side * (far + shift * 0.5), top), (side * (near + shift), 1.02)]
        outer = [(side * 1.5, 1.02), (side * 1.5, top)]
        corners = inner + outer
        return corners[::-1] if side > 0 else corners

    canvas.convex(strip(0.0), (0.72, 0.71, 0.69))
    canvas.convex(strip(curb * 0.8), (0.45, 0.45, 0.44))
    canvas.convex(strip(curb * 1.3), color)
    left, right = (-1.5, -min(far, near)) if side < 0 else (min(far, near), 1.5)
    canvas.mottle((left, top, right, 1), scaled(color, 0.75), (24, 40), phase(draw), opacity=0.12)


def _street_thing(canvas: Canvas, draw: Draw, base: float) -> None:
    """A passer-by, a bicycle, a post or a bush that stands at `base`."""
    x = draw.choice((-1.0, 1.0)) * draw.uniform(0.10, 0.5)
    thing = draw.choice(("person", "bicycle", "post", "bush", "person"))
    if thing == "person":
        passer_by(canvas, draw, x, base, draw.uniform(0.28, 0.5))
    elif thing == "bicycle":
        bicycle(canvas, draw, x, base, draw.uniform(0.07, 0.1))
    elif thing == "post":
        canvas.box((x - 0.012, base - 0.5, x + 0.012, base), scaled(draw.choice(PAVEMENTS), 0.7))
    else:
        bush(canvas, draw, x, base, draw.uniform(0.08, 0.16))


def bush(canvas: Canvas, draw: Draw, x: float, base: float, radius: float) -> None:
    """Paint a bush that stands at (x, base)."""
    dark, light = draw.choice(LEAVES)
    canvas.ellipse((x, base), (radius, 0.02), (0.1, 0.12, 0.1), opacity=0.5, soft=0.03)
    canvas.foliage((x, base - 0.6 * radius), (radius, 0.75 * radius), dark, light, phase(draw))


def passer_by(canvas: Canvas, draw: Draw, x: float, base: float, height: float) -> None:
    """Somebody far away and out of focus."""
    coat, trousers = jittered(draw, draw.choice(FABRICS)), scaled(draw.choice(FABRICS), 0.55)
    blur = 0.035 * height
    canvas.ellipse((x, base), (0.2 * height, 0.02), (0.1, 0.1, 0.12), opacity=0.5, soft=0.03)
    stride = draw.uniform(0.0, 0.08) * height
    for side in (-1, 1):
        hip, foot = x + side * 0.035 * height, x + side * (0.04 * height + stride)
        legs = [(hip - 0.04 * height, base - 0.5 * height), (hip + 0.04 * height, base - 0.5 * height)]
        canvas.convex(
            [*legs, (foot + 0.03 * height, base), (foot - 0.03 * height, base)], trousers, soft=blur
        )
        arm = x + side * 0.115 * height
        canvas.ellipse(
            (arm, base - 0.64 * height), (0.035 * height, 0.17 * height), scaled(coat, 0.85), soft=blur
        )
    canvas.ellipse((x, base - 0.64 * height), (0.105 * height, 0.20 * height), coat, soft=blur)
    canvas.ellipse((x, base - 0.91 * height), (0.055 * height, 0.075 * height), (0.66, 0.52, 0.43), soft=blur)
    canvas.ellipse((x, base - 0.945 * height), (0.06 * height, 0.055 * height), (0.16, 0.13, 0.12), soft=blur)


def bicycle(canvas: Canvas, draw: Draw, x: float, base: float, radius: float) -> None:
    """Paint a bicycle that stands at (x, base)."""
    frame = draw.choice(((0.60, 0.20, 0.18), (0.22, 0.34, 0.50), (0.18, 0.18, 0.19), (0.70, 0.70, 0.68)))
    canvas.ellipse((x, base), (2.2 * radius, 0.015), (0.1, 0.1, 0.12), opacity=0.45, soft=0.02)
    for wheel in (-1.25, 1.25):
        canvas.ellipse((x + wheel * radius, base - radius), (radius, radius), (0.13, 0.13, 0.14), hole=0.86)
    hub, seat, bar = (
        (x - 1.25 * radius, base - radius),
        (x - 0.45 * radius, base - 2.1 * radius),
        (x + 0.95 * radius, base - 2.3 * radius),
    )
    pedal = (x - 0.1 * radius, base - 0.9 * radius)
    for start, end in (
        (hub, pedal),
        (hub, seat),
        (seat, pedal),
        (pedal, bar),
        (seat, bar),
        (bar, (x + 1.25 * radius, base - radius)),
    ):
        canvas.line(start, end, 0.13 * radius, frame)
    canvas.line(
        (seat[0] - 0.3 * radius, seat[1]), (seat[0] + 0.3 * radius, seat[1]), 0.2 * radius, (0.1, 0.1, 0.1)
    )
