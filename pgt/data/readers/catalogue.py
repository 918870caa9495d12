"""All readers by name: what `NAME:PATH` means on the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pgt.data.readers import bbc_pose, coco, deepfashion, human36m, market1501, openpose_folder, penn_action
from pgt.data.readers.folder import people_folder
from pgt.data.readers.people import People
from pgt.data.readers.pictures import PictureFolder
from pgt.data.readers.places2 import places2


@dataclass(frozen=True)
class Reader:
    """How one dataset is opened.

    Attributes:
        open: takes the folder and a split.
        splits: all there are.
    """

    open: Callable[[str | Path, str], People]
    splits: tuple[str, ...]


READERS = {
    "folder": Reader(people_folder, ("all",)),
    "openpose": Reader(openpose_folder.openpose_folder, openpose_folder.SPLITS),
    "coco": Reader(coco.coco, coco.SPLITS),
    "deepfashion": Reader(deepfashion.deepfashion, deepfashion.SPLITS),
    "deepfashion-176": Reader(partial(deepfashion.deepfashion, frame=deepfashion.NARROW), deepfashion.SPLITS),
    "market1501": Reader(market1501.market1501, market1501.SPLITS),
    "penn-action": Reader(penn_action.penn_action, penn_action.SPLITS),
    "bbc-pose": Reader(bbc_pose.bbc_pose, bbc_pose.SPLITS),
    "human3.6m": Reader(human36m.human36m, human36m.SPLITS),
    "human3.6m-subjects": Reader(partial(human36m.human36m, split_by="subject"), human36m.SPLITS),
}
PICTURES: dict[str, Callable[[str | Path], PictureFolder]] = {  # without people
    "photos": PictureFolder,
    "places2": places2,
}


def open_people(name: str, path: str | Path, split: str) -> People:
    """Open a split of a dataset by the name of its reader; one without splits has all its people in each.

    Raises:
        ValueError: no such reader or split, or as the reader.
        FileNotFoundError: as the reader.
    """
    if name not in READERS:
        raise ValueError(f"There is no reader {name!r} of people; there are {', '.join(READERS)}.")
    reader = READERS[name]
    if reader.splits == ("all",):
        split = "all"
    if split not in reader.splits:
        raise ValueError(f"{name} has no split {split!r}; there are {', '.join(reader.splits)}.")
    return reader.open(path, split)
