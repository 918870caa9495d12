"""The command `pgt pseudo-labels`: SPT's search among synthetic people or a folder's, written down and shown.

In the folder --out: index.jsonl (see `pgt.data.pseudo_label_index`) and contact_sheet.png.
"""

import argparse
from pathlib import Path

import numpy as np

from pgt.commands.common import set_threads, write_picture
from pgt.commands.unpaired import labelled_people
from pgt.data.pseudo_label_index import PseudoLabels, write_index
from pgt.data.pseudo_labels import PseudoLabelSearch, SearchOptions
from pgt.data.unpaired import Lookup
from pgt.plot import color_parsing, draw_skeleton, grid

SHOWN = 10  # pseudo-labels on the contact sheet


def pseudo_labels(arguments: argparse.Namespace) -> None:
    """Find the pseudo-label of everyone."""
    options = SearchOptions(
        num_candidates=arguments.candidates,
        method=arguments.method,
        variant=arguments.variant,
        seed=arguments.seed,
        exclude_same_identity=arguments.exclude_same_identity,
    )
    set_threads(arguments.threads)
    people, lookup, facts = labelled_people(arguments, arguments.size)
    out = Path(arguments.out)
    labels = write_index(out / "index.jsonl", PseudoLabelSearch(people, options), facts, progress=True)
    print(f"{out / 'index.jsonl'}: {len(labels)} of {len(people)} people have a pseudo-label")
    if len(labels):
        write_picture(str(out / "contact_sheet.png"), contact_sheet(labels, lookup))


def contact_sheet(labels: PseudoLabels, lookup: Lookup, count: int = SHOWN) -> np.ndarray:
    """Show some pseudo-labels, from the best to the worst: uint8 (H, W, 3).

    Args:
        labels: at least one.
        lookup: gives a person by number.
        count: how many columns.
    """
    pairs = labels.pairs
    order = np.argsort(labels.distance[pairs[:, 0]], kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)]
    columns, titles = [], []
    for source, target in pairs[chosen].tolist():
        one, other = lookup(source), lookup(target)
        maps = [color_parsing(person.label_map) for person in (one, other)]
        columns.append([one.image, *maps, draw_skeleton(other.image, other.pose, opacity=0.7), other.image])
        titles.append(f"{labels.distance[source]:.3g}, {labels.num_parts[source]} parts")
    return grid(
        list(zip(*columns, strict=True)),
        row_titles=["source", "its labels", "pseudo-label", "its pose", "its picture"],
        column_titles=titles,
        title="Distance of the pseudo-label and parts compared, from the best to the worst of all",
    )
