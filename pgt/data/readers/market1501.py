"""Market-1501 (Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015).

root/
  bounding_box_train/            0002_c1s1_000451_03.jpg: identity, camera and sequence, frame, box; 128x64
  bounding_box_test/             likewise; -1 are boxes nobody should use ("junk"), 0000 are distractors
  market-annotation-train.csv    18 joints (see `keypoint_csv`), published with Deformable GANs and PATN
  market-annotation-test.csv
  market-pairs-train.csv         optional, from,to; by default all ordered pairs of one identity
  market-pairs-test.csv
  parsing/                       optional: NAME.png or NAME.npy, the 10 labels

A split is a folder, and the 751 identities of one do not occur in the other's 750. The folders may also be
called train and test, as in the code of both papers.
"""

import re
from functools import partial
from pathlib import Path

from pgt.data.person import Person
from pgt.data.pose import TORSO_JOINTS
from pgt.data.readers.folder import find_label_map, is_distractor, person_key
from pgt.data.readers.keypoint_csv import Joints, read_keypoint_csv, read_pairs_csv
from pgt.data.readers.people import People, Source, named_pairs, some, stack

SOURCE = Source("Market-1501", "Liang Zheng and co-authors (ICCV 2015)")
SPLITS = ("train", "test")
SIZE = (128, 64)

_FOLDERS = {
    "train": ("bounding_box_train", "train"),
    "test": ("bounding_box_test", "test"),
}
_NAME = re.compile(r"(?P<identity>-1|\d{4})_c\d+s\d+_\d+_\d+r?\.jpg")


def market1501(root: str | Path, split: str = "train") -> People:
    """Find the people of a split.

    Args:
        root: the folder described above.
        split: "train" or "test".

    Raises:
        FileNotFoundError: one sentence: what the folder lacks, and who publishes it.
        ValueError: a CSV that cannot be read.
    """
    root = SOURCE.check_folder(root)
    folder = next((root / name for name in _FOLDERS[split] if (root / name).is_dir()), None)
    if folder is None:
        raise SOURCE.missing(root, f"there is no folder {_FOLDERS[split][0]} in it")
    annotation = root / f"market-annotation-{split}.csv"
    if not annotation.is_file():
        raise SOURCE.missing(
            root, f"there is no {annotation.name}, the joints published with Deformable GANs and PATN, in it"
        )
    joints, present = read_keypoint_csv(annotation), {path.name for path in folder.glob("*.jpg")}
    names = sorted(present & set(joints))
    if not names:
        raise SOURCE.missing(root, f"{folder.name} holds none of the pictures that {annotation.name} names")
    pairs, notes = None, _notes(sorted(present), joints, annotation.name)
    listed = root / f"market-pairs-{split}.csv"
    if listed.is_file():
        pairs, unknown = named_pairs(read_pairs_csv(listed), names)
        notes += [f"{unknown} pairs of {listed.name} name a picture that is not there."] if unknown else []
    return People(
        names,
        [folder / name for name in names],
        stack([joints[name] for name in names]),
        [identity(name) if _has_torso(joints[name]) else None for name in names],
        pairs=pairs,
        sizes=SIZE,
        finish=partial(_labelled, root) if (root / "parsing").is_dir() else None,
        notes=notes,
    )


def identity(name: str) -> str | None:
    """Return whose picture a name is, "0002" to "1501"; None for junk and distractors."""
    return None if is_distractor(name) else person_key(name)


def _has_torso(joints: Joints) -> bool:
    return bool(joints[1][list(TORSO_JOINTS)].all())


def _labelled(root: Path, person: Person, number: int) -> Person:
    return find_label_map(person, root / "parsing")


def _notes(present: list[str], joints: dict[str, Joints], annotation: str) -> list[str]:
    notes = []
    odd = [name for name in present if not _NAME.fullmatch(name)]
    if odd:
        notes.append(f"{len(odd)} names are not IDENTITY_cCsS_FRAME_BOX.jpg: {some(odd)}.")
    gone, unknown = sorted(set(joints) - set(present)), sorted(set(present) - set(joints))
    if gone:
        notes.append(f"{len(gone)} rows of {annotation} have no picture: {some(gone)}.")
    if unknown:
        notes.append(f"{len(unknown)} pictures have no row in {annotation}: {some(unknown)}.")
    return notes
