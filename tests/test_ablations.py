"""What the ablations of all approaches share: when a claim holds, results on disk, and the order of work."""

import json
import math
import pickle
from dataclasses import dataclass, replace

import pytest

from benchmarks.ablations import report
from benchmarks.ablations.findings import examine
from benchmarks.ablations.results import Interval, Results, Scores, interval
from benchmarks.ablations.study import Claim, Effort, Experiment, Study, papers_words
from benchmarks.ablations.workshop import Workshop, work_off
from pgt.config import PG2Config, Stage


@dataclass(frozen=True)
class Variant:
    """One with a single stage, after its parent's."""

    name: str
    parent: str | None = None
    stages: tuple[str, ...] = ("coarse",)

    def config(self, steps_scale: float = 1.0) -> PG2Config:
        count = 2 if self.parent else 1
        return PG2Config(stages=(Stage("coarse", max(1, round(100 * steps_scale)), (8, 8), 1, 1e-3),) * count)


SMALL = Effort(steps_scale=0.1, identities=3, pairs=2)
PAPER = {
    "Table 1": {"a": {"IoU": 0.6}, "b": {"IoU": 0.5}},
    "Table 2, Mars": {"a": {"IoU": 0.8}, "b": {"IoU": 0.9}},
}
SCORES = {"iou": ("IoU ↑", 3, "more"), "l1": ("L1 ↓", 4, "less"), "sharpness": ("sharpness → 1", 2, "one")}
STUDY = Study(
    "made-up",
    "benchmarks.made_up",
    {one.name: one for one in (Variant("b"), Variant("a", parent="b"), Variant("c", parent="a", stages=()))},
    (Experiment("letters", "Letters", {"A": "a", "B": "b"}, ("iou", "l1"), ("Table 1",)),),
    (
        Claim("Table 1", "a beats b", ("b", "a", "IoU"), "iou", "a", "b"),
        Claim("Table 1", "a is nearer than b", "a figure", "l1", "a", "b"),
    ),
    PAPER,
    SCORES,
    (8, 8),
)


# --- when a claim holds ---


def test_an_interval_is_students():
    assert interval([1.0, 2.0, 3.0]) == pytest.approx(Interval(2.0, 4.3027 / math.sqrt(3)), rel=1e-4)
    alone = interval([2.0])
    assert alone.mean == 2
    assert math.isnan(alone.half_width)


def measured(score: str, **variants: list[float]) -> Scores:
    return {name: {seed: {score: x} for seed, x in enumerate(xs)} for name, xs in variants.items()}


def holds(score: str, kind: str = "better", yardstick=None, bound=math.nan, **variants: list[float]) -> str:
    rival = "" if kind == "below" else "b"
    claim = Claim("Fig. 0", "so", "so", score, "a", rival, kind, yardstick, bound)
    return examine(claim, measured(score, **variants), SCORES[score][2]).verdict


def test_better_means_that_the_interval_of_paired_gains_is_above_zero():
    noisy = [0.50, 0.60, 0.70]  # seeds differ more than variants do, but alike for both
    better = [x + 0.01 + y for x, y in zip(noisy, (0, 1e-4, 2e-4), strict=True)]
    assert holds("iou", a=better, b=noisy) == "yes"
    assert holds("iou", a=noisy, b=better) == "no"
    assert holds("iou", a=[0.5, 0.7, 0.6], b=noisy) == "undecided"
    assert holds("iou", a=[0.9], b=[0.1]) == "undecided"  # one seed
    assert holds("iou", a=[0.9, 0.9]) == "not measured"


def test_the_direction_is_that_of_the_score():
    low, high = [0.10, 0.11, 0.10], [0.20, 0.21, 0.20]
    assert holds("l1", a=low, b=high) == "yes"
    assert holds("iou", a=low, b=high) == "no"
    assert holds("sharpness", a=[0.95, 1.05, 0.95], b=[0.5, 1.5, 1.5]) == "yes"  # nearer to one


def test_mattering_little_is_measured_by_half_a_yardstick():
    near, far = [0.510, 0.511, 0.510], [0.60, 0.61, 0.60]
    ruler = {"kind": "same", "yardstick": ("c", "d"), "c": [0.4, 0.4, 0.4], "d": [0.5, 0.5, 0.5]}
    assert holds("iou", a=near, b=[0.5] * 3, **ruler) == "yes"
    assert holds("iou", a=far, b=[0.5] * 3, **ruler) == "no"
    assert holds("iou", a=far, b=[0.5] * 3, **ruler | {"kind": "not worse"}) == "yes"
    assert holds("iou", a=[0.5] * 3, b=far, **ruler | {"kind": "not worse"}) == "no"
    assert holds("iou", a=near, b=[0.5] * 3, kind="same", yardstick=("c", "d")) == "not measured"


def test_below_a_bound():
    assert holds("iou", kind="below", bound=1.0, a=[0.2, 0.3, 0.2]) == "yes"
    assert holds("iou", kind="below", bound=1.0, a=[2.2, 2.3, 2.2]) == "no"


def test_a_claim_without_its_yardstick_is_refused():
    with pytest.raises(ValueError, match="with a yardstick for two of them"):
        Claim("Fig. 0", "so", "so", "iou", "a", "b", "same")


# --- tables ---


