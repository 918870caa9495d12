"""The settings of SPT."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgt.config.stage import Stage, known_fields, to_plain

_CHOICES = {
    "norm": ("layer", "instance", "none"),
    "initialisation": ("normal", "he"),
    "guidance": ("predicted", "true", "none"),
    "background": ("network", "none"),
    "adversarial": ("log", "least_squares"),
    "discriminator_norm": ("instance", "spectral", "none"),
    "features": ("vgg16", "human-parser"),
    "style": ("semantic", "mask", "patch"),
}


@dataclass(frozen=True)
class SPTConfig:
    """SPT (Song et al. 2021): semantic parsing transformation H_S, then appearance generation H_A."""

    image_size: tuple[int, int] = (128, 128)  # (H, W), pixels
    num_labels: int = 10  # L of section 4.1
    widths: tuple[int, ...] = (64, 128, 256, 512, 512, 512)  # E_A, E'_S, G_A: Def-GAN's, level by level
    semantic_widths: tuple[int, ...] = (64, 128, 256, 512, 512, 512)  # E_S, E_P, G_S
    background_widths: tuple[int, ...] = (64, 128, 256, 512, 512, 512)  # E_B, G_B
    grown: bool = False  # the stages before "fine" see half of image_size (section 4.1: 128, then 256);
    # then widths and background_widths begin with the new level, while H_S keeps working at half size
    patch_size: int = 1  # pixels per side folded into channels before the first level (ours; 1 = paper)
    norm: str = "layer"  # of (C, H, W) together, as released; or "instance", or "none"
    initialisation: str = "normal"  # standard deviation 0.02; or "he"
    output_scale: float = 1.0  # multiplies the first weights of the last layers of G_A and G_B (ours)
    dropout: float = 0.5  # in the three coarsest levels of G_A
    num_warped_skips: int = 4  # of E_A's levels; coarser ones are joined as they are

    pose_sigma: float = 6.0  # of a joint's Gaussian, pixels
    mask_radius: float = 4.0  # of the pose mask's limbs, pixels
    semantic_pose_masks: bool = True  # H_S sees M (section 3.1); False: Fig. 10a
    semantic_heat_maps: bool = True  # H_S sees p; False: Fig. 10b

    guidance: str = "predicted"  # H_A follows H_S; "true": the real target map (TS-GT); "none": Baseline
    background: str = "network"  # E_B, G_B and Eq. 6; "none": G_A draws the whole picture (Market-1501)
    background_keeps_known: bool = False  # True: G_B's picture only fills what the source does not show
    background_prefill: bool = False  # True: G_B is shown the hole filled smoothly, not empty (ours)
    hole_margin: int = 0  # pixels by which the person's hole in the background is grown (ours)
    soft_mask: bool = False  # True: Omega is a probability, which gives smooth outlines; False: 0 or 1
    auxiliary: bool = True  # scenes teach the background network, Eq. 13; False: Fig. 15d

    adversarial: str = "log"  # Eq. 4; or "least_squares" (released)
    discriminator_parsing: bool = False  # D_A also sees the map (released)
    discriminator_channels: int = 64
    discriminator_norm: str = "instance"  # or "spectral", "none"
    face_size: int = 32  # side of the face crops, pixels
    features: str = "vgg16"  # of content and style: or "human-parser" (ours, offline)
    style: str = "semantic"  # Eq. 10; or "mask" (body parts), "patch" (around the joints)

    ce_weight: float = 100.0  # lambda_ce of Eq. 5
    semantic_adversarial_weight: float = 1.0  # of Eq. 5; 0: Fig. 10c
    adversarial_weight: float = 1.0  # of Eq. 7 in Eq. 12
    pose_weight: float = 700.0  # lambda_pose
    content_weight: float = 0.03  # lambda_cont
    style_weight: float = 1.0  # lambda_sty
    face_weight: float = 1.0  # of Eq. 11 in Eq. 12; 0 on Market-1501
    recovered_style: bool = True  # the style loss of the recovered image; False: Fig. 13a
    recovered_adversarial: bool = True  # the adversarial loss of the recovered image; False: Fig. 13b
    reconstruction_weight: float = 1.0  # alpha of Algorithm 1
    background_adversarial_weight: float = 10.0  # beta of Algorithm 1
    self_weight: float = (
        0.0  # of L1 where the target pose is the source's own: copying is learnt first (ours)
    )
    joint_ce_weight: float = 0.0  # of Eq. 3 on pseudo labels while training end to end (ours)

    betas: tuple[float, float] = (0.5, 0.999)  # Adam
    discriminator_lr: float | None = None  # None: the stage's
    max_grad_norm: float | None = None  # clip each generator's gradient to this length
    ema_decay: float = 0.0  # > 0: samples and saved weights are this moving average
    stages: tuple[Stage, ...] = (  # the paper counts days, not steps
        Stage("semantic", 100_000, (128, 128), batch_size=4, lr=2e-4),
        Stage("appearance", 200_000, (128, 128), batch_size=4, lr=2e-4),
        Stage("end_to_end", 100_000, (128, 128), batch_size=4, lr=2e-4),
    )

    def __post_init__(self) -> None:
        for name in ("image_size", "widths", "semantic_widths", "background_widths", "betas", "stages"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        if self.guidance == "none" and self.background != "none":
            raise ValueError("without semantic guidance there is no foreground mask: set background='none'")
        levels = max(len(self.widths), len(self.background_widths))
        for size, count in ((self.image_size, levels), (self.core_size, len(self.semantic_widths))):
            step = self.patch_size * 2 ** (count - 1)
            if any(side % step for side in size):
                raise ValueError(f"the size {size} must be a multiple of {step} for {count} levels")

    @property
    def core_size(self) -> tuple[int, int]:
        """(H, W) at which all stages but "fine" are trained, and at which H_S works."""
        height, width = self.image_size
        return (height // 2, width // 2) if self.grown else (height, width)

    def to_dict(self) -> dict[str, Any]:
        """Give every field as JSON-able plain data."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SPTConfig":
        """Rebuild a config from `to_dict`, as `PG2Config.from_dict`."""
        return cls(**known_fields(cls, values))
