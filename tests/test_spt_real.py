"""SPT on real photographs, with real joints and labels: every road from the files to a picture.

The photographs are not ours to pass on; without them (see `real_data`) these tests are skipped.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from pgt.__main__ import main
from pgt.applications import (
    dress_to_pants,
    redraw,
    score_region,
    set_sleeves,
    shorten_sleeves,
    transfer_clothing_texture,
    try_on_product,
    try_on_style,
)
from pgt.applications.drawing import CLOTHES
from pgt.checkpoint import bundled_names, load, save
from pgt.commands.unpaired import labelled_people
from pgt.config import PRESETS, HumanParserConfig
from pgt.data.parsing import LABELS
from pgt.data.person import Pair, Person, encode_pair
from pgt.data.pose import JOINTS, Pose
from pgt.data.pseudo_label_index import PseudoLabels
from pgt.data.readers.folder import PeopleFolder
from pgt.layers.features import EncoderFeatures
from pgt.models.human_parser import HumanParser
from pgt.models.spt import SPTGenerator
from pgt.predictor import PARSER, Predictor, fit_person
from pgt.synthetic.products import product_picture, style_swatch
from tests.models.tiny_spt import TINY_SPT

FRONT, BACK = "2_B.jpg", "2_A.jpg"
SQUARE, TALL = (64, 64), (64, 32)


@pytest.fixture(scope="module")
def pair(real_data) -> Pair:
    """One woman from the front and from behind, 256x256, with joints and labels."""
    folder = PeopleFolder(real_data / "deepfashion_pair")
    return Pair(folder.person(FRONT), folder.person(BACK))


@pytest.fixture(scope="module")
def passers_by(real_data) -> list[Person]:
    """28 people in a street, 128x64, without labels."""
    folder = PeopleFolder(real_data / "market_photos")
    return [folder.person(name) for name in folder.names]


def tiny(size: tuple[int, int]) -> SPTGenerator:
    torch.manual_seed(0)
    return SPTGenerator.from_config(replace(TINY_SPT, image_size=size)).eval()


@pytest.fixture(params=["square", "tall", "bundled"])
def predictor(request) -> Predictor:
    """Untrained networks of a square and of a tall frame, and the bundled weights where there are any."""
    if request.param != "bundled":
        return Predictor(tiny(SQUARE if request.param == "square" else TALL))
    names = bundled_names("spt")
    if not names:
        pytest.skip("no weights of SPT are bundled")
    return Predictor.load(names[0])


@pytest.fixture
def parser(monkeypatch, tmp_path) -> None:
    """Where no parser is bundled, let an untrained one label the photographs."""
    if PARSER not in bundled_names("human-parser"):
        torch.manual_seed(0)
        small = HumanParser.from_config(HumanParserConfig(widths=(4, 6, 8)))
        monkeypatch.setattr("pgt.predictor.PARSER", str(save(small, tmp_path / "parser")))


# --- what the files say ---


def around(person: Person, joint: str, radius: int = 6) -> str:
    """Name the label that most of the person's pixels round a joint have."""
    x, y = person.keypoints[JOINTS.index(joint)].round().astype(int)
    near = person.label_map[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]
    return LABELS[np.bincount(near[near > 0]).argmax()]


def test_labels_of_a_front_view_lie_where_its_joints_are(pair):
    """Left and right are the person's own; a mirrored picture keeps that (6 and 7, 8 and 9 change places)."""
    for person in (pair.source, pair.source.flipped()):
        found = {name: around(person, name) for name in ("left_wrist", "right_wrist", "left_elbow", "nose")}
        assert found == {
            "left_wrist": "left_arm",
            "right_wrist": "right_arm",
            "left_elbow": "left_arm",
            "nose": "face",
        }
        assert around(person, "left_hip") == around(person, "right_hip") == "pants"


