"""Smoothing: what is even stays, noise shrinks, short gaps close, and nothing is made up beyond that."""

import sys

import numpy as np
import pytest

from pgt.applications import PoseSequence, smooth
from pgt.data.pose import Pose

FRAMES = 40
TIME = np.arange(FRAMES)[:, None, None]
RNG = np.random.default_rng(0)
START, SPEED = RNG.uniform(0, 100, (18, 2)), RNG.uniform(-2, 2, (18, 2))


def sequence(points: np.ndarray, missing: dict[int, slice] | None = None, fps: float = 25) -> PoseSequence:
    """Make a sequence of (T, 18, 2); `missing` maps a joint to its lost frames."""
    seen = np.ones(points.shape[:2], bool)
    for joint, frames in (missing or {}).items():
        seen[frames, joint] = False
    return PoseSequence(tuple(Pose(p, s, (128, 128)) for p, s in zip(points, seen, strict=True)), fps)


@pytest.mark.parametrize(
    "points",
    [START + 0 * TIME, START + SPEED * TIME, START + SPEED * TIME**2 / 10],
    ids=["constant", "linear", "parabola"],
)
def test_what_is_even_does_not_change(points):
    assert smooth(sequence(points)).keypoints == pytest.approx(points, abs=1e-3)


@pytest.mark.parametrize("points", [START + 0 * TIME, START + SPEED * TIME], ids=["constant", "linear"])
def test_a_short_gap_of_an_even_motion_is_bridged_exactly(points):
    smoothed = smooth(sequence(points, {4: slice(12, 22)}))
    assert smoothed.visible.all()
    assert smoothed.keypoints == pytest.approx(points, abs=1e-3)


def test_noise_shrinks_as_the_filter_promises():
    """Seven points and a parabola leave 1/3 of the variance (the middle weight of the filter, 7/21)."""
    noise = np.random.default_rng(1).normal(0, 2, (400, 18, 2))
    points = 64 + 20 * np.sin(np.arange(400) / 20)[:, None, None] + np.zeros((1, 18, 2))
    left = smooth(sequence(points + noise)).keypoints - points
    assert left[5:-5].std() == pytest.approx(2 / np.sqrt(3), rel=0.05)


def test_jitter_shrinks_more_than_the_motion():
    steps = lambda points: np.abs(np.diff(points, axis=0)).mean()  # noqa: E731
    noise = np.random.default_rng(2).normal(0, 1, (FRAMES, 18, 2))
    even = START + SPEED * TIME
    smoothed = smooth(sequence(even + noise)).keypoints
    assert steps(smoothed - even) < 0.5 * steps(noise)
    assert smoothed[-1] - smoothed[0] == pytest.approx(even[-1] - even[0], abs=6)


@pytest.mark.parametrize(
    ("frames", "stays"),
    [
        (slice(12, 22), False),  # ten frames: 0.4 s
        (slice(12, 23), True),
        (slice(0, 3), True),  # before the first sight
        (slice(38, None), True),  # after the last
        (slice(None), True),  # never seen
    ],
)
def test_long_and_open_gaps_stay_missing(frames, stays):
    smoothed = smooth(sequence(START + SPEED * TIME, {4: frames}))
    expected = np.ones((FRAMES, 18), bool)
    expected[frames, 4] = not stays
    assert np.array_equal(smoothed.visible, expected)


def test_what_lies_in_a_gap_has_no_influence():
    points = START + SPEED * TIME + RNG.normal(0, 1, (FRAMES, 18, 2))
    other = points.copy()
    other[12:30, 4] = -999
    hidden = {4: slice(12, 30)}
    first, second = (smooth(sequence(p, hidden)) for p in (points, other))
    seen = first.visible
    assert np.array_equal(first.keypoints[seen], second.keypoints[seen])


def test_the_window_is_measured_in_seconds():
    """At four times the rate, 0.3 s are 29 frames; at five frames a second one, which filters nothing."""
    noise = START + np.random.default_rng(3).normal(0, 1, (400, 18, 2))
    left = [(smooth(sequence(noise, fps=fps)).keypoints - START)[20:-20].std() for fps in (5, 25, 100)]
    assert left[0] == pytest.approx((noise - START)[20:-20].std(), rel=1e-5)
    assert left[0] > left[1] > left[2]


def test_one_or_two_frames_are_left_alone():
    points = START + 5 * RNG.normal(0, 1, (2, 18, 2))
    assert smooth(sequence(points)).keypoints == pytest.approx(points, abs=1e-4)
    assert smooth(sequence(points[:1])).keypoints == pytest.approx(points[:1], abs=1e-4)


def test_negative_seconds_are_refused():
    with pytest.raises(ValueError, match="negative"):
        smooth(sequence(START + 0 * TIME), window=-1)


def test_without_scipy_there_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(ImportError, match="pip install scipy"):
        smooth(sequence(START + 0 * TIME))


@pytest.mark.parametrize(("fps", "frames"), [(5, 1), (15, 3), (24, 7), (25, 7), (30, 9), (60, 17)])
def test_the_window_lasts_as_long_at_every_rate(fps, frames):
    """An impulse is spread over the window; below 5 frames a parabola would pass through all of them."""
    points = np.zeros((61, 18, 2))
    points[30] = 1000
    touched = np.flatnonzero(np.abs(smooth(sequence(points, fps=fps)).keypoints[:, 0, 0]) > 1)
    assert len(touched) <= (frames if frames >= 5 else 1)
    assert np.ptp(touched) / fps <= 0.3
    if frames >= 5:
        assert np.ptp(touched) + 1 >= frames - 2  # the outermost weight may be nearly 0


@pytest.fixture
def real_joints(real_data):
    """Return what gives the jittery joints of a real video at its rate, and its (T, 18) flags."""

    def read(name: str) -> PoseSequence:
        folder = real_data / "video"
        return PoseSequence.of_video(folder / f"{name}.mp4", folder / f"{name}_keypoints.csv")

    pytest.importorskip("av")
    return read


def test_a_film_of_five_frames_a_second_is_left_as_it_is_but_for_short_gaps(real_joints):
    jittery = real_joints("pose_squats")
    smoothed = smooth(jittery)
    seen = jittery.visible
    assert jittery.fps == 5
    assert smoothed.keypoints[seen] == pytest.approx(jittery.keypoints[seen], abs=1e-3)
    assert smoothed.visible.sum() >= seen.sum()


def test_a_real_estimate_gets_steadier_and_stays_in_place(real_joints):
    jittery = real_joints("pose_1")
    assert jittery.fps == 30
    points, seen, smoothed = jittery.keypoints, jittery.visible, smooth(jittery)
    both = seen & smoothed.visible
    shift = np.linalg.norm(smoothed.keypoints - points, axis=-1)[both]
    bend = [np.abs(np.diff(one.keypoints, n=2, axis=0))[both[:-2] & both[1:-1] & both[2:]].mean()
            for one in (jittery, smoothed)]  # fmt: skip
    assert bend[1] < 0.6 * bend[0]
    assert np.median(shift) < 5  # pixels, of a body of about 400
    assert smoothed.visible.sum() >= seen.sum()
