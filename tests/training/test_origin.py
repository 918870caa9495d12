"""What a training begins with: weights of the same network, or of one that has not grown as far."""

from dataclasses import replace

import pytest
import torch

from pgt import checkpoint
from pgt.__main__ import main
from pgt.config import GROWN_FROM, PRESETS
from pgt.models.progressive import ProgressiveGenerator
from pgt.training.origin import begin_with
from tests.training.tiny_progressive import SIZES, STAGES, TINY, recipe

SMALLER = replace(
    TINY, image_size=SIZES[-2], widths=TINY.widths[:-1], descriptors=TINY.descriptors[:-1], stages=STAGES[:-1]
)


def saved(config, folder):
    """Save a generator of other fresh weights than a recipe's."""
    torch.manual_seed(1)
    generator = ProgressiveGenerator.from_config(config)
    checkpoint.save(generator, folder)
    return generator.state_dict()


def test_a_smaller_generator_is_grown_on_and_new_levels_are_fresh(tmp_path):
    first = saved(SMALLER, tmp_path)
    grown, fresh = recipe(ema_decay=0.9), recipe(ema_decay=0.9)
    assert begin_with(grown, str(tmp_path))["name"] == tmp_path.name
    for net in ("generator", "ema"):
        ours, own = grown.nets[net].state_dict(), fresh.nets[net].state_dict()
        assert set(first) < set(ours)
        assert all(torch.equal(value, first.get(name, own[name])) for name, value in ours.items())
    new = {name.split(".")[1] + name.split(".")[2] for name in set(ours) - set(first)}
    assert new == {"from_rgb2", "to_rgb2", "downs3", "ups3"}


@pytest.mark.parametrize(
    "other",
    [
        {"widths": (10, 8, 7, 5)},  # a wider level
        {"readouts": True},
        {
            "image_size": (64, 32),
            "stages": (replace(STAGES[-1], image_size=(64, 32)),),
        },  # a larger bottleneck
    ],
)
def test_a_smaller_generator_that_is_no_part_of_this_one_is_refused(tmp_path, other):
    saved(replace(SMALLER, **other), tmp_path)
    with pytest.raises(ValueError, match="do not fit this preset"):
        begin_with(recipe(), str(tmp_path))


def test_of_as_many_levels_every_weight_must_be_there(tmp_path):
    saved(TINY, tmp_path)
    with pytest.raises(ValueError, match="do not fit this preset"):
        begin_with(recipe(readouts=True), str(tmp_path))


def test_a_larger_generator_is_not_shrunk(tmp_path):
    saved(TINY, tmp_path)
    with pytest.raises(ValueError, match="do not fit this preset"):
        begin_with(
            recipe(
                **{name: getattr(SMALLER, name) for name in ("image_size", "widths", "descriptors", "stages")}
            ),
            str(tmp_path),
        )


@pytest.mark.parametrize(("preset", "first"), GROWN_FROM.items())
def test_bundled_weights_fit_the_presets_that_grow_them(preset, first):
    smaller, config = checkpoint.load(first, quiet=True), PRESETS[preset]
    generator = ProgressiveGenerator.from_config(config)
    generator.load_state_dict(generator.grown_from(smaller))
    assert config.stages[0].image_size == generator.config.level_size(smaller.level + 1)


def test_a_preset_that_grows_weights_finds_them_itself(tmp_path, monkeypatch):
    saved(SMALLER, tmp_path / "small")
    last = replace(STAGES[-1], num_steps=1)
    monkeypatch.setitem(PRESETS, "progressive-narrow", replace(TINY, stages=(last,)))
    monkeypatch.setitem(GROWN_FROM, "progressive-narrow", str(tmp_path / "small"))
    words = ["train", "progressive", "--preset", "progressive-narrow", "--run-dir", tmp_path / "run"]
    people = ["--cache", tmp_path / "cache", "--identities", "2", "--poses", "2", "--threads", "1"]
    assert main(list(map(str, [*words, *people]))) == 0
    assert checkpoint.read_card(tmp_path / "run" / "generator")["training"]["started from"]["name"] == "small"
