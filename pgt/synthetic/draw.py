"""Random draws that give the same numbers on every machine and with every numpy version.

numpy promises that the *bits* of a bit generator never change, but not the numbers that `Generator` methods
make of them. So every synthetic person is drawn from the raw bits alone.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

# The first number of every stream: no split shares anything with another.
SPLITS = {"train": 11, "val": 12, "test": 13}


class Draw:
    """A stream of random draws, fixed by a tuple of integers.

    Args:
        *key: non-negative integers; the same key gives the same stream everywhere.
    """

    def __init__(self, *key: int) -> None:
        self._bits = np.random.Philox(np.random.SeedSequence(list(key)))

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Draw a number in [low, high)."""
        return low + (high - low) * (int(self._bits.random_raw()) >> 11) * 2.0**-53

    def normal(self, mean: float = 0.0, std: float = 1.0) -> float:
        """Draw from a normal distribution (Box and Muller 1958)."""
        radius = math.sqrt(-2 * math.log(1 - self.uniform()))
        return mean + std * radius * math.cos(2 * math.pi * self.uniform())

    def integer(self, low: int, high: int) -> int:
        """Draw an integer in [low, high)."""
        return low + int(self.uniform() * (high - low))

    def chance(self, probability: float) -> bool:
        """Say yes with the given probability."""
        return self.uniform() < probability

    def choice(self, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """Draw one of `options`, with probability proportional to its weight."""
        if weights is None:
            return options[self.integer(0, len(options))]
        threshold = self.uniform() * sum(weights)
        for option, weight in zip(options, weights, strict=True):
            threshold -= weight
            if threshold < 0:
                return option
        return options[-1]

    def seed(self) -> int:
        """Draw a seed for an independent stream."""
        return int(self._bits.random_raw()) >> 33
