"""Motions: seamless loops, each in its own manner, feet on the ground, arms clear of the body."""

import numpy as np
import pytest

from pgt.synthetic.articulation import lowest_point, torso_depth
from pgt.synthetic.draw import Draw
from pgt.synthetic.motions import MOTIONS, motion, turned
from pgt.synthetic.skeleton import Proportions, joints_18

BODY = Proportions()


def track(name, num_frames=48, seed=1):
    return np.stack([joints_18(BODY, pose.frames(BODY)) for pose in motion(name, num_frames, seed)])


@pytest.mark.parametrize("name", MOTIONS)
def test_loops_are_seamless(name):
    joints = track(name)
    steps = np.linalg.norm(np.roll(joints, -1, 0) - joints, axis=-1).max(1)
    bends = np.linalg.norm(np.roll(joints, -1, 0) + np.roll(joints, 1, 0) - 2 * joints, axis=-1).max(1)
    # the seam (last frame to first) is like any other step, in speed and in change of speed
    assert steps[-1] <= steps[:-1].max() * 1.2
    assert bends[-1] <= bends[1:-1].max() * 1.2
    assert steps.max() < 0.3


@pytest.mark.parametrize("name", MOTIONS)
def test_frame_n_equals_frame_0(name):
    moment = MOTIONS[name](Draw(5), BODY, 24)
    first, last = (moment(time, 0.0) for time in (0.0, 1.0))
    assert last.rotations == pytest.approx(first.rotations, abs=1e-9)
    assert last.root == pytest.approx(first.root, abs=1e-9)
    assert len(motion(name, 24, 5)) == 24


@pytest.mark.parametrize("name", MOTIONS)
def test_every_seed_has_its_own_manner(name):
    assert np.abs(track(name, seed=1) - track(name, seed=2)).max() > 0.02


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_feet_touch_the_ground_and_arms_keep_clear(name, seed):
    poses = motion(name, 30, seed)
    low = np.array([lowest_point(pose.frames(BODY), BODY) for pose in poses])
    assert low.min() > -0.03
    assert low.max() < (0.1 if name == "run" else 0.03)
    assert max(torso_depth(pose.frames(BODY), BODY).max() for pose in poses) < 0.02


def test_walkers_swing_the_arm_against_the_leg():
    joints = track("walk", 30)
    for wrist, ankle in ((4, 10), (7, 13)):
        assert np.corrcoef(joints[:, wrist, 2], joints[:, ankle, 2])[0, 1] < -0.5


def test_a_walker_always_has_a_foot_flat_or_rolling_and_lifts_the_other_knee():
    joints = track("walk", 30)
    assert (joints[:, 9, 2] - joints[:, 12, 2]).max() > 0.1
    assert (joints[:, 12, 2] - joints[:, 9, 2]).max() > 0.1


def test_turn_around_shows_every_side_once():
    joints = track("turn_around", 60)
    left = joints[:, 5] - joints[:, 2]
    angle = np.unwrap(np.arctan2(-left[:, 2], left[:, 0]))
    assert abs(angle[-1] - angle[0]) == pytest.approx(2 * np.pi, abs=0.35)


def test_squat_goes_down_and_up():
    hips = track("squat", 60)[:, 8, 1]
    assert hips.min() < 0.7
    assert hips.max() > 0.85


def test_wave_raises_one_hand_only():
    joints = track("wave", 48)
    above = joints[:, [4, 7], 1].max(0) > joints[:, 0, 1].min() - 0.05
    assert above.sum() == 1


def test_turned_turns_to_the_left():
    pose = motion("walk", 8, 0)[0]
    before, after = (joints_18(BODY, p.frames(BODY)) for p in (pose, turned(pose, np.pi / 2)))
    assert after[:, 0] == pytest.approx(before[:, 2])
    assert after[:, 1] == pytest.approx(before[:, 1])


def test_unknown_motion_or_no_frames_are_refused():
    with pytest.raises(ValueError, match="walk"):
        motion("swim", 10, 0)
    with pytest.raises(ValueError, match="at least 2"):
        motion("walk", 1, 0)
