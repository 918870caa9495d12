"""The configurations that SPT's ablations compare (Song et al., TPAMI 2021, section 4.3), each from what it
continues.

All are `spt-tiny` with the loss weights of `spt-synthetic-128` and the changes named here. These presets have
what a short training gains from and the paper does not have, among others a loss of drawing the source in its
own pose, and a background that keeps what it knows; every variant has it alike. Only what they add to
end-to-end training, cross-entropy on pseudo-labels, is taken out, for that stage is what Table 3 is about;
"e2e-held" has it.

Variants that draw follow the true map where the paper's do ("to avoid the influence of semantic map
prediction", section 4.3.2). Those of Table 3 have drawn for equally many steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pgt.config import PRESETS, SPTConfig, Stage

_TUNED = PRESETS["spt-synthetic-128"]
BASE: SPTConfig = replace(
    PRESETS["spt-tiny"],
    content_weight=_TUNED.content_weight,
    style_weight=_TUNED.style_weight,
    self_weight=_TUNED.self_weight,
    face_weight=_TUNED.face_weight,
    joint_ce_weight=0.0,
)
SIZE = BASE.image_size
CANDIDATES = 500  # N of section 3.2
STAGES = {
    "semantic": Stage("semantic", 750, SIZE, batch_size=8, lr=1e-3, lr_schedule="cosine"),
    "appearance": Stage("appearance", 360, SIZE, batch_size=8, lr=1e-3, lr_schedule="cosine"),
    "end_to_end": Stage("end_to_end", 90, SIZE, batch_size=8, lr=2.5e-4, lr_schedule="cosine"),
    # What "end_to_end" is compared with: drawing learnt for as long, with H_S standing still.
    "longer": Stage("appearance", 90, SIZE, batch_size=8, lr=2.5e-4, lr_schedule="cosine"),
}


@dataclass(frozen=True)
class Variant:
    """One configuration.

    Args:
        name: of its results.
        stages: names in `STAGES`, trained after the parent's; none: the parent's weights, drawn otherwise.
        changes: fields of `SPTConfig` that differ from the parent's, or from `BASE`.
        parent: the variant whose run it continues, discriminators and optimisers included.
        partners: where targets come from: N candidates of the search; None: the same person's other picture.
            A variant with a parent has the parent's.
        coarseness: how many times smaller the maps are that it follows when scored.
        inpainting: the background is filled in by `skimage.restoration.inpaint_biharmonic`.
        scenes_alone: the background network is all that is trained, on scenes without people.
    """

    name: str
    stages: tuple[str, ...] = ()
    changes: Mapping[str, object] = field(default_factory=dict)
    parent: str | None = None
    partners: int | None = CANDIDATES
    coarseness: int = 1
    inpainting: bool = False
    scenes_alone: bool = False

    @property
    def lineage(self) -> tuple["Variant", ...]:
        """The runs it stands on, first one first, and itself."""
        before = VARIANTS[self.parent].lineage if self.parent else ()
        return (*before, self)

    @property
    def candidates(self) -> int | None:
        """N of the search behind its partners; None for true ones."""
        return self.lineage[0].partners

    @property
    def draws(self) -> bool:
        """Whether it goes beyond maps."""
        return any(set(one.stages) - {"semantic"} for one in self.lineage)

    def config(self, steps_scale: float = 1.0) -> SPTConfig:
        """Return its settings, all stages since the beginning of its run included."""
        changes = {name: value for one in self.lineage for name, value in one.changes.items()}
        stages = [STAGES[name] for one in self.lineage for name in one.stages]
        scaled = (replace(one, num_steps=max(1, round(one.num_steps * steps_scale))) for one in stages)
        return replace(BASE, **changes, stages=tuple(scaled))


def _semantic(name: str, partners: int | None = CANDIDATES, **changes: object) -> Variant:
    """H_S alone."""
    return Variant(name, ("semantic",), changes, partners=partners)


def _following_truth(name: str, **changes: object) -> Variant:
    """H_A alone, guided by true maps: the paper's TS-GT."""
    return Variant(name, ("appearance",), {"guidance": "true", **changes}, partners=None)


_UNJUDGED = {"recovered_adversarial": False}
_HELD = {"joint_ce_weight": _TUNED.joint_ce_weight}
VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        _semantic("semantic"),
        _semantic("candidates-100", 100),
        _semantic("candidates-1000", 1000),
        _semantic("true-pairs", None),
        _semantic("no-pose-masks", semantic_pose_masks=False),
        _semantic("no-heat-maps", semantic_heat_maps=False),
        _semantic("no-map-adversary", semantic_adversarial_weight=0.0),
        *(_semantic(f"ce-{weight:g}", ce_weight=weight) for weight in (0.1, 1.0, 10.0, 1000.0)),
        _following_truth("drawn-true"),
        Variant("drawn-predicted", ("appearance",), parent="semantic"),
        Variant(
            "baseline", ("appearance", "longer"), {"guidance": "none", "background": "none", "style": "mask"}
        ),
        Variant("ts-predicted", ("longer",), parent="drawn-predicted"),
        Variant("ts-true", ("longer",), parent="drawn-true"),
        Variant("e2e", ("end_to_end",), parent="drawn-predicted"),
        Variant("e2e-held", ("end_to_end",), _HELD, parent="drawn-predicted"),
        _following_truth("style-mask", style="mask"),
        _following_truth("style-patch", style="patch"),
        _following_truth("no-face-loss", face_weight=0.0),
        _following_truth("no-recovered-style", recovered_style=False),
        _following_truth("no-recovered-adversary", **_UNJUDGED),
        _following_truth("no-recovered-losses", recovered_style=False, **_UNJUDGED),
        Variant("drawn-unjudged", ("appearance",), _UNJUDGED, parent="semantic"),
        Variant("e2e-unjudged", ("end_to_end",), parent="drawn-unjudged"),
        *(Variant(f"coarse-{times}", parent="drawn-true", coarseness=times) for times in (2, 4, 8, 16)),
        _following_truth("no-background-network", background="none"),
        Variant("inpainted", parent="drawn-true", inpainting=True),
        replace(_following_truth("scenes-alone"), scenes_alone=True),
        _following_truth("no-scenes", auxiliary=False),
    )
}
