"""Edits of semantic maps: what they may touch, and how near they come to the truth of other clothes."""

import numpy as np
import pytest

from pgt.applications import dress_to_pants, lengthen_sleeves, pants_to_skirt, set_sleeves, shorten_sleeves
from pgt.data.parsing import flip_labels
from pgt.data.pose import JOINTS, Pose
from pgt.synthetic.outfits import dressed, in_skirt, in_trousers, with_sleeves
from pgt.synthetic.people import render_people

SIZE = (96, 64)
UPPER, PANTS, SKIRT, ARMS, LEGS = 3, 4, 5, (6, 7), (8, 9)
EDITS = (set_sleeves, lengthen_sleeves, shorten_sleeves, dress_to_pants, pants_to_skirt)


@pytest.fixture(scope="module")
def outfits(synthetic):
    """Return (short sleeves, long sleeves, trousers, skirt) of some people, each person in one scene."""
    specs = [synthetic.spec(i, k) for i, k in ((2, 0), (4, 0), (6, 1), (3, 0), (10, 2))]
    variants = [
        dressed(spec, change)
        for spec in specs
        for change in (
            with_sleeves(spec.identity, 0.3),
            with_sleeves(spec.identity, 0.95),
            in_trousers(spec.identity),
            in_skirt(spec.identity),
        )
    ]
    rendered = render_people(variants, SIZE)
    return [rendered[i : i + 4] for i in range(0, len(rendered), 4)]


def iou(found, true, labels):
    a, b = np.isin(found, labels), np.isin(true, labels)
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize(
    ("edit", "before", "after", "labels", "at_least"),
    [
        (lambda m, p: shorten_sleeves(m, p, 0.3), 1, 0, ARMS, 0.65),
        (lambda m, p: lengthen_sleeves(m, p, 0.95), 0, 1, (UPPER,), 0.85),
        (dress_to_pants, 3, 2, (PANTS,), 0.7),
        (pants_to_skirt, 2, 3, (SKIRT,), 0.6),
    ],
    ids=["shorten", "lengthen", "pants", "skirt"],
)
def test_edits_come_near_the_person_rendered_in_such_clothes(outfits, edit, before, after, labels, at_least):
    untouched = [iou(four[before].label_map, four[after].label_map, labels) for four in outfits]
    edited = [
        iou(edit(four[before].label_map, four[before].pose), four[after].label_map, labels)
        for four in outfits
    ]
    assert np.mean(edited) > at_least
    assert all(new > old for new, old in zip(edited, untouched, strict=True))


def test_lengthening_only_turns_arms_into_cloth(outfits):
    for short, *_ in outfits:
        edited = lengthen_sleeves(short.label_map, short.pose)
        changed = edited != short.label_map
        assert np.isin(short.label_map[changed], ARMS).all()
        assert (edited[changed] == UPPER).all()


def test_shortening_only_turns_cloth_into_arms_or_background(outfits):
    for _, long, *_ in outfits:
        edited = shorten_sleeves(long.label_map, long.pose)
        changed = edited != long.label_map
        assert (long.label_map[changed] == UPPER).all()
        assert np.isin(edited[changed], (0, *ARMS)).all()


def test_an_arm_before_the_body_is_bared_where_its_hand_shows(outfits):
    """Person 2 holds the left hand before the chest; without the hand nobody could tell."""
    short, long, *_ = outfits[0]
    bared = (shorten_sleeves(long.label_map, long.pose) == 6) & (long.label_map == UPPER)
    true = (short.label_map == 6) & (long.label_map == UPPER)
    assert (bared & true).sum() > 0.7 * true.sum()
    handless = np.where(long.label_map == 6, UPPER, long.label_map)
    assert (shorten_sleeves(handless, long.pose) == 6).sum() < 0.7 * bared.sum()


def test_what_only_the_sleeve_covered_becomes_background(outfits):
    short, long, *_ = outfits[1]
    emptied = (shorten_sleeves(long.label_map, long.pose) == 0) & (long.label_map == UPPER)
    assert emptied.sum() > 10
    assert (short.label_map[emptied] == 0).mean() > 0.5


