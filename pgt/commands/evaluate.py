"""`pgt evaluate`: weights beside the baselines."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from torch.utils.data import Subset

from pgt.checkpoint import bundled_names, load
from pgt.commands.common import SYNTHETIC, bundled, folder_pairs, scene_of, set_threads
from pgt.commands.methods import (
    APPROACHES,
    NON_ICONIC,
    bundled_generators,
    crop_rivals,
    named_weights,
    with_true_map_rows,
)
from pgt.commands.video import evaluate_on_video, is_video
from pgt.data.pairs import PairDataset
from pgt.synthetic.people import SyntheticPeople

if TYPE_CHECKING:
    from pgt.evaluation import EvaluationResult
    from pgt.predictor import Predictor


def evaluate(arguments: argparse.Namespace) -> None:
    """Score weights beside the baselines and beside other weights."""
    from pgt.predictor import Predictor

    set_threads(arguments.threads)
    first = Predictor.load(arguments.weights or bundled(arguments.approach))
    rows = {APPROACHES[arguments.approach]: first}
    if is_video(arguments):  # which other bundled weights never saw
        others = {} if arguments.beside is None else _others(arguments, first)
        result = evaluate_on_video(arguments, rows | others)
    else:
        result = _evaluate_on_people(arguments, rows | _others(arguments, first))
    print(result)
    if arguments.out:
        result.save(arguments.out)


def _evaluate_on_people(arguments: argparse.Namespace, rows: dict[str, "Predictor"]) -> "EvaluationResult":
    from pgt.evaluation import evaluate as score

    pairs, data = _evaluation_pairs(arguments, next(iter(rows.values())).image_size)
    has_maps = pairs[0].target.label_map is not None
    methods = with_true_map_rows(rows) if has_maps else rows
    estimators, scene = bundled_names("pose-estimator"), scene_of(arguments.approach, arguments.scene)
    return score(
        methods | crop_rivals(scene),
        pairs,
        mask="person" if has_maps else "pose",
        pose_estimator=load(estimators[0]) if estimators else None,
        close_up=scene == NON_ICONIC,
        data=data,
        progress=True,
    )


def _others(arguments: argparse.Namespace, first: "Predictor") -> dict[str, "Predictor"]:
    """Load what `--beside` names, or the bundled weights of the other approaches with the same frame."""
    from pgt.predictor import Predictor

    if arguments.beside is not None:
        others = named_weights([f"{APPROACHES[arguments.approach]}=", *arguments.beside])
        return {name: Predictor.load(one) for name, one in others.items() if one}
    loaded = {
        row: Predictor.load(name)
        for row, name in bundled_generators().items()
        if not name.startswith(arguments.approach)
    }
    return {row: one for row, one in loaded.items() if one.image_size == first.image_size}


def _evaluation_pairs(
    arguments: argparse.Namespace, size: tuple[int, int] | None
) -> tuple[PairDataset, dict[str, object]]:
    """Return the first --pairs pairs, each synthetic one of another identity, and what they are."""
    if arguments.data != SYNTHETIC:
        pairs = folder_pairs(arguments.data)
        chosen = Subset(pairs, range(min(arguments.pairs, len(pairs))))
        return chosen, {"folder": Path(arguments.data).resolve().name}
    scene = scene_of(arguments.approach, arguments.scene)
    people = SyntheticPeople(arguments.split, size or (128, 128), scene, num_identities=arguments.pairs)
    return Subset(people, range(arguments.pairs)), {"people": "synthetic", **people.parameters}
