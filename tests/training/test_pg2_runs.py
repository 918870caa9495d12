"""`pgt train pg2` as a user starts it: killed and started again, and shared by two processes."""

import json
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training import processes
from tests.training.processes import finish, log

pytestmark = pytest.mark.slow


def start(folder: Path, run: str, num_processes: int = 1) -> subprocess.Popen:
    """Start a training of 40 coarse and 15 refining steps on four rendered people."""
    words = "--preset pg2-tiny --scene plain --identities 2 --poses 2 --steps-scale 0.05 --batch-size 2"
    words += " --log-every 1 --save-every 5 --sample-every 20"
    folders = ["--run-dir", folder / run, "--cache", folder / "cache"]
    return processes.start("pgt", "train", "pg2", *folders, *words.split(), num_processes=num_processes)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "generator" / "model.safetensors")


def test_killed_in_both_stages_equals_uninterrupted(tmp_path):
    finish(start(tmp_path, "whole"))
    for beyond in (random.randint(6, 30), random.randint(42, 50)):
        process = start(tmp_path, "killed")
        while len(log(tmp_path / "killed")) < beyond and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    finish(start(tmp_path, "killed"))
    assert log(tmp_path / "killed") == log(tmp_path / "whole")
    ours = weights(tmp_path / "killed")
    assert all(torch.equal(value, ours[name]) for name, value in weights(tmp_path / "whole").items())
    sessions = (tmp_path / "killed" / "sessions.jsonl").read_text().splitlines()
    assert len(sessions) == 3  # killed sessions are on record too
    assert json.loads(sessions[-1])["last_step"] == 55


def test_two_processes_train_the_same_steps(tmp_path):
    finish(start(tmp_path, "two", num_processes=2))
    finish(start(tmp_path, "one"))
    two, one = log(tmp_path / "two"), log(tmp_path / "one")
    assert [line["step"] for line in two] == [line["step"] for line in one] == list(range(1, 56))
    # The same pairs, shared out: the first losses agree but for the order of additions. Batch norm is the one
    # thing that sees another share, and the tiny preset has none.
    for alone, shared in list(zip(one, two, strict=True))[:5]:
        assert shared["g/l1"] == pytest.approx(alone["g/l1"], rel=0.02)
