"""How near the 2-D poses of synthetic people are to those of real ones.

Every distance is 0 for equal sets; random halves of the real set, measured the same way, give the floor.
Positions and sizes are in image heights, y down, from the image centre; histograms are compared by their
total variation distance, half the sum of absolute differences, which is the share of people one would have
to move.

Run `python -m pgt.synthetic.statistics KEYPOINTS.csv --size 128 64 --scene street`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgt.data.pose import LIMBS
from pgt.data.readers.keypoint_csv import read_keypoint_csv
from pgt.synthetic.camera import SHOTS, draw_camera, draw_shot, project, view_rotation
from pgt.synthetic.draw import Draw
from pgt.synthetic.poses import draw_pose
from pgt.synthetic.skeleton import BONE, joints_18
from pgt.synthetic.wardrobe import draw_identity

VIEWS = ("front", "back", "side")
_TRUNK = (2, 5, 8, 11)
_BODY_LIMBS = tuple(limb for limb in LIMBS[:12])
_LOOKS = np.array([[0, 0, 1], [-0.45, 0, 1], [0.45, 0, 1], [-1, 0, 0.1], [1, 0, 0.1]], float)
_FACE = (0, 14, 15, 16, 17)
_ANGLE_BINS = np.linspace(-np.pi, np.pi, 25)
_SIZE_BINS = np.array([0, *np.arange(0.16, 0.62, 0.04), 2])
_ANY_LONGER_IS_UPPER = 0.35  # a trunk of more than this many image heights belongs to an upper-body shot


@dataclass(frozen=True)
class PoseSet:
    """Many 2-D poses in images of one size.

    Attributes:
        positions: (N, 18, 2) (x, y) in image heights from the image centre, y down.
        visible: (N, 18) bool.
    """

    positions: np.ndarray
    visible: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    def select(self, which: np.ndarray) -> "PoseSet":
        """Return the poses at the given indices, or where a mask is true."""
        return PoseSet(self.positions[which], self.visible[which])

    def trunk(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the length from shoulders to hips (N,) in image heights, and where it is known (N,)."""
        p = self.positions
        length = np.linalg.norm(p[:, 2] + p[:, 5] - p[:, 8] - p[:, 11], axis=-1) / 2
        return length, self.visible[:, _TRUNK].all(1) & (length > 0.02)

    def shot(self, shot: str) -> "PoseSet":
        """Return the poses framed as "full" or "upper", judged by the length of the trunk."""
        length, known = self.trunk()
        return self.select(known & ((length > _ANY_LONGER_IS_UPPER) == (shot == "upper")))


def pose_set(keypoints: np.ndarray, visible: np.ndarray, size: tuple[int, int]) -> PoseSet:
    """Normalise keypoints (N, 18, 2) in pixels (x, y) of images of `size` (H, W)."""
    center = (np.array([size[1], size[0]]) - 1) / 2
    return PoseSet(
        (np.asarray(keypoints, dtype=np.float64) - center) / size[0], np.asarray(visible, dtype=bool)
    )


def read_real(path: str | Path, size: tuple[int, int]) -> PoseSet:
    """Read a keypoint CSV of images of `size` (H, W); people without any joint are left out."""
    people = list(read_keypoint_csv(path).values())
    keypoints, visible = (np.stack(column) for column in zip(*people, strict=True))
    return pose_set(keypoints, visible, size).select(visible.any(1))


def draw_synthetic(
    scene: str, count: int, size: tuple[int, int], *, seed: int = 0, shot: str | None = None
) -> PoseSet:
    """Draw `count` synthetic people as their 2-D poses alone, without rendering them.

    Body joints are visible inside the image; nose, eyes and ears if the head turns them to the viewer, as in
    the joints that networks are given.
    """
    keypoints, visible = np.zeros((count, 18, 2)), np.zeros((count, 18), bool)
    for index in range(count):
        draw = Draw(seed, index)
        body = draw_identity(draw.seed()).proportions
        frames = draw_pose(draw, proportions=body, scene=scene).frames(body)
        joints = joints_18(body, frames)
        camera = draw_camera(draw, scene, joints, shot=shot or draw_shot(draw, scene))
        keypoints[index], _ = project(joints, camera, size)
        inside = (keypoints[index] >= -0.5) & (keypoints[index] <= np.array(size[::-1]) - 0.5)
        visible[index] = inside.all(1)
        looks = _LOOKS @ (view_rotation(camera) @ frames.rotations[BONE["head"]]).T
        visible[index, list(_FACE)] &= looks[:, 2] > 0
    return pose_set(keypoints, visible, size)


def view_shares(poses: PoseSet) -> np.ndarray:
    """Return (3,) shares of front, back and side views.

    A side view shows shoulders closer together than a third of the trunk; else their order tells front from
    back.
    """
    length, known = poses.trunk()
    width = (poses.positions[:, 5, 0] - poses.positions[:, 2, 0])[known] / length[known]
    return np.array([(width > 1 / 3).mean(), (width < -1 / 3).mean(), (np.abs(width) <= 1 / 3).mean()])


