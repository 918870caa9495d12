"""Approaches that learn from pairs of one person: how variants are trained, what results depend on."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch

from benchmarks.ablations import estimate
from benchmarks.ablations.material import People
from benchmarks.ablations.results import Settings, digest
from benchmarks.ablations.study import Variant
from benchmarks.ablations.training import PRECISION, is_trained, run, seconds_of
from benchmarks.ablations.workshop import Task, Workshop
from pgt.commands.recipes import recipe_of
from pgt.config import changed_fields
from pgt.synthetic.people import LOOKS
from pgt.training.recipe import Recipe

POSES = 4  # pictures of each person to train on
# What a variant takes, beside its scores.
COSTS = {"steps": ("steps", 0, "less"), "minutes": ("minutes of training", 1, "less")}


class PairWorkshop(Workshop):
    """Trains on synthetic people seen before one background; an approach's own says how to score.

    Attributes:
        scene: where people stand, see `SyntheticPeople`.
        scoring: its version; raise it when the same pictures come to have other scores.
    """

    scene: ClassVar[str]
    scoring: ClassVar[int] = 1

    @cached_property
    def people(self) -> People:
        """The data."""
        return People(self.run_folder / "data", self.effort, self.study.size, self.scene, POSES)

    def prepare(self, tasks: Sequence[Task]) -> None:
        """Render everybody."""
        self.people.prepare()

    def training_settings(self, variant: Variant) -> Settings:
        """Return all that a variant's weights depend on, besides the seed, as JSON values."""
        parent = self.study.variants[variant.parent] if variant.parent else None
        people = {"identities": self.effort.identities, "poses": POSES, "scene": self.scene}
        if LOOKS[self.scene] > 1:  # named from the first change on, so that earlier results keep their worth
            people["looks"] = LOOKS[self.scene]
        return {
            "config": changed_fields(variant.config(self.effort.steps_scale)),
            "continues": digest(self.training_settings(parent)) if parent else None,
            "people": people,
            "judges": dict(self.judges),
            "precision": PRECISION,
        }

    def settings(self, variant: Variant) -> Settings:
        """Return all that a variant's scores depend on, besides the seed, as JSON values."""
        return {
            "training": self.training_settings(variant),
            "pairs": self.effort.pairs,
            "scoring": self.scoring,
        }

    def recipe(self, variant: Variant, seed: int) -> Recipe:
        """Build a variant's recipe; the same seed gives variants with equal networks equal first weights."""
        torch.manual_seed(seed)
        return recipe_of(variant.config(self.effort.steps_scale))

    def train(self, variant: Variant, seed: int, folders: Mapping[str, Path]) -> None:
        """Train a variant to its end; nothing is left to do where it is there."""
        stages, folder = variant.config(self.effort.steps_scale).stages, folders[variant.name]
        if is_trained(folder, stages):
            return
        run(
            self.recipe(variant, seed),
            self.people.people,
            stages,
            folder,
            seed=seed,
            shown=self.people.pairs,
            title=variant.name,
            parent=folders[variant.parent] if variant.parent else None,
        )

    def costs(self, variant: Variant, folder: Path) -> dict[str, float]:
        """Return how many steps a run made, and for how many minutes on the clock: scores of `COSTS`."""
        steps = sum(stage.num_steps for stage in variant.config(self.effort.steps_scale).stages)
        return {"steps": steps, "minutes": seconds_of(folder) / 60}

    def core_minutes(self, names: Sequence[str]) -> dict[str, float]:
        """Foretell what the variants' own stages take of one CPU core, from steps measured here."""
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        minutes = {name: self._core_minutes(self.study.variants[name]) for name in names}
        torch.set_num_threads(before)
        return minutes

    def _core_minutes(self, variant: Variant) -> float:
        own = len(variant.stages)
        stages = variant.config(self.effort.steps_scale).stages[-own:] if own else ()
        seconds = (
            stage.num_steps * estimate.seconds_per_step(self.recipe(variant, 0), stage) for stage in stages
        )
        return sum(seconds) / 60
