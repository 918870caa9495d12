"""A folder of pictures and what OpenPose found in them.

root/
  anna/front.jpg
  anna/front_keypoints.json     by OpenPose: beside the picture, or of that name anywhere below root

Pictures of one person lie in one folder; directly in root, their names begin alike up to the first "_".
Of several people in a picture, the one with the tallest skeleton is taken.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from pgt.data.pose import Pose
from pgt.data.readers.folder import person_key
from pgt.data.readers.openpose_json import read_openpose_json
from pgt.data.readers.people import People, Source, some, stack
from pgt.data.readers.pictures import SUFFIXES

SOURCE = Source("pictures with OpenPose's JSON", "whoever took them")
SPLITS = ("all",)
ENDING = "_keypoints.json"


def openpose_folder(root: str | Path, split: str = "all") -> People:
    """Find the pictures in which OpenPose saw somebody.

    Raises:
        FileNotFoundError: one sentence: what the folder lacks.
        ValueError: a JSON that is not OpenPose's, named.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"There is no folder {root}.")
    pictures = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    found = sorted(root.rglob(f"*{ENDING}"))
    if not pictures or not found:
        what = f"NAME{ENDING}, which OpenPose writes," if pictures else f"picture ({', '.join(SUFFIXES)})"
        raise FileNotFoundError(f"There is no {what} below {root}.")
    by_path = {path.relative_to(root): path for path in found}
    stems = Counter(path.name for path in found)
    by_name = {path.name: path for path in found if stems[path.name] == 1}
    people, notes, without, empty = [], [], [], []
    for picture in pictures:
        place = picture.relative_to(root)
        name = f"{picture.stem}{ENDING}"
        json = by_path.get(place.with_name(name), by_name.get(name))
        poses = None if json is None else read_openpose_json(json, (1, 1))  # the size does not matter here
        if poses:
            people.append((place, max(poses, key=_height)))
        else:
            (without if poses is None else empty).append(place.as_posix())
    if without:
        notes.append(f"{len(without)} pictures have no JSON: {some(without)}.")
    if empty:
        notes.append(f"In {len(empty)} pictures nobody was found: {some(empty)}.")
    return People(
        [place.as_posix() for place, _ in people],
        [root / place for place, _ in people],
        stack([(pose.keypoints * pose.visible[:, None], pose.visible) for _, pose in people]),
        [_identity(place) for place, _ in people],
        notes=notes,
    )


def _height(pose: Pose) -> float:
    return float(np.ptp(pose.keypoints[pose.visible, 1])) if pose.visible.any() else -1.0


def _identity(place: Path) -> str:
    return person_key(place.name) if place.parent == Path() else place.parent.as_posix()
