"""Outdoors: a row of houses, a park."""

from pgt.synthetic.canvas import Canvas
from pgt.synthetic.draw import Draw
from pgt.synthetic.palettes import (
    FABRICS,
    FACADES,
    GRASSES,
    LEAVES,
    PAVEMENTS,
    SKIES,
    WOODS,
    jittered,
    mixed,
    phase,
    scaled,
)  # fmt: skip
from pgt.synthetic.street import bicycle, bush, car, passer_by


def _sky(canvas: Canvas, draw: Draw, horizon: float) -> None:
    high, low = draw.choice(SKIES)
    canvas.gradient(0, horizon, (high, low))
    canvas.mottle(
        (-9, 0, 9, horizon),
        (0.95, 0.95, 0.96),
        (1.6, 4.5),
        phase(draw),
        opacity=0.55,
        level=0.1,
        sharpness=1.4,
    )


def paint_houses(canvas: Canvas, draw: Draw) -> None:
    """Paint a row of houses, a road before them and a pavement before that."""
    base = draw.uniform(0.58, 0.72)
    _sky(canvas, draw, base)
    x = -1.15
    while x < 1.15:
        width = draw.uniform(0.3, 0.6)
        _house(canvas, draw, x, x + width, draw.uniform(-0.05, 0.3), base)
        x += width + (draw.uniform(0.02, 0.12) if draw.chance(0.25) else 0.0)
    pavement, road = jittered(draw, draw.choice(PAVEMENTS)), (0.36, 0.36, 0.38)
    canvas.gradient(base, 1, (scaled(road, 1.1), road))
    _along_the_street(canvas, draw, base + 0.02)
    curb = base + draw.uniform(0.07, 0.12)
    canvas.gradient(curb, 1, (scaled(pavement, 0.9), pavement, scaled(pavement, 1.05)))
    canvas.box((-9, curb, 9, curb + 0.012), scaled(pavement, 1.25))
    canvas.floor(
        base - 0.2,
        curb + 0.012,
        scaled(pavement, 0.7),
        tile=(0.2, 0.2),
        vanishing=draw.uniform(-0.4, 0.4),
        opacity=0.55,
    )
    canvas.mottle((-9, curb, 9, 1), scaled(pavement, 0.75), (3, 7), phase(draw), opacity=0.3)
    for _ in range(draw.integer(1, 4)):
        _on_the_pavement(canvas, draw, curb + draw.uniform(0.02, 0.05))


