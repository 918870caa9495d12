"""Forward kinematics: lengths are kept, the rest pose is upright, joints are on their sides."""

import numpy as np
import pytest

from pgt.synthetic.articulation import rotation_from_vector
from pgt.synthetic.draw import Draw
from pgt.synthetic.poses import draw_pose
from pgt.synthetic.skeleton import BONE, Proportions, forward_kinematics, joints_18

BODY = Proportions()


def test_at_rest_the_person_stands_upright_with_the_left_on_positive_x():
    root = np.array([0, BODY.thigh + BODY.calf + BODY.ankle_height, 0])
    joints = joints_18(BODY, forward_kinematics(BODY, np.tile(np.eye(3), (17, 1, 1)), root))
    assert joints[5, 0] == pytest.approx(BODY.shoulder_half_width)
    assert joints[2, 0] == pytest.approx(-BODY.shoulder_half_width)
    assert joints[[10, 13], 1] == pytest.approx(BODY.ankle_height)
    assert joints[0, 2] > joints[16, 2]  # the nose is in front of the ears
    assert joints[16, 0] < joints[14, 0] < 0 < joints[15, 0] < joints[17, 0]
    assert BODY.height == pytest.approx(1.77, abs=0.05)


def test_neck_is_the_middle_of_the_shoulders():
    joints = joints_18(BODY, draw_pose(Draw(1), "arms_raised").frames(BODY))
    assert joints[1] == pytest.approx((joints[2] + joints[5]) / 2)


@pytest.mark.parametrize("seed", range(20))
def test_bones_keep_their_length_in_any_pose(seed):
    joints = joints_18(BODY, draw_pose(Draw(seed)).frames(BODY))
    for a, b, length in (
        (2, 3, BODY.upper_arm),
        (6, 7, BODY.forearm),
        (8, 9, BODY.thigh),
        (12, 13, BODY.calf),
    ):
        assert np.linalg.norm(joints[a] - joints[b]) == pytest.approx(length)


def test_turning_a_bone_carries_all_that_hangs_on_it():
    still = np.tile(np.eye(3), (17, 1, 1))
    turned = still.copy()
    turned[BONE["left_thigh"]] = rotation_from_vector(np.array([[-np.pi / 2, 0, 0]]))[0]
    before, after = (joints_18(BODY, forward_kinematics(BODY, pose)) for pose in (still, turned))
    assert after[13] == pytest.approx(before[11] + [0, 0, BODY.thigh + BODY.calf])
    unmoved = [joint for joint in range(18) if joint not in (12, 13)]
    assert after[unmoved] == pytest.approx(before[unmoved])
