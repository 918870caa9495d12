"""A small network that labels every pixel of a person: parsing for pictures that come without, and features.

A U-Net of the SPT family, trained on synthetic people. The first two levels of its encoder also serve as the
perceptual features of the content and style losses where ImageNet's VGG cannot be had.

Known weakness: it takes right for left on people seen from behind, and knows photographs only by chance.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn
from torch.nn import functional as F

from pgt.config import PUBLIC_HOME, HumanParserConfig
from pgt.data.parsing import NUM_LABELS
from pgt.data.pose import PoseEncoding
from pgt.layers.features import EncoderFeatures, EncoderPyramid
from pgt.layers.skip_unet import SLOPE, DownEncoder, UpDecoder, initialise_unet


class HumanParser(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="pgt",
    tags=["image-segmentation", "human-parsing"],
    license="mit",
    repo_url=PUBLIC_HOME or None,
):
    """Label the pixels of one person with the 10 labels of `pgt.data.parsing`.

    Args:
        settings: the fields of a `HumanParserConfig` as plain data; `from_config` takes the config itself.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = config = HumanParserConfig.from_dict(settings)
        self.pose_encoding = PoseEncoding()  # not read: a parser sees pictures alone
        self.encoder = DownEncoder(3, config.widths, "none")
        self.decoder = UpDecoder(config.widths, 1, NUM_LABELS, "none")
        initialise_unet(self, "he")

    @classmethod
    def from_config(cls, config: HumanParserConfig) -> "HumanParser":
        """Build a network with fresh weights."""
        return cls(settings=config.to_dict())

    def forward(self, image: Tensor) -> Tensor:
        """Look at pictures (B, 3, H, W) in [-1, 1], of any size: (B, 10, H, W) logits of the labels."""
        height, width = image.shape[-2:]
        step = 2 ** (len(self.config.widths) - 1)
        padded = F.pad(image, (0, -width % step, 0, -height % step), mode="replicate")
        logits = self.decoder([[level] for level in self.encoder(padded)])
        return logits[..., :height, :width]

    def features(self) -> EncoderFeatures:
        """Return a frozen copy of the first two levels, as perceptual features."""
        encoder = deepcopy(self.encoder)
        return EncoderFeatures(encoder.stem, encoder.downs[0], SLOPE)

    def pyramid(self) -> EncoderPyramid:
        """Return a frozen copy of the encoder, as perceptual features of five levels."""
        return EncoderPyramid(deepcopy(self.encoder), SLOPE)

    @torch.inference_mode()
    def find_labels(self, image: Tensor) -> Tensor:
        """Label pictures (B, 3, H, W) in [-1, 1], on any device: (B, H, W) int64."""
        weight = self.decoder.output.weight
        return self(image.to(weight.device).contiguous(memory_format=torch.channels_last)).argmax(dim=1)
