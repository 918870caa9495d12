"""Unpaired training data: whose what reaches a batch."""

import numpy as np
import pytest

from pgt.data.person import Person, collate, encode_pair
from pgt.data.pose import FLIP_JOINTS, Pose
from pgt.data.unpaired import UnpairedPeople, true_partners

SIZE = (16, 8)


def person(number: int) -> Person:
    image = np.full((*SIZE, 3), 10 * number + 5, np.uint8)
    pose = Pose(np.full((18, 2), number % 8), np.ones(18, bool), SIZE)
    return Person(image, pose, np.full(SIZE, number % 10, np.uint8), name=str(number))


def test_the_target_lends_pose_and_map_but_no_picture():
    pair = UnpairedPeople(person, np.array([[1, 4]]))[0]

    assert (pair.source.image == 15).all()
    assert (pair.source.label_map == 1).all()
    assert (pair.target.label_map == 4).all()
    assert pair.target.pose.keypoints[0, 0] == 4
    assert not pair.target.image.any()
    assert pair.target.background is None
    assert pair.target.person_mask is None


def test_scenes_go_round_and_reach_the_batch_at_its_size():
    scenes = [np.full((20, 30, 3), value, np.uint8) for value in (0, 255)]
    people = UnpairedPeople(person, np.array([[1, 4], [2, 3], [3, 1]]), scenes)

    batch = collate([encode_pair(people[i], SIZE) for i in range(3)])

    assert batch.scene.shape == (3, 3, *SIZE)
    assert batch.scene.mean((1, 2, 3)).tolist() == [-1, 1, -1]


def test_a_mirrored_pair_mirrors_its_scene():
    scene = np.zeros((*SIZE, 3), np.uint8)
    scene[:, 0] = 255

    flipped = UnpairedPeople(person, np.array([[0, 1]]), [scene])[0].flipped()

    assert (flipped.scene[:, -1] == 255).all()
    assert not flipped.scene[:, 0].any()


def test_a_mirrored_pair_swaps_the_sides_of_joints_and_labels():
    people = UnpairedPeople(person, np.array([[6, 9]]))  # all left arm; all right leg
    plain, mirrored = (encode_pair(pair, SIZE) for pair in (people[0], people[0].flipped()))

    assert (mirrored.source_label_map == 7).all()
    assert (mirrored.target_label_map == 8).all()
    across = SIZE[1] - 1 - plain.source_keypoints[0, list(FLIP_JOINTS), 0]
    assert mirrored.source_keypoints[0, :, 0].tolist() == across.tolist()


def test_without_scenes_a_batch_has_none():
    assert encode_pair(UnpairedPeople(person, np.array([[0, 1]]))[0], SIZE).scene is None


def test_true_partners_are_the_same_identity_in_another_picture():
    pairs = true_partners([7, 7, 3, 7, 3, 9])

    assert pairs.tolist() == [[0, 1], [1, 3], [2, 4], [3, 0], [4, 2]]


def test_partners_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(P, 2\)"):
        UnpairedPeople(person, np.zeros((0, 2), np.int64))
