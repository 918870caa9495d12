"""Crops at the local descriptors of Progressive (2020, section 3.2), an eighth of the picture each way."""

import torch
from torch import Tensor

from pgt.geometry import constant

SHARE = 8  # a region is the picture's height over this high, and its width over this wide


def region_size(image_size: tuple[int, int]) -> tuple[int, int]:
    """Return (h, w) of the regions of an (H, W) picture: one eighth, at least one pixel."""
    return max(1, image_size[0] // SHARE), max(1, image_size[1] // SHARE)


def region_corners(centers: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Place the regions on whole pixels.

    Args:
        centers: (..., 2) float, (x, y) in pixels.
        image_size: (H, W).

    Returns:
        (..., 2) int64, (x, y) of the top left pixel. A region that would leave the picture is moved to its
        edge: every crop is full and shows only what the picture shows.
    """
    height, width = region_size(image_size)
    size = constant((width, height), centers.device, centers.dtype)
    last = constant((image_size[1] - width, image_size[0] - height), centers.device)
    # Pixel x reaches from x - 0.5 to x + 0.5, and a region around the centre as far to either side.
    corners = (centers - (size - 1) / 2 + 0.5).floor().long()
    return torch.minimum(corners.clamp_min(0), last)


def crop_regions(pictures: Tensor, centers: Tensor, which: Tensor | None = None) -> Tensor:
    """Cut all regions out of a batch at once: RoI align on whole pixels, which copies them.

    Args:
        pictures: (B, C, H, W).
        centers: (B, N, 2) float, (x, y) in pixels.
        which: (B, N) bool, the regions to cut; all by default.

    Returns:
        (M, C, h, w), picture after picture: B * N of them, or as many as are asked for. Differentiable with
        respect to `pictures`.
    """
    size = (pictures.shape[-2], pictures.shape[-1])
    height, width = region_size(size)
    corners = region_corners(centers, size)
    everywhere = centers.new_ones(centers.shape[:2], dtype=torch.bool)
    picture, region = (everywhere if which is None else which).nonzero(as_tuple=True)
    x, y = corners[picture, region].unbind(dim=1)
    rows = y[:, None] + torch.arange(height, device=y.device)
    columns = x[:, None] + torch.arange(width, device=x.device)
    # Channels last: a pixel is then one piece of memory, both here and in the convolutions that follow.
    pixels = pictures.permute(0, 2, 3, 1)
    crops = pixels[picture[:, None, None], rows[:, :, None], columns[:, None, :]]
    return crops.permute(0, 3, 1, 2)
