"""The pre-defined frontal pose of garment transfer (Progressive, 2020, section 4.5), and people in it.

The paper asks for a frontal pose without self-occlusion and does not show its joints. Ours: upright, feet
apart, arms spread until they are clear of the trunk, seen straight from the front.
"""

from dataclasses import replace

import numpy as np

from pgt.data.pose import NUM_JOINTS, Pose
from pgt.synthetic.articulation import BodyPose
from pgt.synthetic.camera import Camera, project
from pgt.synthetic.people import SceneSpec
from pgt.synthetic.rig import Rig
from pgt.synthetic.skeleton import Proportions, joints_18

CAMERA = Camera(yaw=0.0, pitch=0.0, center=(0.0, 0.42), scale=0.47)  # even the tallest stay inside
ARMS_AWAY, ELBOWS = 22.0, 8.0  # degrees
FEET_OUT = 0.11  # metres from the middle


def frontal_body(proportions: Proportions) -> BodyPose:
    """Bring a body into the frontal pose."""
    rig = Rig(proportions)
    for side in ("right", "left"):
        rig.arm(side, 0.0, ARMS_AWAY, 8.0, ELBOWS)
        rig.plant(side, FEET_OUT, 0.0)
    return rig.build("frontal")


def frontal_pose(size: tuple[int, int]) -> Pose:
    """Return the joints of an average body in the frontal pose, all of them visible.

    Args:
        size: (H, W) of the picture, at least half as wide as it is high; the body is in the middle of it and
            fills five sixths of its height.
    """
    body = Proportions()
    keypoints, _ = project(joints_18(body, frontal_body(body).frames(body)), CAMERA, size)
    return Pose(keypoints.astype(np.float32), np.ones(NUM_JOINTS, bool), size)


def in_frontal_pose(spec: SceneSpec) -> SceneSpec:
    """Return the same person, clothes, light and background, in the frontal pose."""
    return replace(spec, pose=frontal_body(spec.identity.proportions), camera=CAMERA)
