"""What a training step needs of `accelerate.Accelerator`, and the plain thing that stands in for one."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class StepRunner(Protocol):
    """The part of `accelerate.Accelerator` that a step needs."""

    device: torch.device
    sync_gradients: bool  # False while gradients are still being accumulated

    def prepare(self, *things: Any) -> Any:
        """Wrap a network or an optimiser for the device, its precision and the other processes."""

    def backward(self, loss: Tensor) -> None:
        """Add the loss's gradients to the parameters."""

    def autocast(self) -> AbstractContextManager:
        """Compute in the chosen precision."""

    def clip_grad_norm_(self, parameters: Any, max_norm: float) -> Any:
        """Shorten the gradient to `max_norm`."""


class PlainRunner:
    """One device, float32, nothing wrapped: what a recipe uses until it is given an Accelerator."""

    sync_gradients = True

    def __init__(self, device: torch.device | str) -> None:
        self.device = torch.device(device)

    def prepare(self, *things: Any) -> Any:
        """Give back what came."""
        return things[0] if len(things) == 1 else things

    def backward(self, loss: Tensor) -> None:
        """Add the loss's gradients to the parameters."""
        loss.backward()

    def autocast(self) -> AbstractContextManager:
        """Compute in float32."""
        return nullcontext()

    def clip_grad_norm_(self, parameters: Any, max_norm: float) -> Tensor:
        """Shorten the gradient to `max_norm`."""
        return nn.utils.clip_grad_norm_(parameters, max_norm)
