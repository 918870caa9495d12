"""Virtual try-on: what the networks are given, and the composition of section 4.4, for any weights."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from pgt.applications import landmark_pose, paste_product, redraw, set_sleeves, try_on_product, try_on_style
from pgt.data.body_parts import part_affines
from pgt.data.person import Person, signed_to_uint8, uint8_to_signed
from pgt.data.pose import JOINTS, Pose
from pgt.geometry import transform_points
from pgt.predictor import fit_person
from pgt.synthetic.products import product_picture, style_swatch
from tests.applications.test_manipulation import FRAME, composed_by_hand, drawn_by_hand, near

UPPER, SKIRT = 3, 5
LONG, SHORT, NONE = 0, 2, 27  # seeds of identities with long, short and no sleeves


@pytest.fixture(scope="module")
def product():
    return product_picture(LONG, (80, 70))


def at(pose, name):
    index = JOINTS.index(name)
    assert pose.visible[index]
    return pose.keypoints[index]


def test_the_result_is_the_papers_composition(generator, people, product):
    result = try_on_product(generator, people[0], product.image, product.mask, product.landmarks)
    one = fit_person(people[0], FRAME)
    given = Person(product.image, landmark_pose(product.landmarks, (80, 70)), product.label_map)
    expected = drawn_by_hand(generator, fit_person(given, FRAME), one)
    assert near(result.drawn, expected)
    assert np.array_equal(result.mask, one.label_map == UPPER)
    assert np.array_equal(result.image, composed_by_hand(result.drawn, one.image, result.mask))
    assert not np.array_equal(result.image[result.mask], one.image[result.mask])


def test_everything_outside_the_region_is_the_persons_own(generator, people, product):
    result = try_on_product(generator, people[0], product.image, product.mask, product.landmarks)
    one = fit_person(people[0], FRAME)
    assert np.array_equal(result.image[~result.mask], one.image[~result.mask])
    assert np.array_equal(result.label_map, one.label_map)
    assert np.array_equal(result.pose.keypoints, one.keypoints)


def test_a_layout_is_first_redrawn_then_the_product_tried_on(generator, people, product):
    short = set_sleeves(people[1].label_map, people[1].pose, 0.3)
    first = redraw(generator, people[1], short, where="changed")
    result = try_on_product(
        generator, people[1], product.image, product.mask, product.landmarks, label_map=short
    )
    bared = np.isin(result.label_map, (6, 7)) & (fit_person(people[1], FRAME).label_map == UPPER)
    assert bared.any()
    assert np.array_equal(result.base, first.image)
    assert np.array_equal(result.mask, first.label_map == UPPER)
    assert np.array_equal(result.image, composed_by_hand(result.drawn, first.image, result.mask))


def test_another_garment_gives_another_picture_but_only_inside(generator, people):
    results = []
    for seed in (LONG, SHORT, NONE):
        one = product_picture(seed, (64, 64))
        results.append(try_on_product(generator, people[0], one.image, one.mask, one.landmarks))
    for a, b in pairwise(results):
        assert not np.array_equal(a.image, b.image)
        assert np.array_equal(a.image[~a.mask], b.image[~b.mask])


def test_landmarks_stand_for_joints():
    points = product_picture(LONG).landmarks
    pose = landmark_pose(points, (256, 256))
    for side in ("left", "right"):
        for landmark, joint in (
            ("collar", "shoulder"),
            ("elbow", "elbow"),
            ("sleeve_end", "wrist"),
            ("hem", "hip"),
        ):
            np.testing.assert_allclose(at(pose, f"{side}_{joint}"), points[f"{side}_{landmark}"])
    assert pose.visible.sum() == 8


def test_short_sleeves_have_no_wrist_and_none_have_no_elbow():
    short = product_picture(SHORT).landmarks
    pose = landmark_pose(short, (256, 256))
    np.testing.assert_allclose(at(pose, "left_elbow"), short["left_elbow"], rtol=1e-5)
    assert not pose.visible[JOINTS.index("left_wrist")]
    bare = landmark_pose(product_picture(NONE).landmarks, (256, 256))
    assert bare.visible.sum() == 4


def test_the_end_of_a_sleeve_stands_for_an_elbow_that_is_not_given():
    points = dict(product_picture(SHORT).landmarks)
    end = points["right_sleeve_end"]
    del points["right_elbow"]
    pose = landmark_pose(points, (256, 256))
    np.testing.assert_allclose(at(pose, "right_elbow"), end, rtol=1e-5)
    assert not pose.visible[JOINTS.index("right_wrist")]


def test_joints_that_are_known_take_the_place_of_landmarks():
    one = product_picture(LONG)
    pose = landmark_pose({**one.landmarks, **one.joints}, (256, 256))
    for name, point in one.joints.items():
        np.testing.assert_allclose(at(pose, name), point, rtol=1e-5)


def test_deformable_skips_carry_collars_to_shoulders(people):
    """Landmarks that are an affine image of the joints come to lie on them exactly."""
    joints, pose = ("shoulder", "elbow", "wrist", "hip"), people[0].pose
    shrunk = {
        f"{side}_{landmark}": at(pose, f"{side}_{joint}") * 0.5 + 7
        for side in ("left", "right")
        for landmark, joint in zip(("collar", "elbow", "sleeve_end", "hem"), joints, strict=True)
    }
    product = landmark_pose(shrunk, (60, 60))
    tensors = [
        torch.from_numpy(array)[None] for one in (product, pose) for array in (one.keypoints, one.visible)
    ]
    matrices, valid = part_affines(*tensors)
    moved = transform_points(tensors[0], matrices[:, 0])[0]
    assert valid[0, 0]
    for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip"):
        np.testing.assert_allclose(moved[JOINTS.index(name)], at(pose, name), atol=0.01)


def test_alignment_brings_a_shifted_product_under_the_person(people):
    """The person's own picture, shifted as a product, is pasted back where it came from."""
    one, shift = people[0], 3
    image, mask = (np.roll(a, shift, 1) for a in (one.image, one.label_map == UPPER))
    joints = {
        f"{side}_{name}": at(one.pose, f"{side}_{name}") + np.array([shift, 0])
        for side in ("left", "right")
        for name in ("shoulder", "elbow", "hip")
    }
    pasted = paste_product(one, image, mask, joints, one.image_size)
    assert near(pasted, one.image)


