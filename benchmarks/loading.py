"""Measure what reading an epoch of pictures costs, and how much of that is decoding: what cannot be saved.

    python -m benchmarks.loading            # prints the table; some minutes
    python -m benchmarks.loading --write    # also results/loading.* and the page's

Synthetic people are written as JPEGs into a temporary folder in the layout of Market-1501 (2,408 pictures of
56 people: 101,136 pairs), and 256x256 ones into a plain folder. The loader of a training then reads an epoch
(of the larger pictures a part of one) with each number of loader processes. Seconds of the clock depend on
what else a machine does; CPU time hardly does. It is that of all processes together, and has three parts:
Pillow's decoding, from file to array; what the training device does with a batch (bytes into numbers; here
the CPU is the device); and the rest, which is ours: looking up, checking, mirroring, stacking, handing over.
The first two are clocked where the loader calls them, while a tenth of the epoch is read once more; a tight
loop of their own would have the caches to itself, as no training has. Memory is what the process and its
loader processes hold after a tenth of the epoch and at its end.
"""

import argparse
import gc
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import get_worker_info
from tqdm import tqdm

from benchmarks import tables
from pgt.data.person import PairBatch
from pgt.data.pose import PoseEncoding
from pgt.data.readers.catalogue import open_people
from pgt.data.readers.keypoint_csv import Joints, write_keypoint_csv
from pgt.data.readers.people import People
from pgt.synthetic.people import SyntheticPeople
from pgt.training import loading
from pgt.training.loading import load_batches
from pgt.training.schedule import BatchOrder

BATCH_SIZE = 16
QUALITY = 90  # of the JPEGs
Row = dict[str, object]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Case:
    """A folder of pictures to be read."""

    reader: str
    image_size: tuple[int, int]
    identities: int
    poses: int  # pictures of each
    pairs: int | None  # of an epoch, so many at most


CASES = (
    Case("market1501", (128, 64), 56, 43, None),
    Case("folder", (256, 256), 25, 16, 6_000),
)


def write_people(root: Path, case: Case) -> People:
    """Render people as JPEGs in the layout of a reader, and open them."""
    market = case.reader == "market1501"
    folder = root / ("bounding_box_train" if market else "images")
    folder.mkdir(parents=True)
    people = SyntheticPeople("train", case.image_size, "street", case.identities, case.poses)
    rows: dict[str, Joints] = {}
    for identity in tqdm(range(case.identities), unit="people", desc=f"Rendering {case.reader}"):
        for pose, one in enumerate(people.render([(identity, pose) for pose in range(case.poses)])):
            name = f"{identity + 2:04d}_c1s1_{pose:06d}_01.jpg"  # 0000 would be a distractor
            Image.fromarray(one.image).save(folder / name, quality=QUALITY)
            rows[name] = one.keypoints, one.visible
    write_keypoint_csv(root / ("market-annotation-train.csv" if market else "keypoints.csv"), rows)
    return open_people(case.reader, root, "train")


def cpu_seconds() -> float:
    """Return the CPU time of this process and of those it started that have ended."""
    return sum(os.times()[:4])


def memory() -> float:
    """Return the MiB that this process and its children hold; shared pages count in each of them."""
    pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def clock(spent: Tensor, call: Callable[..., Result]) -> Callable[..., Result]:
    """Return a function that adds the CPU seconds of each call to an element of `spent`.

    Args:
        spent: (N,) float64 in shared memory; loader process n counts in element n.
        call: what to clock.
    """

    def clocked(*arguments: object) -> Result:
        start, worker = time.thread_time(), get_worker_info()
        result = call(*arguments)
        spent[worker.id if worker else 0] += time.thread_time() - start
        return result

    return clocked


def by_pillow(people: People, spent: Tensor) -> People:
    """Return the same people, read by Pillow and nothing else, which is clocked."""

    def look(number: int) -> np.ndarray:
        with Image.open(people.paths[number]) as picture:
            return np.array(picture)

    joints = people.keypoints, people.visible
    return People(people.names, people.paths, joints, people.identities, look=clock(spent, look))


