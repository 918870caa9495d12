"""`pgt evaluate`: weights beside the baselines."""

import argparse
from pathlib import Path

from torch.utils.data import Subset

from pgt.checkpoint import bundled_names, load
from pgt.commands.common import SYNTHETIC, bundled, folder_pairs, set_threads
from pgt.data.pairs import PairDataset
from pgt.synthetic.people import SyntheticPeople


def evaluate(arguments: argparse.Namespace) -> None:
    """Score weights beside the two baselines."""
    from pgt.evaluation import evaluate as score
    from pgt.predictor import Predictor

    set_threads(arguments.threads)
    predictor = Predictor.load(arguments.weights or bundled(arguments.approach))
    pairs, data = _evaluation_pairs(arguments, predictor.image_size)
    estimators = bundled_names("pose-estimator")
    result = score(
        {arguments.approach.upper(): predictor},
        pairs,
        mask="pose" if pairs[0].target.label_map is None else "person",
        pose_estimator=load(estimators[0]) if estimators else None,
        data=data,
        progress=True,
    )
    print(result)
    if arguments.out:
        result.save(arguments.out)


def _evaluation_pairs(
    arguments: argparse.Namespace, size: tuple[int, int] | None
) -> tuple[PairDataset, dict[str, object]]:
    """Return the first --pairs pairs, each synthetic one of another identity, and what they are."""
    if arguments.data != SYNTHETIC:
        pairs = folder_pairs(arguments.data)
        chosen = Subset(pairs, range(min(arguments.pairs, len(pairs))))
        return chosen, {"folder": Path(arguments.data).resolve().name}
    people = SyntheticPeople(arguments.split, size or (128, 128), num_identities=arguments.pairs)
    return Subset(people, range(arguments.pairs)), {"people": "synthetic", **people.parameters}
