"""The pre-defined frontal pose: nothing hidden, everybody inside the picture."""

import numpy as np
import pytest

from pgt.data.facing_pairs import faces_viewer
from pgt.data.pose import JOINTS
from pgt.synthetic.articulation import JOINT_LIMITS, angles_from_rotations, limits_of
from pgt.synthetic.frontal import frontal_body, frontal_pose, in_frontal_pose
from pgt.synthetic.people import SyntheticPeople, render_people
from pgt.synthetic.skeleton import BONES, Proportions

SIZE = (96, 64)


@pytest.fixture(scope="module")
def people():
    synthetic = SyntheticPeople("test", SIZE, "plain", num_identities=16)
    specs = [synthetic.spec(i, k) for i, k in ((2, 0), (4, 1), (7, 0))]
    return specs, render_people([in_frontal_pose(spec) for spec in specs], SIZE)


@pytest.mark.parametrize("size", [(128, 128), (128, 64), (256, 176)])
def test_the_pose_is_symmetric_and_inside_pictures_of_any_proportions(size):
    pose = frontal_pose(size)
    assert pose.visible.all()
    np.testing.assert_allclose(pose.flipped().keypoints, pose.keypoints, atol=0.02 * size[0])
    assert (pose.keypoints > 0).all()
    assert (pose.keypoints < (size[1] - 1, size[0] - 1)).all()
    assert faces_viewer(pose)


def test_it_is_the_same_pose_at_every_size():
    small, large = frontal_pose((64, 64)), frontal_pose((256, 256))
    np.testing.assert_allclose(small.resized((256, 256)).keypoints, large.keypoints, atol=1e-3)


def test_it_keeps_to_the_joint_limits():
    assert JOINT_LIMITS
    angles = angles_from_rotations(frontal_body(Proportions()).rotations)
    for bone, values in zip(BONES, angles, strict=True):
        for value, (low, high) in zip(values, limits_of(bone), strict=True):
            assert low - 0.5 <= value <= high + 0.5, bone


def test_in_it_nobody_hides_their_own_body(people):
    for one in people[1]:
        limbs = [JOINTS.index(name) for name in JOINTS if "eye" not in name and "ear" not in name]
        assert one.unoccluded[limbs].all()
        assert one.label_map.any(axis=1)[[0, -1]].sum() == 0  # head and feet are in the picture
        assert not (one.label_map[:, [0, -1]] > 0).any()


def test_only_pose_and_view_change(people):
    for spec, one in zip(*people, strict=True):
        assert one.spec.identity == spec.identity
        assert one.spec.background == spec.background
