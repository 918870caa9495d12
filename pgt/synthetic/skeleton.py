"""The articulated skeleton: bones, forward kinematics, and the 18 joints of a posed body.

World frame: right-handed, metres, y up. At rest the person stands upright facing +z, arms hanging straight
down, so the person's left is +x. Every bone's local frame equals the world frame at rest; a pose is one
rotation per bone, relative to its parent.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

BONES = (
    "pelvis", "spine", "chest", "neck", "head",
    "right_upper_arm", "right_forearm", "right_hand",
    "left_upper_arm", "left_forearm", "left_hand",
    "right_thigh", "right_calf", "right_foot",
    "left_thigh", "left_calf", "left_foot",
)  # fmt: skip
BONE = {name: index for index, name in enumerate(BONES)}
PARENT = (-1, 0, 1, 2, 3, 2, 5, 6, 2, 8, 9, 0, 11, 12, 0, 14, 15)
_UPPER_ARMS = (BONE["right_upper_arm"], BONE["left_upper_arm"])


@dataclass(frozen=True)
class Proportions:
    """Bone lengths of one identity, in metres."""

    pelvis: float = 0.10  # hip line -> base of the spine
    spine: float = 0.19  # base of the spine -> lower chest
    chest: float = 0.23  # lower chest -> base of the neck
    neck: float = 0.09  # base of the neck -> base of the head
    head: float = 0.23  # base of the head (chin height) -> crown
    upper_arm: float = 0.29
    forearm: float = 0.25
    hand: float = 0.18
    thigh: float = 0.43
    calf: float = 0.42
    foot: float = 0.20  # heel-to-toe length ahead of the ankle
    ankle_height: float = 0.08  # ankle joint above the ground
    shoulder_half_width: float = 0.18
    hip_half_width: float = 0.095

    @property
    def height(self) -> float:
        """Standing height in metres."""
        up = self.pelvis + self.spine + self.chest + self.neck + self.head
        return up + self.thigh + self.calf + self.ankle_height


@lru_cache(maxsize=256)
def rest_offsets(p: Proportions) -> np.ndarray:
    """Return (17, 3), read-only: each bone's origin from its parent's, in the parent's frame, metres."""
    shoulder_drop = 0.03  # the shoulder joints lie a little below the base of the neck
    offsets = {
        "pelvis": (0, 0, 0), "spine": (0, p.pelvis, 0), "chest": (0, p.spine, 0),
        "neck": (0, p.chest, 0), "head": (0, p.neck, 0.01),
        "right_upper_arm": (-p.shoulder_half_width, p.chest - shoulder_drop, 0),
        "left_upper_arm": (p.shoulder_half_width, p.chest - shoulder_drop, 0),
        "right_thigh": (-p.hip_half_width, 0, 0), "left_thigh": (p.hip_half_width, 0, 0),
    }  # fmt: skip
    for side in ("right", "left"):
        offsets[f"{side}_forearm"] = (0, -p.upper_arm, 0)
        offsets[f"{side}_hand"] = (0, -p.forearm, 0)
        offsets[f"{side}_calf"] = (0, -p.thigh, 0)
        offsets[f"{side}_foot"] = (0, -p.calf, 0)
    table = np.array([offsets[name] for name in BONES], dtype=np.float64)
    table.flags.writeable = False
    return table


@dataclass(frozen=True)
class Frames:
    """A posed skeleton in world metres: where each bone starts and how it is turned."""

    origins: np.ndarray  # (17, 3)
    rotations: np.ndarray  # (17, 3, 3), local -> world


def forward_kinematics(p: Proportions, rotations: np.ndarray, root: np.ndarray | None = None) -> Frames:
    """Pose the skeleton.

    Args:
        p: bone lengths.
        rotations: (17, 3, 3) local rotation of each bone relative to its parent; the pelvis's is the body's
            turn.
        root: (3,) world position of the pelvis origin (middle of the hips); the origin by default.

    Returns:
        Frames; a raised upper arm lifts its own shoulder by up to 5 cm, as the collar bone does.
    """
    offsets = rest_offsets(p)
    origins, world = np.zeros((len(BONES), 3)), np.zeros((len(BONES), 3, 3))
    for bone, parent in enumerate(PARENT):
        if parent < 0:
            origins[bone] = 0 if root is None else root
            world[bone] = rotations[bone]
            continue
        offset = offsets[bone]
        if bone in _UPPER_ARMS:
            raised = (1 - rotations[bone][1, 1]) / 2  # 0 hanging, 0.5 level, 1 straight up
            offset = offset + np.array([-0.12 * offset[0] * raised, 0.05 * raised, 0])
        origins[bone] = origins[parent] + world[parent] @ offset
        world[bone] = world[parent] @ rotations[bone]
    return Frames(origins, world)


def joints_18(p: Proportions, frames: Frames) -> np.ndarray:
    """Return the 18 OpenPose joints in world metres, (18, 3), in the order of `pgt.data.pose.JOINTS`.

    The neck joint is the middle of the shoulders, as in OpenPose's COCO model.
    """

    def on_head(x: float, y: float, z: float) -> np.ndarray:
        return frames.origins[BONE["head"]] + frames.rotations[BONE["head"]] @ (np.array([x, y, z]) * p.head)

    def origin(name: str) -> np.ndarray:
        return frames.origins[BONE[name]]

    return np.stack([
        on_head(0, 0.42, 0.46), (origin("right_upper_arm") + origin("left_upper_arm")) / 2,
        origin("right_upper_arm"), origin("right_forearm"), origin("right_hand"),
        origin("left_upper_arm"), origin("left_forearm"), origin("left_hand"),
        origin("right_thigh"), origin("right_calf"), origin("right_foot"),
        origin("left_thigh"), origin("left_calf"), origin("left_foot"),
        on_head(-0.15, 0.56, 0.36), on_head(0.15, 0.56, 0.36),
        on_head(-0.33, 0.50, 0.02), on_head(0.33, 0.50, 0.02),
    ])  # fmt: skip
