"""A folder of pictures with a keypoint CSV, as public preparations of DeepFashion and Market-1501 have it.

root/
  images/            the pictures, named as in the CSV files (or directly in root)
  keypoints.csv      name:keypoints_y:keypoints_x
  pairs.csv          from,to; without it: all ordered pairs of one person
  parsing/           optional: NAME.png or NAME.npy per picture, the 10 labels as numbers; NAME.npy may lie
                     beside the picture instead, as in the samples of SPT's release
"""

import math
import os
import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import permutations
from pathlib import Path, PurePath
from typing import BinaryIO

import numpy as np

from pgt.data.parsing import label_map_fault
from pgt.data.person import Pair, Person
from pgt.data.pose import TORSO_JOINTS, Pose
from pgt.data.readers.keypoint_csv import Joints, read_keypoint_csv, read_pairs_csv
from pgt.data.readers.people import People, named_pairs, some, stack
from pgt.data.readers.pictures import opened_picture, read_picture
from pgt.files import first_line

Fit = Callable[[np.ndarray], np.ndarray]

DISTRACTORS = ("-1", "0000")  # the `person_key` of nobody's pictures, in Market-1501
LAYOUT = (
    'a folder of people holds a CSV with a row "NAME: [18 y]: [18 x]" for each picture, and the pictures '
    "beside it or in images/; data/README.md shows the layout"
)


class PeopleFolder:
    """Pairs of people from a folder; a `PairDataset`.

    Args:
        root: the folder.
        keypoints: the keypoint CSV, relative to `root`.
        pairs: the pairs CSV, relative to `root`; where the default does not exist, pairs are made of all
            pictures whose names begin alike up to the first "_" (`person_key`), leaving out distractors
            (names beginning with "-1_" or "0000_") and people who lack a shoulder or hip.
        mirrored_faces: see `read_keypoint_csv`.

    Raises:
        ValueError: a file that cannot be read as what it should be, or a pair that names an unknown picture.
        FileNotFoundError: no such folder or CSV.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        keypoints: str = "keypoints.csv",
        pairs: str | None = None,
        mirrored_faces: bool = False,
    ) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise FileNotFoundError(f"There is no folder {self.root}.")
        self._images = self.root / "images" if (self.root / "images").is_dir() else self.root
        if not (self.root / keypoints).exists():
            raise FileNotFoundError(f"There is no {keypoints} in {self.root}: {LAYOUT}.")
        self._joints = read_keypoint_csv(self.root / keypoints, mirrored_faces=mirrored_faces)
        pairs_file = self.root / (pairs or "pairs.csv")
        if pairs is None and not pairs_file.exists():
            self.pairs = pair_up(self._joints)
        else:
            self.pairs = read_pairs_csv(pairs_file)
            self._check_pairs(pairs_file)

    def _check_pairs(self, pairs_file: Path) -> None:
        for pair in self.pairs:
            for name in pair:
                if name not in self._joints:
                    raise ValueError(f'{pairs_file} names "{name}", which has no row in the keypoint CSV.')

    @property
    def names(self) -> list[str]:
        """Names of all pictures in the keypoint CSV."""
        return list(self._joints)

    @property
    def joints(self) -> dict[str, Joints]:
        """All rows of the keypoint CSV."""
        return self._joints

    def path(self, name: str) -> Path:
        """Where the picture of a row is, or should be.

        Raises:
            ValueError: the name leads out of the folder.
        """
        if not stays_inside(name):
            raise ValueError(f"The keypoint CSV of {self.root} names {name[:80]!r}, which leads out of it.")
        return self._images / name

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Pair:
        source, target = self.pairs[index]
        return Pair(
            self.person(source), self.person(target), name=f"{Path(source).stem}_to_{Path(target).stem}"
        )

    def person(self, name: str) -> Person:
        """Read one picture with its joints and, where the folder has it, its label map.

        Raises:
            ValueError: the name is unknown, or the picture or label map cannot be read.
        """
        if name not in self._joints:
            raise ValueError(f'"{name}" has no row in the keypoint CSV of {self.root}.')
        image = read_picture(self.path(name))
        pose = Pose(*self._joints[name], image_size=image.shape[:2])
        return self.labelled(Person(image, pose, name=name))

    def labelled(self, person: Person) -> Person:
        """Add the label map of a person, where the folder has it.

        Raises:
            ValueError: as `read_label_map`.
        """
        return find_label_map(person, self.root / "parsing", self._images)


def find_label_map(
    person: Person, parsing: Path, beside: Path | None = None, fit: Fit | None = None
) -> Person:
    """Add the label map of a person, where there is one of its name.

    Args:
        person: a person with a name.
        parsing: the folder of NAME.png or NAME.npy.
        beside: a folder where NAME.npy may lie too; never a PNG there, for that is the picture.
        fit: as of `read_label_map`.

    Raises:
        ValueError: as `read_label_map`.
    """
    if not stays_inside(person.name):
        return person
    stem = os.path.splitext(person.name)[0]  # not pathlib: this is done for every picture of every epoch
    places = [(parsing, ".png"), (parsing, ".npy")] + ([(beside, ".npy")] if beside else [])
    for folder, suffix in places:
        path = os.path.join(folder, stem + suffix)
        if os.path.isfile(path):
            return replace(person, label_map=read_label_map(path, person.image_size, fit))
    return person


def read_label_map(path: str | Path, size: tuple[int, int], fit: Fit | None = None) -> np.ndarray:
    """Read a (H, W) map of the 10 labels from a single-channel or palette PNG, or a .npy file of integers.

    Args:
        path: the file.
        size: (H, W) of the picture it belongs to.
        fit: cuts the file's array as the picture was cut, before anything is checked.

    Returns:
        uint8 (H, W).

    Raises:
        ValueError: one sentence with the file's name: damaged, not one whole number per pixel, not of `size`,
            labels outside 0 to 9 (for other label sets see `pgt.data.parsing.merge`), or nothing but
            background, which no model can draw a person from.
    """
    path = Path(path)
    if path.suffix == ".npy":
        labels = read_array(path, "a label map")
    else:
        with opened_picture(path, "a label map") as picture:
            labels = np.array(picture)
    labels = labels if fit is None else fit(labels)
    fault = label_map_fault(labels, size)
    if fault is None and not labels.any():
        fault = "is background everywhere: it shows nobody"
    if fault is not None:
        raise ValueError(f"{path} {fault}.")
    return labels.astype(np.uint8)


def read_array(path: str | Path, what: str) -> np.ndarray:
    """Read a NumPy file that runs no code and is not larger than a picture may be.

    Raises:
        ValueError: one sentence with the file's name.
    """
    try:
        if not Path(path).is_file():  # a pipe would never end
            raise ValueError("there is no such file")
        with warnings.catch_warnings(), open(path, "rb") as file:
            warnings.simplefilter("ignore")
            size = _num_bytes(file)
            # What a header claims would be reserved before anything is read.
            if size != Path(path).stat().st_size - file.tell():
                raise ValueError("it is cut short, or no array of numbers")
            file.seek(0)
            return np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:  # damaged bytes make it raise nearly anything
        raise ValueError(f"{path} cannot be read as {what} ({first_line(error)}).") from None


def _num_bytes(file: BinaryIO) -> int:
    """Return how many bytes of data the header of a NumPy file announces; the file stands at the first."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return math.prod(shape) * dtype.itemsize


