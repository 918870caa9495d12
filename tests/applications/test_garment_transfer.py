"""Garment transfer: the composition, the two steps, and people whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.garments import WAYS, mean_colour, measure, show, without_flow
from pgt.applications import bring_into_pose, fit_garment, score_region, transfer_garment
from pgt.data.parsing import one_hot
from pgt.data.person import Person, signed_to_uint8, uint8_to_signed
from pgt.data.pose import Pose
from pgt.models.garment_flow import continue_garment, garment_mask, warp_by_flow
from pgt.models.human_parser import HumanParser
from pgt.predictor import Predictor, fit_pose
from pgt.synthetic.frontal import frontal_pose, in_frontal_pose
from pgt.synthetic.outfits import dressed, in_textures_of
from pgt.synthetic.people import render_people
from tests.models.test_human_parser import TINY
from tests.models.tiny_garment_flow import make_network

UPPER, LOWER = 3, (4, 5)


class _All:
    """A parser that sees one label everywhere."""

    def __init__(self, label: int) -> None:
        self.label = label

    def find_labels(self, image):
        return torch.full((len(image), *image.shape[-2:]), self.label)


@pytest.fixture(scope="module")
def network():
    return make_network(1.0)


@pytest.fixture(scope="module")
def frontal(synthetic):
    """Return reference, target and truth in the frontal pose."""
    spec, other = synthetic.spec(2, 0), synthetic.spec(4, 0)
    truth = dressed(spec, in_textures_of(spec.identity, other.identity))
    return render_people([in_frontal_pose(one) for one in (other, spec, truth)], synthetic.image_size)


@torch.inference_mode()
def by_hand(network, reference, target, garment):
    """The bilinear sampling layer of Fig. 9, then the composition."""
    worn, wanted = (
        garment_mask(one_hot(torch.from_numpy(one.label_map.astype(np.int64))[None]), garment)
        for one in (reference, target)
    )
    pixels = uint8_to_signed(reference.image)[None]
    joints = [torch.from_numpy(one.keypoints)[None] for one in (reference, target)]
    both = torch.from_numpy(reference.visible & target.visible)[None]
    warped = warp_by_flow(continue_garment(pixels, worn), network(pixels, worn, wanted, *joints, both).flow)
    mask = wanted[0, 0].numpy() > 0
    return np.where(mask[..., None], signed_to_uint8(warped)[0].numpy(), target.image), mask


def test_the_result_is_the_warped_garment_in_the_targets_own_picture(network, frontal):
    reference, target, _ = frontal
    done = fit_garment(network, reference, target)
    expected, mask = by_hand(network, reference, target, "upper")
    assert np.array_equal(done.mask, mask)
    assert np.abs(done.image.astype(int) - expected).max() <= 1
    assert np.array_equal(done.image[~mask], target.image[~mask])
    assert (done.garment[~mask] == 255).all()
    assert (done.flow[~mask] == 0).all()
    assert np.array_equal(done.mask, target.label_map == UPPER)


def test_two_garments_are_two_transfers_in_one_picture(network, frontal):
    reference, target, _ = frontal
    both = fit_garment(network, reference, target, garments=("upper", "lower"))
    for garment, labels in (("upper", (UPPER,)), ("lower", LOWER)):
        one = fit_garment(network, reference, target, garments=[garment])
        region = np.isin(target.label_map, labels)
        assert region.any()
        assert np.array_equal(both.image[region], one.image[region])
        assert np.array_equal(both.flow[region], one.flow[region])


def test_an_edited_map_decides_where_the_garment_goes(network, frontal):
    reference, target, _ = frontal
    arms = np.isin(target.label_map, (6, 7))
    assert arms.any()
    sleeved = replace(target, label_map=np.where(arms, UPPER, target.label_map))
    done = fit_garment(network, reference, sleeved)
    assert done.mask[arms].all()
    assert np.array_equal(done.person.label_map, sleeved.label_map)


def test_a_reference_of_another_size_is_fitted(network, frontal):
    reference, target, _ = frontal
    done = fit_garment(network, reference.resized((50, 70)), target)
    assert done.image.shape == target.image.shape
    assert done.reference.image_size == target.image_size


def test_even_aligned_bodies_come_nearer_to_the_truth_than_the_old_clothes(network, frontal):
    reference, target, truth = frontal
    done = fit_garment(without_flow(network), reference, target, garments=("upper", "lower"))
    errors = [
        score_region(picture, truth)["foreground_l1"].mean
        for picture in (done.image, mean_colour(reference, target), target.image)
    ]
    assert errors[0] < errors[2]
    assert errors[1] < errors[2]


def test_a_person_is_drawn_in_the_frontal_pose_with_the_models_own_map(generator, people):
    """SPT draws by a map, so nothing has to be parsed."""
    predictor = Predictor(generator)
    for one in people:
        step = bring_into_pose(predictor, one)
        drawn = predictor.generate(one, frontal_pose(one.image_size))
        assert np.array_equal(step.image, drawn.image)
        assert np.array_equal(step.label_map, drawn.label_map)
        np.testing.assert_allclose(step.keypoints, drawn.target.keypoints)


def test_the_transfer_is_both_steps_one_after_the_other(network, tiny_generator, people):
    predictor, pose, parser = Predictor(tiny_generator), frontal_pose((80, 40)), _All(UPPER)
    reference, target = (bring_into_pose(predictor, one, pose, parser=parser) for one in people)
    done = transfer_garment(predictor, network, *people, pose=pose, parser=parser)
    again = fit_garment(network, reference, target)
    assert done.mask.all()
    assert np.array_equal(done.image, again.image)
    assert np.array_equal(done.reference.image, reference.image)
    assert np.array_equal(done.target.image, target.image)
    sharper = transfer_garment(predictor, network, *people, pose=pose, parser=parser, draw_reference=False)
    assert np.array_equal(sharper.image, fit_garment(network, people[0], target).image)
    other = transfer_garment(predictor, network, *people[::-1], pose=pose, parser=parser)
    assert not np.array_equal(done.image, other.image)


def test_pictures_of_models_without_maps_are_parsed(tiny_generator, people):
    torch.manual_seed(0)
    parser = HumanParser.from_config(TINY).eval()
    drawn = bring_into_pose(Predictor(tiny_generator), people[0], parser=parser)
    assert drawn.image_size == (64, 32)
    found = parser.find_labels(uint8_to_signed(drawn.image)[None])[0].numpy()
    assert np.array_equal(drawn.label_map, found)
    wanted = fit_pose(frontal_pose(people[0].image_size), (64, 32))
    np.testing.assert_allclose(drawn.keypoints, wanted.keypoints, atol=1e-3)


def test_a_model_without_a_frame_works_in_the_targets(network, people):
    target = people[0].resized((80, 48))
    done = transfer_garment(Predictor.load("part-warp"), network, people[1], target, parser=_All(UPPER))
    assert done.image.shape == (80, 48, 3)


def test_wrong_arguments_are_refused_in_one_sentence(network, generator, frontal, people):
    reference, target, _ = frontal
    bare = replace(reference, label_map=np.where(reference.label_map == UPPER, 0, reference.label_map))
    hidden = Pose(target.keypoints, np.zeros(18, bool), target.image_size)
    for arguments, options, sentence in (
        ((generator, reference, target), {}, "comes from a GarmentFlowNetwork; got SPTGenerator"),
        ((network, bare, target), {}, "the reference shows no upper garment"),
        ((network, reference, bare), {}, "the target shows no upper garment"),
        ((network, reference, target), {"garments": ()}, "garments is a list of 'upper' and 'lower'"),
        ((network, reference, target), {"garments": "upper"}, "garments is a list"),
        ((network, reference, target), {"garments": ("hat",)}, "garments is a list"),
        ((network, replace(reference, label_map=None), target), {}, "the reference has no semantic map"),
        (
            (network, reference, Person(target.image, hidden, target.label_map)),
            {},
            "the target has no visible",
        ),
        ((network, reference.image, target), {}, "must be a Person; got ndarray"),
    ):
        with pytest.raises(ValueError, match=sentence):
            fit_garment(*arguments, **options)
    with pytest.raises(ValueError, match="must be a Predictor; got SPTGenerator"):
        transfer_garment(generator, network, *people)
    with pytest.raises(ValueError, match="the target must be a Person; got ndarray"):
        transfer_garment(Predictor(generator), network, people[0], people[1].image)


def test_the_benchmark_measures_every_way(network, make_generator):
    table = measure(network, 1, Predictor(make_generator()))
    assert set(table) == set(WAYS)
    for rows in table.values():
        assert set(rows) == {"before", "mean colour", "aligned", "flow"}
        assert all(np.isfinite(score["foreground_l1"]) for score in rows.values())
    assert show(network, 1).ndim == 3
