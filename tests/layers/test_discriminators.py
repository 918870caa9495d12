"""DCGAN's discriminator: its size in the released code, its inputs, its norms."""

import pytest
import torch
from torch import nn

from pgt.layers.discriminators import Discriminator


@pytest.mark.parametrize(("size", "count"), [((128, 64), 4_324_737), ((256, 256), 10_896_257)])
def test_parameter_count_of_the_released_discriminator(size, count):
    with torch.device("meta"):
        net = Discriminator(size, num_pictures=1)
    assert sum(parameter.numel() for parameter in net.parameters()) == count


@pytest.mark.parametrize("norm", ["batch", "spectral"])
@pytest.mark.parametrize("size", [(64, 32), (32, 32)])
def test_one_logit_per_pair(norm, size):
    net = Discriminator(size, base_channels=4, norm=norm)
    assert net(torch.rand(3, 3, *size), torch.rand(3, 3, *size)).shape == (3,)


def test_batch_norm_is_on_all_convolutions_but_the_first():
    kinds = [type(layer) for layer in Discriminator((128, 64), base_channels=2).features]
    assert kinds[:2] == [nn.Conv2d, nn.LeakyReLU]
    assert kinds[2:] == [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU] * 3


def test_spectral_norm_keeps_every_layer_from_stretching():
    torch.manual_seed(0)
    net = Discriminator((32, 32), base_channels=4, norm="spectral")
    pictures = torch.rand(2, 3, 32, 32)
    for _ in range(100):  # each call takes one more step of the power iteration
        net(pictures, pictures)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item() == pytest.approx(
                1, abs=0.05
            )
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in net.modules())
