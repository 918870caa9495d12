"""Score SPT's applications on unseen synthetic people: every case has a truth, rendered in the other clothes.

    python -m benchmarks.applications spt-synthetic-128 --people 100
    python -m benchmarks.applications spt-synthetic-128 --picture docs/applications.png

Rows: what was there before, what needs no learning, and the model. Columns: L1 and SSIM inside the region of
the true map that was to change, mean over people. Cases: textures of another person, sleeves cut or
lengthened, and another person's top by its product picture.
"""

import argparse
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from pgt.applications import (
    paste_product,
    redraw,
    score_map,
    score_region,
    set_sleeves,
    transfer_clothing_texture,
    try_on_product,
)
from pgt.applications.drawing import CLOTHES
from pgt.data.parsing import COLORS
from pgt.models.spt import SPTGenerator
from pgt.predictor import Predictor
from pgt.synthetic.outfits import dressed, dressed_as, in_textures_of, with_sleeves
from pgt.synthetic.people import SyntheticPeople, SyntheticPerson, render_people
from pgt.synthetic.products import Product, product_picture

UPPER, ARMS = 3, (6, 7)


class Case(NamedTuple):
    """A person, another one, and the person rendered in clothes of the other and in other sleeves."""

    person: SyntheticPerson
    other: SyntheticPerson
    textures: SyntheticPerson
    sleeves: SyntheticPerson
    dressed: SyntheticPerson
    product: Product
    share: float


def cases(size: tuple[int, int], count: int) -> Iterator[Case]:
    """Yield a case for each of `count` test people without dresses, in pictures of `size` (H, W)."""
    people = SyntheticPeople("test", size, "plain", num_identities=4 * count + 8)
    chosen = [i for i in range(people.num_identities) if not people.spec(i, 0).identity.dress]
    for first, second in islice(pairwise(chosen), count):
        spec, other = people.spec(first, 0), people.spec(second, 0)
        share = 0.3 if spec.identity.top.sleeve > 0.55 else 0.95
        looks = (
            in_textures_of(spec.identity, other.identity),
            with_sleeves(spec.identity, share),
            dressed_as(spec.identity, other.identity),
        )
        rendered = render_people([spec, other, *(dressed(spec, look) for look in looks)], size)
        yield Case(*rendered, product_picture(other.identity, size), share)


def pictures(generator: SPTGenerator, case: Case) -> dict[str, dict[str, tuple]]:
    """Draw a case by all means: application -> row -> (picture, truth, labels that count)."""
    person, product = case.person, case.product
    given = person, product.image, product.mask
    pasted = paste_product(*given, product.landmarks, person.image_size)
    rows: dict[str, dict[str, tuple]] = {}
    transferred, _ = transfer_clothing_texture(generator, person, case.other)
    rows["clothing texture transfer"] = {
        row: (picture, case.textures, CLOTHES)
        for row, picture in (("before", person.image), ("SPT", transferred.image))
    }
    edited = redraw(generator, person, case.sleeves.label_map)
    rows["sleeves, true map"] = {
        row: (picture, case.sleeves, (UPPER, *ARMS))
        for row, picture in (("before", person.image), ("SPT", edited.image))
    }
    # The true layout, so that the networks alone are measured.
    layout = case.dressed.label_map
    tries = {"before": person.image, "pasted": pasted}
    for row, landmarks, align in (
        ("SPT", product.landmarks, False),
        ("SPT, aligned", product.landmarks, True),
        ("SPT, own joints", {**product.landmarks, **product.joints}, False),
    ):
        tries[row] = try_on_product(generator, *given, landmarks, label_map=layout, align=align).image
    rows["try-on of a product"] = {row: (picture, case.dressed, (UPPER,)) for row, picture in tries.items()}
    return rows


def measure(generator: SPTGenerator, count: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return application -> row -> score -> mean over people."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}

    def add(application: str, row: str, score: str, value: float) -> None:
        found.setdefault(application, {}).setdefault(row, {}).setdefault(score, []).append(value)

    for case in cases(generator.config.image_size, count):
        for application, rows in pictures(generator, case).items():
            for row, (picture, truth, labels) in rows.items():
                for name, score in score_region(picture, truth, labels).items():
                    add(application, row, name, score.mean)
        edited = set_sleeves(case.person.label_map, case.person.pose, case.share)
        for row, label_map in (("before", case.person.label_map), ("edited", edited)):
            add("map of the sleeves", row, "mIoU", score_map(label_map, case.sleeves.label_map)["mean"])
    return {
        application: {
            row: {name: float(np.nanmean(values)) for name, values in scores.items()}
            for row, scores in rows.items()
        }
        for application, rows in found.items()
    }


def show(generator: SPTGenerator, count: int) -> np.ndarray:
    """Put some cases side by side, each application with its truth: uint8 (H, W, 3)."""
    lines = []
    for case in cases(generator.config.image_size, count):
        line = [case.person.image, COLORS[case.person.label_map], case.other.image, case.product.image]
        for rows in pictures(generator, case).values():
            line += [picture for row, (picture, *_) in rows.items() if row != "before"]
            line.append(next(iter(rows.values()))[1].image)
        lines.append(np.concatenate(line, axis=1))
    return np.concatenate(lines)


def main() -> None:
    """Print the table, or draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="a bundled SPT, a folder or a Hub repository")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--picture", type=Path, help="draw a few cases instead")
    arguments = parser.parse_args()
    generator = Predictor.load(arguments.name).model
    if arguments.picture:
        Image.fromarray(show(generator, min(arguments.people, 6))).save(arguments.picture)
        return
    for application, rows in measure(generator, arguments.people).items():
        print(f"\n{application}")
        for row, scores in rows.items():
            print(f"  {row:18}" + "".join(f"{name} {value:.4f}   " for name, value in scores.items()))


if __name__ == "__main__":
    main()
