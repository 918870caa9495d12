"""What a run will cost, from a few steps of each stage measured on this machine."""

import statistics
import time
from collections.abc import Mapping, Sequence

import torch

from benchmarks.spt_ablations.training import PRECISION, recipe
from benchmarks.spt_ablations.variants import SIZE, STAGES, VARIANTS, Variant
from pgt.config import Stage
from pgt.data.parsing import NUM_LABELS
from pgt.data.person import PairBatch
from pgt.data.pose import NUM_JOINTS
from pgt.training.engine import new_accelerator
from pgt.training.spt import SPTRecipe

STEPS = 5  # measured of each stage; one before them is to warm up


def seconds_per_step() -> dict[str, float]:
    """Measure a step of each stage of `STAGES`, and one on "scenes" alone, in seconds of one CPU core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    whole, scenes = recipe(VARIANTS["e2e"], 0), recipe(VARIANTS["scenes-alone"], 0)
    costs = {name: _measure(whole, stage) for name, stage in STAGES.items() if name != "longer"}
    costs |= {"longer": costs["appearance"], "scenes": _measure(scenes, STAGES["appearance"])}
    torch.set_num_threads(before)
    return costs


def _measure(trained: SPTRecipe, stage: Stage) -> float:
    trained.prepare(new_accelerator(PRECISION))
    batch, times = _noise(stage.batch_size, trained), []
    for _ in range(1 + STEPS):
        start = time.process_time()
        trained.train_step(batch, stage)
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def _noise(count: int, trained: SPTRecipe) -> PairBatch:
    """Make a batch that costs what any other does."""
    pictures, joints = torch.rand(3, count, 3, *SIZE) * 2 - 1, torch.rand(2, count, NUM_JOINTS, 2) * SIZE[0]
    seen, labels = (
        torch.ones(count, NUM_JOINTS, dtype=torch.bool),
        torch.randint(NUM_LABELS, (2, count, *SIZE)),
    )
    return PairBatch(
        *(pictures[0], pictures[1], *joints, seen, seen, *labels),
        scene=pictures[2],
        encoding=trained.nets["generator"].pose_encoding,
    )


def core_minutes(variant: Variant, steps_scale: float, costs: Mapping[str, float]) -> float:
    """Return what a variant's own stages will take of one CPU core, in minutes; scoring comes on top."""
    names: Sequence[str] = ["scenes" if variant.scenes_alone else name for name in variant.stages]
    steps = [STAGES[name].num_steps * steps_scale for name in variant.stages]
    return sum(count * costs[name] for name, count in zip(names, steps, strict=True)) / 60
