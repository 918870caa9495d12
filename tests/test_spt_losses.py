"""Each loss of SPT against a slow literal version, and what it means."""

import math

import pytest
import torch
from torch import Tensor

from pgt.data.body_parts import part_masks
from pgt.data.faces import crop_faces
from pgt.data.parsing import one_hot
from pgt.layers.crops import point_patches
from pgt.losses import (
    adversarial_loss,
    content_loss,
    gram_matrix,
    patch_style_loss,
    pose_loss,
    reconstruction_loss,
    region_grams,
    region_style_loss,
    semantic_cross_entropy,
    semantic_style_loss,
)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def random_labels(*shape: int, labels: int = 4, seed: int = 0) -> Tensor:
    return torch.randint(labels, shape, generator=torch.Generator().manual_seed(seed))


def mean_square(a: Tensor, b: Tensor) -> float:
    errors = [(x - y) ** 2 for x, y in zip(a.flatten().tolist(), b.flatten().tolist(), strict=True)]
    return sum(errors) / len(errors)


# --- Eq. 3 ---


def test_semantic_cross_entropy_equals_a_loop():
    logits, labels = random(2, 4, 5, 3), random_labels(2, 5, 3)
    mask = random_labels(2, 1, 5, 3, labels=2, seed=1).float()
    total = 0.0
    for b in range(2):
        for y in range(5):
            for x in range(3):
                scores = logits[b, :, y, x].tolist()
                p = math.exp(scores[labels[b, y, x]]) / sum(math.exp(score) for score in scores)
                total += -math.log(p) * (1 + mask[b, 0, y, x].item())
    assert semantic_cross_entropy(logits, labels, mask).item() == pytest.approx(total / (2 * 5 * 3))


def test_semantic_cross_entropy_counts_the_body_twice():
    logits, labels = random(1, 4, 6, 3), random_labels(1, 6, 3)
    on, off = (semantic_cross_entropy(logits, labels, torch.full((1, 1, 6, 3), m)) for m in (1.0, 0.0))
    torch.testing.assert_close(on, 2 * off)


def test_a_sure_mistake_costs_a_finite_amount_and_still_teaches():
    logits = torch.tensor([200.0, 0.0]).view(1, 2, 1, 1).requires_grad_()
    loss = semantic_cross_entropy(logits, torch.ones(1, 1, 1).long(), torch.zeros(1, 1, 1, 1))
    loss.backward()
    assert loss.item() == pytest.approx(200)
    assert logits.grad.flatten().tolist() == pytest.approx([1, -1])


# --- Eq. 4, 7, 11 ---


@pytest.mark.parametrize("is_real", [True, False])
def test_least_squares_equals_the_squared_distance_from_the_answer(is_real):
    logits = [-3.0, -0.5, 0.0, 2.0]
    expected = sum((value - is_real) ** 2 for value in logits) / 4
    found = adversarial_loss(torch.tensor(logits), is_real, kind="least_squares")
    assert found.item() == pytest.approx(expected)
    with pytest.raises(ValueError, match="'hinge'"):
        adversarial_loss(torch.tensor(logits), is_real, kind="hinge")


@pytest.mark.parametrize("kind", ["log", "least_squares"])
def test_pictures_that_do_not_count_are_left_out_of_loss_and_gradient(kind):
    logits = random(3, 1, 4, 2).requires_grad_()
    valid = torch.tensor([True, False, True])
    loss = adversarial_loss(logits, True, kind=kind, valid=valid)
    torch.testing.assert_close(loss, adversarial_loss(logits[[0, 2]], True, kind=kind))
    loss.backward()
    assert (logits.grad[1] == 0).all()
    assert (logits.grad[[0, 2]] != 0).all()
    nobody = adversarial_loss(logits, True, kind=kind, valid=torch.zeros(3, dtype=torch.bool))
    nobody.backward()
    assert nobody.item() == 0
    assert logits.grad.isfinite().all()


