"""Score all bundled generators on unseen synthetic people, and draw the pictures that go with the numbers.

    python -m benchmarks.quality --write                      # results/quality.* and the README's table
    python -m benchmarks.quality --picture docs/people.png    # only the picture

The pairs are those of `pgt evaluate <approach> --split test`: the first pair of each of the first 400 test
identities.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import Subset

from benchmarks import tables
from pgt.checkpoint import bundled_names, draws, load
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
    "milliseconds",
)


def unseen_pairs(size: tuple[int, int], count: int = NUM_PAIRS) -> Subset:
    """Return the first pair of each of the first `count` test identities, in pictures of `size` (H, W)."""
    return Subset(SyntheticPeople("test", size, num_identities=count), range(count))


def measure(names: Sequence[str], num_pairs: int) -> dict[str, EvaluationResult]:
    """Score each generator beside the baselines."""
    judges = bundled_names("pose-estimator")
    judge = load(judges[0]) if judges else None
    results = {}
    for name in names:
        predictor = Predictor.load(name)
        pairs = unseen_pairs(predictor.image_size, num_pairs)
        label = Path(name).name.split("-")[0].upper()
        data = {"people": "synthetic", **pairs.dataset.parameters}
        results[name] = evaluate({label: predictor}, pairs, pose_estimator=judge, data=data, progress=True)
    return results


def to_markdown(results: dict[str, EvaluationResult]) -> str:
    """Write one table per generator, each with the line that says what it was measured on."""
    parts = []
    for name, result in results.items():
        facts, ssim = result.facts, result.protocol["ssim"]
        window = f"{ssim['window']} {ssim['window_size']}x{ssim['window_size']}, sigma {ssim['sigma']}"
        line = (
            f"`{name}` on {facts['data']['pairs']} pairs of unseen people. SSIM: {window}, "
            f"range {ssim['data_range']}; foreground: the target's own mask. Measured {facts['date']}, "
            f"{facts['machine']}, {facts['threads']} threads, torch {facts['torch']}, {facts['commit']}."
        )
        parts.append(f"{result.to_markdown(TABLE_COLUMNS)}\n\n{line}\n")
    return "\n".join(parts)


def draw(name: str, indices: Sequence[int] = SHOWN, cell: int = 160) -> Image.Image:
    """Draw source, target pose, every stage, the part warp and the truth of some test pairs."""
    predictor, warp = Predictor.load(name), Predictor.load(PART_WARP)
    people = SyntheticPeople("test", predictor.image_size, num_identities=NUM_PAIRS)
    rows = [_row(people[index], predictor, warp) for index in indices]
    titles = ["source", "target pose", "PG2, stage I", "PG2, stage II", "part warp (no learning)", "truth"]
    height, width = predictor.image_size
    return Image.fromarray(
        grid(rows, column_titles=titles, cell_size=(cell, cell * width // height), margin=6)
    )


def _row(pair: Pair, predictor: Predictor, warp: Predictor) -> list:
    drawn = predictor.generate(pair.source, pair.target.pose)
    return [
        pair.source.image,
        draw_skeleton(None, pair.target.pose),
        drawn.coarse,
        drawn.refined,
        warp.generate(pair.source, pair.target.pose).image,
        pair.target.image,
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", nargs="*", help="names or folders (default: all bundled generators)")
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
    if options.picture:
        options.picture.parent.mkdir(parents=True, exist_ok=True)
        draw(names[0]).save(options.picture, optimize=True)
        return
    results = measure(names, options.pairs)
    if options.write:
        content = {name: json.loads(result.to_json()) for name, result in results.items()}
        tables.keep("quality", content, to_markdown(results))
    print(to_markdown(results))


if __name__ == "__main__":
    main()
