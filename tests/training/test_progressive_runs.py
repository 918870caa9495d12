"""Progressive through the engine: stopped, killed and continued, and shared by two processes."""

import random
import signal
import time

import pytest
import torch

from pgt.checkpoint import load
from pgt.training.engine import Options
from tests.training import processes
from tests.training.processes import finish, log
from tests.training.tiny_progressive import STAGES, train


@pytest.mark.slow
def test_stopped_after_every_step_and_continued_equals_uninterrupted(tmp_path):
    """From files: in the middle of levels, at their ends, and where the criterion changes."""
    whole, _ = train(tmp_path / "whole")
    stops = 0
    while True:
        parts, progress = train(tmp_path / "parts", options=Options(log_every=1, max_seconds=0.0))
        if progress.finished:
            break
        stops += 1
    assert stops == 17
    assert log(tmp_path / "whole") == log(tmp_path / "parts")
    ours = parts.nets.state_dict()
    assert all(torch.equal(value, ours[name]) for name, value in whole.nets.state_dict().items())
    stages = [line["stage"] for line in log(tmp_path / "whole")]
    assert stages == [stage.name for stage in STAGES for _ in range(6)]
    model = load(tmp_path / "parts" / "generator", quiet=True)
    assert model.trained_stages == tuple(stage.name for stage in STAGES)
    assert (tmp_path / "whole" / "samples" / "step_0000005.png").exists()


@pytest.mark.slow
def test_killed_in_the_middle_of_levels_equals_uninterrupted(tmp_path):
    module = "tests.training.tiny_progressive"
    finish(processes.start(module, tmp_path / "whole"))
    for beyond in (random.randint(2, 5), random.randint(8, 16)):
        process = processes.start(module, tmp_path / "killed", "--pause", 0.1)
        while len(log(tmp_path / "killed")) < beyond and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    finish(processes.start(module, tmp_path / "killed"))
    assert log(tmp_path / "killed") == log(tmp_path / "whole")


@pytest.mark.slow
def test_two_processes_share_every_level(tmp_path):
    """Growing changes which weights the processes have to share; batch norm alone sees another share."""
    module = "tests.training.tiny_progressive"
    finish(processes.start(module, tmp_path / "two", num_processes=2))
    finish(processes.start(module, tmp_path / "one"))
    two, one = log(tmp_path / "two"), log(tmp_path / "one")
    assert [line["step"] for line in two] == [line["step"] for line in one] == list(range(1, 19))
    assert two[0]["g/local"] == pytest.approx(one[0]["g/local"], rel=0.2)
