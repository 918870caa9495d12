"""Rooms: a wall, a floor, and furniture from left to right."""

import math

from pgt.synthetic.canvas import Canvas
from pgt.synthetic.draw import Draw
from pgt.synthetic.palettes import (
    FABRICS,
    LEAVES,
    PAVEMENTS,
    SKIES,
    WALLS,
    WOODS,
    Color,
    jittered,
    mixed,
    phase,
    scaled,
)  # fmt: skip


def paint_room(canvas: Canvas, draw: Draw) -> None:
    """Paint a room with its furniture along the wall."""
    wall, wood = jittered(draw, draw.choice(WALLS)), jittered(draw, draw.choice(WOODS))
    base = draw.uniform(0.62, 0.76)  # where the wall meets the floor
    canvas.gradient(0, base, (scaled(wall, 0.9), wall))
    _wallpaper(canvas, draw, wall, base)
    window = draw.uniform(-0.62, 0.62)
    if draw.chance(0.55):
        _window(canvas, draw, window, base)
    else:
        window = 9.0
    _floor(canvas, draw, wood, base)
    trim = mixed(wall, (0.95, 0.95, 0.94), 0.6)
    canvas.box((-9, base - 0.035, 9, base), trim)
    canvas.box((-9, base, 9, base + 0.012), scaled(wood, 0.45), opacity=0.6, soft=0.01)
    for _ in range(draw.integer(1, 4)):
        _picture(canvas, draw, window)
    pieces = [_sofa, _shelf, _cabinet, _plant, _lamp, _door, _table]
    x = -0.85
    while x < 0.8:  # from left to right along the wall
        x = draw.choice(pieces)(canvas, draw, x + draw.uniform(0.0, 0.16), base)


def _wallpaper(canvas: Canvas, draw: Draw, wall: Color, base: float) -> None:
    style = draw.choice(("plain", "stripes", "bricks", "panels", "plain"))
    if style == "stripes":
        count = draw.integer(14, 34)
        canvas.panes((-1.2, -0.1, 1.2, base), (count, 1), (0.5, 1.0), scaled(wall, 0.92))
    elif style == "bricks":
        step = base / draw.integer(26, 38)
        brick = mixed(wall, (0.62, 0.40, 0.32), draw.uniform(0.3, 0.9))
        rows = math.ceil(base / (2 * step))
        for shift in (0, 1):  # two grids of every other course, half a brick apart
            left, top = -1.2 - shift * 1.25 * step, base - 2 * rows * step + (shift - 0.5) * step
            canvas.panes(
                (left, top, left + 2.5, top + 2 * rows * step),
                (round(1 / step), rows),
                (0.9, 0.4),
                brick,
                0.75,
            )
    elif style == "panels":
        canvas.box((-9, base - 0.26, 9, base), scaled(wall, 1.06))
        canvas.panes((-1.2, base - 0.25, 1.2, base - 0.03), (10, 1), (0.8, 0.8), scaled(wall, 0.95))
        canvas.box((-9, base - 0.27, 9, base - 0.255), scaled(wall, 1.15))
    canvas.mottle((-9, 0, 9, base), scaled(wall, 0.85), (1.7, 1.3), phase(draw), opacity=0.35)


def _floor(canvas: Canvas, draw: Draw, wood: Color, base: float) -> None:
    horizon = base - draw.uniform(0.15, 0.35)
    style = draw.choice(("boards", "tiles", "carpet"))
    color = {
        "boards": wood,
        "tiles": jittered(draw, draw.choice(PAVEMENTS)),
        "carpet": jittered(draw, draw.choice(FABRICS)),
    }[style]
    canvas.gradient(base, 1, (scaled(color, 0.82), color, scaled(color, 1.04)))
    vanishing = draw.uniform(-0.3, 0.3)
    if style == "boards":
        canvas.floor(
            horizon, base, scaled(color, 0.6), tile=(0.12, 0.0), vanishing=vanishing, gap=0.07, opacity=0.7
        )
        canvas.mottle((-9, base, 9, 1), scaled(color, 0.75), (4, 30), phase(draw), opacity=0.3)
    elif style == "tiles":
        canvas.floor(horizon, base, scaled(color, 0.7), tile=(0.2, 0.2), vanishing=vanishing, gap=0.05)
    else:
        canvas.mottle((-9, base, 9, 1), scaled(color, 0.85), (40, 60), phase(draw), opacity=0.4)
    if style != "carpet" and draw.chance(0.5):
        rug, center = jittered(draw, draw.choice(FABRICS)), draw.uniform(-0.3, 0.3)
        near, far = draw.uniform(0.90, 0.97), base + 0.06
        for inset, shade in ((0.0, 0.8), (0.025, 1.15), (0.045, 1.0)):
            back, front, short = 0.33 - inset, 0.45 - inset, inset / 2
            corners = [(center - back, far + short), (center + back, far + short)]
            corners += [(center + front, near - short), (center - front, near - short)]
            canvas.convex(corners, scaled(rug, shade))


