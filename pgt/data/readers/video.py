"""One video of one person, and a keypoint CSV with a row per frame: source and target are two of its frames.

That is the setting of Penn Action and BBC-Pose in MR-Net (Xu et al., TIP 2020). All frames are cut by one
box, so that the scene stands still, and kept in memory at the model's size. Some of them are held out: they
are never source or target of a training pair, and nothing is learnt from their pixels, the background
neither. Only where the box lies depends on all skeletons.

Rows of the CSV are named by frame numbers, counted from 0: `000000.png` and so on (see `keypoint_csv`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pgt.data.extras import install
from pgt.data.person import Pair, Person
from pgt.data.pose import Pose
from pgt.data.readers.keypoint_csv import Joints, read_keypoint_csv
from pgt.data.still_camera import bridged, distance_from_body, find_person, find_scene

if TYPE_CHECKING:
    from av.container import InputContainer

MARGIN = 0.15  # around all skeletons, as a share of the longer side: hands, feet and hair
MIN_FRAMES = 10  # with a visible joint
SCENE_FRAMES = 200  # at most so many, evenly spaced, say what the background is
UNSHARED = 0.1  # image heights: what a joint adds to the distance of two poses if only one of them shows it

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class HoldOut:
    """Which frames are kept for scoring.

    Args:
        last: share of all frames, from the end; at least one frame.
        every: of the frames before these, cut into blocks, also every `every`-th block; 0 for none.
        block: frames in a block.

    Raises:
        ValueError: a share outside (0, 1), or blocks that make no sense.
    """

    last: float = 0.2
    every: int = 0
    block: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.last < 1:
            raise ValueError(f"The share of frames held out must be between 0 and 1, not {self.last}.")
        if self.every < 0 or self.every == 1 or self.block < 1:
            raise ValueError(
                f"Every block but at least the second, of at least one frame, can be held out; "
                f"got every {self.every} of {self.block} frames."
            )

    def among(self, num_frames: int) -> np.ndarray:
        """Return (num_frames,) bool, True where a frame is held out."""
        held = np.zeros(num_frames, bool)
        first = num_frames - max(1, round(self.last * num_frames))
        held[first:] = True
        if self.every:
            held[:first] = (np.arange(first) // self.block + 1) % self.every == 0
        return held


@dataclass(frozen=True, eq=False)
class VideoClip:
    """The frames that show a joint, in time order.

    Attributes:
        people: one per frame, of one size; named by the frame's number. They have a `person_mask` if the
            camera stands still.
        held_out: (N,) bool.
        still: whether the camera stands still.
    """

    people: tuple[Person, ...]
    held_out: np.ndarray
    still: bool

    @property
    def training(self) -> list[Person]:
        """The frames to learn from."""
        return [person for person, held in zip(self.people, self.held_out, strict=True) if not held]

    @property
    def unseen(self) -> list[Person]:
        """The frames held out."""
        return [person for person, held in zip(self.people, self.held_out, strict=True) if held]


class FramePairs:
    """All ordered pairs of different frames; a `PairDataset`.

    Args:
        people: at least two.
    """

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = tuple(people)

    def __len__(self) -> int:
        return len(self.people) * (len(self.people) - 1)

    def __getitem__(self, index: int) -> Pair:
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} pairs; {index} is none of them.")
        first, second = divmod(index, len(self.people) - 1)
        return _pair(self.people[first], self.people[second + (second >= first)])


def unseen_pairs(clip: VideoClip, per_target: int = 4) -> list[Pair]:
    """Pair every held-out frame, as target, with training frames as sources.

    Args:
        clip: the frames.
        per_target: how many sources each target gets (or all training frames, if they are fewer): evenly
            spaced in time, and others for the next target.
    """
    sources, targets = clip.training, clip.unseen
    count = min(per_target, len(sources))
    pairs = []
    for number, target in enumerate(targets):
        start = number * len(sources) // (count * len(targets))  # all targets together walk through a gap
        pairs += [_pair(sources[start + k * len(sources) // count], target) for k in range(count)]
    return pairs


def pose_distance(first: Pose, second: Pose) -> float:
    """Mean distance of the joints of two poses in one frame, in image heights.

    A joint that only one of them shows counts as `UNSHARED` away; one that neither shows does not count.
    """
    both, either = first.visible & second.visible, first.visible | second.visible
    apart = np.linalg.norm(first.keypoints - second.keypoints, axis=-1) / first.image_size[0]
    return float(np.where(both, apart, UNSHARED)[either].mean()) if either.any() else float("inf")


def nearest_in_pose(pose: Pose, people: Sequence[Person]) -> Person:
    """Return who of some people, in one frame with the pose, stands most like it (see `pose_distance`)."""
    return min(people, key=lambda person: pose_distance(pose, person.pose))


def read_clip(
    video: str | Path, keypoints: str | Path, size: tuple[int, int], hold_out: HoldOut | None = None
) -> VideoClip:
    """Read a video and its keypoints.

    Args:
        video: any file that FFmpeg reads; a rotation noted in the file is applied, as players do.
        keypoints: the keypoint CSV, in pixels of the frames as they are shown.
        size: (H, W) of the pictures. The box all frames are cut by has these proportions; where it leaves
            the frame, edge pixels are repeated.
        hold_out: which frames are for scoring; the last fifth by default.

    Raises:
        ValueError: one sentence: no video, rows that do not belong to the frames, no joint to be seen, or too
            few frames.
        FileNotFoundError: no such file.
        ImportError: PyAV or SciPy is not installed.
    """
    hold_out, rows = hold_out or HoldOut(), read_rows(keypoints)
    shown = {number: joints for number, joints in rows.items() if joints[1].any()}
    if not shown:
        raise ValueError(f"{keypoints} has no visible joint in any frame.")
    if len(shown) < MIN_FRAMES:
        raise ValueError(
            f"{keypoints} shows joints in {len(shown)} frames; learning needs at least {MIN_FRAMES}."
        )
    box, people, count = None, [], 0
    for number, frame in enumerate(read_frames(video)):
        count = number + 1
        if number not in rows:
            raise ValueError(f"{keypoints} has {len(rows)} rows, none of them for frame {number} of {video}.")
        if box is None:
            box = clip_box(list(shown.values()), frame.shape[:2], size)
        if number in shown:
            people.append(_cut(frame, shown[number], box, size, f"{number:06d}"))
    if count < len(rows):
        raise ValueError(f"{keypoints} has {len(rows)} rows, but {video} has only {count} frames.")
    held = hold_out.among(count)[[int(person.name) for person in people]]
    if held.all() or not held.any() or (~held).sum() < 2:
        raise ValueError(
            f"Of {len(people)} frames of {video} that show a joint, {int(held.sum())} would be held out: "
            "both sides need some."
        )
    masked = _with_masks(people, held)
    return VideoClip(tuple(masked), held, still=masked[0].person_mask is not None)


def read_frames(path: str | Path) -> Iterator[np.ndarray]:
    """Decode a video frame by frame, uint8 (H, W, 3) RGB, turned as it is to be shown.

    Raises:
        ValueError: it is no video, or is damaged.
        FileNotFoundError: no such file.
        ImportError: PyAV is not installed.
    """
    with _opened(path) as container:
        for frame in container.decode(video=0):
            yield np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90))


def read_frame(path: str | Path, number: int) -> np.ndarray:
    """Decode one frame of a video, counted from 0, as `read_frames` would; quick where key frames are near.

    Raises:
        ValueError: it is no video, is damaged, or has fewer frames.
        FileNotFoundError: no such file.
        ImportError: PyAV is not installed.
    """
    with _opened(path) as container:
        stream = container.streams.video[0]
        ticks = 1 / (stream.average_rate * stream.time_base)  # of the stream's clock, a frame
        start = stream.start_time or 0
        container.seek(start + round(number * ticks), stream=stream)  # to the key frame before it
        for frame in container.decode(stream):
            if round((frame.pts - start) / ticks) >= number:
                return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90))
    raise ValueError(f"{path} has no frame {number}.")


def frame_rate(path: str | Path) -> float | None:
    """Return a video's frames a second as its file says them, or None where it does not.

    Raises:
        ValueError: it is no video.
        FileNotFoundError: no such file.
        ImportError: PyAV is not installed.
    """
    with _opened(path) as container:
        rate = container.streams.video[0].average_rate
    return None if rate is None else float(rate)


@contextmanager
def _opened(path: str | Path) -> Iterator["InputContainer"]:
    """Open a file that has a video in it; whatever FFmpeg says in the meantime becomes one sentence."""
    try:
        import av
    except ImportError:
        raise ImportError(f"Reading a video needs PyAV: {install('video')}.") from None
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no video {path}.")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f"{path} has no pictures in it.")
            yield container
    except av.FFmpegError as error:
        raise ValueError(f"{path} cannot be read as a video ({error.strerror}).") from None


def clip_box(poses: Sequence[Joints], frame: tuple[int, int], size: tuple[int, int]) -> Box:
    """Find one box around all skeletons: `MARGIN` added, and widened to the proportions of `size`.

    Args:
        poses: keypoints (18, 2), (x, y) in pixels, and visible (18,), of all frames.
        frame: (H, W) of the video.
        size: (H, W) of the pictures to be made.

    Returns:
        (x1, y1, x2, y2) in pixel edges. It is moved into the frame as far as possible; where it is larger, it
        reaches beyond the frame.
    """
    points = np.concatenate([keypoints[visible] for keypoints, visible in poses]) + 0.5
    limit = np.array([frame[1], frame[0]], float)
    low, high = points.min(axis=0).clip(0, limit), points.max(axis=0).clip(0, limit)
    sides, proportions = high - low, np.array([size[1], size[0]], float)
    if not (sides >= 1).all():
        raise ValueError("All joints lie in one line or outside the frames, so there is nobody to cut out.")
    wanted = np.ceil((sides + 2 * MARGIN * sides.max()) / proportions).max() * proportions
    start = (low + high - wanted) / 2
    inside = np.minimum(start.clip(0), limit - wanted)
    start = np.where(wanted <= limit, inside, (limit - wanted) / 2).round()
    return tuple(int(edge) for edge in (*start, *(start + wanted)))


def read_rows(path: str | Path) -> dict[int, Joints]:
    """Read the keypoint CSV of a video: frame number -> keypoints (18, 2) in pixels and visible (18,).

    Raises:
        ValueError: as `read_keypoint_csv`; or a row's name is no frame number, or one that was there before.
    """
    rows = {}
    for name, joints in read_keypoint_csv(path).items():
        stem = Path(name).stem
        if not stem.isdecimal():
            raise ValueError(f'{path} must name rows by frame numbers such as "000000.png", not "{name}".')
        if int(stem) in rows:
            raise ValueError(f"{path} has two rows for frame {int(stem)}.")
        rows[int(stem)] = joints
    return rows


def _cut(frame: np.ndarray, joints: Joints, box: Box, size: tuple[int, int], name: str) -> Person:
    """Cut a box out of a frame, repeating edge pixels outside it, and shrink it to `size` (H, W)."""
    (x1, y1, x2, y2), (height, width) = box, frame.shape[:2]
    beyond = ((max(0, -y1), max(0, y2 - height)), (max(0, -x1), max(0, x2 - width)), (0, 0))
    cut = np.pad(frame[max(0, y1) : y2, max(0, x1) : x2], beyond, mode="edge")
    pose = Pose(joints[0] - np.array([x1, y1], np.float32), joints[1], cut.shape[:2])
    picture = Image.fromarray(cut).resize((size[1], size[0]), Image.Resampling.BILINEAR)  # averages
    return Person(np.asarray(picture), pose.resized(size), name=name)


def _with_masks(people: list[Person], held_out: np.ndarray) -> list[Person]:
    """Add person masks, unless the camera moves; the background is that of the training frames alone."""
    try:
        poses = bridged([person.pose for person in people])
        training = np.flatnonzero(~held_out)
        shown = training[:: -(-len(training) // SCENE_FRAMES)]
        scene = find_scene([people[i].image for i in shown], [distance_from_body(poses[i]) for i in shown])
        if not scene.still:
            return people
        masks = [
            find_person(person.image, distance_from_body(pose), scene)
            for person, pose in zip(people, poses, strict=True)
        ]
    except ImportError:
        raise ImportError(f"Finding people in a video needs SciPy: {install('video')}.") from None
    return [replace(person, person_mask=mask) for person, mask in zip(people, masks, strict=True)]


def _pair(source: Person, target: Person) -> Pair:
    return Pair(source, target, name=f"{source.name}_to_{target.name}")
