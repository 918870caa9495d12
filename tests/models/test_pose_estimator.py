"""The judge behind PCKh: what it may weigh, where it points, and that its recipe learns."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from pgt.checkpoint import bundled_names, load, save
from pgt.config import PRESETS, PoseEstimatorConfig, Stage
from pgt.data.person import PairBatch
from pgt.data.pose import NUM_JOINTS, keypoints_to_gaussians
from pgt.evaluation import Truth, score
from pgt.models.pose_estimator import STRIDE, PoseEstimator, decode
from pgt.synthetic.people import SyntheticPeople
from pgt.training.judge import soften
from pgt.training.pose_estimator import PoseEstimatorRecipe, joint_location_loss
from pgt.training.runner import PlainRunner

SIZE = (64, 32)
TINY = PoseEstimatorConfig(image_size=SIZE, widths=(8, 8, 8, 8), stages=(Stage("joints", 60, SIZE, 4, 1e-2),))


def random_joints(batch: int, size: tuple[int, int]) -> torch.Tensor:
    generator = torch.manual_seed(0)
    corner = torch.tensor([size[1] - 9.0, size[0] - 9.0])
    return 4 + torch.rand(batch, NUM_JOINTS, 2, generator=generator) * corner


def test_it_is_small() -> None:
    estimator = PoseEstimator.from_config(PRESETS["pose-estimator-synthetic-128"])
    assert sum(parameter.numel() for parameter in estimator.parameters()) < 2_000_000


@pytest.mark.parametrize("size", [(128, 128), (128, 64), (33, 50)])
def test_it_works_at_any_size(size) -> None:
    estimator = PoseEstimator.from_config(TINY).eval()
    maps, unseen = estimator(torch.zeros(2, 3, *size))
    assert maps.shape == (2, NUM_JOINTS, -(-size[0] // STRIDE), -(-size[1] // STRIDE))
    assert unseen.shape == (2, NUM_JOINTS)
    keypoints, confidence = estimator.find_joints(torch.zeros(2, 3, *size))
    assert keypoints.shape == (2, NUM_JOINTS, 2)
    assert ((keypoints >= 0) & (keypoints <= torch.tensor([size[1], size[0]]) + STRIDE)).all()
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_decode_finds_a_gaussian_to_a_fraction_of_a_pixel() -> None:
    keypoints = random_joints(3, (64, 96))
    cells = (keypoints + 0.5) / STRIDE - 0.5
    maps = keypoints_to_gaussians(
        cells, torch.ones(3, NUM_JOINTS, dtype=torch.bool), (64 // STRIDE, 96 // STRIDE), 0.75
    )
    found, confidence = decode(maps.clamp_min(1e-12).log(), torch.full((3, NUM_JOINTS), -9.0))
    assert (found - keypoints).abs().max() < 1e-3
    assert (confidence > 0.99).all()
    _, confidence = decode(maps.clamp_min(1e-12).log(), torch.full((3, NUM_JOINTS), 20.0))
    assert (confidence < 0.01).all()


def test_decode_stays_on_the_border_cell() -> None:
    maps = torch.zeros(1, 1, 4, 4)
    maps[0, 0, 0, 3] = 5
    found, _ = decode(maps, torch.zeros(1, 1))
    assert found.tolist() == [[[3.5 * STRIDE - 0.5, 0.5 * STRIDE - 0.5]]]


def test_the_loss_is_zero_at_the_wanted_places_only() -> None:
    keypoints = random_joints(2, SIZE)
    visible = torch.ones(2, NUM_JOINTS, dtype=torch.bool)
    visible[:, 3] = False
    height, width = SIZE[0] // STRIDE, SIZE[1] // STRIDE
    cells = (keypoints + 0.5) / STRIDE - 0.5
    log_gaussians = keypoints_to_gaussians(cells, visible | True, (height, width), 1.0).clamp_min(1e-18).log()
    unseen = torch.where(visible, -60.0, 60.0)
    right = joint_location_loss(log_gaussians, unseen, keypoints, visible, sigma=1.0)
    assert float(right) == pytest.approx(0, abs=1e-3)
    assert joint_location_loss(log_gaussians, -unseen, keypoints, visible, sigma=1.0) > 1
    assert joint_location_loss(log_gaussians, unseen, keypoints + 6, visible, sigma=1.0) > 1


def test_joints_outside_the_picture_count_as_unseen() -> None:
    maps = torch.zeros(1, 1, 8, 8, requires_grad=True)
    unseen = torch.full((1, 1), 20.0)
    outside = torch.full((1, 1, 2), 500.0)
    loss = joint_location_loss(maps, unseen, outside, torch.ones(1, 1, dtype=torch.bool), sigma=1.0)
    assert float(loss.detach()) == pytest.approx(0, abs=1e-3)
    loss.backward()
    assert maps.grad.isfinite().all()


def test_softening_keeps_range_and_differs() -> None:
    torch.manual_seed(0)
    image = torch.rand(8, 3, 32, 32) * 2 - 1
    softened = soften(image)
    assert softened.shape == image.shape
    assert softened.abs().max() <= 1
    assert not torch.equal(softened, image)


@pytest.fixture
def batch() -> PairBatch:
    """Pictures whose joints are bright dots of different colours."""
    keypoints = random_joints(8, SIZE)
    keypoints[:, 3:] = keypoints[:, :1]  # three joints to learn
    visible = (torch.arange(NUM_JOINTS) < 3).expand(8, -1)
    image = -torch.ones(8, 3, *SIZE)
    image += 2 * keypoints_to_gaussians(keypoints[:, :3], visible[:, :3], SIZE, 1.5)
    return PairBatch(image[:4], image[4:], keypoints[:4], keypoints[4:], visible[:4], visible[4:])


def test_the_recipe_learns_one_batch_and_gives_a_judge(batch, tmp_path) -> None:
    torch.manual_seed(0)
    recipe = PoseEstimatorRecipe(replace(TINY, ema_decay=0.9))
    recipe.prepare(PlainRunner("cpu"))
    stage = TINY.stages[0]
    first = recipe.train_step(batch, stage)
    for step in range(stage.num_steps):
        recipe.set_lr(stage, step)
        last = recipe.train_step(batch, stage)
    assert last["location"] < 0.5 * first["location"]
    assert recipe.sample(batch)["joints"].shape == batch.target.shape

    judge = load(save(recipe.deployable(), tmp_path / "judge"))
    assert judge.config.widths == TINY.widths
    assert not judge.training
    found, confidence = judge.find_joints(batch.target)
    assert (found - batch.target_keypoints)[:, :3].norm(dim=-1).median() < 3
    assert confidence[:, :3].mean() > confidence[:, 3:].mean()


def test_a_loaded_state_continues_to_the_same_numbers(batch) -> None:
    def train(recipe: PoseEstimatorRecipe, steps: range) -> None:
        for step in steps:
            torch.manual_seed(step)
            recipe.train_step(batch, TINY.stages[0])

    torch.manual_seed(0)
    through = PoseEstimatorRecipe(TINY)
    through.prepare(PlainRunner("cpu"))
    train(through, range(2))
    state = deepcopy(through.state_dict())
    train(through, range(2, 4))
    resumed = PoseEstimatorRecipe(TINY)
    resumed.prepare(PlainRunner("cpu"))
    resumed.load_state_dict(state)
    train(resumed, range(2, 4))
    for name, value in through.nets.state_dict().items():
        assert torch.equal(resumed.nets.state_dict()[name], value), name


def test_small_pictures_are_seen_as_large_as_those_it_learnt_from() -> None:
    torch.manual_seed(0)
    estimator = PoseEstimator.from_config(replace(TINY, image_size=(64, 64))).eval()
    small, joints = torch.rand(1, 3, 32, 48) * 2 - 1, torch.rand(1, NUM_JOINTS, 2) * 28 + 2
    large = F.interpolate(small, scale_factor=2, mode="bilinear")
    assert torch.equal(estimator.heat_maps(small), estimator.heat_maps(large))
    seen = torch.ones(1, NUM_JOINTS, dtype=torch.bool)
    wanted = estimator.wanted_heat_maps(2 * joints + 0.5, seen, (64, 96))
    torch.testing.assert_close(estimator.wanted_heat_maps(joints, seen, (32, 48)), wanted)
    found = estimator.find_joints(small)[0]
    torch.testing.assert_close(2 * found + 0.5, estimator.find_joints(large)[0], atol=1e-4, rtol=0)


def test_the_bundled_one_judges_people_of_64_pixels() -> None:
    people = [SyntheticPeople("test", (64, 64), "plain", 8, 2)[i].source for i in range(8)]
    judge = load(bundled_names("pose-estimator")[0], quiet=True)
    assert score([person.image for person in people], Truth.of(people), judge)["pckh"].mean > 0.8
