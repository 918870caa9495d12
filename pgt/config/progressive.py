"""The settings of Progressive, and its presets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pgt.config.stage import Stage, known_fields, to_plain

NUM_JOINTS, NUM_LIMBS = 18, 13  # descriptors stand at the joints, and evenly spaced along the body's limbs
_CHOICES = {
    "norm": ("batch", "instance", "none"),
    "fake_pair": ("source", "target"),
    "discriminator_norm": ("instance", "spectral", "none"),
    "features": ("vgg16", "human-parser"),
}


@dataclass(frozen=True)
class ProgressiveConfig:
    """Progressive (2020): an autoencoder that takes the pose at its bottleneck, grown level by level."""

    image_size: tuple[int, int] = (1024, 1024)  # (H, W) of the finest level, pixels
    # Of the bottleneck, then level by level; the last is that of the outermost features, next to the picture.
    widths: tuple[int, ...] = (1024, 512, 256, 128, 64, 32, 16)
    norm: str = "batch"  # or "instance", "none"
    pose_sigma: float = 3.2  # of a joint's Gaussian, in pixels of the features it joins (section 3.4)
    pose_joins: int = 1  # at how many sizes: 1 = the bottleneck (paper); more = coarse levels too (ours)
    source_pose_input: bool = False  # the encoder also sees the heat maps of the source (ours)
    readouts: bool = False  # 1x1 convolutions that learn to show what coarse levels hold (ours)
    output_scale: float = 1.0  # multiplies the first weights towards RGB (ours)

    descriptors: tuple[int, ...] = (18, 18, 31, 31, 44)  # local regions, level by level (section 3.4)
    features: str = "vgg16"  # phi of Eq. 2: or "human-parser" (ours, offline)
    perceptual_weight: float = 1.0  # of Eq. 2
    local_weight: float = 1.0  # of Eq. 3; 0: Table 1 without LPL
    pixel_weight: float = 0.0  # of the pictures themselves as one more layer of Eq. 2 (ours)
    l2_share: float = 0.5  # of each level, from its beginning: there C is L2, later L1 (section 3.1)

    adversarial_weight: float = 1.0  # of the local discriminators at the finest level; 0: Table 1 without LD
    top_local_weight: float = 0.0  # of Eq. 3 beside them: they replace it (section 3.2); above 0: ours
    fake_pair: str = "source"  # (X_d, X^_d) is fake (section 3.2); "target": (X'_d, X^_d), caption of Fig. 6
    shared_discriminator: bool = True  # one for all regions; False: one per region. The paper does not say
    discriminator_channels: int = 64
    discriminator_norm: str = "instance"  # or "spectral", "none"

    weight_decay: float = 5e-4
    betas: tuple[float, float] = (0.9, 0.999)  # Adam
    discriminator_lr: float | None = None  # None: the stage's
    max_grad_norm: float | None = None  # clip the autoencoder's gradient to this length
    ema_decay: float = 0.0  # > 0: samples and saved weights are this moving average
    stages: tuple[Stage, ...] = (  # one per level; the paper does not give the batch
        Stage("level_64", 700_000, (64, 64), batch_size=16, lr=2e-4),
        Stage("level_128", 700_000, (128, 128), batch_size=16, lr=2e-4),
        Stage("level_256", 700_000, (256, 256), batch_size=8, lr=2e-4),
        Stage("level_512", 700_000, (512, 512), batch_size=2, lr=2e-4),
        Stage("level_1024", 700_000, (1024, 1024), batch_size=1, lr=2e-4),
    )

    def __post_init__(self) -> None:
        for name in ("image_size", "widths", "descriptors", "betas", "stages"):  # JSON knows no tuples
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        if len(self.widths) < 3:
            raise ValueError("widths are at least three: bottleneck, one level, outermost features")
        if len(self.descriptors) != self.num_levels:
            raise ValueError(f"{self.num_levels} levels need as many descriptors, got {self.descriptors}")
        for count in self.descriptors:
            if count != 0 and (count < NUM_JOINTS or (count - NUM_JOINTS) % NUM_LIMBS):
                raise ValueError(f"descriptors are 0 or 18 and any times 13 (18, 31, 44, ...), got {count}")
        step = 2**self.num_levels
        if any(side % step for side in self.image_size):
            raise ValueError(
                f"image_size {self.image_size} must be a multiple of {step} for {self.num_levels} levels"
            )
        if not 1 <= self.pose_joins <= self.num_levels + 1:
            raise ValueError(f"pose_joins must be 1 to {self.num_levels + 1}, got {self.pose_joins}")
        if self.discriminator_norm == "spectral" and not self.shared_discriminator:
            raise ValueError("spectral norm is of one network: discriminators per region need another norm")
        for stage in self.stages:
            self.level_of(stage.image_size)

    @property
    def num_levels(self) -> int:
        """How many times the finest level is halved to the bottleneck; levels count from 1."""
        return len(self.widths) - 2

    def level_size(self, level: int) -> tuple[int, int]:
        """Return (H, W) of a level; level 0 is the bottleneck."""
        step = 2 ** (self.num_levels - level)
        return self.image_size[0] // step, self.image_size[1] // step

    def level_of(self, size: tuple[int, int]) -> int:
        """Return which level draws pictures of a size (H, W).

        Raises:
            ValueError: none does.
        """
        sizes = [self.level_size(level) for level in range(1, self.num_levels + 1)]
        if tuple(size) not in sizes:
            raise ValueError(f"no level of this model draws {tuple(size)}; they draw {sizes}")
        return 1 + sizes.index(tuple(size))

    def to_dict(self) -> dict[str, Any]:
        """Give every field as JSON-able plain data."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ProgressiveConfig":
        """Rebuild a config from `to_dict`, as `PG2Config.from_dict`."""
        return cls(**known_fields(cls, values))


