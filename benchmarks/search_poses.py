"""Run SPT's pseudo-label search on real poses: how fast it is, and how plausibly parts come to lie on parts.

    python -m benchmarks.search_poses KEYPOINTS.csv --size 128 64

Public keypoint files come without label maps, so everybody wears the same outfit here, drawn along the ten
parts; a head without a visible nose is hair. The search then cannot tell clothes apart; what it shows is
geometry: which parts are in sight, whose pose differs, and where f_j of Eq. 2 takes the other person's body.
For clothes see `benchmarks.search`.

Distances called "off" are in lengths of the source's torso (`body_scale`): of the torso's corners, which
least squares only nears, and of the neck and the joints of the face, to which nothing was fitted. "Anybody"
is some drawn candidate who may be a pseudo-label at all. CPU time, unlike the clock's, hardly depends on what
else the machine is doing.
"""

import argparse
import os
import platform
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from pgt.data.body_parts import PARTS, body_scale, part_corners, part_masks
from pgt.data.parsing import LABELS
from pgt.data.part_descriptors import LabelledPeople, PartDescriptors
from pgt.data.part_distance import part_distances
from pgt.data.pose import JOINTS
from pgt.data.pseudo_labels import NOBODY, PseudoLabelSearch, SearchOptions, draw_candidates, pose_differences
from pgt.data.readers.keypoint_csv import read_keypoint_csv
from pgt.geometry import fit_affine, transform_points

# Part -> label; where parts overlap, the later one of PARTS is in front.
OUTFIT = {
    "torso": "upper_clothes", "head": "face",
    "right_thigh": "pants", "left_thigh": "pants", "right_calf": "right_leg", "left_calf": "left_leg",
    "right_upper_arm": "upper_clothes", "left_upper_arm": "upper_clothes",
    "right_forearm": "right_arm", "left_forearm": "left_arm",
}  # fmt: skip
TORSO, HEAD, LIMBS = PARTS.index("torso"), PARTS.index("head"), slice(2, None)
NECK = JOINTS.index("neck")
FACE = [JOINTS.index(name) for name in ("nose", "right_eye", "left_eye", "right_ear", "left_ear")]
PAIRS = 20_000  # at random, whose poses are compared
STRETCH = 2.0  # a limb this many times longer or shorter than its partner is worth counting
_BLOCK = 64

Numbers = dict[str, np.ndarray]


def dressed(keypoints: np.ndarray, visible: np.ndarray, size: tuple[int, int]) -> LabelledPeople:
    """Give everyone the outfit.

    Args:
        keypoints: (M, 18, 2) float32, (x, y) in pixels of a `size` picture.
        visible: (M, 18) bool.
        size: (H, W).
    """
    maps = np.zeros((len(keypoints), *size), np.uint8)
    points, seen = torch.from_numpy(keypoints), torch.from_numpy(visible)
    for first in range(0, len(maps), _BLOCK):
        block = slice(first, first + _BLOCK)
        masks = part_masks(*part_corners(points[block], seen[block], size[0]), size).bool().numpy()
        for part, name in enumerate(PARTS):
            maps[block][masks[:, part]] = LABELS.index(OUTFIT[name])
            if part == HEAD:
                from_behind = ~visible[block, FACE[:1], None]
                maps[block][masks[:, part] & from_behind] = LABELS.index("hair")
    return LabelledPeople(keypoints, visible, maps)