def test_published_labels_of_the_back_view_call_its_right_elbow_left(pair):
    """The trap of real label maps: the parser behind them takes a back for a front."""
    right, left = (pair.target.keypoints[JOINTS.index(f"{side}_shoulder")] for side in ("right", "left"))
    assert right[0] > left[0]  # the joints know that she is seen from behind
    assert around(pair.target, "right_elbow") == "left_arm"


def test_the_pairs_labels_are_read_as_ten_small_numbers(pair):
    for person in (pair.source, pair.target):
        assert person.label_map.dtype == np.uint8
        assert person.label_map.shape == (256, 256)
        assert {LABELS[label] for label in np.unique(person.label_map)} == {
            "background", "face", "hair", "upper_clothes", "pants", "left_arm", "right_arm",
        }  # fmt: skip


# --- Predictor ---


def test_spt_draws_the_pair_from_its_given_labels(pair, predictor):
    """By the common road, and on the fixed range: no picture is stretched to its own darkest and lightest."""
    for source, target in ((pair.source, pair.target), (pair.target, pair.source)):
        prediction = predictor.generate(source, target)
        fitted, wanted = (fit_person(one, predictor.image_size) for one in (source, target))
        assert np.array_equal(prediction.source.label_map, fitted.label_map)
        batch = encode_pair(Pair(fitted, wanted), predictor.image_size, predictor.pose_encoding)
        with torch.inference_mode():
            drawn = predictor.model(
                *(batch.source, batch.source_parsing, batch.source_keypoints, batch.source_visible),
                *(batch.target_keypoints, batch.target_visible),
            )
        expected = ((drawn.generated[0].movedim(0, -1) + 1) * 127.5).round().clamp(0, 255).byte().numpy()
        assert np.abs(prediction.image.astype(int) - expected).max() <= 1
        assert (prediction.label_map == drawn.parsing[0].argmax(0).numpy()).mean() > 0.999


def test_spt_follows_the_true_map_of_the_other_view(pair, predictor):
    wanted = fit_person(pair.target, predictor.image_size).label_map
    prediction = predictor.generate(pair.source, pair.target, label_map=wanted.astype(np.int64))
    assert np.array_equal(prediction.label_map, wanted)
    person = wanted > 0
    assert np.array_equal(prediction.image[person], prediction.foreground[person])
    assert np.array_equal(prediction.image[~person], prediction.background[~person])


def narrow(person: Person) -> Person:
    """Cut columns 40 to 215 out of a 256x256 picture, as public preparations of DeepFashion do."""
    pose = Pose(person.keypoints - np.array([40, 0]), person.visible, (256, 176))
    return Person(person.image[:, 40:216], pose, person.label_map[:, 40:216], name=person.name)


def test_a_picture_176_wide_is_padded_back_to_the_square_it_was_cut_from(pair):
    whole, cut = (fit_person(one, SQUARE) for one in (pair.source, narrow(pair.source)))
    np.testing.assert_allclose(cut.keypoints, whole.keypoints, atol=1e-4)
    np.testing.assert_array_equal(cut.label_map[:, 10:54], whole.label_map[:, 10:54])
    assert not cut.label_map[:, :10].any()
    assert not cut.label_map[:, 54:].any()


def test_spt_draws_pictures_176_wide(pair, predictor):
    prediction = predictor.generate(narrow(pair.source), narrow(pair.target))
    assert prediction.image.shape == (*predictor.image_size, 3)
    same = predictor.generate(pair.source, narrow(pair.target))
    np.testing.assert_allclose(prediction.target.keypoints, same.target.keypoints, atol=1e-4)
    if predictor.image_size[0] == predictor.image_size[1]:  # then the person has the size of before
        assert (prediction.source.label_map == same.source.label_map).mean() > 0.99


