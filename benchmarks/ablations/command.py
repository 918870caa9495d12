"""The command line of every study: what is there, make the rest, judge the claims."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import tables
from benchmarks.ablations import report
from benchmarks.ablations.study import Effort, Study, Variant
from benchmarks.ablations.workshop import Task, Workshop, work_off

SCORES = "scores.md"


def main(kind: type[Workshop], description: str, arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says; 1 where something failed.

    Args:
        kind: makes the variants of the study.
        description: of the command.
        arguments: in place of the command line's.
    """
    study = kind.study
    parser = _parser(study, description)
    options = parser.parse_args(arguments)
    try:
        variants = study.with_parents(study.chosen(options.only))
    except ValueError as error:
        parser.error(str(error))
    effort = Effort(options.steps_scale, options.identities, options.pairs)
    results = options.results_folder or tables.RESULTS / study.name
    workshop, seeds = kind(options.run_folder, results, effort), range(options.seeds)
    tasks = workshop.missing(variants, seeds)
    if options.list:
        _list(workshop, variants, seeds, tasks)
        return 0
    failed = _make(workshop, tasks, options) if tasks and not options.report else []
    _report(workshop, seeds, write=options.write)
    for name, seed in failed:
        print(f"{name}, seed {seed}: not made")
    return 1 if failed else 0


def _parser(study: Study, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {study.command}", description=description)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="experiments or variants, see --list")
    parser.add_argument("--list", action="store_true", help="say what there is and what is missing")
    parser.add_argument("--report", action="store_true", help="make nothing, judge what is there")
    parser.add_argument("--write", action="store_true", help="keep the tables in results/ and the README")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    parser.add_argument("--steps-scale", type=float, default=1.0, help="multiplies all numbers of steps")
    parser.add_argument("--identities", type=int, default=study.effort.identities, help="people to train on")
    parser.add_argument("--pairs", type=int, default=study.effort.pairs, help="pairs to score on")
    parser.add_argument("--jobs", type=int, default=1, help="variants made at once")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each")
    parser.add_argument(
        "--run-folder", type=Path, default=Path(f"runs/{study.name}_ablations"), help="checkpoints, data"
    )
    parser.add_argument("--results-folder", type=Path, help=f"in place of benchmarks/results/{study.name}")
    return parser


def _list(
    workshop: Workshop, variants: Sequence[Variant], seeds: Sequence[int], tasks: Sequence[Task]
) -> None:
    minutes = workshop.core_minutes([variant.name for variant in variants])
    for experiment in workshop.study.experiments:
        print(f"{experiment.name:12} {experiment.title}")
    print(f"\n{'variant':24}{'continues':18}{'steps':>7}{'min':>7}  results")
    for variant in variants:
        own = len(variant.stages)
        stages = variant.config(workshop.effort.steps_scale).stages[-own:] if own else ()
        there = [seed for seed in seeds if (variant.name, seed) not in tasks]
        line = f"{variant.name:24}{variant.parent or '':18}{sum(stage.num_steps for stage in stages):7}"
        print(f"{line}{minutes[variant.name]:7.1f}  {len(there)} of {len(seeds)}")
    left = sum(minutes[name] for name, _ in tasks)
    print(f"\n{len(tasks)} to make: about {left / 60:.1f} hours of one CPU core, rendering and scoring apart")


def _make(workshop: Workshop, tasks: Sequence[Task], options: argparse.Namespace) -> list[Task]:
    """Make what is missing; return what failed."""
    minutes = workshop.core_minutes([*dict.fromkeys(name for name, _ in tasks)])
    left = sum(minutes[name] for name, _ in tasks) / 60
    print(f"{len(tasks)} to make: about {left:.1f} hours of one CPU core, {options.jobs} at once", flush=True)
    workshop.prepare(tasks)
    variants = workshop.study.variants
    return work_off(tasks, workshop.make, variants, jobs=options.jobs, threads=options.threads)


def _report(workshop: Workshop, seeds: Sequence[int], *, write: bool) -> None:
    """Judge all claims by what is there, print the tables and, if asked to, write them."""
    study = workshop.study
    scores = workshop.results.scores([*study.variants.values()], seeds)
    if not scores:
        print("Nothing has been measured yet.")
        return
    facts = report.facts_of(study, workshop.results, workshop.effort, seeds)
    note = report.note(study, facts)
    claims = f"{report.claims_table(study, scores)}\n\n{note}"
    details = report.scores_tables(study, scores)
    print(f"\n{details}\n{claims}")
    if write:
        (workshop.results_folder / SCORES).write_text(f"{details}\n{note}\n")
        tables.keep(f"{study.name}-claims", report.content(study, scores, facts), claims)
