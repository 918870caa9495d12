"""What a table or a picture sets side by side: generators by name, and rivals around one of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pgt.checkpoint import bundled_names, load

if TYPE_CHECKING:
    from pgt.evaluation import Method
    from pgt.predictor import Predictor

APPROACHES = {"pg2": "PG2", "spt": "SPT", "mrnet": "MR-Net", "progressive": "Progressive"}
NON_ICONIC = "non_iconic"  # the scene where people are small and somewhere
TRUE_MAPS = ", true maps"  # ends the name of a row that follows the targets' own label maps


def row_name(weights: str) -> str:
    """Name the row of a checkpoint after its approach: "PG2" for pg2-synthetic-128."""
    approach = Path(weights).name.split("-")[0]
    return APPROACHES.get(approach, approach.upper())


def named_weights(choices: Sequence[str]) -> dict[str, str]:
    """Read `NAME=WEIGHTS`, or `WEIGHTS` alone, as row name -> weights.

    Raises:
        ValueError: two rows of one name.
    """
    named = [choice.split("=", 1) if "=" in choice else (row_name(choice), choice) for choice in choices]
    if len({name for name, _ in named}) < len(named):
        raise ValueError(f"two rows have one name in {', '.join(choices)}; write NAME=WEIGHTS.")
    return dict(named)


def bundled_generators() -> dict[str, str]:
    """Return row name -> bundled weights, approach by approach; two of one approach go by their own names."""
    names = [name for approach in APPROACHES for name in bundled_names(approach)]
    rows = [row_name(name) for name in names]
    return {row if rows.count(row) == 1 else name: name for row, name in zip(rows, names, strict=True)}


def crop_rivals(scene: str | None) -> dict[str, "Predictor"]:
    """Return the rivals of MR-Net, which cut boxes and let the bundled PG2 draw in them.

    Args:
        scene: where people stand; only where they do not fill the picture is there anything to cut.
    """
    from pgt.models.crop_baselines import KINDS, CropBaseline
    from pgt.predictor import Predictor

    names = bundled_names("pg2")
    if scene != NON_ICONIC or not names:
        return {}
    model, rivals = load(names[0], quiet=True), {}
    for kind in KINDS:
        baseline = CropBaseline(model, kind)
        baseline.checkpoint_source = f"{kind} around {model.checkpoint_source}"
        rivals[kind] = Predictor(baseline, name=kind)
    return rivals


def with_true_map_rows(rows: Mapping[str, "Predictor"]) -> dict[str, "Method"]:
    """Add a second row for each model that follows label maps, given the targets' own."""
    from pgt.evaluation import with_true_maps

    methods: dict[str, Method] = {}
    for name, predictor in rows.items():
        methods[name] = predictor
        if predictor.follows_maps:
            methods[name + TRUE_MAPS] = with_true_maps(predictor)
    return methods