def test_the_paper_s_numbers_stand_beside_the_measured_ones():
    scores = {"a": {0: {"iou": 0.7}, 1: {"iou": 0.71}}, "b": {0: {"iou": 0.6}, 1: {"iou": 0.6}}}
    first, second = report.claims_table(STUDY, scores).splitlines()[2:]
    assert first == (
        "| Table 1 | a beats b | IoU 0.500 → 0.600 | IoU 0.600 → 0.705, gain +0.105 ± 0.064 | yes |"
    )
    assert second == "| Table 1 | a is nearer than b | a figure |  | not measured |"
    details = report.scores_tables(STUDY, scores)
    assert "| A | 0.705 ± 0.064 |  |" in details
    assert "| the paper's Table 1 | IoU |" in details


def test_a_claim_may_stand_in_several_tables():
    claim = replace(STUDY.claims[0], source="Tables 1, 2", tables=("Table 1", "Table 2, Mars"))
    assert papers_words(claim, PAPER) == "IoU 0.500 → 0.600 (Table 1), 0.900 → 0.800 (Mars)"


def test_an_unknown_name_is_refused():
    assert STUDY.chosen(["letters", "c"]) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="no experiment or variant 'd'; there are letters, b, a, c"):
        STUDY.chosen(["d"])


# --- results on disk ---


def test_results_of_other_settings_count_as_missing(tmp_path):
    variant, kept = Variant("b"), Results(tmp_path, lambda variant: {"pairs": 6, "name": variant.name})
    kept.write(variant, 0, {"iou": 0.5, "l1": math.nan}, {"date": "today"})
    assert kept.read(variant, 0)["scores"] == {"iou": 0.5, "l1": None}
    assert kept.read(variant, 1) is None
    assert kept.scores([variant], range(3)) == {"b": {0: {"iou": 0.5}}}
    assert Results(tmp_path, lambda variant: {"pairs": 7, "name": variant.name}).read(variant, 0) is None


# --- the order of work ---


class MadeUpWorkshop(Workshop):
    """Whose variants depend on nothing but the effort and their parents."""

    study = STUDY

    def training_settings(self, variant: Variant) -> dict[str, object]:
        return {"steps": variant.config(self.effort.steps_scale).to_dict()["stages"]}

    def settings(self, variant: Variant) -> dict[str, object]:
        return {"training": self.training_settings(variant), "pairs": self.effort.pairs}


def workshop(folder, effort: Effort = SMALL) -> MadeUpWorkshop:
    return MadeUpWorkshop(folder / "runs", folder / "results", effort)


def test_parents_come_first_and_what_fails_takes_its_children_along(capsys):
    made = []

    def make(task):
        made.append(task)
        if task == ("b", 0):
            raise FloatingPointError("a loss is not finite")
        return {"iou": 0.5}

    names = [one.name for one in STUDY.with_parents(["c"])]
    tasks = [(name, seed) for seed in (0, 1) for name in names]
    failed = work_off(tasks, make, STUDY.variants, jobs=1, threads=1)
    assert names == ["b", "a", "c"]
    assert made == [("b", 0), *((name, 1) for name in names)]
    assert sorted(failed) == sorted((name, 0) for name in names)
    assert "c, seed 1: 0.0 min, iou 0.5; 0 to go" in capsys.readouterr().out


def test_a_parent_is_trained_again_only_for_somebody_who_continues_it(tmp_path):
    place, family = workshop(tmp_path), [*STUDY.variants.values()]
    names = [one.name for one in family]
    assert place.missing(family, [0]) == [(name, 0) for name in names]
    for variant in family:
        place.results.write(variant, 0, {"iou": 0.5}, {})
    assert place.missing(family, [0]) == []
    (tmp_path / "results" / "c-0.json").unlink()
    assert place.missing(family, [0]) == [(name, 0) for name in names]  # their runs are gone
    run = place.folder(STUDY.variants["a"], 0)
    run.mkdir(parents=True)
    (run / "sessions.jsonl").write_text(json.dumps({"last_step": 19}) + "\n")
    assert place.missing(family, [0]) == [(name, 0) for name in names]  # killed a step before its end
    (run / "sessions.jsonl").write_text(json.dumps({"last_step": 20}) + "\n")
    assert place.missing(family, [0]) == [("c", 0)]


def test_a_workshop_travels_to_another_process_with_all_it_needs(tmp_path):
    first = workshop(tmp_path)
    first.results.write(STUDY.variants["b"], 0, {"iou": 0.5}, {})
    copy = pickle.loads(pickle.dumps(first))
    assert copy.results.read(STUDY.variants["b"], 0)["scores"] == {"iou": 0.5}
    assert copy.folder(STUDY.variants["a"], 0) == first.folder(STUDY.variants["a"], 0)


def test_results_and_runs_of_another_effort_are_others(tmp_path):
    first, variant = workshop(tmp_path), STUDY.variants["b"]
    first.results.write(variant, 0, {"iou": 0.5}, {})
    more_pairs, longer = (
        workshop(tmp_path, replace(SMALL, pairs=5)),
        workshop(tmp_path, replace(SMALL, steps_scale=0.5)),
    )
    assert more_pairs.results.read(variant, 0) is longer.results.read(variant, 0) is None
    assert more_pairs.folder(variant, 0) == first.folder(variant, 0) != longer.folder(variant, 0)
