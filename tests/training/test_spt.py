"""SPT's training step: who moves, by which loss, from whose picture, and that it learns."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pgt.config import PoseEstimatorConfig, SPTConfig, Stage
from pgt.data.person import PairBatch
from pgt.data.pose import PoseEncoding
from pgt.layers.features import EncoderFeatures
from pgt.models.pose_estimator import PoseEstimator
from pgt.training.spt import SPTRecipe
from tests.training.runners import Losses

SIZE = (64, 32)  # twice as high as wide, for H and W are easily swapped
NAMES = ("semantic", "appearance", "end_to_end")
STAGES = tuple(Stage(name, 20, SIZE, batch_size=2, lr=1e-3) for name in NAMES)
SEMANTIC, APPEARANCE, END_TO_END = STAGES
TINY = SPTConfig(
    image_size=SIZE,
    widths=(6, 8, 10),
    semantic_widths=(6, 8, 10),
    background_widths=(4, 6, 8),
    norm="none",
    initialisation="he",
    dropout=0.0,
    num_warped_skips=2,
    pose_sigma=1.5,
    mask_radius=1.0,
    face_size=16,
    discriminator_channels=4,
    discriminator_norm="none",
    features="human-parser",
    stages=STAGES,
)


@pytest.fixture
def batch() -> PairBatch:
    """Two people of colour fields; their labels are bands across the picture."""
    random = torch.Generator().manual_seed(0)
    source, scene = (F.interpolate(torch.rand(2, 3, 4, 2, generator=random) * 2 - 1, SIZE) for _ in range(2))
    keypoints = torch.rand(2, 2, 18, 2, generator=random) * torch.tensor([26.0, 58.0]) + 3
    visible = torch.ones(2, 18, dtype=torch.bool)
    labels = (torch.arange(64).view(1, 64, 1) // 8 + torch.arange(2).view(2, 1, 1)).expand(-1, -1, 32) % 10
    return PairBatch(
        source,
        torch.zeros_like(source),
        keypoints[0],
        keypoints[1],
        visible,
        visible,
        labels,
        labels.flip(1),
        scene=scene,
        encoding=PoseEncoding("gaussian", sigma=1.5, mask_radius=1.0),
    )


def recipe(**changes) -> SPTRecipe:
    torch.manual_seed(0)
    features = EncoderFeatures(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 4, 2, 1), slope=0.2)
    judge = PoseEstimator.from_config(PoseEstimatorConfig(image_size=SIZE, widths=(8, 8)))
    return SPTRecipe(replace(TINY, **changes), judge, features)


def moved(trained: SPTRecipe, batch: PairBatch, stage: Stage) -> set[str]:
    """Names of the networks that one step changes: parts of the generator, and discriminators."""
    before = deepcopy(trained.nets.state_dict())
    trained.train_step(batch, stage)
    names = [k for k, value in trained.nets.state_dict().items() if not torch.equal(value, before[k])]
    return {name.removeprefix("generator.").split(".")[0] for name in names}


@pytest.mark.parametrize(
    ("stage", "movers"),
    [
        (SEMANTIC, {"semantic", "d_semantic"}),
        (APPEARANCE, {"foreground", "background", "d_image", "d_face", "d_background"}),
        (END_TO_END, {"semantic", "foreground", "d_semantic", "d_image", "d_face"}),
        (replace(APPEARANCE, name="background"), {"background", "d_background"}),
    ],
)
def test_each_stage_moves_what_algorithm_2_names(batch, stage, movers):
    assert moved(recipe(), batch, stage) == movers


def test_teachers_stand_still(batch):
    trained = recipe()
    before = deepcopy(trained._teachers.state_dict())
    for stage in STAGES:
        trained.train_step(batch, stage)
    assert all(torch.equal(value, before[name]) for name, value in trained._teachers.state_dict().items())


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_no_target_picture_reaches_any_loss(batch, stage):
    """Unpaired means unpaired: whatever the target's picture is, the step is the same to the last bit."""
    other = replace(batch, target=torch.rand_like(batch.target), target_person_mask=None)
    ours, theirs = recipe(), recipe()
    terms, others = ours.train_step(batch, stage), theirs.train_step(other, stage)
    assert {name: float(value) for name, value in terms.items()} == {k: float(v) for k, v in others.items()}
    for name, value in ours.nets.state_dict().items():
        assert torch.equal(value, theirs.nets.state_dict()[name])