def test_spt_draws_passers_by_whose_labels_it_finds_itself(passers_by, predictor, parser):
    drawn = predictor.generate_batch(list(zip(passers_by, passers_by[1:] + passers_by[:1], strict=True)))
    height, width = predictor.image_size
    for prediction, person in zip(drawn, passers_by, strict=True):
        assert prediction.image.shape == (height, width, 3)
        assert prediction.source.label_map.shape == (height, width)
        seen = person.visible
        scale = min(height / 128, width / 64)
        expected = (person.keypoints[seen, 1] + 0.5) * scale - 0.5 + (height - 128 * scale) / 2
        np.testing.assert_allclose(prediction.source.keypoints[seen, 1], expected, atol=1)


# --- pgt generate ---


def generate(folder: Path, out: Path, weights: Path, *more: str) -> np.ndarray:
    words = ["--keypoints", folder / "keypoints.csv", "--weights", weights, "--out", out, *more]
    assert main(["generate", *map(str, words)]) == 0
    return np.asarray(Image.open(out))


def test_generate_draws_the_pair_from_its_label_files(real_data, pair, tmp_path):
    folder = real_data / "deepfashion_pair"
    weights = save(tiny(SQUARE), tmp_path / "spt")
    words = ("--image", str(folder / FRONT), "--target", str(folder / BACK))
    drawn = generate(folder, tmp_path / "a.png", weights, *words, "--parsing", str(folder / "2_B.npy"))
    expected = Predictor.load(weights).generate(pair.source, pair.target)
    assert np.array_equal(drawn, expected.image)
    other = generate(folder, tmp_path / "b.png", weights, *words, "--parsing", str(folder / "2_A.npy"))
    assert not np.array_equal(drawn, other)


def test_generate_finds_a_passer_bys_labels(real_data, parser, tmp_path):
    folder = real_data / "market_photos"
    weights = save(tiny(TALL), tmp_path / "spt")
    words = ("--image", str(folder / "12.jpg"), "--target", "30.jpg")
    assert generate(folder, tmp_path / "out.png", weights, *words).std() > 1


# --- applications ---


def test_textures_of_the_two_views_change_places(pair, predictor):
    results = transfer_clothing_texture(predictor, pair.source, pair.target, labels=CLOTHES)
    for result, person in zip(results, (pair.source, pair.target), strict=True):
        kept = fit_person(person, predictor.image_size)
        clothes = np.isin(kept.label_map, CLOTHES)
        assert clothes.any()
        assert np.array_equal(result.image[~clothes], kept.image[~clothes])
        assert not np.array_equal(result.image[clothes], kept.image[clothes])
        assert all(0 <= score.mean <= 1 for score in score_region(result, person).values())


def test_sleeves_grow_on_bare_arms_and_are_cut_again(pair, predictor):
    person = pair.source
    sleeved = set_sleeves(person.label_map, person.pose, 0.9)
    bare, cloth = np.isin(person.label_map, (6, 7)), LABELS.index("upper_clothes")
    assert (sleeved[bare] == cloth).mean() > 0.7
    cut = shorten_sleeves(sleeved, person.pose, 0.3)
    assert (cut[bare] == cloth).mean() < 0.5
    result = redraw(predictor, person, sleeved, where="changed")
    kept = fit_person(person, predictor.image_size)
    assert np.array_equal(result.image[~result.mask], kept.image[~result.mask])
    assert result.mask.any()


def test_an_edit_of_legs_out_of_sight_says_so(pair):
    with pytest.raises(ValueError, match="the pose shows no hip with its knee"):
        dress_to_pants(pair.source.label_map, pair.source.pose)


def test_products_and_patterns_are_tried_on(pair, predictor):
    product = product_picture(2, (90, 70))
    kept = fit_person(pair.source, predictor.image_size)
    for result in (
        try_on_product(predictor, pair.source, product.image, product.mask, product.landmarks, align=True),
        try_on_style(predictor, pair.source, style_swatch(4, (50, 90))),
    ):
        assert np.array_equal(result.mask, kept.label_map == LABELS.index("upper_clothes"))
        assert np.array_equal(result.image[~result.mask], kept.image[~result.mask])
        assert not np.array_equal(result.image[result.mask], kept.image[result.mask])


