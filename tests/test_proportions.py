"""Training, evaluation and the predictor see one picture, and its joints, in one and the same way."""

import numpy as np
import pytest
import torch
from PIL import Image

from pgt.__main__ import main
from pgt.config import PRESETS
from pgt.data.person import uint8_to_signed
from pgt.data.pose import PoseEncoding
from pgt.data.readers.keypoint_csv import write_keypoint_csv
from pgt.predictor import Predictor
from pgt.training import engine
from pgt.training.loading import load_batches
from tests.data import layouts

SIZE, NAMES = (27, 48), ("a.png", "b.png")  # twice as wide as high; the tiny PG2 is twice as high as wide


@pytest.fixture
def wide(tmp_path):
    """A folder with two wide pictures, their joints and label maps."""
    folder, random = tmp_path / "wide", np.random.default_rng(0)
    (folder / "parsing").mkdir(parents=True)
    for name in NAMES:
        Image.fromarray(random.integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(folder / name)
        Image.fromarray(random.integers(1, 10, SIZE, dtype=np.uint8)).save(folder / "parsing" / name)
    write_keypoint_csv(folder / "keypoints.csv", {name: layouts.joints(SIZE, 3) for name in NAMES})
    (folder / "pairs.csv").write_text("from,to\na.png,b.png\n")
    return folder


def test_training_and_evaluation_see_equal_joints_pictures_and_maps(
    wide, tiny_config, tiny_checkpoint, tmp_path, monkeypatch
):
    monkeypatch.setitem(PRESETS, "pg2-narrow", tiny_config)
    trained, evaluated, generate = [], [], Predictor.generate_batch

    def stopped(recipe, dataset, *_, **__):
        trained.append(dataset)
        raise ValueError("enough seen")

    def watched(self, pairs, *arguments, **settings):
        evaluated.extend(generate(self, pairs, *arguments, **settings))
        return evaluated[-len(pairs) :]

    monkeypatch.setattr(engine, "fit", stopped)
    monkeypatch.setattr(Predictor, "generate_batch", watched)
    run = ["--preset", "pg2-narrow", "--run-dir", str(tmp_path / "run"), "--data", str(wide)]
    assert main(["train", "pg2", *run]) == 2
    weights = ["--weights", str(tiny_checkpoint), "--beside"]
    assert main(["evaluate", "pg2", *weights, "--data", str(wide)]) == 0

    size = tiny_config.image_size
    keys, cpu = [[(0, False)]], torch.device("cpu")
    (batch,) = load_batches(trained[0], keys, size, PoseEncoding(), cpu)
    seen = evaluated[0]
    assert torch.equal(batch.source[0], uint8_to_signed(seen.source.image))
    assert np.array_equal(batch.source_keypoints[0], seen.source.keypoints)
    assert np.array_equal(batch.target_keypoints[0], seen.target.keypoints)
    assert np.array_equal(batch.source_label_map[0], seen.source.label_map)
    # Nothing was stretched: a picture pixel is a square, so heights shrink as widths do.
    joints = layouts.joints(SIZE, 3)[0]
    spans = [np.ptp(points, axis=0) for points in (joints, batch.source_keypoints[0].numpy())]
    assert spans[1] / spans[0] == pytest.approx([32 / 48, 32 / 48], rel=0.02)
