"""The measured claims and scores as tables."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.spt_ablations.findings import NOT_MEASURED, Finding, examine, to_json
from benchmarks.spt_ablations.paper import CLAIMS, PAPER, Claim, papers_number, papers_words
from benchmarks.spt_ablations.results import CONFIDENCE, Results, Scores, interval, values_of
from benchmarks.spt_ablations.scoring import BACKGROUND, SCORES
from benchmarks.spt_ablations.variants import SIZE, VARIANTS, Variant

_MAPS = ("map_accuracy", "map_iou", "limb_iou", "pieces")
_PERSON = ("ssim", "mask_ssim", "foreground_ssim", "foreground_l1", "pckh", "sharpness")


@dataclass(frozen=True)
class Experiment:
    """One table of scores.

    Args:
        name: what `--only` calls it.
        title: of the table.
        rows: label -> variant.
        columns: which scores.
    """

    name: str
    title: str
    rows: Mapping[str, str]
    columns: Sequence[str]


EXPERIMENTS = (
    Experiment(
        "table3",
        "Table 3: with and without maps, in stages and end to end",
        {
            "Baseline": "baseline",
            "TS-Pred": "ts-predicted",
            "TS-GT": "ts-true",
            "E2E": "e2e",
            "E2E, held to pseudo-labels (ours)": "e2e-held",
        },
        (*_PERSON, "map_accuracy", "map_iou"),
    ),
    Experiment(
        "table4",
        "Table 4: where H_S has its targets from",
        {
            "N = 100": "candidates-100",
            "N = 500": "semantic",
            "N = 1000": "candidates-1000",
            "true partners": "true-pairs",
        },
        ("found_truth", *_MAPS),
    ),
    Experiment(
        "fig10",
        "Fig. 10: what H_S sees and is judged by",
        {
            "without pose masks": "no-pose-masks",
            "without heat maps": "no-heat-maps",
            "without adversarial loss": "no-map-adversary",
            "all": "semantic",
        },
        _MAPS,
    ),
    Experiment(
        "fig11",
        "Fig. 11: the weight of cross-entropy in H_S",
        {f"lambda_ce = {VARIANTS[n].config().ce_weight:g}": n for n in ("ce-0.1", "ce-1", "ce-10")}
        | {f"lambda_ce = {VARIANTS[n].config().ce_weight:g}": n for n in ("semantic", "ce-1000")},
        _MAPS,
    ),
    Experiment(
        "fig12",
        "Fig. 12: style and face loss (TS-GT)",
        {
            "style by body-part masks": "style-mask",
            "style by patches": "style-patch",
            "without face loss": "no-face-loss",
            "full": "drawn-true",
        },
        (*_PERSON[1:], "face_l1", "face_sharpness"),
    ),
    Experiment(
        "fig13",
        "Fig. 13: losses on the recovered image",
        {
            "TS-GT, without its style loss": "no-recovered-style",
            "TS-GT, without its adversarial loss": "no-recovered-adversary",
            "TS-GT, without both": "no-recovered-losses",
            "TS-GT": "drawn-true",
            "E2E, without its adversarial loss": "e2e-unjudged",
            "E2E": "e2e",
        },
        (*_PERSON[1:], "recovered_l1", "recovered_sharpness", "map_iou"),
    ),
    Experiment(
        "fig14",
        "Fig. 14: coarser maps",
        {
            "true maps": "drawn-true",
            **{f"downsampled {times} times": f"coarse-{times}" for times in (2, 4, 8, 16)},
            "predicted maps": "drawn-predicted",
        },
        _PERSON[1:],
    ),
    Experiment(
        "fig15",
        "Figs. 15 and 16: the background",
        {
            "none: G_A draws all": "no-background-network",
            "classical inpainting (biharmonic)": "inpainted",
            "a network trained on scenes alone": "scenes-alone",
            "without auxiliary scenes": "no-scenes",
            "full": "drawn-true",
        },
        BACKGROUND,
    ),
)


def chosen(names: Sequence[str] | None) -> list[str]:
    """Return the variants of some experiments, or those of such names; all for none.

    Raises:
        ValueError: a name of neither.
    """
    experiments = {one.name: [*one.rows.values()] for one in EXPERIMENTS}
    variants: list[str] = []
    for name in names or experiments:
        if name not in experiments and name not in VARIANTS:
            known = ", ".join([*experiments, *VARIANTS])
            raise ValueError(f"there is no experiment or variant {name!r}; there are {known}.")
        variants += experiments.get(name, [name])
    return [*dict.fromkeys(variants)]


def claims_table(scores: Scores) -> str:
    """Write the claims and what became of them as Markdown."""
    lines = ["| | claim | paper | measured | holds? |", "| --- | --- | --- | --- | --- |"]
    for claim in CLAIMS:
        finding = examine(claim, scores)
        cells = claim.source, claim.text, papers_words(claim), measured(claim, finding), finding.verdict
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def measured(claim: Claim, finding: Finding) -> str:
    """Say what was measured: the scores of both, the gain with its interval, and what may be lost."""
    if finding.verdict == NOT_MEASURED:
        return ""
    title, decimals, _ = SCORES[claim.score]
    title = re.sub(r" (↑|↓|→ 1)$", "", title)  # which way is better, the gain says
    gain, width = finding.gain.mean, finding.gain.half_width
    if claim.kind == "below":
        return f"{title} {_number(finding.ours, width, decimals)}"
    text = f"{title} {finding.rival:.{decimals}f} → {finding.ours:.{decimals}f}, "
    text += f"gain {_number(gain, width, decimals, sign='+')}"
    if claim.kind == "same":
        text += f", allowed ±{finding.margin:.{decimals}f}"
    return text + (f", allowed -{finding.margin:.{decimals}f}" if claim.kind == "not worse" else "")


def scores_tables(scores: Scores) -> str:
    """Write all means with their intervals, a Markdown table per experiment of which there are any."""
    parts = []
    for experiment in EXPERIMENTS:
        if not set(experiment.rows.values()) & set(scores):
            continue
        titles = [SCORES[column][0] for column in experiment.columns]
        lines = [["", *titles], ["---"] + ["---:"] * len(titles)]
        lines += [
            [label, *(_mean(scores, variant, column) for column in experiment.columns)]
            for label, variant in experiment.rows.items()
        ]
        table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
        parts.append(f"## {experiment.title}\n\n{table}")
        parts += [
            _papers_table(name) for name in PAPER if name.split(",")[0] == experiment.title.split(":")[0]
        ]
    return "\n\n".join(parts) + "\n"


def content(scores: Scores, facts: Mapping[str, object]) -> dict[str, object]:
    """Return claims, scores and facts as JSON values."""
    claims = [to_json(claim, examine(claim, scores)) for claim in CLAIMS]
    means = {
        variant: {score: _plain(scores, variant, score) for score in SCORES if _has(scores, variant, score)}
        for variant in scores
    }
    return {"facts": dict(facts), "claims": claims, "means": means, "paper": PAPER}


def facts_of(results: Results, variants: Sequence[Variant], seeds: Sequence[int]) -> dict[str, object]:
    """Gather when, where and how much of the results that count."""
    files = [content for v in variants for s in seeds if (content := results.read(v, s)) is not None]
    found = [one["facts"] for one in files]
    dates = sorted(one["date"] for one in found)
    return {
        "dates": " to ".join(sorted({dates[0], dates[-1]})),
        "machines": sorted({one["machine"] for one in found}),
        "torch": sorted({one["torch"] for one in found}),
        "training hours": round(sum(one["training seconds"] for one in found) / 3600, 1),
        "results": len(found),
        "seeds": len({one["seed"] for one in files}),
        "effort": vars(results.effort),
        "confidence": CONFIDENCE,
    }


def note(facts: Mapping[str, object]) -> str:
    """Say in a few sentences what the tables stand on."""
    effort, share, size = facts["effort"], 100 * facts["confidence"], "x".join(map(str, SIZE))
    scale = "" if effort["steps_scale"] == 1 else f", {effort['steps_scale']:g} times the steps"
    where = f"{'; '.join(facts['machines'])}, torch {', '.join(facts['torch'])}, {facts['dates']}"
    return (
        f"*Means of {facts['seeds']} seeds with intervals of {share:.0f} % (Student's t; gains paired by "
        f"seed). Pictures of {size}, {effort['identities']} people to train on, {effort['pairs']} pairs of "
        f"unseen people to score on{scale}; {facts['training hours']:.1f} hours of training. Measured by "
        f"`python -m benchmarks.spt_ablations`: {where}.*"
    )


def _papers_table(name: str) -> str:
    rows = PAPER[name]
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


def _mean(scores: Scores, variant: str, score: str) -> str:
    values = [*values_of(scores, variant, score).values()]
    return _number(*interval(values), SCORES[score][1]) if values else ""


def _number(mean: float, half_width: float, decimals: int, sign: str = "") -> str:
    width = f" ± {half_width:.{decimals}f}" if math.isfinite(half_width) else ""
    return f"{mean:{sign}.{decimals}f}{width}"
