"""Measure every claim of speed in one run, on one machine, and write it down.

    python -m benchmarks.speed            # prints a table
    python -m benchmarks.speed --write    # also results/speed.json, results/speed.md and the README's table

Run it on an otherwise idle machine. It needs the extras `demo` and `plot`.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import torch

from benchmarks import encodings, tables
from pgt.config import PRESETS
from pgt.data.person import collate, encode_pair
from pgt.synthetic.people import SyntheticPeople
from pgt.training.engine import new_accelerator
from pgt.training.loading import on_device
from pgt.training.pg2 import PG2Recipe

Row = dict[str, object]
RENDERED = 48  # pictures per size
SIZES = (64, 128, 256)
TRAINED = "pg2-synthetic-128"
STEPS = 12
DRAGS = 40
TARGETS = {64: 150, 128: 60, 256: 20}  # images/s on one core


def seconds(task: Callable[[], object], repeats: int) -> float:
    """Return the median time of a task, after one run that does not count."""
    task()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def rendering() -> list[Row]:
    """Images per second of one core: people whose figures are built, and people never seen before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = []
    for size in SIZES:
        people = SyntheticPeople("val", (size, size), num_identities=4, poses_per_identity=RENDERED // 4)
        wanted = [(i, k) for i in range(4) for k in range(RENDERED // 4)]
        warm = seconds(lambda people=people, wanted=wanted: people.render(wanted), 5)
        fresh, many = count(100), SyntheticPeople("val", (size, size), num_identities=100_000)
        cold = seconds(lambda many=many, fresh=fresh: many.render([(next(fresh), 0) for _ in range(8)]), 5)
        rows.append(
            {"task": f"rendering, {size}x{size}", "images/s": RENDERED / warm, "goal": TARGETS[size]}
            | {"images/s, every one a new identity": 8 / cold}
        )
    torch.set_num_threads(threads)
    return rows


def training() -> list[Row]:
    """PG2's stage-one samples per second on the CPU: float32 as it comes, then the two accelerations."""
    config = PRESETS[TRAINED]
    stage = config.stages[0]
    people = SyntheticPeople("val", config.image_size, num_identities=stage.batch_size)
    rows = []
    for precision, layout in (("no", "plain"), ("no", "channels_last"), ("bf16", "channels_last")):
        torch.manual_seed(0)
        recipe = PG2Recipe(config)
        encoding = recipe.nets["generator"].pose_encoding
        batch = collate([encode_pair(people[i], stage.image_size, encoding) for i in range(stage.batch_size)])
        recipe.prepare(new_accelerator(precision))
        recipe.set_lr(stage, 0)
        if layout == "plain":
            recipe.nets.to(memory_format=torch.contiguous_format)
        else:
            batch = on_device(batch, "cpu")
        step = seconds(lambda recipe=recipe, batch=batch: recipe.train_step(batch, stage), STEPS)
        name = {"no": "float32", "bf16": "bfloat16"}[precision]
        rows.append({"task": f"training PG2, {name}, {layout}", "samples/s": stage.batch_size / step})
    first = rows[0]["samples/s"]
    return [row | {"ratio": row["samples/s"] / first} for row in rows]


def demo_latency() -> list[Row]:
    """From the release of a joint to the picture: the demo's server time, drag by drag."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "demo"))
    from app import device_name, make_studio
    from handlers import Handlers

    studio = make_studio()
    handlers = Handlers(studio, device_name(studio))
    session = handlers.render_person(7, "Studio")[0]
    poses = list(session.subject.presets.values())
    times = []
    for drag in range(DRAGS):
        start = time.perf_counter()
        session = handlers.release(session, poses[drag % len(poses)])[0]
        times.append(1000 * (time.perf_counter() - start))
    name = f"demo, joint released to picture, {studio.predictor.name}"
    return [{"task": name, "median ms": statistics.median(times), "slowest ms": max(times), "goal": 80}]


def importing() -> list[Row]:
    """`import pgt` beside `import torch`, each in a fresh process, in turn."""
    times: dict[str, list[float]] = {"torch": [], "pgt": []}
    for _ in range(5):
        for module, taken in times.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
            taken.append(time.perf_counter() - start)
    medians = {module: statistics.median(taken) for module, taken in times.items()}
    return [
        {"task": f"import {module}", "seconds": value, "ratio": value / medians["torch"]}
        for module, value in medians.items()
    ]


def headlines(rows: list[Row]) -> list[Row]:
    """Choose what the README at the top has room for."""
    shown = ("256x256, 2 threads", "rendering, 128x128", "bfloat16", "demo", "import pgt")
    return [row for row in rows if any(part in str(row["task"]) for part in shown)]


def to_markdown(rows: list[Row], facts: dict[str, object]) -> str:
    """Write the rows as one table and a line about the machine."""
    lines = ["| task | measured | beside |", "| --- | ---: | ---: |"]
    for row in rows:
        lines.append("| " + " | ".join((str(row["task"]), *_cells(row))) + " |")
    note = f"{facts['machine']}, {facts['threads']} threads, torch {facts['torch']}, {facts['date']}"
    return "\n".join([*lines, "", f"*Measured by `python -m benchmarks.speed` in one run: {note}.*"])


def _cells(row: Row) -> tuple[str, str]:
    if "literal" in row:
        return f"{row['ours']:.2f} ms", f"{row['literal']:.1f} ms by loops, **{row['ratio']:.0f} times**"
    if "images/s" in row:
        new = row["images/s, every one a new identity"]
        return f"{row['images/s']:.0f} images/s", f"{new:.0f} images/s if every one is a new identity"
    if "samples/s" in row:
        return f"{row['samples/s']:.1f} samples/s", f"{row['ratio']:.2f} times the first"
    if "seconds" in row:
        return f"{row['seconds']:.2f} s", f"{row['ratio']:.2f} times torch's"
    return f"{row['median ms']:.0f} ms", f"slowest {row['slowest ms']:.0f} ms"


def main() -> None:
    """Measure, print and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and the README")
    options = parser.parse_args()
    start = time.perf_counter()
    rows = [{"task": name, **row} for name, row in encodings.run().items()]
    for part in (rendering, training, demo_latency, importing):
        rows += part()
    facts = {
        **tables.circumstances(),
        "seconds": round(time.perf_counter() - start),
    }
    markdown = to_markdown(rows, facts)
    print(markdown)
    if options.write:
        tables.keep("speed", {"facts": facts, "rows": rows}, markdown, to_markdown(headlines(rows), facts))


if __name__ == "__main__":
    main()
