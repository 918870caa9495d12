"""People of one split of a real dataset: what its reader finds out, and pairs of them read one by one.

A reader (one file per dataset beside this one) looks through a folder once and keeps names, joints and
identities; pictures stay on disk until they are asked for. Sentinels of the formats end there: a joint that
is missing is not visible, at 0, 0.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgt.data.person import Pair, Person
from pgt.data.pose import Pose
from pgt.data.readers.keypoint_csv import Joints
from pgt.data.readers.pictures import read_picture

Finish = Callable[[Person, int], Person]
Size = tuple[int, int]


@dataclass(frozen=True)
class Source:
    """Where a dataset comes from.

    Attributes:
        name: as people call it.
        publisher: who hands it out, and where, as in data/README.md.
    """

    name: str
    publisher: str

    def missing(self, root: str | Path, what: str) -> FileNotFoundError:
        """Return the error that says what a folder lacks and who publishes it."""
        return FileNotFoundError(
            f"{root} is not the folder of {self.name}: {what}. It is published by {self.publisher}; "
            "data/README.md shows the layout."
        )

    def check_folder(self, root: str | Path) -> Path:
        """Return the folder as a path.

        Raises:
            FileNotFoundError: there is none.
        """
        if not Path(root).is_dir():
            raise self.missing(root, "there is no such folder")
        return Path(root)


class WrongSizeError(ValueError):
    """A picture is not of the size its annotation was made for."""


class People:
    """People in pictures, and pairs of them; a `PairDataset`.

    Args:
        names: one per person, each once; also the names in messages.
        paths: the picture each is in.
        joints: keypoints (N, 18, 2), (x, y) in pixels of the picture, and visible (N, 18).
        identities: people with one identity pair up; None pairs with nobody.
        pairs: (P, 2) numbers of source and target; by default all ordered pairs of one identity's people.
        sizes: (H, W) that pictures must have: one for all, one per person, or None for any.
        look: reads the picture of a person by number; by default from `paths`.
        finish: adds masks or labels to a person just read, or cuts it out.
        notes: what was odd about the folder, one sentence each.

    Raises:
        ValueError: lists of different lengths, or joints of another shape.
    """

    def __init__(
        self,
        names: Sequence[str],
        paths: Sequence[Path],
        joints: Joints,
        identities: Sequence[str | None],
        *,
        pairs: np.ndarray | None = None,
        sizes: Size | Sequence[Size] | None = None,
        look: Callable[[int], np.ndarray] | None = None,
        finish: Finish | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.names, self.paths, self.identities = list(names), list(paths), list(identities)
        self.keypoints = np.asarray(joints[0], np.float32).reshape(-1, 18, 2)
        self.visible = np.asarray(joints[1], bool).reshape(-1, 18)
        self.notes = tuple(notes)
        lists = (self.paths, self.identities, self.keypoints, self.visible)
        if any(len(values) != len(self.names) for values in lists):
            raise ValueError(f"{len(self.names)} people need as many paths, identities and joints.")
        self._sizes, self._look, self._finish = sizes, look, finish
        self._numbers = {name: number for number, name in enumerate(self.names)}
        self._listed = None if pairs is None else np.asarray(pairs, np.int64).reshape(-1, 2)
        self._groups = _groups(self.identities) if pairs is None else []
        self._ends = np.cumsum([len(group) * (len(group) - 1) for group in self._groups], dtype=np.int64)

    def __len__(self) -> int:
        """Return how many pairs there are."""
        if self._listed is not None:
            return len(self._listed)
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> Pair:
        source, target = self.pair(index)
        name = f"{_stem(self.names[source])}_to_{_stem(self.names[target])}"
        return Pair(self.read(source), self.read(target), name=name)

    @property
    def joints(self) -> dict[str, Joints]:
        """Everybody's keypoints (18, 2) and visible (18,), by name."""
        return dict(zip(self.names, zip(self.keypoints, self.visible, strict=True), strict=True))

    def pair(self, index: int) -> tuple[int, int]:
        """Return the numbers of source and target of a pair, without reading any picture."""
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} pairs; {index} is none of them.")
        if self._listed is not None:
            source, target = self._listed[index]
            return int(source), int(target)
        # Pairs are never listed: a few videos of a thousand frames already have millions.
        place = int(np.searchsorted(self._ends, index, side="right"))
        group = self._groups[place]
        first, second = divmod(index - int(self._ends[place - 1] if place else 0), len(group) - 1)
        return int(group[first]), int(group[second + (second >= first)])

    def person(self, name: str) -> Person:
        """Read one person.

        Raises:
            ValueError: the name is unknown, or as `read`.
        """
        if name not in self._numbers:
            raise ValueError(f'There is nobody called "{name}".')
        return self.read(self._numbers[name])

    def read(self, number: int) -> Person:
        """Read a person by number.

        Raises:
            WrongSizeError: the picture is not of the size its joints belong to.
            ValueError: the picture, or what belongs to it, cannot be read.
        """
        return self.finished(self.whole(number), number)

    def whole(self, number: int) -> Person:
        """Read a person in the whole picture: not cut out yet, and without masks and labels.

        Raises:
            WrongSizeError: the picture is not of the size its joints belong to.
            ValueError: the picture cannot be read.
        """
        image = read_picture(self.paths[number]) if self._look is None else self._look(number)
        wanted, name = self.size_of(number), self.names[number]
        if wanted is not None and image.shape[:2] != wanted:
            found = "x".join(map(str, image.shape[:2]))
            raise WrongSizeError(f"{self.paths[number]} is {found}; {wanted[0]}x{wanted[1]} is needed.")
        pose = Pose(self.keypoints[number], self.visible[number], image.shape[:2])
        return Person(image, pose, name=name)

    def finished(self, person: Person, number: int) -> Person:
        """Add masks or labels to a person of `whole`, or cut it out.

        Raises:
            ValueError: what belongs to the picture cannot be read.
        """
        return person if self._finish is None else self._finish(person, number)

    def size_of(self, number: int) -> Size | None:
        """Return the (H, W) that a person's picture must have, or None for any."""
        if self._sizes is None or isinstance(self._sizes, tuple):
            return self._sizes
        height, width = self._sizes[number]
        return int(height), int(width)


