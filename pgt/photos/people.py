"""A photograph -> Person: joints, and where wanted mask and labels, from files or from detectors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pgt.data.boxes import person_boxes
from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.data.readers.folder import read_label_map
from pgt.photos import detectors
from pgt.photos.detectors import ADVICE, Detector, main_person, mask_of
from pgt.photos.reading import open_photo, pose_in_frame, read_person_mask, read_pose_file
from pgt.photos.transformer_models import Parser

WORKING_SIDE = 1600  # larger photos are reduced to this side: ample for any of our models
PARSED_MARGIN = 0.25  # of a skeleton's longer side: what a parser sees around it


@dataclass(frozen=True)
class Finders:
    """What looks for things in a photo that are not given as files; None: what is said beside each.

    Attributes:
        people: finds people and their joints; `pgt.photos.detect_people` by default.
        segmenter: finds people and their masks, such as `pgt.photos.segment_people`; without one there is no
            mask unless it is given.
        parser: labels one person's pixels, such as `pgt.photos.load_clothes_parser()`; without one there are
            no labels unless they are given.
        number: which person to take, counted from the left, from 1; by default the main one (`main_person`).
        tell: called with one sentence where it was not plain which person is meant.
    """

    people: Detector | None = None
    segmenter: Detector | None = None
    parser: Parser | None = None
    number: int | None = None
    tell: Callable[[str], None] | None = None


def person_from_photo(
    path: str | Path,
    keypoints: str | Path | Pose | None = None,
    *,
    finders: Finders | None = None,
    lone_row: bool = True,
    parsing: str | Path | None = None,
    person_mask: str | Path | None = None,
) -> Person:
    """Read a photo and the joints of the person on it.

    Args:
        path: of the picture, in any format that PIL reads.
        keypoints: a JSON or CSV file, or a pose in the upright photo's pixels; None: ask a detector.
        finders: what finds that which is not given.
        lone_row: as in `read_pose_file`.
        parsing: the ten labels of the upright photo, .png or .npy, see `read_label_map`.
        person_mask: where the person is on the upright photo, .png or .npy, see `read_person_mask`.

    Returns:
        A person named after the file, with labels and mask where these are given or found; the larger side is
        at most 1600 pixels.

    Raises:
        ValueError: one sentence, if the picture, the joints, the mask or the labels are unusable, or if there
            is nobody in the photo, or somebody tiny.
        DetectorUnavailableError: one sentence, if something is neither given nor can be found here.
    """
    finders = finders or Finders()
    image = open_photo(path)
    size = image.shape[:2]
    if keypoints is None:
        pose = _detected(image, finders)
    elif isinstance(keypoints, Pose):
        pose = pose_in_frame(keypoints, size)
    else:
        pose = read_pose_file(keypoints, size, Path(path).name, lone_row=lone_row)
    if not pose.visible.any():
        raise ValueError(
            f"No joint of the person in the photo could be made out; {ADVICE}."
            if keypoints is None
            else "The file of joints marks all 18 as missing for this photo."
        )
    mask = None if person_mask is None else read_person_mask(person_mask, size)
    if mask is None and finders.segmenter is not None:
        mask = mask_of(pose, finders.segmenter(image))
    labels = None if parsing is None else read_label_map(parsing, size)
    if labels is None and finders.parser is not None:
        labels = _parsed(image, pose, mask, finders.parser)
    person = Person(image, pose, labels, mask, name=Path(path).stem)
    shrink = WORKING_SIDE / max(size)
    return (
        person
        if shrink >= 1
        else person.resized((max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))))
    )


def detect_pose(image: np.ndarray) -> Pose:
    """Find the joints of the main person by torchvision's keypoint R-CNN.

    Args:
        image: uint8 (H, W, 3) RGB.

    Raises:
        ValueError: one sentence: nobody is found, or only somebody tiny.
        DetectorUnavailableError: torchvision or the weights cannot be had.
    """
    return _detected(image, Finders())


def _detected(image: np.ndarray, finders: Finders) -> Pose:
    found = (finders.people or detectors.detect_people)(image)
    person = main_person(found, image.shape[:2], number=finders.number, tell=finders.tell)
    if person.pose is None:
        raise ValueError("The detector finds people but no joints; it can only serve for their masks.")
    return person.pose


def _parsed(image: np.ndarray, pose: Pose, mask: np.ndarray | None, parser: Parser) -> np.ndarray:
    """Label the person alone: a parser sees the box around the joints, and nothing counts beyond the mask."""
    x1, y1, x2, y2 = person_boxes(
        torch.from_numpy(pose.keypoints)[None],
        torch.from_numpy(pose.visible)[None],
        pose.image_size,
        margin=PARSED_MARGIN,
    )[0].tolist()
    labels = np.zeros(pose.image_size, np.uint8)
    labels[y1:y2, x1:x2] = parser(np.ascontiguousarray(image[y1:y2, x1:x2]))
    if mask is not None:
        labels[~mask] = 0
    if not labels.any():
        raise ValueError("The parser found nobody where the joints are; give the labels as a file instead.")
    return labels
