"""The pictures of a study: checked, and kept under names that say nothing.

All are written anew as PNG, so that neither a file's name nor its kind, date or size in bytes before that
tells what it is. What was lost before, by JPEG for example, stays lost.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pgt.studies.plan import (
    GIVEN,
    PICTURES,
    PREFERENCE,
    REAL,
    REAL_FAKE,
    Plan,
    blind_names,
    picture_path,
    plan_preference,
    plan_real_fake,
)

Pictures = Mapping[str, Mapping[str, np.ndarray]]  # method, "real", "source" ... -> name -> uint8 (H, W, 3)


def make_study(
    folder: str | Path,
    pictures: Pictures,
    kind: str,
    *,
    ours: str = "",
    count: int | None = None,
    practice: int = 0,
    sessions: int = 30,
    seconds: float = 0.0,
    seed: int = 0,
    note: str = "",
) -> Plan:
    """Plan a study and write it into a new folder, whole or not at all.

    Args:
        folder: new, or empty.
        pictures: of every method, and "real" for "real-fake"; "source" and "pose" are shown beside pairs.
        kind: "real-fake" or "preference".
        ours: of a preference, the method whose share is counted.
        count: pictures or pairs for each method and session, see `plan.plan_real_fake`; as many as there are
            by default.
        practice, sessions, seconds, seed, note: see `Plan` and its two planners.

    Raises:
        ValueError: one sentence.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} holds something already; name a new folder for the study.")
    methods = _methods(pictures, kind, ours)
    given = [name for name in GIVEN if name in pictures] if kind == PREFERENCE else []
    names = _common_names(pictures, [*methods, *([REAL] if kind == REAL_FAKE else [ours]), *given])
    count = _checked_count(count, len(names), practice if kind == REAL_FAKE else 0)
    shown = [*methods, REAL if kind == REAL_FAKE else ours, *given]
    blind = blind_names(shown, names, seed)
    settings = {"count": count, "practice": practice, "sessions": sessions, "seed": seed}
    if kind == REAL_FAKE:
        planned = plan_real_fake(blind, methods, names, **settings)
    else:
        planned = plan_preference(blind, ours, methods, names, given=given, **settings)
    used = {picture for trials in planned for trial in trials for picture in (*trial.pictures, *trial.given)}
    origins = {picture: origin for origin, picture in blind.items() if picture in used}
    plan = Plan(kind, tuple(methods), ours, seconds, seed, note, origins, planned)
    _write(folder, plan, pictures)
    return plan


def _methods(pictures: Pictures, kind: str, ours: str) -> list[str]:
    """Return the methods that are judged, or raise a ValueError of one sentence."""
    methods = [name for name in pictures if name not in (REAL, *GIVEN)]
    if kind == REAL_FAKE:
        if REAL not in pictures:
            raise ValueError('a study "real-fake" needs a folder "real" beside those of the methods.')
        if not methods:
            raise ValueError('there is nothing beside "real": add a folder for each method.')
        return methods
    if ours not in methods:
        raise ValueError(f"--ours must be one of {', '.join(methods) or 'the methods'}, not {ours!r}.")
    rivals = [name for name in methods if name != ours]
    if not rivals:
        raise ValueError(f"{ours} needs at least one other method to be compared with.")
    return rivals


def _common_names(pictures: Pictures, shown: Sequence[str]) -> list[str]:
    """Return the names of the files that all methods share; refuse a missing one and odd sizes."""
    names = sorted(pictures[shown[0]])
    if not names:
        raise ValueError(f"{shown[0]} has no pictures.")
    for method in shown:
        odd = sorted(set(names) ^ set(pictures[method]))
        if odd:
            there = odd[0] in pictures[method]
            with_it, without = (method, shown[0]) if there else (shown[0], method)
            raise ValueError(f"{with_it} has a picture {odd[0]!r} and {without} has none of that name.")
    sizes = {
        pictures[method][name].shape[:2]: f"{method}/{name}"
        for method in shown
        if method not in GIVEN
        for name in names
    }
    if len(sizes) > 1:  # the size would give away what a picture is
        (first, where), (second, there), *_ = sizes.items()
        words = f"{where} is {first[1]}x{first[0]} and {there} is {second[1]}x{second[0]}"
        raise ValueError(f"all pictures that are judged must have one size, but {words}.")
    return names


def _checked_count(count: int | None, available: int, practice: int) -> int:
    wanted = available if count is None else count
    if wanted > available:
        raise ValueError(f"there are {available} pictures of each method, so {wanted} cannot be shown.")
    if practice >= 2 * wanted:
        raise ValueError(f"{practice} pictures for practice leave none of {2 * wanted} to count.")
    return wanted


def _write(folder: Path, plan: Plan, pictures: Pictures) -> None:
    """Write pictures and plan aside, then move them to their place at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        (aside / PICTURES).mkdir()
        for picture, (method, name) in plan.origins.items():
            Image.fromarray(pictures[method][name]).save(picture_path(aside, picture), "PNG")
        plan.write(aside)
        aside.chmod(0o755)
        if folder.exists():
            folder.rmdir()  # it is empty
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
