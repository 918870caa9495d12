"""`pgt evaluate`: weights beside the baselines."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from torch.utils.data import Subset

from pgt.checkpoint import bundled_names, load
from pgt.commands.common import (
    SYNTHETIC,
    bundled,
    folder_pairs,
    reader_of,
    scene_of,
    set_threads,
    spread_over,
)
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
from pgt.partial import beside
from pgt.published import published_rows
from pgt.synthetic.people import SyntheticPeople

if TYPE_CHECKING:
    from pgt.evaluation import EvaluationResult
    from pgt.predictor import Predictor


def evaluate(arguments: argparse.Namespace) -> None:
    """Score weights beside the baselines and beside other weights."""
    from pgt.predictor import Predictor

    set_threads(arguments.threads)
    how = _how(arguments)
    first = Predictor.load(arguments.weights or bundled(arguments.approach))
    rows = {APPROACHES[arguments.approach]: first}
    if is_video(arguments):  # which other bundled weights never saw
        others = {} if arguments.beside is None else _others(arguments, first)
        result = evaluate_on_video(arguments, rows | others, **how)
    else:
        result = _evaluate_on_people(arguments, rows | _others(arguments, first), **how)
    _print(arguments, result)
    if arguments.out:
        result.save(arguments.out)
        beside(arguments.out).unlink(missing_ok=True)


def _how(arguments: argparse.Namespace) -> dict[str, object]:
    """Return the protocol and the downloaded networks asked for, as arguments of `evaluate`.

    Raises:
        ValueError: one that does not exist; also a dataset that `--published` does not know.
    """
    from pgt.judges import load_judges
    from pgt.protocols import protocol_named

    if arguments.published:
        published_rows(arguments.published)
    judges = load_judges(arguments.metrics) if arguments.metrics else None
    return {"protocol": protocol_named(arguments.protocol), "judges": judges}


def _print(arguments: argparse.Namespace, result: "EvaluationResult") -> None:
    """Print the table, and what it needs to be understood to stderr."""
    found = published_rows(arguments.published) if arguments.published else {}
    papers = {row: one for row, one in found.items() if row in result.means}
    render = result.to_latex if arguments.latex else result.to_markdown
    print(render(published={row: one.values for row, one in papers.items()}))
    for row, one in papers.items():
        print(f"paper: {row} is {one.source}.", file=sys.stderr)
    for reason in dict.fromkeys(result.facts["missing"].values()):
        print(reason, file=sys.stderr)


def _evaluate_on_people(
    arguments: argparse.Namespace, rows: dict[str, "Predictor"], **how: object
) -> "EvaluationResult":
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
        keep=beside(arguments.out) if arguments.out else None,
        **how,
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
        name, path = reader_of(arguments.data)
        pairs, folder = folder_pairs(arguments.data, arguments.split), Path(path).resolve().name
        if name is None:
            return Subset(pairs, range(min(arguments.pairs, len(pairs)))), {"folder": folder}
        facts = {"dataset": name, "split": arguments.split, "folder": folder}
        return Subset(pairs, spread_over(pairs, arguments.pairs)), facts
    scene = scene_of(arguments.approach, arguments.scene)
    people = SyntheticPeople(arguments.split, size or (128, 128), scene, num_identities=arguments.pairs)
    return Subset(people, range(arguments.pairs)), {"people": "synthetic", **people.parameters}