@pytest.mark.parametrize("stage", [APPEARANCE, END_TO_END], ids=lambda stage: stage.name)
def test_pseudo_labels_teach_the_semantic_stage_alone(batch, stage):
    """Later stages, as in the paper, know of the target its pose only."""
    other = replace(batch, target_label_map=(batch.target_label_map + 3) % 10)
    terms, others = recipe().train_step(batch, stage), recipe().train_step(other, stage)
    assert {name: float(value) for name, value in terms.items()} == {k: float(v) for k, v in others.items()}
    changed = recipe().train_step(other, SEMANTIC)["g/ce"] - recipe().train_step(batch, SEMANTIC)["g/ce"]
    assert changed.abs() > 1e-3


def test_the_way_back_starts_from_the_generated_picture_and_map(batch):
    trained = recipe()
    cycle = trained._cycle(batch, semantic_moves=True)
    (gradient,) = torch.autograd.grad(
        cycle.recovered.image.square().sum(), cycle.generated.image, retain_graph=True
    )
    assert gradient.abs().sum() > 0
    (through_map,) = torch.autograd.grad(cycle.recovered.parsing[:, 3].sum(), cycle.logits)
    assert through_map.abs().sum() > 0


def test_end_to_end_reaches_the_semantic_generator_through_the_picture(batch):
    trained = recipe()
    cycle = trained._cycle(batch, semantic_moves=True)
    cycle.generated.image.square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in trained.nets["generator"].semantic.parameters())


@pytest.mark.parametrize("background", ["network", "none"])
def test_the_appearance_loss_is_equation_12(batch, background):
    weights = {"adversarial": 2.0, "pose": 3.0, "content": 5.0, "style": 7.0, "face": 11.0}
    changes = {f"{name}_weight": value for name, value in weights.items()}
    trained, runner = recipe(background=background, **changes), Losses()
    trained.prepare(runner)
    terms = trained.train_step(batch, APPEARANCE)
    total = sum(value * float(terms[f"g/{name}"]) for name, value in weights.items())
    assert runner.seen[0] == pytest.approx(total, rel=1e-5)


def test_the_semantic_loss_is_equation_5_and_the_scene_loss_that_of_algorithm_1(batch):
    trained, runner = recipe(ce_weight=13.0, reconstruction_weight=3.0), Losses()
    trained.prepare(runner)
    terms = trained.train_step(batch, SEMANTIC)
    assert runner.seen[0] == pytest.approx(float(terms["g/adversarial"] + 13 * terms["g/ce"]), rel=1e-5)
    runner.seen.clear()
    terms = trained.train_step(batch, APPEARANCE)
    scene = float(3 * terms["g/reconstruction"] + 10 * terms["g/scene_adversarial"])
    assert any(value == pytest.approx(scene, rel=1e-5) for value in runner.seen)


@pytest.mark.parametrize("kind", ["log", "least_squares"])
def test_discriminators_learn_to_tell_map_from_map(batch, kind):
    trained = recipe(adversarial=kind, semantic_adversarial_weight=0.0, ce_weight=0.0, discriminator_lr=1e-2)
    first = trained.train_step(batch, SEMANTIC)
    for _ in range(30):
        last = trained.train_step(batch, SEMANTIC)
    before, after = (one["d/semantic_real"] + one["d/semantic_fake"] for one in (first, last))
    assert after < before / 2


def test_a_face_that_is_not_seen_is_not_judged(batch):
    hidden = batch.source_visible.clone()
    hidden[:, [0, 14, 15, 16, 17]] = False
    terms = recipe().train_step(replace(batch, source_visible=hidden, target_visible=hidden), APPEARANCE)
    assert terms["g/face"] == terms["d/face_real"] == terms["d/face_fake"] == 0


