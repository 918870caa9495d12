"""A Progressive of a few thousand weights, and a program that trains it.

    python -m tests.training.tiny_progressive RUN_DIR [--pause SECONDS]

The tests of its recipe start this program in processes of their own, kill it, and start it again.
"""

import argparse
import time
from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pgt.config import ProgressiveConfig, Stage
from pgt.data.person import Pair, PairBatch, Person
from pgt.data.pose import Pose
from pgt.layers.perceptual import PerceptualLayers
from pgt.layers.skip_unet import DownEncoder
from pgt.training.engine import Options, Progress, fit
from pgt.training.progressive import ProgressiveRecipe

SIZES = ((16, 8), (32, 16), (64, 32))  # twice as high as wide, for H and W are easily swapped
STAGES = tuple(Stage(f"level_{size[0]}", 6, size, batch_size=2, lr=1e-3) for size in SIZES)
TINY = ProgressiveConfig(
    image_size=SIZES[-1],
    widths=(10, 8, 6, 5, 4),
    pose_sigma=1.0,
    descriptors=(18, 18, 31),
    features="human-parser",
    discriminator_channels=4,
    stages=STAGES,
)


# What each stage trains: its own blocks and all coarser ones, and its own way from and to RGB.
LEVELS = dict(
    zip(
        STAGES,
        [
            {f"{side}.{k}" for side in ("downs", "ups") for k in range(level + 1)}
            | {f"from_rgb.{level - 1}", f"to_rgb.{level - 1}"}
            for level in (1, 2, 3)
        ],
        strict=True,
    )
)


class SlowRecipe(ProgressiveRecipe):
    """Waits before every step: time to be killed in."""

    pause = 0.0

    def train_step(self, batch: PairBatch, stage: Stage) -> dict[str, Tensor]:
        time.sleep(self.pause)
        return super().train_step(batch, stage)


def recipe(**changes: object) -> SlowRecipe:
    """Build the recipe with some settings changed, always with the same weights."""
    torch.manual_seed(0)
    features = PerceptualLayers.of_encoder(DownEncoder(3, (4, 5, 6, 6, 6), "none"))
    return SlowRecipe(replace(TINY, **changes), features)


def make_batch(size: tuple[int, int]) -> PairBatch:
    """Two pairs of smooth colour fields; the second target lacks a hip and a hand, the sources an eye."""
    random = torch.Generator().manual_seed(0)
    source, target = (F.interpolate(torch.rand(2, 3, 4, 2, generator=random) * 2 - 1, size) for _ in range(2))
    corner = torch.tensor([size[1] - 1.0, size[0] - 1.0])
    keypoints = torch.rand(2, 2, 18, 2, generator=random) * corner
    seen, wanted = torch.ones(2, 2, 18, dtype=torch.bool)
    wanted[1, [4, 8]] = False
    seen[:, 14] = False
    return PairBatch(source, target, keypoints[0], keypoints[1], seen, wanted)


def moved(trained: ProgressiveRecipe, stage: Stage) -> set[str]:
    """Names of all values that one step changes."""
    before = deepcopy(trained.nets.state_dict())
    trained.train_step(make_batch(stage.image_size), stage)
    return {name for name, value in trained.nets.state_dict().items() if not torch.equal(value, before[name])}


def blocks(names: set[str]) -> set[str]:
    """Which blocks the names belong to, such as "downs.1"."""
    return {".".join(name.removeprefix("generator.autoencoder.").split(".")[:2]) for name in names}


class ColourPairs:
    """Pairs of people drawn as noise, each a function of its index."""

    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> Pair:
        return Pair(self._person(2 * index), self._person(2 * index + 1), name=str(index))

    def _person(self, seed: int) -> Person:
        random, (height, width) = np.random.default_rng(seed), SIZES[-1]
        pose = Pose(random.uniform(0, (width, height), (18, 2)), random.random(18) > 0.1, SIZES[-1])
        return Person(random.integers(0, 256, (height, width, 3), dtype=np.uint8), pose)


def train(run_dir: object, pause: float = 0.0, **keywords: object) -> tuple[ProgressiveRecipe, Progress]:
    """Train through all levels, or as far as the options allow."""
    trained, pairs = recipe(), ColourPairs()
    trained.pause = pause
    keywords = {"options": Options(log_every=1, sample_every=5, save_every=4), **keywords}
    return trained, fit(trained, pairs, STAGES, run_dir, sample_pairs=[pairs[0]], **keywords)


def main() -> None:
    """Train in this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run_dir")
    parser.add_argument("--pause", type=float, default=0.0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    train(arguments.run_dir, arguments.pause)


if __name__ == "__main__":
    main()
