"""Progressive: pose-guided high-resolution appearance transfer via progressive training (2020, anonymous).

One autoencoder with skip connections. The encoder turns the source into a small latent representation, the
target pose joins it there as heat maps, the decoder draws. It is grown: trained at 64x64 first, then with one
more block at either end at 128x128, and so on to 1024x1024. New blocks start from scratch, are not faded in,
and all older ones stay trainable; the 1x1 convolutions from and to RGB are new at every level.

Symbols: X `source`; X' the target picture; P `poses`; X^ the result; u(k) `target_keypoints`.

The paper leaves open, and here: skips are concatenated, as in the U-Net it cites; the bottleneck has a block
of its own on either side of P; heat maps are drawn at the size at which they join, since sigma = 3.2 is given
without a size; the result is linear, since the text ends in the 1x1 convolution. Deviations, all ours and off
in the paper's presets: `pose_joins` shows the pose to more than the bottleneck, `source_pose_input` shows the
encoder the source's, `norm` other than "batch", and `readouts`, for the old convolutions to RGB of coarse
levels no longer fit what has been trained on since.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from pgt.config import PUBLIC_HOME, ProgressiveConfig
from pgt.data.pose import NUM_JOINTS, PoseEncoding, keypoints_to_gaussians
from pgt.geometry import resize_points
from pgt.layers.blocks import upsample

SLOPE = 0.2  # of the leaky ReLU (section 3.4)


class ProgressiveOutput(NamedTuple):
    """What the generator draws, nominally in [-1, 1]; its last layer is linear, so nothing is clipped."""

    generated: Tensor  # (B, 3, H, W)
    levels: tuple[Tensor, ...]  # coarse to fine, (B, 3, h, w); the last is `generated`


class NormedBlock(nn.Module):
    """Twice: 3x3 convolution, normalisation, leaky ReLU (section 3.4).

    Args:
        widths: before, between and after the two.
        norm: "batch", "instance" or "none".
    """

    def __init__(self, widths: tuple[int, int, int], norm: str) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, bias=norm == "none") for before, after in pairwise(widths)
        )
        self.norms = nn.ModuleList(_make_norm(norm, width) for width in widths[1:])

    def forward(self, x: Tensor) -> Tensor:
        """(B, first width, H, W) -> (B, last width, H, W)."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu_(norm(conv(x)), SLOPE)
        return x


def _make_norm(kind: str, channels: int) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.InstanceNorm2d(channels, affine=True) if kind == "instance" else nn.Identity()


