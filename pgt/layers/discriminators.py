"""Discriminators. They end in logits: the sigmoid is part of the loss."""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Discriminator(nn.Module):
    """DCGAN's discriminator (Radford et al. 2016): judges a whole picture, or a pair of pictures, at once.

    Stride-2 5x5 convolutions with LeakyReLU(0.2) double the width up to eight times the first and halve the
    size until the longer side is 8, then a linear layer gives one logit (PG2's: Ma et al. 2017, section 3.3).

    Args:
        image_size: (H, W) of the pictures; fixes the linear layer.
        num_pictures: 2 for the pair discriminator D(I_A, I_B) of Eq. 2, 1 for an unconditional one.
        base_channels: width of the first convolution.
        norm: "batch" (on all convolutions but the first) or "spectral" (on every layer).
    """

    def __init__(
        self,
        image_size: tuple[int, int],
        *,
        num_pictures: int = 2,
        base_channels: int = 64,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        num_layers = max(1, round(math.log2(max(image_size) / 8)))
        widths = [base_channels * min(2**i, 8) for i in range(num_layers)]
        layers: list[nn.Module] = []
        for i, (before, width) in enumerate(zip([3 * num_pictures, *widths], widths, strict=False)):
            layers.append(nn.Conv2d(before, width, 5, stride=2, padding=2))
            if norm == "batch" and i > 0:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.features = nn.Sequential(*layers)
        area = math.prod(-(-side // 2**num_layers) for side in image_size)
        self.judge = nn.Linear(widths[-1] * area, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.normal_(layer.weight, std=0.02)  # DCGAN's
                nn.init.zeros_(layer.bias)
                if norm == "spectral":
                    spectral_norm(layer)

    def forward(self, *pictures: Tensor) -> Tensor:
        """Judge pictures.

        Args:
            pictures: `num_pictures` tensors (B, 3, H, W) in [-1, 1]; a pair is (source, picture in question).

        Returns:
            (B,) logits; above 0 means real.
        """
        return self.judge(self.features(torch.cat(pictures, dim=1)).flatten(1)).squeeze(1)


class PatchDiscriminator(nn.Module):
    """Judges every patch of a picture or a semantic map by itself (Isola et al. 2017).

    Stride-2 4x4 convolutions with LeakyReLU(0.2) double the width up to eight times the first; two more of
    stride 1 end in one logit per patch. Three levels see patches of 70x70 pixels, two of 34x34, one of 16x16.

    Args:
        in_channels: 3 of a picture, 10 of a semantic map, or their sum.
        base_channels: width of the first convolution.
        num_levels: convolutions of stride 2.
        norm: "instance" (on all convolutions but the first and last), "spectral" (on every layer) or "none".
    """

    def __init__(
        self, in_channels: int, *, base_channels: int = 64, num_levels: int = 3, norm: str = "instance"
    ) -> None:
        super().__init__()
        widths = [base_channels * min(2**i, 8) for i in range(num_levels + 1)]
        layers: list[nn.Module] = []
        for i, (before, width) in enumerate(zip([in_channels, *widths], widths, strict=False)):
            layers.append(nn.Conv2d(before, width, 4, stride=2 if i < num_levels else 1, padding=1))
            if norm == "instance" and i > 0:
                layers.append(nn.InstanceNorm2d(width))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        layers.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
        self.layers = nn.Sequential(*layers)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
                if norm == "spectral":
                    spectral_norm(layer)

    def forward(self, *maps: Tensor) -> Tensor:
        """Judge (B, C, H, W) maps, given in one piece or in several: (B, 1, h, w) logits, real above 0."""
        return self.layers(torch.cat(maps, dim=1))
