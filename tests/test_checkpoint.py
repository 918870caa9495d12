"""Checkpoints: what is saved is loaded, from the first place that has it; all else is one sentence."""

import json
import os
import shutil

import pytest
import torch
from huggingface_hub import ModelCard
from torch import nn

import pgt
from pgt import checkpoint
from pgt.checkpoint import CheckpointError, load, model_card, push, read_card, save

CARD = {
    "title": "pg2-test",
    "data": "Synthetic people only.",
    "metrics": {"SSIM": 0.81234, "foreground L1": 0.12},
    "metrics_on": "400 test pairs",
    "training": {"hours": 3},
    "limits": "Photographs come out wrong.",
}


def refused(folder, *facts):
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert all(fact in sentence for fact in facts), sentence


def output(model):
    size = model.config.image_size
    pose = torch.linspace(0, 1, 18 * size[0] * size[1]).view(1, 18, *size)
    picture = pose[:, :3] * 2 - 1
    with torch.no_grad():  # only looked at
        return model(picture, pose, source_pose=pose).refined


def test_a_folder_rebuilds_its_model(tiny_generator, tiny_checkpoint):
    loaded = load(tiny_checkpoint)
    assert loaded.config == tiny_generator.config
    assert not loaded.training
    assert torch.equal(output(loaded), output(tiny_generator))
    assert json.loads((tiny_checkpoint / "config.json").read_text())["approach"] == "pg2"


def test_half_precision_halves_the_file_and_loads_as_float32(tiny_generator, tiny_checkpoint, tmp_path):
    half = save(tiny_generator, tmp_path / "half", half=True)
    size = (tiny_checkpoint / "model.safetensors").stat().st_size
    assert (half / "model.safetensors").stat().st_size < 0.55 * size
    loaded = load(half)
    assert all(parameter.dtype == torch.float32 for parameter in loaded.parameters())
    torch.testing.assert_close(output(loaded), output(tiny_generator), rtol=0.01, atol=0.01)
    assert next(tiny_generator.parameters()).dtype == torch.float32


def test_saving_again_replaces_and_leaves_nothing_behind(tiny_generator, tiny_checkpoint):
    with torch.no_grad():  # weights set by hand
        next(tiny_generator.parameters()).zero_()
    save(tiny_generator, tiny_checkpoint, CARD)
    assert next(load(tiny_checkpoint).parameters()).abs().sum() == 0
    assert "pg2-test" in (tiny_checkpoint / "README.md").read_text()
    assert [path.name for path in tiny_checkpoint.parent.iterdir()] == [tiny_checkpoint.name]


def test_a_name_is_looked_for_in_the_given_folder_then_the_variable_then_the_bundle(
    tiny_checkpoint, tmp_path, monkeypatch
):
    places = [tmp_path / "here", tmp_path / "listed", tmp_path / "bundle"]
    for place in places:
        shutil.copytree(tiny_checkpoint, place / "some-pg2")
    monkeypatch.chdir(places[0])
    monkeypatch.setenv("PGT_CHECKPOINTS", os.pathsep.join([str(tmp_path / "none"), str(places[1])]))
    monkeypatch.setattr(checkpoint, "BUNDLED", places[2])
    sources = []
    for place in places:
        sources.append(load("some-pg2").checkpoint_source)
        shutil.rmtree(place)
    assert sources == [
        "the folder some-pg2",
        f"{places[1] / 'some-pg2'} (PGT_CHECKPOINTS)",
        "the bundled weights some-pg2",
    ]


def test_the_source_is_logged(tiny_checkpoint, caplog):
    caplog.set_level("INFO", logger="pgt")
    load(tiny_checkpoint)
    assert f"loaded from the folder {tiny_checkpoint}" in caplog.text
    caplog.clear()
    load(tiny_checkpoint, quiet=True)
    assert not caplog.text


@pytest.mark.parametrize("name", checkpoint.bundled_names())
def test_both_forms_of_a_bundled_card_agree(name):
    folder = checkpoint.BUNDLED / name
    approach = json.loads((folder / "config.json").read_text())["approach"]
    assert model_card(approach, read_card(folder)) == (folder / "README.md").read_text()


def test_every_bundled_checkpoint_loads():
    for name in checkpoint.bundled_names():
        assert pgt.load(name).checkpoint_source == f"the bundled weights {name}"