class Autoencoder(nn.Module):
    """Encoder and decoder of all levels; a picture of the size of level k passes through levels 1 to k.

    Args:
        config: widths and how the pose joins.

    Attributes:
        from_rgb, to_rgb: of levels 1, 2, ...: only those of the outermost level in use are run.
        downs, ups: blocks of level 0, the bottleneck, and of levels 1, 2, ...
    """

    def __init__(self, config: ProgressiveConfig) -> None:
        super().__init__()
        self.config = config
        widths, levels = config.widths, range(config.num_levels + 1)
        pose = [NUM_JOINTS * (k < config.pose_joins) for k in levels]
        seen = [width * config.source_pose_input for width in pose]
        self.from_rgb = nn.ModuleList(nn.Conv2d(3, widths[k + 1], 1) for k in levels[1:])
        self.downs = nn.ModuleList(
            NormedBlock((widths[k + 1] + seen[k], widths[k], widths[k]), config.norm) for k in levels
        )
        self.ups = nn.ModuleList(
            NormedBlock((widths[k] * (1 + (k > 0)) + pose[k], widths[k], widths[k + 1]), config.norm)
            for k in levels
        )
        self.to_rgb = nn.ModuleList(nn.Conv2d(widths[k + 1], 3, 1) for k in levels[1:])
        self._initialise()

    @torch.no_grad()
    def _initialise(self) -> None:
        """He et al. 2015 (section 3.4)."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, a=SLOPE, nonlinearity="leaky_relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        for layer in self.to_rgb:
            layer.weight.mul_(self.config.output_scale)

    def used_at(self, level: int) -> Iterator[nn.Parameter]:
        """Yield the weights that a picture of a level meets; the others get no gradient from it."""
        for modules in (self.downs[: level + 1], self.ups[: level + 1]):
            yield from modules.parameters()
        yield from chain(self.from_rgb[level - 1].parameters(), self.to_rgb[level - 1].parameters())

    def forward(
        self, source: Tensor, poses: Sequence[Tensor], source_poses: Sequence[Tensor] | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Draw the person of `source` in another pose.

        Args:
            source: (B, 3, H, W) in [-1, 1], of the size of one of the levels.
            poses: heat maps (B, 18, h, w) of the target, of level 0, 1, ... (`level_poses`).
            source_poses: of the source, likewise; read if `source_pose_input`.

        Returns:
            (B, 3, H, W), nominally in [-1, 1], not clipped; and what the decoder has made at the coarser
            levels 1, 2, ...: features (B, C, h, w) of each.

        Raises:
            ValueError: no level draws that size, or the source's poses are missing.
        """
        if source_poses is None and self.config.source_pose_input:
            raise ValueError("this generator was built with source_pose_input: pass the source's joints")
        source_poses = source_poses if self.config.source_pose_input else ()
        level = self.config.level_of((source.shape[-2], source.shape[-1]))
        x, skips = self.from_rgb[level - 1](source), []
        for k in range(level, 0, -1):
            skips.append(self.downs[k](_joined(k, source_poses, x)))
            x = F.avg_pool2d(skips[-1], 2)
        x = self.downs[0](_joined(0, source_poses, x))
        x, made = self.ups[0](_joined(0, poses, x)), []
        for k in range(1, level + 1):
            x = self.ups[k](_joined(k, poses, upsample(x), skips.pop()))
            made.append(x)
        return self.to_rgb[level - 1](x), made[:-1]


