"""Time the deformable skips of SPT against ten whole copies of the features.

    python -m benchmarks.deformable            # prints a table
    python -m benchmarks.deformable --write    # also results/deformable.{json,md} and the README's table

A row is one pass through the four levels that SPT's appearance generator warps at 128x128 (Song et al. 2021;
64 to 512 channels), or its layout for 128x64. The literal version is the released layers' way, right on
pictures of any shape: repeat the features ten times, sample each copy by its part's map, multiply by its
part's mask, take the maximum. It is given its maps and masks, while ours makes its lists anew each time.
Both take turns and the medians are compared: CPU time with one thread, wall time with several.

"ours" follows the released rule, to the same numbers; "ours, default" copies what lies under no part.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks import tables
from benchmarks.encodings import draw_poses
from pgt.data.body_parts import part_affines, part_corners, part_masks
from pgt.geometry import invert_affine, resize_points, warp_affine
from pgt.layers.deformable import PartWarps, deformable_skip

LEVELS = ((64, 1), (128, 2), (256, 4), (512, 8))  # channels, and how many times smaller than the picture
SIZES = ((128, 128), (128, 64))
BATCHES = (1, 4)

Row = dict[str, float | str]


def draw_parts(size: tuple[int, int], batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw pairs of standing people: matrices (B, 10, 2, 3), corners (B, 10, 4, 2) and valid (B, 10)."""
    source, target = (tuple(value[:batch] for value in draw_poses(size, seed)) for seed in (0, 1))
    matrices, fitted = part_affines(*source, *target)
    corners, known = part_corners(*target, size[0])
    return matrices, corners, fitted & known


def whole_masks(corners: Tensor, valid: Tensor, image_size: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Draw the masks of the released layers at a level, (B, 10, h, w): that of the torso is all ones."""
    masks = part_masks(resize_points(corners, image_size, size), valid, size)
    masks[:, 0] = 1
    return masks


def ten_copies(features: Tensor, matrices: Tensor, masks: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Warp ten copies of the features (B, C, h, w), mask them (B, 10, h, w), and take the maximum."""
    batch, parts, height, width = masks.shape
    inverse = invert_affine(matrices)
    scale = inverse.new_tensor([image_size[1] / width, image_size[0] / height])
    linear = inverse[..., :2] * scale / scale[:, None]  # in pixels of the level
    offset = (inverse[..., :2] * (0.5 * scale - 0.5)).sum(dim=-1) + inverse[..., 2]
    shift = (offset + 0.5) / scale - 0.5
    level = torch.cat([linear, shift[..., None]], dim=-1).flatten(0, 1)
    copies = features[:, None].expand(-1, parts, -1, -1, -1).flatten(0, 1)
    warped = warp_affine(copies, level).unflatten(0, (batch, parts))
    return (warped * masks[:, :, None]).amax(dim=1)


def tasks(size: tuple[int, int], batch: int, backward: bool) -> dict[str, Callable[[], object]]:
    """Return "literal", "ours" and "ours, default": a pass through all levels each."""
    matrices, corners, valid = draw_parts(size, batch)
    levels = [(c, (size[0] // by, size[1] // by)) for c, by in LEVELS]
    masks = [whole_masks(corners, valid, size, level) for _, level in levels]
    plain = [torch.randn(batch, c, *level, requires_grad=backward) for c, level in levels]
    last = [
        x.detach().to(memory_format=torch.channels_last).requires_grad_(backward) for x in plain
    ]  # as this library trains
    upstream = [torch.randn_like(x) for x in plain]
    upstream_last = [x.to(memory_format=torch.channels_last) for x in upstream]

    def literal() -> None:
        for x, mask, grad in zip(plain, masks, upstream, strict=True):
            result = ten_copies(x, matrices, mask, size)
            if backward:
                torch.autograd.grad(result, x, grad)

    def ours(**rule: object) -> None:
        warps = PartWarps(matrices, corners, valid, size, **rule)
        for x, grad in zip(last, upstream_last, strict=True):
            result = deformable_skip(x, warps)
            if backward:
                torch.autograd.grad(result, x, grad)

    released = {"background": "torso", "count_absent": True}
    return {"literal": literal, "ours": lambda: ours(**released), "ours, default": ours}


def compare(calls: dict[str, Callable[[], object]], repeats: int, clock: Callable[[], float]) -> Row:
    """Time calls in turn: the median of each in ms, and how many times longer the literal one takes."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = clock()
            call()
            if turn > 0:  # the first is to warm up
                times[name].append(1e3 * (clock() - start))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    ratios = {"ratio": "ours", "ratio, default": "ours, default"}
    return medians | {k: medians["literal"] / medians[v] for k, v in ratios.items()} | {"unit": "ms"}


def run(repeats: int = 5) -> dict[str, Row]:
    """Time everything with one thread and with as many as torch takes by itself.

    Returns:
        "deformable skips ..." -> {"literal", "ours", "ours, default", "ratio", "ratio, default", "unit"}.
    """
    default = torch.get_num_threads()
    rows = {}
    for threads in sorted({1, default}):
        torch.set_num_threads(threads)
        clock = time.process_time if threads == 1 else time.perf_counter
        for size in SIZES:
            for batch in BATCHES:
                for backward in (False, True):
                    with torch.set_grad_enabled(backward):
                        row = compare(tasks(size, batch, backward), repeats, clock)
                    name = f"{size[0]}x{size[1]}, B={batch}, forward{' + backward' * backward}"
                    rows[f"deformable skips, {name}, {threads} thread{'s' * (threads > 1)}"] = row
    torch.set_num_threads(default)
    return rows


def to_markdown(rows: dict[str, Row], facts: dict[str, object]) -> str:
    """Write the rows as one table and a line about the machine."""
    lines = [
        "| all four levels | ten copies | ours, same numbers | ours, default |",
        "| --- " + "| ---: " * 3 + "|",
    ]
    for name, row in rows.items():
        cells = [f"{row['literal']:.0f} ms"]
        for ours, ratio in (("ours", "ratio"), ("ours, default", "ratio, default")):
            cells.append(f"{row[ours]:.1f} ms, **{row[ratio]:.0f} times**")
        lines.append(f"| {name.removeprefix('deformable skips, ')} | " + " | ".join(cells) + " |")
    note = f"{facts['machine']}, torch {facts['torch']}, {facts['date']}"
    return "\n".join([*lines, "", f"*Measured by `python -m benchmarks.deformable` in one run: {note}.*"])


def main() -> None:
    """Measure, print and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and the README")
    options = parser.parse_args()
    rows = run(options.repeats)
    facts = tables.circumstances()
    markdown = to_markdown(rows, facts)
    print(markdown)
    if options.write:
        listed = [{"task": name, **row} for name, row in rows.items()]
        tables.keep("deformable", {"facts": facts, "rows": listed}, markdown)


if __name__ == "__main__":
    main()
