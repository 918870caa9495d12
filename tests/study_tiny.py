"""What the tests of studies share: a few pictures of plain colours, and studies made of them."""

import sys
from pathlib import Path

import numpy as np

from pgt.studies.pictures import make_study
from pgt.studies.plan import PREFERENCE, REAL_FAKE, Plan

sys.path.insert(0, str(Path(__file__).parents[1] / "demo"))

METHODS = ("PG2", "SPT")
SIZE = (48, 32)


def colours(count: int, *methods: str) -> dict[str, dict[str, np.ndarray]]:
    """Return pictures (48, 32) of one colour each, all different: method -> name -> picture."""
    return {
        method: {
            f"{number:03d}": np.full((*SIZE, 3), (20 * index + 10, 5 * number % 256, 90), np.uint8)
            for number in range(count)
        }
        for index, method in enumerate(methods)
    }


def make_real_fake(folder: Path, *, count: int = 2, practice: int = 2, sessions: int = 3, **settings) -> Plan:
    """Make a study of two methods beside real pictures."""
    pictures = colours(2 * count, "real", *METHODS)
    sizes = {"count": count, "practice": practice, "sessions": sessions}
    return make_study(folder, pictures, REAL_FAKE, **sizes, **settings)


def make_preference(folder: Path, *, count: int = 3, sessions: int = 3, **settings) -> Plan:
    """Make a study of SPT beside two rivals, with sources and poses."""
    pictures = colours(count, "source", "pose", *METHODS, "part warp")
    return make_study(folder, pictures, PREFERENCE, ours="SPT", count=count, sessions=sessions, **settings)
