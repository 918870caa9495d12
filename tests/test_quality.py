"""The quality benchmark on tiny checkpoints: its tables and its JSON."""

import json
from dataclasses import replace

import pytest

from benchmarks import quality, tables
from pgt import checkpoint
from pgt.models.pg2 import PG2Generator
from pgt.models.spt import SPTGenerator
from tests.models.tiny_spt import TINY_SPT


@pytest.fixture
def square(tiny_config, tmp_path):
    """Return the folders of an untrained PG2 and SPT of two frames, both square: scenes are wide."""
    stages = tuple(replace(stage, image_size=(64, 64)) for stage in tiny_config.stages)
    pg2 = PG2Generator.from_config(replace(tiny_config, image_size=(64, 64), stages=stages))
    spt = SPTGenerator.from_config(replace(TINY_SPT, image_size=(32, 32)))
    return checkpoint.save(pg2, tmp_path / "pg2"), checkpoint.save(spt, tmp_path / "spt")


@pytest.mark.slow
def test_a_table_per_frame_and_scene(square, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "results")
    page = tmp_path / "README.md"
    monkeypatch.setattr(tables, "PAGES", (page,))
    page.write_text("Before\n<!-- quality: so -->\nold\n<!-- /quality -->\nafter\n")
    words = ["--weights", f"TINY={square[0]}", "--beside", f"SMALL={square[1]}", "--pairs", "3"]
    quality.main([*words, "--write"])
    content = json.loads((tmp_path / "results" / "quality.json").read_text())
    assert list(content) == ["64x64 mixed", "64x64 non_iconic", "32x32 mixed", "32x32 non_iconic"]
    rows = {"TINY coarse", "TINY refined", "copy the source", "part warp"}
    assert rows <= set(content["64x64 mixed"]["means"])
    assert "union-crop" not in content["64x64 mixed"]["means"]
    assert rows | {"union-crop", "crop-inpaint"} <= set(content["64x64 non_iconic"]["means"])
    assert content["32x32 non_iconic"]["facts"]["data"]["scene"] == "non_iconic"
    table = (tmp_path / "results" / "quality.md").read_text()
    assert table.startswith("**Iconic")
    assert table.count("gaussian 11x11") == 4
    heads = [line for line in table.splitlines() if line.startswith("| method | SSIM ↑ |")]
    assert ["background L1" in head for head in heads] == [False, True, False, True]
    assert table in capsys.readouterr().out
    assert page.read_text() == f"Before\n<!-- quality: so -->\n{table}<!-- /quality -->\nafter\n"


def test_two_rows_of_one_name_are_refused(tiny_checkpoint) -> None:
    with pytest.raises(ValueError, match="two rows have one name"):
        quality.main(["--weights", f"PG2={tiny_checkpoint}", "--beside", f"PG2={tiny_checkpoint}"])
