"""What the demo makes with SPT beside poses: edited maps, swapped clothes, garments tried on."""

from dataclasses import replace

import numpy as np
import pytest

from pgt.checkpoint import bundled_names
from pgt.data.pose import JOINTS, Pose
from pgt.predictor import PARSER
from pgt.synthetic.outfits import dressed_as
from pgt.synthetic.people import render_people
from tests.demo_tiny import DRESS, LONG_SLEEVES, SIZE, T_SHIRT, TROUSERS, make_studio

pytest.importorskip("gradio", reason="the demo needs gradio")

import tailor as tailor_module
from studio import Studio
from tailor import EDITS, PANTS, REGIONS, SKIRT, UPPER, WHERE, Tailor

CHANGED, PERSON = WHERE


@pytest.fixture(scope="module")
def studio() -> Studio:
    return make_studio()


@pytest.fixture(scope="module")
def tailor(studio) -> Tailor:
    return Tailor(studio.spt)


@pytest.mark.parametrize(
    ("name", "number"),
    list(zip(EDITS, (LONG_SLEEVES, T_SHIRT, DRESS, TROUSERS), strict=True)),
)
def test_ready_made_edits_change_the_map(studio, tailor, name, number):
    person = tailor.person(studio.synthetic(number))
    changed = tailor.edited(name, person.label_map, person.pose)
    assert (changed != person.label_map).any()
    assert changed.shape == SIZE


def test_an_edit_without_effect_says_so(studio, tailor):
    person = tailor.person(studio.synthetic(T_SHIRT))
    longer = tailor.edited("Longer sleeves", person.label_map, person.pose)
    with pytest.raises(ValueError, match="changes nothing"):
        tailor.edited("Longer sleeves", longer, person.pose)


@pytest.mark.parametrize("name", [None, "", "shorten_sleeves", 3, ["Longer sleeves"]])
def test_unknown_edits_are_refused(studio, tailor, name):
    person = tailor.person(studio.synthetic(T_SHIRT))
    with pytest.raises(ValueError, match="must be one of Shorter sleeves"):
        tailor.edited(name, person.label_map, person.pose)


def test_the_same_map_changes_nothing(studio, tailor):
    subject = studio.synthetic(T_SHIRT)
    person = tailor.person(subject)
    same = tailor.redraw(subject, person.label_map, CHANGED)
    np.testing.assert_array_equal(same.result.image, person.image)
    assert (tailor.redraw(subject, person.label_map, PERSON).result.image != person.image).any()


def test_what_changes_is_tinted_in_the_colours_of_its_new_label(studio, tailor):
    person = tailor.person(studio.synthetic(T_SHIRT))
    edited, own = person.label_map.copy(), person.label_map
    edited[5:15, 5:15] = UPPER
    edited[20:22, 5:15] = tailor_module.ARMS[0]
    edited[40:44, 5:15] = SKIRT  # the person wears none, and there was no garment: no colour is known
    shown = tailor_module.tinted(person, edited)
    for label, block in ((UPPER, np.s_[5:15, 5:15]), (tailor_module.ARMS, np.s_[20:22, 5:15])):
        mean = person.image[np.isin(own, label)].mean(axis=0)
        assert np.abs(shown.image[block] - mean).max() <= 0.51
    untouched = (edited == own) | (edited == SKIRT)
    np.testing.assert_array_equal(shown.image[untouched], person.image[untouched])
    np.testing.assert_array_equal(shown.label_map, edited)


def test_a_garment_that_becomes_another_keeps_its_cloth(studio, tailor):
    person = tailor.person(studio.synthetic(TROUSERS))
    edited = np.where(person.label_map == PANTS, SKIRT, person.label_map).astype(np.uint8)
    np.testing.assert_array_equal(tailor_module.tinted(person, edited).image, person.image)


def test_tinting_changes_what_is_drawn_but_nothing_else(studio, tailor):
    subject = studio.synthetic(LONG_SLEEVES)
    person = tailor.person(subject)
    shorter = tailor.edited("Shorter sleeves", person.label_map, person.pose)
    plain, tinted = (tailor.redraw(subject, shorter, CHANGED, tint=tint).result for tint in (False, True))
    assert (plain.image != tinted.image).any()
    np.testing.assert_array_equal(tinted.base, person.image)
    kept = shorter == person.label_map
    np.testing.assert_array_equal(tinted.image[kept], person.image[kept])
    np.testing.assert_array_equal(tinted.mask, plain.mask)


@pytest.mark.parametrize("tint", [False, True])
def test_the_place_of_what_is_taken_away_is_completed(studio, tailor, tint):
    """Whether tinted or not, the background network fills what the person leaves."""
    subject = studio.synthetic(DRESS)
    person = tailor.person(subject)
    trousers = tailor.edited("Dress to pants", person.label_map, person.pose)
    uncovered = (trousers == 0) & (person.label_map > 0)
    plain, drawn = (tailor.redraw(subject, trousers, CHANGED, tint=one).result for one in (False, tint))
    assert uncovered.any()
    away = np.abs(drawn.image.astype(int) - plain.image)[uncovered]
    assert away.max() <= 2  # the network sees a slightly larger hole when tinted
    assert (np.abs(drawn.image.astype(int) - person.image)[uncovered]).mean() > 10


def test_swapping_touches_the_chosen_regions_alone(studio, tailor):
    first, second = studio.synthetic(T_SHIRT), studio.synthetic(TROUSERS)
    made, _ = tailor.swap(first, second, ["Pants"])
    person = tailor.person(first)
    changed = (made.result.image != person.image).any(axis=-1)
    assert changed.any()
    assert (person.label_map[changed] == PANTS).all()