def stays_inside(name: str) -> bool:
    """Say whether a name from a file, put behind a folder, leads to something in it."""
    path = PurePath(name)
    return bool(path.parts) and not path.anchor and ".." not in path.parts


def person_key(name: str) -> str:
    """Return what names of one person's pictures share: the text before the first "_"."""
    return name.split("_", 1)[0]


def is_distractor(name: str) -> bool:
    """Say whether a name begins with "-1_" or "0000_": nobody's picture, as in Market-1501."""
    return person_key(name) in DISTRACTORS


def pair_up(joints: dict[str, Joints]) -> list[tuple[str, str]]:
    """List all ordered pairs of pictures of one person (Siarohin et al. 2018), sorted by name."""
    people = defaultdict(list)
    for name, (_, visible) in sorted(joints.items()):
        if visible[list(TORSO_JOINTS)].all() and not is_distractor(name):
            people[person_key(name)].append(name)
    return [pair for names in people.values() for pair in permutations(names, 2)]


def people_folder(root: str | Path, split: str = "all") -> People:
    """Read the same folder as `People`, which tell what is missing instead of failing at it.

    Raises:
        ValueError: as `PeopleFolder`.
        FileNotFoundError: likewise, or no picture of any row is there.
    """
    folder = PeopleFolder(root)
    names = [name for name in folder.names if folder.path(name).is_file()]
    if not names:
        raise FileNotFoundError(f"{root} holds none of the pictures that its keypoint CSV names.")
    gone = sorted(set(folder.names) - set(names))
    notes = [f"{len(gone)} rows of the keypoint CSV have no picture: {some(gone)}."] if gone else []
    pairs, unknown = named_pairs(folder.pairs, names)
    notes += [f"{unknown} pairs name a picture that is not there."] if unknown else []
    nobody = [name for name in names if is_distractor(name)]
    if nobody:
        notes.append(
            f"{len(nobody)} pictures count as nobody's (-1_... and 0000_..., as in Market-1501), and pair up "
            f"only where pairs.csv says so: {some(nobody)}."
        )
    return People(
        names,
        [folder.path(name) for name in names],
        stack([folder.joints[name] for name in names]),
        [None if is_distractor(name) else person_key(name) for name in names],
        pairs=pairs,
        finish=partial(_labelled, folder),
        notes=notes,
    )


def _labelled(folder: PeopleFolder, person: Person, number: int) -> Person:
    return folder.labelled(person)
