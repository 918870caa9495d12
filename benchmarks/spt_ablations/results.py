"""Measured scores on disk, one small JSON file per variant and seed, and what they say together.

A file holds the settings that its numbers depend on, and their hash. A file of other settings counts as
missing, so results of different efforts, judges or configurations never meet in one table.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.spt_ablations.material import NUM_SCENES, POSES, SCENE, Effort
from benchmarks.spt_ablations.training import PRECISION
from benchmarks.spt_ablations.variants import VARIANTS, Variant
from pgt.config import SPTConfig
from pgt.training.run_folder import replace_bytes

SCORING = 1  # raise it when the same pictures come to have other scores
CONFIDENCE = 0.95

Scores = Mapping[str, Mapping[int, Mapping[str, float]]]  # variant -> seed -> score -> value


class Interval(NamedTuple):
    """A mean and half the width of its confidence interval; NaN where one seed alone says nothing of it."""

    mean: float
    half_width: float


def training_settings(variant: Variant, effort: Effort, judges: Mapping[str, int]) -> dict[str, object]:
    """Return all that a variant's weights depend on, besides the seed, as JSON values.

    Of the config only what differs from the defaults of `SPTConfig`: a new field that changes nothing must
    not make earlier results worthless.

    Args:
        variant: which.
        effort: how much is done.
        judges: checksums of the pose estimator's and the parser's weights.
    """
    defaults, config = SPTConfig().to_dict(), variant.config(effort.steps_scale).to_dict()
    parent = VARIANTS[variant.parent] if variant.parent else None
    return {
        "config": {name: value for name, value in config.items() if value != defaults[name]},
        "continues": digest(training_settings(parent, effort, judges)) if parent else None,
        "candidates": variant.candidates,
        "scenes_alone": variant.scenes_alone,
        "people": {"identities": effort.identities, "poses": POSES, "scene": SCENE, "scenes": NUM_SCENES},
        "judges": dict(judges),
        "precision": PRECISION,
    }


def settings(variant: Variant, effort: Effort, judges: Mapping[str, int]) -> dict[str, object]:
    """Return all that a variant's scores depend on; arguments as of `training_settings`."""
    return {
        "training": training_settings(variant, effort, judges),
        "coarseness": variant.coarseness,
        "inpainting": variant.inpainting,
        "pairs": effort.pairs,
        "scoring": SCORING,
    }


def digest(values: Mapping[str, object]) -> str:
    """Return a short hash of settings."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


class Results:
    """The files of one folder.

    Args:
        folder: where they are.
        effort, judges: of the results that count, see `settings`.
    """

    def __init__(self, folder: Path, effort: Effort, judges: Mapping[str, int]) -> None:
        self.folder, self.effort, self.judges = folder, effort, judges

    def read(self, variant: Variant, seed: int) -> dict | None:
        """Return what a file holds, or None where there is none of these settings."""
        path = self._path(variant, seed)
        content = json.loads(path.read_text()) if path.exists() else {}
        wanted = digest(settings(variant, self.effort, self.judges))
        return content if content.get("hash") == wanted else None

    def write(
        self, variant: Variant, seed: int, scores: Mapping[str, float], facts: Mapping[str, object]
    ) -> None:
        """Keep scores with the settings and the circumstances they belong to."""
        values = settings(variant, self.effort, self.judges)
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
