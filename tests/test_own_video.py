"""The experiment on a video: from two files to a table, a verdict and a picture."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks import own_video, tables
from pgt.commands.video import NEAREST
from pgt.config import PRESETS
from pgt.evaluation import COPY, EvaluationResult
from tests.data import films
from tests.models.tiny_mrnet import TINY_MRNET


@pytest.fixture
def words(tmp_path, monkeypatch) -> list[str]:
    """Arguments for a training of two steps on a film of 20 frames."""
    monkeypatch.setitem(PRESETS, "mrnet-narrow", TINY_MRNET)
    video, keypoints = films.make_film(tmp_path)
    files = ["--video", str(video), "--keypoints", str(keypoints)]
    return [*files, "--preset", "mrnet-narrow", "--steps-scale", "0.05", "--precision", "no"]


def test_a_clip_gets_its_table_and_its_picture(words, tmp_path, capsys):
    own_video.run([*words, "--picture", str(tmp_path / "pictures"), "--run-dir", str(tmp_path / "runs")])
    said = capsys.readouterr().out
    for row in (own_video.ROW, NEAREST, COPY, "part warp"):
        assert f"| {row} |" in said
    assert "`film.mp4`: 4 held-out frames, 16 pairs, 16 training frames, 64x32; mrnet-narrow" in said
    assert np.asarray(Image.open(tmp_path / "pictures" / "film.png")).std() > 1
    assert (tmp_path / "runs" / "film" / "generator").is_dir()


def test_write_keeps_numbers_and_table(words, monkeypatch):
    kept = {}
    monkeypatch.setattr(tables, "keep", lambda name, content, text: kept.update({name: (content, text)}))
    own_video.run([*words, "--write"])
    content, text = kept["own-video"]
    means = json.loads(json.dumps(content))["film.mp4"]["means"]
    assert f"{means[COPY]['psnr']:.2f}" in text


def test_the_verdict_says_who_is_ahead():
    means = {
        own_video.ROW: {"psnr": 25.0, "foreground_l1": 0.05},
        COPY: {"psnr": 20.0, "foreground_l1": 0.2},
        NEAREST: {"psnr": 26.0, "foreground_l1": 0.04},
    }
    words = own_video.verdict(EvaluationResult(means, {}, {}))
    assert words == (
        "+5.00 dB and 0.25 times the foreground L1 of 'copy the source'; "
        "-1.00 dB and 1.25 times the foreground L1 of 'copy the nearest frame'"
    )


def test_each_video_needs_its_keypoints(words, capsys):
    with pytest.raises(SystemExit):
        own_video.run([*words, "--keypoints", "a.csv", "b.csv"])
    assert "each video needs a keypoint CSV; got 1 and 2" in capsys.readouterr().err
