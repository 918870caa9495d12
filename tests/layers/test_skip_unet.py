"""The U-Nets of SPT: sizes, norms, and that every skip is used."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pgt.layers.skip_unet import (
    DownEncoder,
    GrownDecoder,
    GrownEncoder,
    UpDecoder,
    WholeNorm,
    initialise_unet,
    make_norm,
)

WIDTHS = (4, 6, 8, 10)


def test_each_level_is_half_as_large_and_as_wide_as_asked():
    levels = DownEncoder(5, WIDTHS, "layer")(torch.zeros(2, 5, 32, 16))

    assert [tuple(level.shape) for level in levels] == [
        (2, 4, 32, 16), (2, 6, 16, 8), (2, 8, 8, 4), (2, 10, 4, 2)
    ]  # fmt: skip


def test_the_features_of_a_skip_are_not_rectified():
    levels = DownEncoder(3, WIDTHS, "layer")(torch.randn(2, 3, 32, 32))

    assert all((level < 0).any() for level in levels)


@pytest.mark.parametrize("num_skips", [1, 2])
@pytest.mark.parametrize("norm", ["layer", "instance", "none"])
def test_the_decoder_returns_to_full_size_and_uses_every_skip(num_skips, norm):
    encoders = [DownEncoder(3, WIDTHS, norm) for _ in range(num_skips)]
    levels = [encoder(torch.randn(2, 3, 32, 16)) for encoder in encoders]
    skips = [skip for level in levels for skip in level]
    for skip in skips:
        skip.retain_grad()

    drawn = UpDecoder(WIDTHS, num_skips, 7, norm)(list(zip(*levels, strict=True)))
    drawn.square().mean().backward()

    assert drawn.shape == (2, 7, 32, 16)
    assert all(skip.grad.abs().sum() > 0 for skip in skips)


def test_whole_norm_joins_channels_and_instance_norm_does_not():
    """Trap of the released code: its "instance norm" is over (C, H, W), with a scalar scale and shift."""
    x = torch.randn(3, 5, 8, 6) + torch.arange(5).view(1, 5, 1, 1)
    whole = WholeNorm()
    nn.init.constant_(whole.weight, 3.0)
    nn.init.constant_(whole.bias, 0.5)

    literal = torch.stack(
        [(one - one.mean()) / (one.var(unbiased=False) + 1e-3).sqrt() * 3 + 0.5 for one in x]
    )

    torch.testing.assert_close(whole(x), literal)
    assert sum(parameter.numel() for parameter in whole.parameters()) == 2
    assert (make_norm("instance", 5)(x).mean((2, 3)).abs() < 1e-4).all()
    assert (whole(x).mean((2, 3)).std(dim=1) > 0.5).all()


@pytest.mark.parametrize("width", [16, 64])
def test_he_weights_keep_the_size_of_a_signal_through_the_network(width):
    torch.manual_seed(0)
    widths = (width,) * 4
    encoder, decoder = DownEncoder(8, widths, "none"), UpDecoder(widths, 1, 8, "none")
    initialise_unet(nn.ModuleList([encoder, decoder]), "he")

    drawn = decoder([[level] for level in encoder(torch.randn(2, 8, 64, 64))])

    assert 0.3 < drawn.std() < 3


def grown() -> tuple[GrownEncoder, GrownDecoder]:
    torch.manual_seed(0)
    return GrownEncoder(3, (3, *WIDTHS), "none"), GrownDecoder((3, *WIDTHS), 1, 7, "none")


def test_a_grown_network_begins_as_the_old_one_enlarged():
    encoder, decoder = grown()
    x = torch.randn(2, 3, 64, 32)
    small = F.avg_pool2d(x, 2)

    old = decoder([[level] for level in encoder(small, fade=None)], fade=None)
    new = decoder([[level] for level in encoder(x, fade=0.0)], fade=0.0)

    torch.testing.assert_close(new, F.interpolate(old, scale_factor=2, mode="nearest"))


def test_a_network_that_has_not_grown_gives_its_weights_to_one_that_has():
    encoder, decoder = grown()
    small_encoder, small_decoder = DownEncoder(3, WIDTHS, "none"), UpDecoder(WIDTHS, 1, 7, "none")
    for one, other in ((encoder, small_encoder), (decoder, small_decoder)):
        missing = one.load_state_dict(other.state_dict(), strict=False)
        assert not missing.unexpected_keys
        assert all(name.startswith("new_") for name in missing.missing_keys)
    x = torch.randn(1, 3, 32, 16)

    ours, theirs = encoder(x, fade=None), small_encoder(x)

    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert torch.equal(decoder([[a] for a in ours], fade=None), small_decoder([[a] for a in theirs]))


def test_once_faded_in_the_old_ends_have_no_influence():
    encoder, decoder = grown()
    x = torch.randn(1, 3, 64, 32)
    before = decoder([[level] for level in encoder(x)])
    nn.init.normal_(encoder.stem.weight)
    nn.init.normal_(decoder.output.weight)

    assert torch.equal(decoder([[level] for level in encoder(x)]), before)
    halfway = decoder([[level] for level in encoder(x, fade=0.5)], fade=0.5)
    assert not torch.equal(halfway, before)
