"""Patches around joints."""

import torch

from pgt.geometry import crop_and_resize
from pgt.layers.crops import point_patches


def test_patch_of_a_whole_pixel_point_copies_pixels():
    features = torch.randn(2, 3, 12, 6)
    points = torch.tensor([[[2.0, 5.0], [3.0, 9.0]], [[3.0, 4.0], [2.0, 2.0]]])
    patches = point_patches(features, points, (12, 6), 3)
    for b in range(2):
        for k in range(2):
            x, y = points[b, k].long().tolist()
            torch.testing.assert_close(patches[b, k], features[b, :, y - 1 : y + 2, x - 1 : x + 2])


def test_patches_equal_one_crop_per_joint_at_a_coarser_level():
    features = torch.randn(1, 2, 16, 8)
    points = torch.rand(1, 5, 2) * torch.tensor([32.0, 64.0])
    patches = point_patches(features, points, (64, 32), 4)
    for k in range(5):
        x, y = ((points[0, k] + 0.5) / 4).tolist()  # in pixel edges of the level
        crop = crop_and_resize(features, torch.tensor([[x - 2, y - 2, x + 2, y + 2]]), (4, 4))
        torch.testing.assert_close(patches[:, k], crop, atol=1e-5, rtol=1e-5)


def test_outside_is_zero_and_gradients_reach_the_features_alone():
    features = torch.ones(1, 1, 8, 4, requires_grad=True)
    points = torch.tensor([[[-100.0, 3.0], [2.0, 3.0]]], requires_grad=True)
    patches = point_patches(features, points, (8, 4), 3)
    assert (patches[0, 0] == 0).all()
    patches.sum().backward()
    assert features.grad.sum() == 9
    assert points.grad is None
