"""Trainings in processes of their own, for tests that kill them or start several."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def start(module: str, *arguments: object, num_processes: int = 1) -> subprocess.Popen:
    """Start `python -m module arguments`, on one thread each, in one or several processes on the CPU."""
    command = [sys.executable, *(launcher(num_processes) if num_processes > 1 else ()), "-m", module]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def launcher(num_processes: int) -> Sequence[str]:
    # `--cpu` alone starts several processes only through MPI; `--multi_gpu` starts them by torchrun, and the
    # environment variable keeps each of them on the CPU.
    words = f"-m accelerate.commands.launch --multi_gpu --num_processes {num_processes} --num_machines 1"
    words += f" --mixed_precision no --dynamo_backend no --main_process_port {free_port()}"
    return words.split()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def finish(process: subprocess.Popen) -> None:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output


def log(run_dir: str | Path) -> list[dict]:
    """Read what a run has logged so far."""
    path = Path(run_dir) / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
