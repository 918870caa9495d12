"""Pose-guided video: one frame per pose, by every approach, one by one; and files that players can read."""

import sys
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from pgt.applications import PoseSequence, animate, fit_sequence, score_video, side_by_side, write_video
from pgt.applications.animation import check_video_file
from pgt.data.person import Person
from pgt.models.mrnet import MRNetGenerator
from pgt.models.part_warp import PartWarp
from pgt.models.progressive import ProgressiveGenerator
from pgt.predictor import Predictor
from pgt.synthetic.films import film
from tests.applications.conftest import FRAME
from tests.models.tiny_mrnet import TINY_MRNET
from tests.training.tiny_progressive import TINY as TINY_PROGRESSIVE

COLORS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 40))


@pytest.fixture(scope="module")
def truth(synthetic):
    return film(synthetic, 2, "walk", 6)


@pytest.fixture(scope="module")
def walk(truth) -> PoseSequence:
    return PoseSequence.of_people(truth)


@pytest.fixture
def predictors(generator, tiny_generator) -> dict[str, Predictor]:
    """Return untrained networks of every approach, and the baseline."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mrnet = MRNetGenerator.from_config(TINY_MRNET)
        progressive = ProgressiveGenerator.from_config(TINY_PROGRESSIVE)
    models = {"spt": generator, "pg2": tiny_generator, "mrnet": mrnet, "progressive": progressive}
    return {name: Predictor(model) for name, model in {**models, "part-warp": PartWarp()}.items()}


@pytest.mark.parametrize("name", ["pg2", "spt", "mrnet", "progressive", "part-warp"])
def test_each_frame_is_what_the_predictor_draws_for_its_pose(predictors, people, walk, name):
    predictor, person = predictors[name], people[0]
    frames = list(animate(predictor, person, walk, batch_size=2))
    alone = [predictor.generate(person, pose).image for pose in walk.poses]
    assert len(frames) == len(walk)
    for frame, expected in zip(frames, alone, strict=True):
        assert frame.dtype == np.uint8
        assert frame.shape == expected.shape
        # sums in another order may round to the next level
        assert np.abs(frame.astype(int) - expected).max() <= 1
    assert not np.array_equal(frames[0], frames[3])


def test_the_batch_size_changes_no_frame(predictors, people, walk):
    videos = [np.stack(list(animate(predictors["pg2"], people[0], walk, size))) for size in (1, 4, 99)]
    assert np.abs(np.diff(np.stack(videos).astype(int), axis=0)).max() <= 1


def test_frames_are_drawn_only_when_asked_for(predictors, people, walk):
    predictor, drawn = predictors["pg2"], []
    generate = predictor.generate_batch

    def counted(pairs, *more, **named):
        drawn.append(len(pairs))
        return generate(pairs, *more, **named)

    predictor.generate_batch = counted
    frames = animate(predictor, people[0], walk, batch_size=3)
    assert drawn == []
    for asked, expected in enumerate(([1], [1, 3], [1, 3], [1, 3], [1, 3, 2], [1, 3, 2]), start=1):
        next(frames)
        assert drawn == expected, f"after {asked} frames"
    assert list(frames) == []


def test_labels_are_looked_for_once(generator, people, walk, monkeypatch):
    predictor, asked = Predictor(generator), []

    class Parser:
        def to(self, device):
            return self

        def find_labels(self, images):
            asked.append(len(images))
            return torch.ones(len(images), *images.shape[-2:], dtype=torch.long)

    monkeypatch.setattr("pgt.predictor.load", lambda *_, **__: Parser())
    person = Person(people[0].image, people[0].pose)
    assert len(list(animate(predictor, person, walk))) == len(walk)
    assert asked == [1]


def test_a_frame_without_joints_keeps_the_pose_before_it(predictors, people, walk):
    seen = walk.visible.copy()
    seen[[0, 3]] = False
    frames = list(animate(predictors["part-warp"], people[0], walk.with_joints(walk.keypoints, seen)))
    assert np.array_equal(frames[0], frames[1])
    assert np.array_equal(frames[3], frames[2])
    assert not np.array_equal(frames[2], frames[1])


def test_what_cannot_be_drawn_is_refused_before_the_first_frame(predictors, people, walk):
    predictor, person = predictors["part-warp"], people[0]
    nothing = walk.with_joints(walk.keypoints, np.zeros_like(walk.visible))
    with pytest.raises(ValueError, match="no visible joint in any frame"):
        animate(predictor, person, nothing)
    with pytest.raises(ValueError, match="at least 1"):
        animate(predictor, person, walk, batch_size=0)
    unknown = Person(person.image, nothing.poses[0])
    with pytest.raises(ValueError, match="keypoints first"):
        animate(predictor, unknown, walk)


def test_picture_and_pose_stand_beside_the_frame(predictors, people, walk):
    frames = list(animate(predictors["spt"], people[0], walk))
    wide = list(side_by_side(people[0], walk, iter(frames)))
    assert len(wide) == len(walk)
    for one, frame in zip(wide, frames, strict=True):
        assert one.shape == (FRAME[0], 3 * FRAME[1], 3)
        assert np.array_equal(one[:, 2 * FRAME[1] :], frame)
        assert np.array_equal(one[:, : FRAME[1]], wide[0][:, : FRAME[1]])
    assert not np.array_equal(wide[0][:, FRAME[1] : 2 * FRAME[1]], wide[3][:, FRAME[1] : 2 * FRAME[1]])


def test_a_still_person_makes_a_still_video(predictors, people):
    rest = PoseSequence((people[0].pose,) * 4)
    fitted = fit_sequence(rest, people[0])
    frames = list(animate(predictors["part-warp"], people[0], fitted))
    assert np.abs(np.diff(np.stack(frames).astype(int), axis=0)).max() <= 1
    assert score_video(frames, fitted)["warp_error"].mean < 1 / 255


# --- scores ---


def test_the_truth_is_steady_and_a_copy_is_not(truth, walk):
    true = [person.image for person in truth]
    scores, copied = (score_video(video, walk, truth) for video in (true, true[:1] * len(true)))
    assert scores["change_error"].mean == 0
    assert copied["change_error"].mean > 0.01
    assert 0 < scores["warp_error"].mean < copied["warp_error"].mean
    assert len(scores["warp_error"].values) == len(walk) - 1
    assert list(score_video(true, walk)) == ["warp_error"]


def test_frames_of_another_size_are_scored_in_their_own(truth, walk):
    small = [person.resized((48, 32)).image for person in truth]
    scores = score_video(small, walk, truth)
    assert scores["change_error"].mean == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="6 frames need as many true people; got 5"):
        score_video(small, walk, truth[1:])
    with pytest.raises(ValueError, match="5 frames need as many poses; got 6"):
        score_video(small[1:], walk)


# --- files ---


def stripes(size: tuple[int, int], count: int) -> list[np.ndarray]:
    """Return frames with a stripe of each colour, moved on by one in each frame."""
    columns = np.arange(size[1]) * len(COLORS) // size[1]
    return [
        np.broadcast_to(np.roll(np.array(COLORS, np.uint8), i, 0)[columns], (*size, 3)).copy()
        for i in range(count)
    ]


def read_mp4(path) -> tuple[np.ndarray, object]:
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        facts = stream.codec_context.name, stream.codec_context.pix_fmt, float(stream.average_rate)
    return np.stack(frames), facts


@pytest.mark.parametrize("size", [(64, 96), (63, 95)])
def test_an_mp4_comes_back_in_even_size_with_its_colours(tmp_path, size):
    pytest.importorskip("av")
    frames = stripes(size, 5)
    assert write_video(tmp_path / "new" / "clip.mp4", iter(frames), 12.5) == 5
    read, facts = read_mp4(tmp_path / "new" / "clip.mp4")
    assert facts == ("h264", "yuv420p", 12.5)
    assert read.shape == (5, 64, 96, 3)
    middles = (np.arange(len(COLORS)) * 2 + 1) * size[1] // (2 * len(COLORS))
    for got, frame in zip(read, frames, strict=True):
        assert np.abs(got[32, middles].astype(int) - frame[32, middles]).max() <= 6
    # the index stands before the pictures, so that a browser can start at once
    content = (tmp_path / "new" / "clip.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize(("fps", "total"), [(25, 200), (30, 170), (12, 420), (50, 100)])
def test_a_gif_loops_in_its_colours_and_lasts_as_long(tmp_path, fps, total):
    frames = stripes((16, 24), 5)
    assert write_video(tmp_path / "clip.gif", frames, fps) == 5
    lasted = []
    with Image.open(tmp_path / "clip.gif") as gif:
        assert (gif.n_frames, gif.info["loop"]) == (5, 0)
        for i, frame in enumerate(frames):
            gif.seek(i)
            lasted.append(gif.info["duration"])
            assert np.array_equal(np.asarray(gif.convert("RGB")), frame)
    assert sum(lasted) == total  # five frames, to the nearest hundredth of a second


def test_what_rests_in_a_gif_does_not_flicker(tmp_path, truth):
    frames = [person.image for person in truth]
    write_video(tmp_path / "clip.gif", frames, 10)
    rest = (np.stack(frames) == frames[0]).all(axis=(0, 3))
    read = []
    with Image.open(tmp_path / "clip.gif") as gif:
        for i in range(gif.n_frames):
            gif.seek(i)
            read.append(np.asarray(gif.convert("RGB")))
    assert rest.mean() > 0.3
    assert (np.stack(read)[:, rest] == read[0][rest]).all()


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ([], "at least one frame"),
        ([np.zeros((8, 8, 3), np.uint8), np.zeros((8, 10, 3), np.uint8)], "one size"),
        ([np.zeros((8, 8, 3))], "uint8"),
    ],
)
def test_bad_frames_leave_the_old_file_and_nothing_else(tmp_path, suffix, frames, sentence):
    pytest.importorskip("av")
    path = tmp_path / f"clip{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match=sentence):
        write_video(path, iter(frames), 25)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_endings_and_rates_are_refused_before_a_frame_is_drawn(tmp_path, predictors, people, walk):
    frames = animate(predictors["part-warp"], people[0], walk)
    for name, fps, sentence in (
        ("a.avi", 25, "as .mp4 or .gif"),
        ("a.gif", 60, "0.1 to 50"),
        ("a.mp4", 0, "rate"),
    ):
        with pytest.raises(ValueError, match=sentence):
            write_video(tmp_path / name, frames, fps)
    assert len(list(islice(frames, 99))) == len(walk)
    assert not list(tmp_path.iterdir())


def test_without_pyav_mp4_gets_one_sentence_and_gif_works(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match="pip install av"):
        check_video_file("clip.mp4")
    assert write_video(tmp_path / "clip.gif", stripes((8, 12), 2), 10) == 2
