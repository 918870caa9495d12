"""Photographs on the command line: pasted back, masks, other people; training with photos and variety."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgt import checkpoint, photos
from pgt.__main__ import main
from pgt.config import PRESETS
from pgt.data.pose import Pose
from pgt.data.readers.keypoint_csv import write_keypoint_csv
from pgt.photos import DetectedPerson
from pgt.synthetic.people import SyntheticPeople

PHOTO = (300, 400)  # of a wide photo with a small person


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with wide.png, in which somebody is small, and the joints."""
    path = tmp_path_factory.mktemp("photos")
    person = SyntheticPeople("test", (128, 64), "plain")[0].source
    wide = np.random.default_rng(0).integers(0, 256, (*PHOTO, 3), np.uint8)
    wide[100:228, 200:264] = person.image
    Image.fromarray(wide).save(path / "wide.png")
    keypoints = person.keypoints + np.array([200, 100], np.float32)
    (path / "wide.json").write_text(Pose(keypoints, person.visible, PHOTO).to_json())
    write_keypoint_csv(path / "keypoints.csv", {"wide.png": (keypoints, person.visible)})
    return path


def generate(folder: Path, out: Path, weights: Path, *more: object) -> int:
    words = ["--image", folder / "wide.png", "--target", folder / "wide.json", "--weights", weights]
    return main(["generate", *map(str, [*words, "--out", out, *more])])


def test_the_result_goes_back_into_the_whole_photo(folder, tiny_checkpoint, tmp_path):
    out = tmp_path / "out.png"
    assert generate(folder, out, tiny_checkpoint, "--keypoints", folder / "wide.json", "--paste-back") == 0
    photo, result = (np.asarray(Image.open(path)) for path in (folder / "wide.png", out))
    changed = (photo != result).any(axis=2)
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    person = photos.person_from_photo(folder / "wide.png", folder / "wide.json")
    frame = photos.find_frame(person, (64, 32))
    assert frame.top <= rows.min() <= rows.max() < frame.top + frame.height
    assert frame.left <= columns.min() <= columns.max() < frame.left + frame.width
    assert changed.mean() > 0.05


def two_people(image: np.ndarray) -> list[DetectedPerson]:
    people = []
    for left in (20, 200):
        keypoints = np.linspace((left, 110), (left + 60, 220), 18)
        box = np.array([left, 100, left + 64, 228], np.float32)
        people.append(DetectedPerson(box, 0.9, Pose(keypoints, np.ones(18, bool), image.shape[:2])))
    return people


def test_of_several_people_one_is_named_and_another_can_be_chosen(
    folder, tiny_checkpoint, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(photos.detectors, "detect_people", two_people)
    pictures = []
    for number, more in enumerate([[], ["--which", "1"], ["--which", "2"]]):
        out = tmp_path / f"{number}.png"
        assert generate(folder, out, tiny_checkpoint, "--paste-back", *more) == 0
        pictures.append(out.read_bytes())
        said = capsys.readouterr().err
        assert ("2 people were found in the photo; number 2 from the left was taken" in said) == (not more)
    assert pictures[0] == pictures[2] != pictures[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--detector", "vitpose"], "give the joints as a JSON or CSV file instead"),
        (["--keypoints", "wide.json", "--parsing", "clothes-parser"], "give the labels"),
        (["--keypoints", "wide.json", "--which", "2"], "--which chooses among detected people"),
        (["--keypoints", "wide.json", "--person-mask", "nothing.png"], "nothing.png"),
        (["--steps", "--paste-back"], "not allowed with"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_sentence(
    folder, tiny_checkpoint, tmp_path, monkeypatch, capsys, words, sentence
):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    photos.load_vitpose.cache_clear()
    photos.load_clothes_parser.cache_clear()
    words = [str(folder / word) if word.endswith(("json", "png")) else word for word in words]
    try:
        code = generate(folder, tmp_path / "out.png", tiny_checkpoint, *words)
    except SystemExit as stopped:
        code = stopped.code
    said = capsys.readouterr().err
    assert code == 2
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out.png").exists()


# Training ---------------------------------------------------------------------------------------------------


def train(folder: Path, *more: object, approach: str = "pg2", preset: str = "pg2-narrow") -> int:
    where = ["--run-dir", folder / "run", "--cache", folder / "cache", "--steps-scale", "0.01"]
    people = ["--identities", "2", "--poses", "3", "--scene", "plain", "--batch-size", "2"]
    return main(["train", approach, "--preset", preset, *map(str, [*where, *people, *more])])


@pytest.fixture
def narrow_preset(monkeypatch, tiny_config):
    """Give the commands a small preset that is not square."""
    monkeypatch.setitem(PRESETS, "pg2-narrow", tiny_config)


def test_a_run_with_photos_and_variety_says_so_and_does_not_continue_without(
    folder, tmp_path, narrow_preset, capsys
):
    words = ["--augment", "photo", "--photos", folder, "--photo-share", "0.4"]
    assert train(tmp_path, *words, "--max-seconds", "0.001") == 0
    assert train(tmp_path, *words) == 0
    card = checkpoint.read_card(tmp_path / "run" / "generator")
    expected = {"augmentation": "photo", "photos": folder.name, "photo share": 0.4}
    assert expected.items() <= card["training"].items()
    assert "mixed with 40 % photographs" in card["data"]
    assert "No photograph" not in card["data"]
    capsys.readouterr()
    assert train(tmp_path, "--augment", "photo") == 2
    assert "holds a run with other settings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("approach", "preset", "words", "sentence"),
    [
        ("spt", "spt-tiny", ["--true-maps"], "spt cannot learn from single photos; pg2, mrnet"),
        ("pg2", "pg2-narrow", ["--augment", "photo", "--scenes", "nowhere"], "There is no folder nowhere"),
    ],
)
def test_photos_that_will_not_do_are_refused(
    folder, tmp_path, narrow_preset, capsys, approach, preset, words, sentence
):
    assert train(tmp_path, "--photos", folder, *words, approach=approach, preset=preset) == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run" / "log.jsonl").exists()
