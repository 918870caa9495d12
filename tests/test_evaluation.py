"""The table that compares methods: right rows, right numbers, and a record of how they were measured."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pgt import metrics
from pgt.config import PoseEstimatorConfig
from pgt.data.boxes import person_boxes, proportioned_boxes
from pgt.data.person import Pair, Person
from pgt.data.pose import NUM_JOINTS, Pose
from pgt.evaluation import (
    COLUMNS,
    COPY,
    MAX_COLUMNS,
    TRUTH,
    WARP,
    EvaluationResult,
    evaluate,
    score_picture,
    with_true_maps,
)
from pgt.judges import JUDGED
from pgt.models.crop_baselines import to_frame
from pgt.models.pose_estimator import PoseEstimator
from pgt.models.spt import SPTGenerator
from pgt.predictor import Predictor
from pgt.truth import Truth, score
from tests.models.tiny_spt import TINY_SPT

SIZE = (64, 32)


def make_person(seed: int, *, with_mask: bool = True, size: tuple[int, int] = SIZE) -> Person:
    generator = np.random.default_rng(seed)
    image = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
    keypoints = generator.uniform(2, [size[1] - 3, size[0] - 3], (NUM_JOINTS, 2))
    mask = np.zeros(size, bool)
    mask[10:50, 8:24] = True
    pose = Pose(keypoints, np.ones(NUM_JOINTS, bool), size)
    return Person(image, pose, person_mask=mask if with_mask else None)


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return [Pair(make_person(seed), make_person(seed + 100)) for seed in range(5)]


def test_the_foreground_is_the_targets_own() -> None:
    source, target = make_person(0), make_person(1)
    other = replace(source, person_mask=~source.person_mask)
    methods = {"copy": lambda chunk: [pair.source.image for pair in chunk]}
    one, two = (evaluate(methods, [Pair(person, target)], baselines=False) for person in (source, other))
    for column in ("mask_ssim", "foreground_ssim", "foreground_l1"):
        assert one.means["copy"][column] == two.means["copy"][column]


def test_the_judge_sees_pictures_from_minus_one_to_one(pairs) -> None:
    seen = []

    def find_joints(pictures):
        seen.append(pictures)
        return torch.zeros(len(pictures), NUM_JOINTS, 2), None

    evaluate({}, pairs, pose_estimator=SimpleNamespace(find_joints=find_joints))
    assert -1 <= seen[0].min() < -0.9
    assert 0.9 < seen[0].max() <= 1


def perfect(chunk) -> list[np.ndarray]:
    return [pair.target.image for pair in chunk]


def test_rows_and_the_numbers_in_them(pairs) -> None:
    result = evaluate({"perfect": perfect}, pairs, batch_size=2)
    assert list(result.means) == ["perfect", COPY, WARP]
    assert result.means["perfect"]["ssim"] == pytest.approx(1)
    assert result.means["perfect"]["foreground_l1"] == 0
    assert math.isinf(result.means["perfect"]["psnr"])
    source, target = (
        torch.from_numpy(np.stack([getattr(pair, side).image for pair in pairs])).permute(0, 3, 1, 2) / 255
        for side in ("source", "target")
    )
    mask = torch.from_numpy(np.stack([pair.target.person_mask for pair in pairs]))[:, None].float()
    copied = result.means[COPY]
    assert copied["ssim"] == pytest.approx(metrics.ssim(source, target).mean)
    assert copied["mask_ssim"] == pytest.approx(metrics.mask_ssim(source, target, mask).mean)
    assert copied["foreground_l1"] == pytest.approx(metrics.foreground_l1(source, target, mask).mean)
    assert copied["psnr"] == pytest.approx(metrics.psnr(source, target).mean)
    assert copied["sharpness"] == pytest.approx(metrics.sharpness(source, target, mask).mean)
    values = metrics.l1(source, target).values
    assert result.standard_errors[COPY]["l1"] == pytest.approx(float(values.std()) / math.sqrt(5))


def test_the_batch_size_changes_nothing(pairs) -> None:
    one, all_ = (evaluate({}, pairs, batch_size=size) for size in (1, 8))
    for row in one.means:
        for column in set(one.means[row]) - {"milliseconds"}:
            assert one.means[row][column] == pytest.approx(all_.means[row][column], rel=1e-3)


def test_two_stages_fill_two_rows(pairs, tiny_generator) -> None:
    result = evaluate({"PG2": Predictor(tiny_generator)}, pairs[:2], baselines=False)
    assert list(result.means) == ["PG2 coarse", "PG2 refined"]
    assert result.means["PG2 coarse"] != result.means["PG2 refined"]
    assert result.means["PG2 refined"]["milliseconds"] > 0


def test_the_truth_is_fitted_into_the_models_frame(tiny_generator) -> None:
    wide = [Pair(make_person(0, size=(96, 96)), make_person(1, size=(96, 96)))]
    result = evaluate({"PG2": Predictor(tiny_generator)}, wide)
    assert 0 < result.means[COPY]["psnr"] < 20
    other = Predictor(tiny_generator)
    other.image_size = (32, 32)
    with pytest.raises(ValueError, match="share a frame"):
        evaluate({"one": Predictor(tiny_generator), "other": other}, wide)


def test_pckh_comes_with_the_estimators_own_score(pairs) -> None:
    estimator = PoseEstimator.from_config(PoseEstimatorConfig(widths=(4, 4, 4, 4))).eval()
    result = evaluate({}, pairs, pose_estimator=estimator)
    assert list(result.means) == [COPY, WARP, TRUTH]
    assert 0 <= result.means[TRUTH]["pckh"] <= 1
    assert result.protocol["pckh"]["threshold"] == 0.5
    assert "pckh" not in evaluate({}, pairs).means[COPY]


def test_a_close_up_shows_the_estimator_the_person_alone() -> None:
    """A dot in the picture is where the joint then is."""
    size, joints = (96, 96), np.arange(NUM_JOINTS)
    keypoints = np.stack([60 + joints % 5 * 4, 20 + joints // 5 * 8], axis=1).astype(np.float32)
    image = np.zeros((*size, 3), np.uint8)
    seen = []

    def find_joints(pictures):
        seen.append(pictures)
        return torch.zeros(len(pictures), NUM_JOINTS, 2), None

    x, y = keypoints[7].astype(int)
    image[y, x] = 255
    target = Person(image, Pose(keypoints, np.ones(NUM_JOINTS, bool), size), person_mask=image[..., 0] > 0)
    judge = SimpleNamespace(find_joints=find_joints)
    truth = Truth.of([target])
    scores = [score([image], truth, judge, close_up=close_up)["pckh"] for close_up in (False, True)]
    whole, close = ((picture[0].sum(0) > -3).nonzero().float() for picture in seen)
    assert whole.tolist() == [[y, x]]
    assert len(close) > 4  # enlarged
    boxes = proportioned_boxes(person_boxes(truth.keypoints, truth.visible, size), size, size)
    place = to_frame(truth.keypoints, boxes, size)[0, 7]
    assert close.mean(0).tolist() == pytest.approx(place.flip(0).tolist(), abs=1)
    right = SimpleNamespace(find_joints=lambda pictures: (to_frame(truth.keypoints, boxes, size), None))
    assert score([image], truth, right, close_up=True)["pckh"].mean == 1
    assert score([image], truth, right)["pckh"].mean < 1
    assert scores[0].protocol["searched"] == "the picture"
    assert "enlarged" in scores[1].protocol["searched"]


def test_the_foreground_can_be_the_pose_mask(pairs) -> None:
    people = [Pair(make_person(0), make_person(1, with_mask=False))]
    assert evaluate({}, people, mask="pose").means[COPY]["foreground_l1"] > 0
    with pytest.raises(ValueError, match="mask='pose'"):
        evaluate({}, people)
    with pytest.raises(ValueError, match="'person' or 'pose'"):
        evaluate({}, pairs, mask="box")
    with pytest.raises(ValueError, match="no pairs"):
        evaluate({}, [])


def test_markdown_and_json(pairs, tmp_path) -> None:
    result = evaluate({"perfect": perfect}, pairs, data={"split": "test"})
    lines = result.to_markdown(["ssim", "psnr", "pckh"]).splitlines()
    assert lines[0] == "| method | SSIM ↑ | PSNR, dB ↑ |"
    assert lines[2] == "| perfect | 1.000 | ∞ |"
    assert str(result).count("\n") == 4
    result.save(tmp_path / "results" / "quality.json")
    content = json.loads((tmp_path / "results" / "quality.json").read_text())
    assert content["means"]["perfect"]["psnr"] is None
    assert content["facts"]["data"].items() >= {"split": "test", "pairs": 5}.items()
    assert content["facts"]["torch"] == torch.__version__
    assert {"date", "seconds", "threads", "machine", "commit", "mask"} <= set(content["facts"])
    assert content["protocol"]["mask_ssim"]["window"] == "gaussian"
    assert "target" in content["protocol"]["mask_ssim"]["mask"]


def test_the_background_is_all_but_the_targets_mask(pairs) -> None:
    result = evaluate({}, pairs[:1])
    source, target = (one.image.astype(float) / 255 for one in (pairs[0].source, pairs[0].target))
    expected = np.abs(source - target)[~pairs[0].target.person_mask].mean()
    assert result.means[COPY]["background_l1"] == pytest.approx(expected)
    everywhere = replace(pairs[0].target, person_mask=np.ones(SIZE, bool))
    assert math.isnan(evaluate({}, [Pair(pairs[0].source, everywhere)]).means[COPY]["background_l1"])


def test_local_ssim_is_that_of_the_regions_and_missing_where_they_are_too_small(pairs) -> None:
    assert "local_ssim" not in evaluate({}, pairs).means[COPY]
    size = (88, 96)
    source, target = make_person(0, size=size), make_person(1, size=size)
    nose_and_neck = Pose(target.keypoints, np.arange(NUM_JOINTS) < 2, size)
    result = evaluate({}, [Pair(source, replace(target, pose=nose_and_neck))])
    one, other = (torch.from_numpy(p.image).permute(2, 0, 1)[None] / 255 for p in (source, target))
    nose, neck = nose_and_neck.keypoints[:2]
    found = []
    for x, y in (nose, neck, nose + (neck - nose) / 3, nose + (neck - nose) * 2 / 3):
        left = min(max(math.floor(x - 12 / 2 + 1), 0), 96 - 12)
        top = min(max(math.floor(y - 11 / 2 + 1), 0), 88 - 11)
        found.append(metrics.ssim(*(p[..., top : top + 11, left : left + 12] for p in (one, other))).mean)
    assert result.means[COPY]["local_ssim"] == pytest.approx(np.mean(found), abs=1e-6)


def test_a_table_that_nobody_chose_does_not_get_too_wide() -> None:
    row = dict.fromkeys([column for column in COLUMNS if column not in JUDGED], 0.5)
    result = EvaluationResult({"a": row}, {}, {})
    titles = result.to_markdown().splitlines()[0].strip("| ").split(" | ")
    assert len(titles) == 1 + MAX_COLUMNS
    left_out = [COLUMNS[column][0] for column in row if COLUMNS[column][0] not in titles]
    assert left_out == ["MS-SSIM ↑", "map accuracy ↑"]
    assert result.to_markdown(["ms_ssim"]).startswith("| method | MS-SSIM ↑ |")
    del row["milliseconds"], row["map_iou"]
    assert "MS-SSIM" in result.to_markdown()


def test_one_picture() -> None:
    truth = make_person(3)
    scores = score_picture(truth.image, truth)
    assert scores["ssim"] == pytest.approx(1)
    assert scores["foreground_l1"] == 0
    assert score_picture(make_person(4).image, truth)["ssim"] < 0.5


def labelled(person: Person, seed: int) -> Person:
    return replace(person, label_map=np.random.default_rng(seed).integers(0, 10, SIZE, dtype=np.uint8))


def test_predicted_maps_are_scored_over_all_pixels_beside_the_sources(pairs) -> None:
    torch.manual_seed(0)
    predictor = Predictor(SPTGenerator.from_config(replace(TINY_SPT, image_size=SIZE)))
    pairs = [Pair(labelled(pair.source, i), labelled(pair.target, 9 - i)) for i, pair in enumerate(pairs[:3])]

    result = evaluate({"SPT": predictor, "TS-GT": with_true_maps(predictor)}, pairs, batch_size=2)

    drawn = [predictor.generate(pair.source, pair.target.pose).label_map for pair in pairs]
    true = [pair.target.label_map for pair in pairs]
    right = np.mean([found == labels for found, labels in zip(drawn, true, strict=True)])
    assert result.means["SPT"]["map_accuracy"] == pytest.approx(right)
    copied = np.mean([pair.source.label_map == pair.target.label_map for pair in pairs])
    assert result.means[COPY]["map_accuracy"] == pytest.approx(copied)
    assert "map_iou" not in result.means[WARP]
    assert result.means["TS-GT"]["l1"] != result.means["SPT"]["l1"]
    assert "map mIoU" in result.to_markdown()


def test_without_predicted_maps_there_are_no_columns_of_maps(pairs) -> None:
    pairs = [Pair(labelled(pair.source, 1), labelled(pair.target, 2)) for pair in pairs[:2]]
    result = evaluate({}, pairs)
    assert not any("map_iou" in row for row in result.means.values())
    assert "map_iou" not in result.protocol


def test_results_name_a_folder_but_not_where_it_lies(tiny_checkpoint, pairs) -> None:
    result = evaluate({"tiny": Predictor.load(tiny_checkpoint)}, pairs, baselines=False)
    assert result.facts["models"]["tiny"] == f"the folder {tiny_checkpoint.name}"
    assert str(tiny_checkpoint.parent) not in result.to_json()
