"""PG2's training step: who moves, by which loss, and that it learns."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from pgt.config import PG2Config, Stage
from pgt.data.person import PairBatch
from pgt.training.pg2 import PG2Recipe
from pgt.training.runner import PlainRunner
from tests.training.runners import Losses

SIZE = (32, 16)
COARSE = Stage("coarse", 40, SIZE, batch_size=2, lr=1e-3)
REFINE = Stage("refine", 40, SIZE, batch_size=2, lr=1e-3)
ONE_STAGE = Stage("one_stage", 40, SIZE, batch_size=2, lr=1e-3)
TINY = PG2Config(
    image_size=SIZE,
    base_channels=8,
    num_blocks=3,
    bottleneck_features=16,
    pose_radius=1.0,
    initialisation="he",
    discriminator_channels=4,
    stages=(COARSE, REFINE),
)


@pytest.fixture
def batch() -> PairBatch:
    """Two pairs of smooth colour fields with joints around the middle."""
    random = torch.Generator().manual_seed(0)
    source, target = (F.interpolate(torch.rand(2, 3, 4, 2, generator=random) * 2 - 1, SIZE) for _ in range(2))
    keypoints = torch.rand(2, 2, 18, 2, generator=random) * torch.tensor([10.0, 26.0]) + 3
    visible = torch.ones(2, 18, dtype=torch.bool)
    return PairBatch(source, target, keypoints[0], keypoints[1], visible, visible)


def recipe(**changes) -> PG2Recipe:
    torch.manual_seed(0)
    return PG2Recipe(replace(TINY, **changes))


def moved(trained: PG2Recipe, batch: PairBatch, stage: Stage) -> set[str]:
    """Names of all values that one step changes."""
    before = deepcopy(trained.nets.state_dict())
    trained.train_step(batch, stage)
    return {name for name, value in trained.nets.state_dict().items() if not torch.equal(value, before[name])}


@pytest.mark.parametrize(
    "discriminator", [{}, {"discriminator_norm": "spectral"}, {"discriminator_input": "triplet"}]
)
@pytest.mark.parametrize(
    ("stage", "movers"),
    [
        (COARSE, ("generator.coarse.",)),
        (REFINE, ("generator.refine.", "discriminator.")),
        (ONE_STAGE, ("generator.coarse.", "discriminator.")),
    ],
)
def test_each_stage_moves_its_own_networks_only(batch, discriminator, stage, movers):
    names = moved(recipe(one_stage=stage is ONE_STAGE, **discriminator), batch, stage)
    assert all(name.startswith(movers) for name in names)
    for prefix in movers:
        assert any(name.startswith(prefix) for name in names)


@pytest.mark.parametrize(("stage", "half"), [(REFINE, "refine"), (ONE_STAGE, "coarse")])
def test_generator_receives_adversarial_gradient(batch, stage, half):
    """With the L1 weight at zero nothing but the discriminator's gradient could move it."""
    names = moved(recipe(l1_weight=0.0, one_stage=stage is ONE_STAGE), batch, stage)
    assert any(name.startswith(f"generator.{half}.") for name in names)


def test_discriminator_update_does_not_use_the_generator_loss(batch):
    """The generator's step must leave no gradient for the discriminator's next one."""
    trained = recipe()
    trained.train_step(batch, REFINE)
    assert all(p.grad is None and p.requires_grad for p in trained.nets["discriminator"].parameters())


@pytest.mark.parametrize("stage", [COARSE, REFINE, ONE_STAGE])
@pytest.mark.parametrize("mask_weighting", [True, False])
def test_reported_l1_is_equation_1(batch, stage, mask_weighting):
    trained = recipe(one_stage=stage is ONE_STAGE, mask_weighting=mask_weighting)
    generator = deepcopy(trained.nets["generator"])
    generator.trained_stages = ("coarse",) if stage is COARSE else ("coarse", "refine")
    generated = generator(batch.source, batch.target_pose).refined
    weight = 1 + batch.target_pose_mask * mask_weighting
    expected = ((generated - batch.target).abs() * weight).sum() / batch.target.numel()
    torch.testing.assert_close(trained.train_step(batch, stage)["g/l1"], expected)


