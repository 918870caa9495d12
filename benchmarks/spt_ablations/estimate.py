"""What a run of SPT's variants will cost, from a few steps of each stage measured on this machine."""

from collections.abc import Mapping, Sequence

import torch

from benchmarks.ablations import estimate
from benchmarks.spt_ablations.training import recipe
from benchmarks.spt_ablations.variants import STAGES, VARIANTS, Variant


def seconds_per_step() -> dict[str, float]:
    """Measure a step of each stage of `STAGES`, and one on "scenes" alone, in seconds of one CPU core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    whole, scenes = recipe(VARIANTS["e2e"], 0), recipe(VARIANTS["scenes-alone"], 0)
    costs = {
        name: estimate.seconds_per_step(whole, stage) for name, stage in STAGES.items() if name != "longer"
    }
    costs |= {
        "longer": costs["appearance"],
        "scenes": estimate.seconds_per_step(scenes, STAGES["appearance"]),
    }
    torch.set_num_threads(before)
    return costs


def core_minutes(variant: Variant, steps_scale: float, costs: Mapping[str, float]) -> float:
    """Return what a variant's own stages will take of one CPU core, in minutes; scoring comes on top."""
    names: Sequence[str] = ["scenes" if variant.scenes_alone else name for name in variant.stages]
    steps = [STAGES[name].num_steps * steps_scale for name in variant.stages]
    return sum(count * costs[name] for name, count in zip(names, steps, strict=True)) / 60
