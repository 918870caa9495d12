"""Make the results that are missing: train, score, keep; one after the other or several at once."""

import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from datetime import UTC, datetime
from functools import cached_property
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import ClassVar

import torch
from torch import nn

from benchmarks.ablations.material import checksums
from benchmarks.ablations.results import Results, Settings, digest
from benchmarks.ablations.study import Effort, Study, Variant, lineage
from benchmarks.ablations.training import is_trained, seconds_of
from pgt.checkpoint import load

Task = tuple[str, int]  # name of a variant, and a seed


class Workshop:
    """Trains, scores and keeps variants; an approach's own says of what, by which settings, and how.

    Args:
        run_folder: of checkpoints and data; what is lost of it is made again when needed.
        results_folder: of the results.
        effort: steps, people and pairs.

    Attributes:
        study: what is compared.
    """

    study: ClassVar[Study]

    def __init__(self, run_folder: Path, results_folder: Path, effort: Effort) -> None:
        self.run_folder, self.results_folder, self.effort = run_folder, results_folder, effort

    def __reduce__(self) -> tuple:
        """Travel to other processes without the data, which each reads from disk."""
        return type(self), (self.run_folder, self.results_folder, self.effort)

    # --- what an approach says ---

    def prepare(self, tasks: Sequence[Task]) -> None:
        """Make the data of some tasks, so that others need only read them."""
        raise NotImplementedError

    def training_settings(self, variant: Variant) -> Settings:
        """Return all that a variant's weights depend on, besides the seed, as JSON values."""
        raise NotImplementedError

    def settings(self, variant: Variant) -> Settings:
        """Return all that a variant's scores depend on, besides the seed, as JSON values."""
        raise NotImplementedError

    def train(self, variant: Variant, seed: int, folders: Mapping[str, Path]) -> None:
        """Train a variant whose parent is trained; `folders` of the runs of both, by name."""
        raise NotImplementedError

    def score(self, variant: Variant, seed: int, generator: nn.Module, folder: Path) -> dict[str, float]:
        """Score a variant's generator, or its parent's; `folder` is of the run that made it."""
        raise NotImplementedError

    def core_minutes(self, names: Sequence[str]) -> dict[str, float]:
        """Foretell what the variants' own stages take of one CPU core, from steps measured here."""
        raise NotImplementedError

    # --- what all have in common ---

    @cached_property
    def judges(self) -> dict[str, int]:
        """Checksums of the weights that all results depend on."""
        return checksums()

    @cached_property
    def results(self) -> Results:
        """The results that count."""
        return Results(self.results_folder, self.settings)

    def folder(self, variant: Variant, seed: int) -> Path:
        """Return the run folder of a variant; another effort has another."""
        hashed = digest(self.training_settings(variant))
        return self.run_folder / f"{variant.name}-{seed}-{hashed[:8]}"

    def is_trained(self, variant: Variant, seed: int) -> bool:
        """Say whether nothing is left to train of a variant; its parent may have to be trained anew."""
        stages = variant.config(self.effort.steps_scale).stages
        return not variant.stages or is_trained(self.folder(variant, seed), stages)

    def make(self, task: Task) -> dict[str, float]:
        """Train a variant whose parent is trained, score it, and keep the scores; return them."""
        variant, seed = self.study.variants[task[0]], task[1]
        folders = {one.name: self.folder(one, seed) for one in lineage(variant, self.study.variants)}
        if variant.stages:
            self.train(variant, seed, folders)
        known = self.results.read(variant, seed)
        if known is not None:
            return known["scores"]
        folder = folders[variant.name if variant.stages else variant.parent]
        scores = self.score(variant, seed, load(folder / "generator", quiet=True), folder)
        self.results.write(variant, seed, scores, _facts(folder if variant.stages else None))
        return scores

    def missing(self, variants: Sequence[Variant], seeds: Sequence[int]) -> list[Task]:
        """Return what has to be made, parents first, one seed after the other.

        A parent whose result is there still belongs to it if its run is gone and somebody continues it.
        """
        parents = {name: variant.parent for name, variant in self.study.variants.items()}
        tasks = []
        for seed in seeds:
            needed: list[str] = []
            for variant in reversed(variants):  # children before their parents
                lacks_result = self.results.read(variant, seed) is None
                is_continued = any(parents[name] == variant.name for name in needed)
                if lacks_result or (is_continued and not self.is_trained(variant, seed)):
                    needed.append(variant.name)
            tasks += [(name, seed) for name in reversed(needed)]
        return tasks


def _facts(folder: Path | None) -> dict[str, object]:
    """Say when, where and with what a result was made."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch threads {torch.get_num_threads()}",
        "torch": torch.__version__,
        "training seconds": round(seconds_of(folder), 1) if folder else 0.0,
    }


def work_off(
    tasks: Sequence[Task],
    make: Callable[[Task], Mapping[str, float]],
    variants: Mapping[str, Variant],
    *,
    jobs: int,
    threads: int,
) -> list[Task]:
    """Make all tasks, each after its parent; say how each went.

    Args:
        tasks: of the variants and seeds, parents included where they have to be made.
        make: makes one; picklable for several jobs.
        variants: by name; they know their parents.
        jobs: how many at once, each in a process of its own.
        threads: torch's, of each.

    Returns:
        The tasks that failed, and those that could not begin because their parent failed.
    """
    waiting, running, failed = list(tasks), dict[Future, tuple[Task, float]](), list[Task]()
    with _executor(jobs, threads) as executor:
        while waiting or running:
            unfinished = {*waiting, *(task for task, _ in running.values())}
            for task in [*waiting]:
                parent = (variants[task[0]].parent, task[1])
                if parent in failed:
                    waiting.remove(task)
                    failed.append(task)
                elif parent not in unfinished and len(running) < jobs:
                    waiting.remove(task)
                    running[executor.submit(make, task)] = task, time.monotonic()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                task, start = running.pop(future)
                failed += [task] if future.exception() else []
                _tell(task, future, time.monotonic() - start, len(waiting) + len(running))
    return failed


def _tell(task: Task, future: Future, seconds: float, left: int) -> None:
    name, seed = task
    if future.exception():
        traceback.print_exception(future.exception())
        print(f"{name}, seed {seed}: failed after {seconds / 60:.1f} min", flush=True)
        return
    shown = [f"{key} {value:.4g}" for key, value in future.result().items() if value is not None][:4]
    print(f"{name}, seed {seed}: {seconds / 60:.1f} min, {', '.join(shown)}; {left} to go", flush=True)


class _Here(Executor):
    """Does each task in this process, at once."""

    def submit(self, call: Callable, *arguments: object) -> Future:
        future: Future = Future()
        try:
            future.set_result(call(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


def _executor(jobs: int, threads: int) -> Executor:
    if jobs == 1:
        torch.set_num_threads(threads)
        return _Here()
    # Not forked: torch's own threads do not survive that.
    return ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin_worker, initargs=(threads,))


def _begin_worker(threads: int) -> None:
    torch.set_num_threads(threads)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # bars of several runs cannot be read
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Stop when the parent was killed: a later start will want the run folder for itself."""
    parent_process().join()
    os._exit(1)
