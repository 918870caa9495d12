"""People annotated as in COCO (Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014).

root/
  annotations/person_keypoints_train2017.json    "images", and "annotations" with 17 times x, y, v per person
  train2017/000000000785.jpg
or a folder with one JSON of this kind in it and the pictures beside it or in images/: its split is "train".

Every person with a marked joint who is no crowd is cut out by the annotated box; the mask comes from the
polygons. Nobody is known twice, so there are no pairs.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from pgt.data.crop_pairs import crop_person
from pgt.data.person import Person
from pgt.data.point_sets import split_points
from pgt.data.pose import MAX_COORDINATE
from pgt.data.readers.people import People, Source, some, stack
from pgt.files import first_line, read_json

SOURCE = Source("COCO", "the COCO Consortium, as the keypoints of 2017")
SPLITS = ("train", "val")
MAX_SIDE = 100_000  # pixels of a picture
MARGIN = 0.1  # around the annotated box, as a share of its longer side


def coco(root: str | Path, split: str = "train") -> People:
    """Find the annotated people of a split.

    Raises:
        FileNotFoundError: one sentence: what the folder lacks, and who publishes it.
        ValueError: a JSON that is not of this kind.
    """
    root = SOURCE.check_folder(root)
    annotation = _annotation(root, split)
    images, annotations = _content(annotation)
    people, notes = _marked(annotation, annotations, images)
    folders = (root / f"{split}2017", root / "images", root, annotation.parent)
    places = {number: _find(folders, image["file_name"]) for number, image in images.items()}
    gone = sorted(images[number]["file_name"] for number, path in places.items() if path is None)
    if gone:
        notes.append(f"{len(gone)} pictures of {annotation.name} are not there: {some(gone)}.")
    people = [one for one in people if places[one["image_id"]] is not None]
    if not people:
        raise SOURCE.missing(root, f"there is no picture with people of {annotation.name} in it")
    return People(
        [f"{images[one['image_id']]['file_name']}#{one['id']}" for one in people],
        [places[one["image_id"]] for one in people],
        stack([_joints(annotation, one) for one in people]),
        [None] * len(people),
        sizes=[(images[one["image_id"]]["height"], images[one["image_id"]]["width"]) for one in people],
        finish=partial(_cut_out, [(one.get("bbox"), one.get("segmentation")) for one in people]),
        notes=notes,
    )


def _annotation(root: Path, split: str) -> Path:
    official = root / "annotations" / f"person_keypoints_{split}2017.json"
    if official.is_file():
        return official
    others = sorted(root.glob("*.json"))
    if len(others) == 1 and split == "train" and not official.parent.is_dir():
        return others[0]
    raise SOURCE.missing(root, f"there is no annotations/{official.name} and no single JSON in it")


def _content(path: Path) -> tuple[dict[int, dict], list[dict]]:
    content = read_json(path)
    try:
        images = {image["id"]: image for image in content["images"]}
        annotations = list(content["annotations"])
        for image in images.values():
            name, *sides = (image[key] for key in ("file_name", "height", "width"))
            is_name = isinstance(name, str) and name.isprintable()
            if not is_name or not all(1 <= side <= MAX_SIDE for side in sides):
                raise ValueError("an image without name or size")
        if any(one["image_id"] not in images or "id" not in one for one in annotations):
            raise ValueError("an annotation without its image")
    except (ValueError, KeyError, TypeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else first_line(error)
        if isinstance(error, TypeError):  # of Python's own words for it, nobody would learn anything
            reason = "its images and annotations are not lists of objects"
        raise ValueError(f"{path} is no JSON with COCO's keypoints ({reason}).") from None
    return images, annotations


def _marked(path: Path, annotations: list[dict], images: dict[int, dict]) -> tuple[list[dict], list[str]]:
    """Keep who has a marked joint and is no crowd, and count the others."""
    crowds = [one for one in annotations if one.get("iscrowd")]
    alone = [one for one in annotations if not one.get("iscrowd")]
    people = [one for one in alone if one.get("keypoints") and _joints(path, one)[1].any()]
    notes = []
    if crowds:
        notes.append(f"{len(crowds)} crowds are left out.")
    if len(people) < len(alone):
        notes.append(f"{len(alone) - len(people)} people without any marked joint are left out.")
    return people, notes


def _joints(path: Path, annotation: dict) -> tuple[np.ndarray, np.ndarray]:
    where = f"{path}, annotation {str(annotation['id'])[:40]!r}"
    try:
        keypoints, visible = split_points(annotation["keypoints"], "keypoints")
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    usable = (np.abs(keypoints) <= MAX_COORDINATE).all(axis=1)  # False for NaN too
    if not usable[visible].all():
        raise ValueError(f"{where}: a keypoint is at no pixel position.")
    return keypoints * visible[:, None], visible


def _find(folders: tuple[Path, ...], name: str) -> Path | None:
    # Only the last part: a name from a file must not lead out of the folder.
    return next((path for path in (folder / Path(name).name for folder in folders) if path.is_file()), None)


def _cut_out(shapes: list[tuple[object, object]], person: Person, number: int) -> Person:
    box, polygons = shapes[number]
    height, width = person.image_size
    if isinstance(polygons, list) and polygons:
        try:
            person = replace(person, person_mask=_mask(polygons, person.image_size))
        except (ValueError, TypeError, OverflowError):
            raise ValueError(f"The segmentation of {person.name} is no list of polygons.") from None
    if not isinstance(box, list) or len(box) != 4:
        return person
    x, y, w, h = _numbers(box, f"The bbox of {person.name}")
    around = MARGIN * max(w, h)
    low = np.floor([max(0, x - around), max(0, y - around)]).astype(int)
    high = np.ceil([min(width, x + w + around), min(height, y + h + around)]).astype(int)
    if (high - low < 1).any():
        return person
    return crop_person(person, torch.tensor([[*low, *high]]), (int(high[1] - low[1]), int(high[0] - low[0])))


def _mask(polygons: list[list[float]], size: tuple[int, int]) -> np.ndarray:
    picture = Image.new("1", (size[1], size[0]))
    for polygon in polygons:
        if len(polygon) >= 6:
            ImageDraw.Draw(picture).polygon(_numbers(polygon, "A polygon"), fill=1)
    return np.array(picture)


def _numbers(values: list, what: str) -> list[float]:
    """Return pixel positions; far ones would keep a drawing busy for ever."""
    if not all(isinstance(value, int | float) and abs(value) <= MAX_COORDINATE for value in values):
        raise ValueError(f"{what} is not made of pixel positions.")
    return [float(value) for value in values]
