"""`pgt evaluate` on real data: what the masks are, who is left out, and what the papers' numbers stand on."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pgt.__main__ import main
from pgt.commands import evaluate
from pgt.data.person import Pair
from pgt.data.pose import NUM_JOINTS, Pose
from pgt.models.crop_baselines import KINDS
from pgt.protocols import PROTOCOLS, Protocol
from tests.data import layouts
from tests.test_evaluation import SIZE, labelled, make_person


@pytest.fixture
def score(tiny_checkpoint, tmp_path, monkeypatch):
    """Evaluate given pairs by the command as those of a folder; return its results."""

    def scored(pairs: list[Pair], *words: str, approach: str = "pg2", code: int = 0) -> dict:
        monkeypatch.setattr(evaluate, "folder_pairs", lambda *_: pairs)
        out = tmp_path / "scores.json"
        command = ["evaluate", approach, "--weights", str(tiny_checkpoint), "--data", str(tmp_path)]
        assert main([*command, "--beside", "--out", str(out), *words]) == code
        return json.loads(out.read_text())

    return scored


def bare(seed: int):
    return make_person(seed, with_mask=False)


def test_label_maps_are_the_mask_only_if_all_targets_have_one(score, capsys):
    some = [Pair(bare(0), labelled(bare(1), 1)), Pair(bare(2), bare(3))]
    assert score(some)["facts"]["mask"] == "pose"
    assert "mask: drawn around each target's joints, for not every target has" in capsys.readouterr().err
    assert score(some[:1])["facts"]["mask"] == "person"
    assert "mask: each target's own" in capsys.readouterr().err


def test_masks_of_people_without_label_maps_are_taken(score):
    assert score([Pair(make_person(0), make_person(1))])["facts"]["mask"] == "person"


def test_the_protocols_mask_comes_first(score, capsys):
    result = score([Pair(make_person(0), make_person(1))], "--protocol", "mrnet")
    assert result["facts"]["mask"] == "open pose"
    assert "as the papers' released codes do" in capsys.readouterr().err


def test_pairs_without_joints_are_left_out_and_said(score, capsys):
    nobody = replace(bare(1), pose=Pose(np.zeros((NUM_JOINTS, 2)), np.zeros(NUM_JOINTS, bool), SIZE))
    pairs = [Pair(bare(0), bare(2)), Pair(nobody, bare(3), "a_to_b"), Pair(bare(4), nobody, "c_to_d")]
    facts = score(pairs)["facts"]
    assert (facts["data"]["pairs"], facts["data"]["left out"]) == (1, 2)
    assert "2 pairs without any joint in source or target are left out; the first is a_to_b." in (
        capsys.readouterr().err
    )
    score(pairs[1:], code=2)
    assert "Not one of 2 pairs has a joint in source and target." in capsys.readouterr().err


def test_rivals_that_never_saw_the_data_stand_beside_it_only_when_asked_for(score):
    pairs = [Pair(make_person(0), make_person(1))]
    assert not set(KINDS) & set(score(pairs, approach="mrnet")["means"])
    assert set(KINDS) < set(score(pairs, "--crop-rivals", approach="mrnet")["means"])


def test_in_synthetic_scenes_they_stand_there_unasked(tiny_checkpoint, tmp_path):
    out = tmp_path / "scores.json"
    command = ["evaluate", "mrnet", "--weights", str(tiny_checkpoint), "--beside", "--out", str(out)]
    assert main([*command, "--pairs", "1"]) == 0
    result = json.loads(out.read_text())
    assert result["facts"]["data"]["scene"] == "non_iconic"
    assert set(KINDS) < set(result["means"])


def test_without_a_number_the_papers_number_of_pairs_is_taken(score, monkeypatch):
    pairs = [Pair(make_person(seed), make_person(seed + 9)) for seed in range(4)]
    three = Protocol("three", "a paper", test_pairs={"market-1501": 3})
    monkeypatch.setitem(PROTOCOLS, "three", three)
    assert score(pairs, "--protocol", "three")["facts"]["data"]["pairs"] == 3
    assert score(pairs, "--protocol", "three", "--pairs", "2")["facts"]["data"]["pairs"] == 2
    assert score(pairs)["facts"]["data"]["pairs"] == 4


def test_what_differs_from_the_papers_is_said_and_kept(tiny_checkpoint, tmp_path, capsys):
    root, out = layouts.market1501(tmp_path / "market"), tmp_path / "scores.json"
    command = ["evaluate", "pg2", "--weights", str(tiny_checkpoint), "--data", f"market1501:{root}"]
    command += ["--beside", "--out", str(out), "--published", "market-1501"]
    differs = {"size": ["128x64", "64x32"], "pairs": ["12800", "2"]}
    for protocol, also in (("pg2", {}), ("spt", {"protocol": ["pg2", "spt"]})):
        assert main([*command, "--protocol", protocol]) == 0
        published = json.loads(out.read_text())["facts"]["published"]
        assert published["PG2 refined"]["differs"] == differs | also
        assert published["PG2 refined"]["source"].startswith("Ma et al.")
        said = capsys.readouterr().err
        assert "PG2 coarse and PG2 refined cannot be compared with ours: size 128x64 (ours 64x32), " in said
        assert ("protocol pg2 (ours spt)" in said) == bool(also)
