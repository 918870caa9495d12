"""Convolution, norm and ReLU, with the size halved or doubled on the way: the layer MR-Net is made of."""

import torch.nn.functional as F
from torch import Tensor, nn

from pgt.layers.skip_unet import make_norm


class ConvNorm(nn.Module):
    """ReLU(norm(conv(x))) of stride 1, and a resampling behind it or before it.

    Args:
        in_channels, out_channels: widths before and after.
        kernel_size: of the convolution.
        norm: "batch", or a kind of `make_norm`.
        resample: "down", a 2x2 max pooling; "up", each pixel repeated 2x2; or None.
        first: whether to resample before the convolution.
        dilation: rate of the convolution.
        padding: on each side; by default what keeps the size.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        norm: str = "batch",
        resample: str | None = None,
        first: bool = False,
        dilation: int = 1,
        padding: int | None = None,
    ) -> None:
        super().__init__()
        padding = dilation * (kernel_size // 2) if padding is None else padding
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, dilation=dilation)
        self.norm = batch_norm_or(norm, out_channels)
        self.resample, self.first = resample, first

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H', W')."""
        if self.first:
            x = resampled(x, self.resample)
        x = F.relu_(self.norm(self.conv(x)))
        return x if self.first else resampled(x, self.resample)


def batch_norm_or(norm: str, channels: int) -> nn.Module:
    """Build "batch" normalisation, or another kind by `make_norm`."""
    return nn.BatchNorm2d(channels) if norm == "batch" else make_norm(norm, channels)


def resampled(x: Tensor, how: str | None) -> Tensor:
    """Halve ("down", the largest of 2x2), double ("up", each pixel repeated) or keep (None) the size."""
    if how == "down":
        return F.max_pool2d(x, 2)
    return F.interpolate(x, scale_factor=2, mode="nearest") if how == "up" else x
