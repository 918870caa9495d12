"""Local descriptors: where they stand, how they are cropped, and the discriminators that judge the crops."""

import numpy as np
import pytest
import torch
from torch import nn

from pgt.data.descriptors import descriptor_centers
from pgt.data.pose import Pose
from pgt.layers.local_descriptors import crop_regions, region_corners, region_size
from pgt.layers.local_discriminators import LocalDiscriminator

SIZE = (64, 32)  # twice as high as wide, for H and W are easily swapped
BODY_LIMBS = [  # neck to shoulders, arms, neck to hips, legs, neck to nose
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0),
]  # fmt: skip


@pytest.fixture
def joints() -> tuple[torch.Tensor, torch.Tensor]:
    """Two people inside the picture; the second lacks a hip, a shoulder and an eye."""
    random = torch.Generator().manual_seed(0)
    keypoints = torch.rand(2, 18, 2, generator=random) * torch.tensor([SIZE[1] - 1.0, SIZE[0] - 1.0])
    visible = torch.ones(2, 18, dtype=torch.bool)
    visible[1, [2, 8, 14]] = False
    return keypoints, visible


def literal_centers(
    keypoints: np.ndarray, visible: np.ndarray, count: int
) -> list[tuple[float, float] | None]:
    """List the points of one person, None where one is not known."""
    centers = [tuple(point) if seen else None for point, seen in zip(keypoints, visible, strict=True)]
    per_limb = {18: 0, 31: 1, 44: 2}[count]
    for i in range(1, per_limb + 1):
        for a, b in BODY_LIMBS:
            share = i / (per_limb + 1)
            known = visible[a] and visible[b]
            centers.append(tuple((1 - share) * keypoints[a] + share * keypoints[b]) if known else None)
    return centers


@pytest.mark.parametrize("count", [18, 31, 44])
def test_centers_are_joints_and_points_along_the_first_13_limbs(joints, count):
    centers, valid = descriptor_centers(*joints, count, SIZE)
    assert centers.shape == (2, count, 2)
    for b in range(2):
        wanted = literal_centers(joints[0][b].numpy(), joints[1][b].numpy(), count)
        assert len(wanted) == count
        assert valid[b].tolist() == [point is not None for point in wanted]
        for found, point in zip(centers[b].tolist(), wanted, strict=True):
            assert found == pytest.approx((0, 0) if point is None else point, abs=1e-4)


def test_no_descriptors_and_impossible_numbers_of_them(joints):
    centers, valid = descriptor_centers(*joints, 0, SIZE)
    assert centers.shape == (2, 0, 2)
    assert valid.shape == (2, 0)
    for count in (5, 19, 30, 45):
        with pytest.raises(ValueError, match=f"not {count}"):
            descriptor_centers(*joints, count, SIZE)


def test_a_point_counts_only_inside_the_picture(joints):
    keypoints, visible = joints[0].clone(), joints[1]
    keypoints[0, 4] = torch.tensor([-0.6, 10.0])  # the right wrist just left of the picture
    keypoints[0, 3] = torch.tensor([8.0, 10.0])
    keypoints[0, 7] = torch.tensor([31.4, 63.4])  # the left wrist in the last pixel
    keypoints[0, 10] = torch.tensor([10.0, 63.6])
    _, valid = descriptor_centers(keypoints, visible, 31, SIZE)
    assert not valid[0, 4]
    assert valid[0, 7]
    assert not valid[0, 10]
    assert valid[0, 18 + BODY_LIMBS.index((3, 4))]  # between a wrist outside and an elbow inside
    keypoints[0, 4] = torch.tensor([float("nan"), float("inf")])
    hidden = visible.clone()
    hidden[0, 4] = False
    centers, valid = descriptor_centers(keypoints, hidden, 44, SIZE)
    assert centers.isfinite().all()
    assert not valid[0, [4, 18 + 3, 31 + 3]].any()


def test_nobody_has_no_region():
    centers, valid = descriptor_centers(torch.full((1, 18, 2), 1e5), torch.zeros(1, 18).bool(), 44, SIZE)
    assert not valid.any()
    assert not centers.any()
    assert crop_regions(torch.rand(1, 3, *SIZE), centers, valid).shape == (0, 3, 8, 4)


def test_a_mirrored_person_has_mirrored_regions():
    """Trap: the mirrored left arm is a right arm, and its points along the limbs with it."""
    random = np.random.default_rng(0)
    pose = Pose(random.uniform(1, 30, (18, 2)), random.random(18) > 0.2, SIZE)

    def places(one: Pose) -> set[tuple[int, int]]:
        tensors = torch.from_numpy(one.keypoints)[None], torch.from_numpy(one.visible)[None]
        centers, valid = descriptor_centers(*tensors, 44, SIZE)
        return {(round(100 * x), round(100 * y)) for x, y in centers[valid].tolist()}

    mirrored = {(100 * (SIZE[1] - 1) - x, y) for x, y in places(pose)}
    assert len(mirrored) > 20
    ours = places(pose.flipped())
    assert all(any(abs(x - u) <= 1 and abs(y - v) <= 1 for u, v in ours) for x, y in mirrored)


def test_regions_are_an_eighth_of_the_picture():
    assert [region_size((side, side)) for side in (64, 128, 256, 512, 1024)] == [
        (8, 8), (16, 16), (32, 32), (64, 64), (128, 128),
    ]  # fmt: skip
    assert region_size(SIZE) == (8, 4)
    assert region_size((4, 4)) == (1, 1)


