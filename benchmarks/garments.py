"""Score garment transfer on unseen synthetic people, whose truth is rendered in the other clothes.

    python -m benchmarks.garments            # prints a table
    python -m benchmarks.garments --write    # also results/garments.{json,md} and the README's table
    python -m benchmarks.garments --picture garments.png

The truth is the target person in the reference's textures, in the cut of the own clothes. Four ways to the
pictures that the flow works on: "as photographed" (no first step), "true frontal" (rendered in the frontal
pose, so that the flow alone is measured), "drawn frontal" (the whole method, with a pose-transfer model) and
"drawn target" (only the target is drawn, the garment comes from the reference's photograph).
Rows: what was there before, the garment's mean colour, the bodies aligned without learning, and the flow.
Numbers: L1 and SSIM inside the clothes of the truth, mean over people.
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from benchmarks import tables
from pgt.applications import bring_into_pose, fit_garment, score_region
from pgt.applications.drawing import CLOTHES
from pgt.checkpoint import load
from pgt.models.garment_flow import GARMENTS, GarmentFlowNetwork
from pgt.plot import grid
from pgt.predictor import Predictor
from pgt.synthetic.frontal import in_frontal_pose
from pgt.synthetic.outfits import dressed, in_textures_of
from pgt.synthetic.people import SyntheticPeople, SyntheticPerson, render_people

WAYS = ("as photographed", "true frontal", "drawn frontal", "drawn target")


class Case(NamedTuple):
    """Two people, and the second in textures of the first: as photographed, and all of them frontal."""

    reference: SyntheticPerson
    target: SyntheticPerson
    truth: SyntheticPerson
    frontal_reference: SyntheticPerson
    frontal_target: SyntheticPerson
    frontal_truth: SyntheticPerson


def cases(size: tuple[int, int], count: int) -> Iterator[Case]:
    """Yield a case for each of `count` test people without dresses, in pictures of `size` (H, W)."""
    people = SyntheticPeople("test", size, "plain", num_identities=4 * count + 8)
    chosen = [i for i in range(people.num_identities) if not people.spec(i, 0).identity.dress]
    for first, second in islice(pairwise(chosen), count):
        spec, other = people.spec(first, 0), people.spec(second, 0)
        three = [other, spec, dressed(spec, in_textures_of(spec.identity, other.identity))]
        yield Case(*render_people([*three, *(in_frontal_pose(one) for one in three)], size))


def without_flow(network: GarmentFlowNetwork) -> GarmentFlowNetwork:
    """Return a network that only aligns the bodies."""
    still = GarmentFlowNetwork.from_config(network.config).to(next(network.parameters()).device)
    with torch.no_grad():
        still.decoder.output.weight.zero_()
        still.decoder.output.bias.zero_()
    return still.eval()


def mean_colour(reference: SyntheticPerson, target: SyntheticPerson) -> np.ndarray:
    """Paint each garment of the target in the mean colour of the reference's."""
    picture = target.image.copy()
    for labels in GARMENTS.values():
        worn = np.isin(reference.label_map, labels)
        if worn.any():
            picture[np.isin(target.label_map, labels)] = np.rint(reference.image[worn].mean(axis=0))
    return picture


def shared(reference: SyntheticPerson, target: SyntheticPerson) -> list[str]:
    """Name the garments that both people show."""
    maps = reference.label_map, target.label_map
    return [name for name, labels in GARMENTS.items() if all(np.isin(one, labels).any() for one in maps)]


def tries(
    network: GarmentFlowNetwork, reference: SyntheticPerson, target: SyntheticPerson
) -> dict[str, np.ndarray]:
    """Dress the target by all means; a garment that one of the two does not show stays the target's own."""
    worn = shared(reference, target)
    rows = {"before": target.image, "mean colour": mean_colour(reference, target)}
    for row, net in (("aligned", without_flow(network)), ("flow", network)):
        rows[row] = fit_garment(net, reference, target, garments=worn).image if worn else target.image
    return rows


