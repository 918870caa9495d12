"""Non-local blocks: the equation, and that a fresh one changes nothing and yet can learn."""

import math

import pytest
import torch
from torch import nn

from pgt.layers.non_local import NonLocalBlock

NORMS = ["batch", "instance", "none"]


def block(norm: str = "none") -> NonLocalBlock:
    """A block whose last weights are not zero."""
    torch.manual_seed(0)
    made = NonLocalBlock(8, reduction=4, norm=norm)
    for layer in (made.output, made.norm):
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight)
    if norm != "none":
        nn.init.ones_(made.norm.weight)
    return made


def test_equals_a_loop_over_places():
    """Wang et al. 2018, Eq. 1 with the embedded Gaussian of Eq. 4, and the residual of Eq. 6."""
    made, x = block(), torch.randn(2, 8, 3, 4)
    with torch.no_grad():  # numbers to compare
        theta, phi, g = (layer(x).flatten(2) for layer in (made.query, made.key, made.value))
        weight, bias, drawn = made.output.weight[:, :, 0, 0], made.output.bias, made(x).flatten(2)
    for b in range(2):
        for i in range(12):
            scores = [math.exp(float(theta[b, :, i] @ phi[b, :, j])) for j in range(12)]
            y = sum(score / sum(scores) * g[b, :, j] for j, score in enumerate(scores))
            z = weight @ y + bias + x.flatten(2)[b, :, i]
            torch.testing.assert_close(drawn[b, :, i], z, atol=1e-5, rtol=1e-5)


def test_every_place_sees_every_other():
    x = torch.randn(1, 8, 5, 7, requires_grad=True)
    (gradient,) = torch.autograd.grad(block()(x)[0, :, 0, 0].sum(), x)
    assert (gradient.abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize("norm", NORMS)
def test_a_fresh_block_changes_nothing(norm):
    x = torch.randn(2, 8, 4, 6)
    assert torch.equal(NonLocalBlock(8, norm=norm)(x), x)


@pytest.mark.parametrize("norm", NORMS)
def test_a_fresh_block_learns(norm):
    """Trap of the released code: a ReLU behind the zero norm has no gradient, so nothing ever moves."""
    torch.manual_seed(0)
    made, x = NonLocalBlock(8, norm=norm), torch.randn(2, 8, 4, 6)
    last = made.output if norm == "none" else made.norm
    with_relu = x + torch.relu(made(x) - x)
    for drawn, moves in ((with_relu, False), (made(x), True)):
        (gradient,) = torch.autograd.grad((drawn * torch.randn_like(x)).sum(), last.weight)
        assert gradient.any() == moves


def test_theta_phi_and_g_are_narrower():
    made = NonLocalBlock(64, reduction=4)
    assert {layer.out_channels for layer in (made.query, made.key, made.value)} == {16}
    assert NonLocalBlock(2, reduction=4).query.out_channels == 1
