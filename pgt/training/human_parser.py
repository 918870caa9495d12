"""How the human parser learns: the label of every pixel in both pictures of each pair."""

import torch
from torch import Tensor
from torch.nn import functional as F

from pgt.config import HumanParserConfig
from pgt.data.parsing import COLORS
from pgt.data.person import PairBatch, uint8_to_signed
from pgt.models.human_parser import HumanParser
from pgt.training.judge import JudgeRecipe, soften


class HumanParserRecipe(JudgeRecipe):
    """The parser's network, optimiser and training step.

    Args:
        config: sizes and rates.
        device: where to train; `prepare` overrides it.
    """

    def __init__(self, config: HumanParserConfig, device: torch.device | str = "cpu") -> None:
        super().__init__(HumanParser.from_config(config), device)
        self._weights = torch.tensor(config.label_weights)

    def loss(self, batch: PairBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted cross-entropy, and "accuracy": the share of pixels labelled right."""
        labels = torch.cat([batch.source_parsing, batch.target_parsing]).argmax(dim=1)
        image = soften(torch.cat([batch.source, batch.target]))
        with self._runner.autocast():
            logits = self._net(image).float()
        loss = F.cross_entropy(logits, labels, self._weights.to(logits.device))
        return loss, {"ce": loss, "accuracy": (logits.detach().argmax(dim=1) == labels).float().mean()}

    def sample(self, batch: PairBatch) -> dict[str, Tensor]:
        """Draw the labels found in the source, (B, 3, H, W) in [-1, 1]."""
        found = self.nets["ema"].find_labels(batch.source)
        return {"parsing": uint8_to_signed(torch.from_numpy(COLORS)[found.cpu()]).to(found.device)}
