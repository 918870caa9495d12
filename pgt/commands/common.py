"""What several commands need: people by the arguments, presets, and pictures written to disk."""

import argparse
import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from pgt.checkpoint import bundled_names
from pgt.data.pairs import CachedPeople, PairDataset
from pgt.data.person import Pair
from pgt.files import replace_bytes
from pgt.synthetic.people import SyntheticPeople

SYNTHETIC = "synthetic"  # in place of a folder
DEFAULT_PAIRS = 400  # of an evaluation, where no protocol says how many
FOREGROUNDS = ("label_map", "person_mask")  # of a Person: what tells it from its background


def scene_of(approach: str, scene: str | None) -> str:
    """Return where synthetic people stand: where they are asked to, or where the approach belongs."""
    return scene or ("non_iconic" if approach == "mrnet" else "mixed")


def cached_people(arguments: argparse.Namespace, split: str, size: tuple[int, int]) -> CachedPeople:
    """Return the synthetic people that the arguments name, kept in the folder they name."""
    scene = scene_of(getattr(arguments, "approach", ""), arguments.scene)
    people = SyntheticPeople(split, size, scene, arguments.identities, arguments.poses)
    return people.cached(arguments.cache, keep=("label_map",))


def reader_of(data: str) -> tuple[str | None, str]:
    """Split --data into the name of a reader and a folder: "market1501:PATH"; None for a plain folder.

    Raises:
        ValueError: no reader has that name.
    """
    from pgt.data.readers.catalogue import READERS

    name, colon, path = data.partition(":")
    if not colon or Path(data).exists():
        return None, data
    if name not in READERS:
        raise ValueError(f"--data {data}: there is no reader {name!r}; there are {', '.join(READERS)}.")
    return name, path


def folder_pairs(data: str, split: str = "train") -> PairDataset:
    """Read a folder of people, or NAME:PATH of a public dataset, as pairs; refuse one without any."""
    from pgt.data.readers.catalogue import open_people
    from pgt.data.readers.folder import PeopleFolder

    name, path = reader_of(data)
    pairs: PairDataset = PeopleFolder(path) if name is None else open_people(name, path, split)
    if not len(pairs):
        raise ValueError(f"{path} has no two pictures of one person.")
    return pairs


class FittedPairs:
    """Pairs whose pictures are fitted into a frame when asked for, as evaluation and `Predictor` fit them.

    Without it a training stretches pictures of other proportions, and learns joints that it never meets.

    Args:
        pairs: of any sizes.
        image_size: (H, W) of the frame; pictures of other proportions are padded by their edges.
    """

    def __init__(self, pairs: PairDataset, image_size: tuple[int, int]) -> None:
        self.pairs, self.image_size = pairs, tuple(image_size)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Pair:
        from pgt.predictor import fit_person

        pair = self.pairs[index]
        source, target = (fit_person(person, self.image_size) for person in (pair.source, pair.target))
        return replace(pair, source=source, target=target)


def spread_over(pairs: PairDataset, count: int) -> list[int]:
    """Return at most `count` numbers of pairs, evenly spaced, so that they show many people."""
    count = min(count, len(pairs))
    return [number * len(pairs) // count for number in range(count)]


def look_through(pairs: PairDataset) -> tuple[PairDataset, set[str], list[str]]:
    """Read every pair once: any of them could stop an evaluation hours after its begin.

    Returns:
        The pairs with a joint in source and target, those of `FOREGROUNDS` that all their targets have, and
        the names of the other pairs.

    Raises:
        ValueError: no pair has a joint in both, or as the reader of the pairs.
    """
    from torch.utils.data import Subset
    from tqdm.auto import tqdm

    known, kept, left_out = set(FOREGROUNDS), [], []
    for index in tqdm(range(len(pairs)), unit="pair", desc="Looking for joints and masks"):
        pair = pairs[index]
        if not (pair.source.visible.any() and pair.target.visible.any()):
            left_out.append(pair.name or f"number {index}")
            continue
        kept.append(index)
        known = {name for name in known if getattr(pair.target, name) is not None}
    if not kept:
        raise ValueError(f"Not one of {len(pairs)} pairs has a joint in source and target.")
    return Subset(pairs, kept), known, left_out


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
