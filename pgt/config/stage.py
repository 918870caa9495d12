"""What the configs of all approaches share: the stages of a training, and the way to plain data and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


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


def to_plain(config: Any) -> dict[str, Any]:
    """Give every field of a config as JSON-able plain data."""
    plain = asdict(config)
    plain["stages"] = [{**stage, "image_size": list(stage["image_size"])} for stage in plain["stages"]]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def known_fields(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn plain data back into the arguments of a config class; refuse what it does not know."""
    unknown = sorted(set(values) - {field.name for field in fields(kind)})
    if unknown:
        name = kind.__name__.removesuffix("Config")
        raise ValueError(f"unknown {name} settings: {', '.join(unknown)}")
    stages = values.get("stages", kind.stages)
    return {**values, "stages": tuple(s if isinstance(s, Stage) else Stage(**s) for s in stages)}


def changed_fields(config: Any) -> dict[str, Any]:
    """Return of a config what differs from its class's defaults, the paper's, as JSON-able plain data."""
    defaults = type(config)().to_dict()
    return {name: value for name, value in config.to_dict().items() if value != defaults[name]}
