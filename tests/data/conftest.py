"""Random and real poses for the tests of pgt.data."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pgt.data.pose import Pose
from pgt.data.readers.keypoint_csv import read_keypoint_csv


@pytest.fixture
def random_poses() -> Callable[[tuple[int, int], int], tuple[torch.Tensor, torch.Tensor]]:
    """Draw poses (B, 18, 2) and visibility, on and off the pixel grid, in and out of the image."""

    def draw(size: tuple[int, int], count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng(seed)
        keypoints = rng.uniform(-0.2, 1.2, (count, 18, 2)) * [size[1], size[0]]
        keypoints[: count // 2] = np.round(keypoints[: count // 2])
        visible = rng.random((count, 18)) < 0.8
        return torch.tensor(keypoints, dtype=torch.float32), torch.tensor(visible)

    return draw


@pytest.fixture
def random_pose(random_poses) -> Pose:
    keypoints, visible = random_poses((128, 64), 2, seed=3)
    return Pose(keypoints[1].numpy(), visible[1].numpy(), (128, 64))


REAL_FILES = {
    "deepfashion": ("fasion-annotation-test_new_split.csv", (256, 256)),
    "market": ("market-annotation-train.csv", (128, 64)),
}


@pytest.fixture(params=REAL_FILES)
def real_file(request, real_data):
    """Path and image size of a file of real poses."""
    name, size = REAL_FILES[request.param]
    return real_data / "annotations" / name, size


def take_real_poses(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Take 24 poses with shoulders and hips from a file: keypoints and visible."""
    joints = [pair for pair in read_keypoint_csv(path).values() if pair[1][[2, 5, 8, 11]].all()]
    chosen = joints[:: len(joints) // 24][:24]
    keypoints, visible = (np.stack(values) for values in zip(*chosen, strict=True))
    return torch.tensor(keypoints), torch.tensor(visible)


@pytest.fixture
def real_poses(real_file) -> tuple[torch.Tensor, torch.Tensor, tuple[int, int]]:
    """24 real poses with shoulders and hips: keypoints, visible, image size."""
    path, size = real_file
    return *take_real_poses(path), size


@pytest.fixture(params=["random", *REAL_FILES])
def poses_with_torso(request, random_poses) -> tuple[torch.Tensor, torch.Tensor, tuple[int, int]]:
    """24 random or real poses with shoulders and hips: keypoints, visible, image size."""
    if request.param == "random":
        keypoints, visible = random_poses((128, 64), 24, seed=1)
        visible[:, [2, 5, 8, 11]] = True
        return keypoints, visible, (128, 64)
    name, size = REAL_FILES[request.param]
    return *take_real_poses(request.getfixturevalue("real_data") / "annotations" / name), size
