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
from pgt.data.person import Pair, Person
from pgt.data.pose import NUM_JOINTS, Pose
from pgt.evaluation import COPY, TRUTH, WARP, evaluate, score_picture, with_true_maps
from pgt.models.pose_estimator import PoseEstimator
from pgt.models.spt import SPTGenerator
from pgt.predictor import Predictor
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
    assert content["facts"]["data"] == {"split": "test", "pairs": 5}
    assert content["facts"]["torch"] == torch.__version__
    assert {"date", "seconds", "threads", "machine", "commit", "mask"} <= set(content["facts"])
    assert content["protocol"]["mask_ssim"]["window"] == "gaussian"
    assert "target" in content["protocol"]["mask_ssim"]["mask"]


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
