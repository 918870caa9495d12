"""The configurations that Progressive's ablations compare (2020, section 4.2, Table 1, and Fig. 4).

All are `progressive-tiny` of 128x128 with the changes named here. What they share makes a short training
possible and is not the paper's: no normalisation, the pose at several sizes, pixels beside the perceptual
loss. Local discriminators replace the local perceptual loss at the finest level, as in the paper; "both"
keeps it beside them, as our presets do.

Equal compute: growing, or drawing 128x128 from the first step on, takes the same number of multiplications in
networks and global loss, within a few per cent (the tests count them). Local losses cost what they cost, on
top. Steps and minutes stand beside the scores.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pgt.config import PRESETS, ProgressiveConfig, Stage

PRESET: ProgressiveConfig = PRESETS["progressive-tiny"]
SIZE = PRESET.image_size
BASE = replace(
    PRESET,
    readouts=False,  # they learn nothing that is scored
    local_weight=0.0,
    top_local_weight=0.0,
    adversarial_weight=0.0,
    descriptors=(0,) * PRESET.num_levels,
)


def _level(name: str, side: int, steps: int, batch_size: int) -> Stage:
    return Stage(name, steps, (side, side), batch_size, lr=1e-3, lr_schedule="cosine")


STAGES = {
    "level_32": _level("level_32", 32, 255, 16),
    "level_64": _level("level_64", 64, 255, 8),
    "level_128": _level("level_128", 128, 340, 4),
    "at_once": _level("level_128", 128, 950, 4),
}
GROWN, AT_ONCE = ("level_32", "level_64", "level_128"), ("at_once",)


@dataclass(frozen=True)
class Variant:
    """One configuration.

    Args:
        name: of its results.
        stages: names in `STAGES`.
        changes: fields of `ProgressiveConfig` that differ from `BASE`.
    """

    name: str
    stages: tuple[str, ...]
    changes: Mapping[str, object] = field(default_factory=dict)
    parent: None = None  # each is trained from the beginning

    def config(self, steps_scale: float = 1.0) -> ProgressiveConfig:
        """Return its settings."""
        stages = [STAGES[name] for name in self.stages]
        scaled = (replace(one, num_steps=max(1, round(one.num_steps * steps_scale))) for one in stages)
        return replace(BASE, **self.changes, stages=tuple(scaled))


def _local(count: int) -> dict[str, object]:
    """The local perceptual loss at every level, in so many regions."""
    return {"local_weight": PRESET.local_weight, "descriptors": (count,) * PRESET.num_levels}


_JUDGED = {"adversarial_weight": PRESET.adversarial_weight}
VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("baseline", AT_ONCE),
        Variant("lpl", AT_ONCE, _local(18)),
        Variant("pt", GROWN),
        Variant("pt-lpl", GROWN, _local(18)),
        Variant("pt-lpl-ld", GROWN, _local(18) | _JUDGED),
        Variant("pt-lpl-ld-both", GROWN, _local(18) | _JUDGED | {"top_local_weight": PRESET.local_weight}),
        *(Variant(f"descriptors-{count}", GROWN, _local(count)) for count in (31, 44)),
    )
}
