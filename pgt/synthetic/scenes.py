"""What stands behind the people: studios, streets and places full of things, each from one seed.

A scene is painted in image heights (see `canvas`), so it is the same at every resolution.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pgt.synthetic.canvas import Canvas
from pgt.synthetic.draw import SPLITS, Draw
from pgt.synthetic.foreground import paint_foreground
from pgt.synthetic.outdoors import paint_houses, paint_park
from pgt.synthetic.palettes import BACKDROPS, jittered, mixed, scaled
from pgt.synthetic.rooms import paint_room
from pgt.synthetic.shading import Light
from pgt.synthetic.street import paint_street

SCENES = ("plain", "street", "cluttered", "obstructed")
KEY_LIGHT = {"plain": 0.66, "street": 0.60, "cluttered": 0.64, "obstructed": 0.64}  # how strong it is
# cluttered place -> (how to paint it, how often it occurs)
PLACES = {"room": (paint_room, 5), "houses": (paint_houses, 4), "park": (paint_park, 3)}


@dataclass(frozen=True)
class Background:
    """A scene: the same seed and kind (one of `SCENES`) give the same one everywhere.

    "obstructed" is "cluttered" with things that stand nearer than the person, see `draw_foreground`.
    """

    seed: int
    kind: str = "plain"

    def __post_init__(self) -> None:
        if self.kind not in SCENES:
            raise ValueError(f"a background is one of {', '.join(SCENES)}, not {self.kind!r}")


def draw_background(background: Background, size: tuple[int, int]) -> np.ndarray:
    """Paint a scene.

    Args:
        background: which.
        size: (H, W) in pixels; another width shows more or less of the same scene.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    canvas = Canvas(size)
    PAINTERS[background.kind](canvas, _stream(background))
    return canvas.picture()


def draw_foreground(background: Background, size: tuple[int, int]) -> np.ndarray | None:
    """Say how much of each pixel belongs to what stands nearer than the person.

    Returns:
        (H, W) float32 in [0, 1], shadows on the ground included; None if nothing stands there.
    """
    if background.kind != "obstructed":
        return None
    stream = _stream(background)
    seed, place = stream.seed(), _place(stream)
    black, white = Canvas(size), Canvas(size)
    white.planes += 1
    for canvas in (black, white):  # what is opaque looks alike on both
        paint_foreground(canvas, Draw(seed), place)
    return (1 - (white.planes - black.planes).mean(0)).clip(0, 1)


def _stream(background: Background) -> Draw:
    return Draw(background.seed, SCENES.index(background.kind))


def light_of(background: Background) -> Light:
    """Return the light that suits a scene: soft and white in a studio, from one side and tinted elsewhere."""
    draw = Draw(background.seed, 7)
    side = draw.choice((-1.0, 1.0)) * draw.uniform(0.25, 0.75)
    warm = draw.uniform(-0.04, 0.04) if background.kind != "plain" else 0.0
    strong = KEY_LIGHT[background.kind] * draw.uniform(0.92, 1.06)
    ambient = 1.17 - strong
    return Light(
        direction=(side, -draw.uniform(0.5, 0.85), 0.75),
        key=(strong + warm, strong, strong - warm),
        sky=(ambient - 0.02 - warm / 2, ambient, ambient + 0.03 + warm / 2),
        ground=(0.27 + warm / 2, 0.26, 0.25 - warm / 2),
    )


def _plain(canvas: Canvas, draw: Draw) -> None:
    """A studio: paper that bends from wall to floor, lit by a soft lamp."""
    wall = jittered(draw, draw.choice(BACKDROPS))
    bend = draw.uniform(0.74, 0.84)
    floor = scaled(wall, draw.uniform(0.90, 1.03))
    canvas.gradient(0, bend, (scaled(wall, draw.uniform(0.92, 1.0)), wall))
    canvas.gradient(bend, 1, (wall, mixed(wall, scaled(wall, 0.93), 0.8), floor, floor))
    lamp = (draw.uniform(-0.25, 0.25), draw.uniform(0.25, 0.45))
    canvas.ellipse(lamp, (0.32, 0.36), (1.0, 1.0, 1.0), opacity=draw.uniform(0.15, 0.4), soft=0.75)
    canvas.vignette(draw.uniform(0.03, 0.10), lamp)


def _place(draw: Draw) -> str:
    return draw.choice([*PLACES], [weight for _, weight in PLACES.values()])


def _cluttered(canvas: Canvas, draw: Draw) -> None:
    """A room, a row of houses or a park."""
    PLACES[_place(draw)][0](canvas, draw)
    _expose(canvas, draw)


def _obstructed(canvas: Canvas, draw: Draw) -> None:
    """The same with things in front, drawn from a stream that `draw_foreground` can repeat."""
    seed, place = draw.seed(), _place(draw)
    PLACES[place][0](canvas, draw)
    paint_foreground(canvas, Draw(seed), place)
    _expose(canvas, draw)


def _expose(canvas: Canvas, draw: Draw) -> None:
    bright, warm = draw.uniform(0.9, 1.05), draw.uniform(-0.04, 0.04)
    canvas.tint((bright * (1 + warm), bright, bright * (1 - warm)), draw.uniform(0.85, 1.0))
    canvas.vignette(draw.uniform(0.0, 0.09))


PAINTERS: dict[str, Callable[[Canvas, Draw], None]] = {
    "plain": _plain,
    "street": paint_street,
    "cluttered": _cluttered,
    "obstructed": _obstructed,
}


class SyntheticScenes:
    """Pictures without people, for background networks: number i is the same on every machine.

    What has been painted is kept in memory.

    Args:
        split: "train", "val" or "test".
        size: (H, W) in pixels.
        count: how many.
    """

    def __init__(self, split: str, size: tuple[int, int], count: int) -> None:
        self.split, self.size, self.count = split, tuple(size), count
        self._painted: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> np.ndarray:
        """Paint scene number `index`, (H, W, 3) uint8."""
        if not 0 <= index < self.count:
            raise IndexError(f"Scene {index} of {self.count}.")
        if index not in self._painted:
            self._painted[index] = self._paint(index)
        return self._painted[index]

    def _paint(self, index: int) -> np.ndarray:
        kind = Draw(SPLITS[self.split], index).choice(SCENES[:3], (1, 2, 5))  # as cluttered as places are
        seed = SPLITS[self.split] * 2**33 + 2**32 + index  # behind no person: theirs end below 2**32
        return draw_background(Background(seed, kind), self.size)
