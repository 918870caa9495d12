"""Pose-guided video: one picture and a sequence of poses become frames, and frames a file.

Every frame is drawn from the one given picture, by any predictor, so no frame knows its neighbours: how
steady the result is depends on the model (`score_video` measures it) and on the poses (`smoothing.smooth`).
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from pgt.applications.pose_sequences import PoseSequence
from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.files import naming
from pgt.metrics import Score
from pgt.plot import draw_skeleton
from pgt.predictor import Predictor, fit_person, fit_pose
from pgt.video_metrics import change_error, warp_error

SUFFIXES = (".mp4", ".gif")
QUALITY = "18"  # of H.264 (crf): 0 is lossless, 51 worst; 18 can hardly be told from the original
BT_601, LIMITED_RANGE = 6, 1  # FFmpeg's numbers for how RGB is turned into YUV here: SMPTE 170M, 16 to 235
GIF_RATE = 50  # frames a second; browsers slow down whatever claims to be faster
SLOWEST_RATE = 0.1  # a GIF cannot show a frame for minutes
COLOR_SAMPLES = 16  # frames that the colours of a GIF are chosen from


def animate(
    predictor: Predictor, person: Person, sequence: PoseSequence, batch_size: int = 4
) -> Iterator[np.ndarray]:
    """Draw the person in each pose of a sequence.

    Args:
        predictor: of any approach, or the baseline.
        person: the one picture, with its joints.
        sequence: poses in the frame of the person's picture (see `fit_sequence`); those of another frame are
            fitted into the model's as the predictor fits a target pose. A frame without any visible joint
            keeps the pose before it, and at the beginning takes the first one there is.
        batch_size: frames that are drawn at once, after the first.

    Returns:
        An iterator over uint8 (H, W, 3) frames, each drawn when it or its batch is asked for.

    Raises:
        ValueError: at once, in one sentence: a batch size below 1, no joint visible in the whole sequence or
            in the picture.
    """
    if batch_size < 1:
        raise ValueError(f"The batch size must be at least 1; got {batch_size}.")
    if not person.visible.any():
        raise ValueError("The person has no visible joint; give the picture's keypoints first.")
    return _drawn(predictor, person, _held(sequence), batch_size)


def _held(sequence: PoseSequence) -> list[Pose]:
    """Put the last known pose in place of those without a visible joint."""
    known = [pose for pose in sequence.poses if pose.visible.any()]
    if not known:
        raise ValueError("The pose sequence has no visible joint in any frame.")
    poses, last = [], known[0]
    for pose in sequence.poses:
        last = pose if pose.visible.any() else last
        poses.append(last)
    return poses


def _drawn(
    predictor: Predictor, person: Person, poses: Sequence[Pose], batch_size: int
) -> Iterator[np.ndarray]:
    first = predictor.generate(person, poses[0])
    yield first.image
    person = first.source  # fitted into the model's frame, and parsed where the model needs labels: once
    for start in range(1, len(poses), batch_size):
        pairs = [(person, pose) for pose in poses[start : start + batch_size]]
        yield from (prediction.image for prediction in predictor.generate_batch(pairs))


def side_by_side(
    person: Person, sequence: PoseSequence, frames: Iterable[np.ndarray]
) -> Iterator[np.ndarray]:
    """Put the picture and the wanted pose to the left of each frame.

    Args:
        person: the picture.
        sequence: one pose per frame.
        frames: uint8 (H, W, 3), as `animate` gives them.

    Returns:
        An iterator over uint8 (H, 3 W, 3) frames.
    """
    for pose, frame in zip(sequence.poses, frames, strict=True):
        size = frame.shape[:2]
        pictures = (fit_person(person, size).image, draw_skeleton(None, fit_pose(pose, size)), frame)
        yield np.concatenate(pictures, axis=1)


def score_video(
    frames: Sequence[np.ndarray], sequence: PoseSequence, truth: Sequence[Person] | None = None
) -> dict[str, Score]:
    """Measure how steady a video is (see `pgt.video_metrics`).

    Args:
        frames: uint8 (H, W, 3), at least two.
        sequence: the pose of each frame, in any frame of the proportions of the pictures.
        truth: the true person of each frame, where there is one, for example of `pgt.synthetic.films.film`.

    Returns:
        "warp_error"; and with a truth "change_error", inside the person's mask if every frame has one.

    Raises:
        ValueError: fewer than two frames, or another number of poses or true people.
    """
    for what, values in (("poses", sequence), ("true people", frames if truth is None else truth)):
        if len(values) != len(frames):
            raise ValueError(f"{len(frames)} frames need as many {what}; got {len(values)}.")
    video = _unit(frames)
    size = tuple(video.shape[-2:])
    poses = [fit_pose(pose, size) for pose in sequence.poses]
    points = torch.from_numpy(np.stack([pose.keypoints for pose in poses]))
    scores = [warp_error(video, points, torch.from_numpy(sequence.visible))]
    if truth is not None:
        people = [fit_person(person, size) for person in truth]
        masks = [person.person_mask for person in people]
        known = all(mask is not None for mask in masks)
        mask = torch.from_numpy(np.stack(masks))[:, None] if known else None
        scores.append(change_error(video, _unit([person.image for person in people]), mask))
    return {score.name: score for score in scores}


def _unit(frames: Sequence[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(frames)).movedim(-1, 1).float() / 255


def check_video_file(path: str | Path) -> None:
    """Refuse a file name that `write_video` cannot write, before the work begins.

    Raises:
        ValueError: it ends neither in .mp4 nor in .gif.
        ImportError: it ends in .mp4, and PyAV is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"A video is written as .mp4 or .gif; got {str(path)!r}.")
    if suffix == ".mp4":
        try:
            import av  # noqa: F401
        except ImportError:
            raise ImportError(
                "Writing .mp4 needs PyAV, pip install av; .gif can be written without."
            ) from None


