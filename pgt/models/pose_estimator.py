"""A small network that finds the 18 joints of the one person in a picture: the judge behind PCKh.

Fully convolutional, a U-Net of residual blocks on 4x4 patches that ends in one logit map per joint at a
quarter of the picture's size, and one more logit per joint for "not to be seen". A joint's place is a softmax
over both (so the confidence is one minus the chance of the latter), its coordinates the peak refined to a
fraction of a pixel.

Trained on synthetic people. Known weakness: on people seen from behind it often swaps left and right.
"""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn
from torch.nn import functional as F

from pgt.config import PUBLIC_HOME, PoseEstimatorConfig
from pgt.data.pose import NUM_JOINTS, PoseEncoding, keypoints_to_gaussians
from pgt.geometry import resize_points

STRIDE = 4  # pixels of the picture per cell of the maps
DEEPEST = 32  # pixels per cell at the bottom; pictures are padded to a multiple


class _Residual(nn.Module):
    """Two normalised 3x3 convolutions beside an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(channels, channels), nn.ReLU(), *_convolution(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


def _convolution(in_channels: int, out_channels: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(out_channels)


class PoseEstimator(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="pgt",
    tags=["keypoint-detection"],
    license="mit",
    repo_url=PUBLIC_HOME or None,
):
    """Find the joints of one person.

    Args:
        settings: the fields of a `PoseEstimatorConfig` as plain data; `from_config` takes the config itself.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = config = PoseEstimatorConfig.from_dict(settings)
        self.pose_encoding = PoseEncoding("gaussian", sigma=STRIDE * config.sigma)
        widths = config.widths
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(STRIDE), *_convolution(3 * STRIDE**2, widths[0]), nn.ReLU()
        )
        self.down = nn.ModuleList(
            nn.Sequential(*_convolution(before, after, stride=2), nn.ReLU(), _Residual(after))
            for before, after in pairwise(widths)
        )
        self.up = nn.ModuleList(nn.Conv2d(after, before, 1) for before, after in pairwise(widths))
        self.merge = nn.ModuleList(_Residual(width) for width in widths[:-1])
        self.maps = nn.Conv2d(widths[0], NUM_JOINTS, 1)
        self.unseen = nn.Sequential(
            nn.Linear(widths[-1], widths[-1]), nn.ReLU(), nn.Linear(widths[-1], NUM_JOINTS)
        )

    @classmethod
    def from_config(cls, config: PoseEstimatorConfig) -> "PoseEstimator":
        """Build a network with fresh weights."""
        return cls(settings=config.to_dict())

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Look at pictures.

        Args:
            image: (B, 3, H, W) in [-1, 1], of any size, best one like `config.image_size`.

        Returns:
            logits (B, 18, H / 4, W / 4), rounded up, of where each joint is; and (B, 18) of its not being
            seen.
        """
        height, width = image.shape[-2:]
        padding = (0, -width % DEEPEST, 0, -height % DEEPEST)
        levels = [self.stem(F.pad(image, padding, mode="replicate"))]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = levels[-1]
        unseen = self.unseen(x.mean((2, 3)))
        for level in reversed(range(len(self.up))):
            below = F.interpolate(self.up[level](x), scale_factor=2, mode="nearest")
            x = self.merge[level](levels[level] + below)
        maps = self.maps(x)[..., : -(-height // STRIDE), : -(-width // STRIDE)]
        return maps, unseen

    def heat_maps(self, image: Tensor) -> Tensor:
        """See a pose in pictures (B, 3, H, W), differentiably: P(I) of Song et al. 2021, Eq. 8.

        Returns:
            (B, 18, h / 4, w / 4), rounded up, of the pictures as high as those it learnt from; each map a
            bump that is about 1 at a joint the network is sure of; for a perfect network the same as
            `wanted_heat_maps` of the true joints.
        """
        maps, unseen = self(self._as_learnt(image))
        places = torch.cat([maps.flatten(2), unseen.unsqueeze(2)], dim=2).float().softmax(dim=2)
        return places[..., :-1].unflatten(2, maps.shape[-2:]) * (2 * math.pi * self.config.sigma**2)

    def wanted_heat_maps(self, keypoints: Tensor, visible: Tensor, size: tuple[int, int]) -> Tensor:
        """Draw what `heat_maps` should give for a picture of `size` (H, W) with joints (B, 18, 2), (x, y)."""
        shown = self._size_as_learnt(size)
        cells = (-(-shown[0] // STRIDE), -(-shown[1] // STRIDE))
        points = resize_points(keypoints, size, shown)
        return keypoints_to_gaussians((points + 0.5) / STRIDE - 0.5, visible, cells, self.config.sigma)

    @torch.inference_mode()
    def find_joints(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Find the joints in pictures (B, 3, H, W) in [-1, 1], on any device; see `decode`."""
        shown = self._as_learnt(image.to(self.maps.weight.device))
        points, confidence = decode(*self(shown.contiguous(memory_format=torch.channels_last)))
        sizes = [(one.shape[-2], one.shape[-1]) for one in (shown, image)]
        return resize_points(points, *sizes), confidence

    def _size_as_learnt(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the size at which pictures of `size` (H, W) are as high as those it learnt from.

        It is lost where bodies are half as high: at 64x64 it found 19 % of the joints within half a head.
        """
        height = self.config.image_size[0]
        return height, max(1, round(size[1] * height / size[0]))

    def _as_learnt(self, image: Tensor) -> Tensor:
        size = (image.shape[-2], image.shape[-1])
        shown = self._size_as_learnt(size)
        if shown == size:
            return image
        return F.interpolate(image, shown, mode="bilinear", align_corners=False, antialias=shown[0] < size[0])


def decode(maps: Tensor, unseen: Tensor) -> tuple[Tensor, Tensor]:
    """Turn logits into joints: the highest cell, moved to the peak of a parabola through it and its
    neighbours.

    The softmax of the maps is trained to be Gaussian, whose logarithm is a parabola, so the peak is exact.

    Args:
        maps: (B, K, h, w) logits, each cell STRIDE pixels wide.
        unseen: (B, K) logits.

    Returns:
        keypoints (B, K, 2), (x, y) in pixels of the picture, and confidence (B, K) in [0, 1] of being seen.
    """
    width = maps.shape[-1]
    confidence = torch.sigmoid(maps.flatten(2).logsumexp(2) - unseen)
    peak = maps.flatten(2).argmax(2)
    y, x = peak // width, peak % width
    moved_x = x + _parabola_offset(maps, x, y, (0, 1))
    moved_y = y + _parabola_offset(maps, x, y, (1, 0))
    cells = torch.stack([moved_x, moved_y], dim=-1)
    return (cells + 0.5) * STRIDE - 0.5, confidence


def _parabola_offset(maps: Tensor, x: Tensor, y: Tensor, step: tuple[int, int]) -> Tensor:
    """Return how far (B, K) the peak lies from its highest cell along one axis, in cells; 0 on the border."""
    height, width = maps.shape[-2:]

    def at(times: int) -> Tensor:
        rows, columns = (y + times * step[0]).clamp(0, height - 1), (x + times * step[1]).clamp(0, width - 1)
        return maps.flatten(2).gather(2, (rows * width + columns)[..., None])[..., 0]

    before, here, after = at(-1), at(0), at(1)
    position, length = (y, height) if step[0] else (x, width)
    inner = (position > 0) & (position < length - 1)
    curvature = (2 * here - before - after).clamp_min(1e-6)
    return torch.where(inner, 0.5 * (after - before) / curvature, 0.0).clamp(-0.5, 0.5)
