"""One variant's run: begun afresh or from its parent's, and resumed where it was killed."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from pgt.config import Stage
from pgt.data.pairs import PairDataset
from pgt.data.person import Pair
from pgt.training.engine import Options, fit
from pgt.training.recipe import Recipe

PRECISION = "bf16"
SHOWN = 6  # pairs drawn at the end of each stage, to look at


def run(
    recipe: Recipe,
    dataset: PairDataset,
    stages: Sequence[Stage],
    folder: Path,
    *,
    seed: int,
    shown: Sequence[Pair],
    title: str,
    parent: Path | None = None,
) -> None:
    """Train to the end of the last stage; nothing is left to do where a run is through.

    Args:
        recipe: freshly built, its weights drawn with the same seed.
        dataset: to train on.
        stages: all since the beginning of the run, the parent's included.
        folder: of the run.
        seed: of the order of pairs.
        shown: unseen pairs, some of which are drawn.
        title: of the model card.
        parent: folder of the run to continue.
    """
    if parent is not None:
        continue_from(parent, folder)
    fit(
        recipe,
        dataset,
        stages,
        folder,
        seed=seed,
        precision=PRECISION,
        sample_pairs=shown[:SHOWN],
        card={"title": title},
        options=Options(sample_every=10**9, save_every=10**9, save_seconds=60.0),
    )


def is_trained(folder: Path, stages: Sequence[Stage]) -> bool:
    """Say whether a run has been through its stages."""
    sessions = _sessions(folder)
    return bool(sessions) and sessions[-1]["last_step"] == sum(stage.num_steps for stage in stages)


def seconds_of(folder: Path) -> float:
    """Return how long a run took, its parent's not included, on the clock."""
    return sum(session["seconds"] for session in _sessions(folder))


def _sessions(folder: Path) -> list[dict]:
    path = folder / "sessions.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def continue_from(parent: Path, folder: Path) -> None:
    """Let a new run go on from a finished one: the engine resumes from the state that it finds.

    So discriminators, optimisers and moving averages go along, which the weights of a checkpoint do not hold.
    """
    state = folder / "state" / "state.pt"
    if not state.exists():
        state.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(parent / "state" / "state.pt", state.with_suffix(".copy"))
        state.with_suffix(".copy").replace(state)
