"""Which pairs make up which step, and how fast the weights then move: functions of the step alone.

Nothing here keeps a position. A run that is killed and started again asks for step k and gets the very
numbers that an uninterrupted run would have had, and any number of processes share out the same batches.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pgt.config import Stage


def learning_rate(stage: Stage, step: int) -> float:
    """Return the learning rate of one step of a stage.

    Args:
        stage: its `lr` holds at step 0; `lr_schedule` is "constant", or "cosine" for half a cosine down to 0.
        step: steps already taken in this stage, 0 <= step < stage.num_steps.
    """
    if stage.lr_schedule == "constant":
        return stage.lr
    if stage.lr_schedule == "cosine":
        return stage.lr * 0.5 * (1 + math.cos(math.pi * step / stage.num_steps))
    raise ValueError(f"lr_schedule must be 'constant' or 'cosine'; got {stage.lr_schedule!r}.")


def step_seed(seed: int, step: int, process: int) -> int:
    """Mix three numbers into the seed of everything random (dropout, noise) in one step of one process."""
    return int(np.random.SeedSequence([seed, step, process]).generate_state(1)[0])


@dataclass(frozen=True)
class BatchOrder:
    """The endless stream of training pairs: each epoch a new permutation, each pair mirrored by a coin.

    Attributes:
        num_pairs: length of the dataset.
        seed: fixes all permutations and coins.
        flip: whether pairs are mirrored at all.
    """

    num_pairs: int
    seed: int
    flip: bool = True

    def pairs(self, start: int, count: int) -> list[tuple[int, bool]]:
        """Return elements start .. start + count - 1 of the stream, each as (index of the pair, mirrored)."""
        return [self._at(position) for position in range(start, start + count)]

    def _at(self, position: int) -> tuple[int, bool]:
        epoch, offset = divmod(position, self.num_pairs)
        order, mirrored = _epoch(self.num_pairs, self.seed, epoch)
        return int(order[offset]), self.flip and bool(mirrored[offset])


@lru_cache(maxsize=4)  # a batch touches at most a few neighbouring epochs
def _epoch(num_pairs: int, seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng([seed, epoch])
    return random.permutation(num_pairs), random.random(num_pairs) < 0.5


@dataclass(frozen=True)
class Timetable:
    """The stages laid end to end: where in the run, and where in the stream of pairs, each step stands.

    Attributes:
        stages: in the order in which they are trained.
    """

    stages: tuple[Stage, ...]

    @property
    def num_steps(self) -> int:
        """Return the number of optimiser steps of all stages together."""
        return sum(stage.num_steps for stage in self.stages)

    def begin(self, stage_index: int) -> int:
        """Return the global step at which a stage begins."""
        return sum(stage.num_steps for stage in self.stages[:stage_index])

    def stage_index(self, step: int) -> int:
        """Return which stage the global step belongs to; 0 <= step < num_steps."""
        return next(i for i in range(len(self.stages)) if step < self.begin(i + 1))

    def stream_position(self, step: int) -> int:
        """Return how many pairs the stream has given before the global step."""
        index = self.stage_index(step)
        before = sum(stage.num_steps * stage.batch_size for stage in self.stages[:index])
        return before + (step - self.begin(index)) * self.stages[index].batch_size
