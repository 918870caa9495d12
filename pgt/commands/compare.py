"""`pgt compare`: one source, one target pose, and what every approach and baseline makes of them.

Each method works in its own frame: synthetic people are rendered anew in it, photographs are fitted into it.
Its picture is scored there, against the truth in the same frame. The source's scores are those of copying it.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pgt.commands.common import check_suffix, set_threads, write_picture
from pgt.commands.generate import note, target_person
from pgt.commands.methods import NON_ICONIC, bundled_generators, crop_rivals, named_weights
from pgt.data.person import Pair, Person
from pgt.files import replace_bytes
from pgt.synthetic.people import SyntheticPeople

if TYPE_CHECKING:
    from pgt.evaluation import Score
    from pgt.predictor import Predictor

FRAME = (128, 128)  # of methods without one, if no other has any
CAPTION = ("PSNR {psnr:.1f}, SSIM {ssim:.3f}", "person: SSIM {foreground_ssim:.3f}")  # lines of it
MARGIN = 6  # pixels between pictures


@dataclass(eq=False)
class SyntheticCase:
    """Pair number `index` of synthetic people, rendered in any frame: pose 0 is given, pose 1 is wanted."""

    split: str
    scene: str
    index: int
    has_truth: bool = True
    mask: str = "person"
    _pairs: dict[tuple[int, int], Pair] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Which one it is, in words."""
        return f"{self.split} {self.index}, {self.scene}"

    def pair(self, size: tuple[int, int]) -> Pair:
        """Return the pair in pictures of `size` (H, W)."""
        if size not in self._pairs:
            people = SyntheticPeople(self.split, size, self.scene)
            self._pairs[size] = Pair(*people.render([(self.index, 0), (self.index, 1)]))
        return self._pairs[size]


@dataclass(eq=False)
class PhotoCase:
    """A photograph and a wanted pose. Both people are cut out, unless the whole picture is to be seen."""

    source: Person
    target: Person
    whole: bool
    has_truth: bool
    mask: str = "pose"

    @property
    def name(self) -> str:
        """Which one it is, in words."""
        return self.source.name

    def pair(self, size: tuple[int, int]) -> Pair:
        """Return the pair fitted into pictures of `size` (H, W)."""
        from pgt.photos import frame_person
        from pgt.predictor import fit_person

        people = (self.source, self.target)
        framed = people if self.whole else (frame_person(one, size) for one in people)
        return Pair(*(fit_person(one, size) for one in framed))


@dataclass(frozen=True, eq=False)
class Drawn:
    """What the methods made of one case."""

    name: str
    pair: Pair  # in the frame that all cells have
    pictures: dict[str, np.ndarray]  # method -> uint8 (H, W, 3), in its own frame
    milliseconds: dict[str, float]
    scores: dict[str, dict[str, "Score"]]  # of every method and of copying the source; empty without a truth


@dataclass(frozen=True, eq=False)
class Lineup:
    """The methods that are set side by side, by name."""

    predictors: Mapping[str, "Predictor"]

    @cached_property
    def frame(self) -> tuple[int, int]:
        """The largest frame (H, W) of any method: also of those that work in any."""
        sizes = [one.image_size for one in self.predictors.values() if one.image_size is not None]
        return max(sizes, key=lambda size: size[0] * size[1], default=FRAME)

    def frame_of(self, name: str) -> tuple[int, int]:
        """Return the frame (H, W) in which a method works here."""
        return self.predictors[name].image_size or self.frame

    def titles(self) -> list[str]:
        """Name the methods, with their frames where these differ."""
        frames = {name: "x".join(map(str, self.frame_of(name))) for name in self.predictors}
        several = len(set(frames.values())) > 1
        return [f"{name}, {frame}" if several else name for name, frame in frames.items()]

    def draw(self, case: SyntheticCase | PhotoCase) -> Drawn:
        """Let every method draw a case, and score it where there is a truth."""
        from pgt.evaluation import COPY

        pictures, milliseconds, scores = {}, {}, {}
        pair = case.pair(self.frame)
        for name, predictor in self.predictors.items():
            own = case.pair(self.frame_of(name))
            prediction = predictor.generate(own.source, own.target.pose)
            pictures[name], milliseconds[name] = prediction.image, prediction.milliseconds
            if case.has_truth:
                scores[name] = _score(prediction.image, own.target, case.mask)
        if case.has_truth:
            scores[COPY] = _score(pair.source.image, pair.target, case.mask)
        return Drawn(case.name, pair, pictures, milliseconds, scores)


def compare(arguments: argparse.Namespace) -> None:
    """Draw everything side by side, and keep the numbers if asked to."""
    check_suffix(arguments.out)
    set_threads(arguments.threads)
    cases = _cases(arguments)
    lineup = _lineup(arguments)
    drawn = [lineup.draw(case) for case in cases]
    if arguments.json:
        _write_numbers(Path(arguments.json), lineup, drawn)
    picture = side_by_side(lineup, drawn, arguments.cell, captions=not arguments.no_scores)
    write_picture(arguments.out, picture)


