"""MR-Net in the training loop: a run that is stopped after every step equals one that is not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pgt.checkpoint import load
from pgt.data.person import Pair, Person
from pgt.data.pose import Pose
from pgt.training.engine import Options, fit
from tests.models.tiny_mrnet import OURS, ROUNDS, SIZE
from tests.training.processes import log
from tests.training.test_mrnet import recipe

STEPS = 4


class NoisyPairs:
    """People of noise, each a rectangle, of one person in two places."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Pair:
        return Pair(self._person(index, 4), self._person(index, 16), str(index))

    def _person(self, seed: int, left: int) -> Person:
        random = np.random.default_rng(seed)
        keypoints = random.uniform((left, 10), (left + 10, 50), (18, 2)).astype(np.float32)
        mask = np.zeros(SIZE, bool)
        mask[10:50, left : left + 10] = True
        image = random.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        return Person(image, Pose(keypoints, np.ones(18, bool), SIZE), person_mask=mask)


def train(folder, **options):
    trained = recipe(ema_decay=0.9, stages=(replace(ROUNDS, num_steps=STEPS),), **OURS)
    pairs, options = NoisyPairs(), Options(log_every=1, sample_every=STEPS, save_every=STEPS, **options)
    stages = trained.config.stages
    return fit(trained, pairs, stages, folder, options=options, sample_pairs=[pairs[0]])


@pytest.mark.slow
def test_stopped_after_every_step_equals_uninterrupted(tmp_path):
    assert train(tmp_path / "whole").finished
    calls = 1
    while not train(tmp_path / "stopped", max_seconds=0.0).finished:
        calls += 1
    assert calls == STEPS
    assert log(tmp_path / "stopped") == log(tmp_path / "whole")
    ours, theirs = (
        load_file(tmp_path / run / "generator" / "model.safetensors") for run in ("stopped", "whole")
    )
    assert all(torch.equal(value, ours[name]) for name, value in theirs.items())
    assert (tmp_path / "whole" / "samples" / f"step_{STEPS:07d}.png").exists()
    model = load(tmp_path / "whole" / "generator", quiet=True)
    assert model.trained_stages == ("rounds",)
