"""Other sets of joints that become our 18: OpenPose's 25, COCO's 17, and OpenPose's JSON around them."""

import numpy as np

_BODY_25 = (*range(8), *range(9, 19))  # without 8, the middle of the hips
_COCO_TO_18 = (0, 0, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)  # fmt: skip


def split_points(points: object, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Turn x, y, visible triples, flat or nested, into keypoints (18, 2) and visible (18,).

    Args:
        points: of 18 joints, BODY_25's 25 or COCO's 17; a joint is visible where the third number is above 0.
        what: their name, for the message.

    Raises:
        ValueError: not numbers, or another number of joints.
    """
    try:
        numbers = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f'"{what}" must be a list of x, y, visible triples of numbers.') from None
    keypoints, visible = numbers[:, :2], numbers[:, 2] > 0
    if len(numbers) == 18:
        return keypoints, visible
    if len(numbers) == 25:
        order = list(_BODY_25)
        return keypoints[order], visible[order]
    if len(numbers) == 17:
        return coco17_to_openpose18(keypoints, visible)
    raise ValueError(
        f'"{what}" holds {len(numbers)} joints; 18 are needed (25 of BODY_25 and 17 of COCO work too).'
    )


def openpose_people(content: dict) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return keypoints (18, 2) and visible (18,) of everyone in a parsed OpenPose JSON, which may be nobody.

    A point counts as visible where its confidence is above 0 (OpenPose writes 0, 0, 0 for a missing one).
    """
    people = content.get("people")
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise ValueError('"people" of an OpenPose JSON must be a list of objects.')
    key = "pose_keypoints_2d"
    return [split_points(person.get(key, person.get("pose_keypoints", [])), key) for person in people]


def coco17_to_openpose18(keypoints: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reorder COCO's 17 points and add the neck: the middle of the shoulders, visible where both are.

    Args:
        keypoints: (..., 17, 2), (x, y) in pixels.
        visible: (..., 17) bool, or COCO's 0, 1, 2.

    Returns:
        keypoints (..., 18, 2) and visible (..., 18) bool.
    """
    order = list(_COCO_TO_18)
    points, seen = 1.0 * np.asarray(keypoints)[..., order, :], np.asarray(visible)[..., order] > 0
    points[..., 1, :] = (points[..., 2, :] + points[..., 5, :]) / 2
    seen[..., 1] = seen[..., 2] & seen[..., 5]
    return points, seen
