"""MR-Net's variants at work: its tables of scores, its study, and how a picture of it is scored."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from benchmarks.ablations.material import judge
from benchmarks.ablations.pairs import COSTS, PairWorkshop
from benchmarks.ablations.results import Settings
from benchmarks.ablations.scoring import (
    BACKGROUND,
    COLOUR,
    average,
    background_scores,
    colour_scores,
    picture_scores,
    standard,
)
from benchmarks.ablations.study import Experiment, Study
from benchmarks.mrnet_ablations.paper import BBC, CLAIMS, MARKET, PAPER, PENN
from benchmarks.mrnet_ablations.variants import PAPER_LAMBDAS, SIZE, VARIANTS, Variant
from pgt.data.person import Pair, PairBatch
from pgt.models.mrnet import MRNetGenerator

_PICTURES = ("ssim", "mask_ssim", "foreground_ssim", "foreground_l1", "psnr", "pckh", "sharpness")
SCORES = {**standard(*_PICTURES), **BACKGROUND, **COLOUR, **COSTS}
_USED = (*_PICTURES, *COLOUR, "hole_l1", "background_l1")
_SHOWN = (*_USED, *COSTS)
EXPERIMENTS = (
    Experiment(
        "rounds",
        "Tables III and IV: rounds of refinement, trained and used",
        {"1 round": "rounds-1", "2 rounds": "rounds-2", "3 rounds (full)": "full", "5 rounds": "rounds-5"},
        _SHOWN,
        (PENN, BBC, MARKET),
    ),
    Experiment(
        "unblended",
        "Rounds without our blending",
        {"1 round": "unblended-1", "3 rounds": "unblended-3"},
        _SHOWN,
    ),
    Experiment(
        "used-rounds",
        "Rounds used after another number was trained",
        {f"trained with 3, used {times}": f"full-used-{times}" for times in (1, 2)}
        | {"trained with 3, used 3": "full"}
        | {f"trained with 3, used {times}": f"full-used-{times}" for times in (5, 10)}
        | {"trained with 1, used 1": "rounds-1", "trained with 1, used 3": "rounds-1-used-3"}
        | {f"unblended, trained with 3, used {times}": f"unblended-3-used-{times}" for times in (1, 2)}
        | {"unblended, trained with 3, used 3": "unblended-3"},
        _USED,
    ),
    Experiment(
        "parts",
        "Tables III and IV: the RoI loss, paths, non-local blocks",
        {
            "without RoI loss": "no-roi",
            "one path": "one-path",
            "without non-local": "no-non-local",
            "full": "full",
        },
        _SHOWN,
    ),
    Experiment(
        "ours",
        "Not the paper's: E_fg also sees the part warp, D also the person's mean features",
        {
            "neither": "no-help",
            "mean features": "no-warped-input",
            "part warp": "no-appearance-code",
            "both (full)": "full",
        },
        _SHOWN,
    ),
    Experiment(
        "weights",
        "Tables III and IV: lambda_1 and lambda_2, relative to features as the paper has them",
        {
            f"{perceptual:g}, {roi:g}": name
            for name, (perceptual, roi) in {
                "lambda1-0": (0.0, 0.05),
                "lambda1-0.1": (0.1, 0.05),
                "full": PAPER_LAMBDAS,
                "lambda2-0.15": (0.5, 0.15),
                "lambda2-0.5": (0.5, 0.5),
            }.items()
        },
        _SHOWN,
    ),
)
STUDY = Study(
    "mrnet",
    "benchmarks.mrnet_ablations",
    VARIANTS,
    EXPERIMENTS,
    CLAIMS,
    PAPER,
    SCORES,
    SIZE,
)


class MRNetWorkshop(PairWorkshop):
    """Makes the variants of MR-Net, on small people in clutter."""

    study, scene = STUDY, "non_iconic"

    def settings(self, variant: Variant) -> Settings:
        """Return all that a variant's scores depend on, besides the seed, as JSON values."""
        return super().settings(variant) | {"rounds": _rounds(variant)}

    def score(self, variant: Variant, seed: int, generator: MRNetGenerator, folder: Path) -> dict[str, float]:
        """Score the last of the rounds that a variant draws."""
        estimator = judge()

        def score_batch(chunk: Sequence[Pair], batch: PairBatch) -> dict[str, Tensor]:
            generated = draw(generator, batch, _rounds(variant))
            of_people = picture_scores(generated, chunk, estimator, _PICTURES, close_up=True)
            return of_people | background_scores(generated, batch) | colour_scores(generated, batch)

        return average(self.people.pairs, generator, score_batch) | self.costs(variant, folder)


def draw(generator: MRNetGenerator, batch: PairBatch, num_rounds: int) -> Tensor:
    """Draw the targets, (B, 3, H, W) in [-1, 1]; label maps say where people are, as in training."""
    source = batch.source_keypoints, batch.source_visible
    target = batch.target_keypoints, batch.target_visible
    labels = batch.source_label_map
    return generator(batch.source, *source, *target, source_label_map=labels, num_rounds=num_rounds).generated


def _rounds(variant: Variant) -> int:
    return variant.rounds or variant.config().num_rounds
