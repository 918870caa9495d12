"""The 1024-pixel benchmark on a tiny Progressive: watched, stopped, continued, equal to `pgt train`."""

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from benchmarks import large, memory, tables
from pgt.__main__ import main
from pgt.config import PRESETS
from tests.training.tiny_progressive import SIZES, TINY


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch):
    """Train two steps on each of three levels instead."""
    stages = tuple(replace(stage, num_steps=2) for stage in TINY.stages)
    monkeypatch.setitem(PRESETS, "progressive-narrow", replace(TINY, stages=stages))
    monkeypatch.setattr(large, "PRESET", "progressive-narrow")


def words(folder, run: str) -> list[str]:
    folders = ("--run-dir", folder / run, "--cache", folder / "cache")
    return [*map(str, folders), "--steps-scale", "1", "--identities", "2", "--poses", "2", "--threads", "1"]


def record(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "run" / large.RECORD).read_text().splitlines()]


def test_every_step_is_on_record_and_learns_what_pgt_train_learns(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "results")
    page = tmp_path / "README.md"
    monkeypatch.setattr(tables, "PAGES", (page,))
    page.write_text("<!-- large -->\n<!-- /large -->\n")
    large.main([*words(tmp_path, "run"), "--max-seconds", "0.001"])
    assert len(record(tmp_path)) == 1
    large.main([*words(tmp_path, "run"), "--write"])

    assert [line["height"] for line in record(tmp_path)] == [size[0] for size in SIZES for _ in range(2)]
    assert all(line["seconds"] > 0 and line["bytes"] > 2**25 for line in record(tmp_path))
    table = (tmp_path / "results" / "large.md").read_text()
    assert table in capsys.readouterr().out
    assert table in page.read_text()
    assert "| 64x64 | 2 | 2 |" in table
    assert Image.open(tmp_path / "run" / "sample.png").width > 4 * large.CELL[1]

    train = ["train", "progressive", "--preset", "progressive-narrow"]
    assert main([*train, *words(tmp_path, "plain")]) == 0
    ours, plain = (load_file(tmp_path / run / "generator" / "model.safetensors") for run in ("run", "plain"))
    assert all(torch.equal(value, ours[name]) for name, value in plain.items())


def test_levels_leave_out_the_first_step_where_there_are_others(tmp_path):
    lines = [(32, 9.0, 5), (32, 1.0, 7), (32, 3.0, 6), (64, 4.0, 8)]
    steps = [{"height": h, "batch": 2, "seconds": s, "bytes": b} for h, s, b in lines]
    (tmp_path / "steps").write_text("".join(json.dumps(step) + "\n" for step in steps))
    assert large.levels(tmp_path / "steps") == [
        {"height": 32, "batch": 2, "steps": 3, "seconds": 2.0, "bytes": 7},
        {"height": 64, "batch": 2, "steps": 1, "seconds": 4.0, "bytes": 8},
    ]


def test_the_peak_is_that_of_what_was_just_held():
    cpu = torch.device("cpu")
    memory.reset_peak(cpu)
    before = memory.peak_bytes(cpu)
    held = torch.ones(2**25)  # 128 MiB
    assert memory.peak_bytes(cpu) - before > 0.9 * 2**27
    del held


def test_a_run_that_nobody_watched_is_refused(tmp_path, capsys):
    train = ["train", "progressive", "--preset", "progressive-narrow"]
    assert main([*train, *words(tmp_path, "plain")]) == 0
    with pytest.raises(SystemExit):
        large.main(words(tmp_path, "plain"))
    assert "no step of it was measured" in capsys.readouterr().err
