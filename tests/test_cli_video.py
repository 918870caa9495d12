"""`pgt train` and `pgt evaluate` on one's own video."""

import json

import pytest

from pgt import checkpoint
from pgt.__main__ import main
from pgt.commands.video import NEAREST
from pgt.config import PRESETS
from pgt.evaluation import COPY, WARP
from tests.data import films
from tests.models.tiny_mrnet import TINY_MRNET


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A film of 20 frames and its keypoint CSV."""
    return films.make_film(tmp_path_factory.mktemp("film"))


@pytest.fixture(autouse=True)
def narrow_presets(monkeypatch, tiny_config):
    """Give the commands small presets; their pictures are twice as high as wide."""
    monkeypatch.setitem(PRESETS, "mrnet-narrow", TINY_MRNET)
    monkeypatch.setitem(PRESETS, "pg2-narrow", tiny_config)


def words(film, approach: str, run, *more: str) -> list[str]:
    data = ["--data", f"video:{film[0]}", "--keypoints", str(film[1])]
    train = ["train", approach, "--preset", f"{approach}-narrow", "--run-dir", str(run), *data]
    return [*train, "--steps-scale", "0.02", "--batch-size", "2", "--log-every", "1", *more]


@pytest.mark.parametrize("approach", ["mrnet", "pg2"])
def test_train_then_evaluate_on_held_out_frames(film, tmp_path, capsys, approach):
    run, out = tmp_path / "run", tmp_path / "scores.json"
    assert main(words(film, approach, run)) == 0
    card = checkpoint.read_card(run / "generator")
    assert card["data"] == "The frames of one video, 'film.mp4', but for those held out."
    assert not json.loads((run / "config.json").read_text())["flip"]
    capsys.readouterr()

    command = ["evaluate", approach, "--weights", str(run / "generator"), "--out", str(out)]
    assert main([*command, "--data", f"video:{film[0]}", "--keypoints", str(film[1])]) == 0
    result = json.loads(out.read_text())
    data = result["facts"]["data"]
    assert len(data.pop("sha256")) == 64
    assert data == {
        "video": "film.mp4", "training_frames": 16, "held_out_frames": 4, "still_camera": True, "pairs": 16,
    }  # fmt: skip
    assert result["facts"]["mask"] == "person"
    assert {NEAREST, COPY, WARP} < set(result["means"])
    assert not {row for row in result["means"] if row.startswith("SPT")}  # it has never seen a photograph
    assert NEAREST in capsys.readouterr().out


def test_evaluate_leaves_out_what_the_training_left_out(film, tmp_path, capsys):
    run, out = tmp_path / "run", tmp_path / "scores.json"
    assert main(words(film, "mrnet", run, "--held-out", "0.4", "--held-out-every", "2")) == 0
    command = ["evaluate", "mrnet", "--weights", str(run / "generator"), "--out", str(out), "--pairs", "9"]
    assert main([*command, "--data", f"video:{film[0]}", "--keypoints", str(film[1])]) == 0
    data = json.loads(out.read_text())["facts"]["data"]
    assert (data["training_frames"], data["held_out_frames"], data["pairs"]) == (7, 13, 9)

    # The same run with other frames held out is another run.
    capsys.readouterr()
    assert main(words(film, "mrnet", run)) == 2
    assert "num_pairs was" in capsys.readouterr().err


MISTAKES = {
    "no keypoints": (["--data", "video:film.mp4"], "A video needs --keypoints"),
    "no video": (["--keypoints", "film.csv"], "--keypoints belongs to a video: write --data video:FILE"),
    "missing": (["--data", "video:nowhere.mp4", "--keypoints", "film.csv"], "no video nowhere.mp4"),
    "share": (
        ["--data", "video:film.mp4", "--keypoints", "film.csv", "--held-out", "1.5"],
        "between 0 and 1",
    ),
}


@pytest.mark.parametrize(("data", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_gets_one_sentence(film, tmp_path, capsys, monkeypatch, data, sentence):
    monkeypatch.chdir(film[0].parent)
    command = ["train", "mrnet", "--preset", "mrnet-narrow", "--run-dir", str(tmp_path / "run"), *data]
    try:
        code = main(command)
    except SystemExit as error:  # argparse leaves by itself
        code = error.code
    said = capsys.readouterr().err
    assert code == 2
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_an_approach_that_needs_more_than_pairs_is_refused(film, tmp_path, capsys):
    data = ["--data", f"video:{film[0]}", "--keypoints", str(film[1])]
    assert main(["train", "spt", "--preset", "spt-tiny", "--run-dir", str(tmp_path / "run"), *data]) == 2
    assert "spt cannot learn from a video alone; pg2, mrnet, progressive can." in capsys.readouterr().err
