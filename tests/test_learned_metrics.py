"""LPIPS, FID, KID, IS and detection score, without the trained weights.

The arithmetic on given features; the networks' code on random weights; what is said where there are none.
"""

import math

import numpy as np
import pytest
import torch

from pgt import metrics
from pgt.data.person import Pair
from pgt.evaluation import COPY, TRUTH, evaluate
from pgt.judges import Inception, Judges, load_detector, load_inception, load_judges, load_lpips
from pgt.protocols import PROTOCOLS
from tests.test_protocols import make_person


@pytest.fixture
def features() -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    random = torch.Generator().manual_seed(1)
    shape = {"generator": random, "dtype": torch.float64}
    generated = torch.randn(24, 5, **shape), 3 * torch.randn(24, 7, **shape)
    return generated, (0.7 + 1.5 * torch.randn(24, 5, **shape), torch.randn(24, 7, **shape))


def scores_of(generated, true=None) -> dict[str, float]:
    pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
    sets = metrics.SetScores()
    for part in (slice(0, 10), slice(10, 24)):
        batches = [tuple(one[part] for one in pair) for pair in (generated, true) if pair is not None]
        sets.add(*batches)
    return sets.compute()


def test_fid_is_the_distance_of_two_gaussians(features):
    linalg = pytest.importorskip("scipy.linalg", reason="scipy is not installed")
    a, b = (one[0].numpy() for one in features)
    root = linalg.sqrtm(np.cov(a, rowvar=False) @ np.cov(b, rowvar=False)).real
    spread = np.trace(np.cov(a, rowvar=False) + np.cov(b, rowvar=False) - 2 * root)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + spread
    assert scores_of(*features)["fid"] == pytest.approx(expected, rel=1e-6)
    assert scores_of(features[0], features[0])["fid"] == pytest.approx(0, abs=1e-6)


def test_kid_is_the_unbiased_discrepancy_by_loops(features):
    a, b = (one[0].numpy() for one in features)

    def mean(first: np.ndarray, second: np.ndarray, skip: bool) -> float:
        values = [
            (x @ y / 5 + 1) ** 3
            for i, x in enumerate(first)
            for j, y in enumerate(second)
            if not (skip and i == j)
        ]
        return float(np.mean(values))

    expected = mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)
    assert scores_of(*features)["kid"] == pytest.approx(expected, rel=1e-6)


def test_inception_score_of_ten_splits_by_loops(features):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(metrics.SEED)
        order = torch.randperm(24)
    parts = []
    for part in features[0][1][order].softmax(1).chunk(10):
        mean = part.mean(0)
        parts.append(math.exp(np.mean([float((p * (p / mean).log()).sum()) for p in part])))
    assert scores_of(features[0])["is"] == pytest.approx(np.mean(parts), rel=1e-9)


def test_set_scores_leave_the_callers_random_numbers_alone(features):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    scores_of(*features)
    assert torch.equal(torch.rand(3), expected)


def test_one_picture_is_no_set(features):
    sets = metrics.SetScores()
    assert not sets
    sets.add(tuple(one[:1] for one in features[0]))
    assert sets
    with pytest.raises(ValueError, match="at least two pictures"):
        sets.compute()


def test_lpips_code_on_random_weights():
    pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
    torch.manual_seed(0)
    network = load_lpips(random_weights=True)
    target = torch.rand(2, 3, 64, 64)
    score = metrics.lpips(target.flip(3), target, network)
    assert score.values.shape == (2,)
    assert score.values.min() > 0
    assert metrics.lpips(target, target, network).values.tolist() == pytest.approx([0, 0], abs=1e-9)
    alone = metrics.lpips(target[:1].flip(3), target[:1], network)
    assert alone.mean == pytest.approx(float(score.values[0]), rel=1e-4)
    assert "random" in score.protocol["network"]  # nobody takes it for LPIPS


