"""Whether a paper's claims hold here, computed from the measured scores.

Each claim is turned into a number that must be above zero, computed seed by seed: all variants of a seed are
trained and scored on the same people and, where their networks are equal, begin with the same weights, so
differences are paired. It holds ("yes") where the whole confidence interval is above zero, does not ("no")
where it is all below, and is "undecided" where zero lies within. Each interval is taken by itself.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.ablations.results import Interval, Scores, interval, values_of
from benchmarks.ablations.study import Claim, Study, papers_words

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Finding:
    """What was measured of a claim.

    Args:
        ours, rival: the score of either, NaN where there is none.
        gain: of ours on the rival, in the direction that is better; for "below", what is left to the bound.
        margin: what is allowed to be lost; 0 for "better" and "below".
        verdict: "yes", "no", "undecided" or "not measured".
        seeds: how many the gain stands on.
    """

    ours: float
    rival: float
    gain: Interval
    margin: float
    verdict: str
    seeds: int


def examine(claim: Claim, scores: Scores, goal: str) -> Finding:
    """Decide a claim by what has been measured.

    Args:
        claim: what is said.
        scores: what was measured.
        goal: of the claim's score: "more", "less" or "one".
    """
    ours = values_of(scores, claim.ours, claim.score)
    rival = values_of(scores, claim.rival, claim.score)
    if claim.kind == "below":
        gains = {seed: claim.bound - value for seed, value in ours.items()}
    else:
        gains = gains_on(scores, claim.score, goal, claim.rival, claim.ours)
    allowed = (
        gains_on(scores, claim.score, goal, *claim.yardstick)
        if claim.yardstick
        else dict.fromkeys(gains, 0.0)
    )
    seeds = sorted(gains.keys() & allowed.keys())
    gain = interval([gains[seed] for seed in seeds])
    margin = max(0.0, interval([allowed[seed] / 2 for seed in seeds]).mean) if seeds else math.nan
    if claim.kind == "same":
        decisive = Interval(margin - abs(gain.mean), gain.half_width)
    else:
        decisive = interval([gains[seed] + allowed[seed] / 2 for seed in seeds])
    means = (interval([one[s] for s in seeds if s in one]).mean for one in (ours, rival))
    return Finding(*means, gain, margin, verdict(decisive), len(seeds))


def gains_on(scores: Scores, score: str, goal: str, rival: str, ours: str) -> dict[int, float]:
    """Return seed -> by how much `ours` is better than `rival`, for seeds that both have."""
    one, other = values_of(scores, ours, score), values_of(scores, rival, score)
    return {
        seed: goodness(goal, one[seed]) - goodness(goal, other[seed]) for seed in one.keys() & other.keys()
    }


def goodness(goal: str, value: float) -> float:
    """Turn a score so that more is better."""
    return value if goal == "more" else -value if goal == "less" else -abs(value - 1)


def verdict(decisive: Interval) -> str:
    """Say whether a number is above zero."""
    if math.isnan(decisive.mean):
        return NOT_MEASURED
    if decisive.mean - decisive.half_width > 0:
        return "yes"
    return "no" if decisive.mean + decisive.half_width < 0 else "undecided"


def to_json(study: Study, claim: Claim, finding: Finding) -> Mapping[str, object]:
    """Return a claim and its finding as JSON values."""

    def known(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "source": claim.source,
        "claim": claim.text,
        "paper": papers_words(claim, study.paper),
        "score": claim.score,
        "kind": claim.kind,
        "variants": [claim.rival, claim.ours] if claim.rival else [claim.ours],
        "yardstick": list(claim.yardstick) if claim.yardstick else None,
        "measured": {"rival": known(finding.rival), "ours": known(finding.ours)},
        "gain": known(finding.gain.mean),
        "half_width": known(finding.gain.half_width),
        "margin": known(finding.margin),
        "seeds": finding.seeds,
        "holds": finding.verdict,
    }
