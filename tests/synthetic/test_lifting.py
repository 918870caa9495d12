"""Lifting: what is in place stays, what is dragged follows, bones keep their lengths, nothing breaks."""

import numpy as np
import pytest

from pgt.data.pose import Pose
from pgt.synthetic.articulation import angles_from_rotations
from pgt.synthetic.camera import draw_camera, project
from pgt.synthetic.draw import Draw
from pgt.synthetic.lifting import lift_pose
from pgt.synthetic.poses import draw_pose
from pgt.synthetic.skeleton import BONE, Proportions, joints_18

BODY = Proportions()
SIZE = (256, 256)
ALL = np.ones(18, bool)


def scene(seed, kind=None):
    draw = Draw(seed)
    pose = draw_pose(draw, kind)
    camera = draw_camera(draw, "plain", joints_18(BODY, pose.frames(BODY)), shot="full")
    return pose, camera, seen(pose, camera)


def seen(pose, camera):
    return project(joints_18(BODY, pose.frames(BODY)), camera, SIZE)[0]


@pytest.mark.parametrize("seed", range(30))
def test_a_pose_lifts_to_itself(seed):
    pose, camera, pixels = scene(seed)
    lifted = lift_pose(Pose(pixels, ALL, SIZE), BODY, camera, pose)
    assert np.abs(seen(lifted, camera) - pixels).max() < 0.1
    assert np.abs(lifted.rotations - pose.rotations).max() < 0.01


def test_whole_pixels_are_good_enough():
    for seed in range(20):
        pose, camera, pixels = scene(seed)
        lifted = lift_pose(Pose(pixels.round(), ALL, SIZE), BODY, camera, pose)
        assert np.linalg.norm(seen(lifted, camera) - pixels, axis=1).max() < 4


@pytest.mark.parametrize(("wrist", "arm"), [(4, "right"), (7, "left")])
def test_dragging_a_wrist_moves_only_that_forearm_and_twists_its_upper_arm(wrist, arm):
    for seed in range(10):
        pose, camera, pixels = scene(seed, "standing")
        dragged = pixels.copy()
        dragged[wrist] = dragged[wrist - 1] + [6, -20]
        lifted = lift_pose(Pose(dragged, ALL, SIZE), BODY, camera, pose)
        others = [joint for joint in range(18) if joint != wrist]
        assert np.abs(seen(lifted, camera) - pixels)[others].max() < 0.1
        assert np.abs(seen(lifted, camera) - dragged)[wrist].max() < 0.5
        bones = [BONE[f"{arm}_upper_arm"], BONE[f"{arm}_forearm"]]
        still = [bone for bone in range(17) if bone not in bones]
        assert lifted.rotations[still] == pytest.approx(pose.rotations[still])


def test_another_pose_of_the_body_is_met_within_a_few_pixels():
    errors = []
    for seed in range(60):
        pose, camera, _ = scene(seed)
        wanted = seen(draw_pose(Draw(seed, 1)), camera)
        lifted = lift_pose(Pose(wanted, ALL, SIZE), BODY, camera, pose)
        errors.append(np.linalg.norm(seen(lifted, camera) - wanted, axis=1))
    assert np.mean(errors) < 1.5
    assert np.percentile(errors, 95) < 5


def test_elbows_and_knees_are_not_bent_backwards():
    backwards = []
    hinges = [BONE[f"{side}_{bone}"] for side in ("right", "left") for bone in ("forearm", "calf")]
    for seed in range(60):
        pose, camera, _ = scene(seed)
        wanted = seen(draw_pose(Draw(seed, 1)), camera)
        angles = angles_from_rotations(lift_pose(Pose(wanted, ALL, SIZE), BODY, camera, pose).rotations)
        backwards.append(angles[hinges, 0] < -10)
    assert np.mean(backwards) < 0.03


def test_a_foreshortened_forearm_points_forward_not_through_the_body():
    _, camera, _ = scene(0, "standing")
    reference = draw_pose(Draw(0), "standing")
    camera = type(camera)(0.0, 0.0, camera.center, camera.scale)
    dragged = seen(reference, camera).copy()
    dragged[4] = dragged[3] + [0, 8]  # the right wrist nearly in front of its elbow
    lifted = lift_pose(Pose(dragged, ALL, SIZE), BODY, camera, reference)
    joints = joints_18(BODY, lifted.frames(BODY))
    assert joints[4, 2] > joints[3, 2] + 0.15


@pytest.mark.parametrize("seed", range(10))
def test_unreachable_drags_stay_finite_and_bones_keep_their_length(seed):
    pose, camera, pixels = scene(seed)
    offsets = Draw(seed, 2)
    wild = pixels + np.array([[offsets.normal(0, 400), offsets.normal(0, 400)] for _ in range(18)])
    lifted = lift_pose(Pose(wild, ALL, SIZE), BODY, camera, pose)
    joints = joints_18(BODY, lifted.frames(BODY))
    assert np.isfinite(joints).all()
    identity = lifted.rotations @ lifted.rotations.transpose(0, 2, 1)
    assert identity == pytest.approx(np.tile(np.eye(3), (17, 1, 1)), abs=1e-9)
    assert np.linalg.norm(joints[3] - joints[4]) == pytest.approx(BODY.forearm)
    assert np.linalg.norm(joints[12] - joints[13]) == pytest.approx(BODY.calf)


def test_a_wrist_dragged_too_far_is_pointed_at():
    pose, camera, pixels = scene(2, "standing")
    far = pixels.copy()
    far[7] = far[6] + [150, 0]
    lifted = seen(lift_pose(Pose(far, ALL, SIZE), BODY, camera, pose), camera)
    assert lifted[7, 1] == pytest.approx(lifted[6, 1], abs=0.5)
    assert lifted[7, 0] - lifted[6, 0] == pytest.approx(BODY.forearm * camera.scale * 256, abs=0.5)


def test_all_joints_on_one_spot_or_none_visible_do_no_harm():
    pose, camera, pixels = scene(3)
    heap = lift_pose(Pose(np.full((18, 2), 100.0), ALL, SIZE), BODY, camera, pose)
    assert np.isfinite(heap.rotations).all()
    nothing = lift_pose(Pose(pixels, ~ALL, SIZE), BODY, camera, pose)
    assert nothing.rotations == pytest.approx(pose.rotations)


def test_a_missing_joint_leaves_its_bone_to_the_reference():
    pose, camera, pixels = scene(4, "standing")
    visible = ALL.copy()
    visible[[4, 10]] = False
    wanted = pixels.copy()
    wanted[[4, 10]] = 0
    lifted = lift_pose(Pose(wanted, visible, SIZE), BODY, camera, pose)
    assert np.abs(seen(lifted, camera) - pixels).max() < 0.1
