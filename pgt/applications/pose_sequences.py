"""Poses in time: where they come from, how they are kept, and how they are fitted to the person of a picture.

A sequence is read from a synthetic motion, from our JSON, from a keypoint CSV with one row per frame (alone,
or beside its video), or from a folder of OpenPose's JSON files with one file per frame.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pgt.data.body_parts import body_scale
from pgt.data.person import Person
from pgt.data.point_sets import split_points
from pgt.data.pose import JOINTS, MAX_COORDINATE, NUM_JOINTS, Pose
from pgt.data.readers.keypoint_csv import read_keypoint_csv
from pgt.data.readers.openpose_json import read_openpose_folder
from pgt.data.readers.video import frame_rate, read_frames, read_rows
from pgt.files import first_line, read_json, replace_bytes
from pgt.synthetic.films import YAW, film
from pgt.synthetic.people import SyntheticPeople

FPS = 25.0  # frames a second, where nobody says
MAX_RATE = 1000  # that a file may claim
_ANKLES, _HIPS, _SHOULDERS = (10, 13), (8, 11), (2, 5)


@dataclass(frozen=True, eq=False)
class PoseSequence:
    """Poses in time.

    Args:
        poses: one per frame, all in one image frame. A frame may lack some joints, or all of them.
        fps: frames a second.
        name: for messages and file names.

    Raises:
        ValueError: no pose at all, poses of different image sizes, or a rate that is not above 0.
    """

    poses: tuple[Pose, ...]
    fps: float = FPS
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "poses", tuple(self.poses))
        if not self.poses:
            raise ValueError("A pose sequence needs at least one frame.")
        sizes = sorted({pose.image_size for pose in self.poses})
        if len(sizes) > 1:
            raise ValueError(f"The poses of a sequence must share one image size, but there are {sizes}.")
        if not 0 < self.fps < float("inf"):
            raise ValueError(f"A pose sequence needs a frame rate above 0; got {self.fps}.")

    def __len__(self) -> int:
        return len(self.poses)

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) of the image that the coordinates belong to."""
        return self.poses[0].image_size

    @property
    def keypoints(self) -> np.ndarray:
        """(T, 18, 2) float32, (x, y) in pixels."""
        return np.stack([pose.keypoints for pose in self.poses])

    @property
    def visible(self) -> np.ndarray:
        """(T, 18) bool."""
        return np.stack([pose.visible for pose in self.poses])

    def first(self, num_frames: int) -> "PoseSequence":
        """Return the first frames; all of them where there are not so many."""
        return replace(self, poses=self.poses[:num_frames])

    def with_joints(
        self, keypoints: np.ndarray, visible: np.ndarray, image_size: tuple[int, int] | None = None
    ) -> "PoseSequence":
        """Return the sequence with other joints, (T, 18, 2) and (T, 18), and maybe another image size."""
        size = image_size or self.image_size
        poses = (Pose(*joints, size) for joints in zip(keypoints, visible, strict=True))
        return replace(self, poses=tuple(poses))

    @classmethod
    def of_people(cls, people: Sequence[Person], fps: float = FPS, name: str = "") -> "PoseSequence":
        """Take the poses of people, for example of the frames of `pgt.synthetic.films.film`."""
        return cls(tuple(person.pose for person in people), fps, name)

    @classmethod
    def from_motion(
        cls,
        name: str,
        num_frames: int = 48,
        *,
        fps: float = FPS,
        seed: int = 0,
        split: str = "test",
        yaw: float = YAW,
        image_size: tuple[int, int] = (128, 128),
    ) -> "PoseSequence":
        """Let a synthetic person move; the last frame leads seamlessly to the first.

        Args:
            name: "walk", "run", "wave", "squat", "dance" or "turn_around".
            num_frames: of the loop, at least 2.
            fps: frames a second; the motions are made for about 25.
            seed: of the body and of its manner of moving.
            split: whose stream of bodies and manners; those of "test" never occur in training.
            yaw: the person's turn in radians, 0 faces the viewer.
            image_size: (H, W) of the frame.

        Raises:
            ValueError: an unknown motion or split, or fewer than 2 frames.
        """
        people = SyntheticPeople(split, image_size, "plain")
        return cls.of_people(film(people, seed, name, num_frames, yaw=yaw), fps, name)

    @classmethod
    def read(
        cls, path: str | Path, *, image_size: tuple[int, int] | None = None, fps: float | None = None
    ) -> "PoseSequence":
        """Read a JSON file by `write`, a keypoint CSV, or a folder of OpenPose's JSON files.

        Args:
            path: a .json or .csv file, or a folder. The rows of a CSV are frames in the file's order; the
                files of a folder are frames in the order of the numbers in their names.
            image_size: (H, W) for a CSV or folder, which do not tell it; by default the smallest frame that
                holds all joints. What it is does not matter to a sequence that is fitted to a person.
            fps: frames a second; by default what the JSON says, and 25 for a CSV or folder, which do not tell
                it: take `of_video` where the video is at hand.

        Raises:
            ValueError: one sentence: another kind of file, or what is wrong with it.
            FileNotFoundError: no such file.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if path.is_dir():
            joints = read_openpose_folder(path)
        elif suffix == ".csv":
            rows = list(read_keypoint_csv(path).values())
            if not rows:
                raise ValueError(f"{path} has no rows, so there is no pose in it.")
            joints = tuple(np.stack(column) for column in zip(*rows, strict=True))
        elif suffix == ".json":
            return cls._from_json(path, fps)
        else:
            raise ValueError(
                f"A pose sequence is a .json or .csv file or a folder of OpenPose's JSON files, not {path}."
            )
        size = image_size or _frame_around(*joints)
        poses = (Pose(*frame, size) for frame in zip(*joints, strict=True))
        return cls(tuple(poses), fps or FPS, path.stem)

    @classmethod
    def of_video(
        cls, video: str | Path, keypoints: str | Path, *, fps: float | None = None
    ) -> "PoseSequence":
        """Read the poses of a video, in its own frame.

        Args:
            video: any file that FFmpeg reads.
            keypoints: a keypoint CSV with a row for each frame, named by the frame's number.
            fps: frames a second; by default the video's, so that a film of the poses lasts as long as it.

        Raises:
            ValueError: one sentence: no video, one without a rate, or rows that do not belong to its frames.
            FileNotFoundError: no such file.
            ImportError: PyAV is not installed.
        """
        rows, poses = read_rows(keypoints), []
        for number, frame in enumerate(read_frames(video)):  # all of them: a header may miscount
            if number not in rows:
                raise ValueError(f'{keypoints} has no row "{number:06d}.png" for frame {number} of {video}.')
            poses.append(Pose(*rows[number], frame.shape[:2]))
        if len(poses) < len(rows):
            raise ValueError(f"{keypoints} has {len(rows)} rows, but {video} has only {len(poses)} frames.")
        rate = fps or frame_rate(video)
        if not rate:
            raise ValueError(f"{video} does not tell how many frames a second it has.")
        return cls(tuple(poses), rate, Path(video).stem)

    @classmethod
    def _from_json(cls, path: Path, fps: float | None) -> "PoseSequence":
        content = read_json(path)
        try:
            if not isinstance(content, dict) or not isinstance(content.get("frames"), list):
                raise ValueError('a pose sequence needs "frames", a list of 18 times [x, y, visible] each')
            size = content.get("image_size")
            is_size = isinstance(size, list) and [type(side) for side in size] == [int, int]
            if not is_size or not all(1 <= side <= MAX_COORDINATE for side in size):
                raise ValueError('a pose sequence needs "image_size": [height, width]')
            frames = [split_points(frame, f"frame {i}") for i, frame in enumerate(content["frames"])]
            poses = tuple(Pose(*joints, tuple(size)) for joints in frames)
            return cls(poses, fps or _number(content.get("fps", FPS)), path.stem)
        except ValueError as error:
            raise ValueError(f"{path}: {first_line(error)}.") from None

    def write(self, path: str | Path) -> None:
        """Write JSON that `read` reads back exactly: frame rate, image size, x, y and visible of each joint.

        Raises:
            ValueError: the file's name does not end in .json.
        """
        path = Path(path)
        if path.suffix.lower() != ".json":
            raise ValueError(f"A pose sequence is written as JSON: {str(path)!r} should end in .json.")
        joints = np.concatenate([self.keypoints, self.visible[..., None]], axis=2)
        frames = [[[x, y, int(seen)] for x, y, seen in frame] for frame in joints.tolist()]
        content = {"fps": self.fps, "image_size": list(self.image_size), "joints": JOINTS, "frames": frames}
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_bytes(path, json.dumps(content).encode())


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_RATE:
        raise ValueError(f'"fps" must be a number of at most {MAX_RATE}, not {str(value)[:40]}')
    return float(value)


def _frame_around(keypoints: np.ndarray, visible: np.ndarray) -> tuple[int, int]:
    """Return the smallest (H, W) that holds all visible joints of (T, 18, 2)."""
    joints = keypoints[visible]
    width, height = np.floor(joints.max(axis=0)) + 1 if len(joints) else (1, 1)
    return max(1, int(height)), max(1, int(width))


def fit_sequence(sequence: PoseSequence, person: Person) -> PoseSequence:
    """Move a sequence to where a person stands and make its body as large as theirs.

    One scale and one shift serve all frames, so the motion itself is kept: p -> s p + t. The scale s is the
    person's torso length (`pgt.data.body_parts.body_scale`) divided by the sequence's median. The shift t
    puts the sequence's median hips above the person's (x), and the median of its lower ankle on the height
    of the person's lower ankle (y). Where the person or the sequence has no ankle, hips decide on y too;
    where one has no hip, the shoulders do, and failing these all joints that both have.

    Args:
        sequence: in any frame.
        person: keeps place and size.

    Returns:
        The sequence in the frame of the person's picture. Joints may come to lie outside it.

    Raises:
        ValueError: one sentence, if person and sequence have no joint in common, or one of them has too few
            joints to tell its size.
    """
    points, seen = sequence.keypoints.astype(np.float64), sequence.visible
    own, shown = person.keypoints[None].astype(np.float64), person.visible[None]
    common = [joint for joint in range(NUM_JOINTS) if shown[0, joint] and seen[:, joint].any()]
    if not common:
        raise ValueError("The person and the pose sequence have no joint in common.")
    sizes = _torso_length(points, seen)
    size = _torso_length(own, shown)[0]
    if size == 0 or not sizes.any():
        whose = "person" if size == 0 else "pose sequence"
        raise ValueError(f"The {whose} shows too few joints to tell how large the body is.")
    scale = size / np.median(sizes[sizes > 0])
    groups = ([joint for joint in group if joint in common] for group in (_HIPS, _SHOULDERS))
    middle = next((group for group in groups if group), common)
    shift = _middle(own, shown, middle) - scale * _middle(points, seen, middle)
    if shown[:, _ANKLES].any() and seen[:, _ANKLES].any():
        shift[1] = _ground(own, shown) - scale * _ground(points, seen)
    return sequence.with_joints(scale * points + shift, seen, person.image_size)


def _torso_length(keypoints: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Return (T,) pixels; 0 where the joints do not tell."""
    return body_scale(torch.from_numpy(keypoints), torch.from_numpy(visible)).numpy()


def _middle(keypoints: np.ndarray, visible: np.ndarray, joints: Sequence[int]) -> np.ndarray:
    """Return the mean (x, y) of where each of the joints is in the median frame."""
    return np.mean([np.median(keypoints[visible[:, joint], joint], axis=0) for joint in joints], axis=0)


def _ground(keypoints: np.ndarray, visible: np.ndarray) -> float:
    """Return the median over the frames of the lower visible ankle's y."""
    heights = np.where(visible, keypoints[..., 1], -np.inf)[:, _ANKLES].max(axis=1)
    return float(np.median(heights[np.isfinite(heights)]))
