"""`pgt evaluate`: weights beside the baselines."""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch.utils.data import Subset

from pgt.checkpoint import bundled_names, load
from pgt.commands.common import (
    DEFAULT_PAIRS,
    FOREGROUNDS,
    SYNTHETIC,
    bundled,
    folder_pairs,
    look_through,
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
from pgt.published import PublishedRow, dataset_of, published_rows
from pgt.synthetic.people import SyntheticPeople

if TYPE_CHECKING:
    from pgt.evaluation import EvaluationResult
    from pgt.predictor import Predictor
    from pgt.protocols import Protocol

MASKS = {  # what a result's mask is to those who read the table
    "person": "each target's own mask or label map",
    "pose": "drawn around each target's joints, for not every target has a mask or a label map",
    "open pose": "drawn around each target's joints as the papers' released codes do",
}


def evaluate(arguments: argparse.Namespace) -> None:
    """Score weights beside the baselines and beside other weights."""
    from pgt.predictor import Predictor

    set_threads(arguments.threads)
    how = _how(arguments)
    arguments = argparse.Namespace(**vars(arguments) | {"pairs": _num_pairs(arguments, how["protocol"])})
    first = Predictor.load(arguments.weights or bundled(arguments.approach))
    rows = {APPROACHES[arguments.approach]: first}
    if is_video(arguments):  # which other bundled weights never saw
        others = {} if arguments.beside is None else _others(arguments, first)
        result = evaluate_on_video(arguments, rows | others, **how)
    else:
        result = _evaluate_on_people(arguments, rows | _others(arguments, first), **how)
    found = published_rows(arguments.published) if arguments.published else {}
    papers = {row: one for row, one in found.items() if row in result.means}
    result = _compared(result, papers)
    _print(arguments, result, papers)
    if arguments.out:
        result.save(arguments.out)
        beside(arguments.out).unlink(missing_ok=True)


def _how(arguments: argparse.Namespace) -> dict[str, Any]:
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


def _num_pairs(arguments: argparse.Namespace, protocol: "Protocol") -> int:
    """Return --pairs; without it, of real data, as many as the protocol's paper scored."""
    real = arguments.data != SYNTHETIC and not is_video(arguments)
    name = reader_of(arguments.data)[0] if real else None
    papers = protocol.num_pairs(name and dataset_of(name)) if real else None
    return arguments.pairs or papers or DEFAULT_PAIRS


def _compared(result: "EvaluationResult", papers: Mapping[str, PublishedRow]) -> "EvaluationResult":
    """Add to the facts which numbers of papers stand beside which rows, and in what the two differ."""
    from pgt.protocols import protocol_named

    facts = {}
    for row, one in papers.items():
        num_pairs = protocol_named(one.protocol).num_pairs(one.dataset)
        facts[row] = {"source": one.source, "differs": one.differences(result.facts, num_pairs)}
    return replace(result, facts=result.facts | {"published": facts}) if facts else result


def _print(
    arguments: argparse.Namespace, result: "EvaluationResult", papers: Mapping[str, PublishedRow]
) -> None:
    """Print the table, and what it needs to be understood to stderr."""
    render = result.to_latex if arguments.latex else result.to_markdown
    print(render(published={row: one.values for row, one in papers.items()}))
    print(f"mask: {MASKS[result.facts['mask']]}.", file=sys.stderr)
    alike: dict[str, list[str]] = {}
    for row, one in papers.items():
        print(f"paper: {row} is {one.source}.", file=sys.stderr)
        differs = result.facts["published"][row]["differs"]
        words = ", ".join(f"{what} {theirs} (ours {ours})" for what, (theirs, ours) in differs.items())
        if words:
            alike.setdefault(words, []).append(row)
    for words, names in alike.items():
        print(f"paper: {' and '.join(names)} cannot be compared with ours: {words}.", file=sys.stderr)
    for reason in dict.fromkeys(result.facts["missing"].values()):
        print(reason, file=sys.stderr)


def _evaluate_on_people(
    arguments: argparse.Namespace, rows: dict[str, "Predictor"], **how: object
) -> "EvaluationResult":
    from pgt.evaluation import evaluate as score

    pairs, data = _evaluation_pairs(arguments, next(iter(rows.values())).image_size)
    known, left_out = set(FOREGROUNDS), []
    if arguments.data != SYNTHETIC:
        pairs, known, left_out = look_through(pairs)
    if left_out:
        data |= {"left out": len(left_out)}
        print(
            f"{len(left_out)} pairs without any joint in source or target are left out; the first is "
            f"{left_out[0]}.",
            file=sys.stderr,
        )
    estimators, scene = bundled_names("pose-estimator"), scene_of(arguments.approach, arguments.scene)
    small = arguments.data == SYNTHETIC and scene == NON_ICONIC
    methods = with_true_map_rows(rows) if "label_map" in known else rows
    return score(
        methods | crop_rivals(NON_ICONIC if small or arguments.crop_rivals else None),
        pairs,
        mask="person" if known else "pose",
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
