"""The bundle's card: the facts that a run folder keeps as JSON, and none that it does not have."""

import json

import pytest

from benchmarks import bundle
from pgt import checkpoint
from pgt.commands.train import NOT_OURS, PAPERS, deviations
from pgt.config import PRESETS
from pgt.training.engine import fit
from tests.training.tiny import STAGES, TinyPairs, TinyRecipe, register

FACTS = {"preset": "tiny", "seed": 0, "precision": "no"}
CARD = {"title": "a preset", "data": "Noise.", "limits": "Draws noise.", "training": FACTS}
SCORES = {"ssim": 0.5}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return the folder of a finished run of 40 steps."""
    monkeypatch.setattr(checkpoint, "MODEL_CLASSES", dict(checkpoint.MODEL_CLASSES))
    monkeypatch.setattr(bundle, "scores", lambda model: SCORES)
    register()
    fit(TinyRecipe(), TinyPairs(), STAGES, tmp_path / "run", card=CARD)
    return tmp_path / "run"


def card(run):
    return bundle.make_card(run, "bundled", checkpoint.load(run / "generator"))


def test_all_facts_of_a_run_reach_the_card(run, tmp_path):
    made = card(run)
    assert (made["title"], made["data"], made["limits"]) == ("bundled", "Noise.", "Draws noise.")
    assert made["metrics"] == SCORES
    assert {**made["training"], **FACTS, "steps": 40} == made["training"]
    assert set(made["training"]) == {*FACTS, "steps", "machine", "hours"}
    folder = checkpoint.save(checkpoint.load(run / "generator"), tmp_path / "bundled", made)
    assert checkpoint.read_card(folder) == made
    assert "- hours: 0.0\n" in (folder / "README.md").read_text() + "\n"


def test_facts_that_an_earlier_version_did_not_keep_are_left_out(run):
    (run / "generator" / "card.json").unlink()
    config = json.loads((run / "config.json").read_text())
    del config["start_from"]
    (run / "config.json").write_text(json.dumps(config))
    made = card(run)
    assert "data" not in made
    assert set(made["training"]) == {"seed", "precision", "steps", "machine", "hours"}


def test_hours_are_left_out_where_a_session_is_not_on_record(run):
    path = run / "sessions.jsonl"
    line = json.loads(path.read_text())
    path.write_text(json.dumps({**line, "first_step": 20}) + "\n")
    assert set(card(run)["training"]) == {*FACTS, "steps", "machine"}


@pytest.mark.parametrize("name", [name for paper in PAPERS for name in checkpoint.bundled_names(paper)])
def test_the_card_of_bundled_weights_names_every_setting_that_is_not_the_paper_s(name):
    own = checkpoint.load(name).config
    stated = checkpoint.read_card(checkpoint.BUNDLED / name)["training"][NOT_OURS]
    assert stated == deviations(own)[NOT_OURS]
    assert stated in (checkpoint.BUNDLED / name / "README.md").read_text()


def test_settings_of_a_paper_need_no_such_line():
    assert deviations(PRESETS["progressive-deepfashion"]).keys() == {NOT_OURS}  # fewer levels
    assert not deviations(PRESETS["mrnet-bbc-pose"])
    assert not deviations(PRESETS["pg2-market1501"])
