"""The human parser: any size in, labels out, it learns, and lends its first layers as features."""

import numpy as np
import pytest
import torch

from pgt.checkpoint import load, save
from pgt.config import HumanParserConfig, Stage
from pgt.data.person import PairBatch
from pgt.models.human_parser import HumanParser
from pgt.training.human_parser import HumanParserRecipe
from pgt.training.runner import PlainRunner

STAGE = Stage("labels", 60, (16, 16), batch_size=2, lr=3e-3)
TINY = HumanParserConfig(image_size=(16, 16), widths=(8, 12, 16), stages=(STAGE,))


def parser() -> HumanParser:
    torch.manual_seed(0)
    return HumanParser.from_config(TINY).eval()


@pytest.mark.parametrize("size", [(16, 16), (17, 30), (5, 3)])
def test_pictures_of_any_size_get_a_label_per_pixel(size):
    image = torch.rand(2, 3, *size) * 2 - 1
    labels = parser().find_labels(image)
    assert labels.shape == (2, *size)
    assert labels.dtype == torch.int64
    assert torch.equal(labels, parser()(image).argmax(1))


def test_it_learns_to_tell_labels_by_colour():
    labels = torch.arange(16).view(1, 16, 1).expand(2, -1, 16) // 4
    colors = torch.tensor([[-1.0, 0, 1], [1, 0, -1], [1, 1, 1], [-1, 1, -1]])
    image = colors[labels].permute(0, 3, 1, 2)
    joints, seen = torch.zeros(2, 18, 2), torch.ones(2, 18, dtype=torch.bool)
    batch = PairBatch(image, image, joints, joints, seen, seen, labels, labels)
    torch.manual_seed(0)
    recipe = HumanParserRecipe(TINY)
    recipe.prepare(PlainRunner("cpu"))
    terms = [recipe.train_step(batch, STAGE) for _ in range(60)]
    assert terms[-1]["ce"] < terms[0]["ce"] / 3
    assert (recipe.deployable().find_labels(image) == labels).float().mean() > 0.9
    assert recipe.sample(batch)["parsing"].shape == (2, 3, 16, 16)


def test_features_are_the_first_two_levels_frozen_and_apart():
    net = parser()
    features = net.features()
    first, second = features(torch.rand(1, 3, 16, 12))
    assert (first.shape, second.shape) == ((1, 8, 16, 12), (1, 12, 8, 6))
    assert not any(parameter.requires_grad for parameter in features.parameters())
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_the_pyramid_begins_with_the_features_and_goes_on():
    torch.manual_seed(0)
    net = HumanParser.from_config(HumanParserConfig(image_size=(64, 64), widths=(4, 5, 6, 7, 8, 9)))
    image = torch.rand(1, 3, 64, 32)
    pyramid = net.pyramid()
    levels = pyramid(image)
    assert [level.shape[1:] for level in levels] == [
        (4, 64, 32), (5, 32, 16), (6, 16, 8), (7, 8, 4), (8, 4, 2)
    ]  # fmt: skip
    for ours, theirs in zip(levels, net.features()(image), strict=False):
        torch.testing.assert_close(ours, theirs)
    assert not any(parameter.requires_grad for parameter in pyramid.parameters())
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_a_saved_parser_finds_the_same(tmp_path):
    net, image = parser(), torch.rand(1, 3, 16, 16)
    loaded = load(save(net, tmp_path / "parser"), quiet=True)
    np.testing.assert_array_equal(loaded.find_labels(image), net.find_labels(image))