def test_aligned_try_on_differs_but_keeps_the_rest(generator, people, product):
    arguments = generator, people[0], product.image, product.mask, product.landmarks
    plain, aligned = try_on_product(*arguments), try_on_product(*arguments, align=True)
    assert not np.array_equal(plain.drawn, aligned.drawn)
    assert np.array_equal(plain.image[~plain.mask], aligned.image[~plain.mask])


def test_pasting_without_learning_fills_the_whole_region(people, product):
    plain = np.where(product.mask[..., None], np.uint8([200, 30, 40]), np.uint8(255))
    pasted = paste_product(people[0], plain, product.mask, product.landmarks, people[0].image_size)
    region = people[0].label_map == UPPER
    assert np.abs(pasted[region].astype(int) - [200, 30, 40]).max() <= 1
    assert np.array_equal(pasted[~region], people[0].image[~region])


def test_a_style_is_given_as_a_map_full_of_its_label(generator, people):
    swatch = style_swatch(3, FRAME)
    result = try_on_style(generator, people[0], swatch)
    width, height = FRAME[1] - 0.5, FRAME[0] - 0.5
    corners = {
        "right_shoulder": (-0.5, -0.5), "left_shoulder": (width, -0.5),
        "left_hip": (width, height), "right_hip": (-0.5, height),
    }  # fmt: skip
    points, seen = np.zeros((18, 2)), np.zeros(18, bool)
    for name, place in corners.items():
        points[JOINTS.index(name)], seen[JOINTS.index(name)] = place, True
    given = Person(swatch, Pose(points, seen, FRAME), np.full(FRAME, UPPER, np.uint8))
    one = fit_person(people[0], FRAME)
    assert near(result.drawn, drawn_by_hand(generator, given, one))
    assert np.array_equal(result.image, composed_by_hand(result.drawn, one.image, one.label_map == UPPER))


