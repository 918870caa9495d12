"""PG2: pose guided person generation in two stages (Ma et al., NIPS 2017).

G1 joins the source picture with the target pose and draws a coarse person, through residual blocks and a
fully connected bottleneck that lets distant body parts talk. G2, a U-Net without that bottleneck, looks at
the coarse result and the source and draws the difference map that is added to it.

Symbols: I_A `source`; P_B `target_pose`; I_B `target`; M_B `target_pose_mask`; I^_B1 `coarse`;
I^_B2 `refined`; G1 `PG2Generator.coarse`; G2 `PG2Generator.refine`; N `num_blocks`.

The paper's presets follow its text, and the released code where it is silent (FC of 64, linear output,
lambda). Where we differ from that code in them: the pose mask covers the torso too (`mask_fill_torso`); the
coordinate embedding also reads 18 flags of visibility; D moves before G2 and judges real and drawn pairs in
two batches. `decoder="released"` gives that code's layer plan. Ours, off by default: `patch_size` folds
pixels into channels; `source_pose_input` also shows G1 the source's heat maps.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from pgt.config import PUBLIC_HOME, PG2Config
from pgt.data.pose import NUM_JOINTS, PoseEncoding, keypoints_to_coordinates
from pgt.layers.blocks import initialise, start_patches_flat
from pgt.layers.unet import Encoder, FixedWidthDecoder, GrowingDecoder, SymmetricDecoder

PG2_STAGES = ("coarse", "refine")


class PG2Output(NamedTuple):
    """What the generator draws, each (B, 3, H, W), nominally in [-1, 1] (the output is linear, not clipped).

    `difference_map` is None, and `refined` is `coarse`, where there is no trained second stage.
    """

    coarse: Tensor
    difference_map: Tensor | None
    refined: Tensor


class CoarseGenerator(nn.Module):
    """G1: source and target pose -> coarse picture (section 3.1).

    Args:
        config: sizes and the kind of pose embedding.
    """

    def __init__(self, config: PG2Config) -> None:
        super().__init__()
        self.config = config
        image_channels, base = 3 * config.patch_size**2, config.base_channels
        num_poses = (config.pose_embedding == "concatenation") + config.source_pose_input
        self.encoder = Encoder(
            image_channels + num_poses * NUM_JOINTS, base, config.num_blocks, residual=True
        )
        widths = self.encoder.widths
        if config.decoder == "released":
            self.decoder = GrowingDecoder(widths)
        else:
            self.decoder = SymmetricDecoder(widths, residual=True, bottom_skip=True, top_skip=True)
        self._build_bottleneck(widths[-1])
        self.output = nn.Conv2d(self.decoder.out_channels, image_channels, 3, padding=1)
        initialise(self, config.initialisation, config.residual_scale)
        start_patches_flat(self.output, config.patch_size)

    def _build_bottleneck(self, channels: int) -> None:
        config, code = self.config, self.config.bottleneck_features
        area = config.bottom_size[0] * config.bottom_size[1]
        self.to_code = nn.Linear(channels * area, code)
        if config.pose_embedding == "heatmap":  # HME: an encoder of their own
            self.pose_encoder = Encoder(NUM_JOINTS, config.base_channels, config.num_blocks, residual=True)
            self.pose_to_code = nn.Linear(channels * area, code)
        elif config.pose_embedding == "coordinate":  # CE: two fully connected layers
            self.coordinates_to_code = nn.Sequential(
                nn.Linear(3 * NUM_JOINTS, code), nn.ReLU(), nn.Linear(code, code)
            )
        joined = code if config.pose_embedding == "concatenation" else 2 * code
        self.from_code = nn.Linear(joined, self.decoder.in_channels * area)

    def forward(
        self,
        source: Tensor,
        target_pose: Tensor,
        target_coordinates: Tensor | None = None,
        source_pose: Tensor | None = None,
    ) -> Tensor:
        """Draw the coarse picture.

        Args:
            source: (B, 3, H, W) in [-1, 1].
            target_pose: (B, 18, H, W) heat maps; not read by the coordinate embedding.
            target_coordinates: (B, 54) from `keypoints_to_coordinates`; read by the coordinate embedding.
            source_pose: (B, 18, H, W) heat maps; read if `source_pose_input`.

        Returns:
            (B, 3, H, W).
        """
        config = self.config
        inputs = [F.pixel_unshuffle(source, config.patch_size)]
        if config.pose_embedding == "concatenation":
            inputs.append(self._thin(target_pose))
        if config.source_pose_input:
            if source_pose is None:
                raise ValueError("this generator was built with source_pose_input: pass source_pose")
            inputs.append(self._thin(source_pose))
        levels = self.encoder(torch.cat(inputs, dim=1))

        # Bottleneck: every position of the coarsest level speaks to every other through `code`.
        code = self.to_code(levels[-1].flatten(1))
        if config.pose_embedding == "heatmap":
            pose_levels = self.pose_encoder(self._thin(target_pose))
            code = torch.cat([code, self.pose_to_code(pose_levels[-1].flatten(1))], dim=1)
        elif config.pose_embedding == "coordinate":
            if target_coordinates is None:
                raise ValueError("the coordinate embedding needs target_keypoints and target_visible")
            code = torch.cat([code, self.coordinates_to_code(target_coordinates)], dim=1)
        bottom = self.from_code(code).unflatten(1, (self.decoder.in_channels, *config.bottom_size))

        return F.pixel_shuffle(self.output(self.decoder(bottom, levels)), config.patch_size)

    def _thin(self, pose: Tensor) -> Tensor:
        """Keep one pixel of each patch: bumps are wider than that, so it is still known where they are."""
        step = self.config.patch_size
        return pose[..., ::step, ::step]


class RefineGenerator(nn.Module):
    """G2: source and coarse picture -> difference map (section 3.2). No fully connected layer.

    Args:
        config: sizes.
    """

    def __init__(self, config: PG2Config) -> None:
        super().__init__()
        self.patch_size = config.patch_size
        channels = 3 * config.patch_size**2
        self.encoder = Encoder(2 * channels, config.base_channels, config.num_blocks - 2, residual=False)
        widths, top_skip = self.encoder.widths, config.refine_top_skip
        if config.decoder == "released":
            self.decoder = FixedWidthDecoder(widths, top_skip=top_skip)
        else:
            self.decoder = SymmetricDecoder(widths, residual=False, bottom_skip=False, top_skip=top_skip)
        self.output = nn.Conv2d(self.decoder.out_channels, channels, 3, padding=1)
        initialise(self, config.initialisation)
        start_patches_flat(self.output, config.patch_size)
        with torch.no_grad():
            self.output.weight.mul_(config.difference_scale)

    def forward(self, source: Tensor, coarse: Tensor) -> Tensor:
        """Draw the difference map.

        Args:
            source, coarse: (B, 3, H, W) in [-1, 1].

        Returns:
            (B, 3, H, W), to be added to `coarse`.
        """
        pictures = torch.cat([F.pixel_unshuffle(x, self.patch_size) for x in (coarse, source)], dim=1)
        levels = self.encoder(pictures)
        return F.pixel_shuffle(self.output(self.decoder(levels[-1], levels)), self.patch_size)


class PG2Generator(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="pgt",
    tags=["pose-guided-person-image-generation", "image-to-image"],
    license="mit",
    repo_url=PUBLIC_HOME or None,
    paper_url="https://arxiv.org/abs/1705.09368",
):
    """Both stages of PG2, as saved and loaded.

    Args:
        settings: the fields of a `PG2Config` as plain data; `from_config` takes the config itself.
        trained_stages: names of the stages whose weights are worth running. "refine" missing from a
            two-stage model makes `forward` stop at the coarse picture.

    Attributes:
        config: the `PG2Config`.
        coarse: G1. refine: G2, or None for the one-stage variant.
        pose_encoding: how this model wants its heat maps drawn.
    """

    def __init__(self, settings: Mapping[str, Any], trained_stages: Sequence[str] = PG2_STAGES) -> None:
        super().__init__()
        self.config = config = PG2Config.from_dict(settings)
        self.trained_stages = tuple(trained_stages)
        self.pose_encoding = PoseEncoding(
            kind=config.pose_kind,
            radius=config.pose_radius,
            sigma=config.pose_sigma,
            low=config.pose_low,
            mask_radius=config.mask_radius,
            mask_fill_torso=config.mask_fill_torso,
        )
        self.coarse = CoarseGenerator(config)
        self.refine = None if config.one_stage else RefineGenerator(config)

    @classmethod
    def from_config(cls, config: PG2Config, trained_stages: Sequence[str] = PG2_STAGES) -> "PG2Generator":
        """Build a generator with fresh weights."""
        return cls(settings=config.to_dict(), trained_stages=list(trained_stages))

    def forward(
        self,
        source: Tensor,
        target_pose: Tensor,
        *,
        target_keypoints: Tensor | None = None,
        target_visible: Tensor | None = None,
        source_pose: Tensor | None = None,
    ) -> PG2Output:
        """Draw the person of `source` in another pose.

        Args:
            source: (B, 3, H, W) in [-1, 1], of `config.image_size`.
            target_pose: (B, 18, H, W) heat maps by `pose_encoding`.
            target_keypoints: (B, 18, 2) float, (x, y) pixels; needed by the coordinate embedding alone.
            target_visible: (B, 18) bool; with `target_keypoints`.
            source_pose: (B, 18, H, W) heat maps by `pose_encoding`; needed if `config.source_pose_input`.

        Returns:
            `PG2Output`; `refined` is the picture to show.
        """
        if tuple(source.shape[-2:]) != self.config.image_size:
            raise ValueError(
                f"source is {tuple(source.shape[-2:])}, this model draws {self.config.image_size}"
            )
        coordinates = self.coordinates(target_keypoints, target_visible)
        coarse = self.coarse(source, target_pose, coordinates, source_pose)
        if self.refine is None or "refine" not in self.trained_stages:
            return PG2Output(coarse, None, coarse)
        difference_map = self.refine(source, coarse)
        return PG2Output(coarse, difference_map, coarse + difference_map)

    def coordinates(self, keypoints: Tensor | None, visible: Tensor | None) -> Tensor | None:
        """Give (B, 54) coordinates for G1, or None where this model's embedding does not read them."""
        if self.config.pose_embedding != "coordinate" or keypoints is None or visible is None:
            return None
        return keypoints_to_coordinates(keypoints, visible, self.config.image_size)
