"""How a variant of SPT is trained."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.ablations.material import judge
from benchmarks.ablations.training import is_trained, run
from benchmarks.spt_ablations.material import Material, features
from benchmarks.spt_ablations.variants import Variant
from pgt.data.person import PairBatch
from pgt.training.spt import SPTRecipe


class SceneRecipe(SPTRecipe):
    """Trains the background network alone, on scenes alone: the independent network of Fig. 15c."""

    def _appearance_step(self, batch: PairBatch) -> dict[str, Tensor]:
        return self._scene_step(batch)


def recipe(variant: Variant, seed: int, steps_scale: float = 1.0) -> SPTRecipe:
    """Build the recipe of a variant; the same seed gives variants with equal networks equal first weights."""
    torch.manual_seed(seed)
    kind = SceneRecipe if variant.scenes_alone else SPTRecipe
    return kind(variant.config(steps_scale), judge(), features())


def train(variant: Variant, seed: int, shared: Material, folders: Mapping[str, Path]) -> None:
    """Train a variant to its end, whose parent's run is through; nothing is left to do where it is too.

    Args:
        variant: with stages of its own.
        seed: of weights, order of pairs, and search.
        shared: prepared.
        folders: of the runs of the variant and its parent, by name.
    """
    scale, folder = shared.effort.steps_scale, folders[variant.name]
    stages = variant.config(scale).stages
    if is_trained(folder, stages):
        return
    run(
        recipe(variant, seed, scale),
        shared.dataset(variant, seed),
        stages,
        folder,
        seed=seed,
        shown=shared.pairs,
        title=variant.name,
        parent=folders[variant.parent] if variant.parent else None,
    )
