"""People found in a picture by torchvision's networks, and which of them is the main one.

Keypoint R-CNN gives boxes and joints, Mask R-CNN boxes and masks (He et al., Mask R-CNN, ICCV 2017). Both are
imported and their weights downloaded when first used. Any function from a picture to a list of
`DetectedPerson` can take their place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import nn

from pgt.data.pose import Pose, coco17_to_openpose18

PERSON_SCORE = 0.7  # a detector's confidence that there is a person
JOINT_SCORE = 2.0  # keypoint R-CNN's logit above which a joint counts as seen
MASK_SCORE = 0.5  # Mask R-CNN's probability above which a pixel belongs to the person
DETECTOR_SIDE = 640  # pixels: torchvision's networks see the photo at this size
MIN_PERSON = 32  # pixels: somebody smaller on a photo has no face or clothes to draw
SMALL_PERSON = 0.1  # of the main person's weight: who has less counts as background
COCO_PERSON = 1  # torchvision's number of the class
ADVICE = "give the joints as a JSON or CSV file instead"


class DetectorUnavailableError(OSError):
    """Something was to be found in a photo, but the network's library or weights cannot be had here."""


@dataclass(frozen=True, eq=False)
class DetectedPerson:
    """One person whom a detector found.

    Args:
        box: (4,) x1, y1, x2, y2 in pixels.
        score: the detector's confidence, in [0, 1].
        pose: the joints, where it looks for them; in the picture's frame.
        mask: bool (H, W), where it makes one.
    """

    box: np.ndarray
    score: float
    pose: Pose | None = None
    mask: np.ndarray | None = None


Detector = Callable[[np.ndarray], Sequence[DetectedPerson]]  # from a picture uint8 (H, W, 3)


def detect_people(image: np.ndarray) -> list[DetectedPerson]:
    """Find people and their joints by torchvision's keypoint R-CNN.

    Args:
        image: uint8 (H, W, 3) RGB.

    Returns:
        Everyone with a confidence of at least 0.7, with joints and without masks.

    Raises:
        DetectorUnavailableError: torchvision or the weights cannot be had.
    """
    found, size = _run(load_keypoint_rcnn(), image), image.shape[:2]
    people = []
    for row in np.flatnonzero(found["scores"] >= PERSON_SCORE):
        seen = found["keypoints_scores"][row] > JOINT_SCORE
        pose = Pose(*coco17_to_openpose18(found["keypoints"][row, :, :2], seen), size)
        people.append(DetectedPerson(found["boxes"][row], float(found["scores"][row]), pose))
    return people


def segment_people(image: np.ndarray) -> list[DetectedPerson]:
    """Find people and their masks by torchvision's Mask R-CNN.

    Args:
        image: uint8 (H, W, 3) RGB.

    Returns:
        Everyone with a confidence of at least 0.7, with masks and without joints.

    Raises:
        DetectorUnavailableError: torchvision or the weights cannot be had.
    """
    found = _run(load_mask_rcnn(), image)
    sure = (found["scores"] >= PERSON_SCORE) & (found["labels"] == COCO_PERSON)
    return [
        DetectedPerson(
            found["boxes"][row], float(found["scores"][row]), mask=found["masks"][row, 0] > MASK_SCORE
        )
        for row in np.flatnonzero(sure)
    ]


def _run(network: nn.Module, image: np.ndarray) -> dict[str, np.ndarray]:
    with torch.inference_mode():  # no training here
        found = network([torch.from_numpy(image).permute(2, 0, 1).float() / 255])[0]
    return {name: value.cpu().numpy() for name, value in found.items()}


@lru_cache(maxsize=1)
def load_keypoint_rcnn() -> nn.Module:
    """Load torchvision's keypoint R-CNN, downloading its weights (226 MB) the first time."""
    return _load("keypointrcnn_resnet50_fpn", "keypoint R-CNN (226 MB)", "Finding joints", ADVICE)


@lru_cache(maxsize=1)
def load_mask_rcnn() -> nn.Module:
    """Load torchvision's Mask R-CNN, downloading its weights (170 MB) the first time."""
    advice = "give the mask as a PNG or NPY file instead"
    return _load("maskrcnn_resnet50_fpn", "Mask R-CNN (170 MB)", "Cutting out a person", advice)


