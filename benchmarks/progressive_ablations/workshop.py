"""Progressive's variants at work: its tables of scores, its study, and how a picture of it is scored."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from benchmarks.ablations.material import judge
from benchmarks.ablations.pairs import COSTS, PairWorkshop
from benchmarks.ablations.scoring import average, picture_scores, standard
from benchmarks.ablations.study import Experiment, Study
from benchmarks.progressive_ablations.paper import CLAIMS, PAPER, TABLE
from benchmarks.progressive_ablations.variants import SIZE, VARIANTS, Variant
from pgt.data.person import Pair, PairBatch
from pgt.models.progressive import ProgressiveGenerator

_PICTURES = ("ssim", "local_ssim", "ms_ssim", "mask_ssim", "foreground_l1", "pckh", "sharpness")
SCORES = {
    **standard(*_PICTURES),
    "local_excess": ("local-SSIM less SSIM ↑", 3, "more"),  # grows where local-SSIM gains more than SSIM
    **COSTS,
}
_SHOWN = (*_PICTURES, *COSTS)
EXPERIMENTS = (
    Experiment(
        "table1",
        "Table 1: local perceptual loss (LPL), progressive training (PT), local discriminators (LD)",
        {
            "Baseline": "baseline",
            "LPL": "lpl",
            "PT": "pt",
            "PT+LPL": "pt-lpl",
            "PT+LPL+LD": "pt-lpl-ld",
            "PT+LPL+LD, LPL at the finest level too (ours)": "pt-lpl-ld-both",
        },
        _SHOWN,
        (TABLE,),
    ),
    Experiment(
        "descriptors",
        "Fig. 4: the number of local descriptors",
        {"0 (PT)": "pt", "18 (PT+LPL)": "pt-lpl", "31": "descriptors-31", "44": "descriptors-44"},
        _SHOWN,
    ),
)
STUDY = Study(
    "progressive",
    "benchmarks.progressive_ablations",
    VARIANTS,
    EXPERIMENTS,
    CLAIMS,
    PAPER,
    SCORES,
    SIZE,
)


class ProgressiveWorkshop(PairWorkshop):
    """Makes the variants of Progressive, in studios: the paper takes the background away."""

    study, scene = STUDY, "plain"

    def score(
        self, variant: Variant, seed: int, generator: ProgressiveGenerator, folder: Path
    ) -> dict[str, float]:
        """Score what a variant draws at its finest level."""
        estimator = judge()

        def score_batch(chunk: Sequence[Pair], batch: PairBatch) -> dict[str, Tensor]:
            values = picture_scores(draw(generator, batch), chunk, estimator, _PICTURES)
            return values | {"local_excess": values["local_ssim"] - values["ssim"]}

        return average(self.people.pairs, generator, score_batch) | self.costs(variant, folder)


def draw(generator: ProgressiveGenerator, batch: PairBatch) -> Tensor:
    """Draw the targets, (B, 3, H, W), clipped to [-1, 1]."""
    target = batch.target_keypoints, batch.target_visible
    source = batch.source_keypoints, batch.source_visible
    return generator(batch.source, *target, *source).generated.clamp(-1, 1)
