"""Films of one picture, without any page: where the poses come from, the frames, the files.

As `studio.py`: every method validates, calls the library and returns plain values, and anything that a
visitor can get wrong is a `ValueError` of one sentence.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from studio import Studio, Subject

from pgt.applications import PoseSequence, animate, fit_sequence, smooth, write_video
from pgt.applications.animation import GIF_RATE, SLOWEST_RATE, check_video_file
from pgt.predictor import Predictor

MAX_FRAMES = 96  # of a film: one visitor's must not keep all others waiting
MIN_FRAMES = 8
MAX_FILE = 4_000_000  # bytes of a pose sequence
# shown -> name of a synthetic motion
MOTIONS = {
    "Walk": "walk", "Run": "run", "Wave": "wave",
    "Squat": "squat", "Dance": "dance", "Turn around": "turn_around",
}  # fmt: skip
MOTION_SIZE = (64, 64)  # of the frames that a motion's joints are taken from; they are fitted to the person
BASELINE = "Part warp"


@dataclass(frozen=True, eq=False)
class Plan:
    """A film before it is drawn."""

    subject: Subject
    sequence: PoseSequence  # fitted to the subject
    approach: str  # or BASELINE
    remark: str  # what was done to the poses, in words


@dataclass(frozen=True, eq=False)
class Film:
    """A film that is drawn."""

    mp4: bytes | None  # None without PyAV
    gif: bytes
    num_frames: int
    fps: float


class Animator:
    """Draws films over one studio."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.predictors: dict[str, Predictor] = {**studio.approaches, BASELINE: studio.baseline}
        self._frames = studio.lend(_frames)

    def plan(
        self,
        subject: Subject,
        motion: object,
        file: str | Path | None,
        approach: object,
        num_frames: object,
        smoothed: bool,
    ) -> Plan:
        """Find the poses of a film and fit them to the person.

        Args:
            subject: who moves.
            motion: one of `MOTIONS`; not read if there is a file.
            file: a pose sequence, JSON or CSV.
            approach: of the studio, or `BASELINE`.
            num_frames: of a motion's loop; of a file's frames, the first so many.
            smoothed: filter the joints in time.

        Raises:
            ValueError: one sentence.
        """
        if not isinstance(approach, str) or approach not in self.predictors:
            raise ValueError(f"The approach must be one of {', '.join(self.predictors)}.")
        self.studio.check_map(subject, str(approach))
        count = checked_count(num_frames)
        sequence = read_sequence(file) if file is not None else self._motion(subject, motion, count)
        remarks = [f"the first {count} of {len(sequence)} frames"] * (len(sequence) > count)
        sequence = sequence.first(count)
        if smoothed:
            sequence = smooth(sequence)
            remarks.append("joints smoothed")
        fitted = fit_sequence(sequence, subject.person)
        return Plan(subject, fitted, str(approach), ", ".join(remarks))

    def _motion(self, subject: Subject, motion: object, count: int) -> PoseSequence:
        if not isinstance(motion, str) or motion not in MOTIONS:
            raise ValueError(f"The motion must be one of {', '.join(MOTIONS)}.")
        seed = (
            subject.specs[0].identity_seed if subject.is_synthetic else 0
        )  # a synthetic body moves as itself
        return _made(MOTIONS[motion], count, seed)

    def frames(self, plan: Plan) -> Iterator[tuple[np.ndarray, float]]:
        """Draw a film frame by frame: uint8 (H, W, 3), and the milliseconds that it took."""
        yield from self._frames(self.predictors[plan.approach], plan)


def _frames(predictor: Predictor, plan: Plan) -> Iterator[tuple[np.ndarray, float]]:
    start = time.perf_counter()
    # One by one: each is shown as soon as it is drawn, and a stop is obeyed at once.
    for frame in animate(predictor, plan.subject.person, plan.sequence, batch_size=1):
        yield frame, 1000 * (time.perf_counter() - start)
        start = time.perf_counter()


@lru_cache(maxsize=64)
def _made(motion: str, count: int, seed: int) -> PoseSequence:
    return PoseSequence.from_motion(motion, count, seed=seed, image_size=MOTION_SIZE)


def checked_count(num_frames: object) -> int:
    """Return a number of frames, or raise a ValueError of one sentence."""
    if num_frames not in range(MIN_FRAMES, MAX_FRAMES + 1):
        raise ValueError(f"A film here has {MIN_FRAMES} to {MAX_FRAMES} frames.")
    return int(num_frames)  # type: ignore[call-overload]


def read_sequence(file: str | Path) -> PoseSequence:
    """Read a visitor's pose sequence.

    Raises:
        ValueError: one sentence, which names the file without its folder.
    """
    path = Path(file)
    if path.suffix.lower() not in (".json", ".csv"):
        raise ValueError(f"A pose sequence is a .json or .csv file, not {path.name}.")
    if path.stat().st_size > MAX_FILE:
        raise ValueError(f"The file {path.name} is larger than {MAX_FILE // 1_000_000} MB.")
    try:
        sequence = PoseSequence.read(path)
    except ValueError as error:
        reason = str(error).replace(str(path), f"the file {path.name}").splitlines()[0]
        raise ValueError(reason if reason.endswith(".") else f"{reason}.") from None
    if not np.isfinite(sequence.keypoints[sequence.visible]).all():
        raise ValueError(f"The file {path.name} has joints that are no finite numbers.")
    if not SLOWEST_RATE <= sequence.fps <= GIF_RATE:
        raise ValueError(
            f"The file {path.name} has {sequence.fps:g} frames a second; "
            f"{SLOWEST_RATE} to {GIF_RATE} can be shown."
        )
    return sequence


def finished(frames: Sequence[np.ndarray], fps: float) -> Film:
    """Write frames as files and read these; nothing stays on the disk.

    Raises:
        ValueError: no frame.
    """
    with tempfile.TemporaryDirectory() as folder:
        gif, mp4 = Path(folder) / "film.gif", Path(folder) / "film.mp4"
        write_video(gif, frames, fps)
        try:
            check_video_file(mp4)
        except ImportError:
            return Film(None, gif.read_bytes(), len(frames), fps)
        write_video(mp4, frames, fps)
        return Film(mp4.read_bytes(), gif.read_bytes(), len(frames), fps)


def seconds(num_frames: int, fps: float) -> str:
    """Say how long a film lasts."""
    return f"{num_frames / fps:.1f} s"
