"""The networks of MR-Net (Xu et al., TIP 2020); how they work together stands in `pgt.models.mrnet`."""

from collections.abc import Collection, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgt.config import MRNetConfig
from pgt.layers.conv_norm import ConvNorm, batch_norm_or, resampled
from pgt.layers.non_local import NonLocalBlock

NUM_NON_LOCAL = 2  # of the decoder's coarsest levels
DILATIONS = (2, 4, 8)


def _layer(config: MRNetConfig, inputs: int, outputs: int, resample: str | None = None) -> ConvNorm:
    first = config.resampling == "before"
    return ConvNorm(inputs, outputs, config.kernel_size, norm=config.norm, resample=resample, first=first)


class PathEncoder(nn.Module):
    """E_p or E_fg: K5C32 - Down - K5C32 - K5C64 - Down - K5C64 - ..., two layers a width (section IV-A).

    Args:
        config: sizes.
        in_channels: width of the input.
        guided: after which layers, counted from 0, the features of another path join.
    """

    def __init__(self, config: MRNetConfig, in_channels: int, guided: Collection[int] = ()) -> None:
        super().__init__()
        widths = [width for width in config.widths for _ in range(2)]
        inputs = [in_channels, *(width * (1 + (k in guided)) for k, width in enumerate(widths[:-1]))]
        self.layers = nn.ModuleList(
            _layer(config, before, width, None if k % 2 else "down")
            for k, (before, width) in enumerate(zip(inputs, widths, strict=True))
        )
        self.guided = frozenset(guided)

    def forward(self, x: Tensor, guide: Sequence[Tensor] = ()) -> list[Tensor]:
        """Encode.

        Args:
            x: (B, in_channels, H, W).
            guide: the other path's result, where `guided`.

        Returns:
            the features of every layer; those of layers 2k and 2k + 1 are 2^(k + 1) times smaller than `x`.
        """
        outputs = []
        for k, layer in enumerate(self.layers):
            outputs.append(layer(x))
            x = torch.cat([outputs[-1], guide[k]], dim=1) if k in self.guided else outputs[-1]
        return outputs


class PersonEncoder(nn.Module):
    """E: target pose and person, in two paths of which the first guides the second (section III-A.2).

    Args:
        config: sizes; without `two_paths`, one path sees both.
        pose_channels, person_channels: widths of the inputs.
    """

    def __init__(self, config: MRNetConfig, pose_channels: int, person_channels: int) -> None:
        super().__init__()
        last = 2 * len(config.widths) - 1
        self.paths = 2 if config.two_paths else 1
        self.out_channels = tuple(self.paths * width for width in config.widths)
        if config.two_paths:
            # The last layer has none behind it: there D takes the place of E_fg.
            every = range(last)
            released = [k for k in every if k % 2 and k > 1] + [0]
            guided = every if config.guidance == "every_layer" else released
            self.pose_path = PathEncoder(config, pose_channels)
            self.person_path = PathEncoder(config, person_channels, guided)
        else:
            self.person_path = PathEncoder(config, pose_channels + person_channels)

    def forward(self, pose: Tensor, person: Tensor) -> list[Tensor]:
        """Encode (B, K, H, W) and (B, C, H, W): features of each width, at 1/2, 1/4, ... of H and W."""
        if self.paths == 1:
            return self.person_path(torch.cat([person, pose], dim=1))[1::2]
        guide = self.pose_path(pose)
        pairs = zip(guide[1::2], self.person_path(person, guide)[1::2], strict=True)
        return [torch.cat(pair, dim=1) for pair in pairs]


def appearance_code(levels: Sequence[Tensor], person_mask: Tensor) -> Tensor:
    """Average E's features over the person: what there is to see, wherever it stands (ours).

    Where people walk from one side of a scene to the other, nothing but the few pixels of the bottleneck
    leads from where they were to where they will be.

    Args:
        levels: E's features, (B, C, H/2, W/2), (B, C', H/4, W/4), ...
        person_mask: (B, 1, H, W) of 0 and 1; of nobody, the code is 0.

    Returns:
        (B, C + C' + ..., 1, 1).
    """
    means = []
    for features in levels:
        share = F.adaptive_avg_pool2d(person_mask, features.shape[-2:]).to(features.dtype)
        total = share.sum((2, 3), keepdim=True).clamp_min(1e-6)
        means.append((features * share).sum((2, 3), keepdim=True) / total)
    return torch.cat(means, dim=1)


