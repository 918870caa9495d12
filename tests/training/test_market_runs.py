"""The Market-1501 presets as a user starts them, on a tiny folder in the official layout."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data import layouts
from tests.training.processes import finish, log, start

pytestmark = pytest.mark.slow

STAGES = {
    "pg2": ["coarse", "refine"],
    "spt": ["semantic", "appearance", "end_to_end"],
    "mrnet": ["rounds"] * 2,
}


@pytest.fixture(scope="module")
def market(tmp_path_factory) -> Path:
    """Market-1501 with label maps: two pictures of one person, one of another who has no joints."""
    root = layouts.market1501(tmp_path_factory.mktemp("data") / "Market-1501-v15.09.15")
    (root / "parsing").mkdir()
    stripes = np.repeat(np.arange(128, dtype=np.uint8)[:, None] // 13, 64, axis=1)
    for name in layouts.MARKET["bounding_box_train"]:
        Image.fromarray(stripes).save(root / "parsing" / f"{Path(name).stem}.png")
    return root


def train(approach: str, market: Path, run: Path, num_processes: int, *more: object) -> None:
    """Train a step or two of each stage of the preset, two pairs a step."""
    scale = {"mrnet": 4.5e-7}.get(approach, 1e-5)  # its preset is long
    words = f"train {approach} --preset {approach}-market1501 --batch-size 2 --steps-scale {scale}"
    words += " --log-every 1 --sample-every 1"
    folders = ["--data", f"market1501:{market}", "--run-dir", run]
    finish(
        start("tests.training.untrained_vgg", *words.split(), *folders, *more, num_processes=num_processes)
    )


@pytest.mark.parametrize("num_processes", [1, 2])
@pytest.mark.parametrize("approach", STAGES)
def test_it_starts_logs_samples_and_resumes(tmp_path, market, approach, num_processes):
    run = tmp_path / "run"
    train(approach, market, run, num_processes, "--max-seconds", 0.001)  # stops after its first step
    assert [line["step"] for line in log(run)] == [1]
    train(approach, market, run, num_processes)
    lines = log(run)
    assert [line["stage"] for line in lines] == STAGES[approach]
    assert all(np.isfinite(value) for line in lines for value in line.values() if not isinstance(value, str))
    sessions = [json.loads(line) for line in (run / "sessions.jsonl").read_text().splitlines()]
    assert [one["processes"] for one in sessions] == [num_processes] * len(sessions)
    assert (sessions[0]["last_step"], sessions[-1]["first_step"]) == (1, 1)
    for step in range(1, len(lines) + 1):
        assert Image.open(run / "samples" / f"step_{step:07d}.png").height >= 128
    card = (run / "generator" / "README.md").read_text()
    assert "read as market1501, split 'train'" in card
