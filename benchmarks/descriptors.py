"""Time the local perceptual loss of Progressive against one pass of VGG-16 per crop.

    python -m benchmarks.descriptors            # prints a table
    python -m benchmarks.descriptors --write    # also results/descriptors.{json,md} and the README's table
    python -m benchmarks.descriptors --quick    # the two smallest pictures once, to see that it works

A row is Eq. 3 for one picture of random pixels: N regions of an eighth of its side, cut out of a generated
and a true picture, through VGG-16 to relu4_3, layers compared by L2. Its weights are random ones, on which
speed does not depend. The literal version takes the regions one after the other: two slices, two passes, one
comparison. Ours cuts all at once, sends them through in batches that fit a cache, multiplies nothing by the
padding of the smallest maps, and differentiates each batch at once. Both give the same numbers, which is
checked in every row, and take turns; the medians are compared: CPU time with one thread (which a busy machine
disturbs least), wall time with several. Where bfloat16 is the faster format for a training, both are measured
in it too, as automatic mixed precision runs them; there the numbers agree to a tenth.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from benchmarks import tables
from benchmarks.encodings import Row, draw_poses
from pgt.data.descriptors import descriptor_centers
from pgt.layers.features import VGG16_TAPS, VGGPyramid
from pgt.layers.local_descriptors import crop_regions, region_corners, region_size
from pgt.layers.perceptual import NUM_LAYERS, PerceptualLayers
from pgt.losses import local_perceptual_loss
from pgt.training.local_errors import perceptual_errors
from pgt.training.precision import faster_precision

# The paper's five levels, and its densest regions at 256 too.
CASES = ((64, 18), (128, 18), (256, 31), (256, 44), (512, 31), (1024, 44))
QUICK = CASES[:2]
WAYS = {"forward": False, "forward + backward": True}  # whether the gradient is wanted


def make_features() -> tuple[PerceptualLayers, PerceptualLayers]:
    """Build VGG-16 to relu4_3 with random weights: as torchvision has it, and as a training runs it."""
    from torchvision.models import vgg16

    torch.manual_seed(0)
    plain, ours = (VGGPyramid(vgg16(weights=None).features, VGG16_TAPS) for _ in range(2))
    ours.load_state_dict(plain.state_dict())
    return PerceptualLayers(plain.pieces[:NUM_LAYERS], plain.prepare), PerceptualLayers.of_vgg(ours)


def draw_case(side: int, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw a generated and a true picture (1, 3, S, S), and centres (1, N, 2) with valid (1, N)."""
    size = (side, side)
    keypoints, visible = (value[:1] for value in draw_poses(size))
    centers, valid = descriptor_centers(keypoints, torch.ones_like(visible), count, size)
    generated, target = torch.rand(2, 1, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return generated, target, centers, valid


def one_by_one(
    features: nn.Module, generated: Tensor, target: Tensor, centers: Tensor, valid: Tensor
) -> Tensor:
    """Eq. 3 as written: region by region, layer by layer."""
    height, width = region_size(target.shape[-2:])
    loss = generated.new_zeros(())
    for known, (x, y) in zip(valid[0], region_corners(centers[0], target.shape[-2:]).tolist(), strict=True):
        if not known:
            continue
        ours, real = (one[..., y : y + height, x : x + width] for one in (generated, target))
        with torch.no_grad():  # the target is a constant
            wanted = features(real)
        for a, b in zip(features(ours), wanted, strict=True):
            loss = loss + (a - b).square().mean()
    return loss


def all_at_once(
    features: nn.Module, generated: Tensor, target: Tensor, centers: Tensor, valid: Tensor
) -> Tensor:
    """Eq. 3 as this library trains by it."""
    crops = (crop_regions(one, centers, valid) for one in (generated, target))
    return local_perceptual_loss(perceptual_errors(features, *crops, "l2"), valid)


def tasks(
    networks: tuple[nn.Module, nn.Module],
    side: int,
    count: int,
    backward: bool,
    bfloat16: bool = False,
) -> dict[str, Callable[[], Tensor]]:
    """Return "literal" and "ours"; each gives the loss, or its gradient with respect to the picture.

    Args:
        networks: VGG-16, as by `make_features`.
        side: of the picture, pixels.
        count: how many regions.
        backward: whether the gradient is wanted.
        bfloat16: both as in a training of that precision.
    """
    generated, target, *regions = draw_case(side, count)
    generated.requires_grad_(backward)
    # As this library trains: pictures pixel by pixel in memory.
    generated_last, target_last = (
        one.detach().contiguous(memory_format=torch.channels_last) for one in (generated, target)
    )
    generated_last.requires_grad_(backward)

    def result(way: Callable[..., Tensor], network: nn.Module, picture: Tensor, *rest: object) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            loss = way(network, picture, *rest)
        return torch.autograd.grad(loss, picture)[0] if backward else loss

    return {
        "literal": lambda: result(one_by_one, networks[0], generated, target, *regions),
        "ours": lambda: result(all_at_once, networks[1], generated_last, target_last, *regions),
    }


def compare(
    calls: dict[str, Callable[[], Tensor]], repeats: int, clock: Callable[[], float], tolerance: float = 1e-3
) -> Row:
    """Time both in turn: medians in ms, and how many times longer the literal one takes.

    Raises:
        ValueError: their results differ by more than rounding.
    """
    ours, literal = (calls[name]().detach() for name in ("ours", "literal"))  # also warms up
    if (ours - literal).norm() > tolerance * literal.norm():
        raise ValueError(f"the results differ by {(ours - literal).norm():.2g} of {literal.norm():.2g}.")
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = clock()
            call()
            times[name].append(1e3 * (clock() - start))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    return {**medians, "ratio": medians["literal"] / medians["ours"], "unit": "ms"}


def run(
    repeats: int = 5, cases: Sequence[tuple[int, int]] = CASES, threads: Sequence[int] = ()
) -> dict[str, Row]:
    """Time everything.

    Args:
        repeats: medians are of so many.
        cases: side of the picture and number of regions.
        threads: numbers of threads; by default one, and as many as torch takes by itself.

    Returns:
        "local perceptual loss ..." -> {"literal", "ours", "ratio", "unit"}.
    """
    default, networks = torch.get_num_threads(), make_features()
    precisions = {"float32": 1e-3} | ({"bfloat16": 0.1} if faster_precision() == "bf16" else {})
    rows = {}
    for number in threads or sorted({1, default}):
        torch.set_num_threads(number)
        clock = time.process_time if number == 1 else time.perf_counter
        for side, count in cases:
            for way, backward in WAYS.items():
                for precision, tolerance in precisions.items():
                    calls = tasks(networks, side, count, backward, precision == "bfloat16")
                    row = compare(calls, repeats if side < 512 else min(2, repeats), clock, tolerance)
                    name = f"{side}x{side}, {count} regions, {way}, {precision}"
                    rows[f"local perceptual loss, {name}, {number} thread{'s' * (number > 1)}"] = row
    torch.set_num_threads(default)
    return rows


def to_markdown(rows: dict[str, Row], facts: dict[str, object]) -> str:
    """Write the rows as one table and a line about the machine."""
    lines = ["| one picture | crop by crop | ours, same numbers |", "| --- | ---: | ---: |"]
    for name, row in rows.items():
        cells = f"{row['literal']:.0f} ms | {row['ours']:.0f} ms, **{row['ratio']:.1f} times**"
        lines.append(f"| {name.removeprefix('local perceptual loss, ')} | {cells} |")
    note = f"{facts['machine']}, torch {facts['torch']}, {facts['date']}"
    how = "VGG-16 has random weights. *Measured by `python -m benchmarks.descriptors` in one run"
    return "\n".join([*lines, "", f"{how}: {note}.*"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and the README")
    parser.add_argument("--quick", action="store_true", help="two sizes, once, by one thread")
    options = parser.parse_args(arguments)
    if options.quick and options.write:
        parser.error("--quick measures nothing worth keeping; leave out --write.")
    rows = run(1, QUICK, [1]) if options.quick else run(options.repeats)
    facts = tables.circumstances()
    markdown = to_markdown(rows, facts)
    print(markdown)
    if options.write:
        listed = [{"task": name, **row} for name, row in rows.items()]
        tables.keep("descriptors", {"facts": facts, "rows": listed}, markdown)


if __name__ == "__main__":
    main()