def test_sleeves_that_are_long_or_short_already_stay(outfits):
    for short, long, *_ in outfits:
        assert np.array_equal(lengthen_sleeves(short.label_map, short.pose, 0.0), short.label_map)
        assert (shorten_sleeves(long.label_map, long.pose, 1.0) != long.label_map).sum() < 5
        assert (shorten_sleeves(short.label_map, short.pose, 0.4) != short.label_map).sum() < 5


def test_trousers_and_skirts_leave_the_upper_body_alone(outfits):
    for _, _, trousers, skirt in outfits:
        for edit, one in ((dress_to_pants, skirt), (pants_to_skirt, trousers)):
            edited = edit(one.label_map, one.pose)
            upper = np.isin(one.label_map, (1, 2, UPPER, *ARMS))
            assert np.array_equal(edited[upper], one.label_map[upper])


def test_no_skirt_is_left_of_a_skirt_nor_pants_of_pants(outfits):
    for _, _, trousers, skirt in outfits:
        assert not (dress_to_pants(skirt.label_map, skirt.pose) == SKIRT).any()
        assert not (pants_to_skirt(trousers.label_map, trousers.pose) == PANTS).any()


def test_of_a_dress_what_is_below_the_waist_becomes_pants(outfits):
    *_, skirt = outfits[0]
    dress = np.where(skirt.label_map == SKIRT, UPPER, skirt.label_map).astype(np.uint8)
    edited = dress_to_pants(dress, skirt.pose)
    hips = skirt.keypoints[[JOINTS.index("left_hip"), JOINTS.index("right_hip")], 1].mean()
    below = np.arange(SIZE[0])[:, None] > hips + 2
    assert ((edited == PANTS) & below).sum() > 50
    assert not ((edited == UPPER) & below & (skirt.label_map == SKIRT)).any()
    above = np.arange(SIZE[0])[:, None] < hips - 12
    assert np.array_equal(np.where(above, edited, 0), np.where(above, dress, 0))


@pytest.mark.parametrize("edit", EDITS)
def test_a_mirrored_person_gets_the_mirrored_edit(outfits, edit):
    extra = (0.5,)
    for one in outfits[0]:
        mirrored = edit(flip_labels(one.label_map), one.pose.flipped(), *extra)
        expected = flip_labels(edit(one.label_map, one.pose, *extra))
        assert (mirrored != expected).mean() < 0.003  # pixels on an edge may fall to either side


@pytest.mark.parametrize("edit", EDITS)
def test_editing_is_a_function_of_its_arguments_alone(outfits, edit):
    for one in outfits[1]:
        given = one.label_map.copy()
        first, again = edit(given, one.pose, 0.5), edit(given, one.pose, 0.5)
        assert np.array_equal(given, one.label_map)
        assert np.array_equal(first, again)
        assert first.dtype == np.uint8
        assert first.shape == SIZE


@pytest.mark.parametrize("edit", EDITS)
def test_wrong_arguments_are_refused_in_one_sentence(outfits, edit):
    one = outfits[0][0]
    hidden = Pose(one.keypoints, np.zeros(18, bool), SIZE)
    for label_map, pose, share, sentence in (
        (one.label_map, one.pose, 1.5, "share of the limb, 0 to 1; got 1.5"),
        (one.label_map, one.pose, float("nan"), "share of the limb"),
        (one.label_map, hidden, 0.5, "so there is no limb to edit along"),
        (one.label_map[1:], one.pose, 0.5, r"is \(95, 64\), but the picture is \(96, 64\)"),
        (one.label_map / 2, one.pose, 0.5, "whole numbers"),
    ):
        with pytest.raises(ValueError, match=sentence):
            edit(label_map, pose, share)


def test_one_arm_in_sight_is_enough(outfits):
    short = outfits[0][0]
    visible = short.visible.copy()
    visible[[JOINTS.index("left_elbow")]] = False
    edited = lengthen_sleeves(short.label_map, Pose(short.keypoints, visible, SIZE))
    changed = edited != short.label_map
    assert changed.any()
    assert (short.label_map[changed] == 7).all()  # right arm


def test_below_a_skirt_each_leg_has_its_own_side(outfits):
    _, _, trousers, skirt = outfits[1]
    edited = pants_to_skirt(trousers.label_map, trousers.pose)
    for label in LEGS:
        assert iou(edited, skirt.label_map, (label,)) > 0.5
