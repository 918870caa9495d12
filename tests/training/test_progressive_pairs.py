"""Progressive's local discriminators in training: what they are shown, and who learns from their answer."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from pgt.data.descriptors import descriptor_centers
from pgt.layers.local_descriptors import crop_regions
from pgt.training.progressive import ProgressiveRecipe
from tests.training.tiny_progressive import LEVELS, SIZES, STAGES, blocks, make_batch, moved, recipe

FINE = STAGES[-1]


class Seen:
    """What the discriminator was shown: the first and second crops of every call."""

    def __init__(self, trained: ProgressiveRecipe) -> None:
        self.calls: list[tuple[torch.Tensor, torch.Tensor]] = []
        trained.nets["discriminator"].register_forward_pre_hook(lambda net, pair: self.calls.append(pair))


@pytest.mark.parametrize("fake_pair", ["source", "target"])
def test_pairs_are_reference_and_target_against_reference_and_generated(fake_pair):
    """(X_d, X'_d) is real, (X_d, X^_d) is fake, or (X'_d, X^_d) by the caption of Fig. 6.

    X_d lies at the source's joints, the others at the target's.
    """
    trained, batch = recipe(fake_pair=fake_pair), make_batch(FINE.image_size)
    seen = Seen(trained)
    trained.train_step(batch, FINE)
    places = {
        side: descriptor_centers(
            getattr(batch, f"{side}_keypoints"), getattr(batch, f"{side}_visible"), 31, SIZES[2]
        )[0]
        for side in ("source", "target")
    }
    reference, real = (crop_regions(getattr(batch, side), places[side]) for side in places)
    assert len(seen.calls) == 3  # D on real, D on fake, then G
    assert torch.equal(seen.calls[0][0], reference)
    assert torch.equal(seen.calls[0][1], real)
    for first, drawn in seen.calls[1:]:
        assert torch.equal(first, reference if fake_pair == "source" else real)
        assert not torch.equal(drawn, real)
    assert torch.equal(seen.calls[1][1], seen.calls[2][1])
    assert not seen.calls[1][1].requires_grad  # D's step must not move the generator
    assert seen.calls[2][1].requires_grad  # trap: G's must not be detached


def test_the_generator_receives_adversarial_gradient_in_every_block():
    names = moved(recipe(perceptual_weight=0.0, weight_decay=0.0), FINE)
    weights = {name for name in names if "running" not in name and "num_batches" not in name}
    assert blocks({name for name in weights if name.startswith("generator.")}) == LEVELS[FINE]


def test_the_generators_step_leaves_no_gradient_for_the_discriminator():
    trained = recipe()
    trained.train_step(make_batch(FINE.image_size), FINE)
    assert all(p.grad is None and p.requires_grad for p in trained.nets["discriminator"].parameters())


@pytest.mark.parametrize("shared", [True, False])
def test_adversarial_terms_count_the_regions_known_on_both_sides(shared):
    trained, batch = recipe(shared_discriminator=shared), make_batch(FINE.image_size)
    judge = deepcopy(trained.nets["discriminator"])
    sides = [
        descriptor_centers(
            getattr(batch, f"{side}_keypoints"), getattr(batch, f"{side}_visible"), 31, SIZES[2]
        )
        for side in ("source", "target")
    ]
    both = (sides[0][1] & sides[1][1]).flatten()
    logits = judge(crop_regions(batch.source, sides[0][0]), crop_regions(batch.target, sides[1][0]))
    expected = [
        -torch.sigmoid(logit).log().item() for logit, known in zip(logits, both, strict=True) if known
    ]
    assert 0 < len(expected) < 62
    term = trained.train_step(batch, FINE)["d/real"].item()
    assert term == pytest.approx(sum(expected) / len(expected), rel=1e-4)


@pytest.mark.parametrize("norm", ["instance", "spectral", "none"])
def test_discriminators_learn_to_tell_pair_from_pair(norm):
    trained, batch = recipe(discriminator_norm=norm, discriminator_lr=1e-2), make_batch(FINE.image_size)
    trained.set_lr(replace(FINE, lr=1e-9), 0)  # the generator stands still, as good as
    terms = [trained.train_step(batch, FINE) for _ in range(30)]
    first, last = (one["d/real"] + one["d/fake"] for one in (terms[0], terms[-1]))
    assert last < 0.7 * first
