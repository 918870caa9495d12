"""Opening a photograph safely, and its joints and masks from files.

Coordinates are those of the upright picture: the orientation in its EXIF data has been applied.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pgt.data.pose import Pose
from pgt.data.readers.folder import read_array
from pgt.data.readers.keypoint_csv import read_keypoint_csv
from pgt.data.readers.pictures import MAX_PIXELS, PROGRAMS, opened_picture
from pgt.files import read_text

MIN_SIDE = 16  # pixels
NO_PICTURE = "This file is not a picture that can be read; use a JPEG, PNG or WebP."
MAX_KEYPOINT_FILE = 20_000_000  # bytes; the largest public CSV has 3


def open_photo(path: str | Path) -> np.ndarray:
    """Open a picture, turn it upright and give it as RGB.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ValueError: one sentence, if it is no picture, is damaged, or has more than 64 megapixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of oddities, and of sizes: our own limit is stricter
        return _opened(path)


def _opened(path: str | Path) -> np.ndarray:
    try:
        if not Path(path).is_file():  # a pipe would never end
            raise FileNotFoundError(path)
        image = Image.open(path)
    except Image.DecompressionBombError:
        raise ValueError(
            f"The photo is far too large; at most {MAX_PIXELS // 10**6} megapixels are read."
        ) from None
    except Exception:  # damaged bytes make Pillow raise nearly anything
        raise ValueError(NO_PICTURE) from None
    with image:
        if image.format in PROGRAMS:
            raise ValueError(NO_PICTURE)
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
    except Exception:  # damaged bytes make decoders raise nearly anything
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
        return pose_in_frame(Pose(keypoints, visible, image_size), image_size)
    if path.suffix.lower() != ".json":
        raise ValueError(
            f"The joints must be a .json or .csv file, not {path.suffix or 'a file without ending'}."
        )
    text = read_text(path)
    return pose_in_frame(Pose.from_json(text, None if says_its_size(text) else image_size), image_size)


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


def pose_in_frame(pose: Pose, size: tuple[int, int]) -> Pose:
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


def read_person_mask(path: str | Path, image_size: tuple[int, int]) -> np.ndarray:
    """Read where the person is: a picture that is above mid-grey on the person, of the upright photo's size.

    Args:
        path: .png, or .npy of booleans or of numbers above 0 on the person.
        image_size: (H, W) of the upright photo.

    Returns:
        bool (H, W).

    Raises:
        ValueError: one sentence with the file's name: unreadable, of another size, or nobody in it.
    """
    path, what = Path(path), "a mask of the person"
    if path.suffix == ".npy":
        values = read_array(path, what)
        if values.dtype.kind not in "biuf":
            raise ValueError(f"{path} cannot be read as {what} (it holds {values.dtype}, not numbers).")
        mask = values > 0
    else:
        with opened_picture(path, what) as picture:
            mask = np.asarray(picture.convert("L")) > 127
    if mask.shape != tuple(image_size):
        sides = " but the photo is ".join("x".join(map(str, size)) for size in (mask.shape, image_size))
        raise ValueError(f"{path} is {sides}: the mask must have one value per pixel.")
    if not mask.any():
        raise ValueError(f"{path} shows nobody: the mask is empty.")
    return mask
