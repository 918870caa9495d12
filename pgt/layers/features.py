"""Frozen networks that turn pictures into features for the content, style and perceptual losses.

Each is a callable from pictures (B, 3, H, W) in [-1, 1] to feature maps, the finest first. `VGG16Features`
and `EncoderFeatures` give two: at full size, after the network's first convolutions, and at half of it
(VGG16's conv1_2 and conv2_1 in SPT, section 3.3). `VGGPyramid` and `EncoderPyramid` give five, each half as
large as the one before. Inputs are mapped to what the network was trained on.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# Positions in torchvision's `features` of relu1_2, relu2_2, relu3_3, relu4_3 and relu5_3, and, of the VGG19
# of MR-Net's released code, of conv1_2, conv2_2, conv3_2, conv4_2 and conv5_2.
VGG16_TAPS = (3, 8, 15, 22, 29)
VGG19_TAPS = (3, 8, 15, 24, 33)
VGG19_RELEASED_TAPS = (2, 7, 12, 21, 30)


class ImageNetInput(nn.Module):
    """Pictures in [-1, 1] as ImageNet's networks were trained to see them."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 3, H, W)."""
        return ((image + 1) / 2 - self.mean) / self.std


class VGG16Features(nn.Module):
    """conv1_2 and conv2_1 of VGG16, after their ReLU (Simonyan & Zisserman 2015), shapes as in the paper.

    Args:
        layers: the modules of `torchvision.models.vgg16().features`, at least the first seven.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.prepare = ImageNetInput()
        self.first, self.second = nn.Sequential(*layers[:4]), nn.Sequential(*layers[4:7])
        _freeze(self)

    @classmethod
    def pretrained(cls) -> "VGG16Features":
        """Load ImageNet's weights through torchvision, which downloads them once.

        Raises:
            OSError: the weights are not on this machine and cannot be fetched.
        """
        return cls(_imagenet_layers("vgg16"))

    def forward(self, image: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [-1, 1] -> features (B, 64, H, W) and (B, 128, H/2, W/2)."""
        first = self.first(self.prepare(image))
        return [first, self.second(first)]


class VGGPyramid(nn.Module):
    """Five levels of a VGG, for MR-Net's perceptual losses (Xu et al., TIP 2020, section IV-A).

    Args:
        layers: the modules of torchvision's `vgg19().features` or `vgg16().features`.
        taps: positions in `layers` of those whose results are wanted, ascending.
    """

    def __init__(self, layers: Sequence[nn.Module], taps: Sequence[int] = VGG19_TAPS) -> None:
        super().__init__()
        self.prepare = ImageNetInput()
        starts = [0, *(tap + 1 for tap in taps[:-1])]
        self.pieces = nn.ModuleList(
            nn.Sequential(*layers[start : tap + 1]) for start, tap in zip(starts, taps, strict=True)
        )
        _freeze(self)

    @classmethod
    def pretrained(cls, name: str = "vgg19") -> "VGGPyramid":
        """Load ImageNet's "vgg19" or "vgg16", or "vgg19-released" with the layers of MR-Net's released code.

        Raises:
            OSError: the weights are not on this machine and cannot be fetched.
        """
        taps = {"vgg19": VGG19_TAPS, "vgg19-released": VGG19_RELEASED_TAPS, "vgg16": VGG16_TAPS}[name]
        return cls(_imagenet_layers(name.removesuffix("-released")), taps)

    def forward(self, image: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [-1, 1] -> five feature maps, at 1, 1/2, ... 1/16 of the size."""
        x, levels = self.prepare(image), []
        for piece in self.pieces:
            x = piece(x)
            levels.append(x)
        return levels


class EncoderFeatures(nn.Module):
    """The first two levels of an encoder that was trained on pictures in [-1, 1], after their activation.

    Args:
        stem: (B, 3, H, W) -> (B, C, H, W).
        down: (B, C, H, W) -> (B, D, H/2, W/2).
        slope: of the leaky ReLU after each.
    """

    def __init__(self, stem: nn.Module, down: nn.Module, slope: float) -> None:
        super().__init__()
        self.stem, self.down, self.slope = stem, down, slope
        self.requires_grad_(False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [-1, 1] -> two feature maps."""
        first = F.leaky_relu(self.stem(image), self.slope)
        return [first, F.leaky_relu(self.down(first), self.slope)]


class EncoderPyramid(nn.Module):
    """Several levels of an encoder that was trained on pictures in [-1, 1], after their activation.

    Args:
        encoder: (B, 3, H, W) -> feature maps before their activation, each half as large as the one before.
        slope: of the leaky ReLU after each.
        num_levels: how many, the finest first.
    """

    def __init__(self, encoder: nn.Module, slope: float, num_levels: int = 5) -> None:
        super().__init__()
        self.encoder, self.slope, self.num_levels = encoder, slope, num_levels
        self.requires_grad_(False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [-1, 1] -> `num_levels` feature maps."""
        return [F.leaky_relu(level, self.slope) for level in self.encoder(image)[: self.num_levels]]


def _freeze(vgg: nn.Module) -> None:
    """Let weights stand still, and let no ReLU write over features that have been handed out."""
    vgg.requires_grad_(False)
    for layer in vgg.modules():
        if isinstance(layer, nn.ReLU):
            layer.inplace = False


def _imagenet_layers(name: str) -> nn.Sequential:
    """Load the convolutions of ImageNet's "vgg16" or "vgg19"; torchvision downloads the weights once."""
    from torchvision import models

    try:
        return getattr(models, name)(weights="IMAGENET1K_V1").features
    except OSError as error:
        raise OSError(
            f"ImageNet's {name.upper()} is not on this machine and could not be downloaded; choose the "
            "features 'human-parser', which are bundled."
        ) from error
