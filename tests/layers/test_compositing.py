"""Eq. 6 of SPT and its mask."""

import torch

from pgt.layers.compositing import composite, hole_in, mask_from_parsing


def test_composite_equals_eq_6_pixel_by_pixel():
    foreground, background, mask = torch.randn(2, 3, 4, 2), torch.randn(2, 3, 4, 2), torch.rand(2, 1, 4, 2)
    result = composite(foreground, background, mask)
    for b in range(2):
        for c in range(3):
            for y in range(4):
                for x in range(2):
                    m = mask[b, 0, y, x]
                    expected = foreground[b, c, y, x] * m + background[b, c, y, x] * (1 - m)
                    torch.testing.assert_close(result[b, c, y, x], expected)


def test_composite_shows_each_side_where_it_belongs_and_trains_both():
    foreground, background = (torch.randn(1, 3, 2, 2, requires_grad=True) for _ in range(2))
    mask = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
    result = composite(foreground, background, mask)
    assert (result[..., 0, 0] == foreground[..., 0, 0]).all()
    assert (result[..., 0, 1] == background[..., 0, 1]).all()
    result.sum().backward()
    torch.testing.assert_close(foreground.grad, mask.expand(1, 3, 2, 2))
    torch.testing.assert_close(background.grad, (1 - mask).expand(1, 3, 2, 2))


def test_mask_is_the_likeliest_label_s_and_exactly_binary():
    # Background 0.4 is not likeliest beside 0.5; it is beside 0.3 and 0.3, though a person is likelier.
    parsing = torch.tensor([[0.4, 0.5, 0.1], [0.4, 0.3, 0.3]]).t().reshape(1, 3, 1, 2)
    assert mask_from_parsing(parsing).flatten().tolist() == [1.0, 0.0]
    torch.testing.assert_close(mask_from_parsing(parsing, binary=False).flatten(), torch.tensor([0.6, 0.6]))
    random = torch.rand(2, 10, 9, 7).softmax(dim=1)
    assert set(mask_from_parsing(random).unique().tolist()) <= {0.0, 1.0}


def test_binary_mask_passes_its_gradient_to_the_semantic_map():
    logits = torch.randn(1, 4, 3, 3, requires_grad=True)
    mask_from_parsing(logits.softmax(dim=1)).sum().backward()
    through = logits.grad.clone()
    logits.grad = None
    mask_from_parsing(logits.softmax(dim=1), binary=False).sum().backward()
    torch.testing.assert_close(through, logits.grad)
    assert through.abs().sum() > 0


def test_sides_of_different_types_keep_the_finer_one():
    # Under mixed precision a network's picture is composited with the source's.
    mask = mask_from_parsing(torch.randn(1, 4, 3, 3).bfloat16().softmax(dim=1))
    source = torch.rand(1, 3, 3, 3)
    picture = composite(torch.zeros(1, 3, 3, 3).bfloat16(), source, mask)
    assert picture.dtype == torch.float32
    torch.testing.assert_close(picture, source * (1 - mask.float()), atol=0, rtol=0)


def test_a_hole_is_the_person_grown_by_a_margin():
    parsing = torch.zeros(1, 10, 9, 12)
    parsing[:, 0] = 1
    parsing[0, :, 4, 6] = torch.nn.functional.one_hot(torch.tensor(3), 10)
    assert torch.equal(hole_in(parsing, 0), mask_from_parsing(parsing))
    wanted = torch.zeros(9, 12)
    wanted[2:7, 4:9] = 1
    assert torch.equal(hole_in(parsing, 2)[0, 0], wanted)