def stack(joints: Sequence[Joints]) -> Joints:
    """Join keypoints (18, 2) and visible (18,) of N people into (N, 18, 2) and (N, 18)."""
    keypoints = np.array([one for one, _ in joints], np.float32).reshape(-1, 18, 2)
    return keypoints, np.array([seen for _, seen in joints], bool).reshape(-1, 18)


def named_pairs(pairs: Sequence[tuple[str, str]], names: Sequence[str]) -> tuple[np.ndarray, int]:
    """Turn pairs of names into (P, 2) numbers; those with an unknown name are left out and counted."""
    numbers = {name: number for number, name in enumerate(names)}
    known = [(numbers[a], numbers[b]) for a, b in pairs if a in numbers and b in numbers]
    return np.array(known, np.int64).reshape(-1, 2), len(pairs) - len(known)


def some(names: Sequence[str], count: int = 3) -> str:
    """Write the first few of some names, for a message."""
    return ", ".join(names[:count]) + (", ..." if len(names) > count else "")


def _groups(identities: Sequence[str | None]) -> list[np.ndarray]:
    groups: dict[str, list[int]] = {}
    for number, identity in enumerate(identities):
        if identity is not None:
            groups.setdefault(identity, []).append(number)
    return [np.array(group) for group in groups.values() if len(group) > 1]


def _stem(name: str) -> str:
    """Return a name fit for a file: without suffix and folders."""
    return os.path.splitext(name)[0].replace("/", "_")
