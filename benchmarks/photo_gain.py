"""Measure what augmentation, and photos mixed in, bring on photographs: short trainings of the same weights.

    python -m benchmarks.photo_gain shop=FOLDER street=FOLDER --work RUNS            # trains, scores, prints
    python -m benchmarks.photo_gain shop=FOLDER street=FOLDER --work RUNS --write    # also results/photo-gain
    python -m benchmarks.photo_gain shop=FOLDER --work RUNS --pictures PNG           # for your eyes

Each FOLDER holds photos and their keypoints.csv (see `pgt.data.readers.folder`). The bundled PG2 is continued
for equally many steps on synthetic people as they are, on augmented ones, and on these with photos mixed in
as their own targets. The last is trained twice: once on every other photo of all folders, once on the rest. A
photo is always drawn by the weights that never saw it. Photos are drawn from themselves (where copying
suffices) and from their mirror image (where it does not). The foreground is the pose mask. The judge of poses
has learnt from synthetic people alone: the row of the photos themselves says how far it can be trusted.
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks import tables
from benchmarks.photos import JUDGE, self_pairs
from pgt.checkpoint import load
from pgt.commands.recipes import recipe_of
from pgt.commands.variety import FramedPhotos
from pgt.config import PRESETS, Config, Stage
from pgt.data.augmentation import AUGMENTATIONS, AugmentedPairs
from pgt.data.mixed import MixedPairs, SelfPairs
from pgt.data.pairs import PairDataset
from pgt.data.person import Pair, Person
from pgt.evaluation import COPY, WARP
from pgt.plot import grid
from pgt.predictor import PART_WARP, Predictor
from pgt.results import COLUMNS
from pgt.synthetic.people import SyntheticPeople
from pgt.training.engine import Options, fit
from pgt.truth import Truth, score

START = "pg2-synthetic-128"
BEFORE, PLAIN, AUGMENTED, MIXED = "as bundled", "plain", "augmented", "augmented, photos mixed in"
PHOTOS = "the photos themselves"
FOLDS = 2
IDENTITIES, POSES = 400, 4
SHARE = 0.3  # of photos in the mixture
SHOWN = ("foreground_l1", "pckh", "sharpness")
DIRECTIONS = {"itself": False, "its mirror image": True}

Draw = Callable[[Sequence[Pair]], list[np.ndarray]]
Values = dict[str, Tensor]  # column -> (photos,)


@dataclass(frozen=True)
class Photo:
    """A photo in the model's frame, whose folder it is from, and which fold it must not be drawn by."""

    person: Person
    folder: str
    fold: int


def read_photos(folders: Mapping[str, str], size: tuple[int, int]) -> list[Photo]:
    """Read the photos of all folders; neighbours in a folder are of different folds."""
    photos = []
    for title, folder in folders.items():
        framed = FramedPhotos(folder, size)
        photos += [Photo(framed[number], title, number % FOLDS) for number in range(len(framed))]
    return photos


