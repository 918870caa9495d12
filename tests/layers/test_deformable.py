"""Deformable skips against loops over pixels and parts, and against the released ten copies."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import literal
from benchmarks.deformable import draw_parts, ten_copies, whole_masks
from benchmarks.encodings import draw_poses
from pgt.data.body_parts import part_affines, part_corners
from pgt.layers.deformable import PartWarps, deformable_skip

RULES = [
    {"reduction": reduction, "background": background, "count_absent": count_absent}
    for reduction, background, count_absent in itertools.product(
        ("max", "mean"), ("source", "zero", "torso"), (False, True)
    )
    if not (background == "source" and count_absent)
]
RELEASED = {"background": "torso", "count_absent": True}
SIZE = (24, 16)


def parts(size: tuple[int, int] = SIZE, batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Ten parts of small people, off the pixel grid, in float64; the second person has lost three."""
    matrices, corners, valid = draw_parts(size, batch)
    matrices[..., 2] += 0.237
    valid = valid.clone()
    valid[1:, [0, 3, 8]] = False
    return matrices.double(), corners.double() + 0.237, valid


def one_part(matrix: list[list[float]], size: tuple[int, int], **rule: object) -> PartWarps:
    """One part that covers the whole picture."""
    height, width = size
    corners = [[-1.0, -1.0], [width, -1.0], [width, height], [-1.0, height]]
    return PartWarps(
        torch.tensor([[matrix]]), torch.tensor([[corners]]), torch.ones(1, 1, dtype=torch.bool), size, **rule
    )


def bilinear(features: np.ndarray, x: float, y: float) -> np.ndarray:
    """Read (C, h, w) between its pixels; outside there are zeros."""
    value = np.zeros(len(features))
    for row in (math.floor(y), math.floor(y) + 1):
        for col in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < features.shape[1] and 0 <= col < features.shape[2]:
                value += features[:, row, col] * (1 - abs(x - col)) * (1 - abs(y - row))
    return value


def slow_skip(features, matrices, corners, valid, image_size, reduction, background, count_absent):
    """One picture, pixel by pixel and part by part, in numpy."""
    _, height, width = features.shape
    down, across = image_size[0] / height, image_size[1] / width
    result = np.zeros_like(features)
    level_corners = (corners + 0.5) / [across, down] - 0.5
    masks = [
        literal.hull(list(four), (height, width)) & bool(v)
        for four, v in zip(level_corners, valid, strict=True)
    ]
    for row, col in np.ndindex(height, width):
        values = []
        for part, matrix in enumerate(matrices):
            torso_everywhere = part == 0 and background == "torso"
            if masks[part][row, col] or torso_everywhere:
                square = np.vstack([matrix if valid[part] else np.eye(2, 3), [0, 0, 1]])
                place = [(col + 0.5) * across - 0.5, (row + 0.5) * down - 0.5, 1]
                x, y, _ = np.linalg.solve(square, place)
                values.append(bilinear(features, (x + 0.5) / across - 0.5, (y + 0.5) / down - 0.5))
            elif count_absent:
                values.append(np.zeros(len(features)))
        if values:
            result[:, row, col] = np.max(values, axis=0) if reduction == "max" else np.mean(values, axis=0)
        elif background == "source":
            result[:, row, col] = features[:, row, col]
    return result


@pytest.mark.parametrize("level", [(24, 16), (12, 8), (6, 8)], ids=str)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(str(value) for value in rule.values()))
def test_equals_a_loop_over_pixels_and_parts(rule, level):
    torch.manual_seed(0)
    given = parts()
    features = torch.randn(2, 3, *level, dtype=torch.float64)
    fast = deformable_skip(features, PartWarps(*given, SIZE, **rule))
    for i in range(2):
        slow = slow_skip(features[i].numpy(), *(value[i].numpy() for value in given), SIZE, **rule)
        np.testing.assert_allclose(fast[i], slow, atol=1e-10)


