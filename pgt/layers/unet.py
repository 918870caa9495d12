"""The halves of PG2's two U-Nets (Ma et al. 2017, section 3.3): one encoder, three ways to decode.

Widths grow linearly: level k of n (k = 1 at the input) is `k * base_channels` wide and 2^(k-1) times smaller.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgt.layers.blocks import ConvBlock, Merge, ResidualBlock, upsample


class Encoder(nn.Module):
    """A 3x3 convolution, then `num_blocks` blocks with a stride-2 convolution between each two.

    Args:
        in_channels: width of the input.
        base_channels: width of level 1.
        num_blocks: number of levels.
        residual: True for G1's residual blocks, which widen in the stride-2 convolution; False for G2's
            plain ones, which widen in their own first convolution.
    """

    def __init__(self, in_channels: int, base_channels: int, num_blocks: int, *, residual: bool) -> None:
        super().__init__()
        self.widths = tuple(base_channels * k for k in range(1, num_blocks + 1))
        self.stem = nn.Conv2d(in_channels, base_channels, 3, padding=1)
        if residual:
            inputs, blocks = self.widths, [ResidualBlock(width) for width in self.widths]
        else:
            inputs = (base_channels, *self.widths[:-1])
            blocks = [ConvBlock(*widths) for widths in zip(inputs, self.widths, strict=True)]
        self.blocks = nn.ModuleList(blocks)
        self.downs = nn.ModuleList(
            nn.Conv2d(here, below, 3, stride=2, padding=1)
            for here, below in zip(self.widths[:-1], inputs[1:], strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, in_channels, H, W) -> the features of every level, full resolution first."""
        x = F.relu_(self.stem(x))
        levels = []
        for k, block in enumerate(self.blocks):
            if k > 0:
                x = F.relu_(self.downs[k - 1](x))
            x = block(x)
            levels.append(x)
        return levels


class SymmetricDecoder(nn.Module):
    """The encoder mirrored: a skip is concatenated, then a 1x1 convolution returns to the encoder's width.

    Args:
        widths: the encoder's, level 1 first.
        residual: which blocks, as in the encoder.
        bottom_skip: True if the bottom level joins its input with the encoder's features (G1, whose input
            comes from the fully connected layer); False if its input is those features (G2).
        top_skip: False leaves out the full-resolution skip.
    """

    def __init__(self, widths: tuple[int, ...], *, residual: bool, bottom_skip: bool, top_skip: bool) -> None:
        super().__init__()
        self.in_channels, self.out_channels = widths[-1], widths[0]
        skips = [width if k > 0 or top_skip else 0 for k, width in enumerate(widths)]
        self.bottom = Merge(widths[-1], widths[-1], widths[-1]) if bottom_skip else None
        self.merges = nn.ModuleList(
            Merge(widths[k + 1], skips[k], widths[k]) for k in reversed(range(len(widths) - 1))
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(width) if residual else ConvBlock(width, width) for width in reversed(widths)
        )
        self.top_skip = top_skip

    def forward(self, x: Tensor, levels: list[Tensor]) -> Tensor:
        """(B, in_channels, h, w) and the encoder's levels -> (B, out_channels, H, W)."""
        if self.bottom is not None:
            x = self.bottom(x, levels[-1])
        x = self.blocks[0](x)
        for k, merge, block in zip(
            reversed(range(len(levels) - 1)), self.merges, self.blocks[1:], strict=True
        ):
            x = block(merge(x, levels[k] if k > 0 or self.top_skip else None))
        return x


class GrowingDecoder(nn.Module):
    """The released G1's: each block keeps the concatenated width, a 1x1 convolution narrows between blocks.

    Args:
        widths: the encoder's, level 1 first.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.in_channels = widths[0]  # of the fully connected layer's output
        joined = [self.in_channels + widths[-1]] + [2 * width for width in reversed(widths[:-1])]
        self.out_channels = joined[-1]
        self.blocks = nn.ModuleList(ResidualBlock(width) for width in joined)
        self.narrows = nn.ModuleList(
            nn.Conv2d(width, above, 1)
            for width, above in zip(joined[:-1], reversed(widths[:-1]), strict=True)
        )

    def forward(self, x: Tensor, levels: list[Tensor]) -> Tensor:
        """(B, in_channels, h, w) and the encoder's levels -> (B, out_channels, H, W)."""
        for k, block in enumerate(self.blocks):
            if k > 0:  # narrowing before doubling gives the same numbers as after, on a quarter of the pixels
                x = upsample(F.relu_(self.narrows[k - 1](x)))
            x = block(torch.cat([x, levels[-1 - k]], dim=1))
        return x


class FixedWidthDecoder(nn.Module):
    """The released G2's: every block returns to the base width, and the bottom joins its features twice.

    Args:
        widths: the encoder's, level 1 first.
        top_skip: False leaves out the full-resolution skip (the released Market-1501 variant).
    """

    def __init__(self, widths: tuple[int, ...], *, top_skip: bool) -> None:
        super().__init__()
        base = widths[0]
        self.in_channels, self.out_channels = widths[-1], base
        self.top_skip = top_skip
        skips = [*reversed(widths[1:]), base if top_skip else 0]
        inputs = [widths[-1]] + [base] * (len(widths) - 1)
        self.blocks = nn.ModuleList(
            ConvBlock(width + skip, base) for width, skip in zip(inputs, skips, strict=True)
        )

    def forward(self, x: Tensor, levels: list[Tensor]) -> Tensor:
        """(B, in_channels, h, w) and the encoder's levels -> (B, out_channels, H, W)."""
        for k, block in enumerate(self.blocks):
            x = upsample(x) if k > 0 else x
            skip = self.top_skip or k < len(self.blocks) - 1
            x = block(torch.cat([x, levels[-1 - k]], dim=1) if skip else x)
        return x
