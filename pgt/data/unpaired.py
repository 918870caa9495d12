"""Training without pairs (SPT): each person meets somebody else's pose, and scenes without people.

What a `Pair` of this kind holds of the target is its pose and its label map; its picture is blank, so that no
target picture can reach any loss.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from pgt.data.person import Pair, Person

Lookup = Callable[[int], Person]


class Pictures(Protocol):
    """Any sequence of pictures (h, w, 3) uint8."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> np.ndarray: ...


class UnpairedPeople:
    """People, each with a partner who lends pose and map; a `PairDataset`.

    Args:
        person: gives a person by number.
        partners: (P, 2) int, the numbers of source and target: pseudo-labels (`PseudoLabels.pairs`); or, to
            measure what truth would bring (the paper's TS-GT and Table 4), another pose of the same person.
        scenes: pictures without people; item i of this dataset gets number i modulo their count.

    Raises:
        ValueError: no partners, or an array of another shape.
    """

    def __init__(self, person: Lookup, partners: np.ndarray, scenes: Pictures | None = None) -> None:
        if partners.ndim != 2 or partners.shape[1] != 2 or len(partners) == 0:
            raise ValueError(f"Partners must be a (P, 2) array with P > 0, not {partners.shape}.")
        self.person, self.partners, self.scenes = person, partners, scenes

    def __len__(self) -> int:
        return len(self.partners)

    def __getitem__(self, index: int) -> Pair:
        source, target = (int(number) for number in self.partners[index])
        scene = None if not self.scenes else self.scenes[index % len(self.scenes)]
        return Pair(self.person(source), pose_lender(self.person(target)), f"{source}_to_{target}", scene)


def pose_lender(person: Person) -> Person:
    """Keep of a person the pose and the label map; the picture is blank."""
    return Person(np.zeros_like(person.image), person.pose, person.label_map, name=person.name)


def true_partners(identities: Sequence[int]) -> np.ndarray:
    """Pair every person with the next one of the same identity, in a circle: (P, 2) int64.

    Args:
        identities: of each person; somebody who is alone is left out.
    """
    groups: dict[int, list[int]] = {}
    for number, identity in enumerate(identities):
        groups.setdefault(int(identity), []).append(number)
    pairs = [
        (number, group[(place + 1) % len(group)])
        for group in groups.values()
        if len(group) > 1
        for place, number in enumerate(group)
    ]
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