@pytest.mark.parametrize("size", [(128, 128), (128, 64)], ids=str)
def test_same_numbers_and_gradients_as_the_released_ten_copies(size):
    torch.manual_seed(0)
    matrices, corners, valid = draw_parts(size, 2)
    warps = PartWarps(matrices.double(), corners, valid, size, **RELEASED)
    for channels, by in ((4, 1), (8, 4)):
        level = (size[0] // by, size[1] // by)
        features = torch.randn(2, channels, *level, dtype=torch.float64, requires_grad=True)
        masks = whole_masks(corners, valid, size, level).double()
        copies = ten_copies(features, matrices.double(), masks, size)
        ours = deformable_skip(features, warps)
        torch.testing.assert_close(ours, copies)
        upstream = torch.randn_like(copies)
        expected = torch.autograd.grad(copies, features, upstream)
        torch.testing.assert_close(torch.autograd.grad(ours, features, upstream), expected)


@pytest.mark.parametrize("size", [(128, 64), (64, 128), (32, 32)], ids=str)
def test_a_shift_by_8_and_8_moves_8_and_8_on_pictures_of_any_shape(size):
    warps = one_part([[1.0, 0.0, 8.0], [0.0, 1.0, 8.0]], size)
    for by in (1, 2, 4):
        features, step = torch.randn(1, 2, size[0] // by, size[1] // by), 8 // by
        moved = deformable_skip(features, warps)
        torch.testing.assert_close(moved[..., step:, step:], features[..., :-step, :-step])
        assert (moved[..., :step, :] == 0).all()
        assert (moved[..., :step] == 0).all()


def test_a_mirror_mirrors_every_level_exactly():
    # Half a pixel of error at the coarser levels would blur the columns.
    size = (32, 16)
    warps = one_part([[-1.0, 0.0, size[1] - 1.0], [0.0, 1.0, 0.0]], size)
    for by in (1, 2, 4, 8):
        features = torch.randn(1, 3, size[0] // by, size[1] // by)
        torch.testing.assert_close(deformable_skip(features, warps), features.flip(-1))


def test_a_maximum_of_negative_features_is_negative_unless_absent_parts_count():
    given = parts()
    features = torch.full((2, 1, *SIZE), -1.0)
    for background in ("source", "zero", "torso"):
        warped = deformable_skip(features, PartWarps(*given, SIZE, background=background))
        assert warped.max() <= 0
        assert warped[0].min() == pytest.approx(-1)
    assert (deformable_skip(features, PartWarps(*given, SIZE, **RELEASED)) == 0).all()


def test_a_pixel_that_all_parts_cover_knows_no_absent_part():
    warps = one_part([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], SIZE, **RELEASED)
    features = -torch.rand(1, 2, *SIZE)
    torch.testing.assert_close(deformable_skip(features, warps), features)


def test_a_missing_part_contributes_nothing():
    matrices, corners, valid = parts()
    features = torch.randn(2, 2, *SIZE, dtype=torch.float64)
    valid[:, 4] = False
    without = deformable_skip(features, PartWarps(matrices, corners, valid, SIZE))
    matrices[:, 4], corners[:, 4] = 1e4, 7.0  # whatever stands there
    assert (deformable_skip(features, PartWarps(matrices, corners, valid, SIZE)) == without).all()


def test_any_joints_may_be_missing_hips_and_shoulders_included():
    source, target = (draw_poses((64, 32), seed)[0] for seed in (0, 1))
    seen = torch.rand(2, len(source), 18, generator=torch.Generator().manual_seed(0)) < 0.5
    seen[0, 0], seen[1, 1] = False, False  # nobody there at all
    matrices, fitted = part_affines(source, seen[0], target, seen[1])
    corners, known = part_corners(target, seen[1], 64)
    features = torch.randn(len(source), 2, 32, 16, requires_grad=True)
    for rule in ({}, RELEASED):
        warped = deformable_skip(features, PartWarps(matrices, corners, fitted & known, (64, 32), **rule))
        warped.sum().backward()
        assert warped.isfinite().all()
        assert features.grad.isfinite().all()
    torch.testing.assert_close(warped[0], F.relu(features[0]))  # nothing moves, so the whole picture stays


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(str(value) for value in rule.values()))
def test_without_any_part_only_the_background_is_left(rule):
    matrices, corners, valid = parts()
    features = torch.rand(2, 2, *SIZE, dtype=torch.float64, requires_grad=True)
    warped = deformable_skip(features, PartWarps(matrices, corners, torch.zeros_like(valid), SIZE, **rule))
    warped.sum().backward()
    share = 0.1 if rule["reduction"] == "mean" and rule["count_absent"] else 1.0
    factor = 0.0 if rule["background"] == "zero" else share
    torch.testing.assert_close(warped, factor * features)
    torch.testing.assert_close(features.grad, torch.full_like(features, factor))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(str(value) for value in rule.values()))
def test_gradients_equal_finite_differences(rule):
    torch.manual_seed(0)
    warps = PartWarps(*parts((12, 8)), (12, 8), **rule)
    features = torch.randn(2, 2, 6, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: deformable_skip(x, warps), features)


def test_the_maximum_sends_its_gradient_to_the_winner_alone():
    everywhere = one_part([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], (1, 2))
    matrices = torch.tensor([[[[1.0, 0, 0], [0, 1, 0]], [[-1.0, 0, 1], [0, 1, 0]]]])  # stay; mirror
    warps = PartWarps(matrices, everywhere.corners.expand(-1, 2, -1, -1), torch.ones(1, 2).bool(), (1, 2))
    features = torch.tensor([[[[5.0, 3.0]]]], requires_grad=True)
    warped = deformable_skip(features, warps)
    assert warped.tolist() == [[[[5.0, 5.0]]]]
    warped.sum().backward()
    assert features.grad.tolist() == [[[[2.0, 0.0]]]]


def test_layout_of_the_features_does_not_matter_and_the_result_is_channels_last():
    warps = PartWarps(*parts(), SIZE)
    features = torch.randn(2, 3, *SIZE)
    plain = deformable_skip(features, warps)
    last = deformable_skip(features.to(memory_format=torch.channels_last), warps)
    assert (plain == last).all()
    assert last.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_close_to_float32(dtype):
    warps = PartWarps(*(value.float() if value.is_floating_point() else value for value in parts()), SIZE)
    features = torch.randn(2, 8, *SIZE)
    low = features.to(dtype).requires_grad_()
    warped = deformable_skip(low, warps)
    assert warped.dtype == dtype
    torch.testing.assert_close(warped.float(), deformable_skip(features, warps), atol=0.03, rtol=0.02)
    warped.sum().backward()
    assert low.grad.dtype == dtype
    assert low.grad.isfinite().all()


def test_trains_under_autocast():
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 8, 3, padding=1).to(memory_format=torch.channels_last)
    warps = PartWarps(*parts(), SIZE)
    with torch.autocast("cpu", torch.bfloat16):
        warped = deformable_skip(conv(torch.randn(2, 3, *SIZE)), warps)
    assert warped.dtype == torch.bfloat16
    warped.float().square().mean().backward()
    assert conv.weight.grad.isfinite().all()
    assert conv.weight.grad.abs().sum() > 0


