"""A photograph -> Person: opening it safely, its joints from a file or a detector, and framing the person.

Joints come from a JSON file (`Pose.to_json`'s or OpenPose's), a keypoint CSV, a `Pose`, or, where none is
given, from torchvision's keypoint R-CNN (He et al. 2017), which is imported and downloaded when first used.
Coordinates are those of the upright picture: the orientation in its EXIF data has been applied.
"""

import json
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from pgt.data.person import Person
from pgt.data.pose import Pose, coco17_to_openpose18
from pgt.data.readers.folder import read_label_map
from pgt.data.readers.keypoint_csv import read_keypoint_csv

MAX_PIXELS = 64_000_000  # a photo beyond this is refused before it is decoded
MIN_SIDE = 16  # pixels
WORKING_SIDE = 1600  # larger photos are reduced to this side: ample for any of our models
MAX_KEYPOINT_FILE = 20_000_000  # bytes; the largest public CSV has 3
PERSON_SCORE = 0.7  # the detector's confidence that there is a person
JOINT_SCORE = 2.0  # the detector's logit above which a joint counts as seen
MARGIN = 1.25  # a cropped frame is this much larger than the box of the joints
DETECTOR_SIDE = 640  # pixels: the detector sees the photo at this size

Detector = Callable[[np.ndarray], Pose]


class DetectorUnavailableError(OSError):
    """The joints were to be detected, but torchvision or its weights cannot be had here."""


def person_from_photo(
    path: str | Path,
    keypoints: str | Path | Pose | None = None,
    *,
    detector: Detector | None = None,
    lone_row: bool = True,
    parsing: str | Path | None = None,
) -> Person:
    """Read a photo and the joints of the person on it.

    Args:
        path: of the picture, in any format that PIL reads.
        keypoints: a JSON or CSV file, or a pose in the upright photo's pixels; None: ask `detector`.
        detector: from a picture uint8 (H, W, 3) to a pose; `detect_pose` by default.
        lone_row: as in `read_pose_file`.
        parsing: the ten labels of the upright photo, .png or .npy, see `read_label_map`.

    Returns:
        A person without masks, and without labels unless given, named after the file; the larger side is at
        most 1600 pixels.

    Raises:
        ValueError: one sentence, if the picture, the joints or the labels are unusable.
        DetectorUnavailableError: one sentence, if there is no file of joints and no detector either.
    """
    image = open_photo(path)
    size = image.shape[:2]
    if keypoints is None:
        pose = (detector or detect_pose)(image)
    elif isinstance(keypoints, Pose):
        pose = _in_frame(keypoints, size)
    else:
        pose = read_pose_file(keypoints, size, Path(path).name, lone_row=lone_row)
    if not pose.visible.any():
        raise ValueError(
            "No joint of the person in the photo could be made out; give them as a JSON or CSV file."
            if keypoints is None
            else "The file of joints marks all 18 as missing for this photo."
        )
    labels = None if parsing is None else read_label_map(parsing, size)
    person = Person(image, pose, labels, name=Path(path).stem)
    shrink = WORKING_SIDE / max(size)
    return (
        person
        if shrink >= 1
        else person.resized((max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))))
    )