def _moments(poses: PoseSet) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (18, 2) of the visible joints' positions."""
    positions = np.where(poses.visible[..., None], poses.positions, np.nan)
    with np.errstate(invalid="ignore"):
        return np.nanmean(positions, 0), np.nanstd(positions, 0)


def _limbs(poses: PoseSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return length by trunk (N, L), angle (N, L) in radians (0 to the right, pi/2 down) and known (N, L)."""
    first, second = np.array(_BODY_LIMBS).T
    vector = poses.positions[:, second] - poses.positions[:, first]
    length, known = poses.trunk()
    both = poses.visible[:, first] & poses.visible[:, second] & known[:, None]
    ratio = np.linalg.norm(vector, axis=-1) / np.maximum(length, 0.02)[:, None]
    return ratio, np.arctan2(vector[..., 1], vector[..., 0]), both


def _variation(a: np.ndarray, b: np.ndarray, bins: np.ndarray) -> float:
    shares = [np.histogram(values, bins)[0] / max(len(values), 1) for values in (a, b)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def compare(a: PoseSet, b: PoseSet) -> dict[str, float]:
    """Return the distances between two sets of poses, 0 if they are alike.

    "mean position" and "spread" (image heights; averaged over joints), "visibility" (difference of rates),
    "limb length" (of medians, as a share of the trunk), "limb angle", "size" and "view" (total variation
    distances; the first averaged over limbs, the others of the trunk's length and of front, back, side).
    """
    (mean_a, std_a), (mean_b, std_b) = _moments(a), _moments(b)
    (ratio_a, angle_a, known_a), (ratio_b, angle_b, known_b) = _limbs(a), _limbs(b)
    limbs = [i for i in range(len(_BODY_LIMBS)) if min(known_a[:, i].sum(), known_b[:, i].sum()) >= 20]
    seen = [(ratio_a[known_a[:, i], i], ratio_b[known_b[:, i], i]) for i in limbs]
    angles = [(angle_a[known_a[:, i], i], angle_b[known_b[:, i], i]) for i in limbs]
    (size_a, trunk_a), (size_b, trunk_b) = a.trunk(), b.trunk()
    return {
        "mean position": float(np.nanmean(np.linalg.norm(mean_a - mean_b, axis=1))),
        "spread": float(np.nanmean(np.abs(std_a - std_b))),
        "visibility": float(np.abs(a.visible.mean(0) - b.visible.mean(0)).mean()),
        "limb length": float(np.mean([abs(np.median(x) - np.median(y)) for x, y in seen])),
        "limb angle": float(np.mean([_variation(x, y, _ANGLE_BINS) for x, y in angles])),
        "size": _variation(size_a[trunk_a], size_b[trunk_b], _SIZE_BINS),
        "view": float(np.abs(view_shares(a) - view_shares(b)).sum() / 2),
    }


def report(path: str | Path, size: tuple[int, int], scene: str, *, count: int = 2000, seed: int = 0) -> str:
    """Return a table of distances: synthetic against real, and one random half of the real against the other.

    Args:
        path: a keypoint CSV of real people.
        size: (H, W) of their images.
        scene: "plain", "street" or "non_iconic".
        count: synthetic people to draw.
        seed: of the draws.

    Full and upper-body shots (in plain scenes) are compared apart, since their shares are a choice.
    """
    real = read_real(path, size)
    lines = [f"{scene}: {count} synthetic against {len(real)} real poses"]
    for shot in SHOTS if scene == "plain" else SHOTS[:1]:
        known = real.shot(shot)
        drawn = draw_synthetic(scene, count, size, seed=seed, shot=shot)
        order = np.argsort([Draw(seed, 1, i).uniform() for i in range(len(known))])
        halves = known.select(order[::2]), known.select(order[1::2])
        columns = compare(drawn, known), compare(*halves)
        lines.append(f"\n{shot} shots ({len(known)} real){'':6}synthetic  real halves")
        lines += [f"  {name:24}{ours:12.3f}{columns[1][name]:13.3f}" for name, ours in columns[0].items()]
        for title, poses in (("synthetic", drawn), ("real", known)):
            shares = zip(VIEWS, view_shares(poses), strict=True)
            lines.append(f"  {title}: " + ", ".join(f"{view} {share:.2f}" for view, share in shares))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print `report` for a keypoint CSV given on the command line."""
    parser = argparse.ArgumentParser(description="Compare 2-D poses of synthetic and real people.")
    parser.add_argument("csv", help="keypoint CSV of real people")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(256, 256), metavar=("H", "W"), help="of their images"
    )
    parser.add_argument("--scene", default="plain", help="plain, street or non_iconic")
    parser.add_argument("--count", type=int, default=2000, help="synthetic people to draw")
    options = parser.parse_args(arguments)
    print(report(options.csv, tuple(options.size), options.scene, count=options.count))


if __name__ == "__main__":
    main()
