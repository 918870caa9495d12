"""What each approach is made of and how it is trained: frozen dataclasses, one preset per row of a paper.

Plain numbers only: nothing here knows of tensors, files or networks. Where a paper and its released code
differ, the default is the paper's text and the comment names the other.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

# The public address of the repository and the Hub namespace of its weights; empty until they are decided.
# Badges, cards and notebook links are generated from these two and left out while they are empty.
PUBLIC_HOME = ""
HUB_NAMESPACE = ""

_CHOICES = {
    "pose_embedding": ("concatenation", "heatmap", "coordinate"),
    "pose_kind": ("disc", "gaussian"),
    "decoder": ("symmetric", "released"),
    "initialisation": ("xavier", "he"),
    "discriminator_input": ("pair", "triplet"),
    "discriminator_norm": ("batch", "spectral"),
}


@dataclass(frozen=True)
class Stage:
    """One phase of training; an approach is trained by a tuple of these."""

    name: str  # which step of the recipe runs: PG2 has "coarse", "refine", "one_stage"
    num_steps: int  # optimiser steps in this phase
    image_size: tuple[int, int]  # (H, W), pixels
    batch_size: int
    lr: float  # learning rate at the first step
    lr_schedule: str = "constant"  # or "cosine": from lr to 0 over num_steps

    def __post_init__(self) -> None:
        if self.lr_schedule not in ("constant", "cosine"):
            raise ValueError(f"lr_schedule must be 'constant' or 'cosine', got {self.lr_schedule!r}")
        object.__setattr__(self, "image_size", tuple(self.image_size))


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
        return _plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PG2Config":
        """Rebuild a config from `to_dict`; a missing field takes its default.

        Raises:
            ValueError: a field this version does not know, or a value it does not allow.
        """
        return cls(**_known_fields(cls, values))


@dataclass(frozen=True)
class PoseEstimatorConfig:
    """The network that finds joints in pictures, to score generated ones (ours)."""

    image_size: tuple[int, int] = (128, 128)  # (H, W) it is trained at; it runs on others
    widths: tuple[int, ...] = (
        64,
        96,
        128,
        160,
    )  # channels at a quarter of the picture's size, an eighth, ...
    sigma: float = 0.75  # of a joint's place, in cells of 4 pixels
    ema_decay: float = 0.99
    stages: tuple[Stage, ...] = (
        Stage("joints", 2_500, (128, 128), batch_size=8, lr=2e-3, lr_schedule="cosine"),
    )

    def __post_init__(self) -> None:
        for name in ("image_size", "widths", "stages"):  # JSON knows no tuples
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """Give every field as JSON-able plain data."""
        return _plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PoseEstimatorConfig":
        """Rebuild a config from `to_dict`, as `PG2Config.from_dict`."""
        return cls(**_known_fields(cls, values))


Config = PG2Config | PoseEstimatorConfig


def _plain(config: Config) -> dict[str, Any]:
    plain = asdict(config)
    plain["stages"] = [{**stage, "image_size": list(stage["image_size"])} for stage in plain["stages"]]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def _known_fields(kind: type[Config], values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - {field.name for field in fields(kind)})
    if unknown:
        name = kind.__name__.removesuffix("Config")
        raise ValueError(f"unknown {name} settings: {', '.join(unknown)}")
    stages = values.get("stages", kind.stages)
    return {**values, "stages": tuple(s if isinstance(s, Stage) else Stage(**s) for s in stages)}


def _stages(
    size: tuple[int, int], batch_size: int, lr: float, steps: Mapping[str, int], schedule: str
) -> tuple:
    return tuple(Stage(name, num, size, batch_size, lr, schedule) for name, num in steps.items())


PRESETS: dict[str, Config] = {
    # Section 4.1: Adam 2e-5, N = 5, batch 16, 22k + 14k steps.
    "pg2-market1501": PG2Config(),
    # Section 4.1: N = 6, batch 8, 30k + 20k steps.
    "pg2-deepfashion": PG2Config(
        image_size=(256, 256),
        num_blocks=6,
        l1_weight=50.0,
        stages=_stages((256, 256), 8, 2e-5, {"coarse": 30_000, "refine": 20_000}, "constant"),
    ),
    # Tests and notebooks: learns visibly within a minute of two CPU cores.
    "pg2-tiny": PG2Config(
        image_size=(64, 32),
        base_channels=24,
        num_blocks=4,
        patch_size=2,
        pose_radius=2.0,  # the body is half as large as at the paper's 128x64
        pose_sigma=1.5,
        mask_radius=2.0,
        source_pose_input=True,
        discriminator_channels=16,
        discriminator_norm="spectral",
        initialisation="he",
        residual_scale=0.3,
        difference_scale=0.05,
        discriminator_lr=2e-4,
        stages=_stages((64, 32), 16, 1e-3, {"coarse": 800, "refine": 300}, "cosine"),
    ),
    # The bundled weights: everything that a training on two CPU cores gains from.
    "pg2-synthetic-128": PG2Config(
        image_size=(128, 128),
        base_channels=32,
        num_blocks=5,
        bottleneck_features=256,
        patch_size=2,
        pose_kind="gaussian",
        pose_sigma=3.0,
        source_pose_input=True,
        l1_weight=100.0,
        discriminator_channels=32,
        discriminator_norm="spectral",
        initialisation="he",
        residual_scale=0.3,
        difference_scale=0.05,
        discriminator_lr=4e-4,
        ema_decay=0.998,
        stages=(
            *_stages((128, 128), 16, 6e-4, {"coarse": 18_000}, "cosine"),
            *_stages((128, 128), 16, 3e-4, {"refine": 2_400}, "cosine"),
        ),
    ),
    # The judge behind PCKh: ten minutes of one CPU core.
    "pose-estimator-synthetic-128": PoseEstimatorConfig(),
}
