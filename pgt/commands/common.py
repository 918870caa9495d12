"""What several commands need: people by the arguments, presets, and pictures written to disk."""

import argparse
import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from pgt.checkpoint import bundled_names
from pgt.data.pairs import CachedPeople, PairDataset
from pgt.synthetic.people import SyntheticPeople

SYNTHETIC = "synthetic"  # in place of a folder


def scene_of(approach: str, scene: str | None) -> str:
    """Return where synthetic people stand: where they are asked to, or where the approach belongs."""
    return scene or ("non_iconic" if approach == "mrnet" else "mixed")


def cached_people(arguments: argparse.Namespace, split: str, size: tuple[int, int]) -> CachedPeople:
    """Return the synthetic people that the arguments name, kept in the folder they name."""
    scene = scene_of(getattr(arguments, "approach", ""), arguments.scene)
    people = SyntheticPeople(split, size, scene, arguments.identities, arguments.poses)
    return people.cached(arguments.cache, keep=("label_map",))


def folder_pairs(path: str) -> PairDataset:
    """Read a folder of people as pairs; refuse one without any."""
    from pgt.data.readers.folder import PeopleFolder

    pairs = PeopleFolder(path)
    if not len(pairs):
        raise ValueError(f"{path} has no two pictures of one person.")
    return pairs


def is_first_process() -> bool:
    """Say whether this is the process that writes and talks, of those that `accelerate launch` started."""
    return os.environ.get("RANK", "0") == "0"


def set_threads(threads: int | None) -> None:
    """Let torch use so many CPU threads; None leaves the choice to it."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)


def check_suffix(path: str) -> None:
    """Refuse to write anything but a PNG, before the work begins."""
    if Path(path).suffix.lower() != ".png":
        raise ValueError(f"The picture is written as PNG: {path!r} should end in .png.")


def write_picture(path: str, picture: np.ndarray) -> None:
    """Write a uint8 picture (H, W, 3) as PNG, making its folder, and say where."""
    from pgt.training.run_folder import replace_bytes

    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG", optimize=True)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    replace_bytes(Path(path), content.getvalue())
    print(path)


def bundled(approach: str) -> str:
    """Return the name of the weights that come with the library for an approach or judge."""
    names = bundled_names(approach)
    if not names:
        raise ValueError(f"No weights of {approach} are bundled; train them first, or name some.")
    return names[0]
