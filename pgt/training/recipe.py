"""What the engine asks of an approach."""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor, nn

from pgt.config import Stage
from pgt.data.person import PairBatch


class Recipe(Protocol):
    """How one approach learns: its networks, its optimisers, and what one step does with a batch."""

    config: Any  # the approach's frozen dataclass
    nets: nn.ModuleDict  # "generator" is what is deployed; "ema" its moving average, where there is one

    def prepare(self, accelerator: Any) -> None:
        """Move and wrap networks and optimisers for the device; called once, before anything else."""

    def set_lr(self, stage: Stage, step: int) -> None:
        """Set the learning rates for a step of a stage, counted from the stage's beginning."""

    def train_step(self, batch: PairBatch, stage: Stage) -> dict[str, Tensor]:
        """Move the weights once and return the scalars to log; backward by the prepared accelerator."""

    def sample(self, batch: PairBatch) -> dict[str, Tensor]:
        """Return named pictures (B, 3, H, W) in [-1, 1]; must not change any state."""

    def deployable(self) -> nn.Module:
        """Return the model that is saved for use: it has `config` and `pose_encoding`."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything that training moves, as tensors and plain containers."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
