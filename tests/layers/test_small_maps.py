"""Convolutions of maps of one to four pixels: torch's numbers, without its multiplications by padding."""

import pytest
import torch
from torch import nn

from pgt.layers.small_maps import LARGEST, SmallMapConv, is_plain


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (5, 4)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_numbers_and_gradients_are_torchs(size, bias, layout):
    torch.manual_seed(0)
    conv = nn.Conv2d(5, 7, 3, padding=1, bias=bias).double().requires_grad_(False)
    x = torch.randn(3, 5, *size, dtype=torch.float64).contiguous(memory_format=layout).requires_grad_()
    expected = conv(x)
    direction = torch.randn_like(expected)
    (wanted,) = torch.autograd.grad(expected, x, direction)
    made = SmallMapConv(conv)(x)
    torch.testing.assert_close(made, expected)
    torch.testing.assert_close(torch.autograd.grad(made, x, direction)[0], wanted)


def test_small_maps_are_not_convolved_and_larger_ones_are(monkeypatch):
    layer, seen = SmallMapConv(nn.Conv2d(2, 2, 3, padding=1)), []
    layer.conv.register_forward_hook(lambda _module, arguments, _made: seen.append(arguments[0].shape[-2:]))
    for side in (1, LARGEST, LARGEST + 1):
        layer(torch.rand(1, 2, side, side))
    assert seen == [(LARGEST + 1, LARGEST + 1)]


@pytest.mark.parametrize(
    "other",
    [
        nn.Conv2d(2, 2, 1),
        nn.Conv2d(2, 2, 3),
        nn.Conv2d(2, 2, 3, padding=1, stride=2),
        nn.Conv2d(2, 2, 3, padding=2, dilation=2),
        nn.Conv2d(2, 2, 3, padding=1, groups=2),
        nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"),
        nn.ReLU(),
    ],
)
def test_other_layers_are_refused(other):
    assert not is_plain(other)
    with pytest.raises(ValueError, match="only 3x3 convolutions"):
        SmallMapConv(other)
