"""People without pairs, for the search of pseudo-labels and for what is trained on them."""

import argparse
import time
from pathlib import Path

import numpy as np

from pgt.commands.common import SYNTHETIC, cached_people, is_first_process, reader_of
from pgt.data.part_descriptors import LabelledPeople
from pgt.data.person import Person
from pgt.data.pseudo_label_index import PseudoLabels, write_index
from pgt.data.pseudo_labels import PseudoLabelSearch, SearchOptions
from pgt.data.unpaired import Lookup, Pictures, UnpairedPeople, true_partners

DEFAULT_SIZE = (128, 128)  # of synthetic people
NUM_SCENES = 2_000  # synthetic ones, without people
Size = tuple[int, int] | None  # None: what the data has
Gathered = tuple[LabelledPeople, Lookup, dict[str, object]]


def labelled_people(arguments: argparse.Namespace, size: Size) -> Gathered:
    """Gather the training people that the arguments name: for the search, one by one, and what they are."""
    return (_synthetic if arguments.data == SYNTHETIC else _from_folder)(arguments, size)


def unpaired_people(
    arguments: argparse.Namespace, size: tuple[int, int], *, scenes: bool, true_maps: bool
) -> UnpairedPeople:
    """Give everyone a partner: by `--pseudo-labels`, by a search kept in the run folder, or the true one.

    Args:
        arguments: of `pgt train`.
        size: (H, W) of the training.
        scenes: add pictures without people.
        true_maps: partners are other pictures of the same identity.
    """
    people, lookup, facts = labelled_people(arguments, size)
    if true_maps or arguments.true_maps:
        partners = true_partners(people.identities)
    else:
        partners = _pseudo_labels(arguments, people, facts).pairs
    if not len(partners):
        raise ValueError(f"Nobody in {arguments.data} has a partner to learn from.")
    return UnpairedPeople(lookup, partners, _scenes(arguments, size) if scenes else None)


def _pseudo_labels(
    arguments: argparse.Namespace, people: LabelledPeople, facts: dict[str, object]
) -> PseudoLabels:
    if arguments.pseudo_labels:
        labels = PseudoLabels.read(Path(arguments.pseudo_labels) / "index.jsonl")
        if len(labels.target) != len(people):
            raise ValueError(
                f"{arguments.pseudo_labels} is an index of {len(labels.target)} people, "
                f"but there are {len(people)} to train on."
            )
        return labels
    path = Path(arguments.run_dir) / "pseudo_labels" / "index.jsonl"
    if is_first_process():
        return write_index(path, PseudoLabelSearch(people, SearchOptions()), facts, progress=True)
    while not path.exists():  # the first process is at it
        time.sleep(0.5)
    return PseudoLabels.read(path)


def _scenes(arguments: argparse.Namespace, size: tuple[int, int]) -> Pictures:
    if arguments.scenes:
        from pgt.data.readers.pictures import PictureFolder

        return PictureFolder(arguments.scenes)
    from pgt.synthetic.scenes import SyntheticScenes

    return SyntheticScenes("train", size, NUM_SCENES)


def _synthetic(arguments: argparse.Namespace, size: Size) -> Gathered:
    cached = cached_people(arguments, "train", size or DEFAULT_SIZE)
    cached.fill(progress=is_first_process())

    def lookup(number: int) -> Person:
        return cached.person(*divmod(number, arguments.poses))

    identities = np.arange(cached.num_people) // arguments.poses
    people = LabelledPeople.from_people(map(lookup, range(cached.num_people)), identities)
    facts = {"data": SYNTHETIC, **cached.parameters}
    return people, lookup, facts | {"identities": arguments.identities, "poses": arguments.poses}


def _from_folder(
    arguments: argparse.Namespace, size: Size
) -> tuple[LabelledPeople, Lookup, dict[str, object]]:
    from tqdm.auto import tqdm

    from pgt.data.readers.catalogue import open_people
    from pgt.data.readers.folder import PeopleFolder, is_distractor, person_key
    from pgt.predictor import fit_person

    reader, path = reader_of(arguments.data)
    folder = PeopleFolder(path) if reader is None else open_people(reader, path, "train")
    names = [name for name in folder.names if not is_distractor(name)]
    if reader is None:
        who = [person_key(name) for name in names]
    else:  # whoever pairs with nobody is alone
        known = dict(zip(folder.names, folder.identities, strict=True))
        who = [known[name] or name for name in names]

    def lookup(number: int) -> Person:
        person = folder.person(names[number])
        return fit_person(person, size) if size else person  # padded, as people are drawn later

    _, identities = np.unique(who, return_inverse=True)
    with tqdm(range(len(names)), unit="people", desc="Reading people") as numbers:
        people = LabelledPeople.from_people(map(lookup, numbers), identities)
    return people, lookup, {"data": Path(path).resolve().name}
