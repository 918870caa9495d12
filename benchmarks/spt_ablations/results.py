"""What SPT's scores depend on: the settings that its results are kept with."""

from collections.abc import Mapping

from benchmarks.ablations.results import digest
from benchmarks.ablations.study import Effort
from benchmarks.ablations.training import PRECISION
from benchmarks.spt_ablations.material import NUM_SCENES, POSES, SCENE
from benchmarks.spt_ablations.variants import VARIANTS, Variant
from pgt.config import changed_fields

SCORING = 1  # raise it when the same pictures come to have other scores


def training_settings(variant: Variant, effort: Effort, judges: Mapping[str, int]) -> dict[str, object]:
    """Return all that a variant's weights depend on, besides the seed, as JSON values.

    Args:
        variant: which.
        effort: how much is done.
        judges: checksums of the pose estimator's and the parser's weights.
    """
    parent = VARIANTS[variant.parent] if variant.parent else None
    return {
        "config": changed_fields(variant.config(effort.steps_scale)),
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
