"""MR-Net's layer: in which order its pieces stand."""

import pytest
import torch
import torch.nn.functional as F

from pgt.layers.conv_norm import ConvNorm


@pytest.mark.parametrize(("resample", "size"), [("down", (4, 3)), ("up", (16, 12)), (None, (8, 6))])
@pytest.mark.parametrize("first", [True, False])
def test_the_size_changes_before_or_behind_the_convolution(resample, size, first):
    torch.manual_seed(0)
    layer, x = ConvNorm(3, 5, 5, resample=resample, first=first).eval(), torch.randn(2, 3, 8, 6)
    resized = {"down": lambda x: F.max_pool2d(x, 2), None: lambda x: x}.get(
        resample, lambda x: x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    )
    conv = F.conv2d(resized(x) if first else x, layer.conv.weight, layer.conv.bias, padding=2)
    literal = F.relu(conv / (1 + 1e-5) ** 0.5)  # a fresh batch norm
    drawn = layer(x)
    assert drawn.shape == (2, 5, *size)
    torch.testing.assert_close(drawn, literal if first else resized(literal))


@pytest.mark.parametrize("rate", [1, 2, 4, 8])
def test_dilated_convolutions_keep_the_size_unless_told_otherwise(rate):
    x = torch.zeros(1, 3, 32, 24)
    assert ConvNorm(3, 4, 3, dilation=rate)(x).shape[2:] == (32, 24)
    shrunk = ConvNorm(3, 4, 3, dilation=rate, padding=1)(x).shape[2:]
    assert shrunk == (32 - 2 * (rate - 1), 24 - 2 * (rate - 1))