def _house(canvas: Canvas, draw: Draw, left: float, right: float, top: float, base: float) -> None:
    wall = jittered(draw, draw.choice(FACADES), 0.05)
    canvas.box((left, top, right, base), wall)
    canvas.box((left, top, left + 0.04, base), scaled(wall, 0.85), opacity=0.5, soft=0.06)
    canvas.box((left - 0.008, top - 0.012, right + 0.008, top + 0.014), scaled(wall, draw.choice((0.7, 1.2))))
    ground = base - draw.uniform(0.14, 0.18)
    columns = max(2, round((right - left) / draw.uniform(0.085, 0.14)))
    rows = max(1, round((ground - top) / draw.uniform(0.1, 0.15)))
    area = (left + 0.02, top + 0.03, right - 0.02, ground)
    glass = draw.choice(((0.24, 0.30, 0.36), (0.34, 0.41, 0.46), (0.52, 0.60, 0.67)))
    wide, tall = draw.uniform(0.42, 0.72), draw.uniform(0.5, 0.74)
    canvas.panes(area, (columns, rows), (wide + 0.1, tall + 0.08), scaled(wall, draw.choice((0.8, 1.25))))
    canvas.panes(area, (columns, rows), (wide, tall), glass)
    canvas.panes(area, (columns, rows), (0.04, tall), scaled(wall, 1.2))
    canvas.mottle(area, (0.85, 0.88, 0.9), (3, 2), phase(draw), opacity=0.15)
    if draw.chance(0.6):  # a shop with an awning
        shop = (left + 0.03, ground + 0.025, right - 0.03, base)
        canvas.box(shop, (0.20, 0.22, 0.24))
        canvas.panes(shop, (max(1, columns // 2), 1), (0.9, 0.86), scaled(glass, 1.15))
        cloth = jittered(draw, draw.choice(FABRICS))
        awning = (left + 0.02, ground, right - 0.02, ground + 0.045)
        canvas.box(awning, cloth)
        canvas.panes(awning, (max(3, columns * 2), 1), (0.5, 1.0), (0.92, 0.90, 0.86), 0.85)
    else:
        door = draw.uniform(left + 0.05, right - 0.1)
        canvas.box((door, ground + 0.02, door + 0.07, base), scaled(draw.choice(WOODS), 0.7))
        canvas.panes((left + 0.02, ground + 0.02, door - 0.01, base - 0.04), (2, 1), (0.6, 0.8), glass)


def _along_the_street(canvas: Canvas, draw: Draw, y: float) -> None:
    x = -0.95
    while x < 0.9:
        if draw.chance(0.45):
            length = draw.uniform(0.3, 0.42)
            car(canvas, draw, x, y + 0.03, length)
            x += length
        elif draw.chance(0.5):
            passer_by(canvas, draw, x, y, draw.uniform(0.2, 0.26))
        x += draw.uniform(0.1, 0.35)


def _on_the_pavement(canvas: Canvas, draw: Draw, y: float) -> None:
    x = draw.uniform(-0.8, 0.8)
    thing = draw.choice(("tree", "bicycle", "post", "person", "bush"))
    if thing == "tree":
        _tree(canvas, draw, x, y, draw.uniform(0.14, 0.22))
    elif thing == "bicycle":
        bicycle(canvas, draw, x, y, 0.065)
    elif thing == "post":
        canvas.box((x - 0.01, 0.06, x + 0.01, y), (0.22, 0.23, 0.24))
        canvas.ellipse((x, 0.06), (0.035, 0.03), (0.92, 0.90, 0.80))
    elif thing == "person":
        passer_by(canvas, draw, x, y, draw.uniform(0.26, 0.34))
    else:
        bush(canvas, draw, x, y, draw.uniform(0.06, 0.1))


def _tree(canvas: Canvas, draw: Draw, x: float, base: float, radius: float) -> None:
    dark, light = draw.choice(LEAVES)
    bark = scaled(draw.choice(WOODS), 0.6)
    crown = base - radius * draw.uniform(2.0, 2.6)
    canvas.ellipse((x, base), (radius, 0.022), (0.08, 0.1, 0.08), opacity=0.45, soft=0.04)
    canvas.convex([(x - 0.014, crown), (x + 0.014, crown), (x + 0.024, base), (x - 0.024, base)], bark)
    canvas.line((x, crown + 0.7 * radius), (x + 0.5 * radius, crown), 0.012, bark)
    for dx, dy, size in ((-0.5, 0.15, 0.75), (0.5, 0.1, 0.75), (0.0, -0.3, 0.9)):
        center = (x + dx * radius, crown + dy * radius)
        canvas.foliage(center, (radius * size, radius * size * 0.85), dark, light, phase(draw), leaf=0.02)


def paint_park(canvas: Canvas, draw: Draw) -> None:
    """Paint a meadow with a path, trees and hills."""
    base = draw.uniform(0.48, 0.62)
    _sky(canvas, draw, base)
    grass, haze = jittered(draw, draw.choice(GRASSES)), draw.choice(SKIES)[1]
    hill = mixed(grass, haze, 0.6)
    for _ in range(2):
        canvas.ellipse(
            (draw.uniform(-0.8, 0.8), base + 0.02),
            (draw.uniform(0.5, 0.9), draw.uniform(0.08, 0.2)),
            hill,
            soft=0.004,
        )
        hill = mixed(hill, grass, 0.4)
    dark, light = draw.choice(LEAVES)
    for i in range(9):  # a line of trees in the haze
        center = (-1.1 + i * 0.27 + draw.uniform(-0.06, 0.06), base - draw.uniform(0.01, 0.06))
        radius = draw.uniform(0.07, 0.13)
        canvas.foliage(
            center, (radius * 1.3, radius), mixed(dark, haze, 0.35), mixed(light, haze, 0.35), phase(draw)
        )
    canvas.gradient(base, 1, (mixed(grass, haze, 0.25), grass, scaled(grass, 0.92)))
    canvas.mottle((-9, base, 9, 1), scaled(grass, 0.72), (4, 14), phase(draw), opacity=0.5)
    canvas.mottle((-9, base, 9, 1), scaled(grass, 1.25), (26, 44), phase(draw), opacity=0.25)
    _path(canvas, draw, base)
    if draw.chance(0.45):
        _fence(canvas, draw, base)
    for _ in range(draw.integer(2, 5)):
        x, y = draw.choice((-1, 1)) * draw.uniform(0.15, 0.9), base + draw.uniform(0.03, 0.12)
        thing = draw.choice((_tree, _tree, bench, bush, passer_by))
        sizes = {_tree: (0.12, 0.22), bench: (0.09, 0.12), bush: (0.07, 0.12), passer_by: (0.2, 0.28)}
        thing(canvas, draw, x, y, draw.uniform(*sizes[thing]))


def _path(canvas: Canvas, draw: Draw, base: float) -> None:
    sand = jittered(draw, (0.72, 0.66, 0.55))
    far, near = draw.uniform(-0.35, 0.35), draw.uniform(-0.25, 0.25)
    for widen, color in ((0.02, scaled(sand, 0.75)), (0.0, sand)):
        canvas.convex(
            [
                (far - 0.02, base),
                (far + 0.02, base),
                (near + 0.36 + widen, 1.02),
                (near - 0.36 - widen, 1.02),
            ],
            color,
            soft=0.006,
        )


def _fence(canvas: Canvas, draw: Draw, base: float) -> None:
    wood, y = jittered(draw, draw.choice((*WOODS, (0.88, 0.88, 0.86)))), base + 0.05
    canvas.panes((-1.2, y - 0.13, 1.2, y), (draw.integer(26, 50), 1), (0.4, 1.0), wood)
    for rail in (0.11, 0.04):
        canvas.box((-9, y - rail, 9, y - rail + 0.014), scaled(wood, 0.85))


def bench(canvas: Canvas, draw: Draw, x: float, base: float, size: float) -> None:
    """Paint a bench that stands at (x, base), about as high as `size`, twice as wide."""
    wood = jittered(draw, draw.choice(WOODS))
    canvas.ellipse((x, base), (size * 1.3, 0.016), (0.08, 0.1, 0.08), opacity=0.45, soft=0.02)
    for leg in (-0.9, 0.8):
        canvas.box((x + leg * size, base - 0.55 * size, x + (leg + 0.1) * size, base), (0.2, 0.2, 0.21))
    for board in range(3):
        y = base - (1.25 - 0.22 * board) * size
        canvas.box((x - size, y, x + size, y + 0.15 * size), scaled(wood, 1.05 - 0.08 * board))
    canvas.box((x - 1.05 * size, base - 0.58 * size, x + 1.05 * size, base - 0.46 * size), wood)
