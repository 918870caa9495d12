"""Non-local blocks: every place of a feature map looks at every other one (Wang et al., CVPR 2018)."""

import torch.nn.functional as F
from torch import Tensor, nn

from pgt.layers.conv_norm import batch_norm_or


class NonLocalBlock(nn.Module):
    """x + norm(W y), where y_i is the sum over all places j of softmax_j(theta(x_i) . phi(x_j)) g(x_j).

    The embedded Gaussian of Wang et al. 2018, Eq. 1, 4 and 6. A fresh block changes nothing, as there: the
    last weights are zero. MR-Net's released code puts a ReLU behind that zero norm; the ReLU's gradient at 0
    is 0, so those blocks can never learn to add anything. Here is none.

    Args:
        channels: width of input and output.
        reduction: theta, phi and g are so many times narrower.
        norm: as for `ConvNorm`.
    """

    def __init__(self, channels: int, reduction: int = 4, norm: str = "batch") -> None:
        super().__init__()
        inner = max(1, channels // reduction)
        self.query, self.key, self.value = (nn.Conv2d(channels, inner, 1) for _ in range(3))  # theta, phi, g
        self.output = nn.Conv2d(inner, channels, 1)  # W
        self.norm = batch_norm_or(norm, channels)
        self.start_as_identity()

    def start_as_identity(self) -> None:
        """Make the block add nothing: by its norm's scale, or by W where there is no norm."""
        last = self.output if isinstance(self.norm, nn.Identity) else self.norm
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) -> (B, channels, H, W)."""
        query, key, value = (
            layer(x).flatten(2).transpose(1, 2).unsqueeze(1) for layer in (self.query, self.key, self.value)
        )  # (B, 1, H * W, inner)
        seen = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        return x + self.norm(self.output(seen.squeeze(1).transpose(1, 2).unflatten(2, x.shape[2:])))
