"""Pictures made more various: what changes on both sides, what on one, and what never does."""

from dataclasses import replace

import numpy as np
import pytest

from pgt.data.augmentation import (
    AUGMENTATIONS,
    Augmentation,
    AugmentedPairs,
    before,
    draw_colours,
    spoil,
    studio,
    window,
)
from pgt.data.person import Pair, Person
from pgt.data.pose import Pose
from pgt.data.unpaired import pose_lender
from pgt.synthetic.people import SyntheticPeople

OFF = Augmentation(
    brightness=0, contrast=0, saturation=0, hue=0, white_balance=0, fault_share=0, background_share=0
)
SIZE = (64, 32)


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    people = SyntheticPeople("test", SIZE, "plain")
    return [people[i] for i in range(4)]


def differ(first: Person, second: Person) -> bool:
    return not np.array_equal(first.image, second.image)


def test_all_off_changes_nothing(pairs):
    for pair, same in zip(pairs, AugmentedPairs(pairs, OFF), strict=True):
        assert not differ(pair.source, same.source)
        assert not differ(pair.target, same.target)


def test_the_same_item_is_always_the_same_and_the_next_seed_another(pairs):
    first, second, other = (AugmentedPairs(pairs, Augmentation(), seed=seed) for seed in (0, 0, 1))
    assert not differ(first[2].source, second[2].source)
    assert not differ(first[2].source, first[2 - len(pairs)].source)
    assert differ(first[2].source, other[2].source)


def test_light_and_colours_change_both_sides_alike(pairs):
    flat = Person(np.full((*SIZE, 3), (200, 90, 60), np.uint8), pairs[0].source.pose)
    changed = AugmentedPairs([Pair(flat, flat)], AUGMENTATIONS["colour"])[0]
    assert differ(changed.source, flat)
    assert not differ(changed.source, changed.target)


def test_faults_of_the_camera_change_the_source_alone(pairs):
    faults = replace(OFF, fault_share=1)
    for pair, changed in zip(pairs, AugmentedPairs(pairs, faults), strict=True):
        assert differ(pair.source, changed.source)
        assert not differ(pair.target, changed.target)


@pytest.mark.parametrize("only", ["blur", "noise", "jpeg_quality"])
def test_each_fault_does_something_and_keeps_the_mean(only):
    picture = np.random.default_rng(0).integers(60, 190, (64, 64, 3), np.uint8)
    none = Augmentation(fault_share=1, blur=0, noise=0, jpeg_quality=100)
    setting = replace(none, **{only: getattr(Augmentation(), only)})
    changed = spoil(picture, setting, np.random.default_rng(1))
    assert not np.array_equal(changed, picture)
    assert changed.mean() == pytest.approx(picture.mean(), abs=2)
    np.testing.assert_array_equal(spoil(picture, none, np.random.default_rng(1)), picture)


def test_hue_turns_colours_but_leaves_grey_and_lightness():
    matrix, shift = draw_colours(replace(OFF, hue=0.1, saturation=0.5), np.random.default_rng(3))
    np.testing.assert_allclose(matrix @ np.full(3, 80.0) + shift, 80, atol=0.2)
    luma = np.array([0.299, 0.587, 0.114])
    red = np.array([180.0, 60.0, 60.0])
    assert luma @ (matrix @ red + shift) == pytest.approx(luma @ red, abs=0.3)
    assert np.abs(matrix @ red + shift - red).max() > 5


def test_another_background_keeps_the_person_and_takes_the_pose_along(pairs):
    labels = np.zeros(SIZE, np.uint8)
    labels[10:54, 8:24] = 3
    person = replace(pairs[0].source, label_map=labels)
    scene = np.full((*SIZE, 3), (0, 255, 0), np.uint8)
    changed = before(person, scene)
    np.testing.assert_array_equal(changed.image[labels == 0], scene[labels == 0])
    within = (slice(14, 50), slice(12, 20))  # beyond the soft edge
    np.testing.assert_array_equal(changed.image[within], person.image[within])
    assert changed.pose is person.pose
    np.testing.assert_array_equal(changed.background, scene)


def test_both_sides_get_the_same_background(pairs):
    change = replace(OFF, background_share=1)
    scenes = [np.random.default_rng(i).integers(0, 256, (90, 200, 3), np.uint8) for i in range(3)]
    for given in (None, scenes):
        for pair in AugmentedPairs(pairs, change, given):
            np.testing.assert_array_equal(pair.source.background, pair.target.background)
            outside = (pair.source.label_map == 0) & (pair.target.label_map == 0)
            np.testing.assert_array_equal(pair.source.image[outside], pair.target.image[outside])


def test_somebody_without_a_mask_keeps_the_background(pairs):
    bare = replace(pairs[0].source, label_map=None, person_mask=None)
    assert before(bare, studio(SIZE, np.random.default_rng(0))) is bare


def test_nobodys_blank_picture_stays_blank(pairs):
    unpaired = [replace(pair, target=pose_lender(pair.target)) for pair in pairs]
    for pair in AugmentedPairs(unpaired, replace(Augmentation(), background_share=1, fault_share=1)):
        assert not pair.target.image.any()


@pytest.mark.parametrize("size", [(10, 300), (300, 10), (64, 32), (7, 7)])
def test_a_window_fits_into_any_picture(size):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert window(picture, SIZE, np.random.default_rng(0)).shape == (*SIZE, 3)


@pytest.mark.parametrize(
    "wrong", [{"noise": -0.1}, {"jpeg_quality": 0}, {"fault_share": 1.5}, {"hue": np.nan}]
)
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Augmentation(**wrong)


def test_joints_never_move(pairs):
    for pair, changed in zip(pairs, AugmentedPairs(pairs, Augmentation()), strict=True):
        assert isinstance(changed.source.pose, Pose)
        np.testing.assert_array_equal(pair.source.keypoints, changed.source.keypoints)
        np.testing.assert_array_equal(pair.source.label_map, changed.source.label_map)