def test_face_loss_reaches_the_generated_picture_and_skips_the_one_without_a_face():
    keypoints = torch.rand(2, 18, 2, generator=torch.Generator().manual_seed(0)) * 20 + 20
    visible = torch.ones(2, 18, dtype=torch.bool)
    visible[1, [0, 14, 15, 16, 17]] = False
    image = random(2, 3, 64, 64).requires_grad_()
    faces, valid = crop_faces(image, keypoints, visible, (16, 16))
    adversarial_loss(faces.mean(dim=(1, 2, 3)), True, valid=valid).backward()
    assert valid.tolist() == [True, False]
    assert image.grad[0].abs().sum() > 0
    assert (image.grad[1] == 0).all()


# --- Eq. 8, 9, 13 ---


def test_pose_and_reconstruction_equal_a_loop():
    a, b = random(2, 3, 5, 4), random(2, 3, 5, 4, seed=1)
    assert pose_loss(a, b).item() == pytest.approx(mean_square(a, b), rel=1e-5)
    assert reconstruction_loss(a, b).item() == pytest.approx(mean_square(a, b), rel=1e-5)


def test_content_is_a_weighted_sum_over_layers():
    shapes = ((2, 3, 8, 4), (2, 5, 8, 4), (2, 6, 4, 2))
    ours = [random(*shape, seed=i) for i, shape in enumerate(shapes)]
    real = [random(*shape, seed=i + 9) for i, shape in enumerate(shapes)]
    errors = [mean_square(a, b) for a, b in zip(ours, real, strict=True)]
    assert content_loss(ours, real).item() == pytest.approx(sum(errors), rel=1e-5)
    weighted = errors[0] + 0.5 * errors[1] + 2 * errors[2]
    assert content_loss(ours, real, (1, 0.5, 2)).item() == pytest.approx(weighted, rel=1e-5)
    with pytest.raises(ValueError, match="3 generated layers met 2"):
        content_loss(ours, real[:2])


def test_content_moves_the_generated_features_alone():
    ours, real = random(1, 3, 4, 2).requires_grad_(), random(1, 3, 4, 2, seed=1).requires_grad_()
    content_loss([ours], [real]).backward()
    assert ours.grad.abs().sum() > 0
    assert real.grad is None


# --- Eq. 10 ---


def slow_gram(rows: list[list[float]], area: float) -> Tensor:
    """Sum the products of all pairs of channels over pixels: rows (pixels, C) -> (C, C)."""
    channels = len(rows[0])
    gram = torch.zeros(channels, channels)
    for row in rows:
        for i in range(channels):
            for j in range(channels):
                gram[i, j] += row[i] * row[j] / area
    return gram


def slow_region_grams(features: Tensor, regions: Tensor, by_area: bool) -> Tensor:
    batch, channels, height, width = features.shape
    grams = torch.zeros(batch, regions.shape[1], channels, channels)
    for b in range(batch):
        for l in range(regions.shape[1]):  # noqa: E741
            masked = features[b] * regions[b, l]
            rows = masked.flatten(1).t().tolist()
            area = max(regions[b, l].square().sum().item(), 1e-6) if by_area else height * width
            grams[b, l] = slow_gram(rows, area)
    return grams


def test_gram_matrix_equals_a_loop_over_pixels():
    features = random(2, 3, 5, 4)
    for b in range(2):
        expected = slow_gram(features[b].flatten(1).t().tolist(), 20)
        torch.testing.assert_close(gram_matrix(features)[b], expected)


@pytest.mark.parametrize("by_area", [False, True])
@pytest.mark.parametrize("kind", ["labels", "overlapping", "fractions", "empty"])
def test_region_grams_equal_masking_and_then_a_gram_matrix_each(kind, by_area):
    features = random(3, 4, 6, 5)
    regions = {
        "labels": one_hot(random_labels(3, 6, 5)),
        "overlapping": random_labels(3, 7, 6, 5, labels=2).float(),
        "fractions": torch.rand(3, 2, 6, 5, generator=torch.Generator().manual_seed(1)),
        "empty": torch.zeros(3, 2, 6, 5),
    }[kind]
    grams, present = region_grams(features, regions, by_area=by_area)
    torch.testing.assert_close(grams, slow_region_grams(features, regions, by_area))
    assert (present == (regions > 0).any(dim=3).any(dim=2)).all()


