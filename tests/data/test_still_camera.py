"""The scene behind a person who hardly moves, and the person before it."""

import numpy as np
import pytest

from pgt.data.pose import Pose
from pgt.data.still_camera import REACH, bridged, distance_from_body, find_person, find_scene
from tests.data import films

NUMBERS = (0, 0, 0, 0, 0, 0, 8, 8, 8)  # on one spot for two thirds of the time


@pytest.fixture(scope="module")
def scene():
    """What is found behind a figure that stands in one place, then in another."""
    return find_scene([films.frame(k) for k in NUMBERS], [distances(k) for k in NUMBERS])


def distances(number: int) -> np.ndarray:
    return distance_from_body(films.as_pose(number))


def test_the_background_is_seen_where_the_plain_median_shows_the_person(scene):
    plain = np.median([films.frame(k) for k in NUMBERS], axis=0)
    hidden = films.body(0) & ~films.body(8)
    assert (plain[hidden] == films.COLOR).all()
    free = hidden & scene.seen
    assert free.sum() > 0.9 * hidden.sum()
    np.testing.assert_array_equal(scene.background[free], films.wall()[free])
    assert scene.still


def test_what_is_never_free_is_continued_from_what_is():
    always = find_scene([films.frame(0)] * 5, [distances(0)] * 5)
    assert not always.seen[films.body(0)].any()
    known = {tuple(color) for color in films.wall().reshape(-1, 3)}
    assert {tuple(color) for color in always.background[films.body(0)].astype(np.uint8)} <= known


def test_the_mask_is_the_figure(scene):
    found, true = find_person(films.frame(8), distances(8), scene), films.body(8)
    assert (found & true).sum() / (found | true).sum() > 0.95


def test_what_moves_far_from_the_skeleton_is_not_the_person(scene):
    frame = films.frame(8).copy()
    frame[5:15, 5:15] = 0
    assert (distances(8)[5:15, 5:15] > REACH).all()
    np.testing.assert_array_equal(
        find_person(frame, distances(8), scene), find_person(films.frame(8), distances(8), scene)
    )


def test_specks_near_the_person_are_no_part_of_it(scene):
    frame, distance = films.frame(8).copy(), distances(8)
    beside = np.argwhere((distance > 0.3) & (distance < REACH - 0.1))[::7]
    assert len(beside) > 3
    frame[tuple(beside.T)] = 0
    found = find_person(frame, distance, scene)
    assert not found[tuple(beside.T)].any()


def test_clothes_in_the_colour_of_the_wall_keep_their_limbs(scene):
    """Nobody can tell them from the wall, but the skeleton says that somebody is there."""
    distance = distances(8)
    found = find_person(films.wall(), distance, scene)
    assert found[distance == 0].all()
    assert found.sum() < films.body(8).sum()


def test_a_missing_joint_is_bridged_and_one_never_seen_stays_missing():
    points = np.zeros((3, 18, 2), np.float32)
    points[:, 0, 0] = [10, 99, 30]
    seen = np.zeros((3, 18), bool)
    seen[[0, 2], 0] = True
    poses = [Pose(*joints, (64, 64)) for joints in zip(points, seen, strict=True)]
    found = bridged(poses)
    assert found[1].keypoints[0].tolist() == [20, 0]
    assert found[1].visible.tolist() == [True] + 17 * [False]
    assert not poses[1].visible.any()  # the pose itself is as it was


def test_without_limbs_nothing_is_near():
    nobody = Pose(np.zeros((18, 2)), np.zeros(18, bool), (32, 32))
    assert np.isinf(distance_from_body(nobody)).all()
