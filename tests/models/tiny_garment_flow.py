"""An appearance-flow network of a few thousand weights."""

import torch

from pgt.config import GarmentFlowConfig, Stage
from pgt.models.garment_flow import GarmentFlowNetwork

SIZE = (32, 24)  # not square, for H and W are easily swapped
STAGE = Stage("flow", 60, SIZE, batch_size=2, lr=3e-3)
TINY_FLOW = GarmentFlowConfig(
    image_size=SIZE, crop_size=(16, 12), widths=(8, 12, 16), ema_decay=0.9, stages=(STAGE,)
)


def make_network(strength: float = 0.05) -> GarmentFlowNetwork:
    """Return an untrained network, always the same up to how strong the flow is that it makes up."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = GarmentFlowNetwork.from_config(TINY_FLOW)
    with torch.no_grad():
        network.decoder.output.weight.mul_(strength / TINY_FLOW.output_scale)
    return network.eval()


def box_mask(size: tuple[int, int], x1: int, y1: int, x2: int, y2: int) -> torch.Tensor:
    """Return a mask (1, 1, H, W) that is 1 in a box of pixels."""
    mask = torch.zeros(1, 1, *size)
    mask[..., y1:y2, x1:x2] = 1
    return mask
