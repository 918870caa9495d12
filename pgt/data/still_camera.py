"""Tell a person from the scene in a video whose camera stands still: a median background, then differences.

The plain median over time fails where somebody exercises on one spot: it becomes that person. So each pixel's
median is taken over the frames in which the skeleton is far from it. What the body never leaves is continued
from the nearest pixel that it does leave; there a mask reaches less far from the skeleton.

Works on small uint8 pictures, all of one size; distances are in lengths of the torso.
"""

from dataclasses import dataclass

import numpy as np
import torch

from pgt.data.body_parts import body_scale
from pgt.data.pose import Pose, pose_mask

REACH = 0.45  # torso lengths from limbs and torso: hair, feet and loose clothes are within it
AWAY = 0.3  # beyond it a pixel counts as free: the median forgives the few loose clothes
THICK = 0.28  # the reach where the background was never seen, and is only guessed
FLESH = 0.06  # within it everything is the person, whatever its colour
MIN_VIEWS = 3  # frames in which a pixel must be free to count as seen
LEAST_DIFFERENCE = 22.0  # 255ths, in the channel that differs most: noise and soft shadows stay below
NOISE = 4.0  # a difference also has to be so many times as large as the pixel's own spread
RIM_SHARE = 0.3  # of that difference is enough next to the person: shrinking mixes outlines with the wall
MOVING = 12.0  # 255ths: a camera stands still if the typical pixel spreads less
ISLAND = 0.05  # of the largest piece of a person: smaller ones are no part of it


@dataclass(frozen=True, eq=False)
class Scene:
    """What a still camera sees when the person is away.

    Attributes:
        background: (H, W, 3) float32, 0 to 255.
        spread: (H, W) float32, standard deviation over time of the channel that varies most, by the median
            absolute deviation.
        seen: (H, W) bool; elsewhere `background` is continued from the nearest seen pixel.
    """

    background: np.ndarray
    spread: np.ndarray
    seen: np.ndarray

    @property
    def still(self) -> bool:
        """Whether the camera seems to stand still, so that differences mean something."""
        return bool(self.seen.any() and np.median(self.spread[self.seen]) < MOVING)


def distance_from_body(pose: Pose) -> np.ndarray:
    """Return how far each pixel (H, W) is from limbs and torso, in torso lengths; infinite without any."""
    from scipy.ndimage import distance_transform_edt

    joints = torch.from_numpy(pose.keypoints)[None], torch.from_numpy(pose.visible)[None]
    body = pose_mask(*joints, pose.image_size, radius=1.0)[0, 0].numpy() > 0
    if not body.any():
        return np.full(pose.image_size, np.inf, np.float32)
    scale = float(body_scale(*joints, pose.image_size[0])[0])
    return (distance_transform_edt(~body) / max(scale, 1.0)).astype(np.float32)


def bridged(poses: list[Pose]) -> list[Pose]:
    """Give every joint that is missing for a while a place on the straight line between before and after.

    A joint that is never seen stays missing. Meant for rough regions, not for the input of a network.
    """
    keypoints, visible = (np.stack([getattr(p, name) for p in poses]) for name in ("keypoints", "visible"))
    times = np.arange(len(poses))
    for joint in np.flatnonzero(visible.any(axis=0)):
        seen = visible[:, joint]
        for axis in range(2):
            keypoints[:, joint, axis] = np.interp(times, times[seen], keypoints[seen, joint, axis])
    ever = np.broadcast_to(visible.any(axis=0), visible.shape)
    return [Pose(*joints, pose.image_size) for *joints, pose in zip(keypoints, ever, poses, strict=True)]


def find_scene(frames: list[np.ndarray], distances: list[np.ndarray]) -> Scene:
    """Take the background from frames in which the person is elsewhere.

    Args:
        frames: uint8 (H, W, 3) of one size, in time order.
        distances: of `distance_from_body`, one per frame.
    """
    from scipy.ndimage import distance_transform_edt

    height, width = frames[0].shape[:2]
    background, spread = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    away = np.stack([distance > AWAY for distance in distances])
    seen = away.sum(axis=0) >= MIN_VIEWS
    for row in np.flatnonzero(seen.any(axis=1)):  # by rows, so that memory stays small
        columns = seen[row]
        values = np.stack([frame[row, columns] for frame in frames]).astype(np.float32)
        values[~away[:, row, columns]] = np.nan
        middle = _median(values)
        background[row, columns] = middle
        spread[row, columns] = 1.4826 * _median(np.abs(values - middle)).max(axis=-1)
    if seen.any():
        nearest = distance_transform_edt(~seen, return_distances=False, return_indices=True)
        background, spread = background[tuple(nearest)], spread[tuple(nearest)]
    return Scene(background, spread, seen)


def _median(values: np.ndarray) -> np.ndarray:
    """Return the median over the first axis of what is not NaN (the upper of two middle values)."""
    middle = (~np.isnan(values)).sum(axis=0, keepdims=True) // 2
    return np.take_along_axis(np.sort(values, axis=0), middle, axis=0)[0]  # NaN are sorted to the end


def find_person(frame: np.ndarray, distance: np.ndarray, scene: Scene) -> np.ndarray:
    """Find the person's pixels: near the skeleton, and unlike the background.

    Args:
        frame: uint8 (H, W, 3).
        distance: (H, W) of `distance_from_body`.
        scene: of the same camera.

    Returns:
        bool (H, W): specks and small islands removed, small holes closed.
    """
    from scipy import ndimage

    difference = np.abs(frame - scene.background).max(axis=-1)
    unlike = difference > np.maximum(LEAST_DIFFERENCE, NOISE * scene.spread)
    core = distance <= FLESH
    mask = (unlike & (distance <= np.where(scene.seen, REACH, THICK))) | core
    mask = ndimage.binary_opening(mask) | core
    mask = ndimage.binary_closing(np.pad(mask, 2, mode="edge"), iterations=2)[2:-2, 2:-2]
    pieces, count = ndimage.label(mask, np.ones((3, 3)))
    if count > 1:
        areas = np.bincount(pieces.ravel())[1:]
        mask = np.isin(pieces, 1 + np.flatnonzero(areas >= ISLAND * areas.max()))
    holes, count = ndimage.label(~mask)
    if count > 1:
        areas = np.bincount(holes.ravel())
        mask = mask | np.isin(holes, np.flatnonzero(areas < (len(frame) / 32) ** 2))
    mixed = difference > RIM_SHARE * np.maximum(LEAST_DIFFERENCE, NOISE * scene.spread)
    return ndimage.binary_dilation(mask, np.ones((3, 3)), mask=mask | mixed)