def test_style_is_the_sum_over_labels_of_mean_squared_differences():
    features = random(2, 3, 6, 4), random(2, 3, 6, 4, seed=1)
    parsings = [one_hot(random_labels(2, 6, 4, seed=seed))[:, :4] for seed in (2, 3)]
    grams = [slow_region_grams(f, p, False) for f, p in zip(features, parsings, strict=True)]
    expected = sum(mean_square(grams[0][:, i], grams[1][:, i]) for i in range(4))
    assert semantic_style_loss(*features, *parsings).item() == pytest.approx(expected, rel=1e-5)
    some = sum(mean_square(grams[0][:, i], grams[1][:, i]) for i in (1, 3))
    found = semantic_style_loss(*features, *parsings, labels=(1, 3))
    assert found.item() == pytest.approx(some, rel=1e-5)


def test_style_sees_the_likeliest_label_of_probabilities():
    features = random(1, 3, 6, 4), random(1, 3, 6, 4, seed=1)
    soft = [random(1, 5, 6, 4, seed=seed).softmax(dim=1).requires_grad_() for seed in (2, 3)]
    hard = [one_hot(parsing.argmax(dim=1))[:, :5] for parsing in soft]
    loss = semantic_style_loss(*features, *soft)
    torch.testing.assert_close(loss, semantic_style_loss(*features, *hard))
    assert not loss.requires_grad  # a binary map has no gradient