class BackgroundEncoder(nn.Module):
    """E_bkg: K5C32 - K5C64 - Down - three dilated K3C64 - K5C128 - Down (section IV-A).

    Args:
        config: sizes.
        in_channels: width of background and mask together.
    """

    def __init__(self, config: MRNetConfig, in_channels: int) -> None:
        super().__init__()
        first, middle, last = config.background_widths
        padding = None if config.dilated_padding == "same" else 1
        self.top = nn.Sequential(_layer(config, in_channels, first), _layer(config, first, middle, "down"))
        self.dilated = nn.Sequential(
            *(
                ConvNorm(middle, middle, 3, norm=config.norm, dilation=rate, padding=padding)
                for rate in DILATIONS
            )
        )
        self.bottom = _layer(config, middle, last, "down")

    def forward(self, background: Tensor) -> tuple[Tensor, Tensor]:
        """(B, in_channels, H, W) -> features at half of H and W, and at a quarter."""
        half = self.top(background)
        quarter = self.bottom(self.dilated(half))
        size = (background.shape[-2] // 4, background.shape[-1] // 4)
        if quarter.shape[-2:] != size:  # Up(32x32) of the paper's list
            quarter = F.interpolate(quarter, size, mode="bilinear", align_corners=True)
        return half, quarter


class ResidualFusion(nn.Module):
    """The released code's bottleneck: two 3x3 convolutions beside a 1x1 convolution with two norms.

    Args:
        in_channels, out_channels: widths before and after.
        norm: as for `ConvNorm`.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: str) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            batch_norm_or(norm, out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            batch_norm_or(norm, out_channels),
        )
        self.shortcut = nn.Sequential(
            ConvNorm(in_channels, out_channels, 1, norm=norm), batch_norm_or(norm, out_channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H, W)."""
        return F.relu(self.branch(x) + self.shortcut(x))


class Decoder(nn.Module):
    """D: K1C256, then K5C128 - Up2 - NL128 - K5C128 and the like for each width, then K5C3 - Up2.

    Skips join behind the non-local blocks: those of E at every level, those of E_bkg at a quarter and at half
    of the size. What lies before is the same in every round, so it is computed once: `begin`, then `finish`
    round by round.

    Args:
        config: sizes.
        person_channels: widths of E's features, the finest first.
        out_channels: of the picture.
    """

    def __init__(self, config: MRNetConfig, person_channels: Sequence[int], out_channels: int) -> None:
        super().__init__()
        widths = config.widths
        fused = person_channels[-1] + sum(person_channels) * config.appearance_code
        if config.fusion == "residual":
            self.fusion: nn.Module = ResidualFusion(fused, widths[-1], config.norm)
        else:
            self.fusion = ConvNorm(fused, widths[-1], 1, norm=config.norm)
        background = {0: config.background_widths[1], 1: config.background_widths[2]}
        levels = list(reversed(range(len(widths) - 1)))  # the coarsest first
        self.ups = nn.ModuleList(_layer(config, widths[k + 1], widths[k], "up") for k in levels)
        self.non_local = nn.ModuleList(
            NonLocalBlock(widths[k], config.non_local_reduction, config.norm)
            for k in levels[: NUM_NON_LOCAL * config.non_local]
        )
        self.joins = nn.ModuleList(
            _layer(config, widths[k] + person_channels[k] + background.get(k, 0), widths[k]) for k in levels
        )
        self.output = Output(config, widths[0], out_channels)

    def begin(self, levels: Sequence[Tensor], code: Tensor | None = None) -> Tensor:
        """Decode E's features, the finest first, to where those of E_bkg join: a quarter of the size.

        Args:
            levels: of E.
            code: their `appearance_code`, if the config has one.
        """
        last = levels[-1]
        seen = last if code is None else torch.cat([last, code.expand(-1, -1, *last.shape[-2:])], dim=1)
        x = self.fusion(seen)
        for k in range(len(self.ups) - 2):
            x = self.joins[k](torch.cat([levels[-2 - k], self._up(k, x)], dim=1))
        return self._up(len(self.ups) - 2, x)

    def finish(self, x: Tensor, levels: Sequence[Tensor], half: Tensor, quarter: Tensor) -> Tensor:
        """Decode from there, with the background's features, to (B, out_channels, H, W)."""
        x = self.joins[-2](torch.cat([levels[1], x, quarter], dim=1))
        x = self.joins[-1](torch.cat([levels[0], self._up(len(self.ups) - 1, x), half], dim=1))
        return self.output(x)

    def _up(self, k: int, x: Tensor) -> Tensor:
        x = self.ups[k](x)
        return self.non_local[k](x) if k < len(self.non_local) else x


class Output(nn.Module):
    """K5C3 - Up2, linear: the tanh is the picture's.

    Args:
        config: where the doubling stands, and whether there is a norm.
        in_channels, out_channels: widths before and after.
    """

    def __init__(self, config: MRNetConfig, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = config.output == "full_size" or config.resampling == "before"
        kernel = config.kernel_size
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)
        self.norm = batch_norm_or("batch" if config.output_norm else "none", out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, 2H, 2W)."""
        if self.first:
            return self.norm(self.conv(resampled(x, "up")))
        return resampled(self.norm(self.conv(x)), "up")