class Readouts(nn.Module):
    """Shows what the decoder holds at coarse levels: one 1x1 convolution each. It gives nothing back."""

    def __init__(self, config: ProgressiveConfig) -> None:
        super().__init__()
        self.to_rgb = nn.ModuleList(nn.Conv2d(width, 3, 1) for width in config.widths[2:-1])

    def forward(self, made: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Turn features (B, C, h, w) of levels 1, 2, ... into pictures (B, 3, h, w), with no way back."""
        return tuple(layer(x.detach()) for layer, x in zip(self.to_rgb, made, strict=False))


def _joined(level: int, poses: Sequence[Tensor], *features: Tensor) -> Tensor:
    return torch.cat([*features, *poses[level : level + 1]], dim=1)


def level_poses(
    config: ProgressiveConfig, keypoints: Tensor, visible: Tensor, size: tuple[int, int]
) -> list[Tensor]:
    """Draw the heat maps that join the features: P of Eq. 1, at each size at which it joins.

    Args:
        config: of the generator.
        keypoints: (B, 18, 2), (x, y) in pixels of a `size` picture.
        visible: (B, 18) bool; an invisible joint gives an all-zero channel.
        size: (H, W) of the level that draws.

    Returns:
        (B, 18, h, w) in [0, 1] of levels 0, 1, ...: `config.pose_joins` of them, fewer on a coarser level.
    """
    sizes = [config.level_size(k) for k in range(min(config.pose_joins, config.level_of(size) + 1))]
    return [
        keypoints_to_gaussians(resize_points(keypoints, size, each), visible, each, config.pose_sigma)
        for each in sizes
    ]


class ProgressiveGenerator(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="pgt",
    tags=["pose-guided-person-image-generation", "image-to-image"],
    license="mit",
    repo_url=PUBLIC_HOME or None,
):
    """The autoencoder with its pose encoding, as saved and loaded.

    Args:
        settings: the fields of a `ProgressiveConfig` as plain data; `from_config` takes the config itself.
        trained_stages: names of the stages that the weights have been through, all by default. A generator
            that has not grown to the end yet draws at the finest level it knows, and its picture is enlarged.

    Attributes:
        config: the `ProgressiveConfig`.
        autoencoder: all levels.
        readouts: 1x1 convolutions from what the decoder makes at levels 1, 2, ... to RGB; None without.
        pose_encoding: the heat maps of the finest size that the pose joins at, seen at the picture's size.
    """

    def __init__(self, settings: Mapping[str, Any], trained_stages: Sequence[str] | None = None) -> None:
        super().__init__()
        self.config = config = ProgressiveConfig.from_dict(settings)
        every = [stage.name for stage in config.stages]
        self.trained_stages = tuple(every if trained_stages is None else trained_stages)
        self.pose_encoding = PoseEncoding(
            "gaussian",
            sigma=config.pose_sigma * 2 ** (config.num_levels + 1 - config.pose_joins),
            mask_radius=config.image_size[0] / 32,
        )
        self.autoencoder = Autoencoder(config)
        self.readouts = Readouts(config) if config.readouts else None

    @classmethod
    def from_config(
        cls, config: ProgressiveConfig, trained_stages: Sequence[str] | None = None
    ) -> "ProgressiveGenerator":
        """Build a generator with fresh weights."""
        trained = None if trained_stages is None else list(trained_stages)
        return cls(settings=config.to_dict(), trained_stages=trained)

    @property
    def level(self) -> int:
        """The finest level that has been trained; of a fresh generator, the finest."""
        config, trained = self.config, self.trained_stages
        levels = [config.level_of(stage.image_size) for stage in config.stages if stage.name in trained]
        return max(levels, default=config.num_levels)

    def used_at(self, level: int) -> Iterator[nn.Parameter]:
        """Yield the weights that a picture of a level meets, those of its readouts included."""
        yield from self.autoencoder.used_at(level)
        if self.readouts is not None:
            yield from self.readouts.to_rgb[: level - 1].parameters()

    def grown_from(self, smaller: "ProgressiveGenerator") -> dict[str, Tensor]:
        """Return a smaller generator's weights, and this one's own for the levels that it lacks.

        Args:
            smaller: of fewer levels above the same bottleneck; one of as many lacks nothing.

        Raises:
            ValueError: its bottleneck has another size, or only one of the two has readouts.
        """
        ours, theirs = self.config, smaller.config
        if theirs.num_levels >= ours.num_levels:
            return smaller.state_dict()
        if (theirs.level_size(0), theirs.readouts) != (ours.level_size(0), ours.readouts):
            raise ValueError("the smaller generator has another bottleneck, or only one of the two readouts")
        return {**self.state_dict(), **smaller.state_dict()}

    def forward(
        self,
        source: Tensor,
        target_keypoints: Tensor,
        target_visible: Tensor,
        source_keypoints: Tensor | None = None,
        source_visible: Tensor | None = None,
    ) -> ProgressiveOutput:
        """Draw the person of `source` in another pose.

        Args:
            source: (B, 3, H, W) in [-1, 1], of `config.image_size` or of the size of a level.
            target_keypoints, source_keypoints: (B, 18, 2) float, (x, y) pixels.
            target_visible, source_visible: (B, 18) bool; the source's are read if `config.source_pose_input`.

        Raises:
            ValueError: no level draws that size, or joints are missing.
        """
        size = (source.shape[-2], source.shape[-1])
        level = min(self.config.level_of(size), self.level)
        drawn_size = self.config.level_size(level)

        def poses(keypoints: Tensor | None, visible: Tensor | None) -> list[Tensor] | None:
            if keypoints is None or visible is None:
                return None
            return level_poses(self.config, resize_points(keypoints, size, drawn_size), visible, drawn_size)

        shown = source if drawn_size == size else F.adaptive_avg_pool2d(source, drawn_size)
        drawn, made = self.autoencoder(
            shown, poses(target_keypoints, target_visible), poses(source_keypoints, source_visible)
        )
        coarse = self.readouts(made) if self.readouts is not None else ()
        generated = drawn if drawn_size == size else F.interpolate(drawn, size, mode="nearest")
        return ProgressiveOutput(generated, (*coarse, generated))
