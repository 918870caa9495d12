"""Smooth joints that jitter, and bridge those that are lost for a moment."""

import numpy as np

from pgt.applications.pose_sequences import PoseSequence
from pgt.data.pose import NUM_JOINTS

ORDER = 2  # of the polynomials: a parabola follows a joint that speeds up or turns round


def smooth(sequence: PoseSequence, *, window: float = 0.3, longest_gap: float = 0.4) -> PoseSequence:
    """Smooth each joint in time, by itself.

    First, gaps of at most `longest_gap` between two frames that have the joint are bridged by monotone cubic
    interpolation (PCHIP), which never overshoots. Then x and y of every run of frames without a gap are
    filtered after Savitzky and Golay (1964): each value becomes that of the parabola fitted to the window
    around it (at a run's ends, to its first or last window). So a joint that rests, moves evenly or speeds up
    evenly is not changed, and there is no delay. Longer gaps, and what lies before the first or after the
    last sight of a joint, stay missing; a run that is shorter than the window is filtered by what it has.

    Args:
        sequence: in any frame.
        window: seconds; the largest odd number of frames that lasts no longer, 7 at 25 frames a second.
            Below 5 frames nothing is filtered.
        longest_gap: seconds; 0 bridges nothing. Bridging does not know why a joint was lost: a face that is
            turned away for a moment is bridged too.

    Returns:
        The same frames, with other joints.

    Raises:
        ValueError: a negative window or gap.
        ImportError: SciPy is not installed.
    """
    try:
        import scipy  # noqa: F401
    except ImportError:
        raise ImportError("Smoothing joints needs SciPy: pip install scipy.") from None
    if window < 0 or longest_gap < 0:
        raise ValueError(f"Seconds must not be negative; got a window of {window}, a gap of {longest_gap}.")
    points, seen = sequence.keypoints.astype(np.float64), sequence.visible
    length = _odd(window * sequence.fps)
    for joint in range(NUM_JOINTS):
        track = points[:, joint], seen[:, joint]
        points[:, joint], seen[:, joint] = _bridged(*track, int(longest_gap * sequence.fps + 1e-6))
        for start, end in _runs(seen[:, joint]):
            points[start:end, joint] = _filtered(points[start:end, joint], length)
    return sequence.with_joints(points, seen)


def _odd(frames: float) -> int:
    """Return the largest odd whole number that is not above `frames`, at least 1."""
    return max(1, 2 * int((frames - 1 + 1e-6) // 2) + 1)


def _bridged(points: np.ndarray, seen: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Fill the short gaps of one joint: (T, 2) and (T,) bool."""
    from scipy.interpolate import PchipInterpolator

    filled = seen.copy()
    for start, end in _runs(~seen):
        inside = start > 0 and end < len(seen)
        filled[start:end] = inside and end - start <= longest
    new = filled & ~seen
    if new.any():
        points = points.copy()
        points[new] = PchipInterpolator(np.flatnonzero(seen), points[seen])(np.flatnonzero(new))
    return points, filled


def _filtered(points: np.ndarray, length: int) -> np.ndarray:
    """Filter a run (T, 2) of one joint."""
    from scipy.signal import savgol_filter

    length = min(length, _odd(len(points)))
    return points if length <= ORDER + 1 else savgol_filter(points, length, ORDER, axis=0, mode="interp")


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """List (start, end) of the runs of True, end excluded."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