def test_reported_discriminator_terms_are_equation_2(batch):
    trained = recipe()
    generator, discriminator = deepcopy(trained.nets["generator"]), deepcopy(trained.nets["discriminator"])
    generator.trained_stages = ("coarse", "refine")
    refined = generator(batch.source, batch.target_pose).refined
    real = torch.sigmoid(discriminator(batch.source, batch.target))
    fake = torch.sigmoid(discriminator(batch.source, refined))
    terms = trained.train_step(batch, REFINE)
    torch.testing.assert_close(terms["d/real"], -real.log().mean(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(terms["d/fake"], -(1 - fake).log().mean(), rtol=1e-4, atol=1e-6)


def test_pair_discriminator_sees_the_source(batch):
    """Two sources with the same target are judged differently by the pair, alike by the released triplet."""
    other = replace(batch, source=batch.source.flip(-1))
    for kind, differs in (("pair", True), ("triplet", False)):
        trained = recipe(discriminator_input=kind)
        logits = [
            trained.nets["discriminator"](*trained._judged(one, batch.target)) for one in (batch, other)
        ]
        assert (not torch.equal(*logits)) == differs


def test_triplet_discriminator_calls_the_source_fake(batch):
    terms = recipe(discriminator_input="triplet").train_step(batch, REFINE)
    assert set(terms) == {"d/real", "d/fake", "d/source", "g/adversarial", "g/l1"}


class Diary(PlainRunner):
    """A runner that writes down what it is asked to do, and can say that a batch is not complete yet."""

    def __init__(self) -> None:
        super().__init__("cpu")
        self.events: list[str] = []

    def backward(self, loss):
        self.events.append("backward")
        super().backward(loss)

    def clip_grad_norm_(self, parameters, max_norm):
        self.events.append("clip")
        parameters = list(parameters)
        assert any(p.grad is not None and p.grad.any() for p in parameters)
        super().clip_grad_norm_(parameters, max_norm)
        norm = torch.stack([p.grad.norm() for p in parameters]).norm().item()
        assert norm <= max_norm * 1.001


@pytest.mark.parametrize(("kind", "shares"), [("pair", (1, 1, 0)), ("triplet", (0.5, 0.25, 0.25))])
def test_a_step_is_equation_2_then_equations_3_and_4(batch, kind, shares):
    trained, runner = recipe(discriminator_input=kind, l1_weight=7.0), Losses()
    trained.prepare(runner)
    before = deepcopy(trained.nets["generator"])
    before.trained_stages = ("coarse", "refine")
    terms = trained.train_step(batch, REFINE)
    judged = shares[0] * terms["d/real"] + shares[1] * terms["d/fake"] + shares[2] * terms.get("d/source", 0)
    drawn = terms["g/adversarial"] + 7 * terms["g/l1"]
    assert runner.seen == pytest.approx([float(judged), float(drawn)], rel=1e-4)
    # The generator answers to the discriminator that has just moved, and wants to be called real.
    shown = trained._judged(batch, before(batch.source, batch.target_pose).refined)
    logits = trained.nets["discriminator"](*shown)
    torch.testing.assert_close(terms["g/adversarial"], F.softplus(-logits).mean(), rtol=1e-3, atol=1e-5)


def test_gradient_is_clipped_after_backward(batch):
    trained, diary = recipe(max_grad_norm=0.01), Diary()
    trained.prepare(diary)
    trained.train_step(batch, COARSE)
    assert diary.events == ["backward", "clip"]


def test_weights_wait_for_the_whole_accumulated_batch(batch):
    trained, diary = recipe(), Diary()
    trained.prepare(diary)
    diary.sync_gradients = False
    assert not moved(trained, batch, COARSE)
    first = [p.grad.clone() for p in trained.nets["generator"].coarse.parameters()]
    assert not moved(trained, batch, COARSE)
    for gradient, p in zip(first, trained.nets["generator"].coarse.parameters(), strict=True):
        torch.testing.assert_close(p.grad, 2 * gradient)
    diary.sync_gradients = True
    assert moved(trained, batch, COARSE)


@pytest.mark.parametrize("changes", [{}, {"pose_embedding": "heatmap"}, {"pose_embedding": "coordinate"}])
def test_coarse_stage_learns_one_batch(batch, changes):
    trained = recipe(**changes)
    losses = [trained.train_step(batch, COARSE)["g/l1"].item() for _ in range(40)]
    assert losses[-1] < losses[0] / 2


def test_refine_stage_learns_one_batch(batch):
    trained = recipe(l1_weight=50.0)
    losses = [trained.train_step(batch, REFINE)["g/l1"].item() for _ in range(40)]
    assert losses[-1] < losses[0] / 2


def test_learning_rate_follows_the_schedule_and_the_discriminator_its_own(batch):
    trained = recipe(discriminator_lr=2e-4)
    stage = replace(REFINE, lr_schedule="cosine")
    rates = {}
    for step in (0, 20, 40):
        trained.set_lr(stage, step)
        rates[step] = [trained.optimizers[name].param_groups[0]["lr"] for name in ("refine", "discriminator")]
    assert rates[0] == pytest.approx([1e-3, 2e-4])
    assert rates[20] == pytest.approx([5e-4, 1e-4])
    assert rates[40] == pytest.approx([0, 0], abs=1e-12)


def test_average_follows_the_trained_half_and_is_what_is_deployed(batch):
    trained = recipe(ema_decay=0.9)
    start = deepcopy(trained.nets["ema"].state_dict())
    names = moved(trained, batch, COARSE)
    assert {name.split(".")[0] for name in names} == {"generator", "ema"}
    assert not any(name.startswith("ema.refine.") for name in names)
    weights = trained.nets["generator"].state_dict()
    for name, value in trained.deployable().state_dict().items():
        decay = 2 / 11  # the first of the rising decays
        torch.testing.assert_close(value, decay * start[name] + (1 - decay) * weights[name])


def test_second_stage_refines_what_is_deployed(batch):
    """G2 must meet the averaged G1 in training, since that is the one it will follow in use."""
    trained = recipe(ema_decay=0.9, mask_weighting=False)
    for parameter in trained.nets["generator"].coarse.parameters():
        parameter.data.zero_()
    expected = trained.nets["ema"].coarse(batch.source, batch.target_pose)
    expected = expected + trained.nets["generator"].refine(batch.source, expected)
    loss = trained.train_step(batch, REFINE)["g/l1"]
    torch.testing.assert_close(loss, (expected - batch.target).abs().mean())


def test_deployable_knows_which_stages_were_trained(batch):
    trained = recipe()
    trained.train_step(batch, COARSE)
    assert trained.deployable().trained_stages == ("coarse",)
    assert set(trained.sample(batch)) == {"coarse"}
    trained.train_step(batch, REFINE)
    model = trained.deployable()
    assert model.trained_stages == ("coarse", "refine")
    assert not model.training
    pictures = trained.sample(batch)
    output = model(batch.source, batch.target_pose)
    for name in ("coarse", "difference_map", "refined"):
        torch.testing.assert_close(pictures[name], getattr(output, name), atol=1e-5, rtol=1e-5)


def test_restored_recipe_continues_to_the_same_weights(batch):
    def continued(trained: PG2Recipe, steps: int) -> PG2Recipe:
        for _ in range(steps):
            trained.train_step(batch, COARSE)
            trained.train_step(batch, REFINE)
        return trained

    whole = continued(recipe(ema_decay=0.9), 4)
    half = deepcopy(continued(recipe(ema_decay=0.9), 2).state_dict())
    torch.manual_seed(1)
    other = PG2Recipe(replace(TINY, ema_decay=0.9))
    other.load_state_dict(half)
    continued(other, 2)
    assert other.deployable().trained_stages == ("coarse", "refine")
    for name, value in whole.nets.state_dict().items():
        assert torch.equal(value, other.nets.state_dict()[name]), name


def test_refuses_a_stage_it_does_not_have(batch):
    with pytest.raises(ValueError, match="not 'one_stage'"):
        recipe().train_step(batch, ONE_STAGE)
    with pytest.raises(ValueError, match="not 'refine'"):
        recipe(one_stage=True).train_step(batch, REFINE)


@pytest.mark.parametrize("stage", [COARSE, REFINE, ONE_STAGE])
def test_runs_in_bfloat16_on_accelerate(batch, stage):
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state()
    try:
        trained = recipe(
            one_stage=stage is ONE_STAGE, discriminator_norm="spectral", ema_decay=0.9, patch_size=2
        )
        trained.prepare(Accelerator(mixed_precision="bf16", cpu=True))
        losses = [trained.train_step(batch, stage)["g/l1"] for _ in range(20)]
        assert losses[-1] < losses[0]
        assert all(parameter.dtype == torch.float32 for parameter in trained.deployable().parameters())
        assert all(picture.dtype == torch.float32 for picture in trained.sample(batch).values())
    finally:
        AcceleratorState._reset_state()
