"""`pgt data check`, and --data NAME:FOLDER."""

import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgt.__main__ import main
from pgt.commands.unpaired import labelled_people
from pgt.commands.variety import FramedPhotos
from pgt.config import PRESETS
from tests.data import layouts


def test_check_counts_draws_and_finds_no_fault(tmp_path, capsys):
    root = layouts.market1501(tmp_path / "market")
    out = tmp_path / "sheets" / "sheet.png"
    assert main(["data", "check", "market1501", str(root), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "train: 3 pictures, 3 people, 1 identities, 2 pairs, 3 read" in text
    assert "test: 6 pictures, 6 people, 1 identities, 2 pairs, 6 read" in text
    assert "nose 33.3 %" in text
    assert "note: 1 people have no joint at all: 0007_c3s3_077419_03.jpg." in text
    assert "fault" not in text
    sheet = np.asarray(Image.open(out))
    assert sheet.shape[0] >= 2 * 192


def test_faults_are_said_and_make_the_exit_code_1(tmp_path, capsys):
    root = layouts.market1501(tmp_path)
    (root / "bounding_box_test" / "0001_c1s1_001051_03.jpg").write_bytes(b"no picture")
    assert main(["data", "check", "market1501", str(root)]) == 1
    assert "fault: pictures that cannot be used: 1; the first: " in capsys.readouterr().out
    assert main(["data", "check", "market1501", str(root), "--split", "train"]) == 0


def test_a_split_that_is_not_there_is_said_and_the_other_checked(tmp_path, capsys):
    root = layouts.market1501(tmp_path)
    (root / "market-annotation-test.csv").unlink()
    assert main(["data", "check", "market1501", str(root), "--read", "1"]) == 0
    text = capsys.readouterr().out
    assert "test: not there." in text
    assert "3 people, 1 identities, 2 pairs, 1 read" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["market1501"], "needs a folder"),
        (["synthetic", "somewhere"], "needs no folder"),
        (["penn-action", "nowhere"], "is not the folder of Penn Action: there is no such folder"),
        (["market1501", ".", "--split", "val"], "has no split 'val'"),
        (["market1501", ".", "--out", "sheet.jpg"], "should end in .png"),
    ],
)
def test_mistakes_get_a_sentence(capsys, arguments, sentence):
    assert main(["data", "check", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_pictures_without_people_are_checked_too(tmp_path, capsys):
    layouts.picture(tmp_path / "val_256" / "Places365_val_00000001.jpg", (40, 40))
    out = tmp_path / "sheet.png"
    assert main(["data", "check", "places2", str(tmp_path), "--out", str(out)]) == 0
    assert "all: 1 pictures, 1 read" in capsys.readouterr().out
    assert out.exists()


@pytest.mark.slow
def test_synthetic_people_are_checked(capsys):
    assert main(["data", "check", "synthetic", "--split", "val", "--read", "2"]) == 0
    assert "val: 24 pictures, 24 people, 12 identities, 24 pairs, 2 read" in capsys.readouterr().out


@pytest.fixture
def tiny_preset(monkeypatch, tiny_config):
    stages = tuple(replace(stage, num_steps=2, batch_size=2) for stage in tiny_config.stages)
    monkeypatch.setitem(PRESETS, "pg2-narrow", replace(tiny_config, stages=stages))


def train(root, folder) -> int:
    command = ["train", "pg2", "--preset", "pg2-narrow", "--data", f"market1501:{root}"]
    return main([*command, "--run-dir", str(folder), "--log-every", "1"])


def test_training_and_evaluation_take_the_split_of_a_named_dataset(tmp_path, capsys, tiny_preset):
    root, run = layouts.market1501(tmp_path / "market"), tmp_path / "run"
    assert train(root, run) == 0
    card = (run / "generator" / "README.md").read_text()
    assert "read as market1501, split 'train'" in card
    scores = tmp_path / "scores.json"
    command = ["evaluate", "pg2", "--weights", str(run / "generator"), "--data", f"market1501:{root}"]
    assert main([*command, "--beside", "--pairs", "2", "--out", str(scores)]) == 0
    capsys.readouterr()
    data = json.loads(scores.read_text())
    assert '"dataset": "market1501"' in json.dumps(data)
    assert '"split": "test"' in json.dumps(data)


def test_photos_to_mix_in_may_come_from_a_named_dataset(tmp_path):
    photos = FramedPhotos(f"market1501:{layouts.market1501(tmp_path)}", (128, 64))
    whole = layouts.MARKET["bounding_box_train"][:2]  # the third has no joints
    assert [photos[number].name for number in range(len(photos))] == whole


def test_unknown_names_and_people_without_pairs_are_refused(tmp_path, capsys, tiny_preset):
    command = ["train", "pg2", "--preset", "pg2-narrow", "--run-dir", str(tmp_path / "run"), "--data"]
    assert main([*command, f"mnist:{tmp_path}"]) == 2
    assert "there is no reader 'mnist'; there are folder, openpose" in capsys.readouterr().err
    root = layouts.market1501(tmp_path / "market")
    for name in layouts.MARKET["bounding_box_train"][:2]:
        (root / "bounding_box_train" / name).unlink()
    assert main([*command, f"market1501:{root}"]) == 2
    assert "has no two pictures of one person" in capsys.readouterr().err


def test_spt_finds_labelled_people_of_a_named_dataset_but_no_distractors(tmp_path):
    root = layouts.market1501(tmp_path)
    (root / "parsing").mkdir()
    stripes = np.repeat(np.arange(128, dtype=np.uint8)[:, None] // 13, 64, axis=1)
    names = layouts.MARKET["bounding_box_train"]
    for name in names:
        Image.fromarray(stripes).save(root / "parsing" / f"{Path(name).stem}.png")
    arguments = Namespace(data=f"market1501:{root}")
    people, lookup, facts = labelled_people(arguments, (128, 64))
    assert people.identities.tolist() == [0, 0, 1]
    assert facts["data"] == root.name
    assert np.array_equal(lookup(1).label_map, stripes)
