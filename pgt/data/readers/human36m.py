"""Human3.6M (Ionescu, Papava, Olaru and Sminchisescu, TPAMI 2014).

root/S1/ (S5, S6, S7, S8, S9, S11 likewise)
  MyPoseFeatures/D2_Positions/Posing 1.54138969.cdf     "Pose": 32 joints (x, y) per frame, 50 a second
  Videos/Posing 1.54138969.mp4                          action and number, camera; or, already extracted,
  images/S1_Posing_1.54138969/S1_Posing_1.54138969_000001.jpg            frames, from 1
  MySegmentsMat/ground_truth_bs/Posing 1.54138969.mat   optional: "Masks" of every frame (MATLAB 7.3)

As in Progressive (2020, section 4.1): 3 frames a second, Posing, Greeting and Walking for training,
Directions for testing, and only the person is kept (black elsewhere) where there are masks. The same actors
do both, so these splits share people; `split_by="subject"` has S9 and S11 for testing instead, as is usual
for 3-D poses. Source and target are frames of one recording, each cut by a square around the skeleton.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

from pgt.data.boxes import person_boxes, proportioned_boxes
from pgt.data.crop_pairs import crop_person
from pgt.data.extras import install
from pgt.data.person import Person
from pgt.data.pose import JOINTS, MAX_COORDINATE, NUM_JOINTS
from pgt.data.readers.people import People, Source
from pgt.data.readers.pictures import read_picture
from pgt.data.readers.video import read_frame
from pgt.files import first_line

SOURCE = Source(
    "Human3.6M", "the Institute of Mathematics of the Romanian Academy (http://vision.imar.ro/human3.6m/)"
)
SPLITS = ("train", "test")
ACTIONS = {"train": ("Posing", "Greeting", "Walking"), "test": ("Directions",)}
TEST_SUBJECTS = ("S9", "S11")
STEP = round(50 / 3)  # frames, from 50 a second to 3

# Which of the 32 points ours are; the head's is at the height of the nose.
_POINTS = {
    "nose": 14, "neck": 13,
    "right_shoulder": 25, "right_elbow": 26, "right_wrist": 27,
    "left_shoulder": 17, "left_elbow": 18, "left_wrist": 19,
    "right_hip": 1, "right_knee": 2, "right_ankle": 3,
    "left_hip": 6, "left_knee": 7, "left_ankle": 8,
}  # fmt: skip


class _Recording(NamedTuple):
    subject: Path
    name: str  # of the files, such as "Posing 1.54138969"

    @property
    def action(self) -> str:
        return self.name.split(".")[0].split(" ")[0]

    @property
    def identity(self) -> str:
        return f"{self.subject.name}/{self.name}"

    @property
    def images(self) -> Path:
        return self.subject / "images" / f"{self.subject.name}_{self.name.replace(' ', '_')}"

    @property
    def video(self) -> Path:
        return self.subject / "Videos" / f"{self.name}.mp4"

    @property
    def masks(self) -> Path:
        return self.subject / "MySegmentsMat" / "ground_truth_bs" / f"{self.name}.mat"

    def image(self, frame: int) -> Path:
        return self.images / f"{self.images.name}_{frame + 1:06d}.jpg"

    def frames(self, count: int) -> list[int]:
        """Return which of `count` frames are taken: at least `STEP` apart, and there."""
        if not self.images.is_dir():
            return list(range(0, count, STEP)) if self.video.is_file() else []
        taken: list[int] = []
        for frame in range(count):
            if (not taken or frame - taken[-1] >= STEP) and self.image(frame).is_file():
                taken.append(frame)
        return taken


def human36m(
    root: str | Path, split: str = "train", *, split_by: Literal["action", "subject"] = "action"
) -> People:
    """Find the frames of a split.

    Args:
        root: the folder described above.
        split: "train" or "test".
        split_by: "action": as Progressive; "subject": all actions of the subjects of that split.

    Raises:
        FileNotFoundError: one sentence: what the folder lacks, and who publishes it.
        ValueError: poses that cannot be read.
        ImportError: cdflib is not installed.
    """
    root = SOURCE.check_folder(root)
    names, frames, joints, notes = [], [], [], []
    for recording, path in _recordings(root, split, split_by):
        points = read_poses(path)
        chosen = recording.frames(len(points))
        if not chosen:
            notes.append(f"{recording.identity} has neither images nor a video.")
        names += [f"{recording.identity}/{frame + 1:06d}" for frame in chosen]
        frames += [(recording, frame) for frame in chosen]
        joints.append(points[chosen])
    if not names:
        raise SOURCE.missing(
            root,
            f"no S*/MyPoseFeatures/D2_Positions/*.cdf of the split {split} with images or a video is there",
        )
    keypoints, visible = _to_openpose18(np.concatenate(joints))
    return People(
        names,
        [one.image(frame) if one.images.is_dir() else one.video for one, frame in frames],
        (keypoints, visible),
        [one.identity for one, _ in frames],
        look=partial(_look, frames),
        finish=partial(_cut_out, frames),
        notes=notes,
    )


def _recordings(root: Path, split: str, split_by: str) -> Iterator[tuple[_Recording, Path]]:
    for path in sorted(root.glob("S*/MyPoseFeatures/D2_Positions/*.cdf")):
        recording = _Recording(path.parents[2], path.stem)
        if split_by == "action":
            wanted = recording.action in ACTIONS[split]
        else:
            wanted = (recording.subject.name in TEST_SUBJECTS) == (split == "test")
        if wanted:
            yield recording, path


def read_poses(path: str | Path) -> np.ndarray:
    """Read the 2-D poses of a recording, (N, 32, 2) float32 (x, y) in pixels.

    Raises:
        ValueError: the file's name and what is wrong with it.
        ImportError: cdflib is not installed.
    """
    try:
        from cdflib import CDF
    except ImportError:
        raise ImportError(f"Reading the poses of Human3.6M needs cdflib: {install('human36m')}.") from None
    try:
        return np.asarray(CDF(str(path)).varget("Pose"), np.float32).reshape(-1, 32, 2)
    except Exception as error:  # damaged bytes make it raise nearly anything
        raise ValueError(f"{path} cannot be read as poses of Human3.6M ({first_line(error)}).") from None


def _to_openpose18(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    keypoints = np.zeros((len(points), NUM_JOINTS, 2), np.float32)
    visible = np.zeros((len(points), NUM_JOINTS), bool)
    places = [JOINTS.index(name) for name in _POINTS]
    with np.errstate(over="ignore"):  # what float32 cannot hold lies outside any picture
        keypoints[:, places] = points[:, list(_POINTS.values())]
    visible[:, places] = (np.abs(keypoints[:, places]) <= MAX_COORDINATE).all(axis=-1)  # False for NaN too
    keypoints[~visible] = 0
    return keypoints, visible


def _look(frames: list[tuple[_Recording, int]], number: int) -> np.ndarray:
    recording, frame = frames[number]
    if recording.images.is_dir():
        return read_picture(recording.image(frame))
    return read_frame(recording.video, frame)


def _cut_out(frames: list[tuple[_Recording, int]], person: Person, number: int) -> Person:
    """Black out what is not the person, where a mask says so, and cut by a square around the skeleton."""
    recording, frame = frames[number]
    if recording.masks.is_file():
        mask = read_mask(recording.masks, frame, person.image_size)
        person = replace(person, image=person.image * mask[..., None], person_mask=mask)
    box = person_boxes(
        torch.from_numpy(person.keypoints)[None], torch.from_numpy(person.visible)[None], person.image_size
    )
    box = proportioned_boxes(box, person.image_size, (1, 1))
    x1, y1, x2, y2 = box[0].tolist()
    return crop_person(person, box, (y2 - y1, x2 - x1))


def read_mask(path: str | Path, frame: int, size: tuple[int, int]) -> np.ndarray:
    """Read the mask of a frame, bool (H, W).

    Args:
        path: the file of the recording.
        frame: from 0.
        size: (H, W) of the picture it belongs to.

    Raises:
        ValueError: the file's name and what is wrong with it.
        ImportError: h5py is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise ImportError(f"Reading the masks of Human3.6M needs h5py: {install('human36m')}.") from None
    try:
        with h5py.File(path, "r") as file:
            # A cell array: references to one array each, and MATLAB stores columns first.
            mask = np.asarray(file[file["Masks"][frame, 0]]).T > 0
    except Exception as error:  # damaged bytes make it raise nearly anything
        raise ValueError(f"{path} cannot be read as masks of Human3.6M ({first_line(error)}).") from None
    if mask.shape != size:
        raise ValueError(f"{path} has masks of {mask.shape}, but the pictures are {size}.")
    return mask
