"""SPT's variants at work: their data, what their results depend on, and how they are made."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from torch import nn

from benchmarks.ablations.material import judge
from benchmarks.ablations.results import Settings
from benchmarks.ablations.workshop import Task
from benchmarks.ablations.workshop import Workshop as AnyWorkshop
from benchmarks.spt_ablations import results
from benchmarks.spt_ablations.estimate import core_minutes, seconds_per_step
from benchmarks.spt_ablations.material import Material
from benchmarks.spt_ablations.report import STUDY
from benchmarks.spt_ablations.scoring import scores_of
from benchmarks.spt_ablations.training import train
from benchmarks.spt_ablations.variants import VARIANTS, Variant


class Workshop(AnyWorkshop):
    """Makes the variants of SPT."""

    study = STUDY

    @cached_property
    def material(self) -> Material:
        """The data."""
        return Material(self.run_folder / "data", self.effort)

    def prepare(self, tasks: Sequence[Task]) -> None:
        """Render people and scenes, and search partners."""
        searches = dict.fromkeys((VARIANTS[name].candidates, seed) for name, seed in tasks)
        self.material.prepare([*searches])

    def training_settings(self, variant: Variant) -> Settings:
        """See `results`."""
        return results.training_settings(variant, self.effort, self.judges)

    def settings(self, variant: Variant) -> Settings:
        """See `results`."""
        return results.settings(variant, self.effort, self.judges)

    def train(self, variant: Variant, seed: int, folders: Mapping[str, Path]) -> None:
        """Train a variant whose parent is trained."""
        train(variant, seed, self.material, folders)

    def score(self, variant: Variant, seed: int, generator: nn.Module, folder: Path) -> dict[str, float]:
        """Score what it draws; of a variant that stops at maps, also the search behind it."""
        scores = scores_of(variant, generator, self.material.pairs, judge())
        if not variant.draws and variant.candidates is not None:
            scores["found_truth"] = self.material.share_of_truth(variant.candidates, seed)
        return scores

    def core_minutes(self, names: Sequence[str]) -> dict[str, float]:
        """Foretell the minutes of variants from a few steps of each stage."""
        costs = seconds_per_step()
        return {name: core_minutes(VARIANTS[name], self.effort.steps_scale, costs) for name in names}