def test_a_style_is_cut_around_its_centre_and_given_corners_move_along(generator, people):
    swatch = style_swatch(3, FRAME)
    wide = np.concatenate([np.zeros((32, 10, 3), np.uint8), swatch, np.zeros((32, 10, 3), np.uint8)], axis=1)
    plain = try_on_style(generator, people[0], swatch)
    whole = [[-0.5, -0.5], [23.5, -0.5], [23.5, 31.5], [-0.5, 31.5]]
    assert np.array_equal(try_on_style(generator, people[0], wide).image, plain.image)
    assert np.array_equal(try_on_style(generator, people[0], swatch, corners=whole).image, plain.image)
    moved = np.array(whole) + np.array([10, 0])
    assert np.array_equal(try_on_style(generator, people[0], wide, corners=moved).image, plain.image)
    turned = np.roll(whole, 1, axis=0)
    assert not np.array_equal(try_on_style(generator, people[0], swatch, corners=turned).image, plain.image)


def test_a_style_can_go_onto_a_skirt(generator, people):
    result = try_on_style(generator, people[0], style_swatch(4, (50, 90)), label=SKIRT)
    assert np.array_equal(result.mask, fit_person(people[0], FRAME).label_map == SKIRT)
    assert result.mask.any()
    assert not np.array_equal(result.image[result.mask], result.base[result.mask])


@pytest.mark.parametrize("size", [(31, 90), (128, 64), (40, 40)])
def test_people_and_products_of_any_size(generator, people, product, size):
    person = people[0].resized(size)
    other = product_picture(SHORT, size)
    for result in (
        try_on_product(generator, person, other.image, other.mask, other.landmarks, align=True),
        try_on_style(generator, person, other.image),
    ):
        assert result.image.shape == (*FRAME, 3)
        assert result.image.dtype == np.uint8


def test_wrong_products_are_refused_in_one_sentence(generator, people, product):
    one, good = people[0], (product.image, product.mask, product.landmarks)
    collars = {name: product.landmarks[name] for name in ("left_collar", "right_collar")}
    for arguments, options, sentence in (
        ((product.image / 2, *good[1:]), {}, r"uint8 \(h, w, 3\) picture; got float64"),
        ((product.image[..., 0], *good[1:]), {}, r"uint8 \(h, w, 3\) picture"),
        ((good[0], product.mask[1:], good[2]), {}, "mask must be of its picture's size"),
        ((*good[:2], collars), {}, "both collars and both hems"),
        ((*good[:2], {**good[2], "left_pocket": (1, 2)}), {}, "no clothing landmark 'left_pocket'"),
        ((*good[:2], {**good[2], "left_hem": (np.nan, 2)}), {}, "left_hem must be"),
        ((*good[:2], {**good[2], "left_hem": 3}), {}, "left_hem must be"),
        (good, {"label": 1}, "try-on region must be one of 3"),
        (good, {"label": 4}, "map has no pants"),
        (good, {"label_map": one.label_map[1:]}, "but the picture is"),
    ):
        with pytest.raises(ValueError, match=sentence):
            try_on_product(generator, one, *arguments, **options)
    with pytest.raises(ValueError, match="no semantic map"):
        try_on_product(generator, replace(one, label_map=None), *good)
    with pytest.raises(ValueError, match="four corners"):
        try_on_style(generator, one, product.image, corners=[[0, 0]])
    with pytest.raises(ValueError, match="got list"):
        try_on_style(generator, one, [[0]])
    hidden = Pose(one.keypoints, np.arange(18) == 0, one.image_size)
    faceless = Person(one.image, hidden, one.label_map)
    with pytest.raises(ValueError, match="fewer than three joints in common"):
        try_on_product(generator, faceless, *good, align=True)
    with pytest.raises(ValueError, match="mask of the product is empty"):
        paste_product(one, good[0], np.zeros_like(good[1]), good[2], FRAME)


def test_uint8_survives_the_way_into_the_network_and_back():
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(signed_to_uint8(uint8_to_signed(every)).numpy(), every)