def literal_crops(pictures: torch.Tensor, centers: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """Cut by slices, one region after the other; one that would leave the picture is moved inside."""
    height, width = pictures.shape[2] // 8, pictures.shape[3] // 8
    crops = []
    for b in range(len(pictures)):
        for k in range(centers.shape[1]):
            if which[b, k]:
                x, y = centers[b, k].tolist()
                left = max(0, min(int(np.floor(x - (width - 1) / 2 + 0.5)), pictures.shape[3] - width))
                top = max(0, min(int(np.floor(y - (height - 1) / 2 + 0.5)), pictures.shape[2] - height))
                crops.append(pictures[b, :, top : top + height, left : left + width])
    return torch.stack(crops)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_crops_equal_slices(joints, layout):
    pictures = torch.rand(2, 3, *SIZE).to(memory_format=layout)
    centers, valid = descriptor_centers(*joints, 44, SIZE)
    everywhere = torch.ones_like(valid)
    assert torch.equal(crop_regions(pictures, centers), literal_crops(pictures, centers, everywhere))
    assert torch.equal(crop_regions(pictures, centers, valid), literal_crops(pictures, centers, valid))
    assert valid.sum() < valid.numel()


def test_crops_are_roi_align_of_boxes_in_x1_y1_x2_y2(joints):
    """Trap of MR-Net's released code: rows handed over as x."""
    roi_align = pytest.importorskip("torchvision.ops").roi_align
    pictures = torch.rand(2, 3, *SIZE)
    centers, _ = descriptor_centers(*joints, 31, SIZE)
    corners = region_corners(centers, SIZE)
    boxes = torch.cat([corners, corners + torch.tensor([4, 8])], dim=-1).float()
    aligned = roi_align(pictures, list(boxes), (8, 4), sampling_ratio=1, aligned=True)
    torch.testing.assert_close(crop_regions(pictures, centers), aligned)


def test_a_region_at_the_edge_is_moved_inside_and_centered_elsewhere():
    centers = torch.tensor([[0.0, 0.0], [31.0, 63.0], [16.0, 0.0], [12.4, 20.6], [12.6, 20.4]])
    assert region_corners(centers, SIZE).tolist() == [[0, 0], [28, 56], [15, 0], [11, 17], [11, 17]]
    # Odd sides have a middle pixel: that of the centre.
    assert region_corners(torch.tensor([20.2, 11.9]), (24, 40)).tolist() == [18, 11]


def test_gradients_of_overlapping_crops_add_up():
    pictures = torch.rand(1, 3, *SIZE, requires_grad=True)
    centers = torch.tensor([[[10.0, 30.0], [10.0, 30.0], [12.0, 30.0]]])
    crops = crop_regions(pictures, centers)
    weights = torch.rand(crops.shape)
    (crops * weights).sum().backward()
    literal = pictures.detach().clone().requires_grad_()
    (literal_crops(literal, centers, torch.ones(1, 3).bool()) * weights).sum().backward()
    torch.testing.assert_close(pictures.grad, literal.grad)


@pytest.mark.parametrize("size", [(128, 128), (16, 16), (8, 8), (16, 8), (4, 4), (2, 2)])
def test_a_discriminator_ends_in_the_mean_of_a_few_values(size):
    """Fig. 6: 2x2x1 averaged to one number."""
    judge = LocalDiscriminator(size, base_channels=2)
    ends = []
    judge.layers.register_forward_hook(lambda module, inputs, output: ends.append(output))
    pair = torch.rand(2, 5, 3, *size)
    logits = judge(*pair)
    assert logits.shape == (5,)
    assert max(ends[0].shape[-2:]) == min(2, max(size) // 2)
    torch.testing.assert_close(logits, ends[0].flatten(1).mean(dim=1))


def test_discriminators_of_regions_are_apart_from_each_other():
    """One per region: each equals a network of its own, and no region's crops move another's answer."""
    torch.manual_seed(0)
    together = LocalDiscriminator((16, 16), 3, base_channels=4)
    first, second = torch.rand(2, 6, 3, 16, 16)  # two pictures, three regions
    logits = together(first, second).view(2, 3)
    for k in range(3):
        alone = LocalDiscriminator((16, 16), base_channels=4)
        for ours, theirs in zip(alone.layers, together.layers, strict=True):
            if isinstance(ours, nn.Conv2d):
                width = len(ours.weight)
                ours.weight.data = theirs.weight.data[k * width : (k + 1) * width]
                ours.bias.data = theirs.bias.data[k * width : (k + 1) * width]
        torch.testing.assert_close(alone(first[k::3], second[k::3]), logits[:, k])
    changed = second.clone()
    changed[1] = 0
    assert (together(first, changed).view(2, 3) != logits).tolist() == [[False, True, False], [False] * 3]


def test_a_shared_discriminator_takes_any_number_of_regions():
    judge = LocalDiscriminator((16, 16), base_channels=4, norm="spectral")
    judge.eval()  # in training every call moves the estimate of the spectral norm
    first, second = torch.rand(2, 7, 3, 16, 16)
    alone = torch.cat([judge(first[i : i + 1], second[i : i + 1]) for i in range(7)])
    torch.testing.assert_close(judge(first, second), alone)
    assert not torch.equal(judge(second, first), judge(first, second))