def _stages(steps: Mapping[int, int], batch_sizes: Mapping[int, int], lr: float) -> tuple[Stage, ...]:
    return tuple(
        Stage(f"level_{side}", num, (side, side), batch_sizes[side], lr, "cosine")
        for side, num in steps.items()
    )


_PAPER = ProgressiveConfig()
# What a training on two CPU cores gains from: a bottleneck small enough for distant body parts to meet there,
# the pose at several sizes, and no weight decay, which so short a training does not need.
_SMALL = replace(
    _PAPER,
    norm="none",
    pose_sigma=1.0,
    pose_joins=4,
    source_pose_input=True,
    readouts=True,
    output_scale=0.1,
    features="human-parser",
    local_weight=0.05,
    pixel_weight=2.0,
    adversarial_weight=0.02,
    top_local_weight=0.05,
    discriminator_channels=24,
    discriminator_norm="spectral",
    discriminator_lr=2e-4,
    weight_decay=0.0,
    max_grad_norm=1.0,
    ema_decay=0.998,
)

PROGRESSIVE_PRESETS: dict[str, ProgressiveConfig] = {
    # Sections 3.3, 3.4 and 4.2: from 64x64 to 1024x1024; the YouTube data set is trained alike.
    "progressive-human36m": _PAPER,
    # Section 4.4: 256x256, where three levels are the whole; the rest as above. So local discriminators
    # replace Eq. 3 at 256x256: section 3.2 wants them at "the highest resolution", 1024x1024 there.
    "progressive-deepfashion": replace(
        _PAPER,
        image_size=(256, 256),
        widths=_PAPER.widths[:5],
        descriptors=_PAPER.descriptors[:3],
        stages=_PAPER.stages[:3],
    ),
    # Tests and notebooks: grows from 32 to 128 within minutes.
    "progressive-tiny": replace(
        _SMALL,
        image_size=(128, 128),
        widths=(64, 64, 48, 32, 16, 8),
        descriptors=(18, 18, 18, 18),
        discriminator_channels=16,
        ema_decay=0.99,
        stages=_stages({32: 400, 64: 300, 128: 150}, {32: 16, 64: 8, 128: 4}, 1e-3),
    ),
    "progressive-synthetic-128": replace(
        _SMALL,
        image_size=(128, 128),
        widths=(160, 128, 96, 64, 32, 16),
        descriptors=(18, 18, 18, 18),
        stages=_stages({32: 6_000, 64: 6_000, 128: 5_000}, {32: 16, 64: 16, 128: 8}, 6e-4),
    ),
    "progressive-synthetic-256": replace(
        _SMALL,
        image_size=(256, 256),
        widths=(160, 128, 96, 64, 32, 16, 8),
        descriptors=(18, 18, 18, 18, 31),
        stages=_stages(
            {32: 6_000, 64: 6_000, 128: 4_000, 256: 1_500}, {32: 16, 64: 16, 128: 8, 256: 4}, 6e-4
        ),
    ),
    # All of the paper's levels, narrow. What is new on the last ones begins at nothing: it needs its steps.
    "progressive-synthetic-1024": replace(
        _SMALL,
        image_size=(1024, 1024),
        widths=(128, 128, 96, 64, 32, 16, 8, 8, 8),
        descriptors=(18, 18, 18, 18, 31, 31, 44),
        stages=_stages(
            {32: 2_000, 64: 2_000, 128: 1_200, 256: 800, 512: 600, 1024: 600},
            {32: 16, 64: 16, 128: 8, 256: 4, 512: 2, 1024: 1},
            6e-4,
        ),
    ),
    # The bundled weights grown on: `GROWN_FROM`.
    "progressive-synthetic-128-to-1024": replace(
        _SMALL,
        image_size=(1024, 1024),
        widths=(160, 128, 96, 64, 32, 16, 8, 8, 8),
        descriptors=(18, 18, 18, 18, 31, 31, 44),
        stages=_stages({256: 600, 512: 300, 1024: 300}, {256: 4, 512: 2, 1024: 1}, 6e-4),
    ),
}
# Preset -> the weights that it begins with: a network of fewer levels.
GROWN_FROM = {"progressive-synthetic-128-to-1024": "progressive-synthetic-128"}
