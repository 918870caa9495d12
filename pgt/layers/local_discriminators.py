"""The local discriminators of Progressive (2020, section 3.2, Fig. 6)."""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class LocalDiscriminator(nn.Module):
    """Judges pairs of crops: do both show the same part of the same person?

    Stride-2 4x4 convolutions with LeakyReLU(0.2) double the width up to eight times the first and halve the
    size until 2 pixels are left, where each has one value; their mean is the logit. So ends the network of
    Fig. 6. The text gives neither widths nor norms, nor whether the regions share one network.

    Args:
        crop_size: (h, w) of the crops.
        num_regions: 1 for one network for all regions; N for one per region.
        base_channels: width of the first convolution.
        norm: "instance" (on all convolutions but the first and last), "spectral" (on every layer) or "none".
    """

    def __init__(
        self,
        crop_size: tuple[int, int],
        num_regions: int = 1,
        *,
        base_channels: int = 64,
        norm: str = "instance",
    ) -> None:
        super().__init__()
        self.num_regions = num_regions
        num_layers = max(1, round(math.log2(max(crop_size) / 2)))
        widths = [base_channels * min(2**i, 8) for i in range(num_layers - 1)]
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(zip([6, *widths], [*widths, 1], strict=True)):
            # The networks of several regions run as groups of channels side by side.
            channels = num_regions * before, num_regions * after
            layers.append(nn.Conv2d(*channels, 4, stride=2, padding=1, groups=num_regions))
            if i < num_layers - 1:
                if norm == "instance" and i > 0:
                    layers.append(nn.InstanceNorm2d(channels[1]))
                layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
                if norm == "spectral":
                    spectral_norm(layer)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Judge pairs of crops.

        Args:
            first, second: (B * N, 3, h, w) in [-1, 1], picture after picture, its N regions in order; N is
                `num_regions`, or any number for a shared network.

        Returns:
            (B * N,) logits; above 0 means real.
        """
        pairs = torch.cat([first, second], dim=1)
        grouped = pairs.reshape(-1, self.num_regions * pairs.shape[1], *pairs.shape[2:])
        return self.layers(grouped).unflatten(1, (self.num_regions, -1)).mean(dim=(2, 3, 4)).flatten()