@pytest.mark.parametrize("regions", [[], None, "Pants", ["Shoes"], [3], [["Pants"]]])
def test_unknown_regions_are_refused(studio, tailor, regions):
    subject = studio.synthetic(T_SHIRT)
    with pytest.raises(ValueError, match="choose among Upper clothes, Pants, Skirt"):
        tailor.swap(subject, subject, regions)


def test_truth_of_a_swap_takes_the_cloth_of_the_chosen_regions(studio, tailor):
    first, second = studio.synthetic(T_SHIRT), studio.synthetic(TROUSERS)
    own, other = first.specs[0].identity, second.specs[0].identity
    person = tailor.person(first)
    top = tailor.swap_truth(first, second, ["Upper clothes"])
    away = np.abs(top.image.astype(int) - person.image).sum(axis=-1)
    assert away[person.label_map == UPPER].mean() > 20 * away[person.label_map == PANTS].mean()
    assert own.top_cloth != other.top_cloth
    np.testing.assert_array_equal(top.label_map, person.label_map)
    assert tailor.swap_truth(first, studio.synthetic(DRESS), list(REGIONS)) is None


def test_truth_of_a_product_is_the_person_dressed_in_it(studio, tailor):
    subject, garment = studio.synthetic(T_SHIRT), tailor.product(TROUSERS)
    spec = subject.specs[0]
    wearing = replace(spec, wearing=dressed_as(spec.identity, garment.product.identity))
    truth = tailor.product_truth(subject, garment.product)
    np.testing.assert_array_equal(truth.image, render_people([wearing], SIZE)[0].image)
    assert tailor.product_truth(subject, tailor.product(DRESS).product) is None


def test_a_product_is_what_the_person_of_its_number_wears(studio, tailor):
    wearer = studio.synthetic(LONG_SLEEVES).specs[0].identity
    assert tailor.product(LONG_SLEEVES).product.identity.top_cloth == wearer.top_cloth


def test_sleeves_are_cut_to_the_length_of_the_product(studio, tailor):
    subject, garment = studio.synthetic(LONG_SLEEVES), tailor.product(TROUSERS)  # its shirt has short ones
    person = tailor.person(subject)
    cut, uncut = (tailor.try_on(subject, garment, cut=wanted).result for wanted in (True, False))
    assert (cut.label_map == UPPER).sum() < (uncut.label_map == UPPER).sum()
    np.testing.assert_array_equal(uncut.label_map, person.label_map)
    np.testing.assert_array_equal(uncut.image[~uncut.mask], person.image[~uncut.mask])


def test_sleeves_stay_where_no_arm_is_seen(studio, tailor):
    person = tailor.person(studio.synthetic(T_SHIRT))
    hidden = Pose(person.keypoints, np.zeros(len(JOINTS), bool), SIZE)
    product = tailor.product(LONG_SLEEVES).product
    assert tailor_module.sleeves_of(product, replace(person, pose=hidden)) is None


@pytest.mark.parametrize("label", [UPPER, PANTS, SKIRT])
def test_a_styled_image_of_the_own_clothes_has_the_own_joints(studio, tailor, label):
    """The corners are such that the library finds the joints again between them."""
    pose = tailor.person(studio.synthetic(T_SHIRT)).pose
    upper_left, upper_right, lower_right, lower_left = tailor_module.corners_of(pose, label)
    joints = ("shoulder", "hip") if label == UPPER else ("hip", "ankle")
    shares = (0.0, 1.0) if label == UPPER else (0.25, 0.75)
    for side, share in zip(("right", "left"), shares, strict=True):
        up = (1 - share) * upper_left + share * upper_right
        down = (1 - share) * lower_left + share * lower_right
        for name, point in zip(joints, (up, down), strict=True):
            np.testing.assert_allclose(point, pose.keypoints[JOINTS.index(f"{side}_{name}")], atol=1e-4)


def test_clothes_that_nobody_shows_are_refused(studio, tailor):
    with pytest.raises(ValueError, match="shows no skirt"):
        tailor.clothes_of(studio.synthetic(T_SHIRT), "Skirt")
    pose = studio.synthetic(T_SHIRT).person.pose
    with pytest.raises(ValueError, match="hips and ankles are not all"):
        tailor_module.corners_of(Pose(pose.keypoints, np.arange(len(JOINTS)) < 10, SIZE), PANTS)


def test_device_is_borrowed_for_every_application(studio):
    calls = []

    def lend(work):
        return lambda *arguments, **settings: calls.append(arguments[0]) or work(*arguments, **settings)

    borrowing, subject = Tailor(studio.spt, lend), studio.synthetic(T_SHIRT)
    borrowing.redraw(subject, borrowing.person(subject).label_map, CHANGED)
    borrowing.swap(subject, subject, ["Pants"])
    borrowing.try_on(subject, borrowing.product(LONG_SLEEVES))
    borrowing.try_on(subject, borrowing.cloth(1, None, "Pants"))
    assert len(calls) == 4


@pytest.mark.parametrize("folder", ["deepfashion_pair", "market_photos"])
def test_real_photos_get_a_map_and_can_be_dressed(studio, tailor, real_data, folder):
    if PARSER not in bundled_names():
        pytest.skip(f"the weights {PARSER} are not bundled")
    photo = sorted((real_data / folder).glob("*.jpg"))[0]
    subject = studio.photo(photo, real_data / folder / "keypoints.csv")
    person = tailor.person(subject)
    assert (person.label_map == UPPER).sum() > 100  # of 4096 pixels: both wear something
    tried = tailor.try_on(subject, tailor.product(LONG_SLEEVES), cut=False).result
    np.testing.assert_array_equal(tried.image[~tried.mask], person.image[~tried.mask])
    assert (tried.image[tried.mask] != person.image[tried.mask]).any()
    assert tailor.product_truth(subject, tailor.product(LONG_SLEEVES).product) is None
