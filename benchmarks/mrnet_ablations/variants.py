"""The configurations that MR-Net's ablations compare (Xu et al., TIP 2020, section IV-D).

All are `mrnet-tiny` with the change that their name says, trained for equally many steps; more rounds cost
more time. What a short training gains from and the paper does not have, every variant has alike. One thing of
it changes what rounds can do: by `blend` each round shows the source's own background wherever the person did
not hide it, so "unblended" variants repeat the comparison of rounds without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pgt.config import PRESETS, MRNetConfig, Stage

BASE: MRNetConfig = PRESETS["mrnet-tiny"]
PAPER_LAMBDAS = MRNetConfig().perceptual_weight, MRNetConfig().roi_weight
SIZE = BASE.image_size
ROUNDS = Stage("rounds", 240, SIZE, batch_size=8, lr=1e-3, lr_schedule="cosine")


@dataclass(frozen=True)
class Variant:
    """One configuration.

    Args:
        name: of its results.
        changes: fields of `MRNetConfig` that differ from `BASE`, or from the parent's.
        parent: the variant whose weights it uses, instead of a training of its own.
        rounds: how many it draws when scored; as many as it was trained with by default.
    """

    name: str
    changes: Mapping[str, object] = field(default_factory=dict)
    parent: str | None = None
    rounds: int | None = None

    @property
    def stages(self) -> tuple[str, ...]:
        """What it is trained by."""
        return () if self.parent else (ROUNDS.name,)

    def config(self, steps_scale: float = 1.0) -> MRNetConfig:
        """Return its settings; of a variant with a parent, the parent's."""
        if self.parent:
            return VARIANTS[self.parent].config(steps_scale)
        steps = max(1, round(ROUNDS.num_steps * steps_scale))
        return replace(BASE, **self.changes, stages=(replace(ROUNDS, num_steps=steps),))


def _used(times: int, parent: str = "full") -> Variant:
    return Variant(f"{parent}-used-{times}", parent=parent, rounds=times)


def _weights(perceptual: float | None = None, roi: float | None = None) -> dict[str, float]:
    """Change lambda_1 or lambda_2, given as the paper's; `BASE` has other features, and less of them."""
    changes = {}
    if perceptual is not None:
        changes["perceptual_weight"] = perceptual * BASE.perceptual_weight / PAPER_LAMBDAS[0]
    if roi is not None:
        changes["roi_weight"] = roi * BASE.roi_weight / PAPER_LAMBDAS[1]
    return changes


VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("full"),
        *(Variant(f"rounds-{count}", {"num_rounds": count}) for count in (1, 2, 5)),
        Variant("no-roi", {"roi_weight": 0.0}),
        Variant("one-path", {"two_paths": False}),
        Variant("no-non-local", {"non_local": False}),
        Variant("no-appearance-code", {"appearance_code": False}),
        Variant("no-warped-input", {"warped_input": False}),
        Variant("no-help", {"appearance_code": False, "warped_input": False}),
        *(Variant(f"lambda1-{weight:g}", _weights(perceptual=weight)) for weight in (0.0, 0.1)),
        *(Variant(f"lambda2-{weight:g}", _weights(roi=weight)) for weight in (0.15, 0.5)),
        *(Variant(f"unblended-{count}", {"blend": False, "num_rounds": count}) for count in (1, 3)),
        *(_used(times) for times in (1, 2, 5, 10)),
        _used(3, "rounds-1"),
        *(_used(times, "unblended-3") for times in (1, 2)),
    )
}