def _window(canvas: Canvas, draw: Draw, x: float, base: float) -> None:
    width, top = draw.uniform(0.14, 0.24), draw.uniform(0.06, 0.14)
    bottom = draw.uniform(0.38, 0.5)
    sky, low = draw.choice(SKIES)
    frame = (0.93, 0.93, 0.91)
    canvas.box((x - width - 0.02, top - 0.02, x + width + 0.02, bottom + 0.02), frame)
    for row in range(4):
        share = row / 3
        canvas.box(
            (x - width, top + share * 0.75 * (bottom - top), x + width, bottom),
            mixed(scaled(sky, 1.1), low, share),
        )
    _, light = draw.choice(LEAVES)
    canvas.box((x - width, bottom - 0.07, x + width, bottom), mixed(light, low, 0.35), soft=0.02)
    canvas.box((x - 0.008, top, x + 0.008, bottom), frame)
    canvas.box((x - width, (top + bottom) / 2 - 0.006, x + width, (top + bottom) / 2 + 0.006), frame)
    canvas.box((x - width - 0.04, bottom + 0.015, x + width + 0.04, bottom + 0.04), scaled(frame, 0.92))
    if draw.chance(0.6):
        cloth = jittered(draw, draw.choice(FABRICS))
        for side in (-1, 1):
            edge = x + side * (width + 0.03)
            left, right = min(edge, edge - side * 0.13), max(edge, edge - side * 0.13)
            canvas.box((left, top - 0.05, right, min(bottom + 0.16, base - 0.02)), cloth)
            canvas.panes(
                (left, top - 0.05, right, min(bottom + 0.16, base - 0.02)),
                (5, 1),
                (0.4, 1),
                scaled(cloth, 0.82),
            )
        canvas.box((x - width - 0.1, top - 0.06, x + width + 0.1, top - 0.045), (0.35, 0.3, 0.25))


def _picture(canvas: Canvas, draw: Draw, window: float) -> None:
    x, y = draw.uniform(-0.8, 0.8), draw.uniform(0.14, 0.34)
    width, height = draw.uniform(0.05, 0.1), draw.uniform(0.05, 0.1)
    if abs(x - window) < width + 0.32:
        return
    inner = (x - width + 0.022, y - height + 0.022, x + width - 0.022, y + height - 0.022)
    canvas.box(
        (x - width + 0.006, y - height + 0.01, x + width + 0.012, y + height + 0.016),
        (0.1, 0.1, 0.1),
        opacity=0.3,
        soft=0.015,
    )
    canvas.box(
        (x - width, y - height, x + width, y + height),
        draw.choice((*WOODS, (0.15, 0.15, 0.16), (0.92, 0.92, 0.90))),
    )
    canvas.box(tuple(a - s * 0.012 for a, s in zip(inner, (1, 1, -1, -1), strict=True)), (0.94, 0.93, 0.90))
    sky, land = draw.choice(FABRICS), draw.choice(FABRICS)
    canvas.box(inner, mixed(sky, (0.9, 0.9, 0.85), 0.4))
    line = inner[1] + (inner[3] - inner[1]) * draw.uniform(0.4, 0.75)
    canvas.box((inner[0], line, inner[2], inner[3]), land)
    canvas.ellipse(
        (draw.uniform(inner[0] + 0.02, inner[2] - 0.01), line - 0.02), (0.018, 0.018), draw.choice(FABRICS)
    )


