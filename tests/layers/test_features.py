"""Perceptual features: what VGG is fed, and which layers come back."""

import pytest
import torch
from torch import nn

from pgt.layers.features import EncoderFeatures, VGG16Features


@pytest.fixture
def vgg() -> VGG16Features:
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    return VGG16Features(torchvision.models.vgg16(weights=None).features)


def test_vgg_gives_conv1_2_and_conv2_1(vgg):
    first, second = vgg(torch.rand(2, 3, 32, 16) * 2 - 1)
    assert (first.shape, second.shape) == ((2, 64, 32, 16), (2, 128, 16, 8))
    assert min(first.min(), second.min()) >= 0  # after their ReLU


def test_vgg_is_fed_what_imagenet_networks_were_trained_on(vgg):
    """Trap of the released code: pictures in [-1, 1] must become [0, 1] before ImageNet's mean and std."""
    seen = []
    vgg.first[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    for value in (-1.0, 0.0, 1.0):
        vgg(torch.full((1, 3, 8, 8), value))
        torch.testing.assert_close(seen[-1][0, :, 0, 0], ((value + 1) / 2 - mean) / std)


def test_features_pass_gradients_and_keep_their_weights(vgg):
    encoder = EncoderFeatures(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 4, 2, 1), slope=0.2)
    for features in (vgg, encoder):
        image = torch.rand(1, 3, 16, 16, requires_grad=True)
        sum(one.square().mean() for one in features(image)).backward()
        assert image.grad.any()
        assert not any(parameter.requires_grad for parameter in features.parameters())


def test_without_imagenet_weights_one_sentence_names_the_way_out(monkeypatch):
    torchvision = pytest.importorskip("torchvision")

    def offline(weights):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models, "vgg16", offline)
    with pytest.raises(OSError, match="choose the features 'human-parser'"):
        VGG16Features.pretrained()
