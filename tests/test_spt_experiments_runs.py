"""SPT's ablations at work: what each run is trained on, how one continues another, and the whole command."""

import json
from dataclasses import replace

import pytest
import torch

from benchmarks import tables
from benchmarks.ablations import estimate
from benchmarks.ablations.study import Effort
from benchmarks.ablations.training import seconds_of
from benchmarks.spt_ablations import __main__ as command
from benchmarks.spt_ablations import material, training, workshop
from benchmarks.spt_ablations.material import Material
from benchmarks.spt_ablations.variants import VARIANTS
from pgt.checkpoint import load

pytestmark = pytest.mark.slow
SMALL = Effort(steps_scale=0.001, identities=12, pairs=6)


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Material:
    """People, searches and scenes for the trainings below."""
    everything = Material(tmp_path_factory.mktemp("data"), SMALL)
    everything.prepare([(candidates, 0) for candidates in (100, 500, None)])
    return everything


def test_partners_are_those_of_the_variant(shared):
    true, found = shared.partners(None, 0), shared.partners(500, 0)
    assert (shared.identities[true[:, 0]] == shared.identities[true[:, 1]]).all()
    same = shared.identities[found[:, 0]] == shared.identities[found[:, 1]]
    assert shared.share_of_truth(500, 0) == pytest.approx(100 * same.mean())
    assert not shared.dataset(VARIANTS["drawn-true"], 0)[0].target.image.any()  # no target picture
    assert shared.dataset(VARIANTS["drawn-true"], 0)[0].scene is not None
    assert shared.dataset(VARIANTS["no-scenes"], 0)[0].scene is None
    assert shared.dataset(VARIANTS["semantic"], 0)[0].scene is None


def test_a_continued_run_is_the_uninterrupted_one(shared, tmp_path):
    """To the last bit: discriminators, optimisers and averages are handed on, not only weights."""
    child = VARIANTS["drawn-predicted"]
    folders = {one.name: tmp_path / one.name for one in child.lineage}
    for variant in child.lineage:
        training.train(variant, 0, shared, folders)
    one_go = replace(child, stages=("semantic", "appearance"), parent=None)
    training.train(one_go, 0, shared, {child.name: tmp_path / "one go"})
    continued, straight = (
        load(folder / "generator").state_dict() for folder in (folders[child.name], tmp_path / "one go")
    )
    assert all(torch.equal(value, straight[name]) for name, value in continued.items())
    assert seconds_of(folders[child.name]) < seconds_of(tmp_path / "one go")


def test_scenes_alone_move_the_background_network_alone(shared, tmp_path):
    variant = VARIANTS["scenes-alone"]
    first = training.recipe(variant, 0, SMALL.steps_scale).nets["generator"].state_dict()
    training.train(variant, 0, shared, {variant.name: tmp_path})
    last = load(tmp_path / "generator").state_dict()
    assert {name.split(".")[0] for name in first if not torch.equal(first[name], last[name])} == {
        "background"
    }


def test_one_command_makes_what_is_missing_and_judges(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(estimate, "STEPS", 1)
    monkeypatch.setattr(material, "NUM_SCENES", 20)
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "kept")
    page = tmp_path / "README.md"
    monkeypatch.setattr(tables, "PAGES", (page,))
    page.write_text("<!-- spt-claims: so -->\nold\n<!-- /spt-claims -->\n")
    words = ["--seeds", "1", "--steps-scale", "0.001", "--identities", "12", "--pairs", "6"]
    words += ["--run-folder", str(tmp_path / "runs"), "--write", "--only", "semantic", "ce-1000", "coarse-4"]
    assert command.main(words) == 0
    printed = capsys.readouterr().out
    assert "semantic, seed 0: " in printed
    content = json.loads((tmp_path / "kept" / "spt-claims.json").read_text())
    ours = next(claim for claim in content["claims"] if claim["variants"] == ["ce-1000", "semantic"])
    assert (ours["seeds"], ours["holds"]) == (1, "undecided")
    assert ours["gain"] == pytest.approx(ours["measured"]["ours"] - ours["measured"]["rival"])
    table = (tmp_path / "kept" / "spt-claims.md").read_text()
    assert tables.block(page.read_text(), "spt-claims")[2] == table
    assert "## Fig. 14" in (tmp_path / "kept" / "spt" / "scores.md").read_text()

    monkeypatch.setattr(workshop, "train", lambda *arguments: pytest.fail("trained again"))
    assert command.main(words) == 0
    assert " to go" not in capsys.readouterr().out
    assert command.main([*words, "--list"]) == 0
    assert "0 to make" in capsys.readouterr().out
