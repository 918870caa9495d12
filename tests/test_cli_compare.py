"""`pgt compare`: what every method makes of one pair, in its own frame, drawn and scored side by side."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from pgt import checkpoint, metrics, photos
from pgt.__main__ import main
from pgt.commands.compare import Lineup, PhotoCase, SyntheticCase
from pgt.commands.methods import bundled_generators, crop_rivals
from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.evaluation import COPY, WARP, score_picture
from pgt.models.spt import SPTGenerator
from pgt.photos import DetectedPerson
from pgt.predictor import Predictor
from pgt.synthetic.people import SyntheticPeople
from tests.models.tiny_spt import TINY_SPT

SIZE = (64, 32)


def numbers(folder) -> dict:
    return json.loads((folder / "numbers.json").read_text())


def command(folder, *words) -> list[str]:
    files = ("--out", folder / "out.png", "--json", folder / "numbers.json")
    return ["compare", *map(str, (*words, *files))]


def width_of(folder) -> int:
    return Image.open(folder / "out.png").width


@pytest.fixture
def photo(tmp_path):
    """Return a folder with a.png and b.png, one synthetic person twice, and the joints of both."""
    pair = SyntheticPeople("test", SIZE, "plain")[0]
    for name, person in (("a", pair.source), ("b", pair.target)):
        Image.fromarray(person.image).save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.json").write_text(person.pose.to_json())
    return tmp_path


def of_photo(folder, target: str, *words) -> list[str]:
    files = ("--image", folder / "a.png", "--keypoints", folder / "a.json", "--target", folder / target)
    return command(folder, *files, "--target-keypoints", folder / "b.json", *words)


def test_several_people_are_several_rows_with_the_numbers_of_pgt_evaluate(tiny_checkpoint, tmp_path, capsys):
    words = ("--person", 3, 5, "--scene", "plain", "--weights", f"TINY={tiny_checkpoint}")
    assert main(command(tmp_path, *words)) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "numbers.json"), str(tmp_path / "out.png")]
    assert Image.open(tmp_path / "out.png").height > 2 * 160
    assert width_of(tmp_path) == 5 * (80 + 6) + 6  # source, pose, TINY, part warp and truth

    content, people = numbers(tmp_path), SyntheticPeople("test", SIZE, "plain")
    assert list(content["methods"]) == ["TINY", WARP]
    assert [row["name"] for row in content["rows"]] == ["test 3, plain", "test 5, plain"]
    predictor = Predictor.load(tiny_checkpoint)
    for row, number in zip(content["rows"], (3, 5), strict=True):
        pair = people[number]
        drawn = predictor.generate(pair.source, pair.target.pose).image
        for name, picture in (("TINY", drawn), (COPY, pair.source.image)):
            for column, value in score_picture(picture, pair.target).items():
                assert row["scores"][name][column] == pytest.approx(value, rel=1e-6), (name, column)
        assert row["milliseconds"]["TINY"] > 0
    assert content["protocol"]["foreground_ssim"]["window"] == "gaussian"


def test_people_can_be_drawn_without_their_numbers(tiny_checkpoint, tmp_path):
    heights = []
    for words in ([], ["--no-scores"]):
        assert main(command(tmp_path, "--person", 0, "--weights", tiny_checkpoint, "--cell", 96, *words)) == 0
        heights.append(Image.open(tmp_path / "out.png").height)
    assert heights[1] < heights[0]


def test_every_method_works_and_is_scored_in_its_own_frame(tiny_checkpoint, tmp_path):
    small = checkpoint.save(SPTGenerator.from_config(TINY_SPT), tmp_path / "spt")
    words = ("--person", 1, "--weights", f"PG2={tiny_checkpoint}", f"SPT={small}")
    assert main(command(tmp_path, *words)) == 0
    content = numbers(tmp_path)
    assert {name: one["frame"] for name, one in content["methods"].items()} == {
        "PG2": [64, 32],
        "SPT": [32, 16],
        WARP: [64, 32],
    }
    pair = SyntheticPeople("test", (32, 16))[1]  # rendered anew, not reduced
    drawn = Predictor.load(small).generate(pair.source, pair.target.pose).image
    found = content["rows"][0]["scores"]["SPT"]["l1"]
    assert found == pytest.approx(score_picture(drawn, pair.target)["l1"], rel=1e-6)


def test_titles_tell_frames_where_these_differ():
    one, other, any_frame = (SimpleNamespace(image_size=size) for size in ((64, 32), (32, 16), None))
    assert Lineup({"A": one, "B": any_frame}).titles() == ["A", "B"]
    assert Lineup({"A": other, "B": any_frame, "C": one}).titles() == ["A, 32x16", "B, 64x32", "C, 64x32"]
    assert Lineup({"B": any_frame}).frame == (128, 128)


def test_where_people_are_small_the_crop_baselines_join(tiny_checkpoint, tmp_path):
    words = ("--person", 0, "--weights", f"TINY={tiny_checkpoint}", "--scene", "non_iconic")
    assert main(command(tmp_path, *words)) == 0
    assert list(numbers(tmp_path)["methods"]) == ["TINY", "union-crop", "crop-inpaint", WARP]
    assert "around the bundled weights pg2" in numbers(tmp_path)["methods"]["union-crop"]["weights"]
    assert width_of(tmp_path) == 7 * (80 + 6) + 6
    assert crop_rivals("mixed") == {}


def test_evaluate_has_them_too_and_the_background(tiny_checkpoint, tmp_path, capsys):
    out = tmp_path / "results.json"
    words = ["evaluate", "pg2", "--weights", str(tiny_checkpoint), "--pairs", "2", "--out", str(out)]
    assert main([*words, "--beside", "--scene", "non_iconic"]) == 0
    means = json.loads(out.read_text())["means"]
    assert {"PG2 refined", "union-crop", "crop-inpaint", COPY, WARP} <= set(means)
    assert 0 < means["union-crop"]["background_l1"] < 1
    assert "background L1" in capsys.readouterr().out
    assert main([*words, "--beside", "--scene", "mixed"]) == 0
    assert "union-crop" not in json.loads(out.read_text())["means"]


def test_a_photo_has_no_scores_unless_the_target_shows_the_same_person(photo, tiny_checkpoint):
    weights = ("--weights", f"TINY={tiny_checkpoint}")
    assert main(of_photo(photo, "b.png", *weights)) == 0
    assert numbers(photo)["rows"] == [
        {"name": "a", "scores": {}, "milliseconds": numbers(photo)["rows"][0]["milliseconds"]}
    ]
    assert width_of(photo) == 4 * (80 + 6) + 6

    assert main(of_photo(photo, "b.png", *weights, "--truth")) == 0
    source, target = (
        torch.from_numpy(np.array(Image.open(photo / name))).permute(2, 0, 1)[None] / 255
        for name in ("a.png", "b.png")
    )
    found = numbers(photo)["rows"][0]["scores"][COPY]
    assert found["ssim"] == pytest.approx(metrics.ssim(source, target).mean)
    assert width_of(photo) == 5 * (80 + 6) + 6


def test_which_of_several_people_was_taken_is_said_of_both_photos(
    photo, tiny_checkpoint, monkeypatch, capsys
):
    def two_people(image: np.ndarray) -> list[DetectedPerson]:
        pose = Pose.from_json((photo / "a.json").read_text())
        boxes = (np.array([left, 0, left + 16, 64], np.float32) for left in (0, 12))
        return [DetectedPerson(box, 0.9, pose) for box in boxes]

    monkeypatch.setattr(photos.detectors, "detect_people", two_people)
    words = ("--image", photo / "a.png", "--target", photo / "b.png", "--weights", f"TINY={tiny_checkpoint}")
    assert main(command(photo, *words)) == 0
    said = capsys.readouterr().err
    assert "pgt: 2 people were found in the photo; number 2 from the left" in said
    assert f"pgt: {photo / 'b.png'}: 2 people were found in the photo; number 2 from the left" in said


def test_a_small_person_in_a_photo_is_cut_out_unless_the_scene_is_wanted_whole():
    generator = np.random.default_rng(0)
    pose = Pose(generator.uniform((20, 30), (50, 80), (18, 2)), np.ones(18, bool), (200, 300))
    person = Person(generator.integers(0, 256, (200, 300, 3), dtype=np.uint8), pose)
    cut, whole = (
        PhotoCase(person, person, one, has_truth=False).pair((64, 64)).source for one in (False, True)
    )
    assert cut.image.shape == whole.image.shape == (64, 64, 3)
    sizes = [np.ptp(one.keypoints, axis=0).max() for one in (cut, whole)]
    assert sizes[0] > 40
    assert sizes[1] == pytest.approx(np.ptp(pose.keypoints, axis=0).max() * 64 / 300, rel=0.01)


def test_a_synthetic_case_is_one_pair_at_every_size():
    case = SyntheticCase("val", "mixed", 2)
    small, large = case.pair((32, 32)), case.pair((64, 64))
    assert case.pair((32, 32)) is small
    shift = np.abs(large.target.keypoints - small.target.pose.resized((64, 64)).keypoints)
    assert shift.max() < 0.1


def test_bundled_generators_are_the_approaches_in_order(tmp_path, monkeypatch):
    names = ["progressive-synthetic-256", "progressive-synthetic-128", "spt-a", "pg2-a", "human-parser-a"]
    for name in [*names, "garment-flow-a", "mrnet-a"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path)
    assert list(bundled_generators().items()) == [
        ("PG2", "pg2-a"),
        ("SPT", "spt-a"),
        ("MR-Net", "mrnet-a"),
        ("progressive-synthetic-128", "progressive-synthetic-128"),
        ("progressive-synthetic-256", "progressive-synthetic-256"),
    ]


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (["--out", "o.png"], "required"),
        (["--person", "0", "--image", "a.png", "--out", "o.png"], "not allowed with"),
        (["--person", "0", "--target", "b.png", "--out", "o.png"], "--target belongs to --image"),
        (["--person", "0", "--target-keypoints", "b.json", "--out", "o.png"], "--target-keypoints belongs"),
        (["--image", "a.png", "--keypoints", "a.json", "--out", "o.png"], "needs a --target"),
        (
            ["--image", "a.png", "--keypoints", "a.json", "--target", "b.json", "--truth", "--out", "o.png"],
            "is no",
        ),
        (["--person", "0", "--out", "o.jpg"], "should end in .png"),
        (["--person", "0", "--weights", "A=tiny", "A=tiny", "--out", "o.png"], "two rows have one name"),
        (["--person", "0", "--weights", "part warp=tiny", "--out", "o.png"], "is a baseline's name"),
        (["--person", "0", "--weights", "no-such", "--out", "o.png"], "no checkpoint 'no-such'"),
    ],
)
def test_a_mistake_gets_one_sentence(photo, tiny_checkpoint, monkeypatch, capsys, words, fact):
    monkeypatch.chdir(photo)
    words = [word.replace("tiny", str(tiny_checkpoint)) for word in words]
    try:
        code = main(["compare", *words, "--json", "n.json"])
    except SystemExit as error:  # argparse leaves by itself
        code = error.code
    said = capsys.readouterr().err
    assert code == 2
    assert fact in said
    assert len(said.strip().splitlines()) == 1
    assert not list(photo.glob("[on].*"))
