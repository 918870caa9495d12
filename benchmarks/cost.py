"""Count what a training takes, without a GPU: weights, multiplications and memory of every stage of a preset.

    python -m benchmarks.cost                                   # prints the table; some minutes
    python -m benchmarks.cost --write                           # also results/cost.* and the pages'
    python -m benchmarks.cost --presets pg2-tiny spt-tiny

Nothing here is a time. One step on one sample is run and counted, then multiplied by the batch. A
multiplication with its addition counts as two operations, as makers of GPUs count them; forward and backward
pass of all networks of the step are in it. Memory is what a step must hold at once in float32: weights,
gradients and both averages of Adam (16 bytes a weight), and what the backward pass keeps of the forward one.
A GPU takes some more, for buffers of its libraries; bf16 halves about the second part. ImageNet's networks
are untrained here, which changes no count. `python -m benchmarks.training --presets NAME` measures samples a
second, memory and hours where it runs.
"""

import argparse
import math
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import tables
from benchmarks.training import batch_of
from pgt.commands.recipes import recipe_of
from pgt.config import PRESETS, Stage
from pgt.training.engine import new_accelerator
from pgt.training.loading import on_device
from pgt.training.recipe import Recipe

PRESET_NAMES = (
    "pg2-market1501",
    "pg2-deepfashion",
    "spt-market1501",
    "spt-deepfashion",
    "mrnet-market1501",
    "mrnet-penn-action",
    "progressive-deepfashion",
    "progressive-human36m",
)
BYTES_A_WEIGHT = 16  # itself, its gradient, and Adam's two averages, float32
PROCESSES = 4  # shown beside one
Row = dict[str, object]


def untrained_layers(name: str) -> nn.Sequential:
    """Build the convolutions of torchvision's VGG `name` with random weights, always the same."""
    from torchvision import models

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return getattr(models, name)(weights=None).features


class Held:
    """Counts the bytes that the backward pass keeps: each storage once, as long as anybody keeps it."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self._own = {p.untyped_storage().data_ptr() for net in networks for p in net.parameters()}
        self._keepers: Counter[int] = Counter()
        self.bytes = self.peak = 0

    def pack(self, tensor: Tensor) -> "_Kept":
        """Note that a tensor is kept."""
        kept, storage = _Kept(tensor), tensor.untyped_storage()
        where, size = storage.data_ptr(), storage.nbytes()
        if where not in self._own:
            self._keepers[where] += 1
            if self._keepers[where] == 1:
                self.bytes += size
                self.peak = max(self.peak, self.bytes)
            weakref.finalize(kept, self._forget, where, size)
        return kept

    def _forget(self, where: int, size: int) -> None:
        self._keepers[where] -= 1
        if self._keepers[where] == 0:
            self.bytes -= size


class _Kept:
    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


@contextmanager
def counted(networks: Sequence[nn.Module]) -> Iterator[tuple[FlopCounterMode, Held]]:
    """Count the operations of what happens inside, and the bytes it keeps."""
    held = Held(networks)
    with FlopCounterMode(display=False) as operations, saved_tensors_hooks(held.pack, lambda one: one.tensor):
        yield operations, held


def count(recipe: Recipe, stage: Stage) -> Row:
    """Run a stage's step on one sample and count it."""
    single = replace(stage, batch_size=1)
    batch = on_device(batch_of(recipe, single), torch.device("cpu"))
    recipe.set_lr(single, 0)
    networks = [*recipe.nets.values()]
    with counted(networks) as (operations, held):
        recipe.train_step(batch, single)
    weights = sum(p.numel() for net in networks for p in net.parameters())
    return {
        "stage": stage.name,
        "size": "x".join(map(str, stage.image_size)),
        "batch": stage.batch_size,
        "steps": stage.num_steps,
        "weights": weights,
        "operations_a_step": operations.get_total_flops() * stage.batch_size,
        "bytes_of_weights": BYTES_A_WEIGHT * weights,
        "bytes_a_sample": held.peak,
    }


def count_preset(name: str) -> list[Row]:
    """Count all stages of a preset."""
    torch.manual_seed(0)
    config = PRESETS[name]
    with patch("pgt.layers.features._imagenet_layers", untrained_layers):
        recipe = recipe_of(config)
    recipe.prepare(new_accelerator())
    return [{"preset": name, **count(recipe, stage)} for stage in config.stages]


def gibibytes(row: Row, processes: int) -> float:
    """Return what each of several processes holds, which share a batch out."""
    samples = math.ceil(row["batch"] / processes)
    return (row["bytes_of_weights"] + row["bytes_a_sample"] * samples) / 2**30


def to_markdown(rows: Sequence[Row], facts: dict[str, object]) -> str:
    """Write the rows as a table and a line that says what they are."""
    lines = [
        "| preset | stage | size | batch | steps | million weights | TFLOP a step | EFLOP in all "
        f"| GiB held, 1 GPU | each of {PROCESSES} GPUs |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        step = row["operations_a_step"]
        lines.append(
            f"| `{row['preset']}` | {row['stage']} | {row['size']} | {row['batch']} | {row['steps']:,} "
            f"| {row['weights'] / 1e6:.1f} | {step / 1e12:.2f} | {step * row['steps'] / 1e18:.3f} "
            f"| {gibibytes(row, 1):.1f} | {gibibytes(row, PROCESSES):.1f} |"
        )
    where = f"float32, torch {facts['torch']}, {facts['date']}"
    note = f"*Counted, not timed, by `python -m benchmarks.cost` on a CPU: {where}.*"
    return "\n".join([*lines, "", note])


def main(arguments: Sequence[str] | None = None) -> None:
    """Count, print and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", default=PRESET_NAMES, choices=PRESETS, metavar="PRESET")
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and on the pages")
    options = parser.parse_args(arguments)
    rows = [row for name in options.presets for row in count_preset(name)]
    facts = tables.circumstances()
    markdown = to_markdown(rows, facts)
    print(markdown)
    if options.write:
        tables.keep("cost", {"facts": facts, "rows": rows}, markdown)


if __name__ == "__main__":
    main()
