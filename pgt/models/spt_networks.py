"""The three networks of SPT (Song et al., TPAMI 2021); how they work together stands in `pgt.models.spt`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgt.config import SPTConfig
from pgt.data.pose import NUM_JOINTS
from pgt.layers.blocks import start_patches_flat
from pgt.layers.deformable import PartWarps, deformable_skip
from pgt.layers.inpainting import fill_unknown
from pgt.layers.skip_unet import DownEncoder, GrownDecoder, GrownEncoder, UpDecoder, initialise_unet


class SemanticGenerator(nn.Module):
    """H_S: source map, its pose and the target pose -> target map (section 3.2, Fig. 2).

    Args:
        config: sizes, and which parts of the person representation are seen.
    """

    def __init__(self, config: SPTConfig) -> None:
        super().__init__()
        self.config = config
        pose = NUM_JOINTS * config.semantic_heat_maps + config.patch_size**2 * config.semantic_pose_masks
        labels = config.num_labels * config.patch_size**2
        self.source_encoder = DownEncoder(labels + pose, config.semantic_widths, config.norm)
        self.pose_encoder = DownEncoder(pose, config.semantic_widths, config.norm)
        self.decoder = UpDecoder(config.semantic_widths, 2, labels, config.norm)
        initialise_unet(self, config.initialisation)

    def forward(
        self,
        source_parsing: Tensor,
        source_pose: Tensor,
        source_pose_mask: Tensor,
        target_pose: Tensor,
        target_pose_mask: Tensor,
    ) -> Tensor:
        """Predict the target's map.

        Args:
            source_parsing: (B, 10, H, W), one-hot, or the probabilities of an earlier prediction.
            source_pose, target_pose: (B, 18, H, W) heat maps.
            source_pose_mask, target_pose_mask: (B, 1, H, W) of 0 and 1.

        Returns:
            (B, 10, H, W) logits; their softmax over the labels is the map.
        """
        patch = self.config.patch_size
        source = torch.cat(
            [F.pixel_unshuffle(source_parsing, patch), self._pose(source_pose, source_pose_mask)], dim=1
        )
        levels = (self.source_encoder(source), self.pose_encoder(self._pose(target_pose, target_pose_mask)))
        return F.pixel_shuffle(self.decoder(list(zip(*levels, strict=True))), patch)

    def _pose(self, heat_maps: Tensor, mask: Tensor) -> Tensor:
        seen = []
        if self.config.semantic_heat_maps:
            seen.append(thin(heat_maps, self.config.patch_size))
        if self.config.semantic_pose_masks:
            seen.append(F.pixel_unshuffle(mask, self.config.patch_size))
        return torch.cat(seen, dim=1)


class ForegroundGenerator(nn.Module):
    """G_A^F with its encoders: draws the person (section 3.3, Fig. 4).

    Args:
        config: sizes. Without semantic guidance neither encoder sees a map.
    """

    def __init__(self, config: SPTConfig) -> None:
        super().__init__()
        self.config = config
        area = config.patch_size**2
        labels = 0 if config.guidance == "none" else config.num_labels * area
        encoder, decoder = (GrownEncoder, GrownDecoder) if config.grown else (DownEncoder, UpDecoder)
        self.appearance_encoder = encoder(3 * area + labels + NUM_JOINTS, config.widths, config.norm)
        self.target_encoder = encoder(labels + NUM_JOINTS, config.widths, config.norm)
        self.decoder = decoder(config.widths, 2, 3 * area, config.norm, config.dropout)
        initialise_unet(self, config.initialisation)
        _calm(self.decoder, config)

    def forward(
        self,
        source: Tensor,
        source_parsing: Tensor | None,
        source_pose: Tensor,
        target_parsing: Tensor | None,
        target_pose: Tensor,
        warps: PartWarps,
        **fade: float | None,
    ) -> Tensor:
        """Draw the person.

        Args:
            source: (B, 3, H, W) in [-1, 1].
            source_parsing, target_parsing: (B, 10, H, W) in [0, 1], or None without semantic guidance.
            source_pose, target_pose: (B, 18, H, W) heat maps.
            warps: of the parts from the source pose to the target pose.
            **fade: `fade`, of a grown generator: how far its new level has come in, see `GrownEncoder`.

        Returns:
            (B, 3, H, W) in [-1, 1].
        """
        patch = self.config.patch_size
        source_maps = [source] if source_parsing is None else [source, source_parsing]
        seen = [F.pixel_unshuffle(one, patch) for one in source_maps]
        levels = self.appearance_encoder(torch.cat([*seen, thin(source_pose, patch)], dim=1), **fade)
        outside = fade.get("fade") is not None  # a new level comes on top of those that are counted
        warped = self.config.num_warped_skips + outside
        levels = [deformable_skip(x, warps) if k < warped else x for k, x in enumerate(levels)]
        wanted = [] if target_parsing is None else [F.pixel_unshuffle(target_parsing, patch)]
        target_levels = self.target_encoder(torch.cat([*wanted, thin(target_pose, patch)], dim=1), **fade)
        drawn = self.decoder(list(zip(levels, target_levels, strict=True)), **fade)
        return F.pixel_shuffle(drawn, patch).tanh()


class BackgroundGenerator(nn.Module):
    """G_A^B with its encoder, a U-Net: completes a picture whose person was cut out (section 3.3).

    Args:
        config: sizes.
    """

    def __init__(self, config: SPTConfig) -> None:
        super().__init__()
        self.config = config
        area = config.patch_size**2
        encoder, decoder = (GrownEncoder, GrownDecoder) if config.grown else (DownEncoder, UpDecoder)
        self.encoder = encoder(4 * area, config.background_widths, config.norm)
        self.decoder = decoder(config.background_widths, 1, 3 * area, config.norm)
        initialise_unet(self, config.initialisation)
        _calm(self.decoder, config)

    def forward(self, picture: Tensor, hole: Tensor, **fade: float | None) -> Tensor:
        """Draw what the picture would show without the hole.

        Args:
            picture: (B, 3, H, W) in [-1, 1]; what it shows inside the hole has no influence.
            hole: (B, 1, H, W) in [0, 1]; 1 where the picture is unknown.
            **fade: as in `ForegroundGenerator.forward`.

        Returns:
            (B, 3, H, W) in [-1, 1], drawn anew everywhere.
        """
        patch = self.config.patch_size
        known = picture * (1 - hole)
        if self.config.background_prefill:
            known = fill_unknown(picture, 1 - hole)
        shown = torch.cat([known, hole], dim=1)
        levels = self.encoder(F.pixel_unshuffle(shown, patch), **fade)
        drawn = self.decoder([[level] for level in levels], **fade)
        return F.pixel_shuffle(drawn, patch).tanh()


def _calm(decoder: UpDecoder, config: SPTConfig) -> None:
    """Begin with patches of one colour, and as far from the ends of the tanh as the config asks for."""
    start_patches_flat(decoder.output, config.patch_size)
    with torch.no_grad():
        decoder.output.weight.mul_(config.output_scale)


def thin(maps: Tensor, step: int) -> Tensor:
    """Keep one pixel of each patch: the bumps of heat maps are wider than that."""
    return maps[..., ::step, ::step]
