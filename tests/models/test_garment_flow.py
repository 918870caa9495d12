"""The appearance flow: sampling, the alignment of boxes, and what the network may look at."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from pgt.checkpoint import load, save
from pgt.config import PRESETS, GarmentFlowConfig
from pgt.data.parsing import one_hot
from pgt.models.garment_flow import (
    FEWEST,
    MARGIN,
    GarmentFlowNetwork,
    align_bodies,
    continue_garment,
    flow_between,
    garment_mask,
    warp_by_flow,
)
from tests.models.tiny_garment_flow import SIZE, TINY_FLOW, box_mask, make_network

HEIGHT, WIDTH = SIZE


def picture(size=SIZE, count=1):
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(3)) * 2 - 1


def test_sampling_is_bilinear_and_keeps_to_the_edge():
    image = picture((5, 7))
    flow = torch.randn(1, 5, 7, 2, generator=torch.Generator().manual_seed(0)) * 3
    found = warp_by_flow(image, flow)
    for y in range(5):
        for x in range(7):
            px = min(max(x + float(flow[0, y, x, 0]), 0.0), 6.0)
            py = min(max(y + float(flow[0, y, x, 1]), 0.0), 4.0)
            left, top = min(int(px), 5), min(int(py), 3)
            a, b = px - left, py - top
            value = (
                image[0, :, top, left] * (1 - a) * (1 - b)
                + image[0, :, top, left + 1] * a * (1 - b)
                + image[0, :, top + 1, left] * (1 - a) * b
                + image[0, :, top + 1, left + 1] * a * b
            )
            torch.testing.assert_close(found[0, :, y, x], value, atol=1e-5, rtol=0)


def test_whole_pixels_are_copied_also_where_the_picture_is_not_square():
    image = picture()
    flow = torch.tensor([2.0, -3.0]).expand(1, *SIZE, 2)
    found = warp_by_flow(image, flow)
    torch.testing.assert_close(found[..., 3:, :-2], image[..., :-3, 2:], atol=1e-5, rtol=0)
    torch.testing.assert_close(
        found[..., :3, :-2], image[..., :1, 2:].expand(-1, -1, 3, -1), atol=1e-5, rtol=0
    )


def test_without_residual_boxes_lie_on_each_other():
    reference, target = torch.tensor([[4.0, 6.0, 12.0, 26.0]]), torch.tensor([[2.0, 1.0, 18.0, 11.0]])
    flow = flow_between(torch.zeros(1, 2, 4, 4), reference, target, SIZE)
    for x, y in ((2, 1), (17, 10), (9, 4), (0, 31)):
        place = 4 + (x + 0.5 - 2) / 16 * 8 - 0.5, 6 + (y + 0.5 - 1) / 10 * 20 - 0.5
        torch.testing.assert_close(flow[0, y, x], torch.tensor(place) - torch.tensor([float(x), float(y)]))


def test_a_residual_counts_in_sides_of_the_references_box():
    reference, target = torch.tensor([[4.0, 6.0, 12.0, 26.0]]), torch.tensor([[2.0, 1.0, 18.0, 11.0]])
    residual = torch.tensor([0.25, -0.1]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    added = flow_between(residual, reference, target, SIZE) - flow_between(
        torch.zeros_like(residual), reference, target, SIZE
    )
    torch.testing.assert_close(added, torch.tensor([0.25 * 8, -0.1 * 20]).expand_as(added))


def test_the_residual_spans_the_targets_box():
    """Its left half moves by half a box, its right half by nothing."""
    box = torch.tensor([[4.0, 4.0, 20.0, 28.0]])
    residual = torch.zeros(1, 2, 6, 4)
    residual[:, 0, :, :2] = 0.5
    flow = flow_between(residual, box, box, SIZE)
    torch.testing.assert_close(flow[0, 10, 4:9, 0], torch.full((5,), 8.0))
    torch.testing.assert_close(flow[0, 10, 16:, 0], torch.zeros(8), atol=1e-5, rtol=0)
    torch.testing.assert_close(flow[0, 10, :4, 0], torch.full((4,), 8.0))  # beyond it: the nearest edge's


def test_an_untrained_network_nearly_aligns_the_garments():
    """A garment whose colours say where they are is fetched from the same share of its box."""
    ys, xs = torch.meshgrid(torch.arange(32.0), torch.arange(24.0), indexing="ij")
    garment = torch.stack([xs, ys, xs + ys])[None] / 64
    masks = box_mask(SIZE, 3, 2, 12, 22), box_mask(SIZE, 8, 12, 20, 28)
    flow, aligned = make_network(1e-4)(garment, *masks)
    torch.testing.assert_close(flow, aligned, atol=0.05, rtol=0)
    found = 64 * warp_by_flow(continue_garment(garment, masks[0]), flow)
    for x, y in ((12, 16), (17, 24), (10, 20)):
        place = 3 + (x + 0.5 - 8) / 12 * 9 - 0.5, 2 + (y + 0.5 - 12) / 16 * 20 - 0.5
        torch.testing.assert_close(found[0, :2, y, x], torch.tensor(place), atol=0.1, rtol=0)


def test_only_the_garment_is_looked_at():
    network, masks = make_network(1.0), (box_mask(SIZE, 3, 2, 15, 20), box_mask(SIZE, 8, 12, 20, 28))
    image, other = picture(), -picture()
    outside = torch.where(masks[0] > 0, image, other)
    inside = torch.where(masks[0] > 0, other, image)
    flow = network(image, *masks).flow
    torch.testing.assert_close(network(outside, *masks).flow, flow)
    assert (network(inside, *masks).flow - flow).abs().max() > 1e-3


def test_a_larger_picture_gets_the_same_flow_scaled():
    """The network sees the same, since large pictures are averaged down before they are cut."""
    network, large = make_network(1.0), (4 * HEIGHT, 4 * WIDTH)
    masks = box_mask(SIZE, 4, 4, 16, 20), box_mask(SIZE, 8, 12, 20, 28)
    flow, aligned = network(picture(), *masks)
    scaled = network(*(F.interpolate(one, large, mode="nearest") for one in (picture(), *masks))).flow
    assert scaled.shape == (1, *large, 2)
    # Of the 4x4 pixels that were one, the mean of the inner four is in its middle.
    middle = F.avg_pool2d(scaled.movedim(-1, 1)[..., 1:-1, 1:-1], 2, stride=4).movedim(1, -1) / 4
    inside = (slice(None), slice(13, 27), slice(9, 19))
    assert (middle - flow)[inside].abs().mean() < 0.1 * (flow - aligned)[inside].abs().mean()


def people(count=1):
    """Joints of two people in about the same pose, and which both show."""
    random = torch.Generator().manual_seed(4)
    joints = torch.rand(count, 18, 2, generator=random) * torch.tensor([WIDTH - 1.0, HEIGHT - 1.0])
    return joints, (joints + torch.randn(joints.shape, generator=random)).clamp(0, WIDTH - 1)


def test_a_body_that_was_turned_scaled_and_moved_is_found_again():
    """A similarity is recovered exactly, everywhere, from any two points or more."""
    target, places = people(2)[0], torch.rand(2, 7, 2) * 30
    turn, shift = torch.tensor([[1.2, -0.5], [0.5, 1.2]]), torch.tensor([3.0, -4.0])
    valid = torch.zeros(2, 18, dtype=torch.bool)
    valid[0, 3:5] = True
    valid[1] = True
    found = align_bodies(target @ turn.T + shift, target, valid, places)
    torch.testing.assert_close(found, places @ turn.T + shift, atol=2e-3, rtol=0)


def test_each_place_goes_along_with_the_part_of_the_body_near_it():
    target = torch.tensor([[[0.0, 0], [0, 10], [0, 20], [30, 0], [30, 10], [30, 20]]])
    source = target.clone()
    source[:, 3:, 0] += 6  # an arm was spread
    places = torch.tensor([[[1.0, 10], [29, 10], [15, 10]]])
    found = align_bodies(source, target, torch.ones(1, 6, dtype=torch.bool), places)
    expected = torch.tensor([[[1.0, 10], [35, 10], [18, 10]]])
    torch.testing.assert_close(found, expected, atol=0.3, rtol=0)


def test_points_that_only_one_shows_do_not_count():
    source, target = people()
    valid = torch.arange(18)[None] < 9
    places = torch.rand(1, 5, 2) * 20
    found = align_bodies(source, target, valid, places)
    source[:, 9:], target[:, 9:] = 1e3, -1e3
    torch.testing.assert_close(align_bodies(source, target, valid, places), found)


def test_an_untrained_network_carries_the_garment_along_with_the_body():
    """However much of the body the two garments cover: boxes of unequal cuts would be stretched."""
    target = torch.tensor([[5.0, 4], [18, 4], [6, 26], [17, 26], [11, 14]])
    joints = torch.zeros(2, 1, 18, 2)
    joints[1, 0, 1:6], joints[0, 0, 1:6] = target, target + torch.tensor([2.0, 3.0])
    seen = torch.zeros(1, 18, dtype=torch.bool)
    seen[:, 1:6] = True
    masks = box_mask(SIZE, 8, 8, 20, 16), box_mask(SIZE, 4, 4, 20, 28)  # a top, and a dress
    _, aligned = make_network()(picture(), *masks, *joints, seen)
    inside = aligned[0, 4:28, 4:20]
    torch.testing.assert_close(inside, torch.tensor([2.0, 3.0]).expand_as(inside), atol=1e-3, rtol=0)


def test_with_too_few_points_the_boxes_are_aligned():
    network, masks = make_network(1.0), (box_mask(SIZE, 3, 2, 15, 18), box_mask(SIZE, 8, 12, 20, 28))
    few = torch.arange(18)[None] < FEWEST - 1
    joints = torch.zeros(2, 1, 18, 2)
    joints[:, 0, :2] = torch.tensor([[3.0, 4.0], [12.0, 9.0]])  # nose and neck, with the point between
    plain = network(picture(), *masks).flow
    torch.testing.assert_close(network(picture(), *masks, *joints, few & False).flow, plain)
    alone = few & (torch.arange(18) == 0)
    torch.testing.assert_close(network(picture(), *masks, *joints, alone).flow, plain)
    at_one_place = torch.ones(2, 1, 18, 2)
    torch.testing.assert_close(network(picture(), *masks, *at_one_place, torch.ones_like(few)).flow, plain)
    ours, theirs = people()
    assert not torch.allclose(network(picture(), *masks, ours, theirs, torch.ones_like(few)).flow, plain)


def test_a_continued_garment_has_no_other_colours():
    image = torch.full((1, 3, *SIZE), -1.0)
    mask = box_mask(SIZE, 8, 8, 16, 20)
    garment = torch.where(mask > 0, torch.tensor(0.5), image)
    garment[..., 8, 8:16] = -0.2  # a rim, mixed with what lies behind
    torch.testing.assert_close(continue_garment(garment, mask), torch.full_like(image, 0.5))
    thread = box_mask(SIZE, 8, 8, 9, 20)
    thin = torch.where(thread > 0, torch.tensor(0.5), image)
    torch.testing.assert_close(continue_garment(thin, thread), torch.full_like(image, 0.5))
    assert not continue_garment(garment, torch.zeros_like(mask)).any()


def test_a_lower_garment_is_pants_or_a_skirt():
    labels = torch.tensor([[[0, 3, 4], [5, 6, 3]]])
    parsing = one_hot(labels)
    assert garment_mask(parsing, "upper").flatten().tolist() == [0, 1, 0, 0, 0, 1]
    assert garment_mask(parsing, "lower").flatten().tolist() == [0, 0, 1, 1, 0, 0]


def test_an_empty_mask_still_gives_finite_flows():
    empty, some = torch.zeros(1, 1, *SIZE), box_mask(SIZE, 8, 8, 16, 20)
    for masks in ((empty, some), (some, empty), (empty, empty)):
        assert make_network(1.0)(picture(), *masks).flow.isfinite().all()


def test_outlines_are_seen_whole():
    """A mask that fills its box still has an outline in the network's frame."""
    network, seen = make_network(), []
    network.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(picture(), box_mask(SIZE, 2, 2, 22, 30), box_mask(SIZE, 8, 12, 20, 28))
    assert seen[0].shape == (1, 5, *TINY_FLOW.crop_size)
    share = MARGIN / (1 + 2 * MARGIN)
    for mask in seen[0][0, 3:]:
        assert float(mask[:, 6].sum()) == pytest.approx(TINY_FLOW.crop_size[0] * (1 - 2 * share), abs=0.6)
        assert mask[0].max() < mask[8].max() == 1


def test_a_saved_network_finds_the_same_flow(tmp_path):
    network, masks = make_network(1.0), (box_mask(SIZE, 3, 2, 15, 20), box_mask(SIZE, 8, 12, 20, 28))
    loaded = load(save(network, tmp_path / "flow"), quiet=True)
    assert isinstance(loaded, GarmentFlowNetwork)
    assert loaded.config == TINY_FLOW
    torch.testing.assert_close(loaded(picture(), *masks).flow, network(picture(), *masks).flow)


def test_the_preset_stays_below_two_megabytes_in_half_precision():
    network = GarmentFlowNetwork.from_config(PRESETS["garment-flow-synthetic-128"])
    assert 2 * sum(parameter.numel() for parameter in network.parameters()) < 2e6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop_size": (16, 10)}, r"crop_size \(16, 10\) must be a multiple of 4"),
        ({"widths": (8,)}, "at least 2"),
        ({"features": "own"}, "features must be"),
        ({"num_landmarks": 20}, "num_landmarks must be 0, 18, 31, 44"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY_FLOW, **change)


def test_a_config_survives_json():
    assert GarmentFlowConfig.from_dict(TINY_FLOW.to_dict()) == TINY_FLOW