def _cases(arguments: argparse.Namespace) -> Sequence[SyntheticCase | PhotoCase]:
    """Read which pairs to draw: one per row."""
    from pgt.photos import Finders, person_from_photo

    scene, of_photo = arguments.scene, ("keypoints", "parsing", "target", "target_keypoints", "truth")
    if arguments.person is not None:
        given = [name for name in of_photo if getattr(arguments, name)]
        if given:
            raise ValueError(f"--{given[0].replace('_', '-')} belongs to --image, not to --person.")
        return [SyntheticCase(arguments.split, scene, number) for number in arguments.person]
    if arguments.target is None:
        raise ValueError("--image needs a --target: the wanted pose.")
    source = person_from_photo(
        arguments.image, arguments.keypoints, finders=Finders(tell=note), parsing=arguments.parsing
    )
    target = target_person(arguments, source)
    if arguments.truth and not target.image.any():
        raise ValueError(f"The target {arguments.target!r} is a pose without a picture, so it is no --truth.")
    return [PhotoCase(source, target, whole=scene == NON_ICONIC, has_truth=arguments.truth)]


def _lineup(arguments: argparse.Namespace) -> Lineup:
    from pgt.evaluation import WARP
    from pgt.predictor import PART_WARP, Predictor

    weights = named_weights(arguments.weights) if arguments.weights else bundled_generators()
    if not weights:
        raise ValueError("No generator is bundled with the library; name some with --weights.")
    loaded = {name: Predictor.load(one) for name, one in weights.items()}
    rivals = crop_rivals(arguments.scene) | {WARP: Predictor.load(PART_WARP)}
    taken = sorted(set(loaded) & set(rivals))
    if taken:
        raise ValueError(f"{taken[0]!r} is a baseline's name; give those weights another one.")
    return Lineup(loaded | rivals)


def _score(picture: np.ndarray, truth: Person, mask: str) -> dict[str, "Score"]:
    """Measure a picture against a true person of the same frame."""
    from pgt.evaluation import Truth, further_scores, score

    true = Truth.of([truth], mask)
    return score([picture], true) | further_scores([picture], true)


def side_by_side(
    lineup: Lineup, rows: Sequence[Drawn], cell_height: int = 160, *, captions: bool = True
) -> np.ndarray:
    """Lay out source, target pose, every method and the truth, a row per case.

    Args:
        lineup: the methods, in the order of the columns.
        rows: what they drew.
        cell_height: of a picture, pixels.
        captions: write the main scores below the pictures that have any.

    Returns:
        uint8 (H, W, 3).
    """
    from pgt.plot import grid

    height, width = lineup.frame
    cell = (cell_height, round(cell_height * width / height))
    scored = any(row.scores for row in rows)
    font = _caption_font(rows, cell[1]) if captions and scored else None
    lines = [
        [_cell(one, cell, _caption(row, name), font) for name, one in _pictures(row).items()] for row in rows
    ]
    first = "source" if font is None else "source (copied)"  # what is below it are the scores of copying
    titles = [first, "target pose", *lineup.titles(), *["truth"] * scored]
    return grid(lines, column_titles=titles, margin=MARGIN, font_size=_font_size(cell[1]))


def _pictures(row: Drawn) -> dict[str, np.ndarray]:
    """Return the pictures of a row, in order."""
    from pgt.evaluation import COPY, TRUTH
    from pgt.plot import draw_skeleton

    pose = {"target pose": draw_skeleton(None, row.pair.target.pose)}
    truth = {TRUTH: row.pair.target.image} if row.scores else {}
    return {COPY: row.pair.source.image, **pose, **row.pictures, **truth}


def _caption(row: Drawn, name: str) -> list[str]:
    scores = {key: one.mean for key, one in row.scores.get(name, {}).items()}
    return [line.format(**scores) for line in CAPTION] if scores else []


def _font_size(width: int) -> int:
    """Choose the height of titles, in pixels, for cells of a width."""
    return round(min(22, max(11, width / 10)))


def _caption_font(rows: Sequence[Drawn], width: int) -> ImageFont.FreeTypeFont:
    """Choose a font a little smaller than the titles', in which every caption fits its cell."""
    size = 0.8 * _font_size(width)
    font = ImageFont.load_default(size)
    captions = [line for row in rows for name in row.scores for line in _caption(row, name)]
    return ImageFont.load_default(size * min(1, width / max(map(font.getlength, captions))))


def _cell(
    picture: np.ndarray,
    cell: tuple[int, int],
    caption: Sequence[str],
    font: ImageFont.FreeTypeFont | None,
) -> np.ndarray:
    """Fit a picture into a cell (H, W), and leave room below it for captions if there is a font for them."""
    from pgt.plot import INK, WHITE, grid

    fitted = grid([[picture]], cell_size=cell, margin=0)
    if font is None:
        return fitted
    step = sum(font.getmetrics()) + 1
    paper = Image.new("RGB", (cell[1], cell[0] + len(CAPTION) * step + 3), WHITE)
    paper.paste(Image.fromarray(fitted))
    for number, line in enumerate(caption):
        where = (cell[1] / 2, cell[0] + 3 + number * step)
        ImageDraw.Draw(paper).text(where, line, fill=INK, font=font, anchor="ma")
    return np.asarray(paper)


def _write_numbers(path: Path, lineup: Lineup, rows: Sequence[Drawn]) -> None:
    from pgt.evaluation import as_json

    methods = {
        name: {"weights": getattr(one.model, "checkpoint_source", one.name), "frame": lineup.frame_of(name)}
        for name, one in lineup.predictors.items()
    }
    cases = [
        {
            "name": row.name,
            "scores": {name: {k: one.mean for k, one in given.items()} for name, given in row.scores.items()},
            "milliseconds": row.milliseconds,
        }
        for row in rows
    ]
    given = [scores for row in rows for scores in row.scores.values()]
    protocol = {name: dict(one.protocol) for scores in given for name, one in scores.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_bytes(path, as_json({"methods": methods, "rows": cases, "protocol": protocol}).encode())
    print(path)