def read_epoch(people: People, case: Case, num_workers: int) -> Row:
    """Read an epoch as a training does."""
    num_pairs = min(len(people), case.pairs or len(people))
    num_batches = num_pairs // BATCH_SIZE
    order = BatchOrder(len(people), seed=0)

    def batches_of(dataset: People, count: int) -> Iterator[PairBatch]:
        keys = (order.pairs(number * BATCH_SIZE, BATCH_SIZE) for number in range(count))
        return load_batches(
            dataset, keys, case.image_size, PoseEncoding(), torch.device("cpu"), num_workers=num_workers
        )

    few = num_batches // 10
    decoding, device = torch.zeros(2, max(1, num_workers), dtype=torch.float64).share_memory_()
    with patch.object(loading, "encode_stacked", clock(device, loading.encode_stacked)):
        for _ in batches_of(by_pillow(people, decoding), few):
            pass
    gc.collect()  # loader processes end, and their time is known
    held, cpu, start = [], cpu_seconds(), time.perf_counter()
    batches = batches_of(people, num_batches)
    for number, _ in enumerate(batches, start=1):
        if number in (few, num_batches - 1):
            held.append(memory())
    seconds = time.perf_counter() - start
    del batches
    gc.collect()
    pairs = num_batches * BATCH_SIZE
    return {
        "reader": case.reader,
        "image_size": list(case.image_size),
        "pictures": len(people.paths),
        "pairs": pairs,
        "workers": num_workers,
        "pairs_per_second": pairs / seconds,
        "cpu_ms_total": 1000 * (cpu_seconds() - cpu) / pairs,
        "cpu_ms_decoding": 1000 * float(decoding.sum()) / (few * BATCH_SIZE),
        "cpu_ms_device": 1000 * float(device.sum()) / (few * BATCH_SIZE),
        "MiB_early": held[0],
        "MiB_end": held[-1],
    }


def to_markdown(rows: Sequence[Row], facts: dict[str, object]) -> str:
    """Write the rows as a table and a line about the machine."""
    lines = [
        "| pictures | pairs | loader processes | pairs/s | CPU ms a pair | decoding | on the device | ours "
        "| memory, MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        size = "x".join(map(str, row["image_size"]))
        total, parts = row["cpu_ms_total"], (row["cpu_ms_decoding"], row["cpu_ms_device"])
        shares = " | ".join(f"{part / total:.0%}" for part in (*parts, total - sum(parts)))
        lines.append(
            f"| {row['pictures']:,} of {size}, `{row['reader']}` | {row['pairs']:,} | {row['workers']} "
            f"| {row['pairs_per_second']:,.0f} | {total:.2f} | {shares} "
            f"| {row['MiB_early']:.0f} → {row['MiB_end']:.0f} |"
        )
    note = f"{facts['machine']}, {facts['threads']} threads, torch {facts['torch']}, {facts['date']}"
    if facts["busy"] >= 0.5:
        note += f"; {facts['busy']:.1f} other processes were at work, which lowers pairs/s"
    return "\n".join([*lines, "", f"*Measured by `python -m benchmarks.loading` in one run: {note}.*"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2], help="loader processes")
    parser.add_argument("--pairs", type=int, help="read so many of an epoch at most")
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and on the page")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    facts = {**tables.circumstances(), "busy": os.getloadavg()[0]}
    rows = []
    for case in CASES:
        limit = min(options.pairs or case.pairs or 10**9, case.pairs or 10**9)
        case = Case(case.reader, case.image_size, case.identities, case.poses, limit)
        with tempfile.TemporaryDirectory() as folder:
            people = write_people(Path(folder), case)
            rows += [read_epoch(people, case, workers) for workers in options.workers]
    markdown = to_markdown(rows, facts)
    print(markdown)
    if options.write:
        tables.keep("loading", {"facts": facts, "rows": rows}, markdown)


if __name__ == "__main__":
    main()
