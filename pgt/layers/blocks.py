"""Convolution blocks of PG2 (Ma et al. 2017, section 3.3): 3x3 filters, ReLU, no normalisation or dropout."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + ReLU(conv(ReLU(conv(x)))): the paper's simplified block, added after the second ReLU.

    Args:
        channels: width of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.last = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return x + F.relu_(self.last(F.relu_(self.first(x))))


class ConvBlock(nn.Module):
    """Two 3x3 convolutions with ReLU, no residual.

    Args:
        in_channels, out_channels: widths before and after; the first convolution changes them.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.last = nn.Conv2d(out_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H, W)."""
        return F.relu_(self.last(F.relu_(self.first(x))))


class Merge(nn.Module):
    """ReLU(conv1x1(concatenate(nearest x2 of below, skip))), at a fraction of its price.

    A 1x1 convolution acts on each pixel alone, so its half that reads `below` is applied before the
    upsampling, on a quarter of the pixels, and the concatenated tensor is never made.

    Args:
        below_channels: width of the coarser features.
        skip_channels: width of the encoder's features of this level; 0 for a level without skip.
        out_channels: width afterwards.
    """

    def __init__(self, below_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.below_channels = below_channels
        self.conv = nn.Conv2d(below_channels + skip_channels, out_channels, 1)

    def forward(self, below: Tensor, skip: Tensor | None) -> Tensor:
        """Join two levels.

        Args:
            below: (B, below_channels, H, W) or of half that size, in which case it is doubled.
            skip: (B, skip_channels, H, W), or None where skip_channels is 0.

        Returns:
            (B, out_channels, H, W).
        """
        weight, bias = self.conv.weight, self.conv.bias
        if skip is None:
            return upsample(F.relu_(F.conv2d(below, weight, bias)))
        from_below = F.conv2d(below, weight[:, : self.below_channels], bias)
        if below.shape[-2:] != skip.shape[-2:]:
            from_below = upsample(from_below)
        return F.relu_(from_below + F.conv2d(skip, weight[:, self.below_channels :]))


def upsample(x: Tensor) -> Tensor:
    """Double height and width by repeating each pixel: (B, C, H, W) -> (B, C, 2H, 2W)."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


@torch.no_grad()
def start_patches_flat(output: nn.Conv2d, patch_size: int) -> None:
    """Give all pixels of a patch the same weights: no checkerboard at first (Aitken et al. 2017).

    Args:
        output: the convolution before a pixel shuffle; changed in place.
        patch_size: pixels per side of a patch.
    """
    area = patch_size**2
    output.weight.copy_(output.weight[::area].repeat_interleave(area, dim=0))


@torch.no_grad()
def initialise(module: nn.Module, kind: str, residual_scale: float = 1.0) -> None:
    """Draw the weights of every convolution and linear layer anew; biases become zero.

    Args:
        module: changed in place.
        kind: "xavier" (uniform, as in the released PG2 code) or "he" (normal, fan-in, for ReLU).
        residual_scale: multiplies the last weights of each `ResidualBlock`. Since ReLU(a x) = a ReLU(x),
            the branch starts that much smaller, which keeps a deep net without normalisation calm.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            if kind == "xavier":
                nn.init.xavier_uniform_(layer.weight)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    for block in module.modules():
        if isinstance(block, ResidualBlock):
            block.last.weight.mul_(residual_scale)