def alignment(
    people: LabelledPeople, described: PartDescriptors, sources: np.ndarray, targets: np.ndarray
) -> Numbers:
    """Measure where f_j takes the targets' bodies.

    Args:
        people, described: everyone.
        sources, targets: (Q,) int, the pairs.

    Returns:
        (Q,) float each, NaN where it does not apply: "corners", "neck" and "face" in torso lengths;
        "mirrored" 1 where the torso is turned over, as from front to back; "stretched" the share of limbs
        that are lengthened or shortened more than `STRETCH` times.
    """
    both = described.valid[sources] & described.valid[targets]
    own, other = (torch.from_numpy(described.corners[who]).double() for who in (sources, targets))
    matrices, _ = fit_affine(other, own)
    points, seen = torch.from_numpy(people.keypoints).double(), torch.from_numpy(people.visible)
    scale = body_scale(points[sources], seen[sources], people.image_size[0]).numpy()

    def off(moved: torch.Tensor, wanted: torch.Tensor) -> np.ndarray:
        return (moved - wanted).norm(dim=-1).numpy() / scale[:, None]

    corners = off(transform_points(other[:, TORSO], matrices[:, TORSO]), own[:, TORSO])
    neck, face = (
        np.where(
            people.visible[sources][:, joints] & people.visible[targets][:, joints] & both[:, [part]],
            off(transform_points(points[targets][:, joints], matrices[:, part]), points[sources][:, joints]),
            np.nan,
        )
        for part, joints in ((TORSO, [NECK]), (HEAD, FACE))
    )
    theirs = body_scale(points[targets], seen[targets], people.image_size[0]).numpy()
    ratio = _lengths(described, sources) / scale[:, None] / (_lengths(described, targets) / theirs[:, None])
    stretched = np.where(both[:, LIMBS], np.abs(np.log(ratio)) > np.log(STRETCH), np.nan)
    mirrored = torch.linalg.det(matrices[:, TORSO, :, :2]).numpy() < 0
    return {
        "corners": np.where(both[:, TORSO], np.sqrt((corners**2).mean(axis=1)), np.nan),
        "neck": neck[:, 0],
        "face": _mean_of_rows(face),
        "mirrored": np.where(both[:, TORSO], mirrored, np.nan),
        "stretched": _mean_of_rows(stretched),
    }


def _lengths(described: PartDescriptors, who: np.ndarray) -> np.ndarray:
    """Return how long the limbs' rectangles are: (Q, 8), in pixels; 1 for what is missing."""
    corners = described.corners[who][:, LIMBS]
    length = np.linalg.norm(corners[:, :, 2:].mean(axis=2) - corners[:, :, :2].mean(axis=2), axis=-1)
    return np.where(described.valid[who][:, LIMBS], length, 1.0)