def test_without_recovered_losses_only_the_generated_picture_is_judged(batch):
    """Fig. 13: the style and the adversarial loss of the recovered picture can be left out."""
    full = recipe().train_step(batch, APPEARANCE)
    part = recipe(recovered_style=False, recovered_adversarial=False).train_step(batch, APPEARANCE)
    assert part["g/style"] < full["g/style"]
    assert part["g/adversarial"] < full["g/adversarial"]
    assert part["g/content"] == full["g/content"]


def test_true_guidance_follows_the_true_map_and_none_follows_no_map(batch):
    other = replace(batch, target_label_map=(batch.target_label_map + 3) % 10)
    true = [recipe(guidance="true").train_step(one, APPEARANCE)["g/content"] for one in (batch, other)]
    assert true[0] != true[1]
    blind = {"guidance": "none", "background": "none", "style": "mask"}
    one, two = (
        recipe(**blind).train_step(given, APPEARANCE)
        for given in (batch, replace(other, source_label_map=other.target_label_map))
    )
    assert {name: float(value) for name, value in one.items()} == {k: float(v) for k, v in two.items()}
    with pytest.raises(ValueError, match="no stage 'semantic'"):
        recipe(**blind).train_step(batch, SEMANTIC)
    with pytest.raises(ValueError, match="no stage 'end_to_end'"):
        recipe(guidance="true").train_step(batch, END_TO_END)


@pytest.mark.parametrize("style", ["semantic", "mask", "patch"])
def test_every_style_loss_reaches_the_generator(batch, style):
    weights = {f"{name}_weight": 0.0 for name in ("adversarial", "pose", "content", "face")}
    assert "foreground" in moved(recipe(style=style, **weights), batch, APPEARANCE)


@pytest.mark.parametrize(
    ("stage", "weight", "mover"),
    [
        (SEMANTIC, "semantic_adversarial_weight", "semantic"),
        (APPEARANCE, "adversarial_weight", "foreground"),
        (APPEARANCE, "face_weight", "foreground"),
        (APPEARANCE, "background_adversarial_weight", "background"),
        (END_TO_END, "semantic_adversarial_weight", "semantic"),
        (END_TO_END, "adversarial_weight", "semantic"),
    ],
)
def test_each_discriminator_moves_what_it_judges(batch, stage, weight, mover):
    """With all other weights at zero nothing but its gradient could; a detached picture would stand still."""
    some = "semantic_adversarial background_adversarial adversarial face pose content style ce reconstruction"
    weights = {f"{kind}_weight": 0.0 for kind in some.split()}
    assert mover not in moved(recipe(**weights), batch, stage)
    assert mover in moved(recipe(**weights | {weight: 1.0}), batch, stage)


