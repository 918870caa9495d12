"""One metric's values on a batch, and what all metrics ask of their pictures."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Score:
    """One metric's values on a batch.

    A picture for which the metric is undefined (an empty mask, no visible joint) has NaN and does not count.
    """

    name: str
    values: Tensor  # (B,) float64
    protocol: Mapping[
        str, str | float | int
    ]  # everything another implementation needs to get the same numbers

    @property
    def mean(self) -> float:
        """Mean over the pictures for which the metric is defined; NaN if there is none."""
        return float(self.values.nanmean())


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean (B,) over channels and the mask's pixels; NaN where the mask is empty."""
    mask = double(mask)
    return (values * mask).sum((1, 2, 3)) / (mask.sum((1, 2, 3)) * values.shape[1])


def double(values: Tensor) -> Tensor:
    """Return float64 values, on the CPU where the device has none."""
    return (values.cpu() if values.device.type == "mps" else values).double()  # Apple's GPU has no float64


def check_pair(generated: Tensor, target: Tensor, mask: Tensor | None = None) -> None:
    """Refuse pictures, or a mask, that do not belong together."""
    if generated.shape != target.shape or generated.ndim != 4:
        raise ValueError(
            f"two (B, C, H, W) of one shape are needed; got {generated.shape} and {target.shape}."
        )
    if mask is not None and mask.shape != (len(target), 1, *target.shape[-2:]):
        raise ValueError(
            f"the mask must be (B, 1, H, W) for pictures {tuple(target.shape)}; got {tuple(mask.shape)}."
        )
