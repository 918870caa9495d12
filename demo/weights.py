"""Which weights the demo draws with, where they are found, and what they were trained on."""

import os
import re
from pathlib import Path

from pgt.checkpoint import CONFIG, PLACES_VARIABLE, CheckpointError, bundled_names, find, read_card
from pgt.predictor import Predictor

PG2, SPT, MR_NET, PROGRESSIVE = "PG2", "SPT", "MR-Net", "Progressive"
# class of a model -> what people call the approach
APPROACHES = {
    "PG2Generator": PG2,
    "SPTGenerator": SPT,
    "MRNetGenerator": MR_NET,
    "ProgressiveGenerator": PROGRESSIVE,
}
FAMILIES = {
    PG2: "pg2",
    SPT: "spt",
    MR_NET: "mrnet",
    PROGRESSIVE: "progressive",
}  # how their weights are named
LARGEST = 256  # pixels a side: larger pictures could not follow a dragged joint
NOT_STATED = "training data not stated"


def found(approach: str) -> str | None:
    """Return the name of an approach's weights on this computer; None without any.

    Looked for as `pgt.load` does: in the folders of PGT_CHECKPOINTS, then among the bundled weights. Of
    several, such as `progressive-synthetic-128` and `-256`, those of the largest pictures up to `LARGEST`.
    """
    begins = f"{FAMILIES[approach]}-synthetic-"
    places = [Path(place) for place in os.environ.get(PLACES_VARIABLE, "").split(os.pathsep) if place]
    listed = {path.parent.name for place in places for path in place.glob(f"{begins}*/{CONFIG}")}
    names = sorted(listed | set(bundled_names(begins)), key=_rank)
    return names[-1] if names else None


def _rank(name: str) -> tuple[bool, int, str]:
    side = re.search(r"-(\d+)$", name)
    pixels = int(side[1]) if side else 0
    return pixels <= LARGEST, pixels if pixels <= LARGEST else -pixels, name


def load(approach: str, name: str | None, device: str) -> Predictor | None:
    """Load the weights of an approach: those that are named, or those that are here, if any.

    Raises:
        CheckpointError: one sentence, where the weights cannot be read or are another approach's.
    """
    name = name or found(approach)
    if name is None:
        return None
    predictor = Predictor.load(name, device)
    if approach_of(predictor) != approach:
        raise CheckpointError(f"The weights {name} are not {approach}'s.")
    return predictor


def approach_of(predictor: Predictor) -> str:
    """Return what people call the approach of a predictor."""
    return APPROACHES.get(type(predictor.model).__name__, short_name(predictor))


def short_name(predictor: Predictor) -> str:
    """Return the name of a predictor without its folder, which is nobody's business."""
    return Path(predictor.name).name


def trained_on(predictor: Predictor) -> str:
    """Return what the card of the weights says of their training data: its first sentence."""
    source = str(getattr(predictor.model, "checkpoint_source", ""))
    if not source or source.startswith("the Hub"):  # only config and weights come from there
        return NOT_STATED
    data = read_card(find(predictor.name)[0]).get("data", "")
    sentence = re.split(r"\.\s", data.strip(), maxsplit=1)[0].removesuffix(".")
    return sentence or NOT_STATED
