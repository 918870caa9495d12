"""Photographs of people, of whom there is one picture each, mixed into a training on pairs.

A photo is its own target (self-reconstruction). So that copying does not suffice, the source is mirrored or
both pictures are different cuts of the photo: the pose moves, and everything has to move along. It teaches
faces, cloth and backgrounds of photographs, but nothing about other poses: those come from the pairs.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from pgt.data.crop_pairs import crop_person
from pgt.data.pairs import PairDataset
from pgt.data.person import Pair, Person
from pgt.data.pose import Pose, pose_mask

SMALLEST_CUT = 0.8  # of the photo's sides
MASK_RADIUS = 0.04  # of the photo's height: half the width of a limb in a mask guessed from the joints


class SelfPairs:
    """Photos as pairs of themselves; a `PairDataset`.

    Half of the items have a mirrored source, in the other half source and target are different cuts. The same
    item is always the same; the same photo comes in as many ways as `repeats`.

    Args:
        people: read when asked for; any sizes.
        repeats: items per photo.
        seed: of the cuts.

    Raises:
        ValueError: nobody.
    """

    def __init__(self, people: Sequence[Person], *, repeats: int = 16, seed: int = 0) -> None:
        if not len(people) or repeats < 1:
            raise ValueError("Self-reconstruction needs at least one photo, and one item of each.")
        self.people, self.repeats, self.seed = people, repeats, seed

    def __len__(self) -> int:
        return len(self.people) * self.repeats

    def __getitem__(self, index: int) -> Pair:
        if not -len(self) <= index < len(self):
            raise IndexError(f"Item {index} of {len(self)} photos in their variations.")
        turn, number = divmod(index % len(self), len(self.people))
        person = with_mask(self.people[number])
        rng = np.random.default_rng((self.seed, index % len(self)))
        name = f"{person.name}_to_itself"
        if turn % 2 == 0:
            return Pair(person.flipped(), person, name)
        return Pair(random_cut(person, rng), random_cut(person, rng), name)


class MixedPairs:
    """Two datasets as one in which the second has a given share; a `PairDataset`.

    Of both every item occurs; whichever is too short for its share comes round again.

    Args:
        pairs: of synthetic people, for example.
        photos: of photographs, for example `SelfPairs`.
        share: of `photos`, above 0 and below 1.

    Raises:
        ValueError: an empty dataset, or a share that is none.
    """

    def __init__(self, pairs: PairDataset, photos: PairDataset, share: float) -> None:
        if not 0 < share < 1:
            raise ValueError(f"The share of photos must lie between 0 and 1, not {share}.")
        if not len(pairs) or not len(photos):
            raise ValueError("Both datasets of a mixture need at least one pair.")
        self.pairs, self.photos = pairs, photos
        self._num_photos = max(len(photos), round(len(pairs) * share / (1 - share)))
        self._num_pairs = max(len(pairs), round(self._num_photos * (1 - share) / share))

    def __len__(self) -> int:
        return self._num_pairs + self._num_photos

    def __getitem__(self, index: int) -> Pair:
        if not -len(self) <= index < len(self):
            raise IndexError(f"Pair {index} of a mixture of {len(self)}.")
        index %= len(self)
        if index >= self._num_pairs:
            return self.photos[(index - self._num_pairs) % len(self.photos)]
        pair = self.pairs[index % len(self.pairs)]
        # A batch has masks only where all of its people do (`collate`), and photos have.
        return replace(pair, source=with_mask(pair.source), target=with_mask(pair.target))


def with_mask(person: Person) -> Person:
    """Give a person a mask: its own, that of its labels, or one guessed from the joints."""
    if person.person_mask is not None:
        return person
    if person.label_map is not None:
        return replace(person, person_mask=person.label_map > 0)
    joints, seen = torch.from_numpy(person.keypoints)[None], torch.from_numpy(person.visible)[None]
    radius = max(1.0, MASK_RADIUS * person.image_size[0])
    mask = pose_mask(joints, seen, person.image_size, radius)[0, 0].numpy() > 0
    return replace(person, person_mask=mask)


def random_cut(person: Person, rng: np.random.Generator) -> Person:
    """Cut out 80 to 100 % of a photo's sides, anywhere, and enlarge it; joints outside are not visible."""
    height, width = person.image_size
    scale = rng.uniform(SMALLEST_CUT, 1)
    down, across = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = int(rng.integers(height - down + 1)), int(rng.integers(width - across + 1))
    box = torch.tensor([[left, top, left + across, top + down]])
    cut = crop_person(person, box, person.image_size)
    inside = ((cut.keypoints >= 0) & (cut.keypoints < [width, height])).all(axis=1)
    if not inside[cut.visible].any():
        return person  # of a partly visible person: whatever is in sight must stay
    return replace(cut, pose=Pose(cut.keypoints, cut.visible & inside, cut.image_size))
