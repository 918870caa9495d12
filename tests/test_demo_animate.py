"""The tab "Animate" without a browser: where poses come from, frames that stream, stops, films, bad files."""

import base64
import io
import json
import re
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from pgt.applications import PoseSequence
from tests.demo_tiny import SIZE, make_full_studio, one_sentence_of

gr = pytest.importorskip("gradio", reason="the demo needs gradio")

import animator as animator_module  # noqa: E402
from animator import BASELINE, MAX_FRAMES, MIN_FRAMES, MOTIONS, read_sequence  # noqa: E402
from callbacks import Turn  # noqa: E402
from handlers_animate import EXAMPLES, AnimateHandlers, FilmSession  # noqa: E402

COUNT = MIN_FRAMES


@pytest.fixture(scope="module")
def handlers() -> AnimateHandlers:
    return AnimateHandlers(make_full_studio(), "CPU")


@pytest.fixture(scope="module")
def somebody(handlers) -> FilmSession:
    return handlers.render_person(5, "Studio")[0]


@pytest.fixture
def sequence_file(tmp_path):
    path = tmp_path / "dance.json"
    PoseSequence.from_motion("dance", 12, image_size=SIZE, fps=10).write(path)
    return path


def began(handlers, session, *, file=None, approach="PG2", count=COUNT, smoothed=True, turn=None):
    """Begin a film: (session, what is shown)."""
    chosen = "Walk", file is not None, None if file is None else str(file)
    return handlers.begin(session, *chosen, approach, count, smoothed, turn or Turn())


def content(html: str, kind: str) -> bytes:
    """Return the file that a link of the page holds."""
    return base64.b64decode(re.search(rf'href="data:{kind};base64,([^"]+)"', html)[1])


# Poses ------------------------------------------------------------------------------------------------------


def test_motions_are_the_librarys():
    from pgt.synthetic.motions import MOTIONS as KNOWN

    assert set(MOTIONS.values()) == set(KNOWN)
    assert {motion for *_, motion in EXAMPLES} == set(MOTIONS)


def test_motion_stands_where_the_person_stands(handlers, somebody):
    plan = began(handlers, somebody)[0].plan
    own = somebody.subject.person.pose
    hips = plan.sequence.keypoints[:, [8, 11]].mean(axis=1)
    assert abs(np.median(hips[:, 0]) - own.keypoints[[8, 11], 0].mean()) < 1
    assert plan.sequence.image_size == SIZE
    assert len(plan.sequence) == COUNT