def test_larger_maps_are_averaged_down_and_rounded():
    labels = random_labels(2, 12, 8)
    large = one_hot(labels)[:, :4]
    small = torch.zeros(2, 4, 6, 4)
    for b in range(2):
        for y in range(6):
            for x in range(4):
                for label in range(4):
                    quarter = labels[b, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
                    small[b, label, y, x] = (quarter == label).sum() >= 2
    features = random(2, 3, 6, 4), random(2, 3, 6, 4, seed=1)
    torch.testing.assert_close(
        region_style_loss(*features, large, large), region_style_loss(*features, small, small)
    )


def test_style_does_not_see_where_in_a_region_a_texture_lies():
    features, labels = random(1, 3, 6, 4), random_labels(1, 6, 4)
    moved = features.clone()
    for label in range(4):
        inside = (labels[0] == label).nonzero()
        order = inside[torch.randperm(len(inside), generator=torch.Generator().manual_seed(label))]
        moved[0, :, inside[:, 0], inside[:, 1]] = features[0, :, order[:, 0], order[:, 1]]
    parsing = one_hot(labels)
    assert not torch.equal(moved, features)
    assert semantic_style_loss(features, moved, parsing, parsing).item() == pytest.approx(0, abs=1e-12)
    across = features.flip(-1)
    assert semantic_style_loss(features, across, parsing, parsing) > 1e-3


def test_a_region_that_one_picture_lacks_counts_by_eq_10_and_not_if_only_common_ones_do():
    features = random(1, 3, 6, 4), random(1, 3, 6, 4, seed=1)
    both_lack, one_lacks = torch.ones(1, 2, 6, 4), torch.ones(1, 2, 6, 4)
    both_lack[:, 1], one_lacks[:, 1] = 0, 0
    whole = torch.ones(1, 2, 6, 4)
    shared = region_style_loss(*features, whole[:, :1], whole[:, :1])
    torch.testing.assert_close(region_style_loss(*features, both_lack, both_lack), shared)
    lacking = gram_matrix(features[0]).square().mean()
    torch.testing.assert_close(region_style_loss(*features, whole, one_lacks), shared + lacking)
    torch.testing.assert_close(region_style_loss(*features, whole, one_lacks, common_only=True), shared)


def test_by_area_a_small_piece_of_a_cloth_equals_a_large_one():
    cloth = random(1, 3, 1, 1).expand(1, 3, 8, 4)
    small, large = torch.zeros(1, 1, 8, 4), torch.ones(1, 1, 8, 4)
    small[..., :2, :] = 1
    assert region_style_loss(cloth, cloth, small, large, by_area=True).item() == pytest.approx(0, abs=1e-12)
    assert region_style_loss(cloth, cloth, small, large) > 1e-3


def test_mask_style_takes_the_ten_body_parts():
    corners = torch.tensor([[8.0, 8], [24, 8], [24, 40], [8, 40]]).expand(1, 10, 4, 2)
    valid = torch.zeros(1, 10, dtype=torch.bool)
    valid[:, [0, 4]] = True
    masks = part_masks(corners, valid, (64, 32))
    features = random(1, 3, 32, 16), random(1, 3, 32, 16, seed=1)
    torso = region_style_loss(*features, masks[:, :1], masks[:, :1])
    torch.testing.assert_close(region_style_loss(*features, masks, masks), 2 * torso)


def test_style_gradients_equal_finite_differences_and_reach_both_sides():
    parsing = one_hot(random_labels(2, 4, 3))[:, :4]
    ours, real = (random(2, 3, 4, 3, seed=seed).requires_grad_() for seed in (0, 1))
    region_style_loss(ours, real, parsing, parsing.flip(0), common_only=True).backward()
    for features, other in ((ours, real), (real, ours)):
        moved = features.detach().clone()
        moved[1, 2, 3, 1] += 1e-2
        back = features.detach().clone()
        back[1, 2, 3, 1] -= 1e-2
        rest = other.detach()
        regions = (parsing, parsing.flip(0)) if features is ours else (parsing.flip(0), parsing)
        slope = [region_style_loss(one, rest, *regions, common_only=True).item() for one in (moved, back)]
        assert features.grad[1, 2, 3, 1].item() == pytest.approx(
            (slope[0] - slope[1]) / 2e-2, rel=2e-2, abs=1e-4
        )
    ours.grad = None
    region_style_loss(ours, real.detach(), parsing, parsing).backward()
    assert ours.grad.abs().sum() > 0


def test_patch_style_equals_one_gram_matrix_per_visible_joint():
    patches = random(2, 4, 3, 5, 5), random(2, 4, 3, 5, 5, seed=1)
    valid = torch.tensor([[True, False, True, True], [False, False, True, False]])
    errors = []
    for b, k in valid.nonzero().tolist():
        grams = [slow_gram(side[b, k].flatten(1).t().tolist(), 25) for side in patches]
        errors.append(mean_square(*grams))
    assert patch_style_loss(*patches, valid).item() == pytest.approx(sum(errors) / 4, rel=1e-5)
    assert patch_style_loss(*patches, torch.zeros_like(valid)).item() == 0


def test_patch_style_follows_the_joints():
    # The same picture shifted, with its joints: nothing around them has changed.
    features = random(1, 3, 32, 16)
    moved = features.roll((4, 2), dims=(2, 3))
    joints = torch.tensor([[[5.0, 9.0], [8.0, 20.0]]])
    patches = [
        point_patches(f, p, (32, 16), 5)
        for f, p in ((features, joints), (moved, joints + torch.tensor([2.0, 4.0])))
    ]
    visible = torch.ones(1, 2, dtype=torch.bool)
    assert patch_style_loss(*patches, visible).item() == pytest.approx(0, abs=1e-10)
    assert patch_style_loss(patches[0], point_patches(moved, joints, (32, 16), 5), visible) > 1e-3


# --- all of them ---


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_losses_of_low_precision_are_finite_and_close_to_float32(dtype):
    features = 30 * random(2, 8, 16, 8), 30 * random(2, 8, 16, 8, seed=1)  # their squares overflow float16
    parsing = one_hot(random_labels(2, 16, 8))[:, :4]
    mask = torch.ones(2, 1, 16, 8)
    labels = random_labels(2, 16, 8)
    losses = {
        "cross entropy": lambda a, b: semantic_cross_entropy(a, labels, mask),
        "pose": pose_loss,
        "content": lambda a, b: content_loss([a], [b]),
        "reconstruction": reconstruction_loss,
        "style": lambda a, b: semantic_style_loss(a, b, parsing, parsing),
        "patches": lambda a, b: patch_style_loss(a[:, None], b[:, None], torch.ones(2, 1).bool()),
    }
    for name, loss in losses.items():
        low = [side.to(dtype).requires_grad_() for side in features]
        with torch.autocast("cpu", torch.bfloat16):
            found = loss(*low)
        found.backward()
        assert low[0].grad.isfinite().all(), name
        assert found.item() == pytest.approx(loss(*features).item(), rel=0.02), name