def _mean_of_rows(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    return np.where(known.any(axis=1), np.nansum(values, axis=1) / np.maximum(known.sum(axis=1), 1), np.nan)


def anybody(search: PseudoLabelSearch, queries: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return for each query some drawn candidate in another pose, with enough parts in common; or NOBODY."""
    options, described, visible = search.options, search.descriptors, search.people.visible
    found = np.full(len(queries), NOBODY)
    for row, query in enumerate(queries.tolist()):
        drawn = draw_candidates(query, len(search.people), options.num_candidates, options.seed)
        drawn = np.random.default_rng([seed, query]).permutation(drawn)
        shared = (described.valid[drawn] & described.valid[query]).sum(axis=1)
        larger = np.maximum(described.valid[drawn].sum(axis=1), described.valid[query].sum())
        apart = pose_differences(
            described.joints[query], visible[query], described.joints[drawn], visible[drawn]
        )
        usable = (shared >= np.maximum(options.min_parts, options.min_shared * larger - 1e-6)) & (
            apart >= options.min_pose_difference
        )
        if usable.any():
            found[row] = drawn[usable.argmax()]
    return found


def equation_1(search: PseudoLabelSearch, sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Evaluate Eq. 1 of pairs (Q,) on all pixels."""
    described = search.descriptors
    sums = part_distances(search.people, described, sources, targets[:, None])[:, 0]
    both = described.valid[sources] & described.valid[targets]
    return (sums / np.maximum(described.area[sources], 1)).sum(axis=1) / np.maximum(both.sum(axis=1), 1)


def pose_difference_of_pairs(search: PseudoLabelSearch, count: int, seed: int = 0) -> np.ndarray:
    """Return how far the poses of random pairs of different people differ: (count,), in torso lengths."""
    joints, visible = search.descriptors.joints, search.people.visible
    rng = np.random.default_rng(seed)
    one = rng.integers(len(joints), size=count)
    other = (one + rng.integers(1, len(joints), size=count)) % len(joints)
    return pose_differences(joints[one], visible[one], joints[other], visible[other])


def clocks() -> np.ndarray:
    """Return the clock's time and this process's CPU time, in seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def measure(path: str | Path, size: tuple[int, int], sources: int) -> dict[str, object]:
    """Search among everyone in a keypoint CSV.

    Args:
        path: of the CSV.
        size: (H, W) of its pictures.
        sources: how many are searched for pixel by pixel, and looked at closely.
    """
    joints = read_keypoint_csv(path)
    keypoints, visible = (np.stack(values) for values in zip(*joints.values(), strict=True))
    anyone = visible.any(axis=1)
    people = dressed(keypoints[anyone], visible[anyone], size)
    queries = np.sort(np.random.default_rng(0).permutation(len(people))[:sources])
    options, times, matches = SearchOptions(), {}, {}
    for method in ("fast", "exact"):
        start = clocks()
        search = PseudoLabelSearch(people, replace(options, method=method))
        ready = clocks()
        matches[method] = search.find(queries)
        times["describing"] = (ready - start) / len(people)
        times[method] = (clocks() - ready) / len(queries)
    best, some = matches["exact"].target, anybody(search, queries)
    pairs = {"pseudo-label": best, "anybody": some}
    known = {name: targets != NOBODY for name, targets in pairs.items()}
    return {
        "file": Path(path).name,
        "size": size,
        "rows": len(joints),
        "people": len(people),
        "sources": len(queries),
        "options": options,
        "valid": dict(zip(PARTS, search.descriptors.valid.mean(axis=0).tolist(), strict=True)),
        "apart": pose_difference_of_pairs(search, PAIRS),
        "found": float(known["pseudo-label"].mean()),
        "same as fast": float((matches["fast"].target == best).mean()),
        "seconds": times,
        "pairs": {
            name: alignment(people, search.descriptors, queries[known[name]], targets[known[name]])
            | {"equation 1": equation_1(search, queries[known[name]], targets[known[name]])}
            for name, targets in pairs.items()
        },
    }


ROWS = {  # row -> title, how a set of pairs is summed up
    "equation 1": ("Eq. 1, 0 to 2: median", lambda values: f"{np.nanmedian(values):.3f}"),
    **{
        name: (
            f"{title} off: median, 95 %",
            lambda v: ", ".join(f"{np.nanquantile(v, q):.3f}" for q in (0.5, 0.95)),
        )
        for name, title in (("corners", "torso's corners"), ("neck", "neck"), ("face", "joints of the face"))
    },
    "mirrored": ("torso turned over", lambda values: f"{100 * np.nanmean(values):.0f} %"),
    "stretched": (f"limbs changed more than {STRETCH:g} times", lambda v: f"{100 * np.nanmean(v):.1f} %"),
}


def to_markdown(result: dict) -> str:
    """Write the numbers as text."""
    options, apart, seconds = result["options"], result["apart"], result["seconds"]
    pairs = result["pairs"]
    least = options.min_pose_difference
    lines = [
        f"{result['file']}, {result['size'][0]}x{result['size'][1]}: {result['people']:,} of "
        f"{result['rows']:,} rows have a joint; N = {options.num_candidates}, {result['sources']:,} sources.",
        "",
        "| parts in sight | " + " | ".join(name.replace("_", " ") for name in result["valid"]) + " |",
        "| --- |" + " ---: |" * len(result["valid"]),
        "| share of people | " + " | ".join(f"{share:.2f}" for share in result["valid"].values()) + " |",
        "",
        f"| {PAIRS:,} random pairs | 5 % | 25 % | median | 75 % | 95 % | below {least} |",
        "| --- |" + " ---: |" * 6,
        "| poses differ by, torso lengths | "
        + " | ".join(f"{np.quantile(apart, q):.2f}" for q in (0.05, 0.25, 0.5, 0.75, 0.95))
        + f" | {100 * (apart < least).mean():.0f} % |",
        "",
        "| aligned to the source | " + " | ".join(pairs) + " |",
        "| --- |" + " ---: |" * len(pairs),
    ]
    for row, (title, sum_up) in ROWS.items():
        lines.append(f"| {title} | " + " | ".join(sum_up(values[row]) for values in pairs.values()) + " |")
    lines += [
        "",
        f"{100 * result['found']:.1f} % of the sources find somebody; the fast search finds the same one for "
        f"{100 * result['same as fast']:.0f} %.",
        "",
        "| | ms per source | CPU ms per source | sources per second |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, (wall, cpu) in seconds.items():
        lines.append(f"| {name} | {1e3 * wall:.3g} | {1e3 * cpu:.3g} | {1 / wall:,.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("keypoints", help="a keypoint CSV")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(256, 256), help="height and width of its pictures"
    )
    parser.add_argument("--sources", type=int, default=2000, help="who are searched for (default 2000)")
    arguments = parser.parse_args()
    print(to_markdown(measure(arguments.keypoints, tuple(arguments.size), arguments.sources)))
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    print(f"\n*{platform.machine()}, {torch.get_num_threads()} threads, {load}, {when}.*")


if __name__ == "__main__":
    main()