def open_photo(path: str | Path) -> np.ndarray:
    """Open a picture, turn it upright and give it as RGB.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ValueError: one sentence, if it is no picture, is damaged, or has more than 64 megapixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is stricter
            image = Image.open(path)
    except Image.DecompressionBombError:
        raise ValueError(
            f"The photo is far too large; at most {MAX_PIXELS // 10**6} megapixels are read."
        ) from None
    except (UnidentifiedImageError, OSError):
        raise ValueError("This file is not a picture that can be read; use a JPEG, PNG or WebP.") from None
    with image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            size, limit = round(width * height / 1e6), MAX_PIXELS // 10**6
            raise ValueError(f"The photo has {size} megapixels; at most {limit} are read.")
        if min(width, height) < MIN_SIDE:
            raise ValueError(f"The photo is {width} x {height} pixels; each side needs at least {MIN_SIDE}.")
        return _decode(image)


def _decode(image: Image.Image) -> np.ndarray:
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I;16"):  # PIL would clip 16 bits instead of scaling them
            upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
        if (
            "A" in upright.getbands() or "transparency" in upright.info
        ):  # a cut-out: put it on white, not black
            upright = upright.convert("RGBA")
            paper = Image.new("RGBA", upright.size, "white")
            upright = Image.alpha_composite(paper, upright)
        return np.asarray(upright.convert("RGB")).copy()
    except (OSError, ValueError, SyntaxError, EOFError):  # what PIL's decoders raise on damaged data
        raise ValueError("The picture is damaged and could not be read to its end.") from None


def read_pose_file(
    path: str | Path, image_size: tuple[int, int], name: str = "", *, lone_row: bool = True
) -> Pose:
    """Read the joints of one photo from JSON (ours or OpenPose's) or from a keypoint CSV.

    Args:
        path: ends in .json or .csv.
        image_size: (H, W) of the upright photo.
        name: the photo's file name: picks the row of a CSV of several people.
        lone_row: whether the only row of a CSV is taken whatever its name.

    Raises:
        ValueError: one sentence.
    """
    path = Path(path)
    if path.stat().st_size > MAX_KEYPOINT_FILE:
        raise ValueError(f"The file of joints is larger than {MAX_KEYPOINT_FILE // 10**6} MB.")
    if path.suffix.lower() == ".csv":
        keypoints, visible = _row_of(read_keypoint_csv(path), name, lone_row)
        return _in_frame(Pose(keypoints, visible, image_size), image_size)
    if path.suffix.lower() != ".json":
        raise ValueError(
            f"The joints must be a .json or .csv file, not {path.suffix or 'a file without ending'}."
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError("The file of joints is not text.") from None
    return _in_frame(Pose.from_json(text, None if says_its_size(text) else image_size), image_size)


def says_its_size(text: str) -> bool:
    """Tell whether a JSON file of joints names the size of the picture that they belong to."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return False  # `Pose.from_json` gives the sentence
    return isinstance(content, dict) and bool({"image_size", "canvas_height"} & set(content))


def _row_of(
    rows: dict[str, tuple[np.ndarray, np.ndarray]], name: str, lone_row: bool
) -> tuple[np.ndarray, np.ndarray]:
    if not rows:
        raise ValueError("The CSV file of joints has no rows.")
    if name in rows:
        return rows[name]
    by_stem = {Path(key).stem: row for key, row in rows.items()}
    if Path(name).stem in by_stem:
        return by_stem[Path(name).stem]
    if len(rows) == 1 and lone_row:
        return next(iter(rows.values()))
    raise ValueError(f"No row of the CSV file of joints is named {name!r}; it has {len(rows)}.")


def _in_frame(pose: Pose, size: tuple[int, int]) -> Pose:
    """Scale a pose to the photo's size (H, W); refuse one that belongs to a picture of other proportions."""
    (height, width), (wanted_height, wanted_width) = pose.image_size, size
    if abs(width / height * wanted_height / wanted_width - 1) > 0.03:
        raise ValueError(
            f"The joints belong to a picture of {width} x {height} pixels, but the photo has "
            f"{wanted_width} x {wanted_height}."
        )
    pose = pose.resized(size) if pose.image_size != tuple(size) else pose
    inside = ((pose.keypoints >= 0) & (pose.keypoints < [wanted_width, wanted_height])).all(axis=1)
    if pose.visible.any() and not inside[pose.visible].any():
        raise ValueError(f"All joints lie outside the photo of {wanted_width} x {wanted_height} pixels.")
    return pose


def detect_pose(image: np.ndarray) -> Pose:
    """Find the joints of the clearest person by torchvision's keypoint R-CNN.

    Args:
        image: uint8 (H, W, 3) RGB.

    Raises:
        ValueError: nobody is found.
        DetectorUnavailableError: torchvision or the weights cannot be had.
    """
    detector = _keypoint_rcnn()
    with torch.inference_mode():  # no training here
        found = detector([torch.from_numpy(image).permute(2, 0, 1).float() / 255])[0]
    return _clearest_person({name: value.cpu().numpy() for name, value in found.items()}, image.shape[:2])


def _clearest_person(found: dict[str, np.ndarray], size: tuple[int, int]) -> Pose:
    """Choose among detections: boxes (N, 4), scores (N,), keypoints (N, 17, 3), keypoints_scores (N, 17)."""
    sure = found["scores"] >= PERSON_SCORE
    if not sure.any():
        raise ValueError("No person was found in the photo; give the joints as a JSON or CSV file instead.")
    left, top, right, bottom = found["boxes"].T
    best = int(np.argmax(np.where(sure, found["scores"] * np.sqrt((right - left) * (bottom - top)), -1)))
    seen = found["keypoints_scores"][best] > JOINT_SCORE
    keypoints, visible = coco17_to_openpose18(found["keypoints"][best, :, :2], seen)
    return Pose(keypoints, visible, size)


@lru_cache(maxsize=1)
def _keypoint_rcnn() -> torch.nn.Module:
    advice = "give the joints as a JSON or CSV file instead"
    try:
        from torchvision.models.detection import keypointrcnn_resnet50_fpn
    except (ImportError, RuntimeError):  # RuntimeError: a torchvision built for another torch
        raise DetectorUnavailableError(
            f"Finding joints needs torchvision, installed from the same index as torch; {advice}."
        ) from None
    try:
        model = keypointrcnn_resnet50_fpn(
            weights="DEFAULT",
            weights_backbone=None,
            min_size=DETECTOR_SIDE,
            max_size=2 * DETECTOR_SIDE,
            progress=False,
        )
    except (OSError, RuntimeError):  # URLError is an OSError; RuntimeError: a damaged download
        raise DetectorUnavailableError(
            f"The weights of torchvision's keypoint R-CNN (226 MB) could not be downloaded; {advice}."
        ) from None
    return model.eval()


def frame_person(person: Person, image_size: tuple[int, int]) -> Person:
    """Cut the person out of a wider photo, in the proportions that a model wants.

    Models were trained on pictures that one person fills. A photo that the person already fills (the frame
    round the joints covers 70 % of its height or width) is left alone. The cut never leaves the photo.

    Args:
        person: of any size.
        image_size: (H, W): only its proportions count.

    Returns:
        The person in the cut-out frame, at the photo's own resolution.

    Raises:
        ValueError: no joint is visible.
    """
    if not person.visible.any():
        raise ValueError("A person without any visible joint cannot be framed.")
    photo_height, photo_width = person.image.shape[:2]
    joints = person.keypoints[person.visible]
    low, high = joints.min(axis=0), joints.max(axis=0)
    box_width, box_height = np.maximum(high - low, 1) * MARGIN
    height = max(box_height, box_width * image_size[0] / image_size[1], 2 * MIN_SIDE)
    width = height * image_size[1] / image_size[0]
    if height >= 0.7 * photo_height or width >= 0.7 * photo_width:
        return person
    # OpenPose has no crown of the head: leave a little more room above the joints than below the ankles.
    center = (low + high) / 2 - [0, 0.03 * height]
    left = round(float(np.clip(center[0] - width / 2, 0, photo_width - width)))
    top = round(float(np.clip(center[1] - height / 2, 0, photo_height - height)))
    return _cut(person, left, top, round(width), round(height))


def _cut(person: Person, left: int, top: int, width: int, height: int) -> Person:
    image = person.image[top : top + height, left : left + width].copy()
    keypoints = person.keypoints - np.array([left, top], np.float32)
    labels = person.label_map
    if labels is not None:
        labels = labels[top : top + height, left : left + width].copy()
    return Person(image, Pose(keypoints, person.visible, image.shape[:2]), labels, name=person.name)
