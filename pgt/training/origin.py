"""Begin a training with the weights of a checkpoint, and say whose they were. Knows nothing of the loop."""

from pathlib import Path

from pgt.checkpoint import Origin, find, load, read_card
from pgt.models.progressive import ProgressiveGenerator
from pgt.training.recipe import Recipe


def begin_with(recipe: Recipe, name: str) -> Origin:
    """Replace a recipe's first weights by those of a checkpoint.

    Args:
        recipe: not trained yet.
        name: as for `pgt.load`.

    Returns:
        the checkpoint's name, without the folders around it, and what its card has on record of its training.

    Raises:
        ValueError: there is no such checkpoint, or it is another network. Weights of Progressive may be those
            of fewer levels: they are grown on.
    """
    folder, _ = find(name)
    first = load(folder, quiet=True)
    for net in {"generator", "ema"} & set(recipe.nets):
        grows = isinstance(recipe.nets[net], ProgressiveGenerator) and isinstance(first, ProgressiveGenerator)
        try:
            weights = recipe.nets[net].grown_from(first) if grows else first.state_dict()
            recipe.nets[net].load_state_dict(weights)
        except (RuntimeError, ValueError):  # torch lists every tensor that differs
            raise ValueError(f"The weights {name} do not fit this preset: it is another network.") from None
    card = read_card(folder)
    return {
        "name": _public_name(name),
        **{entry: card[entry] for entry in ("data", "training", "history") if entry in card},
    }


def _public_name(name: str) -> str:
    """Return a bundled or Hub name as it is, and of a folder the last part, or the run that it belongs to."""
    if not Path(name).is_dir():
        return name
    folder = Path(name).resolve()
    return folder.parent.name if folder.name == "generator" else folder.name
