"""PG2's blocks against literal versions."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pgt.layers.blocks import Merge, ResidualBlock, initialise, upsample
from pgt.layers.unet import Encoder, GrowingDecoder, SymmetricDecoder


def test_merge_equals_concatenating_and_then_convolving():
    torch.manual_seed(0)
    merge = Merge(6, 4, 5)
    below, skip = torch.randn(2, 6, 3, 2), torch.randn(2, 4, 6, 4)
    literal = F.relu(merge.conv(torch.cat([upsample(below), skip], dim=1)))
    torch.testing.assert_close(merge(below, skip), literal)


def test_merge_at_the_bottom_does_not_double():
    torch.manual_seed(0)
    merge = Merge(6, 4, 5)
    below, skip = torch.randn(2, 6, 3, 2), torch.randn(2, 4, 3, 2)
    torch.testing.assert_close(merge(below, skip), F.relu(merge.conv(torch.cat([below, skip], dim=1))))


def test_merge_without_skip_equals_doubling_and_then_convolving():
    torch.manual_seed(0)
    merge = Merge(6, 0, 5)
    below = torch.randn(2, 6, 3, 2)
    torch.testing.assert_close(merge(below, None), F.relu(merge.conv(upsample(below))))


def test_residual_block_adds_after_the_second_relu():
    torch.manual_seed(0)
    block, x = ResidualBlock(3), torch.randn(1, 3, 4, 4)
    branch = block(x) - x
    assert (branch > -1e-6).all()
    torch.testing.assert_close(branch, F.relu(block.last(F.relu(block.first(x)))))


def test_encoder_widths_grow_linearly_and_sizes_halve():
    for residual in (True, False):
        levels = Encoder(5, 4, 3, residual=residual)(torch.randn(2, 5, 16, 8))
        assert [tuple(level.shape[1:]) for level in levels] == [(4, 16, 8), (8, 8, 4), (12, 4, 2)]


@pytest.mark.parametrize("top_skip", [True, False])
def test_symmetric_decoder_mirrors_the_encoder(top_skip):
    levels = Encoder(5, 4, 3, residual=False)(torch.randn(2, 5, 16, 8))
    decoder = SymmetricDecoder((4, 8, 12), residual=False, bottom_skip=False, top_skip=top_skip)
    assert decoder(levels[-1], levels).shape == (2, 4, 16, 8)


def test_growing_decoder_narrows_as_if_after_doubling():
    torch.manual_seed(0)
    decoder = GrowingDecoder((4, 8))
    levels = [torch.randn(1, 4, 4, 4), torch.randn(1, 8, 2, 2)]
    bottom = torch.randn(1, 4, 2, 2)
    below = decoder.blocks[0](torch.cat([bottom, levels[1]], dim=1))
    narrowed = F.relu(decoder.narrows[0](upsample(below)))
    literal = decoder.blocks[1](torch.cat([narrowed, levels[0]], dim=1))
    torch.testing.assert_close(decoder(bottom, levels), literal)


def test_he_initialisation_keeps_the_size_of_features_and_calms_the_residual_branch():
    torch.manual_seed(0)
    block, conv = ResidualBlock(64), nn.Conv2d(64, 64, 3, padding=1)
    x = torch.randn(4, 64, 16, 16)
    initialise(conv, "he")
    assert F.relu(conv(x)).square().mean().item() == pytest.approx(x.square().mean().item(), rel=0.2)
    torch.manual_seed(1)
    initialise(block, "he")
    whole = block(x) - x
    torch.manual_seed(1)
    initialise(block, "he", residual_scale=0.3)
    torch.testing.assert_close(block(x) - x, 0.3 * whole)