def test_applications_take_passers_by_once_they_are_parsed(passers_by, predictor, parser):
    one, other = (
        predictor.generate(person, passers_by[2]).source for person in (passers_by[0], passers_by[1])
    )
    result, _ = transfer_clothing_texture(predictor, one, other)
    assert result.image.shape == (*predictor.image_size, 3)
    with pytest.raises(ValueError, match="person A has no semantic map; parse the picture first"):
        transfer_clothing_texture(predictor, passers_by[0], other)


# --- search, training, evaluation ---


def test_the_search_pairs_the_two_views(real_data, tmp_path):
    words = ["pseudo-labels", "--data", str(real_data / "deepfashion_pair"), "--out", str(tmp_path)]
    assert main([*words, "--threads", "1"]) == 0
    labels = PseudoLabels.read(tmp_path / "index.jsonl")
    assert labels.pairs.tolist() == [[0, 1], [1, 0]]
    assert (labels.num_parts >= 6).all()  # torso, head and arms; nobody's legs are in the picture
    assert labels.facts["image_size"] == [256, 256]
    assert (tmp_path / "contact_sheet.png").exists()
    assert main([*words, "--out", str(tmp_path / "alone"), "--exclude-same-identity"]) == 0
    assert len(PseudoLabels.read(tmp_path / "alone" / "index.jsonl")) == 0


@pytest.fixture
def narrow_preset(monkeypatch) -> None:
    """Add a preset of a few thousand weights and two steps a stage, and features that cost nothing."""
    features = EncoderFeatures(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 4, 2, 1), slope=0.2)
    monkeypatch.setattr("pgt.commands.recipes._two_levels", lambda config: features)
    base = PRESETS["spt-tiny"]
    stages = tuple(replace(stage, num_steps=2, batch_size=2, image_size=TALL) for stage in base.stages)
    widths = dict.fromkeys(("widths", "semantic_widths", "background_widths"), (4, 6, 8))
    config = replace(base, **widths, image_size=TALL, discriminator_channels=4, stages=stages)
    monkeypatch.setitem(PRESETS, "spt-narrow", config)


def test_one_command_trains_on_the_pair_and_another_scores_it(real_data, narrow_preset, tmp_path):
    """Square pictures in a tall frame are padded, in training as in drawing."""
    data = str(real_data / "deepfashion_pair")
    words = ["train", "spt", "--preset", "spt-narrow", "--data", data, "--run-dir", str(tmp_path / "run")]
    assert main([*words, "--log-every", "1", "--threads", "1"]) == 0
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["stage"] for line in log] == ["semantic"] * 2 + ["appearance"] * 2 + ["end_to_end"] * 2
    generator = tmp_path / "run" / "generator"
    assert load(generator, quiet=True).config.image_size == TALL

    out = tmp_path / "scores.json"
    words = ["evaluate", "spt", "--weights", str(generator), "--data", data, "--beside", "--out", str(out)]
    assert main([*words, "--threads", "1"]) == 0
    means = json.loads(out.read_text())["means"]
    assert 0 < means["SPT"]["map_accuracy"] <= 1
    assert 0 < means["part warp"]["foreground_ssim"] <= 1


def test_people_to_train_on_are_padded_and_not_stretched(real_data, pair):
    arguments = argparse.Namespace(data=str(real_data / "deepfashion_pair"))
    _, lookup, _ = labelled_people(arguments, TALL)
    person, expected = lookup(0), fit_person(pair.source, TALL)
    assert np.array_equal(person.image, expected.image)
    assert np.array_equal(person.label_map, expected.label_map)
    width, height = np.ptp(person.keypoints[[2, 5]], axis=0)[0], np.ptp(person.keypoints[[2, 8]], axis=0)[1]
    whole = pair.source.keypoints
    ratio = np.ptp(whole[[2, 5]], axis=0)[0] / np.ptp(whole[[2, 8]], axis=0)[1]
    assert width / height == pytest.approx(ratio, rel=1e-3)
