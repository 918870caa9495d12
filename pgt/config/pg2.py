"""The settings of PG2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgt.config.stage import Stage, known_fields, to_plain

_CHOICES = {
    "pose_embedding": ("concatenation", "heatmap", "coordinate"),
    "pose_kind": ("disc", "gaussian"),
    "decoder": ("symmetric", "released"),
    "initialisation": ("xavier", "he"),
    "discriminator_input": ("pair", "triplet"),
    "discriminator_norm": ("batch", "spectral"),
}


@dataclass(frozen=True)
class PG2Config:
    """PG2 (Ma et al. 2017): a coarse generator G1, a refining generator G2 and a discriminator D."""

    image_size: tuple[int, int] = (128, 64)  # (H, W), pixels; fixes the fully connected layers
    base_channels: int = 128  # width of block 1; block k is k times as wide (section 3.3)
    num_blocks: int = 5  # N: blocks in G1's encoder; G2's has N - 2
    bottleneck_features: int = 64  # length of the vector at G1's fully connected bottleneck
    decoder: str = "symmetric"  # or "released": G1 keeps the concatenated width, G2 decodes at one width
    refine_top_skip: bool = True  # False: G2 without the full-resolution skip (released, Market-1501)
    patch_size: int = 1  # pixels per side folded into channels before the first block (ours; 1 = paper)

    pose_embedding: str = "concatenation"  # or "heatmap" (HME), "coordinate" (CE); section 4.2
    pose_kind: str = "disc"  # or "gaussian"
    pose_radius: float = 4.0  # of a disc, pixels
    pose_sigma: float = 3.0  # of a Gaussian, pixels
    pose_low: float = 0.0  # value away from the joint; the released code has -1
    source_pose_input: bool = False  # G1 also sees the heat maps of the source (ours)

    mask_weighting: bool = True  # weights 1 + M (Eq. 1); False: plain L1
    mask_radius: float = 4.0  # of the mask's limbs, pixels
    mask_fill_torso: bool = True  # False: the torso's hole at 256x256 stays open (released)
    l1_weight: float = 10.0  # lambda of Eq. 4: 10 (Market-1501) and 50 (DeepFashion) in the released code
    one_stage: bool = False  # G1 + D: no G2, G1 is trained with the adversarial loss
    discriminator_input: str = "pair"  # D(I_A, .), Eq. 2; "triplet": one picture, the source is a fake too
    discriminator_channels: int = 64
    discriminator_norm: str = "batch"  # DCGAN's; or "spectral": spectral norm and no batch norm

    initialisation: str = "xavier"  # or "he"
    residual_scale: float = 1.0  # multiplies the initial weights that end a residual branch
    difference_scale: float = 1.0  # multiplies the initial weights of G2's last layer
    betas: tuple[float, float] = (0.5, 0.999)  # Adam
    discriminator_lr: float | None = None  # None: the stage's
    max_grad_norm: float | None = None  # clip the generator's gradient to this length
    ema_decay: float = 0.0  # > 0: samples and saved weights are this moving average
    stages: tuple[Stage, ...] = (
        Stage("coarse", 22_000, (128, 64), batch_size=16, lr=2e-5),
        Stage("refine", 14_000, (128, 64), batch_size=16, lr=2e-5),
    )

    def __post_init__(self) -> None:
        for name in ("image_size", "betas", "stages"):  # JSON knows no tuples
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        if self.num_blocks < 3:
            raise ValueError(f"num_blocks must be at least 3 (G2 has two fewer), got {self.num_blocks}")
        step = self.patch_size * 2 ** (self.num_blocks - 1)
        if any(side % step for side in self.image_size):
            raise ValueError(
                f"image_size {self.image_size} must be a multiple of {step} for {self.num_blocks} blocks"
            )

    @property
    def bottom_size(self) -> tuple[int, int]:
        """(H, W) of the feature maps at G1's bottleneck."""
        step = self.patch_size * 2 ** (self.num_blocks - 1)
        return self.image_size[0] // step, self.image_size[1] // step

    def to_dict(self) -> dict[str, Any]:
        """Give every field as JSON-able plain data."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PG2Config":
        """Rebuild a config from `to_dict`; a missing field takes its default.

        Raises:
            ValueError: a field this version does not know, or a value it does not allow.
        """
        return cls(**known_fields(cls, values))
