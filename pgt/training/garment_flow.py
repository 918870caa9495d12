"""How the appearance flow of garment transfer learns: a garment of one person, seen in two pictures.

Pairs of the same person are enough: the garment's pixels in the source picture, moved, must give those of the
target picture inside the garment's mask there. The paper (Progressive, 2020) does not say how it trains.
"""

import torch
from torch import Tensor, nn

from pgt.config import GarmentFlowConfig
from pgt.data.person import PairBatch
from pgt.layers.compositing import composite
from pgt.losses import flow_variation_loss, masked_l1_loss, perceptual_loss
from pgt.models.garment_flow import (
    GARMENTS,
    GarmentFlowNetwork,
    continue_garment,
    garment_mask,
    warp_by_flow,
)
from pgt.training.judge import JudgeRecipe
from pgt.training.runner import StepRunner

LEAST = 1 / 400  # of the picture: a smaller garment teaches nothing


class GarmentFlowRecipe(JudgeRecipe):
    """The flow network, its optimiser and training step; trained by one loss, as the judges are.

    Args:
        config: sizes, losses and rates.
        features: pictures in [-1, 1] -> feature maps, for the perceptual loss; stands still.
        device: where to train; `prepare` overrides it.
    """

    def __init__(
        self, config: GarmentFlowConfig, features: nn.Module, device: torch.device | str = "cpu"
    ) -> None:
        super().__init__(GarmentFlowNetwork.from_config(config), device)
        self._features = features.requires_grad_(False).eval()

    def prepare(self, accelerator: StepRunner) -> None:
        """Move and wrap for the accelerator's device."""
        super().prepare(accelerator)
        self._features.to(accelerator.device, memory_format=torch.channels_last)

    def loss(self, batch: PairBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum, and its terms: pixels, features and variation of the flow.

        One garment is drawn for each pair, of those that both pictures show (the global random numbers). The
        alignment of the bodies is no variation: only what the network adds to it should be smooth.
        """
        shared = _shared_garments(batch)
        reference, target = _masks(batch, torch.rand(shared.shape, device=shared.device) * shared)
        with self._runner.autocast():
            flow, aligned = self._net(batch.source, reference, target, *_joints(batch))
        cloth = warp_by_flow(continue_garment(batch.source, reference), flow)
        with self._runner.autocast():
            drawn = self._features(composite(cloth, batch.target, target))
            true = self._features(batch.target)
        terms = {
            "l1": masked_l1_loss(cloth, batch.target, target),
            "perceptual": perceptual_loss(drawn, true),
            "variation": flow_variation_loss(flow - aligned),
        }
        return sum(getattr(self.config, f"{name}_weight") * term for name, term in terms.items()), terms

    @torch.no_grad()  # pictures to look at
    def sample(self, batch: PairBatch) -> dict[str, Tensor]:
        """Draw the largest garment that both pictures show, moved onto the target, (B, 3, H, W) in [-1, 1].

        "garment" is on white, "dressed" in the target's picture.
        """
        reference, target = _masks(batch, _shared_garments(batch) * _areas(batch)[1])
        flow, _ = self.nets["ema"](batch.source, reference, target, *_joints(batch))
        cloth = warp_by_flow(continue_garment(batch.source, reference), flow)
        white = torch.ones_like(cloth)
        return {
            "garment": composite(cloth, white, target),
            "dressed": composite(cloth, batch.target, target),
        }


def _areas(batch: PairBatch) -> tuple[Tensor, Tensor]:
    """Return the share of source and target that each garment covers, (B, G) each."""
    sides = (batch.source_parsing, batch.target_parsing)
    source, target = (
        torch.stack([garment_mask(one, name).mean(dim=(1, 2, 3)) for name in GARMENTS], dim=1)
        for one in sides
    )
    return source, target


def _shared_garments(batch: PairBatch) -> Tensor:
    """Return (B, G) float: 1 where both pictures show enough of a garment."""
    source, target = _areas(batch)
    return (torch.minimum(source, target) >= LEAST).float()


def _masks(batch: PairBatch, merit: Tensor) -> tuple[Tensor, Tensor]:
    """Return the masks (B, 1, H, W) of the garment of greatest merit (B, G); empty where none is above 0."""
    best, chosen = merit.max(dim=1)
    some = (best > 0).float().view(-1, 1, 1, 1)
    masks = []
    for parsing in (batch.source_parsing, batch.target_parsing):
        every = torch.cat([garment_mask(parsing, name) for name in GARMENTS], dim=1)
        masks.append(every[torch.arange(len(every)), chosen].unsqueeze(1) * some)
    return masks[0], masks[1]


def _joints(batch: PairBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Return the joints of source and target, (B, 18, 2) each, and (B, 18) whether both are visible."""
    both = batch.source_visible & batch.target_visible
    return batch.source_keypoints, batch.target_keypoints, both
