"""Poses in other places and sizes: brought onto somebody, filled up, and the camera that sees them there."""

from dataclasses import replace

import numpy as np

from pgt.data.pose import LIMBS, Pose
from pgt.synthetic.camera import Camera

TORSO = (1, 8, 11)  # neck and hips
NEAR = 0.03  # sizes that differ by less are the same: joints are dragged to tenths of a pixel


def similarity(pose: Pose, onto: Pose) -> tuple[float, np.ndarray]:
    """Return the scale and shift (2,) that bring a pose onto another: by the torso, else by all both show."""
    shared = pose.visible & onto.visible
    torso = [joint for joint in TORSO if shared[joint]]
    chosen = torso if len(torso) == len(TORSO) else np.flatnonzero(shared)
    if len(chosen) < 2:
        return 1.0, np.zeros(2)
    ours, theirs = pose.keypoints[chosen], onto.keypoints[chosen]
    spread = [np.linalg.norm(points - points.mean(axis=0)) for points in (ours, theirs)]
    scale = float(np.clip(spread[1] / max(spread[0], 1e-6), 0.2, 5.0))
    return scale, theirs.mean(axis=0) - scale * ours.mean(axis=0)


def moved_onto(pose: Pose, onto: Pose) -> Pose:
    """Scale and shift a pose onto another person's place; joints that leave the frame are hidden."""
    scale, shift = similarity(pose, onto)
    keypoints = scale * pose.keypoints + shift
    height, width = onto.image_size
    inside = ((keypoints >= -0.5) & (keypoints <= [width - 0.5, height - 0.5])).all(axis=1)
    return Pose(keypoints, pose.visible & inside, onto.image_size)


def with_missing_joints(pose: Pose, standing: Pose) -> Pose:
    """Put hidden joints where a standing person has them, for an editor to show; they stay hidden."""
    guess = moved_onto(replace(standing, visible=np.ones(len(standing.visible), bool)), pose)
    return Pose(
        np.where(pose.visible[:, None], pose.keypoints, guess.keypoints), pose.visible, pose.image_size
    )


def followed(known: Pose, edited: Pose) -> tuple[float, np.ndarray, float]:
    """Tell how a whole known pose was moved and resized, as far as most joints agree.

    Args:
        known: the pose before; all its joints count, also those outside the picture.
        edited: visible joints count.

    Returns:
        scale s and shift t (2,) pixels with edited = s known + t, each a median, so that joints which were
        dragged by themselves change neither; and the mean squared distance that remains.
    """
    seen = edited.visible
    ends = np.array([limb for limb in LIMBS if seen[list(limb)].all()], dtype=int).reshape(-1, 2)
    before, after = (
        np.linalg.norm(np.diff(pose.keypoints[ends], axis=1)[:, 0], axis=-1) for pose in (known, edited)
    )
    long = before > 1
    scale = float(np.median(after[long] / before[long])) if long.any() else 1.0
    scale = 1.0 if abs(scale - 1) < NEAR or scale <= 0 else scale
    shift = np.median(edited.keypoints[seen] - scale * known.keypoints[seen], axis=0)
    rest = edited.keypoints[seen] - scale * known.keypoints[seen] - shift
    return scale, shift, float(np.square(rest).sum(axis=1).mean())


def moved_camera(camera: Camera, scale: float, shift: np.ndarray, size: tuple[int, int]) -> Camera:
    """Return the camera whose pictures are those of `camera` after p -> scale p + shift, in pixels of `size`.

    So a person who is moved through the picture keeps standing on the ground.
    """
    middle = (np.array([size[1], size[0]]) - 1) / 2
    center = (scale * (middle + size[0] * np.array(camera.center)) + shift - middle) / size[0]
    return replace(camera, center=(float(center[0]), float(center[1])), scale=camera.scale * scale)