def test_synthetic_people_move_as_themselves(handlers, monkeypatch):
    seeds = []
    monkeypatch.setattr(
        PoseSequence, "from_motion", lambda name, count, *, seed, image_size: seeds.append(seed) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        handlers.animator._motion(handlers.studio.synthetic(77), "Run", 11)
    assert seeds == [77]


def test_smoothing_is_a_choice(handlers, somebody, sequence_file):
    rough, smooth = (
        began(handlers, somebody, file=sequence_file, smoothed=on)[0].plan for on in (False, True)
    )
    assert np.abs(rough.sequence.keypoints - smooth.sequence.keypoints).max() < 64
    assert "smoothed" not in rough.remark
    assert "smoothed" in smooth.remark


def test_long_files_are_cut_and_it_is_said(handlers, somebody, sequence_file):
    plan = began(handlers, somebody, file=sequence_file)[0].plan
    assert len(plan.sequence) == COUNT
    assert f"the first {COUNT} of 12 frames" in plan.remark


def test_rate_of_a_file_is_kept(handlers, somebody, sequence_file):
    assert began(handlers, somebody, file=sequence_file)[0].plan.sequence.fps == 10


def test_csv_with_a_row_per_frame_is_read(handlers, somebody, tmp_path):
    sequence = PoseSequence.from_motion("wave", 9, image_size=SIZE)
    rows = ["name:keypoints_y:keypoints_x"]
    for i, pose in enumerate(sequence.poses):
        x, y = (json.dumps(pose.keypoints[:, axis].round().astype(int).tolist()) for axis in (0, 1))
        rows.append(f"{i:06d}.png: {y}: {x}")
    (tmp_path / "wave.csv").write_text("\n".join(rows) + "\n")
    plan = began(handlers, somebody, file=tmp_path / "wave.csv", count=9)[0].plan
    assert len(plan.sequence) == 9


GOOD = [[10.0 + i, 12.0 + i, 1] for i in range(18)]
BAD_FILES = {
    "empty.json": b"",
    "text.json": b"no JSON",
    "list.json": b"[1, 2]",
    "bare.json": b"{}",
    "size.json": json.dumps({"frames": [GOOD]}).encode(),
    "short.json": json.dumps({"image_size": [64, 64], "frames": [GOOD[:16]]}).encode(),
    "none.json": json.dumps({"image_size": [64, 64], "frames": []}).encode(),
    "words.json": json.dumps({"image_size": [64, 64], "frames": [[["a", 1, 1]] * 18]}).encode(),
    "nan.json": json.dumps({"image_size": [64, 64], "frames": [[[float("nan"), 1, 1]] * 18] * 9}).encode(),
    "hidden.json": json.dumps({"image_size": [64, 64], "frames": [[[1, 1, 0]] * 18] * 9}).encode(),
    "rate.json": json.dumps({"image_size": [64, 64], "fps": 1000, "frames": [GOOD] * 9}).encode(),
    "still.json": json.dumps({"image_size": [64, 64], "fps": 0, "frames": [GOOD] * 9}).encode(),
    "deep.json": b"[" * 100_000,
    "binary.json": bytes(range(256)),
    "empty.csv": b"",
    "text.csv": b"no, keypoints\n1, 2\n",
    "binary.csv": bytes(range(256)),
    "film.mp4": b"film",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_broken_sequences_are_refused_in_one_sentence(handlers, somebody, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(BAD_FILES[name])
    with pytest.raises(gr.Error) as caught:
        began(handlers, somebody, file=path)
    sentence = one_sentence_of(caught)
    assert str(tmp_path) not in sentence
    assert len(sentence) < 250


def test_large_files_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(animator_module, "MAX_FILE", 1_000_000)
    (tmp_path / "large.json").write_bytes(b" " * 1_000_001)
    with pytest.raises(ValueError, match=r"larger than 1 MB\.$"):
        read_sequence(tmp_path / "large.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": MAX_FRAMES + 1}, f"{MIN_FRAMES} to {MAX_FRAMES} frames"),
        ({"count": 8.5}, "frames"),
        ({"count": None}, "frames"),
        ({"approach": "All"}, "must be one of"),
        ({"approach": None}, "must be one of"),
    ],
)
def test_other_bad_wishes_are_refused_in_one_sentence(handlers, somebody, change, words):
    with pytest.raises(gr.Error) as caught:
        began(handlers, somebody, **change)
    assert words in one_sentence_of(caught)


def test_unknown_motions_missing_files_and_old_pages_are_refused(handlers, somebody):
    for session, motion, is_file, words in (
        (somebody, "Fly", False, "motion must be one of"),
        (somebody, ["Walk"], False, "motion must be one of"),
        (somebody, "Walk", True, "Choose a pose sequence"),
        (None, "Walk", False, "reload"),
    ):
        with pytest.raises(gr.Error) as caught:
            handlers.begin(session, motion, is_file, None, "PG2", COUNT, True, Turn())
        assert words in one_sentence_of(caught)


# Films ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("approach", ["PG2", "SPT", "MR-Net", "Progressive", BASELINE])
def test_frames_stream_and_become_a_film(handlers, somebody, approach):
    session, shown = began(handlers, somebody, approach=approach)
    assert "turn" in shown  # it waits for its turn
    *frames, film = handlers.run(session)
    assert len(frames) == COUNT
    assert len(set(frames)) == COUNT
    assert f"Frame {COUNT} of {COUNT}" in frames[-1]
    assert approach in film
    assert "ms a frame" in film
    assert "CPU" in film
    gif = Image.open(io.BytesIO(content(film, "image/gif")))
    assert (gif.n_frames, gif.size) == (COUNT, SIZE[::-1])


def test_mp4_is_h264_with_every_frame(handlers, somebody):
    av = pytest.importorskip("av", reason="mp4 needs PyAV")
    *_, film = handlers.run(began(handlers, somebody)[0])
    assert '<video src="data:video/mp4' in film
    with av.open(io.BytesIO(content(film, "video/mp4"))) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert sum(1 for _ in container.decode(stream)) == COUNT


def test_without_pyav_there_is_a_gif_and_a_reason(handlers, somebody, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "av", None)
    *_, film = handlers.run(began(handlers, somebody)[0])
    assert "<video" not in film
    assert "pip install av" in film
    assert content(film, "image/gif").startswith(b"GIF")


