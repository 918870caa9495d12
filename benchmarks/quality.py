"""Score all bundled generators on unseen synthetic people, in iconic and in non-iconic views.

    python -m benchmarks.quality --write      # results/quality.* and the README's tables

The pairs are those of `pgt evaluate <approach> --split test --scene <scene>`: the first pair of each of the
first 400 test identities. Generators of the same frame share a table, and each scene has its own.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch.utils.data import Subset

from benchmarks import tables
from pgt.checkpoint import bundled_names, load
from pgt.commands.methods import (
    NON_ICONIC,
    bundled_generators,
    crop_rivals,
    named_weights,
    with_true_map_rows,
)
from pgt.evaluation import EvaluationResult, evaluate
from pgt.partial import ENDING
from pgt.predictor import Predictor
from pgt.synthetic.people import SyntheticPeople

NUM_PAIRS = 400
KEPT = Path(".cache/quality")  # numbers of finished batches: the same command goes on after a kill
SCENES = {  # scene -> what it is, and a column of its own
    "mixed": ("Iconic: the person fills the picture", "local_ssim"),
    NON_ICONIC: ("Non-iconic: small people anywhere in a scene", "background_l1"),
}
TABLE_COLUMNS = (  # a page has no room for all
    "ssim",
    "local_ssim",
    "mask_ssim",
    "foreground_ssim",
    "foreground_l1",
    "background_l1",
    "psnr",
    "pckh",
    "sharpness",
    "map_iou",
    "milliseconds",
)


def unseen_pairs(size: tuple[int, int], count: int = NUM_PAIRS, scene: str = "mixed") -> Subset:
    """Return the first pair of each of the first `count` test identities, in pictures of `size` (H, W)."""
    return Subset(SyntheticPeople("test", size, scene, num_identities=count), range(count))


def measure(
    weights: Mapping[str, str],
    num_pairs: int,
    scenes: Sequence[str] = tuple(SCENES),
    keep: Path | None = None,
) -> dict[str, EvaluationResult]:
    """Score generators, by row name, beside the baselines; what a stopped call left in `keep` is not redone.

    Returns:
        one result per frame and scene, named like "128x128 mixed".
    """
    judges = bundled_names("pose-estimator")
    judge = load(judges[0]) if judges else None
    frames: dict[tuple[int, int], dict[str, Predictor]] = {}
    for name, one in weights.items():
        predictor = Predictor.load(one)
        frames.setdefault(predictor.image_size, {})[name] = predictor
    results = {}
    for (height, width), rows in frames.items():
        for scene in scenes:
            pairs = unseen_pairs((height, width), num_pairs, scene)
            results[f"{height}x{width} {scene}"] = evaluate(
                with_true_map_rows(rows) | crop_rivals(scene),
                pairs,
                pose_estimator=judge,
                close_up=scene == NON_ICONIC,
                data={"people": "synthetic", **pairs.dataset.parameters},
                progress=True,
                keep=keep and keep / f"{height}x{width}-{scene}{ENDING}",
            )
    return results


def to_markdown(results: dict[str, EvaluationResult]) -> str:
    """Write one table per frame and scene, each with the line that says what it was measured on."""
    parts = []
    for name, result in results.items():
        facts, ssim = result.facts, result.protocol["ssim"]
        size, scene = name.split()
        title, own = SCENES[scene]
        others = {column for _, column in SCENES.values()} - {own}
        columns = [column for column in TABLE_COLUMNS if column not in others]
        window = f"{ssim['window']} {ssim['window_size']}x{ssim['window_size']}, sigma {ssim['sigma']}"
        line = (
            f"{size}, {facts['data']['pairs']} pairs of unseen people, scene `{scene}`. SSIM: {window}, "
            f"range {ssim['data_range']}; foreground: the target's own mask. Measured {facts['date']}, "
            f"{facts['machine']}, {facts['threads']} threads, torch {facts['torch']}, {facts['commit']}."
        )
        parts.append(f"**{title}**\n\n{result.to_markdown(columns)}\n\n{line}\n")
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--weights", nargs="*", metavar="[NAME=]WEIGHTS", help="checkpoints (default: all bundled generators)"
    )
    parser.add_argument("--beside", nargs="*", default=[], metavar="[NAME=]WEIGHTS", help="more of them")
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=list(SCENES), help="default: both")
    parser.add_argument("--pairs", type=int, default=NUM_PAIRS)
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and the README")
    parser.add_argument("--threads", type=int, help="CPU threads")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    choices = options.weights or [f"{row}={name}" for row, name in bundled_generators().items()]
    if not choices:
        parser.error("no generator is bundled with the library; name some with --weights.")
    results = measure(named_weights([*choices, *options.beside]), options.pairs, options.scenes, KEPT)
    if options.write:
        content = {name: json.loads(result.to_json()) for name, result in results.items()}
        tables.keep("quality", content, to_markdown(results))
    print(to_markdown(results))
    for path in KEPT.glob(f"*{ENDING}"):
        path.unlink()


if __name__ == "__main__":
    main()
