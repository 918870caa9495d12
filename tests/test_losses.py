"""Each loss against a slow literal version, and what it means."""

import math

import pytest
import torch

from pgt.losses import adversarial_loss, l1_loss, pose_mask_l1_loss


@pytest.fixture
def pictures() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    generated, target = (torch.rand(2, 3, 5, 4, generator=random) * 2 - 1 for _ in range(2))
    return generated, target, (torch.rand(2, 1, 5, 4, generator=random) > 0.5).float()


def test_l1_equals_a_loop(pictures):
    generated, target, _ = pictures
    errors = [
        abs(a - b) for a, b in zip(generated.flatten().tolist(), target.flatten().tolist(), strict=True)
    ]
    assert l1_loss(generated, target).item() == pytest.approx(sum(errors) / len(errors))


def test_pose_mask_l1_equals_a_loop(pictures):
    generated, target, mask = pictures
    total = 0.0
    for b in range(2):
        for c in range(3):
            for y in range(5):
                for x in range(4):
                    error = abs((generated[b, c, y, x] - target[b, c, y, x]).item())
                    total += error * (1 + mask[b, 0, y, x].item())
    assert pose_mask_l1_loss(generated, target, mask).item() == pytest.approx(total / 120)


def test_pose_mask_l1_is_the_released_sum_of_two_means(pictures):
    generated, target, mask = pictures
    difference = (generated - target).abs()
    released = difference.mean() + (difference * mask).mean()
    torch.testing.assert_close(pose_mask_l1_loss(generated, target, mask), released)


def test_person_error_costs_twice_background_error():
    target = torch.zeros(1, 3, 4, 4)
    generated = torch.full_like(target, 0.5)
    background = torch.zeros(1, 1, 4, 4)
    on_person = pose_mask_l1_loss(generated, target, 1 - background)
    on_background = pose_mask_l1_loss(generated, target, background)
    torch.testing.assert_close(on_person, 2 * on_background)


def test_no_mask_is_plain_l1(pictures):
    generated, target, mask = pictures
    torch.testing.assert_close(
        pose_mask_l1_loss(generated, target, torch.zeros_like(mask)), l1_loss(generated, target)
    )


@pytest.mark.parametrize("is_real", [True, False])
def test_adversarial_equals_cross_entropy_by_hand(is_real):
    logits = [-3.0, -0.5, 0.0, 2.0]
    probabilities = [1 / (1 + math.exp(-value)) for value in logits]
    expected = [-math.log(p if is_real else 1 - p) for p in probabilities]
    assert adversarial_loss(torch.tensor(logits), is_real).item() == pytest.approx(sum(expected) / 4)


def test_adversarial_stays_finite_and_alive_where_the_sigmoid_is_flat():
    logits = torch.tensor([-200.0], requires_grad=True)
    loss = adversarial_loss(logits, is_real=True)
    loss.backward()
    assert loss.item() == pytest.approx(200)
    assert logits.grad.item() == pytest.approx(-1)
