"""Drawn poses: anatomically possible, on the ground, arms beside the body, the same for the same seed."""

import time

import numpy as np
import pytest

from pgt.synthetic.articulation import (
    angles_from_rotations,
    frame_along,
    ground,
    limits_of,
    lowest_point,
    reach,
    rotations_from_angles,
    torso_depth,
)
from pgt.synthetic.draw import Draw
from pgt.synthetic.poses import KINDS, draw_pose
from pgt.synthetic.skeleton import BONE, BONES, Proportions, joints_18

BODY = Proportions()
SHORT = Proportions(thigh=0.38, calf=0.36, upper_arm=0.25, forearm=0.21, hip_half_width=0.11, spine=0.17)


def some(kind, count=25, body=BODY):
    return [draw_pose(Draw(seed), kind, body) for seed in range(count)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [BODY, SHORT], ids=["average", "short"])
def test_poses_stay_within_joint_limits(kind, body):
    for pose in some(kind, body=body):
        angles = angles_from_rotations(pose.rotations)
        for bone, values in zip(BONES, angles, strict=True):
            if bone.endswith("upper_arm") and np.hypot(values[0], values[1]) > 140:
                continue  # nearly overhead, twist and direction trade places
            for value, (low, high) in zip(values, limits_of(bone), strict=True):
                assert low - 1 <= value <= high + 1, (kind, bone, values)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"jumping", "running"}))
@pytest.mark.parametrize("body", [BODY, SHORT], ids=["average", "short"])
def test_the_lower_foot_touches_the_ground(kind, body):
    for pose in some(kind, body=body):
        assert lowest_point(pose.frames(body), body) == pytest.approx(0, abs=0.025), kind


def test_jumpers_are_above_the_ground():
    assert min(lowest_point(pose.frames(BODY), BODY) for pose in some("jumping")) > 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_arms_stay_out_of_the_trunk(kind):
    # hands on hips, in pockets or on the thighs touch the body by design
    allowed = 0.045 if kind in ("hands_on_hips", "hands_in_pockets", "looking_back") else 0.03
    for pose in some(kind):
        if kind != "sitting":
            assert torso_depth(pose.frames(BODY), BODY).max() < allowed


def test_same_draw_gives_the_same_pose():
    first, second = draw_pose(Draw(5, 1)), draw_pose(Draw(5, 1))
    assert np.array_equal(first.rotations, second.rotations)
    assert np.array_equal(first.root, second.root)
    assert first.name == second.name


def test_kinds_look_like_their_names():
    def joints(kind):
        return np.stack([joints_18(BODY, pose.frames(BODY)) for pose in some(kind)])

    raised = joints("arms_raised")
    assert (raised[:, [4, 7], 1].max(1) > raised[:, 1, 1]).all()  # a wrist above the neck
    sitting = joints("sitting")
    assert (np.abs(sitting[:, 9, 1] - sitting[:, 8, 1]) < 0.25).all()  # thighs nearly level
    crossed = joints("arms_crossed")
    assert (crossed[:, 4, 0] > crossed[:, 7, 0]).all()  # the right wrist left of the left one
    hips = joints("hands_on_hips")
    assert (np.abs(hips[:, [4, 7]] - hips[:, [8, 11]]).max(-1).min(1) < 0.2).all()
    standing = joints("standing")
    assert (standing[:, 0, 1] > 1.3).all()


def test_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="standing"):
        draw_pose(Draw(0), "flying")


def test_angles_and_rotations_are_inverse_within_half_a_turn():
    rng = np.random.default_rng(0)
    angles = rng.uniform(-80, 80, (17, 3))
    assert angles_from_rotations(rotations_from_angles(angles)) == pytest.approx(angles, abs=1e-6)


def test_sides_are_mirrored():
    angles = np.zeros((17, 3))
    for side in ("right", "left"):
        angles[BONE[f"{side}_upper_arm"]] = (30, 40, 20)
        angles[BONE[f"{side}_forearm"]] = (70, 0, 0)
    from pgt.synthetic.skeleton import forward_kinematics

    joints = joints_18(BODY, forward_kinematics(BODY, rotations_from_angles(angles)))
    assert joints[4] * [-1, 1, 1] == pytest.approx(joints[7])
    assert joints[7, 0] > BODY.shoulder_half_width
    assert joints[7, 2] > 0


def test_reach_arrives_where_it_can_and_points_there_where_it_cannot():
    for target in (np.array([0.2, -0.3, 0.1]), np.array([2.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.001])):
        upper, lower = reach(np.zeros(3), target, (0.29, 0.25), np.array([0, 0, -1.0]), 1)
        end = -0.29 * upper[:, 1] - 0.25 * lower[:, 1]
        assert np.isfinite(end).all()
        if 0.1 < np.linalg.norm(target) < 0.5:
            assert end == pytest.approx(target)
        elif np.linalg.norm(target) > 1:
            assert end / np.linalg.norm(end) == pytest.approx(target / np.linalg.norm(target), abs=1e-3)
        assert (upper.T @ lower)[2, 1] <= 0  # the elbow bends forward


def test_frame_along_survives_a_front_that_lies_along_the_bone():
    frame = frame_along(np.array([0, 0, 1.0]), np.array([0, 0, 1.0]))
    assert frame.T @ frame == pytest.approx(np.eye(3))


def test_ground_puts_the_pose_of_one_body_under_another():
    pose = ground(draw_pose(Draw(3), "standing", BODY), SHORT)
    assert lowest_point(pose.frames(SHORT), SHORT) == pytest.approx(0, abs=1e-9)


def test_a_figure_takes_about_a_millisecond():
    from pgt.synthetic.camera import draw_camera

    def figure(seed):
        draw = Draw(seed)
        pose = draw_pose(draw)
        draw_camera(draw, "plain", joints_18(BODY, pose.frames(BODY)))

    best = min(timed(figure, seed) for _ in range(5) for seed in [range(40)])
    assert best / 40 < 0.005  # about 1 ms of one quiet core; slack for a busy machine


def timed(function, seeds):
    start = time.process_time()
    for seed in seeds:
        function(seed)
    return time.process_time() - start