def shortened(steps: int) -> Config:
    """Return the bundled weights' preset for a short continuation at a low learning rate."""
    coarse, refine = PRESETS[START].stages
    stages = (
        Stage("coarse", steps, coarse.image_size, coarse.batch_size, 2e-4, "cosine"),
        Stage("refine", max(1, steps // 4), refine.image_size, refine.batch_size, 1e-4, "cosine"),
    )
    # A moving average over 500 steps would still be mostly what was there before.
    return replace(PRESETS[START], stages=stages, ema_decay=0.0)


def train(pairs: PairDataset, run: Path, steps: int, seed: int) -> Predictor:
    """Continue the bundled weights on pairs, or take up a run where it stopped."""
    config = shortened(steps)
    torch.manual_seed(seed)
    options = Options(log_every=max(1, steps // 10))
    settings = {"seed": seed, "precision": "bf16", "start_from": START, "options": options}
    fit(recipe_of(config), pairs, config.stages, run, **settings)
    return Predictor.load(run / "generator")


def trained(photos: Sequence[Photo], work: Path, steps: int, seed: int) -> dict[str, list[Predictor]]:
    """Train everything: row -> the weights for each fold."""
    size = PRESETS[START].image_size
    synthetic = SyntheticPeople("train", size, "mixed", IDENTITIES, POSES)
    people = synthetic.cached(work / "people", keep=("label_map",))
    people.fill(progress=True)
    augmented = AugmentedPairs(people, AUGMENTATIONS["photo"], seed=seed)
    rows = {BEFORE: [Predictor.load(START)] * FOLDS}
    for name, pairs in ((PLAIN, people), (AUGMENTED, augmented)):
        rows[name] = [train(pairs, work / name, steps, seed)] * FOLDS
    mixed = []
    for fold in range(FOLDS):
        shown = SelfPairs([photo.person for photo in photos if photo.fold != fold], seed=seed)
        mixed.append(train(MixedPairs(augmented, shown, SHARE), work / f"{MIXED} {fold}", steps, seed))
    return rows | {MIXED: mixed}


def methods(rows: Mapping[str, Sequence[Predictor]], photos: Sequence[Photo]) -> dict[str, Draw]:
    """Return how each row of the table draws pairs of all photos, in their order."""

    def draw(predictors: Sequence[Predictor], pairs: Sequence[Pair]) -> list[np.ndarray]:
        cases = zip(photos, pairs, strict=True)
        return [predictors[photo.fold].generate(pair.source, pair.target.pose).image for photo, pair in cases]

    baselines = {WARP: [Predictor.load(PART_WARP)] * FOLDS}
    found: dict[str, Draw] = {name: partial(draw, one) for name, one in {**rows, **baselines}.items()}
    found[COPY] = lambda pairs: [pair.source.image for pair in pairs]
    found[PHOTOS] = lambda pairs: [pair.target.image for pair in pairs]
    return found


def measure(draw: Mapping[str, Draw], photos: Sequence[Photo]) -> dict[str, dict[str, Values]]:
    """Score every row both ways: direction -> row -> column -> (photos,)."""
    estimator, results = load(JUDGE, quiet=True), {}
    for title, mirrored in DIRECTIONS.items():
        pairs = self_pairs([photo.person for photo in photos], mirrored=mirrored)
        truth = Truth.of([pair.target for pair in pairs], "pose")
        results[title] = {
            name: {column: found.values for column, found in score(one(pairs), truth, estimator).items()}
            for name, one in draw.items()
        }
    return results


def gain(values: Tensor, before: Tensor) -> tuple[float, float]:
    """Return the mean difference of paired values and half of its 95 % interval (normal)."""
    difference = values - before
    difference = difference[~difference.isnan()]
    half = 1.96 * float(difference.std()) / math.sqrt(len(difference)) if len(difference) > 1 else math.nan
    return float(difference.mean()), half


def to_markdown(results: dict[str, dict[str, Values]], photos: Sequence[Photo]) -> str:
    """Write a line per folder and row: the means both ways, and what L1 gains over the plain training."""
    head = [f"{title}, from {way}" for title, _ in (COLUMNS[one] for one in SHOWN) for way in results]
    lines = [["photos", "weights", *head, "L1 less than plain, from its mirror image"]]
    lines.append(["---", "---", *["---:"] * (len(head) + 1)])
    for folder in dict.fromkeys(photo.folder for photo in photos):
        chosen = torch.tensor([photo.folder == folder for photo in photos])
        for row in results["itself"]:
            cells = []
            for column in SHOWN:
                means = [float(results[way][row][column][chosen].nanmean()) for way in results]
                cells += [f"{mean:.{COLUMNS[column][1]}f}" for mean in means]
            mirrored = results["its mirror image"]
            l1 = {name: values["foreground_l1"][chosen] for name, values in mirrored.items()}
            mean, half = gain(-l1[row], -l1[PLAIN])
            difference = f"{mean:+.4f} ± {half:.4f}" if row not in (PLAIN, COPY, WARP, PHOTOS) else ""
            lines.append([f"{folder}, {int(chosen.sum())}", row, *cells, difference])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def averages(results: dict[str, dict[str, Values]]) -> dict[str, dict[str, dict[str, float]]]:
    """Average every column over all photos."""
    return {
        way: {row: {name: float(v.nanmean()) for name, v in values.items()} for row, values in rows.items()}
        for way, rows in results.items()
    }


def note(facts: Mapping[str, object]) -> str:
    """Say in a line what was measured."""
    return (
        f"*{START} continued for {facts['steps']} coarse and {facts['refining steps']} refining steps of 16 "
        f"pairs, seed {facts['seed']}, on {IDENTITIES} synthetic people in {POSES} poses; {SHARE:.0%} photos "
        f"where mixed in, never those that are scored. Intervals: 95 %, over photos, of one training each. "
        f"Measured by `python -m benchmarks.photo_gain`: {facts['machine']}, torch {facts['torch']}, "
        f"{facts['date']}.*"
    )


def picture(draw: Mapping[str, Draw], photos: Sequence[Photo], path: str) -> None:
    """Lay all rows side by side for the photos drawn from their mirror image."""
    pairs = self_pairs([photo.person for photo in photos], mirrored=True)
    columns = {name: one(pairs) for name, one in draw.items()}
    rows = [[images[number] for images in columns.values()] for number in range(len(photos))]
    Image.fromarray(grid(rows, column_titles=list(columns), cell_size=(256, 256))).save(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, measure, print and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", metavar="NAME=FOLDER", help="photos and their keypoints.csv")
    parser.add_argument("--work", required=True, help="folder for the runs; finished ones are taken up")
    parser.add_argument("--steps", type=int, default=400, help="coarse ones; a quarter as many refining ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--pictures", help="also lay the results side by side: the PNG to write")
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and on the page")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    photos = read_photos(dict(word.split("=", 1) for word in options.photos), PRESETS[START].image_size)
    draw = methods(trained(photos, Path(options.work), options.steps, options.seed), photos)
    results = measure(draw, photos)
    stages = shortened(options.steps).stages
    facts = {**tables.circumstances(), "seed": options.seed, "start": START}
    facts |= {"steps": stages[0].num_steps, "refining steps": stages[1].num_steps}
    markdown = f"{to_markdown(results, photos)}\n\n{note(facts)}"
    print(markdown)
    if options.pictures:
        picture(draw, photos, options.pictures)
    if options.write:
        content = {"facts": facts, "means over all photos": averages(results)}
        tables.keep("photo-gain", content, markdown)


if __name__ == "__main__":
    main()
