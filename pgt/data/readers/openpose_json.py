"""OpenPose's JSON: per picture a list of people; x, y and confidence per point, 0, 0, 0 where missing.

Read in any of the point sets OpenPose and its relatives write (18 of COCO, 25 of BODY_25, 17 of COCO's
annotations); written with 18.
"""

import json
from pathlib import Path

from pgt.data.point_sets import openpose_people
from pgt.data.pose import Pose


def read_openpose_json(path: str | Path, image_size: tuple[int, int]) -> list[Pose]:
    """Read everyone in an OpenPose JSON file; the list is empty where nobody was found.

    Args:
        path: the file.
        image_size: (H, W) of the picture, which the file does not tell.

    Raises:
        ValueError: the file's name and what is wrong with it.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("an OpenPose JSON must be an object")
        return [Pose(keypoints, visible, image_size) for keypoints, visible in openpose_people(content)]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None


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
    Path(path).write_text(json.dumps({"version": 1.3, "people": people}), encoding="utf-8")
