"""The settings of the appearance-flow network of garment transfer, and its preset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgt.config.stage import Stage, known_fields, to_plain


@dataclass(frozen=True)
class GarmentFlowConfig:
    """The network that warps a garment onto another person (Progressive, 2020, Fig. 9).

    The paper draws the network as one box and tells neither its layers nor its losses: all numbers are ours.
    """

    image_size: tuple[int, int] = (128, 128)  # (H, W) of the pictures it is trained on; it runs on others
    crop_size: tuple[int, int] = (48, 48)  # (H, W) in which the network sees both garments, cut out
    widths: tuple[int, ...] = (24, 48, 72, 96)  # channels at the crop's full size, half of it, ...
    num_landmarks: int = 44  # of the bodies, aligned before; see `descriptor_centers`. 0: boxes of the masks
    output_scale: float = 0.02  # of the flow, in sides of a garment's box: what one of the output means

    features: str = "human-parser"  # of the perceptual loss; or "vgg16"
    l1_weight: float = 1.0
    perceptual_weight: float = 10.0
    variation_weight: float = 0.01

    ema_decay: float = 0.99
    stages: tuple[Stage, ...] = (
        Stage("flow", 1_000, (128, 128), batch_size=8, lr=2e-3, lr_schedule="cosine"),
    )

    def __post_init__(self) -> None:
        for name in ("image_size", "crop_size", "widths", "stages"):  # JSON knows no tuples
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.features not in ("human-parser", "vgg16"):
            raise ValueError(f"features must be 'human-parser' or 'vgg16', got {self.features!r}")
        if self.num_landmarks and (self.num_landmarks < 18 or (self.num_landmarks - 18) % 13):
            raise ValueError(f"num_landmarks must be 0, 18, 31, 44, ..., got {self.num_landmarks}")
        step = 2 ** (len(self.widths) - 1)
        if len(self.widths) < 2 or any(side % step for side in self.crop_size):
            raise ValueError(
                f"crop_size {self.crop_size} must be a multiple of {step} for {len(self.widths)} widths, "
                "of which there are at least 2"
            )

    def to_dict(self) -> dict[str, Any]:
        """Give every field as JSON-able plain data."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "GarmentFlowConfig":
        """Rebuild a config from `to_dict`, as `PG2Config.from_dict`."""
        return cls(**known_fields(cls, values))


GARMENT_FLOW_PRESETS: dict[str, GarmentFlowConfig] = {"garment-flow-synthetic-128": GarmentFlowConfig()}