def test_detection_score_is_the_highest_of_a_person():
    found = [
        {"labels": torch.tensor([1, 1, 3]), "scores": torch.tensor([0.2, 0.6, 0.9])},
        {"labels": torch.tensor([], dtype=torch.long), "scores": torch.tensor([])},
        {"labels": torch.tensor([2]), "scores": torch.tensor([0.9])},
    ]
    score = metrics.detection_score(torch.rand(3, 3, 8, 8), lambda pictures: found)
    assert score.values.tolist() == pytest.approx([0.6, 0, 0])


@pytest.mark.slow
def test_detector_code_on_random_weights():
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    network = load_detector(random_weights=True)
    network.transform.min_size, network.transform.max_size = (64,), 64
    score = metrics.detection_score(torch.rand(1, 3, 64, 64), network)
    assert 0 <= score.mean <= 1
    assert "random" in score.protocol["network"]


@pytest.mark.slow
def test_inception_code_on_random_weights(monkeypatch):
    module = pytest.importorskip(
        "torch_fidelity.feature_extractor_inceptionv3", reason="torch-fidelity is not installed"
    )
    monkeypatch.setattr(module, "load_state_dict_from_url", lambda *_, **__: {})
    monkeypatch.setattr(module.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
    pooled, logits = load_inception()((255 * torch.rand(2, 3, 40, 40)).byte())
    assert pooled.shape == (2, 2048)
    assert logits.shape == (2, 1008)


def test_without_weights_each_metric_says_so_in_one_sentence(monkeypatch, tmp_path):
    pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
    pytest.importorskip("torch_fidelity", reason="torch-fidelity is not installed")

    def offline(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    found = load_judges(["lpips", "fid", "mask_is"])
    assert (found.lpips, found.inception, found.detector) == (None, None, None)
    assert set(found.missing) == {"lpips", "fid", "mask_is"}
    assert all(reason.endswith("could not be downloaded.") for reason in found.missing.values())
    result = evaluate({}, [Pair(make_person(0), make_person(1))], judges=found)
    assert result.facts["missing"] == found.missing
    assert not {"lpips", "fid"} & set(result.means[COPY])
    head, _, row = result.to_markdown(["ssim", "lpips", "fid"]).splitlines()[:3]
    assert head == "| method | SSIM ↑ | LPIPS ↓ | FID ↓ |"
    assert row.endswith("|  |  |")
    with pytest.raises(ValueError, match="no metric 'vgg' needs a network"):
        load_judges(["vgg"])


class TinyInception(torch.nn.Module):
    """Features are the mean colour, logits a hundred times them: enough to see what it was shown."""

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        assert images.dtype == torch.uint8
        means = images.double().mean((2, 3)) / 255
        return means, 100 * means


def test_an_evaluation_asks_them_for_every_row_and_for_the_truth():
    pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
    pairs = [Pair(make_person(seed), make_person(seed + 50)) for seed in range(12)]  # 12: ten splits
    found = Judges(
        lpips=lambda x, y: (x - y).abs().mean((1, 2, 3), keepdim=True),
        inception=Inception(TinyInception()),
        detector=lambda pictures: [{"labels": torch.ones(1), "scores": p.mean()[None]} for p in pictures],
    )
    result = evaluate({}, pairs, judges=found, batch_size=7)
    copied, true = result.means[COPY], result.means[TRUTH]
    assert copied["lpips"] == pytest.approx(2 * copied["l1"])
    assert true["fid"] == pytest.approx(0, abs=1e-9)
    assert copied["fid"] > 0
    assert copied["is"] >= 1
    assert copied["mask_is"] != copied["is"]
    assert 0 < copied["detection"] < 1
    assert result.protocol["fid"]["pictures"] == 12
    assert "multiplied" in result.protocol["mask_is"]["mask"]
    white = evaluate({}, pairs, judges=found, protocol=PROTOCOLS["patn"])
    assert white.means[COPY]["detection"] > copied["detection"]  # it sees the white columns
    only = evaluate({}, pairs, judges=Judges(("is",), inception=found.inception))
    assert "fid" not in only.means[COPY]
    assert only.means[COPY]["is"] == pytest.approx(copied["is"])
