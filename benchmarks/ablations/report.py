"""The measured claims and scores as tables."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from benchmarks.ablations.findings import NOT_MEASURED, Finding, examine, to_json
from benchmarks.ablations.results import CONFIDENCE, Results, Scores, interval, values_of
from benchmarks.ablations.study import Claim, Effort, Paper, Study, papers_number, papers_words


def claims_table(study: Study, scores: Scores) -> str:
    """Write the claims and what became of them as Markdown."""
    lines = ["| | claim | paper | measured | holds? |", "| --- | --- | --- | --- | --- |"]
    for claim in study.claims:
        finding = examine(claim, scores, study.scores[claim.score][2])
        papers = papers_words(claim, study.paper)
        cells = claim.source, claim.text, papers, measured(study, claim, finding), finding.verdict
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def measured(study: Study, claim: Claim, finding: Finding) -> str:
    """Say what was measured: the scores of both, the gain with its interval, and what may be lost."""
    if finding.verdict == NOT_MEASURED:
        return ""
    title, decimals, _ = study.scores[claim.score]
    title = re.sub(r" (↑|↓|→ 1)$", "", title)  # which way is better, the gain says
    gain, width = finding.gain.mean, finding.gain.half_width
    if claim.kind == "below":
        return f"{title} {_number(finding.ours, width, decimals)}"
    text = f"{title} {finding.rival:.{decimals}f} → {finding.ours:.{decimals}f}, "
    text += f"gain {_number(gain, width, decimals, sign='+')}"
    if claim.kind == "same":
        text += f", allowed ±{finding.margin:.{decimals}f}"
    return text + (f", allowed -{finding.margin:.{decimals}f}" if claim.kind == "not worse" else "")


def scores_tables(study: Study, scores: Scores) -> str:
    """Write all means with their intervals, a Markdown table per experiment of which there are any."""
    parts = []
    for experiment in study.experiments:
        if not set(experiment.rows.values()) & set(scores):
            continue
        titles = [study.scores[column][0] for column in experiment.columns]
        lines = [["", *titles], ["---"] + ["---:"] * len(titles)]
        lines += [
            [label, *(_mean(study, scores, variant, column) for column in experiment.columns)]
            for label, variant in experiment.rows.items()
        ]
        table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
        parts.append(f"## {experiment.title}\n\n{table}")
        parts += [_papers_table(study.paper, name) for name in experiment.tables]
    return "\n\n".join(parts) + "\n"


def content(study: Study, scores: Scores, facts: Mapping[str, object]) -> dict[str, object]:
    """Return claims, scores and facts as JSON values."""
    claims = [
        to_json(study, claim, examine(claim, scores, study.scores[claim.score][2])) for claim in study.claims
    ]
    means = {
        variant: {
            score: _plain(scores, variant, score) for score in study.scores if _has(scores, variant, score)
        }
        for variant in scores
    }
    return {"facts": dict(facts), "claims": claims, "means": means, "paper": study.paper}


def facts_of(study: Study, results: Results, effort: Effort, seeds: Sequence[int]) -> dict[str, object]:
    """Gather when, where and how much of the results that count."""
    files = [
        content for v in study.variants.values() for s in seeds if (content := results.read(v, s)) is not None
    ]
    found = [one["facts"] for one in files]
    dates = sorted(one["date"] for one in found)
    return {
        "dates": " to ".join(sorted({dates[0], dates[-1]})),
        "machines": sorted({one["machine"] for one in found}),
        "torch": sorted({one["torch"] for one in found}),
        "training hours": round(sum(one["training seconds"] for one in found) / 3600, 1),
        "results": len(found),
        "seeds": len({one["seed"] for one in files}),
        "effort": asdict(effort),
        "confidence": CONFIDENCE,
    }


def note(study: Study, facts: Mapping[str, object]) -> str:
    """Say in a few sentences what the tables stand on."""
    effort, share, size = facts["effort"], 100 * facts["confidence"], "x".join(map(str, study.size))
    scale = "" if effort["steps_scale"] == 1 else f", {effort['steps_scale']:g} times the steps"
    where = f"{'; '.join(facts['machines'])}, torch {', '.join(facts['torch'])}, {facts['dates']}"
    return (
        f"*Means of {facts['seeds']} seeds with intervals of {share:.0f} % (Student's t; gains paired by "
        f"seed). Pictures of {size}, {effort['identities']} people to train on, {effort['pairs']} pairs of "
        f"unseen people to score on{scale}; {facts['training hours']:.1f} hours of training. Measured by "
        f"`python -m {study.command}`: {where}.*"
    )


def _papers_table(paper: Paper, name: str) -> str:
    rows = paper[name]
    columns = [*dict.fromkeys(column for row in rows.values() for column in row)]
    lines = [[f"the paper's {name}", *columns], ["---"] + ["---:"] * len(columns)]
    lines += [
        [label, *(papers_number(column, row[column]) if column in row else "" for column in columns)]
        for label, row in rows.items()
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _has(scores: Scores, variant: str, score: str) -> bool:
    return bool(values_of(scores, variant, score))


def _plain(scores: Scores, variant: str, score: str) -> dict[str, float | None]:
    mean, half_width = interval([*values_of(scores, variant, score).values()])
    return {"mean": mean, "half_width": half_width if math.isfinite(half_width) else None}


def _mean(study: Study, scores: Scores, variant: str, score: str) -> str:
    values = [*values_of(scores, variant, score).values()]
    return _number(*interval(values), study.scores[score][1]) if values else ""


def _number(mean: float, half_width: float, decimals: int, sign: str = "") -> str:
    width = f" ± {half_width:.{decimals}f}" if math.isfinite(half_width) else ""
    return f"{mean:{sign}.{decimals}f}{width}"
