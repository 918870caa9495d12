"""The configs are plain data, and the presets carry the papers' numbers."""

import json
from dataclasses import replace

import pytest

from pgt.config import PRESETS, PG2Config, ProgressiveConfig, Stage, changed_fields


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name):
    config = PRESETS[name]
    assert type(config).from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_only_what_is_not_a_default_counts_as_changed():
    assert changed_fields(PG2Config()) == {}
    assert changed_fields(replace(PG2Config(), l1_weight=7.0)) == {"l1_weight": 7.0}


def test_a_missing_field_takes_its_default():
    assert PG2Config.from_dict({"num_blocks": 4}) == PG2Config(num_blocks=4)


@pytest.mark.parametrize(
    ("name", "image_size", "num_blocks", "batch_size", "steps"),
    [
        ("pg2-market1501", (128, 64), 5, 16, (22_000, 14_000)),
        ("pg2-deepfashion", (256, 256), 6, 8, (30_000, 20_000)),
    ],
)
def test_paper_presets_have_the_numbers_of_section_4_1(name, image_size, num_blocks, batch_size, steps):
    config = PRESETS[name]
    assert (config.image_size, config.num_blocks, config.betas) == (image_size, num_blocks, (0.5, 0.999))
    assert tuple(stage.name for stage in config.stages) == ("coarse", "refine")
    assert tuple(stage.num_steps for stage in config.stages) == steps
    assert {(stage.batch_size, stage.lr, stage.lr_schedule) for stage in config.stages} == {
        (batch_size, 2e-5, "constant")
    }


@pytest.mark.parametrize("name", ["pg2-market1501", "pg2-deepfashion"])
def test_paper_presets_use_nothing_of_ours(name):
    config = PRESETS[name]
    assert config.patch_size == 1
    assert not config.source_pose_input
    assert config.ema_decay == 0
    assert config.max_grad_norm is None
    assert (config.residual_scale, config.difference_scale) == (1.0, 1.0)


@pytest.mark.parametrize("name", PRESETS)
def test_stages_are_trained_at_the_size_of_the_model(name):
    config = PRESETS[name]
    if not isinstance(config, ProgressiveConfig):  # which grows
        sizes = {stage.image_size for stage in config.stages if stage.name != "fine"}
        assert sizes == {getattr(config, "core_size", config.image_size)}
    assert config.stages[-1].image_size == config.image_size


def test_bottom_of_the_paper_networks():
    assert PRESETS["pg2-market1501"].bottom_size == (8, 4)
    assert PRESETS["pg2-deepfashion"].bottom_size == (8, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pose_embedding": "heatmaps"}, "pose_embedding must be one of"),
        ({"decoder": "other"}, "decoder must be one of"),
        ({"num_blocks": 2}, "num_blocks must be at least 3"),
        ({"image_size": (128, 60)}, "multiple of 16"),
        ({"patch_size": 4}, "multiple of 64"),
    ],
)
def test_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        replace(PG2Config(image_size=(128, 96)), **change)


def test_refuses_unknown_settings_and_schedules():
    with pytest.raises(ValueError, match="unknown PG2 settings: colour"):
        PG2Config.from_dict({"colour": 1})
    with pytest.raises(ValueError, match="lr_schedule"):
        Stage("coarse", 1, (8, 8), batch_size=1, lr=1.0, lr_schedule="linear")