class Clips(Losses):
    """Writes down how long gradients are when they are clipped."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[float] = []

    def clip_grad_norm_(self, parameters, max_norm):
        self.lengths.append(float(super().clip_grad_norm_(parameters, max_norm)))


@pytest.mark.parametrize(("stage", "parts"), [(SEMANTIC, 1), (APPEARANCE, 3), (END_TO_END, 2)])
def test_gradients_are_clipped_once_they_are_there(batch, stage, parts):
    """Trap of the released code, which clips before it goes backward: nothing is there yet."""
    trained, runner = recipe(max_grad_norm=0.01), Clips()
    trained.prepare(runner)
    trained.train_step(batch, stage)
    assert len(runner.lengths) == parts
    assert min(runner.lengths) > 0


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
@pytest.mark.parametrize("hidden", [[2, 5, 8, 11], list(range(18))], ids=["torso", "all"])
def test_missing_joints_of_any_kind_leave_every_term_finite(batch, stage, hidden):
    some = batch.source_visible.clone()
    some[0, hidden] = False
    for change in ({"source_visible": some}, {"target_visible": some}):
        trained = recipe()
        assert all(term.isfinite() for term in trained.train_step(replace(batch, **change), stage).values())
        assert all(value.isfinite().all() for value in trained.nets.state_dict().values())


def test_the_joint_stage_can_be_held_to_pseudo_labels(batch):
    terms = recipe(joint_ce_weight=1.0).train_step(batch, END_TO_END)
    assert terms["g/ce"] > 0
    assert "g/ce" not in recipe().train_step(batch, END_TO_END)


def test_the_released_discriminator_sees_the_map_too(batch):
    trained = recipe(discriminator_parsing=True)
    assert trained.nets["d_image"].layers[0].in_channels == 13
    assert "d_image" in moved(trained, batch, APPEARANCE)


def test_without_scenes_the_stage_says_so(batch):
    with pytest.raises(ValueError, match="learns from scenes"):
        recipe().train_step(replace(batch, scene=None), APPEARANCE)
    recipe(auxiliary=False).train_step(replace(batch, scene=None), APPEARANCE)


def test_half_a_batch_is_refused_where_the_background_moves_twice(batch):
    trained, runner = recipe(), Losses()
    runner.sync_gradients = False
    trained.prepare(runner)
    with pytest.raises(ValueError, match="accumulation to 1"):
        trained.train_step(batch, APPEARANCE)


def test_the_semantic_stage_learns_one_batch(batch):
    trained = recipe()
    losses = [trained.train_step(batch, SEMANTIC)["g/ce"].item() for _ in range(40)]
    assert losses[-1] < losses[0] / 2


@pytest.mark.slow
def test_the_appearance_stage_learns_to_come_back(batch):
    trained = recipe(content_weight=100.0, pose_weight=0.0)
    losses = [trained.train_step(batch, APPEARANCE)["g/content"].item() for _ in range(40)]
    assert losses[-1] < losses[0] * 0.7


def test_a_restored_recipe_continues_to_the_same_weights(batch):
    through = recipe(ema_decay=0.9)
    for stage in STAGES:
        through.train_step(batch, stage)
    resumed = recipe(ema_decay=0.9)
    resumed.load_state_dict(deepcopy(through.state_dict()))
    for one in (through, resumed):
        for stage in STAGES:
            one.train_step(batch, stage)
    for name, value in through.nets.state_dict().items():
        assert torch.equal(value, resumed.nets.state_dict()[name]), name


def test_samples_show_the_map_first_and_the_picture_once_it_is_trained(batch):
    trained = recipe(ema_decay=0.9)
    trained.train_step(batch, SEMANTIC)
    assert set(trained.sample(batch)) == {"source map", "map"}
    trained.train_step(batch, APPEARANCE)
    pictures = trained.sample(batch)
    assert set(pictures) == {"source map", "map", "foreground", "background", "generated"}
    assert all(picture.shape == (2, 3, *SIZE) for picture in pictures.values())
    assert trained.deployable().trained_stages == ("semantic", "appearance")


def test_the_fine_stage_fades_a_new_level_in(batch):
    fine = Stage("fine", 10, (128, 64), batch_size=2, lr=1e-3)
    wide = {"widths": (4, *TINY.widths), "background_widths": (4, *TINY.background_widths)}
    trained = recipe(grown=True, image_size=(128, 64), stages=(*STAGES, fine), **wide)
    large = replace(
        batch,
        source=F.interpolate(batch.source, scale_factor=2),
        target=F.interpolate(batch.target, scale_factor=2),
        scene=F.interpolate(batch.scene, scale_factor=2),
        source_keypoints=2 * batch.source_keypoints + 0.5,
        target_keypoints=2 * batch.target_keypoints + 0.5,
        source_label_map=batch.source_label_map.repeat_interleave(2, 1).repeat_interleave(2, 2),
        target_label_map=batch.target_label_map.repeat_interleave(2, 1).repeat_interleave(2, 2),
    )
    before = deepcopy(trained.nets["generator"].foreground.state_dict())
    trained.set_lr(APPEARANCE, 0)
    trained.train_step(batch, APPEARANCE)
    after = trained.nets["generator"].foreground.state_dict()
    still = {name.split(".")[1] for name in before if torch.equal(before[name], after[name])}
    assert still == {"new_stem", "new_down", "new_up", "new_output"}

    shares = []
    for step in (0, 2, 5, 9):
        trained.set_lr(fine, step)
        shares.append(trained._fade["fade"])
    assert shares == [0.0, 0.4, 1.0, 1.0]
    trained.set_lr(fine, 2)
    assert moved(trained, large, fine) == {"foreground", "background", "d_image", "d_face", "d_background"}
    assert trained.sample(large)["generated"].shape == (2, 3, 128, 64)
