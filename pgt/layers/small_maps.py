"""3x3 convolutions of maps of a pixel or four, as deep layers see of small crops."""

import torch
from torch import Tensor, nn

LARGEST = 2  # pixels each way of a map that counts as small


class SmallMapConv(nn.Module):
    """A 3x3 convolution that multiplies nothing by the padding of small maps; the numbers are the same.

    Of nine weights a map of one pixel meets the middle one alone, a map of 2x2 four per pixel. On a CPU the
    others cost as much (`python -m benchmarks.descriptors` shows what is saved). Of larger maps, and on other
    devices, it is the convolution itself.

    Args:
        conv: 3x3, stride 1, zero padding 1. It stays the owner of its weights, pixel by pixel in memory.

    Raises:
        ValueError: another convolution.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        if not is_plain(conv):
            raise ValueError(f"only 3x3 convolutions of stride 1 and zero padding 1 are meant, not {conv}.")
        self.conv = conv.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, D, H, W)."""
        height, width = x.shape[-2:]
        if max(height, width) > LARGEST or x.device.type != "cpu":
            return self.conv(x)
        pixels, taps = x.permute(0, 2, 3, 1), self.conv.weight.permute(0, 2, 3, 1)
        bias = x.new_zeros(len(taps)) if self.conv.bias is None else self.conv.bias
        made = []
        for row in range(height):
            for column in range(width):
                # The weights that this pixel meets in a row of the map lie side by side, as its pixels do.
                first = 1 - column
                pixel = bias
                for other in range(height):
                    met = taps[:, other - row + 1, first : first + width].flatten(1)
                    pixel = torch.addmm(pixel, pixels[:, other].flatten(1), met.t())
                made.append(pixel)
        return torch.stack(made, 1).unflatten(1, (height, width)).permute(0, 3, 1, 2)


def is_plain(layer: nn.Module) -> bool:
    """Say whether a layer is a convolution that `SmallMapConv` can stand for."""
    if not isinstance(layer, nn.Conv2d):
        return False
    shape = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups, layer.padding_mode)
    return shape == ((3, 3), (1, 1), (1, 1), (1, 1), 1, "zeros")
