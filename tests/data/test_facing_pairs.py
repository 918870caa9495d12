"""Who faces the viewer, and that only such pairs are given."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pgt.data.facing_pairs import FacingPairs, faces_viewer
from pgt.data.person import Pair, Person
from pgt.data.pose import JOINTS, Pose
from pgt.synthetic.camera import project
from pgt.synthetic.frontal import CAMERA, frontal_body, frontal_pose
from pgt.synthetic.skeleton import Proportions, joints_18

SIZE = (64, 48)


def turned(degrees: float) -> Pose:
    """Return the frontal pose seen from elsewhere, every joint visible."""
    body = Proportions()
    camera = replace(CAMERA, yaw=math.radians(degrees))
    points, _ = project(joints_18(body, frontal_body(body).frames(body)), camera, SIZE)
    return Pose(points, np.ones(18, bool), SIZE)


@pytest.mark.parametrize(
    ("degrees", "facing"), [(0, True), (25, True), (-25, True), (70, False), (-70, False), (180, False)]
)
def test_people_face_the_viewer_up_to_about_45_degrees(degrees, facing):
    assert faces_viewer(turned(degrees)) == facing
    assert faces_viewer(turned(degrees).flipped()) == facing


def test_nobody_faces_the_viewer_whose_nose_is_hidden():
    pose = frontal_pose(SIZE)
    hidden = np.arange(18) != JOINTS.index("nose")
    assert not faces_viewer(Pose(pose.keypoints, hidden, SIZE))


class Turned:
    """Pairs whose source stands as the list says; targets are frontal."""

    def __init__(self, degrees: list[float]) -> None:
        self.degrees = degrees

    def __len__(self) -> int:
        return len(self.degrees)

    def __getitem__(self, index: int) -> Pair:
        blank = np.zeros((*SIZE, 3), np.uint8)
        people = [Person(blank, turned(angle)) for angle in (self.degrees[index], 0)]
        return Pair(*people, name=str(index))


def test_a_pair_that_will_do_is_given_and_another_replaced():
    pairs = FacingPairs(Turned([0, 180, 90, 10, 180]))
    assert len(pairs) == 5
    assert [pairs[i].name for i in (0, 3, -2)] == ["0", "3", "3"]
    assert {pairs[i].name for i in range(5)} == {"0", "3"}
    assert pairs[1].name == pairs[1].name


def test_pairs_that_nobody_can_use_are_refused():
    with pytest.raises(ValueError, match="In none of 3 pairs"):
        FacingPairs(Turned([180, 90, 180]))[0]
    with pytest.raises(IndexError, match="5 is beyond"):
        FacingPairs(Turned([0]))[5]
