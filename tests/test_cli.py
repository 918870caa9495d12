"""The command line: each command does its job, and a mistake gets one sentence and exit code 2."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from pgt import checkpoint, photos
from pgt.__main__ import image_size, main
from pgt.commands.train import deviations
from pgt.config import PRESETS
from pgt.data.readers.keypoint_csv import read_keypoint_csv, write_keypoint_csv
from pgt.models.pg2 import PG2Generator
from pgt.synthetic.people import SyntheticPeople

TINY = ["--identities", "2", "--poses", "3", "--scene", "plain"]
DATA = (
    "Synthetic people of pgt, split 'train': 2 identities in 3 poses, scene 'plain'. No photograph was used."
)


def train_command(folder: Path, *more: str) -> list[str]:
    return [
        *(
            "train",
            "pg2",
            "--preset",
            "pg2-narrow",
            "--run-dir",
            str(folder / "run"),
            "--cache",
            str(folder / "cache"),
        ),
        *("--steps-scale", "0.01", "--batch-size", "2", "--log-every", "1", *TINY, *more),
    ]


@pytest.fixture(autouse=True)
def narrow_preset(monkeypatch, tiny_config):
    """Give the commands a small preset that is not square."""
    monkeypatch.setitem(PRESETS, "pg2-narrow", tiny_config)


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    """A folder with a.png and b.png, one synthetic person twice, and the joints of both in both formats."""
    folder = tmp_path_factory.mktemp("photo")
    pair = SyntheticPeople("test", (64, 32), "plain")[0]
    joints = {}
    for name, person in (("a", pair.source), ("b", pair.target)):
        Image.fromarray(person.image).save(folder / f"{name}.png")
        (folder / f"{name}.json").write_text(person.pose.to_json())
        joints[f"{name}.png"] = (person.keypoints, person.visible)
    write_keypoint_csv(folder / "keypoints.csv", joints)
    return folder


def picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize(
    ("extra", "rows"), [([], 1), (["--parsing"], 3), (["--motion", "walk"], 1), (["--scene", "street"], 1)]
)
def test_render_draws_a_contact_sheet(tmp_path, capsys, extra, rows):
    out = tmp_path / "sheets" / "people.png"
    assert main(["render", "--count", "3", "--size", "64x48", "--out", str(out), *extra]) == 0
    sheet = picture(out)
    assert sheet.shape[0] >= 64 * rows
    assert sheet.shape[1] >= 3 * 48
    assert capsys.readouterr().out.strip() == str(out)


def test_render_gives_the_same_people_for_the_same_seed(tmp_path):
    sheets = []
    for seed in ("3", "3", "4"):
        main(
            ["render", "--count", "2", "--size", "32", "--seed", seed, "--out", str(tmp_path / "people.png")]
        )
        sheets.append(picture(tmp_path / "people.png"))
    assert np.array_equal(sheets[0], sheets[1])
    assert not np.array_equal(sheets[0], sheets[2])


def test_cache_then_train_then_continue(tmp_path, capsys):
    assert main(["cache", "--size", "64x32", "--cache", str(tmp_path / "cache"), *TINY]) == 0
    assert "6 people, 12 pairs" in capsys.readouterr().out
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npy")}

    command = train_command(tmp_path)
    assert main([*command, "--max-seconds", "0.001"]) == 0
    assert "stopped by --max-seconds" in capsys.readouterr().out
    assert main(command) == 0
    assert "11 steps, finished" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npy")} == files

    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["stage"]) for line in log] == [
        *((step, "coarse") for step in range(1, 9)),
        *((step, "refine") for step in (9, 10, 11)),
    ]
    card = (tmp_path / "run" / "generator" / "README.md").read_text()
    assert "2 identities in 3 poses" in card
    assert "No photograph was used." in card
    assert (tmp_path / "run" / "samples" / "step_0000011.png").exists()

    assert main([*command, "--seed", "1"]) == 2
    assert "seed was 0, now 1" in capsys.readouterr().err


def test_train_takes_a_folder_of_pictures(tmp_path, photo, capsys):
    (tmp_path / "pairs.csv").write_text("from,to\na.png,b.png\n")
    for path in photo.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert main(train_command(tmp_path, "--data", str(tmp_path))) == 0
    assert not (tmp_path / "cache").exists()
    assert "finished" in capsys.readouterr().out


@pytest.mark.parametrize("target", ["b.png", "b.json"])
@pytest.mark.parametrize("keypoints", ["a.json", "keypoints.csv"])
@pytest.mark.parametrize("weights", ["part_warp", "tiny"])
def test_generate_draws_the_photo_in_the_targets_pose(
    photo, tiny_checkpoint, tmp_path, keypoints, target, weights
):
    out = tmp_path / "out.png"
    words = [
        "--image",
        photo / "a.png",
        "--keypoints",
        photo / keypoints,
        "--target",
        photo / target,
        "--out",
        out,
    ]
    words += ["--target-keypoints", photo / "keypoints.csv"]
    words += ["--weights", tiny_checkpoint if weights == "tiny" else weights]
    assert main(["generate", *map(str, words)]) == 0
    assert picture(out).shape == (64, 32, 3)


def test_generate_takes_a_row_of_the_csv_and_shows_the_steps(photo, tiny_checkpoint, tmp_path):
    out = tmp_path / "out.png"
    words = [
        "--image",
        photo / "a.png",
        "--keypoints",
        photo / "keypoints.csv",
        "--target",
        "b.png",
        "--steps",
    ]
    assert main(["generate", *map(str, words), "--weights", str(tiny_checkpoint), "--out", str(out)]) == 0
    assert picture(out).shape[1] >= 4 * 32


@pytest.fixture
def trained(tmp_path) -> Path:
    """Return the generator of a run of 11 steps, with another seed than that of `train_command`."""
    assert main([*train_command(tmp_path), "--seed", "1"]) == 0
    (tmp_path / "run").rename(tmp_path / "first")
    return tmp_path / "first" / "generator"


def test_train_starts_from_other_weights(tmp_path, trained):
    first = load_file(trained / "model.safetensors")
    command = train_command(tmp_path, "--start-from", str(trained))
    assert main([*command, "--max-seconds", "0.001"]) == 0
    second = load_file(tmp_path / "run" / "generator" / "model.safetensors")
    moved = [float((second[name] - value).abs().max()) for name, value in first.items()]
    assert max(moved) < 0.01  # one step away, where fresh weights would be far


def test_the_card_says_what_a_run_started_from(tmp_path, trained):
    more = train_command(tmp_path, "--start-from", str(trained))
    assert main([*more, "--max-seconds", "0.001"]) == 0
    shutil.rmtree(trained.parent)  # the facts are kept with the run
    assert main(more) == 0
    facts = checkpoint.read_card(tmp_path / "run" / "generator")["training"]
    config = checkpoint.load(tmp_path / "run" / "generator").config
    own = {"preset": "pg2-narrow", "seed": 1, "precision": "no", **deviations(config), "steps": 11}
    assert facts["started from"] == {"name": "first", "training": own, "data": DATA}
    (fact,) = deviations(config).items()
    words = f"seed: 1, precision: no, {fact[0]}: {fact[1]}, steps: 11; Synthetic people"
    assert (
        f"- started from: first (preset: pg2-narrow, {words}"
        in (tmp_path / "run" / "generator" / "README.md").read_text()
    )


def test_another_start_in_the_same_folder_is_refused(tmp_path, trained, capsys):
    shutil.copytree(trained, tmp_path / "other")
    command = [*train_command(tmp_path), "--max-seconds", "0.001"]
    assert main([*command, "--start-from", str(trained)]) == 0
    capsys.readouterr()
    for changed, named in [(["--start-from", str(tmp_path / "other")], "other'"), ([], "None")]:
        assert main([*command, *changed]) == 2
        sentence = capsys.readouterr().err.splitlines()[-1]  # after the progress bar of the people
        assert "holds a run with other settings (start_from was '" in sentence
        assert f"{named}): choose another run folder." in sentence
    assert main([*command, "--start-from", str(trained)]) == 0


def test_weights_that_do_not_fit_are_refused_and_claim_nothing(tmp_path, tiny_config, capsys):
    wider = PG2Generator.from_config(replace(tiny_config, base_channels=5))
    checkpoint.save(wider, tmp_path / "wider")
    assert main([*train_command(tmp_path), "--start-from", str(tmp_path / "wider")]) == 2
    assert "do not fit this preset" in capsys.readouterr().err
    assert main([*train_command(tmp_path), "--max-seconds", "0.001"]) == 0  # the run folder is still free


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--keypoints", "a.json", "--target", "b.png"], "could not be downloaded"),
        (["--keypoints", "a.json", "--target", "b.png", "--target-keypoints", "one.csv"], None),
        (
            ["--keypoints", "one.csv", "--target", "b.png"],
            "No row of the CSV file",
        ),
        (["--keypoints", "one.csv", "--target", "a.png"], None),
        (
            ["--keypoints", "a.json", "--target", "nobody", "--target-keypoints", "none.csv"],
            "no visible joint",
        ),
        (["--target", "b.json"], "could not be downloaded"),
    ],
)
def test_generate_never_takes_the_sources_joints_for_the_targets(
    photo, tmp_path, capsys, monkeypatch, words, sentence
):
    def unavailable(_):
        raise photos.DetectorUnavailableError("The weights could not be downloaded.")

    monkeypatch.setattr(photos.detectors, "detect_people", unavailable)
    rows = read_keypoint_csv(photo / "keypoints.csv")
    write_keypoint_csv(photo / "one.csv", {"a.png": rows["a.png"]})
    write_keypoint_csv(photo / "none.csv", {"nobody": (rows["a.png"][0], np.zeros(18, bool))})
    words = [str(photo / word) if (photo / word).exists() else word for word in words]
    out = tmp_path / "out.png"
    code = main(
        ["generate", "--image", str(photo / "a.png"), "--weights", "part_warp", "--out", str(out), *words]
    )
    if sentence is None:
        assert code == 0
        assert out.exists()
    else:
        assert code == 2
        said = capsys.readouterr().err
        assert sentence in said
        assert len(said.splitlines()) == 1


@pytest.mark.parametrize("weights", ["part_warp", "tiny"])
@pytest.mark.parametrize(
    ("folder", "source", "target"),
    [("deepfashion_pair", "2_A.jpg", "2_B.jpg"), ("market_photos", "12.jpg", "30.jpg")],
)
def test_generate_accepts_real_photographs(
    real_data, tiny_checkpoint, tmp_path, weights, folder, source, target
):
    folder = real_data / folder
    weights = tiny_checkpoint if weights == "tiny" else weights
    words = ["--image", folder / source, "--keypoints", folder / "keypoints.csv", "--target", folder / target]
    assert main(["generate", *map(str, [*words, "--weights", weights, "--out", tmp_path / "out.png"])]) == 0
    assert picture(tmp_path / "out.png").std() > 1


def test_evaluate_prints_a_table_beside_the_baselines(tiny_checkpoint, tmp_path, capsys):
    out = tmp_path / "results.json"
    words = ["evaluate", "pg2", "--weights", str(tiny_checkpoint), "--pairs", "3", "--out", str(out)]
    assert main(words) == 0
    table = capsys.readouterr().out
    result = json.loads(out.read_text())
    for row in ("PG2 refined", "copy the source", "part warp"):
        assert f"| {row} |" in table
        assert 0 < result["means"][row]["ssim"] <= 1
    assert result["facts"]["data"]["split"] == "test"
    assert result["facts"]["data"]["pairs"] == 3


def test_evaluate_takes_a_folder(tiny_checkpoint, photo, capsys):
    (photo / "pairs.csv").write_text("from,to\na.png,b.png\n")
    assert main(["evaluate", "pg2", "--weights", str(tiny_checkpoint), "--data", str(photo)]) == 0
    assert "| part warp |" in capsys.readouterr().out


MISTAKES = {
    "no command": ([], "required"),
    "unknown command": (["fly"], "invalid choice"),
    "size": (["render", "--size", "10x"], "a size is N or HEIGHTxWIDTH"),
    "count": (["render", "--count", "0"], "at least 1"),
    "suffix": (["render", "--out", "people.jpg"], "should end in .png"),
    "motion": (["render", "--motion", "fly", "--size", "32"], "'fly'"),
    "preset": (
        ["train", "pg2", "--preset", "pg3", "--run-dir", "r"],
        "no preset 'pg3' of pg2; there are pg2-",
    ),
    "approach": (["train", "pg9", "--preset", "x", "--run-dir", "r"], "invalid choice"),
    "folder": (["train", "pg2", "--preset", "pg2-tiny", "--run-dir", "r", "--data", "nowhere"], "nowhere"),
    "scale": (["train", "pg2", "--preset", "pg2-tiny", "--run-dir", "r", "--steps-scale", "-1"], "above 0"),
    "photo": (["generate", "--image", "no.jpg", "--target", "b.json", "--out", "o.png"], "not a picture"),
    "weights": (["evaluate", "pg2", "--weights", "no-such"], "no checkpoint 'no-such'"),
    "push": (["push", "no-such", "--to", "a/b"], "no checkpoint 'no-such'"),
}


@pytest.mark.parametrize(("words", "fact"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_gets_one_sentence(words, fact, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(words)
    except SystemExit as error:  # argparse leaves by itself
        code = error.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.err.startswith("pgt")
    assert fact in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert "Traceback" not in captured.err
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize(
    ("target", "fact"), [("c.png", "named 'c.png'"), ("bad.json", "JSON"), ("none.json", "No such file")]
)
def test_a_target_that_cannot_be_read_gets_one_sentence(photo, tmp_path, capsys, monkeypatch, target, fact):
    monkeypatch.chdir(tmp_path)
    Path("bad.json").write_text("{")
    words = ["--image", photo / "a.png", "--keypoints", photo / "keypoints.csv", "--target", target]
    assert main(["generate", *map(str, words), "--weights", "part_warp", "--out", "out.png"]) == 2
    captured = capsys.readouterr()
    assert fact in captured.err
    assert len(captured.err.strip().splitlines()) == 1


def test_traceback_shows_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="no checkpoint"):
        main(["--traceback", "push", "no-such", "--to", "a/b"])


def test_sizes_are_height_by_width():
    assert image_size("128") == (128, 128)
    assert image_size("128x64") == (128, 64)
