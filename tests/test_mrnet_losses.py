"""Each loss of MR-Net against a slow literal version, and what it means."""

import math

import pytest
import torch
from torch import Tensor

from pgt.losses import (
    box_masks,
    perceptual_loss,
    roi_max_pool,
    roi_perceptual_loss,
    weighted_reconstruction_loss,
)

SIZE = (16, 8)  # twice as high as wide, for H and W are easily swapped
BOXES = torch.tensor([[1, 2, 6, 13], [0, 0, 8, 16], [3, 7, 4, 8]])  # a body, all of it, and one pixel
SOURCE_BOXES = torch.tensor([[0, 5, 4, 16], [2, 2, 3, 9], [3, 7, 4, 8]])


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def inside(box: Tensor, x: int, y: int) -> bool:
    x1, y1, x2, y2 = box.tolist()
    return x1 <= x < x2 and y1 <= y < y2


def literal_pool(features: Tensor, box: Tensor, size: tuple[int, int], bins: int) -> Tensor:
    """RoI pooling of one (C, h, w), bin by bin and pixel by pixel, in float64."""
    channels, height, width = features.shape
    x1, y1, x2, y2 = box.tolist()
    left, right = (math.floor(x * width / size[1] + 0.5) for x in (x1, x2 - 1))
    top, bottom = (math.floor(y * height / size[0] + 0.5) for y in (y1, y2 - 1))
    right, bottom = min(right, width - 1), min(bottom, height - 1)
    left, top = min(left, width - 1), min(top, height - 1)
    rows, columns = bottom - top + 1, right - left + 1
    pooled = torch.zeros(channels, bins, bins)
    for c in range(channels):
        for i in range(bins):
            for j in range(bins):
                ys = range(top + i * rows // bins, top - (-(i + 1) * rows // bins))
                xs = range(left + j * columns // bins, left - (-(j + 1) * columns // bins))
                pooled[c, i, j] = max(features[c, y, x].item() for y in ys for x in xs)
    return pooled


# --- Eq. 2 ---


def test_box_masks_equal_a_loop():
    masks = box_masks(BOXES, SIZE)
    assert masks.shape == (3, 1, *SIZE)
    for b, box in enumerate(BOXES):
        for y in range(SIZE[0]):
            for x in range(SIZE[1]):
                assert masks[b, 0, y, x].item() == inside(box, x, y)


def test_weighted_reconstruction_equals_a_loop():
    generated, target = random(3, 3, *SIZE), random(3, 3, *SIZE, seed=1)
    total = 0.0
    for b in range(3):
        for c in range(3):
            for y in range(SIZE[0]):
                for x in range(SIZE[1]):
                    error = abs(generated[b, c, y, x].item() - target[b, c, y, x].item())
                    weight = inside(SOURCE_BOXES[b], x, y) + inside(BOXES[b], x, y)
                    total += error**2 + error * weight
    loss = weighted_reconstruction_loss(generated, target, SOURCE_BOXES, BOXES)
    assert loss.item() == pytest.approx(total / generated.numel(), rel=1e-5)


def test_where_the_person_is_in_both_pictures_absolute_error_counts_twice():
    target, error = torch.zeros(1, 3, *SIZE), 0.25
    whole, one_pixel = torch.tensor([[0, 0, 8, 16]]), torch.tensor([[3, 7, 4, 8]])
    generated = torch.full_like(target, error)
    both = weighted_reconstruction_loss(generated, target, whole, whole)
    torch.testing.assert_close(both.item(), error**2 + 2 * error)
    source_only = weighted_reconstruction_loss(generated, target, whole, one_pixel)
    torch.testing.assert_close(source_only.item(), error**2 + error * (1 + 1 / 128), rtol=1e-5, atol=0)


# --- Eq. 3 ---


def test_perceptual_equals_a_loop_over_layers_and_leaves_the_target_alone():
    shapes = ((2, 4, 16, 8), (2, 6, 8, 4), (2, 3, 2, 1))
    ours = [random(*shape).requires_grad_() for shape in shapes]
    theirs = [random(*shape, seed=1).requires_grad_() for shape in shapes]
    expected = 0.0
    for a, b in zip(ours, theirs, strict=True):
        errors = [(x - y) ** 2 for x, y in zip(a.flatten().tolist(), b.flatten().tolist(), strict=True)]
        expected += sum(errors) / len(errors)
    loss = perceptual_loss(ours, theirs)
    loss.backward()
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert all(layer.grad.any() for layer in ours)
    assert all(layer.grad is None for layer in theirs)


# --- Eq. 4 ---


@pytest.mark.parametrize("bins", [1, 4, 7, 30])
@pytest.mark.parametrize("size", [(16, 8), (8, 4), (5, 3), (1, 1)])
def test_roi_pooling_equals_a_loop(size, bins):
    features = random(3, 2, *size)
    literal = torch.stack(
        [literal_pool(one, box, SIZE, bins) for one, box in zip(features, BOXES, strict=True)]
    )
    torch.testing.assert_close(roi_max_pool(features, BOXES, SIZE, bins), literal)


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_roi_pooling_equals_torchvision(scale):
    ops = pytest.importorskip("torchvision.ops")
    generator = torch.Generator().manual_seed(0)
    features = random(16, 3, 128 // scale, 64 // scale)
    # Nearer to the edge of the picture, rounding leads torchvision outside the features.
    corners = torch.rand(16, 2, 2, generator=generator) * torch.tensor([60.0, 124.0])
    low, high = corners.amin(dim=1).floor().long(), corners.amax(dim=1).floor().long() + 1
    boxes = torch.cat([low, high], dim=1)
    numbered = torch.cat([torch.arange(16)[:, None], boxes - torch.tensor([0, 0, 1, 1])], dim=1).float()
    theirs = ops.roi_pool(features, numbered, 7, 1 / scale)
    torch.testing.assert_close(roi_max_pool(features, boxes, (128, 64), 7), theirs)


def test_a_box_is_x_before_y():
    """Trap of the released code: (row, column, ...) boxes pool another region of a picture."""
    standing = torch.tensor([[20, 6, 44, 122]])
    inside_is_one = box_masks(standing, (128, 64))
    assert roi_max_pool(inside_is_one, standing, (128, 64), 30).mean() == 1
    transposed = standing[:, [1, 0, 3, 2]].minimum(torch.tensor([64, 128, 64, 128]))
    assert roi_max_pool(inside_is_one, transposed, (128, 64), 30).mean() < 0.6


def test_roi_perceptual_equals_a_loop_and_leaves_the_target_alone():
    shapes, bins = ((3, 4, 16, 8), (3, 2, 8, 4)), (6, 3)
    ours = [random(*shape).requires_grad_() for shape in shapes]
    theirs = [random(*shape, seed=1).requires_grad_() for shape in shapes]
    expected = 0.0
    for a, b, size in zip(ours, theirs, bins, strict=True):
        errors = []
        for i, box in enumerate(BOXES):
            pooled = (literal_pool(one[i], box, SIZE, size) for one in (a, b))
            errors += [(x - y) ** 2 for x, y in zip(*(p.flatten().tolist() for p in pooled), strict=True)]
        expected += sum(errors) / len(errors)
    loss = roi_perceptual_loss(ours, theirs, BOXES, SIZE, bins)
    loss.backward()
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert all(layer.grad.any() for layer in ours)
    assert all(layer.grad is None for layer in theirs)


def test_nothing_outside_the_box_costs_anything_and_a_small_person_costs_as_much_as_a_large_one():
    target = torch.zeros(2, 3, *SIZE)
    boxes = torch.tensor([[3, 7, 5, 11], [0, 0, 8, 16]])
    outside = 1 - box_masks(boxes, SIZE)
    assert roi_perceptual_loss([target + outside], [target], boxes, SIZE, (4,)) == 0
    small, large = (
        roi_perceptual_loss([0.5 * box_masks(box, SIZE)], [target[:1, :1]], box, SIZE, (4,))
        for box in boxes.split(1)
    )
    torch.testing.assert_close(small, large)


def test_as_many_layers_as_sizes():
    features = [torch.zeros(3, 1, *SIZE)]
    with pytest.raises(ValueError, match="1 and 1 layers met 5 sizes"):
        roi_perceptual_loss(features, features, BOXES, SIZE)
