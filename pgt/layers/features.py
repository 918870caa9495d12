"""Frozen networks that turn pictures into features for the content and style losses.

Each is a callable from pictures (B, 3, H, W) in [-1, 1] to two feature maps: one at full size, after the
network's first convolutions, and one at half of it (VGG16's conv1_2 and conv2_1 in SPT, section 3.3). Inputs
are mapped to what the network was trained on.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class VGG16Features(nn.Module):
    """conv1_2 and conv2_1 of VGG16, after their ReLU (Simonyan & Zisserman 2015), shapes as in the paper.

    Args:
        layers: the modules of `torchvision.models.vgg16().features`, at least the first seven.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.first, self.second = nn.Sequential(*layers[:4]), nn.Sequential(*layers[4:7])
        for layer in self.modules():
            if isinstance(layer, nn.ReLU):
                layer.inplace = False
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)

    @classmethod
    def pretrained(cls) -> "VGG16Features":
        """Load ImageNet's weights through torchvision, which downloads them once.

        Raises:
            OSError: the weights are not on this machine and cannot be fetched.
        """
        from torchvision.models import VGG16_Weights, vgg16

        try:
            network = vgg16(weights=VGG16_Weights.IMAGENET1K_V1)
        except OSError as error:
            raise OSError(
                "ImageNet's VGG16 is not on this machine and could not be downloaded; choose the features "
                "'human-parser', which are bundled."
            ) from error
        return cls(network.features)

    def forward(self, image: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [-1, 1] -> features (B, 64, H, W) and (B, 128, H/2, W/2)."""
        first = self.first(((image + 1) / 2 - self.mean) / self.std)
        return [first, self.second(first)]


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
