"""The encodings against slow literal versions, and what a pose is."""

import json

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation

from benchmarks import literal
from pgt.data.pose import (
    FLIP_JOINTS,
    JOINTS,
    LIMBS,
    POSE_MASK_LIMBS,
    Pose,
    PoseEncoding,
    coco17_to_openpose18,
    keypoints_to_coordinates,
    keypoints_to_discs,
    keypoints_to_gaussians,
    pose_mask,
)

SIZES = [(64, 64), (128, 64), (48, 80)]


def joint(x: float, y: float) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor([[[x, y]]]), torch.ones(1, 1, dtype=torch.bool)


@pytest.mark.parametrize("size", SIZES)
def test_discs_equal_literal(random_poses, size):
    keypoints, visible = random_poses(size, 16)
    fast = keypoints_to_discs(keypoints, visible, size)
    slow = [literal.discs(*person, size) for person in zip(keypoints.numpy(), visible.numpy(), strict=True)]
    assert (fast.numpy() == np.stack(slow)).all()


@pytest.mark.parametrize("sigma", [0.7, 3.2, 6.0])
@pytest.mark.parametrize("size", SIZES)
def test_gaussians_equal_literal(random_poses, size, sigma):
    keypoints, visible = random_poses(size, 8)
    fast = keypoints_to_gaussians(keypoints, visible, size, sigma)
    slow = [literal.gaussians(*p, size, sigma) for p in zip(keypoints.numpy(), visible.numpy(), strict=True)]
    torch.testing.assert_close(fast, torch.from_numpy(np.stack(slow)), rtol=1e-4, atol=2e-7)