def write_video(path: str | Path, frames: Iterable[np.ndarray], fps: float) -> int:
    """Write frames as a film that browsers play, aside and then renamed; an old file is replaced.

    Args:
        path: ends in .mp4 (H.264, yuv420p, by PyAV) or .gif (by Pillow, 256 colours for the whole film, in
            an endless loop). H.264 needs even sides: an odd one is made longer by repeating its last pixels.
        frames: uint8 (H, W, 3), all of one size; may be a generator.
        fps: frames a second. A GIF counts hundredths of a second, at most 50 frames a second.

    Returns:
        The number of frames written.

    Raises:
        ValueError: another suffix, no frame, frames of another kind or unequal sizes, or a rate out of range.
        ImportError: no PyAV.
    """
    path = Path(path)
    check_video_file(path)
    is_gif = path.suffix.lower() == ".gif"
    if not SLOWEST_RATE <= fps <= (GIF_RATE if is_gif else 1000):
        limit = f"{GIF_RATE}, or write .mp4" if is_gif else "1000"
        raise ValueError(f"A {path.suffix} needs a frame rate of {SLOWEST_RATE} to {limit}; got {fps:g}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=".") as aside:
        written = Path(aside) / path.name
        try:
            count = (_write_gif if is_gif else _write_mp4)(written, _checked(frames), fps)
        except OSError as error:  # PyAV's are, too; they name the file aside, or none
            raise naming(error, path) from None
        os.replace(written, path)
    return count


def _checked(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Hand on frames that are pictures of one size; refuse a film without any."""
    size = None
    for frame in frames:
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise ValueError(f"A frame must be uint8 (H, W, 3); got {frame.dtype} {frame.shape}.")
        size = size or frame.shape
        if frame.shape != size:
            raise ValueError(f"The frames of a video must be of one size; got {size} and {frame.shape}.")
        yield frame
    if size is None:
        raise ValueError("A video needs at least one frame.")


def _write_mp4(path: Path, frames: Iterator[np.ndarray], fps: float) -> int:
    import av

    first = next(frames)
    height, width = (side + side % 2 for side in first.shape[:2])
    odd = tuple((0, side % 2) for side in first.shape[:2])
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        rate = Fraction(fps).limit_denominator(1001)
        stream = container.add_stream("libx264", rate, options={"crf": QUALITY})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context  # say which colours are meant: players guess differently
        context.colorspace = context.color_primaries = context.color_trc = BT_601
        context.color_range = LIMITED_RANGE
        count = 0
        for frame in chain([first], frames):
            even = np.pad(frame, (*odd, (0, 0)), mode="edge")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, "rgb24")))
            count += 1
        container.mux(stream.encode())
    return count


def _write_gif(path: Path, frames: Iterator[np.ndarray], fps: float) -> int:
    pictures = [Image.fromarray(frame) for frame in frames]
    # One palette for all: with one for each, what rests would flicker. No dithering, for the same reason.
    some = pictures[:: -(-len(pictures) // COLOR_SAMPLES)]
    palette = Image.fromarray(np.concatenate([np.asarray(one) for one in some])).quantize(256)
    reduced = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    ends = [round(100 * number / fps) for number in range(len(pictures) + 1)]  # hundredths of a second
    milliseconds = [10 * (end - start) for start, end in pairwise(ends)]
    reduced[0].save(
        path, save_all=True, append_images=reduced[1:], duration=milliseconds, loop=0, optimize=False
    )
    return len(pictures)
