"""SPT: person images by way of semantic parsing, learnt without pairs (Song et al., TPAMI 2021).

H_S turns the semantic map of the source into that of the target pose. H_A then draws: one network the person,
region by region of that map, with features of the source carried part by part to the new pose; another the
background that the person uncovers.

Symbols: I_ps `source`; S_ps `source_parsing`; p_s `source_pose`; M_ps `source_pose_mask`; p_t `target_pose`;
M_pt `target_pose_mask`; S~_pt `parsing`; I~F `foreground`; I~B `background`; I~_pt `generated`; Omega
`foreground_mask`; E_S, E_P, G_S `SemanticGenerator`; E_A^F, E'_S, G_A^F `ForegroundGenerator`; E_A^B, G_A^B
`BackgroundGenerator`.

Deviations: the paper leaves widths and norms open; ours are those of the released generator (Def-GAN's). That
code feeds 9 labels without the background and judges picture and map together; we follow the paper's 10 and
its picture alone (`discriminator_parsing`). Features under no part stay where they are (`PartWarps`), and
warps are right on pictures that are not square. Ours, off in the paper's presets: `patch_size`,
`background_keeps_known`, `soft_mask`. The background network also sees which pixels are missing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from pgt.config import PUBLIC_HOME, SPTConfig
from pgt.data.body_parts import part_affines, part_corners
from pgt.data.pose import PoseEncoding
from pgt.geometry import resize_points
from pgt.layers.compositing import composite, hole_in, mask_from_parsing
from pgt.layers.deformable import PartWarps
from pgt.models.spt_networks import BackgroundGenerator, ForegroundGenerator, SemanticGenerator

SPT_STAGES = ("semantic", "appearance", "end_to_end", "fine")


class SPTOutput(NamedTuple):
    """What the generator draws. Pictures are (B, 3, H, W) in [-1, 1].

    `parsing` is (B, 10, H, W) in [0, 1], `foreground_mask` (B, 1, H, W) in [0, 1]. Without semantic guidance
    `parsing` is None; without a background network `background` and `foreground_mask` are None and
    `foreground` is the whole picture.
    """

    parsing: Tensor | None
    foreground: Tensor
    background: Tensor | None
    foreground_mask: Tensor | None
    generated: Tensor


def transform_parsing(
    config: SPTConfig,
    semantic: nn.Module,
    encoding: PoseEncoding,
    parsing: Tensor,
    source: tuple[Tensor, Tensor],
    target: tuple[Tensor, Tensor],
) -> Tensor:
    """Apply H_S at the size it works at.

    Args:
        config, semantic, encoding: of the generator.
        parsing: (B, 10, H, W) in [0, 1], of the source.
        source, target: keypoints (B, 18, 2), (x, y) pixels, and visible (B, 18) bool.

    Returns:
        (B, 10, H, W) float32 logits.
    """
    size, core = (parsing.shape[-2], parsing.shape[-1]), config.core_size
    (points, seen), (target_points, target_seen) = source, target
    if size != core:
        parsing = F.adaptive_avg_pool2d(parsing, core)
        points, target_points = (resize_points(one, size, core) for one in (points, target_points))
    logits = semantic(
        parsing,
        encoding(points, seen, core),
        encoding.mask(points, seen, core),
        encoding(target_points, target_seen, core),
        encoding.mask(target_points, target_seen, core),
    ).float()
    if size != core:
        logits = F.interpolate(logits, size, mode="bilinear", align_corners=False)
    return logits


def appearance_warps(
    source_keypoints: Tensor,
    source_visible: Tensor,
    target_keypoints: Tensor,
    target_visible: Tensor,
    image_size: tuple[int, int],
) -> PartWarps:
    """Find how the ten parts move from the source pose to the target pose.

    Args:
        source_keypoints, target_keypoints: (B, 18, 2) float, (x, y) in pixels.
        source_visible, target_visible: (B, 18) bool.
        image_size: (H, W).
    """
    matrices, fitted = part_affines(source_keypoints, source_visible, target_keypoints, target_visible)
    corners, known = part_corners(target_keypoints, target_visible, image_size[0])
    return PartWarps(matrices, corners, fitted & known, image_size)


class SPTGenerator(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="pgt",
    tags=["pose-guided-person-image-generation", "image-to-image"],
    license="mit",
    repo_url=PUBLIC_HOME or None,
):
    """H_S and H_A together, as saved and loaded.

    Args:
        settings: the fields of an `SPTConfig` as plain data; `from_config` takes the config itself.
        trained_stages: names of the stages that the weights have been through.

    Attributes:
        config: the `SPTConfig`.
        semantic: H_S, or None without semantic guidance.
        foreground: G_A^F and its encoders.
        background: G_A^B and its encoder, or None without a background network.
        pose_encoding: how this model wants its heat maps drawn.
    """

    def __init__(self, settings: Mapping[str, Any], trained_stages: Sequence[str] = SPT_STAGES) -> None:
        super().__init__()
        self.config = config = SPTConfig.from_dict(settings)
        self.trained_stages = tuple(trained_stages)
        self.pose_encoding = PoseEncoding("gaussian", sigma=config.pose_sigma, mask_radius=config.mask_radius)
        self.semantic = None if config.guidance == "none" else SemanticGenerator(config)
        self.foreground = ForegroundGenerator(config)
        self.background = None if config.background == "none" else BackgroundGenerator(config)

    @classmethod
    def from_config(cls, config: SPTConfig, trained_stages: Sequence[str] = SPT_STAGES) -> "SPTGenerator":
        """Build a generator with fresh weights."""
        return cls(settings=config.to_dict(), trained_stages=list(trained_stages))

    def forward(
        self,
        source: Tensor,
        source_parsing: Tensor,
        source_keypoints: Tensor,
        source_visible: Tensor,
        target_keypoints: Tensor,
        target_visible: Tensor,
        *,
        parsing: Tensor | None = None,
    ) -> SPTOutput:
        """Draw the person of `source` in another pose.

        Args:
            source: (B, 3, H, W) in [-1, 1], of `config.image_size`; a grown generator also draws at
                `config.core_size`.
            source_parsing: (B, 10, H, W) one-hot.
            source_keypoints, target_keypoints: (B, 18, 2) float, (x, y) pixels.
            source_visible, target_visible: (B, 18) bool.
            parsing: (B, 10, H, W) in [0, 1]: a target map to follow in place of H_S's, for example the true
                one (the paper's TS-GT) or one painted by hand.

        Raises:
            ValueError: a picture of another size.
        """
        config, size = self.config, (source.shape[-2], source.shape[-1])
        if size not in (config.image_size, config.core_size):
            raise ValueError(f"source is {size}, this model draws {config.image_size}")
        joints = (source_keypoints, source_visible), (target_keypoints, target_visible)
        if self.semantic is not None and parsing is None:
            logits = transform_parsing(config, self.semantic, self.pose_encoding, source_parsing, *joints)
            parsing = logits.softmax(dim=1)
        fade = {} if not config.grown else {"fade": self._fade(size)}
        return draw_appearance(
            config,
            self.foreground,
            self.background,
            (source, source_parsing, self.pose_encoding(*joints[0], size)),
            (parsing, self.pose_encoding(*joints[1], size)),
            appearance_warps(*joints[0], *joints[1], size),
            **fade,
        )

    def _fade(self, size: tuple[int, int]) -> float | None:
        """Leave the new level out at half size, and without influence until it has been trained."""
        if size == self.config.core_size:
            return None
        return 1.0 if "fine" in self.trained_stages else 0.0


def draw_appearance(
    config: SPTConfig,
    foreground: nn.Module,
    background: nn.Module | None,
    source: tuple[Tensor, Tensor, Tensor],
    target: tuple[Tensor | None, Tensor],
    warps: PartWarps,
    **fade: float | None,
) -> SPTOutput:
    """H_A: draw foreground and background by a target map, and join them by Eq. 6.

    Args:
        config: of the two networks.
        foreground, background: the networks; no background: the foreground is the whole picture.
        source: picture (B, 3, H, W) in [-1, 1], map (B, 10, H, W) in [0, 1], heat maps (B, 18, H, W).
        target: map, None without semantic guidance, and heat maps.
        warps: of the parts from the source pose to the target pose.
        **fade: `fade`, of grown networks, see `GrownEncoder`.
    """
    (image, source_parsing, source_pose), (parsing, target_pose) = source, target
    if config.guidance == "none":
        person = foreground(image, None, source_pose, None, target_pose, warps, **fade)
        return SPTOutput(None, person, None, None, person)
    person = foreground(image, source_parsing, source_pose, parsing, target_pose, warps, **fade)
    if background is None:
        return SPTOutput(parsing, person, None, None, person)
    hole = hole_in(source_parsing, config.hole_margin)
    scene = background(image, hole, **fade)
    if config.background_keeps_known:
        scene = composite(scene, image, hole)
    mask = mask_from_parsing(parsing, binary=not config.soft_mask)
    return SPTOutput(parsing, person, scene, mask, composite(person, scene, mask))
