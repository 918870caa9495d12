"""Rerun the ablations of SPT (Song et al., TPAMI 2021, section 4.3) on synthetic people; judge its claims.

    python -m benchmarks.spt_ablations --list              # variants, what is there, what the rest will cost
    python -m benchmarks.spt_ablations --jobs 2            # make what is missing, print the claims
    python -m benchmarks.spt_ablations --only fig11        # one experiment, or variants by name
    python -m benchmarks.spt_ablations --write             # also into results/spt-claims.* and the README

Scores are kept in results/spt, one file per variant and seed; what is there is not made again. A run that was
killed goes on where it was. Small pictures and short trainings: a claim that fails here may hold at the
paper's size, and the other way round.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import tables
from benchmarks.spt_ablations import report
from benchmarks.spt_ablations.estimate import core_minutes, seconds_per_step
from benchmarks.spt_ablations.material import Effort
from benchmarks.spt_ablations.variants import VARIANTS, Variant, with_parents
from benchmarks.spt_ablations.workshop import Task, Workshop, work_off

CLAIMS, SCORES = "spt-claims", "scores.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says; 1 where something failed."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        variants = with_parents(report.chosen(options.only))
    except ValueError as error:
        parser.error(str(error))
    effort = Effort(options.steps_scale, options.identities, options.pairs)
    results = options.results_folder or tables.RESULTS / "spt"
    workshop, seeds = Workshop(options.run_folder, results, effort), range(options.seeds)
    tasks = workshop.missing(variants, seeds)
    if options.list:
        _list(variants, seeds, tasks, options.steps_scale)
        return 0
    failed = _make(workshop, tasks, options) if tasks and not options.report else []
    _report(workshop, seeds, write=options.write)
    for name, seed in failed:
        print(f"{name}, seed {seed}: not made")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="experiments or variants, see --list")
    parser.add_argument("--list", action="store_true", help="say what there is and what is missing")
    parser.add_argument("--report", action="store_true", help="make nothing, judge what is there")
    parser.add_argument("--write", action="store_true", help="keep the tables in results/ and the README")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--steps-scale", type=float, default=1.0, help="multiplies all numbers of steps")
    parser.add_argument("--identities", type=int, default=Effort().identities, help="people to train on")
    parser.add_argument("--pairs", type=int, default=Effort().pairs, help="pairs to score on")
    parser.add_argument("--jobs", type=int, default=1, help="variants made at once")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each")
    parser.add_argument(
        "--run-folder", type=Path, default=Path("runs/spt_ablations"), help="checkpoints, data"
    )
    parser.add_argument("--results-folder", type=Path, help="in place of benchmarks/results/spt")
    return parser


def _list(variants: Sequence[Variant], seeds: Sequence[int], tasks: Sequence[Task], scale: float) -> None:
    costs = seconds_per_step()
    minutes = {variant.name: core_minutes(variant, scale, costs) for variant in variants}
    for experiment in report.EXPERIMENTS:
        print(f"{experiment.name:8} {experiment.title}")
    print(f"\n{'variant':24}{'continues':18}{'steps':>7}{'min':>7}  results")
    for variant in variants:
        own = len(variant.stages)
        steps = sum(stage.num_steps for stage in variant.config(scale).stages[-own:]) if own else 0
        there = [seed for seed in seeds if (variant.name, seed) not in tasks]
        line = f"{variant.name:24}{variant.parent or '':18}{steps:7}{minutes[variant.name]:7.1f}"
        print(f"{line}  {len(there)} of {len(seeds)}")
    left = sum(minutes[name] for name, _ in tasks)
    print(f"\n{len(tasks)} to make: about {left / 60:.1f} hours of one CPU core, rendering and scoring apart")


def _make(workshop: Workshop, tasks: Sequence[Task], options: argparse.Namespace) -> list[Task]:
    """Make what is missing; return what failed."""
    costs = seconds_per_step()
    left = sum(core_minutes(VARIANTS[name], options.steps_scale, costs) for name, _ in tasks) / 60
    print(f"{len(tasks)} to make: about {left:.1f} hours of one CPU core, {options.jobs} at once", flush=True)
    searches = dict.fromkeys((VARIANTS[name].candidates, seed) for name, seed in tasks)
    workshop.material.prepare([*searches])
    return work_off(tasks, workshop.make, jobs=options.jobs, threads=options.threads)


def _report(workshop: Workshop, seeds: Sequence[int], *, write: bool) -> None:
    """Judge all claims by what is there, print the tables and, if asked to, write them."""
    everything = [*VARIANTS.values()]
    scores = workshop.results.scores(everything, seeds)
    if not scores:
        print("Nothing has been measured yet.")
        return
    facts: Mapping[str, object] = report.facts_of(workshop.results, everything, seeds)
    claims = f"{report.claims_table(scores)}\n\n{report.note(facts)}"
    details = report.scores_tables(scores)
    print(f"\n{details}\n{claims}")
    if write:
        (workshop.results_folder / SCORES).write_text(f"{details}\n{report.note(facts)}\n")
        tables.keep(CLAIMS, report.content(scores, facts), claims)


if __name__ == "__main__":
    raise SystemExit(main())
