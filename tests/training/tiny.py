"""A recipe of a few hundred weights, and a program that trains it: `python -m tests.training.tiny RUN_DIR`.

The tests of the engine start this program as a child process, kill it, and start it again.
"""

import argparse
import json
import os
import time
from dataclasses import dataclass

import numpy as np
import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import nn

from pgt import checkpoint
from pgt.config import Stage
from pgt.data.person import Pair, Person
from pgt.data.pose import Pose, PoseEncoding
from pgt.training.engine import Options, fit
from pgt.training.schedule import learning_rate

SIZE = (16, 8)
STAGES = (
    Stage("first", 30, SIZE, batch_size=4, lr=0.01),
    Stage("second", 10, SIZE, batch_size=2, lr=0.01, lr_schedule="cosine"),
)


@dataclass(frozen=True)
class TinyConfig:
    """What the tiny recipe can be asked to do wrong."""

    width: int = 4
    poison_at: int = -1  # the loss is not a number from this call on


class TinyModel(nn.Module, PyTorchModelHubMixin):
    """Source -> picture, with dropout so that random numbers matter."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(21, width, 3, padding=1), nn.ReLU(), nn.Dropout(0.2), nn.Conv2d(width, 3, 1)
        )
        self.pose_encoding = PoseEncoding(radius=1.0)

    def forward(self, source: torch.Tensor, target_pose: torch.Tensor) -> torch.Tensor:
        return self.net(torch.cat([source, target_pose], dim=1))


class TinyRecipe:
    """Least squares with Adam; keeps the batches' names for the tests."""

    def __init__(self, config: TinyConfig | None = None, pause: float = 0.0) -> None:
        torch.manual_seed(0)
        self.config, self.pause = config or TinyConfig(), pause  # seconds a step: time to be killed in
        self.model = TinyModel(self.config.width)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.seen: list[tuple[str, ...]] = []

    def prepare(self, accelerator) -> None:
        self.accelerator = accelerator
        self.wrapped, self.optimizer = accelerator.prepare(self.model, self.optimizer)

    def set_lr(self, stage, step) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(stage, step)

    def train_step(self, batch, stage):
        time.sleep(self.pause)
        self.seen.append(batch.names)
        loss = (self.wrapped(batch.source, batch.target_pose) - batch.target).square().mean()
        if 0 <= self.config.poison_at < len(self.seen):
            loss = loss * torch.nan
        self.accelerator.backward(loss)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return {"g/l2": loss.detach(), "g/mean": batch.source.mean()}

    def sample(self, batch):
        self.model.eval()
        with torch.no_grad():  # pictures to look at
            generated = self.model(batch.source, batch.target_pose)
        self.model.train()
        return {"generated": generated}

    def deployable(self):
        return self.model

    def state_dict(self):
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])


class TinyPairs:
    """Pairs of noise, each a function of its index; its name is the index."""

    def __init__(self, length: int = 10) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Pair:
        return Pair(self._person(2 * index), self._person(2 * index + 1), name=str(index))

    def _person(self, seed: int) -> Person:
        random = np.random.default_rng(seed)
        keypoints = random.uniform(0, 8, (18, 2)).astype(np.float32)
        pose = Pose(keypoints, np.ones(18, bool), SIZE)
        return Person(random.integers(0, 256, (*SIZE, 3), dtype=np.uint8), pose)


def register() -> None:
    """Let checkpoints hold the tiny model."""
    checkpoint.MODEL_CLASSES["tiny"] = f"{TinyModel.__module__}:TinyModel"


def main() -> None:
    """Train; write what each process saw and ended with beside the run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run_dir")
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--report")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint.MODEL_CLASSES["tiny"] = "__main__:TinyModel"
    recipe = TinyRecipe(pause=arguments.pause)
    options = Options(log_every=3, sample_every=10, save_every=4, num_workers=arguments.workers)
    pairs = TinyPairs()
    fit(recipe, pairs, STAGES, arguments.run_dir, options=options, sample_pairs=[pairs[0]])
    if arguments.report:
        weights = {name: value.tolist() for name, value in recipe.model.state_dict().items()}
        with open(f"{arguments.report}.{os.environ.get('RANK', '0')}", "w") as file:
            json.dump({"seen": recipe.seen, "weights": weights}, file)


if __name__ == "__main__":
    main()
