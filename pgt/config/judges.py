"""The settings of the small networks that score and guide the approaches (ours)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgt.config.stage import Stage, known_fields, to_plain


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
        return to_plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PoseEstimatorConfig":
        """Rebuild a config from `to_dict`, as `PG2Config.from_dict`."""
        return cls(**known_fields(cls, values))


@dataclass(frozen=True)
class HumanParserConfig:
    """The network that labels the pixels of a person, for pictures without parsing and as features (ours)."""

    image_size: tuple[int, int] = (128, 128)  # (H, W) it is trained at; it runs on others
    widths: tuple[int, ...] = (16, 32, 64, 96, 128, 128)  # channels at full size, half of it, ...
    # Of the cross-entropy, label by label: what is small or rare counts for more.
    label_weights: tuple[float, ...] = (0.5, 1.0, 1.0, 0.8, 1.0, 2.0, 1.5, 1.5, 1.5, 1.5)
    ema_decay: float = 0.99
    stages: tuple[Stage, ...] = (
        Stage("labels", 5_000, (128, 128), batch_size=8, lr=1e-3, lr_schedule="cosine"),
    )

    def __post_init__(self) -> None:
        for name in ("image_size", "widths", "label_weights", "stages"):  # JSON knows no tuples
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """Give every field as JSON-able plain data."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "HumanParserConfig":
        """Rebuild a config from `to_dict`, as `PG2Config.from_dict`."""
        return cls(**known_fields(cls, values))
