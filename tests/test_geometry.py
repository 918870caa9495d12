"""Affine fits and warps, boxes, and shapes."""

import numpy as np
import pytest
import torch

from benchmarks import literal
from pgt.geometry import (
    box_from_mask,
    closing,
    crop_and_resize,
    dilate,
    empty,
    fill_spans,
    fit_affine,
    hull_spans,
    identity_affine,
    invert_affine,
    resize_points,
    transform_points,
    warp_affine,
)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", [(128, 64), (64, 128), (32, 32), (17, 31)])
def test_shift_moves_as_far_in_both_directions(size, mode):
    image = torch.rand(1, 3, *size)
    shift = torch.tensor([[[1.0, 0.0, 8.0], [0.0, 1.0, 8.0]]])  # output (x, y) <- input (x + 8, y + 8)
    warped = warp_affine(image, shift, mode=mode)
    torch.testing.assert_close(warped[..., :-8, :-8], image[..., 8:, 8:], atol=1e-4, rtol=0)
    assert (warped[..., -8:, :] == 0).all()
    assert (warped[..., -8:] == 0).all()


def test_identity_warp_copies_and_half_pixel_averages():
    image = torch.rand(2, 1, 6, 9)
    torch.testing.assert_close(
        warp_affine(image, identity_affine(image).expand(2, 2, 3)), image, atol=1e-5, rtol=0
    )
    half = torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]]).expand(2, 2, 3)
    warped = warp_affine(image, half)
    torch.testing.assert_close(warped[..., :-1], (image[..., 1:] + image[..., :-1]) / 2, atol=1e-5, rtol=0)


def test_large_memory_is_used_again_once_nothing_refers_to_it():
    like, shape = torch.zeros(1), (3, 2**19)
    first = empty(shape, like)
    address, part = first.data_ptr(), first[1:]
    del first
    second = empty(shape, like)
    assert second.data_ptr() != address  # a part of the first is still there
    del part
    assert empty(shape, like).data_ptr() == address
    assert empty((5,), like).shape == (5,)


def test_fit_recovers_a_map_and_equals_lstsq():
    rng = np.random.default_rng(0)
    source = rng.uniform(0, 200, (5, 6, 2))
    target = rng.uniform(0, 200, (5, 6, 2))
    matrices, valid = fit_affine(torch.tensor(source), torch.tensor(target))
    assert valid.all()
    for i in range(5):
        np.testing.assert_allclose(matrices[i], literal.fit_affine(source[i], target[i]), atol=1e-8)
    points = transform_points(torch.tensor(source), matrices)
    again, _ = fit_affine(torch.tensor(source), points)
    torch.testing.assert_close(again, matrices)


def test_fit_leaves_out_points_of_weight_zero():
    source, target = torch.rand(1, 5, 2) * 100, torch.rand(1, 5, 2) * 100
    weights = torch.tensor([[1.0, 1, 1, 1, 0]])
    full, _ = fit_affine(source[:, :4], target[:, :4])
    weighted, _ = fit_affine(source, target, weights)
    torch.testing.assert_close(weighted, full, atol=1e-2, rtol=1e-3)


@pytest.mark.parametrize(
    "points",
    [[[0, 0], [0, 0], [0, 0]], [[0, 0], [50, 50], [100, 100]], [[0, 0], [9, 5], [0, 0]], [[1e5, 1e5]] * 3],
)
def test_degenerate_fit_is_the_identity_and_says_so(points):
    matrix, valid = fit_affine(torch.tensor([points], dtype=torch.float32), torch.rand(1, 3, 2))
    assert not valid
    assert (matrix == torch.eye(2, 3)).all()
    _, without_weight = fit_affine(torch.rand(1, 4, 2), torch.rand(1, 4, 2), torch.zeros(1, 4))
    assert not without_weight


def test_inverse_undoes_a_map_and_is_defined_for_a_flat_one():
    matrices = torch.tensor([[[2.0, 1.0, 5.0], [-1.0, 3.0, 2.0]], [[1.0, 2.0, 3.0], [2.0, 4.0, 3.0]]])
    points = torch.rand(2, 7, 2) * 50
    back = transform_points(transform_points(points, matrices), invert_affine(matrices))
    torch.testing.assert_close(back[0], points[0], atol=1e-4, rtol=1e-4)
    assert (invert_affine(matrices)[1] == torch.eye(2, 3)).all()


def test_resizing_points_and_pictures_agree():
    image = torch.zeros(1, 1, 16, 8)
    image[0, 0, 4:6, 2:4] = 1  # centred on (2.5, 4.5)
    x, y = resize_points(torch.tensor([2.5, 4.5]), (16, 8), (32, 32)).tolist()
    large = crop_and_resize(image, torch.tensor([[0, 0, 8, 16]]), (32, 32), mode="nearest")[0, 0]
    ys, xs = torch.nonzero(large, as_tuple=True)
    assert (xs.float().mean().item(), ys.float().mean().item()) == (x, y)


def test_crop_takes_x1_y1_x2_y2():
    image = torch.arange(12.0).view(1, 1, 3, 4)
    crop = crop_and_resize(image, torch.tensor([[1, 0, 3, 2]]), (2, 2))
    torch.testing.assert_close(crop, image[..., 0:2, 1:3], atol=1e-4, rtol=0)


def test_box_holds_the_mask_and_only_it():
    mask = torch.zeros(2, 6, 9)
    mask[0, 1:4, 5:7] = 1
    assert box_from_mask(mask).tolist() == [[5, 1, 7, 4], [0, 0, 9, 6]]  # an empty mask gives the whole image


@pytest.mark.parametrize("seed", range(5))
def test_hull_equals_testing_every_pixel(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-10, 50, (20, 1, 4, 2)).astype(np.float32)
    masks = torch.zeros(20, 40, 36)
    spans = hull_spans(torch.tensor(points[:, 0]), torch.ones(20, 4, dtype=torch.bool), 40)
    fill_spans(masks, torch.arange(20), spans)
    fast = masks.numpy()
    slow = np.stack([literal.hull(list(p[0]), (40, 36)) for p in points])
    assert (fast != slow).sum(axis=(1, 2)).max() <= 1


def test_closing_fills_small_holes_alone():
    mask = torch.ones(1, 40, 40, dtype=torch.uint8)
    mask[0, 10:14, 10:14] = 0
    mask[0, 20:25, 20:25] = 0
    closed = closing(mask, 5)
    assert (closed[0, 10:14, 10:14] == 1).all()
    assert closed[0, 20:25, 20:25].sum() == 0
    assert (closing(mask, 1) == mask).all()
    assert dilate(mask[:, 9:15, 9:15], 3).shape == (1, 6, 6)
    with pytest.raises(ValueError, match="odd side"):
        closing(mask, 4)
