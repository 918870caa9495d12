"""Things that stand nearer than the person and hide parts of them: bushes, benches, bicycles, armchairs."""

from collections.abc import Callable

from pgt.synthetic.canvas import Canvas
from pgt.synthetic.draw import Draw
from pgt.synthetic.outdoors import bench
from pgt.synthetic.palettes import FABRICS, LEAVES, WOODS, jittered, phase, scaled
from pgt.synthetic.street import bicycle, bush

Thing = Callable[[Canvas, Draw, float, float, float], None]


def paint_foreground(canvas: Canvas, draw: Draw, place: str) -> None:
    """Paint what stands between the viewer and the person.

    Everything has its foot at the lower edge of the picture, nearer than anybody's feet (see `draw_camera`).

    Args:
        canvas: what is there stays behind.
        draw: the stream of random numbers.
        place: "room", "houses" or "park".
    """
    things = THINGS[place]
    count = draw.integer(1, 4)
    for i in range(count):  # spread over the width: one heap of things would hide nobody else
        x = -0.45 + 0.9 * (i + draw.uniform(0.1, 0.9)) / count
        thing, low, high = draw.choice(things)
        thing(canvas, draw, x, draw.uniform(0.94, 1.04), draw.uniform(low, high))


def _armchair(canvas: Canvas, draw: Draw, x: float, base: float, size: float) -> None:
    """Seen from behind: a rounded back between two arms."""
    cloth, height = jittered(draw, draw.choice(FABRICS)), size * draw.uniform(1.5, 1.9)
    arm, top = base - 0.55 * height, base - height
    for side in (-1, 1):
        canvas.ellipse((x + side * size, arm), (0.2 * size, 0.16 * size), scaled(cloth, 0.9))
        canvas.box((x + (side - 0.2) * size, arm, x + (side + 0.2) * size, base - 0.02), scaled(cloth, 0.78))
    canvas.ellipse((x, top + 0.1 * size), (0.86 * size, 0.28 * size), scaled(cloth, 1.1), soft=0.004)
    canvas.box((x - 0.86 * size, top + 0.1 * size, x + 0.86 * size, base - 0.03), cloth, soft=0.004)
    canvas.box(
        (x - 0.86 * size, base - 0.3 * height, x + 0.86 * size, base - 0.03), scaled(cloth, 0.85), soft=0.06
    )
    for leg in (-0.95, 0.85):
        canvas.box((x + leg * size, base - 0.04, x + (leg + 0.1) * size, base), (0.2, 0.15, 0.12))


def _chair(canvas: Canvas, draw: Draw, x: float, base: float, size: float) -> None:
    """A wooden chair from behind, with bars that let the person through."""
    wood = jittered(draw, draw.choice(WOODS))
    height = 3.0 * size
    canvas.box((x - size, base - 0.52 * height, x + size, base - 0.44 * height), scaled(wood, 0.85))
    canvas.panes((x - size, base - 0.97 * height, x + size, base - 0.5 * height), (5, 1), (0.3, 1.0), wood)
    canvas.box((x - size, base - height, x + size, base - 0.92 * height), scaled(wood, 1.1))
    for leg in (-1.0, 0.8):
        canvas.box((x + leg * size, base - height, x + (leg + 0.2) * size, base), scaled(wood, 0.95))


def _pot(canvas: Canvas, draw: Draw, x: float, base: float, size: float) -> None:
    """A plant in a pot."""
    dark, light = draw.choice(LEAVES[:3])
    canvas.foliage((x, base - 1.7 * size), (0.8 * size, size), dark, light, phase(draw), leaf=0.03)
    pot = jittered(draw, draw.choice(((0.66, 0.42, 0.32), (0.85, 0.84, 0.81), (0.36, 0.38, 0.40))))
    top = base - 0.85 * size
    canvas.convex(
        [(x - 0.5 * size, top), (x + 0.5 * size, top), (x + 0.36 * size, base), (x - 0.36 * size, base)], pot
    )
    canvas.box((x - 0.55 * size, top - 0.02, x + 0.55 * size, top + 0.03), scaled(pot, 1.1))


def _bollard(canvas: Canvas, draw: Draw, x: float, base: float, size: float) -> None:
    stone = jittered(draw, draw.choice(((0.30, 0.31, 0.33), (0.62, 0.60, 0.57), (0.70, 0.30, 0.24))))
    canvas.box((x - 0.22 * size, base - 2.2 * size, x + 0.22 * size, base), stone, soft=0.006)
    canvas.ellipse((x, base - 2.2 * size), (0.25 * size, 0.14 * size), scaled(stone, 1.12))
    canvas.box((x - 0.22 * size, base - 1.8 * size, x + 0.22 * size, base - 1.6 * size), (0.88, 0.87, 0.84))


def _fence(canvas: Canvas, draw: Draw, x: float, base: float, size: float) -> None:
    """A piece of a fence."""
    wood = jittered(draw, draw.choice((*WOODS, (0.88, 0.88, 0.86))))
    left, right, top = x - 1.6 * size, x + 1.6 * size, base - 1.3 * size
    canvas.panes((left, top, right, base), (draw.integer(7, 13), 1), (0.5, 1.0), wood)
    for rail in (0.2, 0.75):
        y = top + rail * (base - top)
        canvas.box((left, y, right, y + 0.022), scaled(wood, 0.85))


# place -> (how to paint a thing, its least and largest size in image heights)
THINGS: dict[str, tuple[tuple[Thing, float, float], ...]] = {
    "room": ((_armchair, 0.12, 0.17), (_chair, 0.075, 0.1), (_pot, 0.11, 0.15)),
    "houses": ((bush, 0.15, 0.24), (bicycle, 0.1, 0.13), (_bollard, 0.11, 0.15), (_pot, 0.12, 0.17)),
    "park": ((bush, 0.16, 0.26), (bench, 0.16, 0.22), (_fence, 0.17, 0.24)),
}
