"""Pieces of features around points, cut differentiably."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pgt.geometry import resize_points


def point_patches(features: Tensor, points: Tensor, image_size: tuple[int, int], side: int) -> Tensor:
    """Cut a square around each point, bilinearly (for the patch-style loss of Pumarola et al. 2018).

    Args:
        features: (B, C, h, w) of a level that spans the picture.
        points: (B, K, 2) float, (x, y) in pixels of the picture, such as joints; finite, and may lie outside.
        image_size: (H, W) of the picture.
        side: of the squares, in pixels of the level; an odd one has the point at its middle pixel.

    Returns:
        (B, K, C, side, side) float32; 0 outside the features. Differentiable with respect to `features`.
    """
    batch, channels, height, width = features.shape
    centers = resize_points(points.detach().float(), image_size, (height, width))
    steps = torch.arange(side, dtype=centers.dtype, device=centers.device) - (side - 1) / 2
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)  # (side, side, 2)
    places = centers[:, :, None, None] + offsets
    grid = (2 * places + 1) / centers.new_tensor([width, height]) - 1
    # One tall grid of all squares per picture: the features are not repeated.
    patches = F.grid_sample(features.float(), grid.flatten(1, 2), padding_mode="zeros", align_corners=False)
    return patches.view(batch, channels, -1, side, side).transpose(1, 2)
