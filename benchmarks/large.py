"""Train Progressive up to 1024x1024 for a while: what a step costs on every level, and what it then draws.

    python -m benchmarks.large --run-dir runs/1024            # a tenth of the preset's steps
    python -m benchmarks.large --run-dir runs/1024 --write    # also results/large.* and the README's table

It is `pgt train progressive --preset progressive-synthetic-128-to-1024`, which grows the bundled weights on,
or another preset, watched: the same command continues a run that was stopped, and `pgt train` with the same
settings does too. Seconds are those of the training step
alone, on a batch that is there already, the median of a level without its first step. Memory is the most that
the process held during a step, weights and libraries included; on a GPU, what torch held there.
"""

import argparse
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from benchmarks import tables
from benchmarks.memory import peak_bytes, reset_peak
from pgt.__main__ import build_parser
from pgt.commands.train import train
from pgt.config import PRESETS, Stage
from pgt.data.person import Pair, PairBatch
from pgt.plot import draw_skeleton, grid
from pgt.predictor import Predictor
from pgt.synthetic.people import SyntheticPeople
from pgt.training.recipe import Recipe

PRESET = "progressive-synthetic-128-to-1024"
RECORD = "steps.jsonl"  # in the run folder: a line per step
CELL = (512, 512)  # of the sample picture, pixels
GIBIBYTE = 2**30


class Watched:
    """A recipe whose training steps leave a line each: level, batch, seconds, bytes.

    Args:
        recipe: everything but `train_step` is its own.
        record: the file to append to.
    """

    def __init__(self, recipe: Recipe, record: Path) -> None:
        self._recipe, self._record = recipe, record

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recipe, name)

    def train_step(self, batch: PairBatch, stage: Stage) -> dict[str, Tensor]:
        """Train one step and write down what it took."""
        reset_peak(batch.device)
        start = time.perf_counter()
        terms = self._recipe.train_step(batch, stage)
        if batch.device.type == "cuda":
            torch.cuda.synchronize(batch.device)
        line = {"height": stage.image_size[0], "batch": len(batch), "seconds": time.perf_counter() - start}
        line |= {"bytes": peak_bytes(batch.device), "device": batch.device.type}
        self._record.parent.mkdir(parents=True, exist_ok=True)
        with self._record.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return terms


def levels(record: Path) -> list[dict[str, float]]:
    """Sum up the steps of each level: "height", "batch", "steps", "seconds" (median), "bytes" (most)."""
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    rows = []
    for height in sorted({line["height"] for line in lines}):
        steps = [line for line in lines if line["height"] == height]
        seconds = [line["seconds"] for line in steps[1:] or steps]  # the first one warms up
        rows.append(
            {
                "height": height,
                "batch": steps[-1]["batch"],
                "steps": len(steps),
                "seconds": statistics.median(seconds),
                "bytes": max(line["bytes"] for line in steps),
            }
        )
    return rows


def render(size: tuple[int, int]) -> tuple[Pair, float]:
    """Render a pair of an unseen person; also the seconds per picture."""
    start = time.perf_counter()
    pair = SyntheticPeople("test", size)[0]
    return pair, (time.perf_counter() - start) / 2


def draw(generator: Path, pair: Pair) -> Image.Image:
    """Draw source, target pose, what the generator in a folder makes of them, and the truth."""
    drawn = Predictor.load(generator).generate(pair.source, pair.target.pose).image
    cells = [pair.source.image, draw_skeleton(None, pair.target.pose), drawn, pair.target.image]
    titles = ["source", "target pose", "generated", "truth"]
    return Image.fromarray(grid([cells], column_titles=titles, cell_size=CELL, margin=6))


def to_markdown(rows: Sequence[Mapping[str, float]], facts: Mapping[str, object]) -> str:
    """Write one row per level, and a line about the machine."""
    lines = ["| level | batch | steps | seconds a step | peak memory |", "| --- " + "| ---: " * 4 + "|"]
    for row in rows:
        cells = [f"{row['height']}x{row['height']}", row["batch"], row["steps"], f"{row['seconds']:.2f}"]
        lines.append("| " + " | ".join(map(str, [*cells, f"{row['bytes'] / GIBIBYTE:.2f} GiB"])) + " |")
    side = PRESETS[facts["preset"]].image_size[0]
    rendering = f"Rendering a person at {side}x{side} takes {facts['rendering']:.2f} s."
    note = f"{facts['device']}, {facts['machine']}, torch {facts['torch']}, {facts['date']}"
    note += f", precision {facts['precision']}, preset `{facts['preset']}`"
    return "\n".join([*lines, "", f"{rendering} *Measured by `python -m benchmarks.large`: {note}.*"])


def training_words(options: argparse.Namespace) -> list[str]:
    """Return the command line of the `pgt train` that this benchmark is."""
    words = ["train", "progressive", "--preset", options.preset]
    for name in ("run_dir", "steps_scale", "identities", "poses", "cache", "precision", "threads", "workers"):
        value = getattr(options, name)
        words += [] if value is None else [f"--{name.replace('_', '-')}", str(value)]
    return words + (["--max-seconds", str(options.max_seconds)] if options.max_seconds else [])


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, draw, print and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default=PRESET, help="of Progressive (default %(default)s)")
    parser.add_argument("--run-dir", type=Path, required=True, help="folder of the run")
    parser.add_argument("--steps-scale", type=float, default=0.1, help="multiplies the preset's steps")
    parser.add_argument("--identities", type=int, default=24, help="people (default 24)")
    parser.add_argument("--poses", type=int, default=4, help="poses of each (default 4)")
    parser.add_argument("--cache", default=".cache/people", help="folder of rendered people (%(default)s)")
    parser.add_argument("--precision", choices=("no", "bf16", "fp16"), default="no")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--workers", type=int, default=0, help="processes that load pairs (default 0)")
    parser.add_argument("--max-seconds", type=float, help="save and stop training after this time")
    parser.add_argument("--picture", type=Path, help="where to draw a sample (default: in the run folder)")
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and the README")
    options = parser.parse_args(arguments)
    record = options.run_dir / RECORD
    train(build_parser().parse_args(training_words(options)), lambda recipe: Watched(recipe, record))
    if not record.exists():
        parser.error(f"{options.run_dir} was trained by `pgt train` alone, so no step of it was measured.")
    pair, seconds = render(PRESETS[options.preset].image_size)
    picture = options.picture or options.run_dir / "sample.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw(options.run_dir / "generator", pair).save(picture)
    cuda = torch.cuda.is_available()
    facts = {
        **tables.circumstances(),
        "device": torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads",
        "precision": options.precision,
        "preset": options.preset,
        "rendering": seconds,
    }
    rows = levels(record)
    markdown = to_markdown(rows, facts)
    print(f"{picture}\n\n{markdown}")
    if options.write:
        tables.keep("large", {"facts": facts, "rows": rows}, markdown)


if __name__ == "__main__":
    main()