def _shadow(canvas: Canvas, x: float, right: float, y: float) -> None:
    canvas.ellipse(
        ((x + right) / 2, y), ((right - x) * 0.55, 0.02), (0.06, 0.05, 0.05), opacity=0.5, soft=0.03
    )


def _sofa(canvas: Canvas, draw: Draw, x: float, base: float) -> float:
    cloth, width, y = jittered(draw, draw.choice(FABRICS)), draw.uniform(0.42, 0.6), base + 0.085
    right = x + width
    _shadow(canvas, x, right, y)
    canvas.box((x + 0.03, y - 0.27, right - 0.03, y - 0.05), scaled(cloth, 0.92), soft=0.02)
    seats = draw.integer(2, 4)
    for seat in range(seats):
        left = x + 0.05 + seat * (width - 0.1) / seats
        canvas.box(
            (left + 0.004, y - 0.255, left + (width - 0.1) / seats - 0.004, y - 0.13),
            scaled(cloth, 1.02),
            soft=0.012,
        )
        canvas.box(
            (left + 0.003, y - 0.14, left + (width - 0.1) / seats - 0.003, y - 0.085),
            scaled(cloth, 1.12),
            soft=0.01,
        )
    canvas.box((x + 0.04, y - 0.085, right - 0.04, y - 0.015), scaled(cloth, 0.8), soft=0.01)
    for arm in (x, right - 0.06):
        canvas.box((arm, y - 0.19, arm + 0.06, y - 0.01), scaled(cloth, 1.05), soft=0.02)
    if draw.chance(0.7):
        cushion = x + draw.uniform(0.1, width - 0.12)
        canvas.ellipse((cushion, y - 0.165), (0.05, 0.045), draw.choice(FABRICS), soft=0.012)
    return right


def _shelf(canvas: Canvas, draw: Draw, x: float, base: float) -> float:
    wood, width, top = jittered(draw, draw.choice(WOODS)), draw.uniform(0.2, 0.32), draw.uniform(0.12, 0.3)
    right, bottom = x + width, base + 0.03
    _shadow(canvas, x, right, bottom)
    canvas.box((x, top, right, bottom), wood)
    canvas.box((x + 0.012, top + 0.012, right - 0.012, bottom - 0.02), scaled(wood, 0.55))
    rows = draw.integer(3, 6)
    step = (bottom - top - 0.03) / rows
    for row in range(rows):
        floor = top + 0.012 + (row + 1) * step
        book = x + 0.016
        while book < right - 0.04:
            thick = draw.uniform(0.018, 0.04)
            if draw.chance(0.8):
                tall = step * draw.uniform(0.55, 0.85)
                canvas.box(
                    (book, floor - 0.012 - tall, book + thick - 0.002, floor - 0.012),
                    jittered(draw, draw.choice(FABRICS), 0.08),
                )
            book += thick
        canvas.box((x, floor - 0.012, right, floor), wood)
    return right


def _cabinet(canvas: Canvas, draw: Draw, x: float, base: float) -> float:
    wood, width = jittered(draw, draw.choice((*WOODS, (0.86, 0.85, 0.82)))), draw.uniform(0.26, 0.45)
    right, bottom = x + width, base + 0.05
    top = bottom - draw.uniform(0.2, 0.3)
    _shadow(canvas, x, right, bottom)
    canvas.box((x, top, right, bottom - 0.02), wood)
    columns, rows = draw.integer(2, 4), draw.integer(1, 3)
    canvas.panes(
        (x + 0.01, top + 0.02, right - 0.01, bottom - 0.03), (columns, rows), (0.93, 0.9), scaled(wood, 0.9)
    )
    canvas.panes(
        (x + 0.01, top + 0.02, right - 0.01, bottom - 0.03), (columns, rows), (0.14, 0.06), scaled(wood, 0.4)
    )
    canvas.box((x - 0.01, top - 0.012, right + 0.01, top + 0.006), scaled(wood, 1.12))
    if draw.chance(0.6):
        vase = x + draw.uniform(0.05, width - 0.05)
        dark, light = draw.choice(LEAVES)
        canvas.foliage((vase, top - 0.12), (0.05, 0.06), dark, light, phase(draw), leaf=0.012)
        canvas.ellipse((vase, top - 0.045), (0.022, 0.036), draw.choice(FABRICS))
    return right


