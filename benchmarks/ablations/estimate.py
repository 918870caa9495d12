"""What a run will cost, from a few steps of each stage measured on this machine."""

import statistics
import time

import torch

from benchmarks.ablations.training import PRECISION
from pgt.config import Stage
from pgt.data.parsing import NUM_LABELS
from pgt.data.person import PairBatch
from pgt.data.pose import NUM_JOINTS, PoseEncoding
from pgt.training.engine import new_accelerator
from pgt.training.recipe import Recipe

STEPS = 5  # measured of each stage; one before them is to warm up


def seconds_per_step(trained: Recipe, stage: Stage) -> float:
    """Measure a training step in seconds of the processor; its recipe is of no use afterwards."""
    trained.prepare(new_accelerator(PRECISION))
    batch, times = noise(stage, trained.nets["generator"].pose_encoding), []
    for step in range(1 + STEPS):
        start = time.process_time()
        trained.set_lr(stage, step)
        trained.train_step(batch, stage)
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def noise(stage: Stage, encoding: PoseEncoding) -> PairBatch:
    """Make a batch that costs what any other does."""
    size, count = stage.image_size, stage.batch_size
    pictures, joints = torch.rand(3, count, 3, *size) * 2 - 1, torch.rand(2, count, NUM_JOINTS, 2) * size[0]
    seen = torch.ones(count, NUM_JOINTS, dtype=torch.bool)
    labels = torch.randint(NUM_LABELS, (2, count, *size))
    return PairBatch(
        *(pictures[0], pictures[1], *joints, seen, seen, *labels), scene=pictures[2], encoding=encoding
    )
