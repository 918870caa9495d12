"""The quality benchmark on a tiny checkpoint: its table, its JSON and its picture."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks import quality, tables


@pytest.mark.slow
def test_measures_and_draws(tiny_checkpoint, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(tables, "README", tmp_path / "README.md")
    tables.README.write_text("Before\n<!-- quality: so -->\nold\n<!-- /quality -->\nafter\n")
    quality.main(["--weights", f"TINY={tiny_checkpoint}", "--pairs", "3", "--write"])
    content = json.loads((tmp_path / "results" / "quality.json").read_text())
    assert {"TINY coarse", "TINY refined", "copy the source", "part warp"} <= set(content["64x32"]["means"])
    table = (tmp_path / "results" / "quality.md").read_text()
    assert table.startswith("| method | SSIM ↑ |")
    assert "gaussian 11x11" in table
    assert table in capsys.readouterr().out
    assert tables.README.read_text() == f"Before\n<!-- quality: so -->\n{table}<!-- /quality -->\nafter\n"

    quality.main(["--weights", str(tiny_checkpoint), "--picture", str(tmp_path / "docs" / "people.png")])
    picture = np.asarray(Image.open(tmp_path / "docs" / "people.png"))
    assert picture.shape[0] > len(quality.SHOWN) * 160