def _plant(canvas: Canvas, draw: Draw, x: float, base: float) -> float:
    size, y = draw.uniform(0.09, 0.14), base + 0.06
    dark, light = draw.choice(LEAVES[:3])
    center = x + size
    _shadow(canvas, center - 0.06, center + 0.06, y)
    canvas.line((center, y - 0.1), (center, y - 0.12 - size), 0.012, scaled(dark, 1.2))
    canvas.foliage(
        (center, y - 0.14 - 1.1 * size), (size * 0.85, size * 1.15), dark, light, phase(draw), leaf=0.022
    )
    pot = jittered(draw, draw.choice(((0.66, 0.42, 0.32), (0.85, 0.84, 0.81), (0.36, 0.38, 0.40))))
    canvas.convex(
        [(center - 0.055, y - 0.1), (center + 0.055, y - 0.1), (center + 0.04, y), (center - 0.04, y)], pot
    )
    canvas.box((center - 0.06, y - 0.105, center + 0.06, y - 0.085), scaled(pot, 1.1))
    return x + 2 * size


def _lamp(canvas: Canvas, draw: Draw, x: float, base: float) -> float:
    center, y, top = x + 0.08, base + 0.05, draw.uniform(0.22, 0.34)
    canvas.ellipse((center, top + 0.05), (0.3, 0.3), (1.0, 0.93, 0.78), opacity=0.35, soft=0.29)
    canvas.box((center - 0.006, top + 0.1, center + 0.006, y), (0.24, 0.22, 0.21))
    canvas.ellipse((center, y), (0.05, 0.012), (0.20, 0.19, 0.18))
    shade = [
        (center - 0.045, top),
        (center + 0.045, top),
        (center + 0.075, top + 0.11),
        (center - 0.075, top + 0.11),
    ]
    canvas.convex(shade, (0.96, 0.90, 0.78))
    return x + 0.16


def _door(canvas: Canvas, draw: Draw, x: float, base: float) -> float:
    color = jittered(draw, draw.choice((*WOODS, (0.88, 0.87, 0.84), (0.88, 0.87, 0.84))))
    width, top = 0.27, draw.uniform(0.02, 0.12)
    canvas.box((x - 0.02, top - 0.02, x + width + 0.02, base), mixed(color, (0.95, 0.95, 0.93), 0.6))
    canvas.box((x, top, x + width, base), color)
    canvas.panes(
        (x + 0.015, top + 0.02, x + width - 0.015, base - 0.03), (2, 2), (0.74, 0.86), scaled(color, 0.88)
    )
    canvas.ellipse((x + width - 0.025, (top + base) / 2 + 0.03), (0.009, 0.009), (0.75, 0.68, 0.5))
    return x + width


def _table(canvas: Canvas, draw: Draw, x: float, base: float) -> float:
    wood, width, y = jittered(draw, draw.choice(WOODS)), draw.uniform(0.3, 0.42), base + 0.11
    right, top = x + width, y - draw.uniform(0.2, 0.24)
    _shadow(canvas, x, right, y)
    for leg in (x + 0.02, right - 0.04):
        canvas.box((leg, top, leg + 0.02, y), scaled(wood, 0.7))
    canvas.box((x + 0.02, top, right - 0.02, top + 0.03), scaled(wood, 0.75))
    canvas.convex(
        [(x + 0.03, top - 0.035), (right - 0.03, top - 0.035), (right, top + 0.006), (x, top + 0.006)],
        scaled(wood, 1.15),
    )
    for _ in range(draw.integer(0, 3)):
        thing = draw.uniform(x + 0.07, right - 0.07)
        canvas.box((thing - 0.018, top - 0.07, thing + 0.018, top - 0.012), draw.choice(FABRICS), soft=0.005)
    return right
