"""OpenPose's JSON: per picture a list of people; x, y and confidence per point, 0, 0, 0 where missing.

Read in any of the point sets OpenPose and its relatives write (18 of COCO, 25 of BODY_25, 17 of COCO's
annotations); written with 18. Of a film, OpenPose writes a folder with one file per frame.
"""

import json
import re
from functools import partial
from pathlib import Path

import numpy as np

from pgt.data.point_sets import openpose_people
from pgt.data.pose import NUM_JOINTS, Pose
from pgt.files import first_line, read_json, replace_bytes


def read_openpose_json(path: str | Path, image_size: tuple[int, int]) -> list[Pose]:
    """Read everyone in an OpenPose JSON file; the list is empty where nobody was found.

    Args:
        path: the file.
        image_size: (H, W) of the picture, which the file does not tell.

    Raises:
        ValueError: the file's name and what is wrong with it.
    """
    content = read_json(path)
    try:
        if not isinstance(content, dict):
            raise ValueError("an OpenPose JSON must be an object")
        return [Pose(keypoints, visible, image_size) for keypoints, visible in openpose_people(content)]
    except ValueError as error:
        raise ValueError(f"{path}: {first_line(error)}.") from None


def write_openpose_json(path: str | Path, poses: list[Pose]) -> None:
    """Write people as OpenPose does, with confidence 1 for a visible joint; positions come back exactly."""
    people = []
    for pose in poses:
        points = [
            [float(x), float(y), 1.0] if seen else [0.0, 0.0, 0.0]
            for (x, y), seen in zip(pose.keypoints, pose.visible, strict=True)
        ]
        people.append(
            {"person_id": [-1], "pose_keypoints_2d": [number for point in points for number in point]}
        )
    replace_bytes(path, json.dumps({"version": 1.3, "people": people}).encode())


def read_openpose_folder(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read one person's joints from a folder with one OpenPose JSON file per frame of a film.

    Of several people it follows one: the tallest in the first frame that shows anybody; from then on whoever
    is nearest to where that person was seen last (mean distance of the joints that both have).

    Args:
        folder: its .json files are the frames, in the order of the numbers in their names.

    Returns:
        keypoints (T, 18, 2) float32, (x, y) in pixels, and visible (T, 18) bool, all False in a frame without
        people.

    Raises:
        ValueError: no .json file, or a file that cannot be read.
    """
    paths = sorted(Path(folder).glob("*.json"), key=lambda path: _in_numbers(path.name))
    if not paths:
        raise ValueError(f"{folder} holds no .json file of OpenPose.")
    nobody = np.zeros((NUM_JOINTS, 2), np.float32), np.zeros(NUM_JOINTS, bool)
    frames, last = [], None
    for path in paths:
        # the size is asked for nowhere below
        people = [pose for pose in read_openpose_json(path, (1, 1)) if pose.visible.any()]
        if people:
            last = max(people, key=_height) if last is None else min(people, key=partial(_distance, last))
        frames.append((last.keypoints, last.visible) if people else nobody)
    keypoints, visible = zip(*frames, strict=True)
    return np.stack(keypoints), np.stack(visible)


def _in_numbers(name: str) -> list[str | int]:
    """Split a name such that "9" comes before "10"."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _height(pose: Pose) -> float:
    """Return how tall a person with a visible joint is, pixels."""
    return float(np.ptp(pose.keypoints[pose.visible, 1]))


def _distance(first: Pose, second: Pose) -> float:
    """Return the mean distance of the joints that both poses have, pixels; infinite without any."""
    both = first.visible & second.visible
    if not both.any():
        return float("inf")
    return float(np.linalg.norm(first.keypoints[both] - second.keypoints[both], axis=1).mean())