def _load(builder: str, what: str, task: str, advice: str) -> nn.Module:
    try:
        from torchvision.models import detection
    except (ImportError, RuntimeError):  # RuntimeError: a torchvision built for another torch
        raise DetectorUnavailableError(
            f"{task} needs torchvision, installed from the same index as torch; {advice}."
        ) from None
    try:
        network = getattr(detection, builder)(
            weights="DEFAULT",
            weights_backbone=None,
            min_size=DETECTOR_SIDE,
            max_size=2 * DETECTOR_SIDE,
            progress=False,
        )
    except (OSError, RuntimeError):  # URLError is an OSError; RuntimeError: a damaged download
        raise DetectorUnavailableError(
            f"The weights of torchvision's {what} could not be downloaded; {advice}."
        ) from None
    return network.eval()


def main_person(
    people: Sequence[DetectedPerson],
    image_size: tuple[int, int],
    *,
    number: int | None = None,
    tell: Callable[[str], None] | None = None,
) -> DetectedPerson:
    """Choose whom a photo is of: the largest, most central and surest (see `weight`).

    Args:
        people: as detected.
        image_size: (H, W) of the photo.
        number: take this one instead, counted from the left, from 1; mere background does not count.
        tell: called with one sentence where there were several to choose from.

    Raises:
        ValueError: one sentence: nobody, nobody of that number, or somebody less than 32 pixels high.
    """
    if not people:
        raise ValueError(f"No person was found in the photo; {ADVICE}.")
    best = max(people, key=lambda person: weight(person, image_size))
    least = SMALL_PERSON * weight(best, image_size)
    counted = [person for person in people if weight(person, image_size) >= least]
    counted.sort(key=lambda person: float(person.box[0] + person.box[2]))
    if number is not None and not 1 <= number <= len(counted):
        raise ValueError(f"There is no person {number} in the photo: {len(counted)} can be made out.")
    chosen = best if number is None else counted[number - 1]
    height = float(chosen.box[3] - chosen.box[1])
    if height < MIN_PERSON:
        raise ValueError(
            f"The person in the photo is only {height:.0f} pixels high; at least {MIN_PERSON} are needed."
        )
    if tell and len(counted) > 1 and number is None:
        place = next(i for i, person in enumerate(counted, 1) if person is chosen)
        tell(
            f"{len(counted)} people were found in the photo; number {place} from the left was taken, "
            "the largest, most central and surest one."
        )
    return chosen


def weight(person: DetectedPerson, image_size: tuple[int, int]) -> float:
    """Say how much a photo is of a person: size x centrality x confidence, in [0, 1].

    Size is the square root of the box's share of the photo. Centrality is 1 for a box centred on the photo
    and falls to 1/2 for one centred on a corner: photographers put their subject near the middle, but a small
    passer-by in the middle must not beat a large person at the side.
    """
    height, width = image_size
    x1, y1, x2, y2 = (float(edge) for edge in person.box)
    size = (max(x2 - x1, 0) * max(y2 - y1, 0) / (height * width)) ** 0.5
    offset = np.hypot((x1 + x2 - width) / width, (y1 + y2 - height) / height) / 2**0.5
    return size * (1 - 0.5 * min(float(offset), 1)) * person.score


def mask_of(pose: Pose, people: Sequence[DetectedPerson]) -> np.ndarray | None:
    """Find, among masks, the one that holds the most visible joints of a pose in the same picture.

    Returns:
        bool (H, W); None where no mask holds half of them.
    """
    height, width = pose.image_size
    joints = np.rint(pose.keypoints[pose.visible]).astype(int).clip(0, [width - 1, height - 1])
    masks = [person.mask for person in people if person.mask is not None]
    shares = [(float(mask[joints[:, 1], joints[:, 0]].mean()), mask) for mask in masks]
    share, mask = max(shares, key=lambda entry: entry[0], default=(0.0, None))
    return mask if share >= 0.5 else None
