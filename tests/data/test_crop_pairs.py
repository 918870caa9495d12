"""Pairs cut down to the person: everything moves together."""

from dataclasses import replace

import numpy as np
import pytest

from pgt.data.crop_pairs import CropPairs, box_of
from pgt.data.person import Pair, Person
from pgt.data.pose import Pose

SIZE, FRAME = (48, 64), (32, 32)


def person(x: int, y: int) -> Person:
    """Somebody of 8x16 pixels with the corner (x, y), whose joints are white dots on grey."""
    image = np.full((*SIZE, 3), 90, np.uint8)
    keypoints = np.array([[x + 2 + k % 4, y + 1 + (3 * k) % 14] for k in range(18)], np.float32)
    image[keypoints[:, 1].astype(int), keypoints[:, 0].astype(int)] = 255
    mask = np.zeros(SIZE, bool)
    mask[y : y + 16, x : x + 8] = True
    labels = (3 * mask).astype(np.uint8)
    return Person(image, Pose(keypoints, np.ones(18, bool), SIZE), labels, mask, image.copy())


class OnePair:
    def __init__(self, pair: Pair) -> None:
        self.pair = pair

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Pair:
        return self.pair


PAIR = Pair(person(10, 20), person(40, 5), "a_to_b")


def test_each_box_holds_its_own_person_and_the_union_holds_both():
    own, both = (CropPairs(OnePair(PAIR), FRAME, union=union)[0] for union in (False, True))
    assert len(CropPairs(OnePair(PAIR), FRAME, union=True)) == 1
    assert own.name == both.name == "a_to_b"
    areas = []
    for pair in (own, both):
        for one in (pair.source, pair.target):
            assert one.image_size == FRAME
            assert one.label_map.shape == one.person_mask.shape == FRAME
            assert np.array_equal(one.label_map > 0, one.person_mask)
            areas.append(one.person_mask.sum())
    assert areas[0] == areas[1] == 16 * 32  # the body is twice as high as wide, and as high as the box
    assert max(areas[2:]) < areas[0] / 3


@pytest.mark.parametrize("union", [True, False])
def test_joints_stay_where_the_picture_has_them(union):
    pair = CropPairs(OnePair(PAIR), SIZE, union=union)[0]
    for one in (pair.source, pair.target):
        for x, y in one.keypoints.round().astype(int):
            assert one.image[y, x].mean() > 110  # the dot, not the grey around it
        assert one.person_mask[tuple(one.keypoints.round().astype(int).T[::-1])].all()


def test_the_box_is_the_masks_or_the_labels_or_the_skeletons():
    one = person(10, 20)
    tight = [[10, 20, 18, 36]]
    assert box_of(one).tolist() == box_of(replace(one, person_mask=None)).tolist() == tight
    bare = box_of(replace(one, person_mask=None, label_map=None))
    assert bare.tolist() != tight
    assert bare.tolist() == [[int(12.5 - 0.12 * 13), int(21.5 - 0.12 * 13), 18, 37]]


def test_pictures_of_two_sizes_are_refused():
    pair = Pair(PAIR.source, PAIR.target.resized((24, 32)), "odd")
    with pytest.raises(ValueError, match=r"'odd' has pictures of \(48, 64\) and \(24, 32\)"):
        CropPairs(OnePair(pair), FRAME, union=True)[0]
