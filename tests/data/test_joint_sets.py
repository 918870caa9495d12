"""Other sets of joints: names, there and back, and flips."""

import numpy as np
import pytest
import torch

from pgt.data.joint_sets import JOINT_SETS
from pgt.data.pose import FLIP_JOINTS, JOINTS, Pose

SMALL = ["penn-action-13", "bbc-pose-7"]


@pytest.mark.parametrize(("name", "count"), [("openpose-18", 18), ("penn-action-13", 13), ("bbc-pose-7", 7)])
def test_each_set_has_the_joints_its_data_has(name, count):
    joints = JOINT_SETS[name].joints
    assert len(JOINT_SETS[name]) == len(set(joints)) == count
    assert set(joints) <= {*JOINTS, "head"}


def test_orders_are_those_of_the_data():
    assert JOINT_SETS["openpose-18"].joints == JOINTS
    assert JOINT_SETS["penn-action-13"].joints[:4] == (
        "head",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
    )
    assert JOINT_SETS["penn-action-13"].joints[-1] == "right_ankle"
    assert JOINT_SETS["bbc-pose-7"].joints[:3] == ("head", "right_wrist", "left_wrist")


def test_openpose_is_taken_as_it_is(random_poses):
    keypoints, visible = random_poses((64, 32), 5)
    points, seen = JOINT_SETS["openpose-18"].from_openpose18(keypoints, visible)
    assert torch.equal(points, keypoints)
    assert torch.equal(seen, visible)


@pytest.mark.parametrize("name", SMALL)
def test_joints_keep_their_names(random_poses, name):
    keypoints, visible = random_poses((64, 32), 5)
    points, seen = JOINT_SETS[name].from_openpose18(keypoints, visible)
    for place, joint in enumerate(JOINT_SETS[name].joints[1:], start=1):
        assert torch.equal(points[:, place], keypoints[:, JOINTS.index(joint)])
        assert torch.equal(seen[:, place], visible[:, JOINTS.index(joint)])


@pytest.mark.parametrize("name", SMALL)
def test_the_head_is_the_middle_of_the_face_that_is_seen(random_poses, name):
    keypoints, visible = random_poses((64, 32), 40)
    visible[0, [0, 14, 15, 16, 17]] = False  # seen from behind
    points, seen = JOINT_SETS[name].from_openpose18(keypoints, visible)
    for person in range(40):
        face = [joint for joint in (0, 14, 15, 16, 17) if visible[person, joint]]
        assert seen[person, 0].item() == bool(face)
        if face:
            torch.testing.assert_close(points[person, 0], keypoints[person, face].mean(dim=0))
    assert points.isfinite().all()


@pytest.mark.parametrize("name", SMALL)
def test_there_and_back_changes_nothing(name):
    joints, rng = JOINT_SETS[name], np.random.default_rng(0)
    keypoints = rng.uniform(0, 64, (30, len(joints), 2)).astype(np.float32)
    visible = rng.random((30, len(joints))) < 0.7
    points, seen = joints.to_openpose18(keypoints, visible)
    back, back_seen = joints.from_openpose18(torch.from_numpy(points), torch.from_numpy(seen))
    assert np.array_equal(back_seen.numpy(), visible)
    assert np.array_equal(back.numpy()[visible], keypoints[visible])


@pytest.mark.parametrize("name", SMALL)
def test_the_18_know_what_the_set_knows_and_no_more(name):
    joints = JOINT_SETS[name]
    keypoints = np.arange(2.0 * len(joints)).reshape(-1, 2)
    points, seen = joints.to_openpose18(keypoints, np.ones(len(joints)))
    known = {*joints.joints[1:], "nose", "neck"}
    assert {joint for joint, visible in zip(JOINTS, seen, strict=True) if visible} == known
    shoulders = [joints.joints.index(f"{side}_shoulder") for side in ("left", "right")]
    np.testing.assert_allclose(points[JOINTS.index("neck")], keypoints[shoulders].mean(axis=0))
    Pose(points, seen, (64, 64))

    half = np.ones(len(joints))
    half[shoulders[0]] = 0
    assert not joints.to_openpose18(keypoints, half)[1][JOINTS.index("neck")]


@pytest.mark.parametrize("name", JOINT_SETS)
def test_a_flip_of_the_18_is_the_flip_of_the_set(random_poses, name):
    keypoints, visible = random_poses((64, 32), 10)
    joints = JOINT_SETS[name]
    mirrored = torch.stack([31 - keypoints[..., 0], keypoints[..., 1]], dim=-1)
    order = list(FLIP_JOINTS)
    one, one_seen = joints.from_openpose18(mirrored[:, order], visible[:, order])
    points, seen = joints.from_openpose18(keypoints, visible)
    other, other_seen = points[:, list(joints.flip_order)], seen[:, list(joints.flip_order)]
    assert torch.equal(one_seen, other_seen)
    expected = torch.stack([31 - other[..., 0], other[..., 1]], dim=-1)
    torch.testing.assert_close(one[one_seen], expected[one_seen])
