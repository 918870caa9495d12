"""`pgt train spt`: the search, the three stages, and what is recorded of them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from torch import nn

from pgt.__main__ import main
from pgt.checkpoint import load, read_card, save
from pgt.commands.methods import bundled_generators
from pgt.config import PRESETS
from pgt.data.pseudo_label_index import PseudoLabels
from pgt.layers.features import EncoderFeatures
from pgt.models.pg2 import PG2Generator
from pgt.models.spt import SPTGenerator
from pgt.synthetic.people import SyntheticPeople
from tests.models.tiny_spt import TINY_SPT


@pytest.fixture(autouse=True)
def narrow_preset(monkeypatch):
    """Add a preset of a few thousand weights and three steps a stage, and features that cost nothing."""
    features = EncoderFeatures(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 4, 2, 1), slope=0.2)
    monkeypatch.setattr("pgt.commands.recipes._two_levels", lambda config: features)
    tiny = PRESETS["spt-tiny"]
    widths = dict.fromkeys(("widths", "semantic_widths", "background_widths"), (4, 6, 8))
    stages = tuple(replace(stage, num_steps=3, batch_size=2) for stage in tiny.stages)
    monkeypatch.setitem(
        PRESETS, "spt-narrow", replace(tiny, **widths, discriminator_channels=4, stages=stages)
    )


def command(folder, *more: str) -> list[str]:
    return [
        *("train", "spt", "--preset", "spt-narrow", "--run-dir", str(folder / "run")),
        *("--identities", "6", "--poses", "3", "--scene", "plain", "--cache", str(folder / "cache")),
        *("--log-every", "1", "--threads", "1", *more),
    ]


def stages_in(folder) -> list[str]:
    lines = (folder / "run" / "log.jsonl").read_text().splitlines()
    return [json.loads(line)["stage"] for line in lines]


def test_one_command_searches_and_goes_through_all_stages(tmp_path, capsys):
    assert main(command(tmp_path)) == 0

    assert "9 steps, finished" in capsys.readouterr().out
    assert stages_in(tmp_path) == ["semantic"] * 3 + ["appearance"] * 3 + ["end_to_end"] * 3
    labels = PseudoLabels.read(tmp_path / "run" / "pseudo_labels" / "index.jsonl")
    assert len(labels.target) == 18
    model = load(tmp_path / "run" / "generator", quiet=True)
    assert model.trained_stages == ("semantic", "appearance", "end_to_end")
    card = read_card(tmp_path / "run" / "generator")
    assert card["training"]["partners"] == "pseudo-labels"
    assert card["training"]["perceptual features"] == "human-parser"


def test_true_maps_and_own_scenes_can_be_asked_for(tmp_path):
    (tmp_path / "scenes").mkdir()
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(tmp_path / "scenes" / "wall.png")
    more = ("--true-maps", "--scenes", str(tmp_path / "scenes"), "--max-seconds", "0.001")
    assert main(command(tmp_path, *more)) == 0
    assert not (tmp_path / "run" / "pseudo_labels").exists()
    assert read_card(tmp_path / "run" / "generator")["training"]["partners"] == "true maps"


def test_an_index_of_other_people_is_refused(tmp_path, capsys):
    words = ("--identities", "4", "--poses", "3", "--scene", "plain", "--size", "64")
    assert (
        main(["pseudo-labels", "--out", str(tmp_path / "found"), *words, "--cache", str(tmp_path / "c")]) == 0
    )
    assert main(command(tmp_path, "--pseudo-labels", str(tmp_path / "found"))) == 2
    assert "is an index of 12 people, but there are 18" in capsys.readouterr().err


def test_without_a_parser_or_vgg_one_sentence_says_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.undo()
    monkeypatch.setattr("pgt.checkpoint.BUNDLED", tmp_path)
    words = ("--identities", "2", "--poses", "2", "--cache", str(tmp_path / "cache"))
    run = ("--preset", "spt-tiny", "--run-dir", str(tmp_path / "run"))
    assert main(["train", "spt", *run, *words, "--true-maps"]) == 2
    assert "bundled; train them first" in capsys.readouterr().err


def test_weights_that_draw_are_told_from_those_that_judge():
    assert {"PG2": "pg2-synthetic-128", "SPT": "spt-synthetic-128"}.items() <= bundled_generators().items()
    assert not {"pose-estimator-synthetic-128", "human-parser-synthetic-128"} & {
        *bundled_generators().values()
    }


@pytest.fixture
def checkpoints(tiny_config, tmp_path):
    """Return the folders of an untrained SPT and PG2 of one frame."""
    config = replace(TINY_SPT, image_size=tiny_config.image_size)
    spt = SPTGenerator.from_config(config, trained_stages=("semantic", "appearance"))
    pg2 = PG2Generator.from_config(tiny_config)
    return save(spt, tmp_path / "spt"), save(pg2, tmp_path / "pg2")


def test_evaluation_sets_other_weights_beside_and_follows_true_maps(checkpoints, tmp_path, capsys):
    spt, pg2 = checkpoints
    out = tmp_path / "results.json"
    words = ["evaluate", "spt", "--weights", str(spt), "--pairs", "2", "--out", str(out)]
    assert main([*words, "--beside", f"TS-Pred={spt}", str(pg2)]) == 0

    means = json.loads(out.read_text())["means"]
    expected = {"SPT", "SPT, true maps", "TS-Pred", "TS-Pred, true maps", "PG2 coarse", "PG2 refined"}
    assert expected | {"copy the source", "part warp"} <= set(means)
    assert means["SPT"]["map_iou"] == means["TS-Pred"]["map_iou"] < 0.9
    assert means["SPT, true maps"]["psnr"] != means["SPT"]["psnr"]
    assert "map_iou" not in means["SPT, true maps"]


def test_two_rows_of_one_name_are_refused(checkpoints, capsys):
    spt, _ = checkpoints
    assert main(["evaluate", "spt", "--weights", str(spt), "--beside", str(spt)]) == 2
    assert "two rows have one name" in capsys.readouterr().err


def test_generate_shows_maps_and_layers(checkpoints, tmp_path):
    spt, _ = checkpoints
    pair = SyntheticPeople("test", (64, 32), "plain")[0]
    Image.fromarray(pair.source.image).save(tmp_path / "a.png")
    for name, person in (("a", pair.source), ("b", pair.target)):
        (tmp_path / f"{name}.json").write_text(person.pose.to_json())
    np.save(tmp_path / "a.npy", pair.source.label_map)
    files = ("--image", "a.png", "--keypoints", "a.json", "--parsing", "a.npy", "--target", "b.json")
    words = [str(tmp_path / word) if "." in word else word for word in files]
    out = tmp_path / "steps.png"
    assert main(["generate", *words, "--weights", str(spt), "--steps", "--out", str(out)]) == 0
    assert Image.open(out).width > 7 * 32  # source, pose, two maps, foreground, background, result