def test_a_level_is_worked_out_once_and_joints_get_no_gradient():
    matrices, corners, valid = parts()
    warps = PartWarps(matrices.requires_grad_(), corners.requires_grad_(), valid, SIZE)
    first = warps.level((12, 8))
    features = torch.randn(2, 3, 12, 8, requires_grad=True)
    deformable_skip(features, warps).sum().backward()
    assert warps.level((12, 8)) is first
    assert matrices.grad is None
    assert corners.grad is None


def test_refuses_what_does_not_belong_together():
    matrices, corners, valid = parts()
    with pytest.raises(ValueError, match="Features of 3 pictures"):
        deformable_skip(torch.zeros(3, 1, *SIZE), PartWarps(matrices, corners, valid, SIZE))
    with pytest.raises(ValueError, match=r"need matrices \(2, 10, 2, 3\)"):
        PartWarps(matrices[:, :3], corners, valid, SIZE)
    with pytest.raises(ValueError, match="'sum'"):
        PartWarps(matrices, corners, valid, SIZE, reduction="sum")
    with pytest.raises(ValueError, match="'grey'"):
        PartWarps(matrices, corners, valid, SIZE, background="grey")
    with pytest.raises(ValueError, match="would hide"):
        PartWarps(matrices, corners, valid, SIZE, count_absent=True)
