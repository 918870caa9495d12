"""Boxes around people: never empty, never outside, and wide enough."""

import pytest
import torch

from pgt.data.boxes import MARGIN, person_boxes, proportioned_boxes, union_boxes

SIZE = (64, 32)


def joints(*points: tuple[float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """One person whose first joints are these; the others are not visible."""
    keypoints, visible = torch.full((1, 18, 2), 1000.0), torch.zeros(1, 18, dtype=torch.bool)
    keypoints[0, : len(points)], visible[0, : len(points)] = torch.tensor(points).view(-1, 2), True
    return keypoints, visible


def test_a_mask_is_boxed_tightly():
    mask = torch.zeros(1, 1, *SIZE)
    mask[0, 0, 10:41, 5:9] = 1
    assert person_boxes(*joints((30, 60)), SIZE, mask).tolist() == [[5, 10, 9, 41]]


def test_a_skeleton_is_boxed_with_a_margin():
    around = MARGIN * 30
    found = person_boxes(*joints((10, 15), (20, 45), (16, 20)), SIZE)
    low, high = [10.5 - around, 15.5 - around], [20.5 + around, 45.5 + around]
    assert found.tolist() == [[int(low[0]), int(low[1]), int(high[0]) + 1, int(high[1]) + 1]]


@pytest.mark.parametrize("points", [[], [(-40.0, 10.0), (-50.0, 20.0)], [(10.0, 300.0)]])
def test_nobody_in_the_picture_gives_the_whole_picture(points):
    assert person_boxes(*joints(*points), SIZE).tolist() == [[0, 0, 32, 64]]


@pytest.mark.parametrize("points", [[(3.0, 5.0)], [(0.0, 0.0), (31.0, 63.0)], [(-20.0, 30.0), (50.0, 35.0)]])
def test_boxes_are_inside_and_not_empty(points):
    x1, y1, x2, y2 = person_boxes(*joints(*points), SIZE)[0].tolist()
    assert 0 <= x1 < x2 <= 32
    assert 0 <= y1 < y2 <= 64


def test_random_skeletons_lie_in_their_boxes(random_poses):
    keypoints, visible = random_poses(SIZE, 40)
    for box, points, seen in zip(person_boxes(keypoints, visible, SIZE), keypoints, visible, strict=True):
        points = points[seen]
        points = points[((points >= 0) & (points <= torch.tensor([31.0, 63.0]))).all(dim=1)]
        assert (points + 0.5 >= box[:2]).all()
        assert (points + 0.5 <= box[2:]).all()


def test_a_union_holds_both():
    one, other = torch.tensor([[2, 5, 9, 11]]), torch.tensor([[4, 1, 6, 30]])
    assert union_boxes(one, other).tolist() == [[2, 1, 9, 30]]


@pytest.mark.parametrize("frame", [(64, 64), (64, 32), (32, 64)])
def test_proportioned_boxes_hold_the_old_ones_and_do_not_stretch(frame):
    generator, limit = torch.Generator().manual_seed(0), torch.tensor([128, 96])
    corner = (torch.rand(200, 2, generator=generator) * limit * 0.7).long()
    side = (1 + torch.rand(200, 2, generator=generator) * limit * 0.3).long()
    boxes = torch.cat([corner, corner + side], dim=1)
    wide = proportioned_boxes(boxes, (96, 128), frame)
    low, high = wide[:, :2], wide[:, 2:]
    assert (low >= 0).all()
    assert (high <= limit).all()
    assert (low <= corner).all()
    assert (high >= corner + side).all()
    uncut = ((high - low) < limit).all(dim=1)
    assert uncut.sum() > 100
    width, height = (high - low)[uncut].double().unbind(dim=1)
    assert ((width / frame[1] - height / frame[0]).abs() <= 1 / min(frame) + 1e-9).all()


def test_a_box_too_large_for_the_frame_s_proportions_is_cut():
    whole = torch.tensor([[0, 0, 128, 96]])
    assert proportioned_boxes(whole, (96, 128), (64, 64)).tolist() == [[0, 0, 128, 96]]
