"""The baseline without learning: what must stay, what must move, and that nothing is undefined."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from pgt.data.person import Person
from pgt.data.pose import FLIP_JOINTS, NUM_JOINTS, Pose
from pgt.models.part_warp import PartWarp, find_parts
from pgt.predictor import Predictor

SIZE = (128, 96)
STANDING = torch.tensor(
    [
        [48, 22], [48, 34], [38, 35], [34, 50], [32, 64], [58, 35], [62, 50], [64, 64], [42, 66], [41, 88],
        [40, 110], [54, 66], [55, 88], [56, 110], [46, 20], [50, 20], [43, 21], [53, 21],
    ],
    dtype=torch.float32,
)  # fmt: skip
ALL = torch.ones(1, NUM_JOINTS, dtype=torch.bool)
RED, BLUE, GREY = (
    torch.tensor([0.8, -0.8, -0.8]),
    torch.tensor([-0.8, -0.8, 0.8]),
    torch.tensor([0.2, 0.2, 0.2]),
)


@pytest.fixture
def figure() -> dict[str, torch.Tensor]:
    """A red figure with blue forearms before a grey wall, cut along its own flesh."""
    parts = find_parts(STANDING[None], ALL, SIZE)
    nearest, part = parts.flesh.min(dim=1)
    mask = (nearest < 1).float()[:, None]
    colors = torch.where((part >= 8)[:, None], BLUE[None, :, None, None], RED[None, :, None, None])
    source = torch.where(mask > 0, colors, GREY[None, :, None, None])
    return {
        "source": source,
        "source_keypoints": STANDING[None],
        "source_visible": ALL,
        "source_person_mask": mask,
    }


def draw(figure: dict[str, torch.Tensor], keypoints: torch.Tensor, visible: torch.Tensor = ALL, **changes):
    return PartWarp()(**{**figure, **changes}, target_keypoints=keypoints[None], target_visible=visible)


def test_the_same_pose_gives_the_picture_back(figure) -> None:
    output = draw(figure, STANDING)
    assert (output.generated - figure["source"]).abs().mean() < 0.01
    inside = figure["source_person_mask"] > 0
    assert output.coverage[inside].mean() > 0.98
    assert output.coverage[~inside].mean() < 0.02


def test_a_shifted_pose_shifts_the_person_and_not_the_wall(figure) -> None:
    output = draw(figure, STANDING + torch.tensor([12.0, 5.0]))
    expected = torch.full_like(figure["source"], 0.2)
    moved = torch.roll(figure["source"], (5, 12), (2, 3))
    mask = torch.roll(figure["source_person_mask"], (5, 12), (2, 3))
    expected = torch.where(mask > 0, moved, expected)
    assert (output.generated - expected).abs().mean() < 0.02
    assert (output.background - 0.2).abs().max() < 1e-4


def test_a_raised_forearm_keeps_its_colour(figure) -> None:
    raised = STANDING.clone()
    raised[4] = torch.tensor([16.0, 44.0])  # right wrist
    output = draw(figure, raised)
    middle = (raised[3] + raised[4]).div(2).round().long()
    torch.testing.assert_close(output.generated[0, :, middle[1], middle[0]], BLUE, atol=0.05, rtol=0)
    was = (STANDING[3] + STANDING[4]).div(2).round().long()
    torch.testing.assert_close(output.generated[0, :, was[1] + 5, was[0] - 3], GREY, atol=0.1, rtol=0)


def test_a_person_seen_from_the_side_keeps_a_body(figure) -> None:
    side = STANDING.clone()
    side[[2, 5], 0] = 48.0  # shoulders and hips coincide: without care the torso is a line
    side[[8, 11], 0] = 48.0
    output = draw(figure, side)
    torch.testing.assert_close(output.generated[0, :, 50, 48], RED, atol=0.05, rtol=0)
    width = (output.coverage[0, 0, 48] > 0.5).sum()
    assert width > 8


def test_whoever_turns_round_is_mirrored(figure) -> None:
    source = figure["source"].clone()
    left_half = torch.arange(SIZE[1]) > 48
    source[..., left_half] = source[..., left_half] * 0.5  # the person's left is darker
    back = STANDING[list(FLIP_JOINTS)]  # left joints where the right ones were
    output = draw(figure, back, source=source)
    torch.testing.assert_close(output.generated[0, :, 50, 44], RED * 0.5, atol=0.05, rtol=0)
    torch.testing.assert_close(output.generated[0, :, 50, 52], RED, atol=0.05, rtol=0)


@pytest.mark.parametrize("side", ["source_visible", "target"])
def test_every_missing_joint_gives_a_defined_picture(figure, side) -> None:
    visible = (torch.eye(NUM_JOINTS) == 0).repeat(2, 1)  # each joint missing in turn
    visible[NUM_JOINTS:] = torch.rand(NUM_JOINTS, NUM_JOINTS, generator=torch.manual_seed(0)) > 0.6
    visible[-1] = False
    batch = {name: tensor.expand(len(visible), *tensor.shape[1:]) for name, tensor in figure.items()}
    keypoints = STANDING.expand(len(visible), -1, -1).clone()
    keypoints[~visible] = float("1e5")  # coordinates of a missing joint mean nothing
    if side == "target":
        output = PartWarp()(**batch, target_keypoints=keypoints, target_visible=visible)
    else:
        batch |= {"source_visible": visible, "source_keypoints": keypoints}
        output = PartWarp()(
            **batch, target_keypoints=STANDING.expand_as(keypoints), target_visible=~(visible & False)
        )
    assert output.generated.isfinite().all()
    assert output.generated.abs().max() <= 1.001
    assert (output.coverage[-1] == 0).all()  # no joints at all: the wall alone
    torch.testing.assert_close(output.generated[-1], output.background[-1])


def test_a_hidden_limb_borrows_the_other_sides_picture(figure) -> None:
    visible = ALL.clone()
    visible[0, [3, 4]] = False  # the source's right arm
    output = draw(figure, STANDING, source_visible=visible)
    middle = (STANDING[3] + STANDING[4]).div(2).round().long()
    torch.testing.assert_close(output.generated[0, :, middle[1], middle[0]], BLUE, atol=0.05, rtol=0)


def test_a_head_seen_from_behind_has_no_face_joints_and_still_moves(figure) -> None:
    visible = ALL.clone()
    visible[0, [0, 14, 15, 16, 17]] = False
    source = figure["source"].clone()
    source[..., :28, :] = torch.where(
        figure["source_person_mask"][..., :28, :] > 0, BLUE[:, None, None], source[..., :28, :]
    )
    output = draw(figure, STANDING + 8, source=source, source_visible=visible)
    torch.testing.assert_close(output.generated[0, :, 28, 56], BLUE, atol=0.1, rtol=0)


def test_a_batch_equals_its_people_one_by_one(figure) -> None:
    targets = torch.stack([STANDING, STANDING + 6, STANDING.flip(0)])
    batch = {name: tensor.expand(3, *tensor.shape[1:]) for name, tensor in figure.items()}
    together = PartWarp()(**batch, target_keypoints=targets, target_visible=ALL.expand(3, -1))
    for b in range(3):
        alone = draw(figure, targets[b]).generated
        torch.testing.assert_close(together.generated[b : b + 1], alone, atol=1e-4, rtol=0)


def test_without_a_mask_the_person_is_still_cut_out_of_a_plain_wall(figure) -> None:
    output = draw(figure, STANDING + torch.tensor([12.0, 5.0]), source_person_mask=None)
    with_mask = draw(figure, STANDING + torch.tensor([12.0, 5.0]))
    assert (output.generated - with_mask.generated).abs().mean() < 0.03


def test_the_true_background_is_used_only_when_asked_for(figure) -> None:
    background = torch.full_like(figure["source"], -0.5)
    arguments = {
        **figure,
        "target_keypoints": STANDING[None],
        "target_visible": ALL,
        "source_background": background,
    }
    assert torch.equal(PartWarp(true_background=True)(**arguments).background, background)
    assert (PartWarp()(**arguments).background - 0.2).abs().max() < 1e-4


def test_real_photographs(real_data) -> None:
    """The photographed person in her other pose is nearer to the truth than the photograph itself."""
    folder = real_data / "deepfashion_pair"
    people = {}
    for line in (folder / "keypoints.csv").read_text().splitlines()[1:]:
        name, ys, xs = line.split(":")
        keypoints = np.stack([json.loads(xs), json.loads(ys)], 1)
        image = np.asarray(Image.open(folder / name).convert("RGB"))
        labels = np.load(folder / name.replace(".jpg", ".npy")).astype(np.uint8)
        pose = Pose(keypoints, (keypoints >= 0).all(1), image.shape[:2])
        people[name] = Person(image, pose, label_map=labels)
    source, target = people["2_B.jpg"], people["2_A.jpg"]
    drawn = Predictor(PartWarp()).generate(source, target)
    body = target.label_map > 0
    error = np.abs(drawn.image.astype(int) - target.image)[body].mean()
    assert error < np.abs(source.image.astype(int) - target.image)[body].mean()
