"""Time the training of the presets for synthetic people, stage by stage, with the memory it takes.

    python -m benchmarks.training            # prints the table; some minutes
    python -m benchmarks.training --write    # also into results/training.* and the README
    python -m benchmarks.training --presets spt-deepfashion --precision no

Run it on an otherwise idle machine. Each stage is trained in a process of its own, on one batch that is there
already, so that neither rendering nor decoding is in the numbers. Memory is what the process has needed at
most, beyond what it needed before the first step; on a GPU, what torch has held at most.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch

from benchmarks import tables
from benchmarks.memory import peak_bytes, reset_peak
from pgt.commands.recipes import recipe_of
from pgt.config import PRESETS, SPTConfig, Stage
from pgt.data.person import Pair, PairBatch, collate, encode_pair
from pgt.data.unpaired import UnpairedPeople
from pgt.synthetic.people import SyntheticPeople
from pgt.synthetic.scenes import SyntheticScenes
from pgt.training.engine import new_accelerator
from pgt.training.loading import on_device
from pgt.training.recipe import Recipe

PRESET_NAMES = ("pg2-synthetic-128", "spt-synthetic-128", "mrnet-synthetic-128", "progressive-synthetic-128")
WARM_UP, STEPS = 2, 8
Row = dict[str, object]


def batch_of(recipe: Recipe, stage: Stage) -> PairBatch:
    """Render and encode one batch of a stage."""
    people = SyntheticPeople("val", stage.image_size, num_identities=stage.batch_size, poses_per_identity=2)
    if isinstance(recipe.config, SPTConfig):
        everyone = people.render([(i, k) for i in range(stage.batch_size) for k in range(2)])
        partners = np.arange(2 * stage.batch_size).reshape(-1, 2)
        scenes = SyntheticScenes("val", stage.image_size, stage.batch_size)
        pairs: Sequence[Pair] | UnpairedPeople = UnpairedPeople(everyone.__getitem__, partners, scenes)
    else:
        pairs = people
    encoding = recipe.deployable().pose_encoding
    return collate([encode_pair(pairs[i], stage.image_size, encoding) for i in range(stage.batch_size)])


def measure(preset: str, stage_name: str, precision: str) -> Row:
    """Train a few steps of a stage and return its speed and memory."""
    config = PRESETS[preset]
    stage = next(one for one in config.stages if one.name == stage_name)
    torch.manual_seed(0)
    recipe = recipe_of(config)
    accelerator = new_accelerator(precision)
    batch = on_device(batch_of(recipe, stage), accelerator.device)
    recipe.prepare(accelerator)
    recipe.set_lr(stage, 0)
    reset_peak(accelerator.device)
    before, times = peak_bytes(accelerator.device), []
    for _ in range(WARM_UP + STEPS):
        start = time.perf_counter()
        recipe.train_step(batch, stage)
        if accelerator.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    step = statistics.median(times[WARM_UP:])
    return {
        "preset": preset,
        "stage": stage.name,
        "size": f"{stage.image_size[0]}x{stage.image_size[1]}",
        "batch": stage.batch_size,
        "samples/s": stage.batch_size / step,
        "MiB": (peak_bytes(accelerator.device) - before) / 2**20,
        "steps": stage.num_steps,
        "hours": stage.num_steps * step / 3600,
        "device": str(accelerator.device),
    }


def in_own_process(preset: str, stage: str, precision: str, threads: int | None) -> Row:
    """Call `measure` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.training", "--one", preset, stage, "--precision", precision]
    command += ["--threads", str(threads)] if threads else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def to_markdown(rows: Sequence[Row], facts: dict[str, object]) -> str:
    """Write the rows as one table and a line about the machine."""
    lines = [
        "| preset | stage | size | batch | samples/s | memory, MiB | steps of the preset | hours |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['preset']} | {row['stage']} | {row['size']} | {row['batch']} | {row['samples/s']:.1f} "
        f"| {row['MiB']:.0f} | {row['steps']:,} | {row['hours']:.2f} |"
        for row in rows
    ]
    note = (
        f"{facts['machine']}, {facts['device']}, {facts['threads']} threads, precision {facts['precision']}"
    )
    note += f", torch {facts['torch']}, {facts['date']}"
    return "\n".join([*lines, "", f"*Measured by `python -m benchmarks.training` in one run: {note}.*"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", default=PRESET_NAMES, choices=PRESETS, metavar="PRESET")
    parser.add_argument("--precision", choices=("no", "bf16", "fp16"), default="bf16")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and the README")
    parser.add_argument("--one", nargs=2, metavar=("PRESET", "STAGE"), help="measure one stage, print JSON")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.one:
        print(json.dumps(measure(*options.one, options.precision)))
        return
    rows = [
        in_own_process(name, stage.name, options.precision, options.threads)
        for name in options.presets
        for stage in PRESETS[name].stages
    ]
    facts = {
        **tables.circumstances(),
        "device": rows[0]["device"],
        "precision": options.precision,
    }
    markdown = to_markdown(rows, facts)
    print(markdown)
    if options.write:
        tables.keep("training", {"facts": facts, "rows": rows}, markdown)


if __name__ == "__main__":
    main()
