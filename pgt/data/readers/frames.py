"""What readers of annotated videos share: opening MATLAB files, and pairing the frames of one video."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pgt.data.pose import MAX_COORDINATE
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
        raise ImportError("Reading MATLAB files needs SciPy: pip install 'pgt[video]'.") from None
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
