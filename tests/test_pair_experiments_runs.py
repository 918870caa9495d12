"""MR-Net's and Progressive's ablations at work: the whole commands, on few people, for a step or two."""

import json

import pytest

from benchmarks import tables
from benchmarks.ablations import estimate, pairs
from benchmarks.mrnet_ablations import __main__ as mrnet
from benchmarks.mrnet_ablations.workshop import SCORES as MRNET_SCORES
from benchmarks.progressive_ablations import __main__ as progressive
from benchmarks.progressive_ablations.workshop import SCORES as PROGRESSIVE_SCORES

pytestmark = pytest.mark.slow
SMALL = ["--seeds", "1", "--steps-scale", "0.001", "--identities", "4", "--pairs", "3"]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Folder of results, beside a page with a block for either study."""
    monkeypatch.setattr(estimate, "STEPS", 1)
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "kept")
    page = tmp_path / "README.md"
    monkeypatch.setattr(tables, "PAGES", (page,))
    names = "mrnet-claims", "progressive-claims"
    page.write_text("\n".join(f"<!-- {name}: so -->\nold\n<!-- /{name} -->" for name in names))
    return tmp_path / "kept"


@pytest.mark.parametrize(
    ("command", "names", "claim", "scores"),
    [
        (mrnet, ["rounds-1", "full-used-2"], ["rounds-1", "full"], MRNET_SCORES),
        (progressive, ["pt", "pt-lpl-ld", "pt-lpl"], ["pt", "pt-lpl"], PROGRESSIVE_SCORES),
    ],
    ids=("mrnet", "progressive"),
)
def test_one_command_makes_what_is_missing_and_judges(
    command, names, claim, scores, kept, monkeypatch, capsys
):
    study = command.__name__.split(".")[1].removesuffix("_ablations")
    words = [*SMALL, "--run-folder", str(kept.parent / "runs"), "--write", "--only", *names]
    assert command.main(words) == 0
    printed = capsys.readouterr().out
    assert all(f"{name}, seed 0: " in printed for name in {*names, *claim})
    content = json.loads((kept / f"{study}-claims.json").read_text())
    judged = next(one for one in content["claims"] if one["variants"] == claim)
    assert (judged["seeds"], judged["holds"]) == (1, "undecided")
    assert judged["gain"] == pytest.approx(judged["measured"]["ours"] - judged["measured"]["rival"])
    table = (kept / f"{study}-claims.md").read_text()
    assert tables.block(tables.PAGES[0].read_text(), f"{study}-claims")[2] == table
    means = content["means"][claim[0]]
    assert set(means) == set(scores)
    assert means["steps"]["mean"] == (1 if study == "mrnet" else 3)
    assert means["minutes"]["mean"] > 0

    # What is there is not made again; a lost score is made from the weights.
    monkeypatch.setattr(pairs, "run", lambda *arguments, **keywords: pytest.fail("trained again"))
    (kept / study / f"{claim[0]}-0.json").unlink()
    assert command.main(words) == 0
    assert f"{claim[0]}, seed 0: " in capsys.readouterr().out
    assert json.loads((kept / f"{study}-claims.json").read_text())["means"][claim[0]] == means
    assert command.main([*words, "--list"]) == 0
    assert "0 to make" in capsys.readouterr().out
