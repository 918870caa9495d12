"""Texture transfer and controlled manipulation: facts that hold for any weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pgt.applications import redraw, transfer_clothing_texture
from pgt.applications.drawing import CLOTHES
from pgt.data.parsing import one_hot
from pgt.data.person import Person, signed_to_uint8, uint8_to_signed
from pgt.data.pose import Pose
from pgt.layers.inpainting import remove_person
from pgt.models.spt import appearance_warps
from pgt.predictor import Predictor, fit_person

FRAME = (32, 24)


def tensors(person):
    return (
        uint8_to_signed(person.image)[None],
        one_hot(torch.from_numpy(person.label_map.astype(np.int64))[None]),
        torch.from_numpy(person.keypoints)[None],
        torch.from_numpy(person.visible)[None],
    )


@torch.inference_mode()
def drawn_by_hand(net, look, wanted):
    """G_A^F(E_A^F(I_c, S_c, p_c), E'_S(S_t, p_t)), written out."""
    image, source_map, points, seen = tensors(look)
    _, target_map, target_points, target_seen = tensors(wanted)
    poses = net.pose_encoding(points, seen, FRAME), net.pose_encoding(target_points, target_seen, FRAME)
    warps = appearance_warps(points, seen, target_points, target_seen, FRAME)
    return signed_to_uint8(net.foreground(image, source_map, poses[0], target_map, poses[1], warps))[
        0
    ].numpy()


def composed_by_hand(drawn, base, mask):
    """I_out = I'_out x M_f + I_t x M_b, pixel by pixel."""
    out = np.empty_like(base)
    for row in range(base.shape[0]):
        for column in range(base.shape[1]):
            m_f = int(mask[row, column])
            out[row, column] = drawn[row, column] * m_f + base[row, column] * (1 - m_f)
    return out


def near(a, b):
    return np.abs(a.astype(int) - b.astype(int)).max() <= 1


def test_transfer_gives_each_the_others_appearance_in_its_own_map(generator, people):
    results = transfer_clothing_texture(generator, *people)
    own = [fit_person(person, FRAME) for person in people]
    for result, kept, other in zip(results, own, own[::-1], strict=True):
        assert np.array_equal(result.label_map, kept.label_map)
        assert np.array_equal(result.pose.keypoints, kept.keypoints)
        assert np.array_equal(result.mask, kept.label_map > 0)
        assert near(result.drawn, drawn_by_hand(generator, other, kept))
        assert np.array_equal(result.image, composed_by_hand(result.drawn, kept.image, result.mask))


def test_transfer_is_the_same_from_both_ends(generator, people):
    there, back = (
        transfer_clothing_texture(generator, *people),
        transfer_clothing_texture(generator, *people[::-1]),
    )
    assert near(there[0].image, back[1].image)
    assert near(there[1].image, back[0].image)


def test_transfer_of_clothes_alone_keeps_every_other_pixel(generator, people):
    result, _ = transfer_clothing_texture(generator, *people, labels=CLOTHES)
    kept = fit_person(people[0], FRAME)
    clothes = np.isin(kept.label_map, CLOTHES)
    assert np.array_equal(result.mask, clothes)
    assert np.array_equal(result.image[~clothes], kept.image[~clothes])
    assert not np.array_equal(result.image[clothes], kept.image[clothes])


def test_swapping_twice_keeps_poses_maps_and_backgrounds(generator, people):
    once = transfer_clothing_texture(generator, *people)
    twice = transfer_clothing_texture(generator, *(result.person for result in once))
    for result, person in zip(twice, people, strict=True):
        kept = fit_person(person, FRAME)
        assert np.array_equal(result.label_map, kept.label_map)
        assert np.array_equal(result.image[kept.label_map == 0], kept.image[kept.label_map == 0])


def test_the_same_map_changes_nothing_where_only_changes_are_drawn(generator, people):
    result = redraw(generator, people[0], people[0].label_map, where="changed")
    assert not result.mask.any()
    assert np.array_equal(result.image, fit_person(people[0], FRAME).image)


def test_a_redrawn_person_stands_before_the_given_background(generator, people):
    result = redraw(generator, people[0], people[0].label_map)
    kept = fit_person(people[0], FRAME)
    assert np.array_equal(result.image, composed_by_hand(result.drawn, kept.image, kept.label_map > 0))
    assert near(result.drawn, drawn_by_hand(generator, kept, kept))


def test_only_changed_pixels_are_drawn_where_that_is_asked(generator, people):
    painted = people[0].label_map.copy()
    painted[24:44, 20:40] = 5
    result, kept = redraw(generator, people[0], painted, where="changed"), fit_person(people[0], FRAME)
    changed = result.label_map != kept.label_map
    assert changed.any()
    assert np.array_equal(result.mask, changed)
    assert np.array_equal(result.image, composed_by_hand(result.drawn, kept.image, changed))


def test_a_painted_map_is_what_the_network_follows(generator, people):
    painted = np.zeros(people[0].image_size, np.int64)
    painted[20:80, 20:44] = 4
    result, kept = redraw(generator, people[0], painted), fit_person(people[0], FRAME)
    wanted = fit_person(replace(people[0], label_map=painted.astype(np.uint8)), FRAME)
    assert np.array_equal(result.label_map, wanted.label_map)
    assert near(result.drawn, drawn_by_hand(generator, kept, wanted))


def test_redraw_is_the_whole_model_with_a_given_map(make_generator, people):
    """For a model that keeps the known background, Eq. 6 and this composition are one."""
    net = make_generator(background_keeps_known=True)
    painted = people[0].label_map.copy()
    painted[60:] = 0
    result, kept = redraw(net, people[0], painted), fit_person(people[0], FRAME)
    image, source_map, *joints = tensors(kept)
    wanted = one_hot(torch.from_numpy(result.label_map.astype(np.int64))[None])
    with torch.inference_mode():
        whole = net(image, source_map, *joints, *joints, parsing=wanted)
    assert near(result.image, signed_to_uint8(whole.generated)[0].numpy())


def test_uncovered_background_is_the_background_networks(generator, make_generator, people):
    painted = np.where(people[0].label_map == 5, 0, people[0].label_map)
    kept = fit_person(people[0], FRAME)
    image, parsing, *_ = tensors(kept)
    hole = 1 - parsing[:, :1]
    with torch.inference_mode():
        expected = {
            generator: generator.background(image, hole),
            make_generator(background="none"): remove_person(image, hole),
        }
    for net, scene in expected.items():
        result = redraw(net, people[0], painted, where="changed")
        uncovered = (result.label_map == 0) & (kept.label_map > 0)
        assert uncovered.any()
        assert near(result.image[uncovered], signed_to_uint8(scene)[0].numpy()[uncovered])
        assert np.array_equal(result.image[~uncovered], kept.image[~uncovered])


@pytest.mark.parametrize("size", [(31, 90), (128, 64), (32, 24), (7, 7)])
def test_pictures_of_any_size_give_uint8_in_the_models_frame(generator, people, size):
    person = people[0].resized(size)
    for result in (
        redraw(generator, person, person.label_map),
        *transfer_clothing_texture(generator, person, people[1]),
    ):
        assert result.image.shape == (*FRAME, 3)
        assert result.image.dtype == np.uint8


def test_a_predictor_will_do_and_dropout_never_shows(make_generator, people):
    results = [redraw(model, people[0], people[0].label_map).image for model in (
        make_generator().train(), Predictor(make_generator()), make_generator())]  # fmt: skip
    assert near(results[0], results[1])
    assert near(results[0], results[2])


def test_other_models_are_refused(make_generator, tiny_generator, people):
    with pytest.raises(ValueError, match="needs an SPTGenerator or its Predictor; got PG2Generator"):
        redraw(tiny_generator, people[0], people[0].label_map)
    blind = make_generator(guidance="none", background="none")
    with pytest.raises(ValueError, match="no semantic map can steer it"):
        transfer_clothing_texture(blind, *people)


def test_people_without_map_or_joints_are_refused(generator, people):
    one, two = people
    with pytest.raises(ValueError, match=r"person B has no semantic map"):
        transfer_clothing_texture(generator, one, replace(two, label_map=None))
    hidden = Pose(one.keypoints, np.zeros(18, bool), one.image_size)
    with pytest.raises(ValueError, match=r"the person has no visible joint"):
        redraw(generator, Person(one.image, hidden, one.label_map), one.label_map)
    with pytest.raises(ValueError, match=r"must be a Person; got ndarray"):
        redraw(generator, one.image, one.label_map)


@pytest.mark.parametrize(
    ("painted", "sentence"),
    [
        (np.zeros((96, 64), np.float32), "array of whole numbers; got float32"),
        ([[0]], "array of whole numbers; got list"),
        (np.zeros((96, 64), bool), "array of whole numbers; got bool"),
        (np.zeros((64, 96), np.uint8), r"is \(64, 96\), but the picture is \(96, 64\)"),
        (np.zeros((96, 64, 3), np.uint8), r"is \(96, 64, 3\)"),
        (np.full((96, 64), 10), "holds 10 to 10; the labels are 0 to 9"),
        (np.full((96, 64), -1), "holds -1 to -1"),
    ],
)
def test_a_map_that_is_none_is_refused_in_one_sentence(generator, people, painted, sentence):
    with pytest.raises(ValueError, match=sentence):
        redraw(generator, people[0], painted)


def test_unknown_options_are_refused(generator, people):
    with pytest.raises(ValueError, match='"person" or "changed"'):
        redraw(generator, people[0], people[0].label_map, where="all")
    for labels in ((), (0,), (10,)):
        with pytest.raises(ValueError, match="labels 1 to 9"):
            transfer_clothing_texture(generator, *people, labels=labels)
