"""One variant's run: begun afresh or from its parent's, and resumed where it was killed."""

import json
import shutil
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.spt_ablations import material
from benchmarks.spt_ablations.material import Material
from benchmarks.spt_ablations.variants import Variant
from pgt.config import Stage
from pgt.data.person import PairBatch
from pgt.training.engine import Options, fit
from pgt.training.spt import SPTRecipe

PRECISION = "bf16"
SHOWN = 6  # pairs drawn at the end of each stage, to look at


class SceneRecipe(SPTRecipe):
    """Trains the background network alone, on scenes alone: the independent network of Fig. 15c."""

    def _appearance_step(self, batch: PairBatch) -> dict[str, Tensor]:
        return self._scene_step(batch)


def recipe(variant: Variant, seed: int, steps_scale: float = 1.0) -> SPTRecipe:
    """Build the recipe of a variant; the same seed gives variants with equal networks equal first weights."""
    torch.manual_seed(seed)
    kind = SceneRecipe if variant.scenes_alone else SPTRecipe
    return kind(variant.config(steps_scale), material.judge(), material.features())


def train(variant: Variant, seed: int, shared: Material, folders: dict[str, Path]) -> None:
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
    if variant.parent:
        continue_from(folders[variant.parent], folder)
    fit(
        recipe(variant, seed, scale),
        shared.dataset(variant, seed),
        stages,
        folder,
        seed=seed,
        precision=PRECISION,
        sample_pairs=shared.pairs[:SHOWN],
        card={"title": variant.name},
        options=Options(sample_every=10**9, save_every=10**9, save_seconds=60.0),
    )


def is_trained(folder: Path, stages: tuple[Stage, ...]) -> bool:
    """Say whether a run has been through its stages."""
    sessions = _sessions(folder)
    return bool(sessions) and sessions[-1]["last_step"] == sum(stage.num_steps for stage in stages)


def seconds_of(folder: Path) -> float:
    """Return how long a run took, its parent's not included, on the clock."""
    return sum(session["seconds"] for session in _sessions(folder))


def _sessions(folder: Path) -> list[dict]:
    path = folder / "sessions.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def continue_from(parent: Path, folder: Path) -> None:
    """Let a new run go on from a finished one: the engine resumes from the state that it finds.

    So discriminators, optimisers and moving averages go along, which the weights of a checkpoint do not hold.
    """
    state = folder / "state" / "state.pt"
    if not state.exists():
        state.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(parent / "state" / "state.pt", state.with_suffix(".copy"))
        state.with_suffix(".copy").replace(state)
