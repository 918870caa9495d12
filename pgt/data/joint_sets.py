"""Sets of joints with fewer points than our 18: Penn Action's 13 and BBC-Pose's 7, to and from OpenPose's 18.

Poses always travel as the 18 joints of `pgt.data.pose`; a model that was taught another set takes it from
them when it draws its heat maps, and readers of other annotations turn them into the 18. The way there and
back changes nothing. Both sets have a head in place of a face: it is the middle of the face joints to be seen
(nose, eyes, ears), and becomes the nose.

Orders: Penn Action (Zhang et al., ICCV 2013), the list in the README of the data; BBC-Pose (Charles et al.,
IJCV 2014), that of the authors' released code. Left and right are the person's own.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pgt.data.pose import JOINTS, NUM_JOINTS

_FACE = (0, 14, 15, 16, 17)
_NOSE, _NECK, _RIGHT_SHOULDER, _LEFT_SHOULDER = 0, 1, 2, 5


def _both_sides(first: str, second: str, *joints: str) -> tuple[str, ...]:
    return tuple(f"{side}_{joint}" for joint in joints for side in (first, second))


@dataclass(frozen=True)
class JointSet:
    """Named joints of a person.

    Attributes:
        joints: names as in `pgt.data.pose.JOINTS`, or "head", which comes first.
    """

    joints: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def has_head(self) -> bool:
        """Whether a head stands for the face."""
        return self.joints[0] == "head"

    @property
    def flip_order(self) -> tuple[int, ...]:
        """For each joint, which one takes its place in a mirrored picture."""
        swap = {"left": "right", "right": "left"}
        sides = (name.partition("_") for name in self.joints)
        return tuple(self.joints.index(f"{swap.get(side, side)}{_}{rest}") for side, _, rest in sides)

    @property
    def _places(self) -> list[int]:
        """Where the joints other than the head are among the 18."""
        return [JOINTS.index(name) for name in self.joints[self.has_head :]]

    def from_openpose18(self, keypoints: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
        """Take this set's joints from the 18.

        Args:
            keypoints: (..., 18, 2) float, (x, y) in pixels.
            visible: (..., 18) bool.

        Returns:
            keypoints (..., K, 2) and visible (..., K) of this set's K joints.
        """
        places = torch.tensor(self._places, device=keypoints.device)
        points, seen = keypoints.index_select(-2, places), visible.index_select(-1, places)
        if not self.has_head:
            return points, seen
        face = torch.tensor(_FACE, device=keypoints.device)
        shown = visible.index_select(-1, face)
        weights = shown.to(keypoints.dtype).unsqueeze(-1)
        head = (keypoints.index_select(-2, face) * weights).sum(-2) / weights.sum(-2).clamp_min(1)
        return (
            torch.cat([head.unsqueeze(-2), points], dim=-2),
            torch.cat([shown.any(dim=-1, keepdim=True), seen], dim=-1),
        )

    def to_openpose18(self, keypoints: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn this set's joints into the 18; those it does not know are not visible.

        Args:
            keypoints: (..., K, 2), (x, y) in pixels.
            visible: (..., K) bool, or numbers above 0 for visible.

        Returns:
            keypoints (..., 18, 2) and visible (..., 18) bool. The head becomes the nose; a set without neck
            has it in the middle of the shoulders, visible where both are.
        """
        keypoints, visible = np.asarray(keypoints), np.asarray(visible) > 0
        points = np.zeros((*keypoints.shape[:-2], NUM_JOINTS, 2), keypoints.dtype)
        seen = np.zeros(points.shape[:-1], bool)
        places = [_NOSE, *self._places] if self.has_head else self._places
        points[..., places, :], seen[..., places] = keypoints, visible
        if "neck" not in self.joints:
            shoulders = [_RIGHT_SHOULDER, _LEFT_SHOULDER]
            points[..., _NECK, :] = points[..., shoulders, :].mean(axis=-2)
            seen[..., _NECK] = seen[..., shoulders].all(axis=-1)
        return points, seen


JOINT_SETS = {
    "openpose-18": JointSet(JOINTS),
    "penn-action-13": JointSet(
        ("head", *_both_sides("left", "right", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"))
    ),
    "bbc-pose-7": JointSet(("head", *_both_sides("right", "left", "wrist", "elbow", "shoulder"))),
}
