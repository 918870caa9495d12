"""`pgt evaluate`: weights beside the baselines."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torch.utils.data import Subset

from pgt.checkpoint import bundled_names, draws, load
from pgt.commands.common import SYNTHETIC, bundled, folder_pairs, scene_of, set_threads
from pgt.data.pairs import PairDataset
from pgt.synthetic.people import SyntheticPeople

if TYPE_CHECKING:
    from pgt.evaluation import Method
    from pgt.predictor import Predictor

TRUE_MAPS = ", true maps"  # ends the name of a row that follows the targets' own label maps


def evaluate(arguments: argparse.Namespace) -> None:
    """Score weights beside the two baselines and beside other weights."""
    from pgt.evaluation import evaluate as score
    from pgt.predictor import Predictor

    set_threads(arguments.threads)
    weights = arguments.weights or bundled(arguments.approach)
    first = Predictor.load(weights)
    rows = {arguments.approach.upper(): first} | _others(arguments, first)
    pairs, data = _evaluation_pairs(arguments, first.image_size)
    has_maps = pairs[0].target.label_map is not None
    estimators = bundled_names("pose-estimator")
    result = score(
        with_true_map_rows(rows) if has_maps else rows,
        pairs,
        mask="person" if has_maps else "pose",
        pose_estimator=load(estimators[0]) if estimators else None,
        data=data,
        progress=True,
    )
    print(result)
    if arguments.out:
        result.save(arguments.out)


def row_name(weights: str) -> str:
    """Name the row of a checkpoint after its approach: "PG2" for pg2-synthetic-128."""
    return Path(weights).name.split("-")[0].upper()


def named_weights(choices: Sequence[str]) -> dict[str, str]:
    """Read `NAME=WEIGHTS`, or `WEIGHTS` alone, as row name -> weights.

    Raises:
        ValueError: two rows of one name.
    """
    named = [choice.split("=", 1) if "=" in choice else (row_name(choice), choice) for choice in choices]
    if len({name for name, _ in named}) < len(named):
        raise ValueError(f"two rows have one name in {', '.join(choices)}; write NAME=WEIGHTS.")
    return dict(named)


def with_true_map_rows(rows: Mapping[str, "Predictor"]) -> dict[str, "Method"]:
    """Add a second row for each model that follows label maps, given the targets' own."""
    from pgt.evaluation import with_true_maps

    methods: dict[str, Method] = {}
    for name, predictor in rows.items():
        methods[name] = predictor
        if predictor.follows_maps:
            methods[name + TRUE_MAPS] = with_true_maps(predictor)
    return methods


def _others(arguments: argparse.Namespace, first: "Predictor") -> dict[str, "Predictor"]:
    """Load what `--beside` names, or the bundled weights of the other approaches with the same frame."""
    from pgt.predictor import Predictor

    if arguments.beside is not None:
        others = named_weights([f"{arguments.approach.upper()}=", *arguments.beside])
        return {name: Predictor.load(one) for name, one in others.items() if one}
    names = [name for name in bundled_names() if draws(name) and not name.startswith(arguments.approach)]
    loaded = {row_name(name): Predictor.load(name) for name in names}
    return {name: one for name, one in loaded.items() if one.image_size == first.image_size}


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
