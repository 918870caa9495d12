"""The arithmetic of user studies: shares of answers, their mean and variance over people, and intervals.

No tensors and no library: a study has some thousand answers at most.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Judgement:
    """What one picture is, and what somebody took it for."""

    is_real: bool
    judged_real: bool


@dataclass(frozen=True)
class Estimate:
    """A share over several participants; everything is NaN where nobody answered."""

    mean: float
    variance: float  # of the participants' shares; NaN for a single one
    low: float  # of the interval around the mean
    high: float
    participants: int


def r2g(judgements: Iterable[Judgement]) -> float:
    """Return the share of real pictures that were rated as generated; NaN without any (PG2, Table 2)."""
    return _share(not one.judged_real for one in judgements if one.is_real)


def g2r(judgements: Iterable[Judgement]) -> float:
    """Return the share of generated pictures that were rated as real; NaN without any (PG2, Table 2)."""
    return _share(one.judged_real for one in judgements if not one.is_real)


def preference(chosen: Iterable[bool]) -> float:
    """Return the share of pairs in which our picture was chosen; NaN without any (SPT, Table 2)."""
    return _share(chosen)


def _share(hits: Iterable[bool]) -> float:
    values = list(hits)
    return fmean(values) if values else math.nan


def over_participants(shares: Sequence[float], trials: Sequence[int]) -> Estimate:
    """Average the participants' shares, each with the same weight.

    The variance is the unbiased one over participants: the "var" of SPT's Table 2, which "indicates how
    volunteers think differently". The interval of the mean is Student's over participants, cut to [0, 1]; of
    a single participant, whose differences to others are unknown, it is Wilson's over the trials.

    Args:
        shares: one per participant; who has answered nothing (NaN) does not count.
        trials: how many answers each share is of.
    """
    known = [(share, count) for share, count in zip(shares, trials, strict=True) if not math.isnan(share)]
    if not known:
        return Estimate(math.nan, math.nan, math.nan, math.nan, 0)
    values = [share for share, _ in known]
    if len(known) == 1:
        share, count = known[0]
        return Estimate(share, math.nan, *wilson_interval(round(share * count), count), 1)
    low, high = student_interval(values)
    return Estimate(fmean(values), variance(values), max(0.0, low), min(1.0, high), len(values))


def wilson_interval(hits: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the interval of a share of independent trials (Wilson, JASA 22, 1927, without correction).

    Raises:
        ValueError: not 0 <= hits <= trials, or no trials.
    """
    if not 0 <= hits <= trials or trials < 1:
        raise ValueError(f"{hits} of {trials} is no share.")
    z, share = NormalDist().inv_cdf((1 + confidence) / 2), hits / trials
    spread = z * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    scale, middle = 1 + z**2 / trials, share + z**2 / (2 * trials)
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def student_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the interval of the mean of independent values (Student, Biometrika 6, 1908).

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:
        raise ValueError("an interval by Student's t needs at least two values.")
    quantile = student_quantile((1 + confidence) / 2, len(values) - 1)
    half = quantile * math.sqrt(variance(values) / len(values))
    return fmean(values) - half, fmean(values) + half


def student_quantile(share: float, degrees: int) -> float:
    """Return the value that a Student's t of so many degrees of freedom stays below with this probability.

    Found by bisection; `share` is at least one half and below 1.
    """
    low, high = 0.0, 1.0
    while student_cdf(high, degrees) < share:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if student_cdf(middle, degrees) < share else (low, middle)
    return high


def student_cdf(value: float, degrees: int) -> float:
    """Return the probability that Student's t is below `value` >= 0, by the finite sums for whole degrees.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan(value / math.sqrt(degrees))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    is_odd = degrees % 2 == 1
    term = math.cos(angle) if is_odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(3 if is_odd else 2, degrees - 1, 2):
        term *= square * (k - 1) / k
        total += term
    inside = 2 / math.pi * (angle + sine * total) if is_odd else sine * total
    return (1 + inside) / 2
