"""The network phi whose layers Progressive's perceptual losses compare (2020, Eq. 2 and 3).

The paper names VGG-16, not its layers. They are relu1_2, relu2_2, relu3_3 and relu4_3, those of the losses
that it cites (Johnson et al. 2016). Pictures of any size are taken, and so are crops of a few pixels: of a
small one, fewer layers.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from pgt.layers.features import VGGPyramid
from pgt.layers.skip_unet import SLOPE, DownEncoder
from pgt.layers.small_maps import SmallMapConv, is_plain

NUM_LAYERS = 4


class PerceptualLayers(nn.Module):
    """Some layers of a frozen network, each at half the size of the one before.

    Args:
        pieces: run one after the other; the first keeps the size, every other one halves it.
        prepare: from pictures in [-1, 1] to what the first piece takes.
    """

    def __init__(self, pieces: Sequence[nn.Module], prepare: nn.Module | None = None) -> None:
        super().__init__()
        self.prepare = nn.Identity() if prepare is None else prepare
        self.pieces = nn.ModuleList(pieces)
        self.requires_grad_(False)

    @classmethod
    def of_vgg(cls, vgg: VGGPyramid) -> "PerceptualLayers":
        """Take the first four levels of `VGGPyramid.pretrained("vgg16")`."""
        pieces = [
            nn.Sequential(*(SmallMapConv(layer) if is_plain(layer) else layer for layer in piece))
            for piece in vgg.pieces[:NUM_LAYERS]
        ]
        return cls(pieces, vgg.prepare)

    @classmethod
    def of_encoder(cls, encoder: DownEncoder) -> "PerceptualLayers":
        """Take the first four levels of an encoder that was trained on pictures in [-1, 1]: the parser's.

        The modules are the encoder's own, and stand still from now on.
        """
        levels = [[encoder.stem], *([down] for down in encoder.downs)]
        for level, norm in zip(levels[1:], encoder.norms, strict=False):
            level.append(norm)
        return cls([nn.Sequential(*level, nn.LeakyReLU(SLOPE)) for level in levels[:NUM_LAYERS]])

    def forward(self, image: Tensor) -> list[Tensor]:
        """Look at pictures.

        Args:
            image: (B, 3, H, W) in [-1, 1].

        Returns:
            (B, C, h, w) per layer; a layer in which not even a pixel would be left is missing.
        """
        x, layers = self.prepare(image), []
        for piece in self.pieces:
            if layers and min(x.shape[-2:]) < 2:
                break
            x = piece(x)
            layers.append(x)
        return layers
