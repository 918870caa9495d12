"""Measured scores on disk, one small JSON file per variant and seed, and what they say together.

A file holds the settings that its numbers depend on, and their hash. A file of other settings counts as
missing, so results of different efforts, judges or configurations never meet in one table.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.ablations.study import Variant
from pgt.files import replace_bytes

CONFIDENCE = 0.95

Scores = Mapping[str, Mapping[int, Mapping[str, float]]]  # variant -> seed -> score -> value
Settings = Mapping[str, object]  # JSON values


class Interval(NamedTuple):
    """A mean and half the width of its confidence interval; NaN where one seed alone says nothing of it."""

    mean: float
    half_width: float


def digest(values: Settings) -> str:
    """Return a short hash of settings."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


class Results:
    """The files of one folder.

    Args:
        folder: where they are.
        settings: variant -> all that its scores depend on, besides the seed.
    """

    def __init__(self, folder: Path, settings: Callable[[Variant], Settings]) -> None:
        self.folder, self.settings = folder, settings

    def read(self, variant: Variant, seed: int) -> dict | None:
        """Return what a file holds, or None where there is none of these settings."""
        path = self._path(variant, seed)
        content = json.loads(path.read_text()) if path.exists() else {}
        return content if content.get("hash") == digest(self.settings(variant)) else None

    def write(self, variant: Variant, seed: int, scores: Mapping[str, float], facts: Settings) -> None:
        """Keep scores with the settings and the circumstances they belong to."""
        values = self.settings(variant)
        finite = {name: value if math.isfinite(value) else None for name, value in scores.items()}
        content = {"variant": variant.name, "seed": seed, "scores": finite, "facts": dict(facts)}
        content |= {"hash": digest(values), "settings": values}
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_bytes(self._path(variant, seed), (json.dumps(content, indent=1) + "\n").encode())

    def scores(self, variants: Sequence[Variant], seeds: Sequence[int]) -> Scores:
        """Gather what has been measured; scores that are undefined are left out."""
        found: dict[str, dict[int, dict[str, float]]] = {}
        for variant in variants:
            for seed in seeds:
                content = self.read(variant, seed)
                if content is not None:
                    known = {name: value for name, value in content["scores"].items() if value is not None}
                    found.setdefault(variant.name, {})[seed] = known
        return found

    def _path(self, variant: Variant, seed: int) -> Path:
        return self.folder / f"{variant.name}-{seed}.json"


def values_of(scores: Scores, variant: str, score: str) -> dict[int, float]:
    """Return seed -> value of one score of a variant."""
    return {seed: one[score] for seed, one in scores.get(variant, {}).items() if score in one}


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of equally good measurements and its interval by Student's t; NaN for none."""
    from scipy.stats import t

    count = len(values)
    mean = sum(values) / count if count else math.nan
    if count < 2:
        return Interval(mean, math.nan)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    return Interval(mean, float(t.ppf((1 + CONFIDENCE) / 2, count - 1)) * deviation / math.sqrt(count))
