"""Filling what is unknown of a picture."""

import torch

from pgt.layers.inpainting import fill_unknown, remove_person


def test_what_is_known_stays_and_is_continued() -> None:
    image = torch.linspace(-1, 1, 33).expand(1, 3, 21, 33)
    known = torch.ones(1, 1, 21, 33)
    known[..., 6:15, 10:20] = 0
    filled = fill_unknown(image * known, known)
    assert torch.equal(filled * known, image * known)
    assert (filled - image).abs().max() < 0.25


def test_unknown_values_have_no_influence() -> None:
    image = torch.rand(2, 3, 17, 12, generator=torch.manual_seed(0))
    known = (torch.rand(2, 1, 17, 12, generator=torch.manual_seed(1)) > 0.7).float()
    spoilt = torch.where(known > 0, image, 1e6)
    torch.testing.assert_close(fill_unknown(spoilt, known), fill_unknown(image, known))


def test_nothing_known_gives_zero() -> None:
    assert (fill_unknown(torch.ones(1, 3, 9, 9), torch.zeros(1, 1, 9, 9)) == 0).all()


def test_a_removed_person_leaves_no_trace_on_a_plain_wall() -> None:
    image = torch.full((1, 3, 64, 32), 0.2)
    mask = torch.zeros(1, 1, 64, 32)
    mask[..., 10:60, 8:20] = 1
    image = torch.where(mask > 0, -1.0, image)
    assert (remove_person(image, mask) - 0.2).abs().max() < 1e-5
