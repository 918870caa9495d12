"""Progressive's training step: what each level moves, by which loss, and that it learns."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from pgt.data.descriptors import descriptor_centers
from pgt.data.person import PairBatch
from pgt.layers.local_descriptors import crop_regions
from pgt.losses import level_criterion
from pgt.training.progressive import ProgressiveRecipe
from tests.training.runners import Losses
from tests.training.tiny_progressive import LEVELS, SIZES, STAGES, TINY, blocks, make_batch, moved, recipe

COARSE, MIDDLE, FINE = STAGES


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_level_moves_all_of_its_own_and_of_older_blocks_and_nothing_else(stage):
    """New blocks, old blocks and the new 1x1 convolutions; local discriminators at the finest level alone."""
    trained = recipe()
    names = moved(trained, stage)
    judged = {name for name in names if name.startswith("discriminator.")}
    assert bool(judged) == (stage is FINE)
    assert blocks(names - judged) == LEVELS[stage]
    weights = {f"generator.{name}" for name, _ in trained.nets["generator"].named_parameters()}
    still = weights - names
    assert not blocks(still) & LEVELS[stage], "every weight of a block learns"


def test_growing_starts_new_blocks_from_scratch_and_fades_nothing_in():
    """Until its first step a new block is as it was drawn; that step runs it in full."""
    trained, fresh = recipe(), recipe()
    for _ in range(3):
        trained.train_step(make_batch(COARSE.image_size), COARSE)
    ours, theirs = (one.nets["generator"].autoencoder for one in (trained, fresh))
    for name in ("downs.2", "ups.2", "from_rgb.1", "to_rgb.1"):
        for a, b in zip(
            *(one.get_submodule(name).state_dict().values() for one in (ours, theirs)), strict=True
        ):
            assert torch.equal(a, b)
    batch, runner = make_batch(MIDDLE.image_size), Losses()
    trained.prepare(runner)
    generator = deepcopy(trained.nets["generator"]).train()
    generator.trained_stages = (COARSE.name, MIDDLE.name)
    drawn = generator(batch.source, batch.target_keypoints, batch.target_visible).generated
    expected = (trained._features(drawn)[0] - trained._features(batch.target)[0]).square().mean()
    first_layer = expected.item()
    terms = trained.train_step(batch, MIDDLE)
    assert terms["g/perceptual"] > first_layer  # the other layers come on top
    rest = zip(trained._features(drawn), trained._features(batch.target), strict=True)
    assert terms["g/perceptual"].item() == pytest.approx(
        sum((a - b).square().mean().item() for a, b in rest), rel=1e-4
    )


def test_the_optimiser_keeps_what_it_knows_of_older_blocks_as_the_network_grows():
    trained = recipe()
    for stage in (COARSE, COARSE, MIDDLE):
        trained.train_step(make_batch(stage.image_size), stage)
    net, optimizer = trained.nets["generator"].autoencoder, trained.optimizers["autoencoder"]
    steps = {
        name: int(optimizer.state[parameter]["step"]) if parameter in optimizer.state else 0
        for name, parameter in net.named_parameters()
    }
    assert {steps[name] for name in steps if name.startswith(("downs.0", "ups.1"))} == {3}
    assert {steps[name] for name in steps if name.startswith("from_rgb.0")} == {2}
    assert {steps[name] for name in steps if name.startswith(("downs.2", "ups.2", "to_rgb.1"))} == {1}
    assert {steps[name] for name in steps if name.startswith(("downs.3", "to_rgb.2"))} == {0}


def test_weights_decay_by_adam_except_those_that_do_not_learn_yet():
    """Section 3.4: Adam with a weight decay of 5e-4; a block that is to come must not shrink meanwhile."""
    trained = recipe(weight_decay=0.5, perceptual_weight=0.0, local_weight=0.0)
    assert recipe().optimizers["autoencoder"].param_groups[0]["weight_decay"] == 5e-4
    before = deepcopy(trained.nets["generator"].autoencoder.state_dict())
    trained.train_step(make_batch(COARSE.image_size), COARSE)
    after = trained.nets["generator"].autoencoder.state_dict()
    old, new = (f"downs.{k}.convs.0.weight" for k in (0, 2))
    assert after[old].norm() < before[old].norm()
    assert torch.equal(after[new], before[new])


# --- losses ---


def literal_terms(trained: ProgressiveRecipe, batch: PairBatch, level: int, kind: str) -> tuple[float, float]:
    """Eq. 2 and 3 by loops over pictures, regions and layers, for the picture that the next step draws."""
    generator = deepcopy(trained.nets["generator"]).train()
    drawn, _ = generator.autoencoder(
        batch.source,
        [
            torch.exp(-distance / (2 * TINY.pose_sigma**2)) * seen.float()[..., None, None]
            for distance, seen in [(squared_distances(batch), batch.target_visible)]
        ],
    )
    features = trained._features

    def errors(ours: torch.Tensor, real: torch.Tensor) -> float:
        layers = zip(features(ours[None]), features(real[None]), strict=True)
        if kind == "l2":
            return sum((a - b).square().mean().item() for a, b in layers)
        return sum((a - b).abs().mean().item() for a, b in layers)

    whole = sum(errors(drawn[b], batch.target[b]) for b in range(2)) / 2
    keypoints, visible = batch.target_keypoints, batch.target_visible
    centers, valid = descriptor_centers(keypoints, visible, TINY.descriptors[level - 1], batch.image_size)
    local = 0.0
    for b in range(2):
        for d in range(centers.shape[1]):
            if valid[b, d]:
                pair = (
                    crop_regions(one[b : b + 1], centers[b : b + 1, d : d + 1])[0]
                    for one in (drawn, batch.target)
                )
                local += errors(*pair) / 2
    return whole, local


def squared_distances(batch: PairBatch) -> torch.Tensor:
    """Of each joint from each pixel of the 8x4 bottleneck, in its pixels: (B, 18, 8, 4)."""
    scale = 8 / batch.image_size[0]
    places = (batch.target_keypoints + 0.5) * scale - 0.5
    ys, xs = torch.meshgrid(torch.arange(8.0), torch.arange(4.0), indexing="ij")
    return (xs - places[..., 0, None, None]) ** 2 + (ys - places[..., 1, None, None]) ** 2


@pytest.mark.parametrize(("step", "kind"), [(0, "l2"), (2, "l2"), (3, "l1"), (5, "l1")])
@pytest.mark.parametrize("stage", [COARSE, MIDDLE], ids=lambda stage: stage.name)
def test_a_step_is_equation_4_with_the_criterion_of_its_half(stage, step, kind):
    trained, runner, batch = recipe(), Losses(), make_batch(stage.image_size)
    trained.prepare(runner)
    trained.set_lr(stage, step)
    whole, local = literal_terms(trained, batch, TINY.level_of(stage.image_size), kind)
    terms = trained.train_step(batch, stage)
    assert set(terms) == {"g/perceptual", "g/local"}
    assert terms["g/perceptual"].item() == pytest.approx(whole, rel=1e-4)
    assert terms["g/local"].item() == pytest.approx(local, rel=1e-4)
    assert runner.seen == pytest.approx([whole + local], rel=1e-4)
    assert level_criterion(step, stage.num_steps) == kind


def test_ablations_of_table_1():
    """Baseline and PT have no local term, LPL and PT+LPL no discriminators, PT+LPL+LD these at the end."""
    batch = make_batch(FINE.image_size)
    for changes, terms in {
        (("local_weight", 0.0), ("adversarial_weight", 0.0)): {"g/perceptual"},
        (("adversarial_weight", 0.0),): {"g/perceptual", "g/local"},
        (): {"g/perceptual", "g/adversarial", "d/real", "d/fake"},
        (("top_local_weight", 1.0),): {"g/perceptual", "g/local", "g/adversarial", "d/real", "d/fake"},
        (("descriptors", (0, 0, 0)),): {"g/perceptual", "g/local"},
    }.items():
        trained = recipe(**dict(changes))
        assert set(trained.train_step(batch, FINE)) == terms
    assert trained.train_step(batch, FINE)["g/local"] == 0
    alone = recipe(stages=(FINE,), adversarial_weight=0.0)  # without progressive training: one level at once
    assert blocks(moved(alone, FINE)) == LEVELS[FINE]


def test_weights_and_pixels_come_in_as_the_config_says():
    changes = {
        "perceptual_weight": 3.0,
        "local_weight": 5.0,
        "adversarial_weight": 7.0,
        "top_local_weight": 11.0,
    }
    trained, runner = recipe(**changes), Losses()
    trained.prepare(runner)
    terms = {name: float(v) for name, v in trained.train_step(make_batch(SIZES[0]), COARSE).items()}
    assert runner.seen == pytest.approx([3 * terms["g/perceptual"] + 5 * terms["g/local"]], rel=1e-5)
    runner.seen.clear()
    terms = {name: float(v) for name, v in trained.train_step(make_batch(SIZES[2]), FINE).items()}
    drawn = 3 * terms["g/perceptual"] + 11 * terms["g/local"] + 7 * terms["g/adversarial"]
    assert runner.seen == pytest.approx([terms["d/real"] + terms["d/fake"], drawn], rel=1e-5)
    with_pixels, without = (
        recipe(pixel_weight=weight).train_step(make_batch(SIZES[0]), COARSE)["g/perceptual"]
        for weight in (2.0, 0.0)
    )
    assert with_pixels > without


def test_the_teacher_stands_still_and_the_target_reaches_no_network():
    trained = recipe()
    before = deepcopy(trained._features.state_dict())
    for stage in STAGES:
        trained.train_step(make_batch(stage.image_size), stage)
    assert all(torch.equal(value, before[name]) for name, value in trained._features.state_dict().items())


def test_a_batch_in_which_nobody_is_seen_still_trains():
    for stage in STAGES:
        batch, trained = make_batch(stage.image_size), recipe()
        nobody = torch.zeros_like(batch.target_visible)
        terms = trained.train_step(replace(batch, target_visible=nobody, source_visible=nobody), stage)
        assert all(term.isfinite() for term in terms.values())
        assert terms.get("g/local", 0) == terms.get("d/real", 0) == terms.get("g/adversarial", 0) == 0


# --- learning and averaging ---


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_a_level_learns_one_batch(stage, norm):
    trained, batch = recipe(norm=norm, adversarial_weight=0.01), make_batch(stage.image_size)
    trained.set_lr(replace(stage, lr=5e-3), 0)
    losses = [trained.train_step(batch, stage)["g/perceptual"].item() for _ in range(40)]
    assert losses[-1] < losses[0] / 2


def test_the_average_has_the_statistics_of_batch_norm_too_and_begins_anew_at_every_level():
    trained, batch = recipe(ema_decay=0.9), make_batch(COARSE.image_size)
    for step in range(4):
        trained.set_lr(COARSE, step)
        trained.train_step(batch, COARSE)
    ours, average = (dict(trained.nets[name].autoencoder.named_buffers()) for name in ("generator", "ema"))
    assert all(torch.equal(value, average[name]) for name, value in ours.items())
    assert ours["downs.1.norms.0.running_mean"].any()
    trained.set_lr(MIDDLE, 0)
    trained.train_step(make_batch(MIDDLE.image_size), MIDDLE)
    weights, followed = (trained.nets[name].autoencoder.to_rgb[1].weight for name in ("generator", "ema"))
    start = recipe(ema_decay=0.9).nets["ema"].autoencoder.to_rgb[1].weight
    torch.testing.assert_close(followed, torch.lerp(start, weights, 9 / 11))  # the first of rising decays


def test_samples_and_the_deployable_draw_at_the_level_reached():
    trained = recipe(ema_decay=0.9)
    for stage in STAGES[:2]:
        batch = make_batch(stage.image_size)
        trained.train_step(batch, stage)
        model = trained.deployable()
        assert model.level == TINY.level_of(stage.image_size)
        assert not model.training
        drawn = model(batch.source, batch.target_keypoints, batch.target_visible).generated
        torch.testing.assert_close(trained.sample(batch)["generated"], drawn, atol=1e-5, rtol=1e-5)


def test_sampling_changes_no_state():
    through, watched = recipe(), recipe()
    for stage in STAGES:
        batch = make_batch(stage.image_size)
        through.train_step(batch, stage)
        watched.sample(batch)
        watched.train_step(batch, stage)
        watched.sample(batch)
    for name, value in through.nets.state_dict().items():
        assert torch.equal(value, watched.nets.state_dict()[name]), name


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_a_restored_recipe_continues_to_the_same_weights(ema_decay):
    def continued(trained: ProgressiveRecipe, steps: range) -> ProgressiveRecipe:
        for step in steps:
            stage = STAGES[step // 4]
            trained.set_lr(stage, step % 4)
            trained.train_step(make_batch(stage.image_size), stage)
        return trained

    whole = continued(recipe(ema_decay=ema_decay), range(12))
    for stop in (4, 6, 11):  # between two levels, where the criterion changes, and within one
        state = deepcopy(continued(recipe(ema_decay=ema_decay), range(stop)).state_dict())
        other = recipe(ema_decay=ema_decay)
        other.load_state_dict(state)
        continued(other, range(stop, 12))
        for name, value in whole.nets.state_dict().items():
            assert torch.equal(value, other.nets.state_dict()[name]), name


def test_runs_in_bfloat16_on_accelerate():
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state()
    try:
        trained = recipe(ema_decay=0.9, discriminator_norm="spectral")
        trained.prepare(Accelerator(mixed_precision="bf16", cpu=True))
        for stage in STAGES:
            batch = make_batch(stage.image_size)
            trained.set_lr(stage, 0)
            losses = [trained.train_step(batch, stage)["g/perceptual"] for _ in range(20)]
            assert losses[-1] < losses[0]
            assert trained.sample(batch)["generated"].dtype == torch.float32
        assert all(parameter.dtype == torch.float32 for parameter in trained.deployable().parameters())
    finally:
        AcceleratorState._reset_state()


def test_refuses_a_stage_of_a_size_that_no_level_has():
    with pytest.raises(ValueError, match=r"no level of this model draws \(48, 24\)"):
        recipe().train_step(make_batch((48, 24)), replace(COARSE, image_size=(48, 24)))


def test_readouts_move_nothing_but_themselves():
    plain, with_readouts = recipe(), recipe(readouts=True)
    for one in (plain, with_readouts):
        one.nets["generator"].autoencoder.load_state_dict(plain.nets["generator"].autoencoder.state_dict())
    batch = make_batch(MIDDLE.image_size)
    before = deepcopy(with_readouts.nets["generator"].readouts.state_dict())
    for one in (plain, with_readouts):
        one.set_lr(MIDDLE, 0)
    terms = with_readouts.train_step(batch, MIDDLE)
    assert set(terms) - set(plain.train_step(batch, MIDDLE)) == {"g/readouts"}
    same = zip(
        *(one.nets["generator"].autoencoder.parameters() for one in (plain, with_readouts)), strict=True
    )
    assert all(torch.equal(a, b) for a, b in same)
    moved = {
        name
        for name, value in with_readouts.nets["generator"].readouts.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert moved == {"to_rgb.0.weight", "to_rgb.0.bias"}  # of the one level below


def test_readouts_learn_to_show_the_target_made_small():
    trained = recipe(readouts=True)
    batch = make_batch(FINE.image_size)
    errors = []
    trained.set_lr(FINE, 0)
    for _ in range(60):
        errors.append(trained.train_step(batch, FINE)["g/readouts"].item())
    assert errors[-1] < 0.9 * errors[0]
