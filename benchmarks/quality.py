"""Score all bundled generators on unseen synthetic people, and draw the pictures that go with the numbers.

    python -m benchmarks.quality --write                      # results/quality.* and the README's table
    python -m benchmarks.quality --picture docs/people.png    # only the picture

The pairs are those of `pgt evaluate <approach> --split test`: the first pair of each of the first 400 test
identities. Generators of the same frame share a table.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import Subset

from benchmarks import tables
from pgt.checkpoint import bundled_names, draws, load
from pgt.commands.evaluate import named_weights, with_true_map_rows
from pgt.data.person import Pair
from pgt.evaluation import EvaluationResult, evaluate
from pgt.plot import draw_skeleton, grid
from pgt.predictor import PART_WARP, Predictor
from pgt.synthetic.people import SyntheticPeople

NUM_PAIRS = 400
SHOWN = (3, 1, 12, 7, 15, 9)  # pairs of the picture: several views and scenes, patterns and plain cloth
TABLE_COLUMNS = (
    "ssim",
    "mask_ssim",
    "foreground_ssim",
    "foreground_l1",
    "psnr",
    "pckh",
    "sharpness",
    "map_iou",
    "milliseconds",
)


def unseen_pairs(size: tuple[int, int], count: int = NUM_PAIRS) -> Subset:
    """Return the first pair of each of the first `count` test identities, in pictures of `size` (H, W)."""
    return Subset(SyntheticPeople("test", size, num_identities=count), range(count))


def measure(weights: Mapping[str, str], num_pairs: int) -> dict[str, EvaluationResult]:
    """Score generators, by row name, beside the baselines: one result per frame, named like "128x128"."""
    judges = bundled_names("pose-estimator")
    judge = load(judges[0]) if judges else None
    frames: dict[tuple[int, int], dict[str, Predictor]] = {}
    for name, one in weights.items():
        predictor = Predictor.load(one)
        frames.setdefault(predictor.image_size, {})[name] = predictor
    results = {}
    for (height, width), rows in frames.items():
        pairs = unseen_pairs((height, width), num_pairs)
        data = {"people": "synthetic", **pairs.dataset.parameters}
        methods = with_true_map_rows(rows)
        results[f"{height}x{width}"] = evaluate(
            methods, pairs, pose_estimator=judge, data=data, progress=True
        )
    return results


def to_markdown(results: dict[str, EvaluationResult]) -> str:
    """Write one table per frame, each with the line that says what it was measured on."""
    parts = []
    for size, result in results.items():
        facts, ssim = result.facts, result.protocol["ssim"]
        window = f"{ssim['window']} {ssim['window_size']}x{ssim['window_size']}, sigma {ssim['sigma']}"
        line = (
            f"{size}, {facts['data']['pairs']} pairs of unseen people. SSIM: {window}, "
            f"range {ssim['data_range']}; foreground: the target's own mask. Measured {facts['date']}, "
            f"{facts['machine']}, {facts['threads']} threads, torch {facts['torch']}, {facts['commit']}."
        )
        parts.append(f"{result.to_markdown(TABLE_COLUMNS)}\n\n{line}\n")
    return "\n".join(parts)


def draw(weights: Mapping[str, str], indices: Sequence[int] = SHOWN, cell: int = 160) -> Image.Image:
    """Draw source, target pose, every method and the truth of some test pairs, in the first one's frame."""
    predictors = {name: Predictor.load(one) for name, one in weights.items()}
    height, width = next(iter(predictors.values())).image_size
    predictors |= {"part warp (no learning)": Predictor.load(PART_WARP)}
    people = SyntheticPeople("test", (height, width), num_identities=NUM_PAIRS)
    rows = [_row(people[index], predictors) for index in indices]
    titles = ["source", "target pose", *predictors, "truth"]
    return Image.fromarray(
        grid(rows, column_titles=titles, cell_size=(cell, cell * width // height), margin=6)
    )


def _row(pair: Pair, predictors: Mapping[str, Predictor]) -> list:
    drawn = [one.generate(pair.source, pair.target.pose).image for one in predictors.values()]
    return [pair.source.image, draw_skeleton(None, pair.target.pose), *drawn, pair.target.image]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--weights", nargs="*", metavar="[NAME=]WEIGHTS", help="checkpoints (default: all bundled generators)"
    )
    parser.add_argument("--beside", nargs="*", default=[], metavar="[NAME=]WEIGHTS", help="more of them")
    parser.add_argument("--pairs", type=int, default=NUM_PAIRS)
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and the README")
    parser.add_argument("--picture", type=Path, help="draw this picture instead of measuring")
    parser.add_argument("--threads", type=int, help="CPU threads")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    names = options.weights or [name for name in bundled_names() if draws(name)]
    if not names:
        parser.error("no generator is bundled with the library; name some with --weights.")
    weights = named_weights([*names, *options.beside])
    if options.picture:
        options.picture.parent.mkdir(parents=True, exist_ok=True)
        draw(weights).save(options.picture, optimize=True)
        return
    results = measure(weights, options.pairs)
    if options.write:
        content = {size: json.loads(result.to_json()) for size, result in results.items()}
        tables.keep("quality", content, to_markdown(results))
    print(to_markdown(results))


if __name__ == "__main__":
    main()
