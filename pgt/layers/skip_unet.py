"""U-Nets that halve by stride-2 4x4 convolutions and take the skips of one encoder or two.

The layout is Def-GAN's (Siarohin et al. 2018), which SPT's released generator inherits: activations stand
before the convolutions, so the features handed over by a skip are not rectified yet. Level k of the widths is
2^k times smaller than the input.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky ReLU
DROPOUT_LEVELS = 3  # the coarsest decoder levels


def make_norm(kind: str, channels: int) -> nn.Module:
    """Build a normalisation layer.

    Args:
        kind: "layer", over channels, height and width together with one scale and one shift (what Def-GAN's
            and SPT's released code does under the name of instance norm); "instance", per channel; "none".
        channels: width of the features.
    """
    if kind == "layer":
        return WholeNorm()
    return nn.InstanceNorm2d(channels, affine=True) if kind == "instance" else nn.Identity()


class WholeNorm(nn.Module):
    """Normalise each sample over (C, H, W) together, with one scale and one shift for all of it."""

    def __init__(self, eps: float = 1e-3) -> None:
        super().__init__()
        self.eps = eps
        self.weight, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        channels = x.shape[1]
        return F.group_norm(x, 1, self.weight.expand(channels), self.bias.expand(channels), self.eps)


class DownEncoder(nn.Module):
    """A 3x3 convolution, then a leaky ReLU, a stride-2 4x4 convolution and a norm per level.

    Args:
        in_channels: width of the input.
        widths: of the levels, full resolution first.
        norm: see `make_norm`; the last level has none.
    """

    def __init__(self, in_channels: int, widths: Sequence[int], norm: str) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, widths[0], 3, padding=1)
        self.downs = nn.ModuleList(
            nn.Conv2d(before, after, 4, stride=2, padding=1, bias=norm == "none")
            for before, after in pairwise(widths)
        )
        self.norms = nn.ModuleList(make_norm(norm, width) for width in widths[1:-1])

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, in_channels, H, W) -> the features of every level, full resolution first."""
        return self._below(self.stem(x))

    def _below(self, top: Tensor) -> list[Tensor]:
        levels = [top]
        for k, down in enumerate(self.downs):
            x = down(F.leaky_relu(levels[-1], SLOPE))
            levels.append(self.norms[k](x) if k < len(self.norms) else x)
        return levels


class UpDecoder(nn.Module):
    """The encoders mirrored: every level joins what comes from below with the skips, then doubles its size.

    Args:
        widths: of the encoders' levels, full resolution first.
        num_skips: how many encoders hand over features at every level.
        out_channels: width of the result.
        norm: see `make_norm`.
        dropout: share of feature maps set to 0 in the three coarsest levels.
    """

    def __init__(
        self, widths: Sequence[int], num_skips: int, out_channels: int, norm: str, dropout: float = 0.0
    ) -> None:
        super().__init__()
        coarse_first = tuple(reversed(widths))
        inputs = [num_skips * coarse_first[0]] + [(1 + num_skips) * width for width in coarse_first[1:]]
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=norm == "none")
            for before, after in zip(inputs, coarse_first[1:], strict=False)
        )
        self.norms = nn.ModuleList(make_norm(norm, width) for width in coarse_first[1:])
        self.dropout = nn.Dropout2d(dropout)
        self.output = nn.Conv2d(inputs[-1], out_channels, 3, padding=1)

    def forward(self, skips: Sequence[Sequence[Tensor]]) -> Tensor:
        """Decode.

        Args:
            skips: per level, full resolution first, the features that join there.

        Returns:
            (B, out_channels, H, W), linear.
        """
        return self.output(F.relu(self._joined(skips)))

    def _joined(self, skips: Sequence[Sequence[Tensor]]) -> Tensor:
        x = torch.cat(list(skips[-1]), dim=1)
        for k, (up, norm) in enumerate(zip(self.ups, self.norms, strict=True)):
            x = norm(up(F.relu(x)))
            if k < DROPOUT_LEVELS:
                x = self.dropout(x)
            x = torch.cat([x, *skips[-2 - k]], dim=1)
        return x


class GrownEncoder(DownEncoder):
    """A `DownEncoder` with one more level in front, for pictures of twice the size (Karras et al. 2018).

    Args:
        in_channels: width of the input.
        widths: of the levels, the new one first.
        norm: see `make_norm`.
    """

    def __init__(self, in_channels: int, widths: Sequence[int], norm: str) -> None:
        super().__init__(in_channels, widths[1:], norm)
        self.new_stem = nn.Conv2d(in_channels, widths[0], 3, padding=1)
        self.new_down = nn.Conv2d(widths[0], widths[1], 4, stride=2, padding=1)

    def forward(self, x: Tensor, fade: float | None = 1.0) -> list[Tensor]:
        """Encode.

        Args:
            x: (B, in_channels, H, W).
            fade: how far the new level has come in, 0 to 1: at 0 the rest sees the input at half size, as it
                was trained to. None leaves the new level out, for an `x` of half the size.

        Returns:
            the features of every level, full resolution first.
        """
        if fade is None:
            return super().forward(x)
        top = self.new_stem(x)
        below = self.new_down(F.leaky_relu(top, SLOPE))
        if fade < 1:
            below = torch.lerp(self.stem(F.avg_pool2d(x, 2)), below, fade)
        return [top, *self._below(below)]


class GrownDecoder(UpDecoder):
    """An `UpDecoder` with one more level at the end, for results of twice the size.

    Args:
        widths, num_skips, out_channels, norm, dropout: of an `UpDecoder`; the new level's width comes first.
    """

    def __init__(
        self, widths: Sequence[int], num_skips: int, out_channels: int, norm: str, dropout: float = 0.0
    ) -> None:
        super().__init__(widths[1:], num_skips, out_channels, norm, dropout)
        joined = self.output.in_channels
        self.new_up = nn.ConvTranspose2d(joined, widths[0], 4, stride=2, padding=1)
        self.new_output = nn.Conv2d((1 + num_skips) * widths[0], out_channels, 3, padding=1)

    def forward(self, skips: Sequence[Sequence[Tensor]], fade: float | None = 1.0) -> Tensor:
        """Decode.

        Args:
            skips: per level, full resolution first, the features that join there.
            fade: how far the new level has come in, 0 to 1: at 0 the result is the old one, enlarged. None
                leaves the new level out; then `skips` are without it too.

        Returns:
            (B, out_channels, H, W), linear.
        """
        if fade is None:
            return super().forward(skips)
        x = self._joined(skips[1:])
        new = torch.cat([self.new_up(F.relu(x)), *skips[0]], dim=1)
        drawn = self.new_output(F.relu(new))
        if fade < 1:
            old = F.interpolate(self.output(F.relu(x)), scale_factor=2, mode="nearest")
            drawn = torch.lerp(old, drawn, fade)
        return drawn


def initialise_unet(module: nn.Module, kind: str) -> None:
    """Draw the weights of every convolution anew; biases become zero.

    Args:
        module: changed in place.
        kind: "normal" (standard deviation 0.02, as released) or "he" (fan-in, for leaky ReLU).
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            _draw(layer.weight, kind, layer.weight[0].numel())
        elif isinstance(layer, nn.ConvTranspose2d):  # each output pixel sees a quarter of the 4x4 taps
            _draw(layer.weight, kind, layer.weight[:, 0].numel() / 4)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _draw(weight: Tensor, kind: str, fan_in: float) -> None:
    nn.init.normal_(weight, std=0.02 if kind == "normal" else (2 / fan_in) ** 0.5)
