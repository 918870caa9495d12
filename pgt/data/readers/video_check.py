"""What a look through one's own video and its keypoint CSV finds, before a training reads them as a clip."""

from pathlib import Path

import numpy as np

from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.data.readers.check import Report, outside, spread
from pgt.data.readers.keypoint_csv import Joints
from pgt.data.readers.people import Size, some, stack
from pgt.data.readers.video import frame_rate, read_clip, read_frames, read_rows

CLIP_SIZE = (128, 128)  # at which the camera is judged


def check_video(video: str | Path, keypoints: str | Path, *, show: int = 0) -> Report:
    """Look through all frames of a video and all rows of its CSV.

    Args:
        video: any file that FFmpeg reads.
        keypoints: the keypoint CSV, rows named by frame numbers.
        show: how many frames to return, evenly spread over the rows.

    Raises:
        ValueError: one sentence: no video, a damaged one, or a CSV that cannot be read.
        FileNotFoundError: no such file.
        ImportError: PyAV or SciPy is not installed.
    """
    rows = read_rows(keypoints)
    wanted = set(spread(sorted(rows), show))
    size, count, shown = (0, 0), 0, []
    for number, frame in enumerate(read_frames(video)):
        size, count = frame.shape[:2], number + 1
        if number in wanted:
            shown.append(Person(frame, Pose(*rows[number], size), name=f"{number:06d}"))
    if not count:
        raise ValueError(f"{video} has no frame that can be decoded.")
    seen = [number for number, (_, visible) in rows.items() if visible.any()]
    notes, misplaced = _joint_findings(rows, size)
    facts = [f"frames {size[0]} high and {size[1]} wide, {_rate_text(frame_rate(video))}"]
    faults = [*_row_faults(set(rows), count), *misplaced]
    if not faults:  # else a clip would only repeat the first of them
        try:
            still = read_clip(video, keypoints, CLIP_SIZE).still
        except ValueError as error:
            faults.append(str(error))
        else:
            facts.append("the camera stands still" if still else "the camera moves, so masks are guessed")
    return Report(
        "video",
        {"frames": count, "rows": len(rows), "rows with joints": len(seen)},
        1 - stack(list(rows.values()))[1].mean(axis=0) if rows else None,
        tuple(notes),
        tuple(faults),
        tuple(shown),
        tuple(facts),
    )


def _row_faults(rows: set[int], count: int) -> list[str]:
    bare, left_over = sorted(set(range(count)) - rows), sorted(number for number in rows if number >= count)
    faults = [f"{len(bare)} frames have no row: {_numbers(bare)}."] if bare else []
    if left_over:
        faults.append(
            f"{len(left_over)} rows have no frame, for the video has only {count}: {_numbers(left_over)}."
        )
    return faults


def _joint_findings(rows: dict[int, Joints], size: Size) -> tuple[list[str], list[str]]:
    """Return notes and faults on joints that are nowhere to be seen."""
    keypoints, visible = stack(list(rows.values()))
    out, numbers = outside(keypoints, visible, size), np.array(list(rows), int)
    nobody, leaving = numbers[~visible.any(axis=1)], numbers[out.any(axis=1)]
    notes = []
    if len(nobody):
        notes.append(f"{len(nobody)} rows have no joint, and their frames are left out: {_numbers(nobody)}.")
    if out.sum() > visible.sum() / 2:
        share = 100 * out.sum() / visible.sum()
        return notes, [
            f"{share:.0f} % of the joints lie outside the frames, as if those were of another size."
        ]
    if len(leaving):
        notes.append(f"In {len(leaving)} frames a joint lies outside the picture: {_numbers(leaving)}.")
    return notes, []


def _numbers(numbers: list[int] | np.ndarray) -> str:
    return some([str(number) for number in numbers])


def _rate_text(rate: float | None) -> str:
    return "no frame rate" if rate is None else f"{rate:.4g} a second"
