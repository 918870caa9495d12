"""Time pose encodings and body parts against straightforward loops over joints, limbs and parts.

    python -m benchmarks.encodings

Ours takes 32 people at once; the literal versions of `literal.py` take them one by one, each joint, limb or
part in turn. Both are timed on the same poses, alternately, and the medians are compared: CPU time with one
thread (which a busy machine disturbs least), wall time with several. The literal pose mask is the released
PG2 code's way (stamped discs, no torso), which is faster than testing every pixel.

What bounds Gaussian heat maps is writing them: 4.7 MB per picture at 256x256.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from benchmarks import literal
from pgt.data.body_parts import part_affines, part_corners, part_masks
from pgt.data.pose import keypoints_to_discs, keypoints_to_gaussians, pose_mask

SIZES = ((256, 256), (128, 64))
BATCH = 32

Row = dict[str, float | str]  # ours, literal, ratio, unit

# A standing body, in image heights from the middle of the image: x, y per joint.
_BODY = np.array([
    (0.00, -0.36), (0.00, -0.28), (-0.09, -0.28), (-0.11, -0.14), (-0.12, -0.02),
    (0.09, -0.28), (0.11, -0.14),
    (0.12, -0.02), (-0.055, -0.01), (-0.06, 0.18), (-0.06, 0.36), (0.055, -0.01), (0.06, 0.18), (0.06, 0.36),
    (-0.018, -0.375), (0.018, -0.375), (-0.036, -0.365), (0.036, -0.365),
])  # fmt: skip


def draw_poses(size: tuple[int, int], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw standing people, an eighth of their joints missing: keypoints (32, 18, 2) and visible (32, 18)."""
    rng = np.random.default_rng(seed)
    body = _BODY + rng.normal(0, 0.03, (BATCH, 18, 2))
    keypoints = body * size[0] + [size[1] / 2, size[0] / 2]
    visible = rng.random((BATCH, 18)) > 0.125
    visible[:, [2, 5, 8, 11]] = True  # the literal parts know no fallback
    return torch.tensor(np.round(keypoints), dtype=torch.float32), torch.tensor(visible)


def tasks(size: tuple[int, int]) -> dict[str, tuple[Callable[[], object], Callable[[int], object]]]:
    """Return name -> (ours, for the batch; literal, for one person of it)."""
    keypoints, visible = draw_poses(size)
    targets, targets_visible = draw_poses(size, seed=1)
    arrays = keypoints.numpy(), visible.numpy(), targets.numpy(), targets_visible.numpy()

    def person(i: int) -> tuple[np.ndarray, np.ndarray]:
        return arrays[0][i], arrays[1][i]

    return {
        "disc heat maps": (
            lambda: keypoints_to_discs(keypoints, visible, size),
            lambda i: literal.discs(*person(i), size),
        ),
        "Gaussian heat maps": (
            lambda: keypoints_to_gaussians(keypoints, visible, size, 6.0),
            lambda i: literal.gaussians(*person(i), size),
        ),
        "pose mask": (
            lambda: pose_mask(keypoints, visible, size),
            lambda i: literal.stamped_pose_mask(*person(i), size),
        ),
        "part masks": (
            lambda: part_masks(*part_corners(keypoints, visible), size),
            lambda i: literal.part_masks(*person(i), size),
        ),
        "affine fits": (
            lambda: part_affines(keypoints, visible, targets, targets_visible),
            lambda i: literal.part_affines(*(array[i] for array in arrays)),
        ),
    }


def _milliseconds(call: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    call()
    return 1e3 * (clock() - start)


def compare(size: tuple[int, int], repeats: int, clock: Callable[[], float]) -> dict[str, Row]:
    """Time every task at one size: name -> ours and literal in ms per image, and their ratio."""
    rows: dict[str, Row] = {}
    for name, (ours, slow) in tasks(size).items():
        ours(), slow(0)  # warm up
        fast_times, slow_times = [], []
        for i in range(repeats):
            fast_times.append(_milliseconds(ours, clock) / BATCH)
            slow_times.append(_milliseconds(lambda i=i, slow=slow: slow(i % BATCH), clock))
        fast, literally = statistics.median(fast_times), statistics.median(slow_times)
        rows[name] = {"ours": fast, "literal": literally, "ratio": literally / fast, "unit": "ms per image"}
    return rows


def run(repeats: int = 15) -> dict[str, Row]:
    """Time everything with one thread and with as many as torch takes by itself.

    Returns:
        "task, HxW, n threads" -> {"ours", "literal", "ratio", "unit"}.
    """
    default = torch.get_num_threads()
    rows = {}
    for threads in sorted({1, default}):
        torch.set_num_threads(threads)
        for size in SIZES:
            clock = time.process_time if threads == 1 else time.perf_counter
            for name, row in compare(size, repeats, clock).items():
                rows[f"{name}, {size[0]}x{size[1]}, {threads} thread{'s' * (threads > 1)}"] = row
    torch.set_num_threads(default)
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    rows = run(parser.parse_args().repeats)
    print(f"{'ms per image, batches of ' + str(BATCH):44}{'ours':>9}{'literal':>10}{'ratio':>8}")
    for name, row in rows.items():
        print(f"{name:44}{row['ours']:9.3f}{row['literal']:10.3f}{row['ratio']:7.0f}x")
    worst = min(rows.values(), key=lambda row: row["ratio"])
    print(f"smallest ratio: {math.floor(worst['ratio'])}x")


if __name__ == "__main__":
    main()
