"""What readers of annotated videos share: opening MATLAB files, joints of other sets, and masks of frames."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pgt.data.extras import install
from pgt.data.person import Person
from pgt.data.pose import MAX_COORDINATE
from pgt.data.readers.pictures import opened_picture
from pgt.files import first_line

if TYPE_CHECKING:
    from pgt.data.joint_sets import JointSet
    from pgt.data.readers.keypoint_csv import Joints

MATLAB_ORIGIN = 1  # MATLAB calls the centre of the top left pixel (1, 1)


def load_mat(path: str | Path) -> dict[str, np.ndarray]:
    """Read the variables of a MATLAB file (up to version 7).

    Raises:
        ValueError: it is no such file, or damaged.
        ImportError: SciPy is not installed.
    """
    try:
        from scipy.io import loadmat
    except ImportError:
        raise ImportError(f"Reading MATLAB files needs SciPy: {install('video')}.") from None
    if Path(path).is_fifo():  # it might never end
        raise ValueError(f"{path} is a pipe, not a file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return loadmat(path)
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # damaged bytes make it raise nearly anything
        raise ValueError(f"{path} cannot be read as a MATLAB file ({first_line(error)}).") from None


def to_openpose18(joint_set: "JointSet", points: np.ndarray, visible: np.ndarray) -> "Joints":
    """Turn joints in MATLAB's pixels into our 18 in ours; a joint that is nowhere is not visible.

    Args:
        joint_set: of K joints.
        points: (N, K, 2), (x, y); the centre of the top left pixel is (1, 1).
        visible: (N, K), above 0 where visible.

    Returns:
        keypoints (N, 18, 2) float32, 0 where missing, and visible (N, 18).
    """
    points = np.asarray(points, np.float64) - MATLAB_ORIGIN
    usable = (np.abs(points) <= MAX_COORDINATE).all(axis=-1)  # False for NaN too
    seen = (np.asarray(visible) > 0) & usable
    keypoints, visible18 = joint_set.to_openpose18(np.where(usable[..., None], points, 0.0), seen)
    return (keypoints * visible18[..., None]).astype(np.float32), visible18


def add_mask(masks: Path, person: Person, number: int) -> Person:
    """Add the mask of a frame, where there is one; the `finish` of `People`.

    Args:
        masks: a folder of VIDEO/FRAME.png, one value per pixel: anything above 0 is the person.
        person: named VIDEO/FRAME.
        number: the person's.

    Raises:
        ValueError: one sentence with the file's name: damaged, in colours, of another size, or nobody on it.
    """
    path = masks / f"{person.name}.png"
    if not path.is_file():
        return person
    with opened_picture(path, "a mask of the person") as picture:
        values = np.array(picture)
    if values.shape != person.image_size:
        sides = " but ".join("x".join(map(str, shape)) for shape in (values.shape, person.image_size))
        raise ValueError(f"{path} is {sides} is the size of the frame, with one value per pixel.")
    if not values.any():
        raise ValueError(f"{path} shows nobody: the mask is empty.")
    return replace(person, person_mask=values > 0)
