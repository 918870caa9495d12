"""DeepFashion, In-shop Clothes Retrieval Benchmark (Liu et al., CVPR 2016), with the public keypoint lists.

root/
  img/WOMEN/Dresses/id_00000002/02_1_front.jpg      as unpacked: item, then colour, view and its name; or
  train/fashionWOMENDressesid0000000202_1front.jpg  flattened, in any folder
  fasion-resize-annotation-train.csv                18 joints (see `keypoint_csv`) in the 256x176 frame; or
  fasion-annotation-train.csv                       in the 256x256 frame; likewise for test
  fasion-resize-pairs-train.csv                     from,to; by default all ordered pairs of a person
  train.lst, test.lst                               optional: names of a split; or
  Eval/list_eval_partition.txt                      the owners' split by item: train, and query and gallery
  parsing/                                          optional: NAME.png or NAME.npy, the 10 labels in either
                                                    frame; NAME exactly as the annotation CSV spells it

A person is one item in one colour. Every list flattens names its own way ("fashion" or "fasion", with or
without the underscores of a category), and the pictures may be flattened another way still: all spellings of
a picture are one `ItemName`. The frame of PATN (Zhu et al., CVPR 2019) is the picture's middle, 176 wide.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from pgt.data.person import Person
from pgt.data.pose import TORSO_JOINTS
from pgt.data.readers.folder import find_label_map
from pgt.data.readers.keypoint_csv import Joints, read_keypoint_csv, read_pairs_csv
from pgt.data.readers.people import People, Source, WrongSizeError, named_pairs, some, stack
from pgt.data.readers.pictures import SUFFIXES, read_picture
from pgt.files import read_text

SOURCE = Source(
    "DeepFashion In-shop",
    "the Multimedia Laboratory of the Chinese University of Hong Kong "
    "(http://mmlab.ie.cuhk.edu.hk/projects/DeepFashion.html)",
)
SPLITS = ("train", "test")
FULL, NARROW = (256, 256), (256, 176)
MAX_NAME = 500  # characters: of a longer one, the search would take long
CUT = (FULL[1] - NARROW[1]) // 2  # columns that the narrow frame leaves out on each side

_NAME = re.compile(
    r"(?P<who>WOMEN|MEN)/?(?P<category>[A-Za-z_]+?)/?id_?(?P<item>\d{8})[/_]?(?P<colour>\d{2})_(?P<view>\d)_?"
    r"(?P<side>[a-z]+)\.[a-z]+$"
)
_LIST = re.compile(r"fash?ion.*(?P<kind>annotation|pairs).*(?P<split>train|test).*\.csv", re.IGNORECASE)


@dataclass(frozen=True)
class ItemName:
    """What all spellings of a picture's name say.

    Attributes:
        who: WOMEN or MEN.
        category: without underscores, such as TeesTanks.
        item: eight digits.
        colour: two digits.
        view: its number and name, such as "1front".
    """

    who: str
    category: str
    item: str
    colour: str
    view: str

    @classmethod
    def read(cls, name: str) -> "ItemName":
        """Read a path as unpacked or a flattened name.

        Raises:
            ValueError: it is neither.
        """
        match = _NAME.search(name[:MAX_NAME])
        if match is None:
            raise ValueError(f'"{name[:80]}" is no name of DeepFashion In-shop, such as {EXAMPLE}.')
        category = match["category"].replace("_", "")
        return cls(match["who"], category, match["item"], match["colour"], match["view"] + match["side"])

    @property
    def person(self) -> str:
        """Whom the public lists take for one person: one item in one colour."""
        return f"{self.who}{self.category}id{self.item}{self.colour}"


EXAMPLE = "WOMEN/Dresses/id_00000002/02_1_front.jpg or fashionWOMENDressesid0000000202_1front.jpg"


def deepfashion(root: str | Path, split: str = "train", *, frame: tuple[int, int] = FULL) -> People:
    """Find the people of a split.

    Args:
        root: the folder described above.
        split: "train" or "test".
        frame: (H, W) of the pictures to return, FULL or NARROW. Pictures of the one size are cut or padded
            with white to the other, joints and label maps along; lists for either frame will do.

    Raises:
        FileNotFoundError: one sentence: what the folder lacks, and who publishes it.
        ValueError: a list that cannot be read.
    """
    if frame not in (FULL, NARROW):
        raise ValueError(f"The frames of DeepFashion are {FULL} and {NARROW}, not {frame}.")
    root = SOURCE.check_folder(root)
    annotation = _find_list(root, "annotation", split, frame)
    if annotation is None:
        raise SOURCE.missing(
            root, f"there is no fasion-annotation-{split}.csv, the joints published with PATN, in it"
        )
    joints = _in_frame(read_keypoint_csv(annotation), annotation, frame)
    items = read_items(annotation, joints)
    by_item, notes = _pictures(root, split)
    names = [name for name, item in items.items() if item in by_item]
    wanted = _members(root, split)
    if wanted is not None:
        names = [name for name in names if items[name] in wanted]
    if not names:
        raise SOURCE.missing(root, f"there is none of the pictures that {annotation.name} names in it")
    if len(names) < len(joints):
        gone = sorted(set(joints) - set(names))
        notes.append(f"{len(gone)} rows of {annotation.name} have no picture in the split: {some(gone)}.")
    paths = [by_item[items[name]] for name in names]
    return People(
        names,
        paths,
        stack([joints[name] for name in names]),
        [items[name].person if _has_torso(joints[name]) else None for name in names],
        pairs=_pairs(root, split, frame, {name: items[name] for name in names}, notes),
        look=partial(_look, paths, frame),
        finish=partial(_labelled, root, frame) if (root / "parsing").is_dir() else None,
        notes=notes,
    )


def _find_list(root: Path, kind: str, split: str, frame: tuple[int, int]) -> Path | None:
    """Find a list of a split, that of the wanted frame first."""
    found = []
    for path in sorted(root.glob("*.csv")):
        match = _LIST.fullmatch(path.name)
        if match and match["kind"].lower() == kind and match["split"].lower() == split:
            found.append(path)
    return min(found, key=lambda path: (_is_narrow(path) != (frame == NARROW), path.name), default=None)


def _is_narrow(path: Path) -> bool:
    return "resize" in path.name.lower()  # as all lists for the narrow frame are called


def _in_frame(joints: dict[str, Joints], path: Path, frame: tuple[int, int]) -> dict[str, Joints]:
    shift = CUT * (_is_narrow(path) - (frame == NARROW))
    if not shift:
        return joints
    moved = {name: (points + np.float32([shift, 0]), seen) for name, (points, seen) in joints.items()}
    return {name: (points * seen[:, None], seen) for name, (points, seen) in moved.items()}


def _pictures(root: Path, split: str) -> tuple[dict[ItemName, Path], list[str]]:
    """Find all pictures by their names; one in a folder named after another split does not count."""
    by_item: dict[ItemName, Path] = {}
    odd, others = [], {one for one in SPLITS if one != split}
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root)
        if path.suffix.lower() not in SUFFIXES or place.parts[0] == "parsing":
            continue
        if others & {part.lower() for part in place.parts[:-1]}:
            continue
        try:
            by_item.setdefault(ItemName.read(place.as_posix()), path)
        except ValueError:
            odd.append(place.as_posix())
    return by_item, [f"{len(odd)} pictures have no name of DeepFashion In-shop: {some(odd)}."] if odd else []


def _members(root: Path, split: str) -> set[ItemName] | None:
    """Return the names of a split, where a list says them."""
    listed = next((path for path in (root / f"{split}.lst",) if path.is_file()), None)
    if listed is not None:
        names = [line.strip() for line in read_text(listed).splitlines() if line.strip()]
        return set(read_items(listed, names).values())
    places = (root / "Eval" / "list_eval_partition.txt", root / "list_eval_partition.txt")
    official = next((path for path in places if path.is_file()), None)
    return None if official is None else read_partition(official, split)


def read_items(path: str | Path, names: Iterable[str]) -> dict[str, ItemName]:
    """Understand the names that a list holds.

    Args:
        path: of the list, for the message.
        names: in it.

    Raises:
        ValueError: file, line number, and what is wrong there.
    """
    items = {}
    for name in names:
        try:
            items[name] = ItemName.read(name)
        except ValueError as error:
            # Whoever read the list kept no numbers: it is read again for the one that is wrong.
            whole = re.compile(rf"(?<![^\s,]){re.escape(name)}(?![^\s,:])")
            lines = enumerate(read_text(path).split("\n"), start=1)
            number = next((number for number, line in lines if whole.search(line)), None)
            where = path if number is None else f"{path}, line {number}"
            raise ValueError(f"{where}: {error}") from None
    return items


def read_partition(path: str | Path, split: str) -> set[ItemName]:
    """Read the owners' split: a count, a header, then lines of picture, item and train, query or gallery.

    Returns:
        The names of "train", or of "test": query and gallery.

    Raises:
        ValueError: file, line number, and what is wrong there.
    """
    members = set()
    for number, line in enumerate(read_text(path).splitlines()[2:], start=3):
        words = line.split()
        if len(words) != 3 or words[2] not in ("train", "query", "gallery"):
            raise ValueError(
                f"{path}, line {number}: expected picture, item and train, query or gallery, "
                f'but found "{line[:80]}".'
            )
        if (words[2] == "train") == (split == "train"):
            try:
                members.add(ItemName.read(words[0]))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
    return members


def _pairs(
    root: Path, split: str, frame: tuple[int, int], known: dict[str, ItemName], notes: list[str]
) -> np.ndarray | None:
    path = _find_list(root, "pairs", split, frame)
    if path is None:
        return None
    spelled, listed = {item: name for name, item in known.items()}, read_pairs_csv(path)
    items = read_items(path, chain.from_iterable(listed))
    ours = [(spelled.get(items[source], ""), spelled.get(items[target], "")) for source, target in listed]
    pairs, unknown = named_pairs(ours, list(known))
    if unknown:
        notes.append(f"{unknown} pairs of {path.name} name a picture that is not there.")
    return pairs


def _look(paths: Sequence[Path], frame: tuple[int, int], number: int) -> np.ndarray:
    image = _fitted(read_picture(paths[number]), frame, fill=255)
    if image.shape[:2] != frame:
        found = "x".join(map(str, image.shape[:2]))
        raise WrongSizeError(f"{paths[number]} is {found}; 256x256 or 256x176 is needed.")
    return image


def _fitted(values: np.ndarray, frame: tuple[int, int], fill: int) -> np.ndarray:
    """Cut or pad a picture or map (H, W, ...) of one frame to the other; leave any other size alone."""
    if values.shape[:2] == FULL and frame == NARROW:
        return np.ascontiguousarray(values[:, CUT:-CUT])
    if values.shape[:2] == NARROW and frame == FULL:
        around = ((0, 0), (CUT, CUT), *[(0, 0)] * (values.ndim - 2))
        return np.pad(values, around, constant_values=fill)
    return values


def _has_torso(joints: Joints) -> bool:
    return bool(joints[1][list(TORSO_JOINTS)].all())


def _labelled(root: Path, frame: tuple[int, int], person: Person, number: int) -> Person:
    return find_label_map(person, root / "parsing", fit=partial(_fitted, frame=frame, fill=0))
