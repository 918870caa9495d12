"""A little film for tests: a coloured figure walks to and fro before a striped wall, its joints known."""

from pathlib import Path

import numpy as np

from pgt.applications.animation import write_video
from pgt.data.pose import Pose, pose_mask
from pgt.data.readers import video
from pgt.data.readers.keypoint_csv import write_keypoint_csv

SIZE = (96, 128)  # (H, W)
BODY = np.array(
    [
        *([0, -30], [0, -22], [-8, -22], [-11, -10], [-12, 0], [8, -22], [11, -10], [12, 0], [-5, 0]),
        *([-6, 14], [-6, 28], [5, 0], [6, 14], [6, 28], [-2, -32], [2, -32], [-4, -31], [4, -31]),
    ],
    np.float32,
)  # around the hips, (x, y) pixels
COLOR = np.array([200, 30, 60], np.uint8)


def joints(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the joints of a frame: the hips swing from side to side, the right arm up and down."""
    keypoints = BODY + np.array([64 + 30 * np.sin(number / 4), 52], np.float32)
    keypoints[4, 1] -= 20 * abs(np.sin(number / 3))
    return keypoints.round().astype(np.float32), np.ones(18, bool)


def body(number: int) -> np.ndarray:
    """Say where the figure is, bool (H, W)."""
    import torch

    points, visible = joints(number)
    return pose_mask(torch.from_numpy(points)[None], torch.from_numpy(visible)[None], SIZE)[0, 0].numpy() > 0


def wall() -> np.ndarray:
    """Give the scene without the figure, uint8 (H, W, 3)."""
    rows, columns = np.indices(SIZE)
    bright = 150 + 40 * ((columns // 16) % 2) - 30 * (rows > 80)
    return np.stack([bright, bright, bright + 10], axis=-1).astype(np.uint8)


def frame(number: int) -> np.ndarray:
    """Draw a frame, uint8 (H, W, 3)."""
    return np.where(body(number)[..., None], COLOR, wall())


def make_film(folder: Path, count: int = 20) -> tuple[Path, Path]:
    """Write film.mp4 and film.csv."""
    write_video(folder / "film.mp4", map(frame, range(count)), 25)
    write_keypoint_csv(folder / "film.csv", {f"{k:06d}.png": joints(k) for k in range(count)})
    return folder / "film.mp4", folder / "film.csv"


def as_pose(number: int) -> Pose:
    """Give a frame's joints as a pose."""
    return Pose(*joints(number), SIZE)


def shake(monkeypatch) -> None:
    """Let whoever reads a video see it as from a camera that moves sideways, 9 pixels a frame."""
    real = video.read_frames

    def shaken(path):
        for number, frame in enumerate(real(path)):
            yield np.roll(frame, 9 * number, axis=1)

    monkeypatch.setattr(video, "read_frames", shaken)