@pytest.mark.parametrize("name", ["no-such-model", "no such model", "../nowhere", ""])
def test_an_unknown_name_is_refused(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "HUB_NAMESPACE", "")
    refused(name)


def test_a_pickle_is_never_loaded(tiny_generator, tiny_checkpoint):
    (tiny_checkpoint / "model.safetensors").unlink()
    torch.save(tiny_generator.state_dict(), tiny_checkpoint / "pytorch_model.bin")
    refused(tiny_checkpoint, "no model.safetensors", "pytorch_model.bin is not read")


@pytest.mark.parametrize("keep", [0, 4, 500, -1])
def test_truncated_weights_are_refused(tiny_checkpoint, keep):
    weights = tiny_checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    refused(tiny_checkpoint, "damaged")


def test_weights_of_another_shape_are_refused(tiny_checkpoint):
    path = tiny_checkpoint / "config.json"
    config = json.loads(path.read_text())
    config["settings"]["base_channels"] = 8
    path.write_text(json.dumps(config))
    refused(tiny_checkpoint, "damaged or was made by another version")


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("{", "not readable JSON"),
        ("[1]", "must hold a JSON object"),
        ("{}", "names the approach None; this version knows pg2"),
        ('{"approach": "os:system"}', "names the approach 'os:system'"),
        ('{"approach": "pg2", "settings": {"no_such": 1}}', "unknown PG2 settings: no_such"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(tiny_checkpoint, text, fact):
    (tiny_checkpoint / "config.json").write_text(text)
    refused(tiny_checkpoint, fact)


def test_a_folder_without_a_config_is_refused(tiny_checkpoint):
    (tiny_checkpoint / "config.json").unlink()
    refused(tiny_checkpoint, "has no config.json")


def test_a_revision_of_a_folder_is_refused(tiny_checkpoint):
    with pytest.raises(CheckpointError, match="A revision belongs to the Hub"):
        load(tiny_checkpoint, revision="main")


def test_only_known_classes_are_saved(tmp_path):
    with pytest.raises(CheckpointError, match="Linear is not a model that pgt can save"):
        save(nn.Linear(2, 2), tmp_path / "x")


def test_the_card_states_metrics_data_licence_and_limits():
    card = ModelCard(model_card("pg2", CARD))
    assert card.data.license == "mit"
    assert card.data.library_name == "pgt"
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert results == {"SSIM": 0.8123, "foreground L1": 0.12}
    for text in (
        "Synthetic people only.",
        "| SSIM | 0.8123 |",
        "400 test pairs",
        "Photographs come out wrong.",
    ):
        assert text in card.text


def test_the_history_of_a_training_follows_its_facts():
    text = model_card("pg2", {**CARD, "history": "Stopped twice."})
    assert "## Training\n\n- hours: 3\n\nStopped twice.\n\n## Metrics" in text


def test_a_card_without_facts_says_so():
    text = model_card("pg2", {})
    assert "Not measured." in text
    assert text.count("Not stated.") == 3


def test_the_facts_of_a_card_are_read_back(tiny_generator, tmp_path):
    folder = save(tiny_generator, tmp_path / "pg2", CARD)
    assert read_card(folder) == CARD
    (folder / "card.json").unlink()
    assert read_card(folder) == {}
    assert load(folder).config == tiny_generator.config


def test_the_card_tells_the_whole_line_of_weights_that_a_training_began_with():
    first = {"name": "first", "training": {"steps": 5}}
    second = {"name": "second", "training": {"steps": 7, "started from": first}}
    for origin, words in [
        ({"name": "unknown"}, "unknown"),
        ({"name": "real", "training": {"steps": 5}, "data": "Photos."}, "real (steps: 5; Photos)"),
        ({"name": "odd", "history": "Stopped\ntwice."}, "odd (Stopped twice)"),
        (second, "second (steps: 7, started from: first (steps: 5))"),
    ]:
        text = model_card("pg2", {"training": {"started from": origin}})
        assert f"- started from: {words}\n" in text


def test_an_unknown_card_entry_is_refused():
    with pytest.raises(CheckpointError, match="no entry 'metrik'"):
        model_card("pg2", {"metrik": {}})


@pytest.mark.parametrize("to", ["name-alone", "a/b/c", "bad name/x", ""])
def test_a_push_needs_organisation_and_name(tiny_checkpoint, to):
    with pytest.raises(CheckpointError, match="must be 'organisation/name'"):
        push(tiny_checkpoint, to)
