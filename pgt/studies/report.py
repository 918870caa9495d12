"""What a study came to: shares, their variance over participants and intervals, beside the papers'."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from pgt.published import PublishedRow, published_studies
from pgt.studies.answers import Answer
from pgt.studies.plan import PREFERENCE, REAL, REAL_FAKE, Plan
from pgt.studies.shares import Estimate, Judgement, g2r, over_participants, preference, r2g, wilson_interval

# kind of study -> share -> its title
SHARES = {
    REAL_FAKE: {"r2g": "R2G", "g2r": "G2R"},
    PREFERENCE: {"preferred_mean": "preferred"},
}
VARIANCES = {"preferred_mean": "preferred_variance"}  # share -> the same papers' name of its variance
OF_PAPER = "SPT"  # whose paper asked for preferences: only its own can be compared


@dataclass(frozen=True)
class Own:
    """One participant's share of one method."""

    participant: str
    method: str
    share: str  # "r2g", "g2r" or "preferred_mean"
    value: float
    trials: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's over the trials."""
        return wilson_interval(round(self.value * self.trials), self.trials)


@dataclass(frozen=True)
class Report:
    """A counted study."""

    plan: Plan
    own: tuple[Own, ...]
    estimates: Mapping[str, Mapping[str, Estimate]]  # method -> share -> over participants
    unfinished: tuple[str, ...]  # participants who have not answered everything

    @property
    def participants(self) -> tuple[str, ...]:
        """Who counts."""
        return tuple(dict.fromkeys(one.participant for one in self.own))

    def cells(self, published: Mapping[str, PublishedRow]) -> list[list[str]]:
        """Lay the study out as a table, the head first; the papers' other methods come last, "ours" blank."""
        titles = SHARES[self.plan.kind]
        first = "method" if self.plan.kind == REAL_FAKE else f"{self.plan.ours} rather than"
        head = [first]
        for title in titles.values():
            head += [f"{title}, %, paper", f"{title}, %, ours", "95 % interval"]
            head += ["variance, paper", "variance, ours"]
        lines = [[*head, "participants"]]
        for method in (*self.plan.methods, *(row for row in published if row not in self.plan.methods)):
            values = published[method].values if method in published else {}
            estimates, line = self.estimates.get(method, {}), [method]
            for share in titles:
                line += _cells(values, share, estimates.get(share))
            counted = max((one.participants for one in estimates.values()), default=0)
            lines.append([*line, str(counted) if estimates else ""])
        return _without_empty(lines)

    def each(self) -> list[list[str]]:
        """Lay out the shares of every participant, with Wilson's intervals."""
        lines = [["participant", "method", "share", "%", "95 % interval", "answers"]]
        for one in self.own:
            title = SHARES[self.plan.kind][one.share]
            span = _interval(*one.interval)
            lines.append(
                [one.participant, one.method, title, f"{100 * one.value:.1f}", span, str(one.trials)]
            )
        return lines

    def as_dict(self) -> dict[str, object]:
        """Return everything as plain data."""
        estimates = {
            method: {share: asdict(one) for share, one in shares.items()}
            for method, shares in self.estimates.items()
        }
        facts = {"kind": self.plan.kind, "ours": self.plan.ours, "seconds": self.plan.seconds}
        own = [{**asdict(one), "interval": one.interval} for one in self.own]
        return {**facts, "estimates": estimates, "participants": own, "unfinished": self.unfinished}


def count(plan: Plan, answers: Sequence[Answer], *, unfinished: bool = False) -> Report:
    """Count answers; those for practice do not count.

    Args:
        plan: of the study.
        answers: from `read_answers`.
        unfinished: let also those count who have not answered everything.
    """
    by_name: dict[str, list[Answer]] = {}
    for one in answers:
        by_name.setdefault(one.participant, []).append(one)
    early = tuple(name for name, given in by_name.items() if len(given) < len(plan.session(given[0].session)))
    own = [
        share
        for name, given in by_name.items()
        if unfinished or name not in early
        for method in plan.methods
        for share in _shares(plan, name, method, [a for a in given if a.method == method and not a.practice])
    ]
    estimates = {
        method: {share: _estimate(own, method, share) for share in SHARES[plan.kind]}
        for method in plan.methods
    }
    return Report(plan, tuple(own), estimates, early)


def papers_beside(plan: Plan, dataset: str) -> dict[str, PublishedRow]:
    """Return what the papers' studies of the same kind found, by our names of the methods where known.

    Raises:
        ValueError: no paper's table is about that dataset.
    """
    share = next(iter(SHARES[plan.kind]))
    found = published_studies(dataset, share)
    return found if plan.kind == REAL_FAKE or plan.ours == OF_PAPER else {}


def _shares(plan: Plan, name: str, method: str, answers: Sequence[Answer]) -> Iterable[Own]:
    """Yield one participant's shares of one method, as far as there are answers."""
    if plan.kind == PREFERENCE:
        found = {"preferred_mean": (preference(one.is_right for one in answers), len(answers))}
    else:
        judged = [Judgement(one.truth == REAL, one.answer == REAL) for one in answers]
        reals = sum(one.is_real for one in judged)
        found = {"r2g": (r2g(judged), reals), "g2r": (g2r(judged), len(judged) - reals)}
    for share, (value, trials) in found.items():
        if trials:
            yield Own(name, method, share, value, trials)


def _estimate(own: Sequence[Own], method: str, share: str) -> Estimate:
    chosen = [one for one in own if (one.method, one.share) == (method, share)]
    return over_participants([one.value for one in chosen], [one.trials for one in chosen])


def _cells(published: Mapping[str, float], share: str, estimate: Estimate | None) -> list[str]:
    """Write one share: the paper's, ours, its interval, and both variances."""
    paper = f"{100 * published[share]:.4g}" if share in published else ""  # as many digits as were printed
    spread = published.get(VARIANCES.get(share, ""), math.nan)
    variance = "" if math.isnan(spread) else f"{spread:.3f}"
    if estimate is None or not estimate.participants:
        return [paper, "", "", variance, ""]
    own = "" if math.isnan(estimate.variance) else f"{estimate.variance:.3f}"
    return [paper, f"{100 * estimate.mean:.1f}", _interval(estimate.low, estimate.high), variance, own]


def _interval(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _without_empty(lines: list[list[str]]) -> list[list[str]]:
    """Leave out columns of papers' numbers, "variance, paper" for example, that have none."""
    keep = [
        not head.endswith("paper") or any(line[column] for line in lines[1:])
        for column, head in enumerate(lines[0])
    ]
    return [[cell for cell, kept in zip(line, keep, strict=True) if kept] for line in lines]