def both_frontal(case: Case, way: str, predictor: Predictor | None) -> tuple:
    """Return reference, target and truth of one way to frontal pictures."""
    if way == "as photographed":
        return case.reference, case.target, case.truth
    frontal = case.frontal_reference, case.frontal_target
    if way == "true frontal":
        return *frontal, case.frontal_truth
    # In each one's true frontal pose: proportions are no part of the error.
    target = bring_into_pose(predictor, case.target, case.frontal_target.pose)
    if way == "drawn target":
        return case.reference, target, case.frontal_truth
    reference = bring_into_pose(predictor, case.reference, case.frontal_reference.pose)
    return reference, target, case.frontal_truth


def measure(
    network: GarmentFlowNetwork, count: int, predictor: Predictor | None = None
) -> dict[str, dict[str, dict[str, float]]]:
    """Return way -> row -> score -> mean over people; the last two ways only with a predictor."""
    size = network.config.image_size if predictor is None else predictor.image_size
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for case in cases(size, count):
        for way in WAYS[: 2 if predictor is None else 4]:
            reference, target, truth = both_frontal(case, way, predictor)
            for row, picture in tries(network, reference, target).items():
                for name, score in score_region(picture, truth, CLOTHES).items():
                    rows = found.setdefault(way, {}).setdefault(row, {})
                    rows.setdefault(name, []).append(score.mean)
    return {
        way: {
            row: {name: float(np.nanmean(values)) for name, values in scores.items()}
            for row, scores in rows.items()
        }
        for way, rows in found.items()
    }


def show(network: GarmentFlowNetwork, count: int, predictor: Predictor | None = None) -> np.ndarray:
    """Put the steps of some cases side by side: uint8 (H, W, 3).

    The frontal pictures are the predictor's, or without one the true ones.
    """
    way = WAYS[1] if predictor is None else WAYS[2]
    titles = ["reference", "target", "reference, frontal", "target, frontal", "warped garment", "result"]
    titles += ["mean colour", "truth"]
    lines = []
    for case in cases(network.config.image_size if predictor is None else predictor.image_size, count):
        reference, target, truth = both_frontal(case, way, predictor)
        done = fit_garment(network, reference, target, garments=shared(reference, target))
        pictures = [case.reference, case.target, reference, target]
        lines.append([one.image for one in pictures])
        lines[-1] += [done.garment, done.image, mean_colour(reference, target), truth.image]
    return grid(lines, column_titles=titles)


def to_markdown(table: dict[str, dict[str, dict[str, float]]], facts: dict[str, object]) -> str:
    """Write one row per way and row, and a line about how it was measured."""
    lines = ["| pictures | clothes | L1 ↓ | SSIM ↑ |", "| --- | --- | ---: | ---: |"]
    for way, rows in table.items():
        for row, scores in rows.items():
            numbers = f"{scores['foreground_l1']:.4f} | {scores['foreground_ssim']:.3f}"
            lines.append(f"| {way} | {row} | {numbers} |")
    drawn = f"drawn by `{facts['pose model']}`" if facts["pose model"] else "none drawn"
    what = f"{facts['people']} people of the test split, pictures {drawn}, flow `{facts['flow']}`"
    note = f"{facts['machine']}, torch {facts['torch']}, {facts['date']}"
    return "\n".join([*lines, "", f"*{what}. Measured by `python -m benchmarks.garments`: {note}.*"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flow", default="garment-flow-synthetic-128", help="weights (default %(default)s)")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument(
        "--pose-model",
        default="spt-synthetic-128",
        help="of the first step (default %(default)s); '' for none",
    )
    parser.add_argument("--picture", type=Path, help="draw a few cases instead")
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and the README")
    options = parser.parse_args(arguments)
    network = load(options.flow)
    predictor = Predictor.load(options.pose_model) if options.pose_model else None
    if options.picture:
        Image.fromarray(show(network, min(options.people, 6), predictor)).save(options.picture)
        return
    table = measure(network, options.people, predictor)
    facts = tables.circumstances() | {
        "flow": Path(options.flow).name, "pose model": Path(options.pose_model).name, "people": options.people
    }  # fmt: skip
    markdown = to_markdown(table, facts)
    print(markdown)
    if options.write:
        tables.keep("garments", {"facts": facts, "table": table}, markdown)


if __name__ == "__main__":
    main()
