"""The losses of garment transfer's flow, against literal versions."""

import pytest
import torch

from pgt.losses import flow_variation_loss, masked_l1_loss


def test_the_masked_error_is_the_mean_over_masked_pixels_and_channels():
    random = torch.Generator().manual_seed(0)
    generated, target = (torch.rand(2, 3, 5, 4, generator=random) for _ in range(2))
    mask = (torch.rand(2, 1, 5, 4, generator=random) > 0.6).float()
    errors = [
        abs(float(generated[b, c, y, x] - target[b, c, y, x]))
        for b in range(2)
        for c in range(3)
        for y in range(5)
        for x in range(4)
        if mask[b, 0, y, x]
    ]
    assert float(masked_l1_loss(generated, target, mask)) == pytest.approx(sum(errors) / len(errors))


def test_what_is_not_masked_costs_nothing():
    generated = torch.rand(1, 3, 4, 4, requires_grad=True)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 1, 2] = 1
    masked_l1_loss(generated, torch.full((1, 3, 4, 4), 2.0), mask).backward()
    moved = generated.grad.abs().sum(dim=1) > 0
    assert torch.equal(moved, mask[:, 0] > 0)
    assert masked_l1_loss(generated, generated + 1, torch.zeros(1, 1, 4, 4)).item() == 0


def test_variation_is_the_mean_difference_of_neighbours():
    flow = torch.rand(2, 4, 5, 2, generator=torch.Generator().manual_seed(1))
    across = [
        sum(abs(float(flow[b, y, x + 1, k] - flow[b, y, x, k])) for k in (0, 1))
        for b in range(2)
        for y in range(4)
        for x in range(4)
    ]
    down = [
        sum(abs(float(flow[b, y + 1, x, k] - flow[b, y, x, k])) for k in (0, 1))
        for b in range(2)
        for y in range(3)
        for x in range(5)
    ]
    expected = sum(across) / len(across) + sum(down) / len(down)
    assert float(flow_variation_loss(flow)) == pytest.approx(expected)


def test_a_shift_does_not_vary_and_a_stretch_does():
    shift = torch.tensor([3.0, -2.0]).expand(1, 6, 6, 2)
    assert float(flow_variation_loss(shift)) == 0
    stretch = 0.25 * torch.arange(6.0).view(1, 1, 6, 1) * torch.tensor([1.0, 0.0])
    assert float(flow_variation_loss(stretch.expand(1, 6, 6, 2))) == pytest.approx(0.25)
