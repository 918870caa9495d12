"""Perceptual features: what VGG is fed, and which layers come back."""

import pytest
import torch
from torch import nn

from pgt.layers.features import (
    VGG16_TAPS,
    VGG19_RELEASED_TAPS,
    VGG19_TAPS,
    EncoderFeatures,
    EncoderPyramid,
    VGG16Features,
    VGGPyramid,
)
from pgt.layers.skip_unet import SLOPE, DownEncoder


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


# --- five levels ---


@pytest.fixture(scope="module")
def vgg19() -> nn.Sequential:
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    return torchvision.models.vgg19(weights=None).features


def literal_levels(layers: nn.Sequential, image: torch.Tensor, wanted: tuple[str, ...]) -> list[torch.Tensor]:
    """The features named like "relu3_3": the third ReLU after two poolings."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x, block, number, found = ((image + 1) / 2 - mean.view(3, 1, 1)) / std.view(3, 1, 1), 1, 0, {}
    for layer in layers:
        if isinstance(layer, nn.MaxPool2d):
            block, number = block + 1, 0
        number += isinstance(layer, nn.Conv2d)
        x = torch.relu(x) if isinstance(layer, nn.ReLU) else layer(x)
        kind = {nn.Conv2d: "conv", nn.ReLU: "relu"}.get(type(layer), "pool")
        found[f"{kind}{block}_{number}"] = x
    return [found[name] for name in wanted]


@pytest.mark.parametrize(
    ("taps", "names"),
    [
        (VGG19_TAPS, ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")),
        (VGG19_RELEASED_TAPS, ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")),
    ],
)
def test_vgg19_gives_the_layers_of_the_paper_and_of_the_released_code(vgg19, taps, names):
    """Trap of the released code: a ReLU in place would write over the features before it."""
    image = torch.rand(2, 3, 64, 32) * 2 - 1
    levels = VGGPyramid(vgg19, taps)(image)
    assert [tuple(level.shape[1:]) for level in levels] == [
        (64, 64, 32), (128, 32, 16), (256, 16, 8), (512, 8, 4), (512, 4, 2)
    ]  # fmt: skip
    for ours, theirs in zip(levels, literal_levels(vgg19, image, names), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


def test_vgg16_has_the_same_five_layers():
    torchvision = pytest.importorskip("torchvision")
    layers, image = torchvision.models.vgg16(weights=None).features, torch.rand(1, 3, 32, 32) * 2 - 1
    names = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
    levels = zip(VGGPyramid(layers, VGG16_TAPS)(image), literal_levels(layers, image, names), strict=True)
    for ours, theirs in levels:
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


def test_an_encoder_gives_five_levels_after_their_activation():
    encoder, image = DownEncoder(3, (4, 5, 6, 7, 8, 9), "none"), torch.rand(2, 3, 64, 32, requires_grad=True)
    levels = EncoderPyramid(encoder, SLOPE)(image)
    assert [tuple(level.shape[1:]) for level in levels] == [
        (4, 64, 32), (5, 32, 16), (6, 16, 8), (7, 8, 4), (8, 4, 2)
    ]  # fmt: skip
    for level, raw in zip(levels, encoder(image), strict=False):
        torch.testing.assert_close(level, torch.where(raw > 0, raw, SLOPE * raw))
    sum(level.square().mean() for level in levels).backward()
    assert image.grad.any()
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


@pytest.mark.parametrize("name", ["vgg16", "vgg19", "vgg19-released"])
def test_five_levels_without_imagenet_weights_name_the_way_out(monkeypatch, name):
    torchvision = pytest.importorskip("torchvision")

    def offline(weights):
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models, name.removesuffix("-released"), offline)
    with pytest.raises(OSError, match="choose the features 'human-parser'"):
        VGGPyramid.pretrained(name)