def test_a_stop_ends_the_film_with_the_frame_at_hand(handlers, somebody):
    turn = Turn()
    stream = handlers.run(began(handlers, somebody, turn=turn)[0])
    list(islice(stream, 3))
    handlers.stop(turn)
    (film,) = stream
    assert f"Stopped after 3 of {COUNT} frames" in film
    assert Image.open(io.BytesIO(content(film, "image/gif"))).n_frames == 3


def test_another_film_ends_the_one_before(handlers, somebody):
    turn = Turn()
    first = handlers.run(began(handlers, somebody, turn=turn)[0])
    next(first)
    second = handlers.run(began(handlers, somebody, turn=turn)[0])
    assert len(list(first)) == 1
    assert len(list(second)) == COUNT + 1


def test_what_the_weights_were_trained_on_is_said(handlers, somebody):
    from weights import NOT_STATED

    *_, film = handlers.run(began(handlers, somebody)[0])
    assert NOT_STATED.capitalize() in film
    *_, film = handlers.run(began(handlers, somebody, approach=BASELINE)[0])
    assert "Draws without any learning" in film


def test_the_readme_names_the_longest_film():
    from pathlib import Path

    card = (Path(__file__).parents[1] / "demo" / "README.md").read_text()
    assert f"at most {MAX_FRAMES} frames" in card


def test_nothing_stays_on_the_disk(handlers, somebody, tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    list(handlers.run(began(handlers, somebody)[0]))
    assert list(tmp_path.iterdir()) == []


def test_photo_is_animated(handlers, tmp_path):
    other = handlers.studio.synthetic(9).person
    Image.fromarray(other.image).save(tmp_path / "photo.png")
    (tmp_path / "photo.json").write_text(other.pose.to_json())
    session, source = handlers.use_photo(str(tmp_path / "photo.png"), str(tmp_path / "photo.json"))
    assert "Your photo" in source
    assert len(list(handlers.run(began(handlers, session)[0]))) == COUNT + 1


def test_spt_says_what_it_lacks_before_the_film_begins(tmp_path, monkeypatch):
    handlers = AnimateHandlers(make_full_studio(), "CPU")  # of which no part has loaded a parser yet
    monkeypatch.setattr("pgt.predictor.PARSER", "no-such-parser")
    other = handlers.studio.synthetic(9).person
    Image.fromarray(other.image).save(tmp_path / "photo.png")
    (tmp_path / "photo.json").write_text(other.pose.to_json())
    session = handlers.use_photo(str(tmp_path / "photo.png"), str(tmp_path / "photo.json"))[0]
    with pytest.raises(gr.Error, match="human parser"):
        began(handlers, session, approach="SPT")


def test_a_space_lends_its_gpu_to_a_whole_film(handlers):
    from inspect import isgeneratorfunction

    from animator import Animator
    from studio import Studio

    lent = []
    studio = Studio(
        handlers.studio.predictor, handlers.studio.baseline, lend=lambda work: lent.append(work) or work
    )
    Animator(studio)
    assert isgeneratorfunction(lent[-1])


# The page ---------------------------------------------------------------------------------------------------


def test_examples_choose_person_and_motion(handlers):
    seed, scene, motion, is_file, _, session, source = handlers.use_example(*EXAMPLES[1])
    assert (seed, scene, motion) == EXAMPLES[1]
    assert is_file is False
    assert session.subject.is_synthetic
    assert "<img" in source


def test_tab_is_filled_once(handlers, somebody):
    cards, session, source = handlers.open(None)
    assert cards.count("<button") == len(EXAMPLES)
    assert session.subject.is_synthetic
    assert "<img" in source
    assert all("value" not in update for update in handlers.open(somebody))


def test_films_wait_in_one_queue_and_the_stop_does_not(handlers):
    import page

    demo = page.create_demo(handlers.studio, "CPU")
    by_name = {}
    for function in demo.fns.values():
        by_name.setdefault(getattr(function.fn, "__name__", ""), []).append(function)
    films = by_name["run"]
    assert len(films) == 2  # by the button and by an example
    assert {film.concurrency_id for film in films} == {"film"}
    assert all(film.concurrency_limit == 1 for film in films)
    assert all(stop.concurrency_limit is None for stop in by_name["stop"])