@pytest.mark.parametrize("fill_torso", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_pose_mask_equals_literal(random_poses, size, fill_torso):
    keypoints, visible = random_poses(size, 16)
    fast = pose_mask(keypoints, visible, size, fill_torso=fill_torso)[:, 0].numpy()
    for i, person in enumerate(zip(keypoints.numpy(), visible.numpy(), strict=True)):
        slow = literal.pose_mask(*person, size, fill_torso=fill_torso)
        assert (fast[i] != slow).sum() <= 2  # a pixel whose distance is 4 up to rounding


def test_real_poses_equal_literal(real_poses):
    keypoints, visible, size = real_poses
    fast = {
        "discs": keypoints_to_discs(keypoints, visible, size),
        "gaussians": keypoints_to_gaussians(keypoints, visible, size, 6.0),
        "mask": pose_mask(keypoints, visible, size)[:, 0],
    }
    for i, person in enumerate(zip(keypoints.numpy(), visible.numpy(), strict=True)):
        assert (fast["discs"][i].numpy() == literal.discs(*person, size)).all()
        np.testing.assert_allclose(fast["gaussians"][i].numpy(), literal.gaussians(*person, size), atol=2e-7)
        assert (fast["mask"][i].numpy() != literal.pose_mask(*person, size)).sum() <= 2


def test_pose_mask_is_near_the_released_stamps(real_poses):
    keypoints, visible, size = real_poses
    fast = pose_mask(keypoints, visible, size, fill_torso=False)[:, 0].numpy() > 0
    stamped = np.stack(
        [literal.stamped_pose_mask(*p, size) for p in zip(keypoints.numpy(), visible.numpy(), strict=True)]
    )
    stamped = stamped > 0
    assert (fast & stamped).sum() / (fast | stamped).sum() > 0.9
    # The notches between stamps and their rounding to whole pixels are all the difference: one pixel at the
    # edge.
    assert (fast & ~binary_dilation(stamped, np.ones((1, 3, 3)))).mean() < 1e-3
    assert (stamped & ~binary_dilation(fast, np.ones((1, 3, 3)))).mean() < 1e-3


def test_disc_of_radius_4_has_49_pixels_and_of_radius_5_has_81():
    keypoints, visible = joint(20.3, 19.6)
    disc = keypoints_to_discs(keypoints, visible, (40, 40))
    assert disc.sum() == 49
    assert disc[0, 0, 20, 20] == 1
    assert keypoints_to_discs(keypoints, visible, (40, 40), radius=5).sum() == 81


def test_gaussian_is_one_at_its_joint_and_half_where_it_should_be():
    keypoints, visible = joint(11.0, 30.0)
    bump = keypoints_to_gaussians(keypoints, visible, (64, 32), sigma=6.0)[0, 0]
    assert bump[30, 11] == 1
    assert bump.dtype == torch.float32
    assert bump[30, 17].item() == pytest.approx(np.exp(-0.5))
    assert (bump > 0).sum() > 1000  # stored as bytes, a single pixel would be left


@pytest.mark.parametrize("low", [0.0, -1.0])
@pytest.mark.parametrize("kind", ["disc", "gaussian"])
def test_missing_joint_is_an_empty_channel_wherever_it_is(kind, low):
    keypoints = torch.tensor([[[10.0, 10.0], [10.0, 10.0], [1e5, -1e5]]])
    visible = torch.tensor([[True, False, True]])
    maps = PoseEncoding(kind, low=low)(keypoints, visible, (32, 32))
    assert maps[0, 0].max() == 1
    assert (maps[0, 1:] == low).all()


def test_what_a_missing_joint_holds_does_not_matter(random_poses):
    keypoints, visible = random_poses((64, 64), 8)
    nothing = torch.where(visible.unsqueeze(-1), keypoints, torch.nan)
    for encode in (PoseEncoding("disc"), PoseEncoding("gaussian"), pose_mask, keypoints_to_coordinates):
        assert torch.equal(encode(nothing, visible, (64, 64)), encode(keypoints, visible, (64, 64)))


def test_coordinates_are_scaled_and_flagged():
    keypoints = torch.tensor([[[-0.5, -0.5], [31.5, 63.5], [5.0, 5.0]]])
    encoded = keypoints_to_coordinates(keypoints, torch.tensor([[True, True, False]]), (64, 32))
    assert encoded.tolist() == [[-1, -1, 1, 1, 1, 1, 0, 0, 0]]


def test_limb_with_coincident_ends_is_a_disc():
    keypoints = torch.full((1, 18, 2), 16.0)
    visible = torch.ones(1, 18, dtype=torch.bool)
    mask = pose_mask(keypoints, visible, (32, 32))
    assert torch.isfinite(mask).all()
    assert mask.sum() == 49
    assert pose_mask(keypoints, ~visible, (32, 32)).sum() == 0


def test_torso_is_filled_at_256_unless_asked_for_as_released():
    points = {
        "right_shoulder": (90, 80),
        "left_shoulder": (160, 80),
        "right_hip": (100, 190),
        "left_hip": (150, 190),
    }
    keypoints, visible = torch.zeros(1, 18, 2), torch.zeros(1, 18, dtype=torch.bool)
    for name, point in points.items():
        keypoints[0, JOINTS.index(name)] = torch.tensor(point, dtype=torch.float32)
        visible[0, JOINTS.index(name)] = True
    assert pose_mask(keypoints, visible, (256, 256))[0, 0, 130, 125] == 1
    assert pose_mask(keypoints, visible, (256, 256), fill_torso=False)[0, 0, 130, 125] == 0
    small = pose_mask(keypoints / 256 * torch.tensor([24.0, 48.0]), visible, (48, 24), fill_torso=False)
    assert small[0, 0, 25, 12] == 1  # closes by itself


def test_encodings_far_outside_the_image_are_defined(random_poses):
    keypoints, visible = random_poses((64, 64), 8)
    mask = pose_mask(keypoints * 1000 - 30_000, visible, (64, 64))
    assert torch.isfinite(mask).all()


def test_limb_tables():
    assert len(LIMBS) == 17
    assert list(POSE_MASK_LIMBS) == literal.links()
    assert [JOINTS[i] for i in FLIP_JOINTS] == [
        name.replace("right", "?").replace("left", "right").replace("?", "left") for name in JOINTS
    ]


def test_flip_mirrors_and_swaps_sides(random_pose):
    flipped = random_pose.flipped()
    width = random_pose.image_size[1]
    right, left = JOINTS.index("right_wrist"), JOINTS.index("left_wrist")
    assert flipped.keypoints[left, 0] == width - 1 - random_pose.keypoints[right, 0]
    assert flipped.visible[left] == random_pose.visible[right]
    np.testing.assert_array_equal(flipped.flipped().visible, random_pose.visible)
    np.testing.assert_allclose(flipped.flipped().keypoints, random_pose.keypoints, atol=1e-5)


def test_resize_keeps_pixel_centres():
    pose = Pose(np.full((18, 2), 3.0), np.ones(18, bool), (8, 8))
    assert pose.resized((16, 4)).keypoints[0].tolist() == [1.25, 6.5]


def test_json_round_trip_is_exact(random_pose):
    again = Pose.from_json(random_pose.to_json())
    np.testing.assert_array_equal(again.keypoints, random_pose.keypoints)
    np.testing.assert_array_equal(again.visible, random_pose.visible)
    assert again.image_size == random_pose.image_size


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("{}", '"keypoints"'),
        ('{"keypoints": [[1, 2, 1]], "image_size": [8, 8]}', "holds 1 joints"),
        ('{"keypoints": "no", "image_size": [8, 8]}', "triples"),
        ('{"people": []}', "no person"),
        ('{"people": 3}', "list of objects"),
        (json.dumps({"keypoints": [[1, 1, 1]] * 18}), "image_size"),
        (json.dumps({"keypoints": [[1, 1, 1]] * 18, "image_size": [0, 8]}), "image_size"),
        (json.dumps({"keypoints": [[float("nan"), 1, 1]] * 18, "image_size": [8, 8]}), "no pixel position"),
        (json.dumps({"keypoints": [[1e300, 1, 1]] * 18, "image_size": [8, 8]}), "no pixel position"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_from_json_refuses(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        Pose.from_json(text)


def test_pose_refuses_bad_input():
    with pytest.raises(ValueError, match=r"\(17, 2\)"):
        Pose(np.zeros((17, 2)), np.ones(17, bool), (8, 8))
    bad = np.zeros((18, 2))
    bad[4] = np.nan
    with pytest.raises(ValueError, match="right_wrist"):
        Pose(bad, np.ones(18, bool), (8, 8))
    assert (Pose(bad, np.arange(18) != 4, (8, 8)).keypoints[4] == 0).all()
    with pytest.raises(ValueError, match="0x8"):
        Pose(np.zeros((18, 2)), np.ones(18, bool), (0, 8))
    with pytest.raises(ValueError, match="sphere"):
        PoseEncoding("sphere")


def test_coco_becomes_openpose_with_a_neck():
    coco = np.arange(34, dtype=np.float32).reshape(17, 2)
    keypoints, visible = coco17_to_openpose18(coco, np.ones(17))
    names = [
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ]
    for i, name in enumerate(names):
        assert (keypoints[JOINTS.index(name)] == coco[i]).all()
    assert (keypoints[1] == (coco[5] + coco[6]) / 2).all()
    _, visible = coco17_to_openpose18(coco[None], np.arange(17)[None] != 5)
    assert not visible[0, JOINTS.index("neck")]
    assert not visible[0, JOINTS.index("left_shoulder")]


def test_coco_annotations(real_data):
    content = json.loads((real_data / "coco" / "test_coco.json").read_text())
    numbers = np.array([a["keypoints"] for a in content["annotations"]], dtype=np.float32).reshape(-1, 17, 3)
    keypoints, visible = coco17_to_openpose18(numbers[..., :2], numbers[..., 2])
    assert (visible.sum(axis=1) >= (numbers[..., 2] > 0).sum(axis=1)).all()
    assert np.isfinite(keypoints).all()
