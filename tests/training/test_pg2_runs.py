"""`pgt train pg2` as a user starts it: killed and started again, and shared by two processes."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
LAUNCH = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
LAUNCH += ["--mixed_precision", "no", "--dynamo_backend", "no"]


def start(folder: Path, run: str, launcher: list[str] = (), steps_scale: str = "0.05") -> subprocess.Popen:
    """Start a training of 40 coarse and 15 refining steps on four rendered people."""
    command = [sys.executable, *launcher, "-m", "pgt", "train", "pg2", "--preset", "pg2-tiny"]
    command += ["--run-dir", str(folder / run), "--cache", str(folder / "cache"), "--scene", "plain"]
    command += ["--identities", "2", "--poses", "2", "--steps-scale", steps_scale, "--batch-size", "2"]
    command += ["--log-every", "1", "--save-every", "5", "--sample-every", "20"]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "ACCELERATE_USE_CPU": "true",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process: subprocess.Popen) -> None:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output


def log(folder: Path) -> list[dict]:
    path = folder / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    finish(start(tmp_path, "two", [*LAUNCH, "--main_process_port", str(port)]))
    finish(start(tmp_path, "one"))
    two, one = log(tmp_path / "two"), log(tmp_path / "one")
    assert [line["step"] for line in two] == [line["step"] for line in one] == list(range(1, 56))
    # The same pairs, shared out: the first losses agree but for the order of additions. Batch norm is the one
    # thing that sees another share, and the tiny preset has none.
    for alone, shared in list(zip(one, two, strict=True))[:5]:
        assert shared["g/l1"] == pytest.approx(alone["g/l1"], rel=0.02)
