"""The ten rigid parts against slow literal versions, and with every pattern of missing joints."""

import numpy as np
import pytest
import torch

from benchmarks import literal
from pgt.data.body_parts import (
    MIRRORED_PARTS,
    NUM_PARTS,
    PARTS,
    body_scale,
    part_affines,
    part_corners,
    part_masks,
)
from pgt.data.pose import JOINTS
from pgt.geometry import invert_affine, transform_points, warp_affine


def people(keypoints: torch.Tensor, visible: torch.Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(keypoints.numpy(), visible.numpy(), strict=True))


def test_corners_equal_literal(poses_with_torso):
    keypoints, visible, _ = poses_with_torso
    corners, valid = part_corners(keypoints, visible)
    for i, person in enumerate(people(keypoints, visible)):
        for part, expected in enumerate(literal.part_corners(*person)):
            assert valid[i, part] == (expected is not None)
            if expected is not None and len(np.unique(expected, axis=0)) == 4:
                np.testing.assert_allclose(corners[i, part].numpy(), expected, atol=1e-3)


def test_masks_equal_literal(poses_with_torso):
    keypoints, visible, size = poses_with_torso
    fast = part_masks(*part_corners(keypoints, visible), size).numpy() > 0
    for i, person in enumerate(people(keypoints, visible)):
        assert (literal.part_masks(*person, size) > fast[i]).sum() <= 2
        # Pixels whose centre lies on an edge, up to rounding, may be counted in; hardly any is left out.
        assert (fast[i] > literal.part_masks(*person, size, slack=0.02)).sum() == 0


def test_fits_equal_literal(poses_with_torso):
    keypoints, visible, _ = poses_with_torso
    source, target = (keypoints, visible), (keypoints.flip(0), visible.flip(0))
    matrices, valid = part_affines(*source, *target, borrow=False)
    for i, (one, other) in enumerate(zip(people(*source), people(*target), strict=True)):
        for part, expected in enumerate(literal.part_affines(*one, *other)):
            if not valid[i, part]:
                assert (matrices[i, part] == torch.eye(2, 3)).all()
                continue
            # Compared by where they put the source's corners: entries of a map of few pixels are
            # ill-conditioned.
            corners = literal.part_corners(*one)[part]
            ours = transform_points(torch.tensor(corners).float(), matrices[i, part]).numpy()
            np.testing.assert_allclose(
                ours, corners @ expected[:, :2].T + expected[:, 2], atol=0.05, rtol=1e-3
            )


def test_no_pattern_of_missing_joints_breaks_anything(random_poses):
    rng = np.random.default_rng(0)
    patterns = rng.permutation(2**18)[:4096]
    patterns[:20] = [0, 2**18 - 1, *(1 << np.arange(18))]
    visible = torch.tensor((patterns[:, None] >> np.arange(18)) & 1 > 0)
    keypoints, _ = random_poses((128, 64), len(patterns), seed=2)
    keypoints[~visible] = torch.nan  # must not be looked at
    for image_height in (None, 128.0):
        corners, valid = part_corners(keypoints, visible, image_height)
        assert torch.isfinite(corners).all()
        assert (corners[~valid] == 0).all()
        masks = part_masks(corners, valid, (16, 8))
        assert masks[~valid].sum() == 0
    matrices, fitted = part_affines(keypoints, visible, keypoints.flip(0), visible.flip(0))
    assert torch.isfinite(matrices).all()
    assert (matrices[~fitted] == torch.eye(2, 3)).all()
    assert not valid[0].any()
    assert valid[1].all()


def test_coincident_joints_break_nothing():
    keypoints, visible = torch.full((1, 18, 2), 7.0), torch.ones(1, 18, dtype=torch.bool)
    corners, _ = part_corners(keypoints, visible, image_height=64)
    matrices, _ = part_affines(keypoints, visible, keypoints, visible)
    assert torch.isfinite(corners).all()
    assert torch.isfinite(matrices).all()


def standing(**moved: tuple[float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a person who faces the camera, 40 pixels from shoulder to hip; None hides a joint."""
    points = {
        "nose": (50, 20), "neck": (50, 30), "right_shoulder": (40, 30), "right_elbow": (35, 50),
        "right_wrist": (35, 70),
        "left_shoulder": (60, 30), "left_elbow": (65, 50), "left_wrist": (65, 70), "right_hip": (43, 70),
        "right_knee": (43, 100), "right_ankle": (43, 130), "left_hip": (57, 70), "left_knee": (57, 100),
        "left_ankle": (57, 130), "right_eye": (47, 17), "left_eye": (53, 17), "right_ear": (43, 19),
        "left_ear": (57, 19),
    } | moved  # fmt: skip
    visible = torch.tensor([[points[name] is not None for name in JOINTS]])
    return torch.tensor([[points[name] or (0, 0) for name in JOINTS]], dtype=torch.float32), visible


def test_limb_rectangle_follows_its_definition():
    corners, _ = part_corners(*standing())
    scale = (40**2 + 3**2) ** 0.5
    half = 0.2 * scale
    calf = corners[0, PARTS.index("right_calf")]
    assert calf[:, 1].tolist() == pytest.approx([97, 97, 145, 145])  # a tenth early, half late
    assert sorted(calf[:, 0].tolist()) == pytest.approx(
        [43 - half, 43 - half, 43 + half, 43 + half], abs=1e-4
    )
    head = corners[0, PARTS.index("head")]
    assert (head[2] - head[0]).tolist() == pytest.approx([0.8 * scale, 0.8 * scale], abs=1e-4)
    assert head.mean(dim=0).tolist() == pytest.approx([50, 18.4], abs=1e-4)


@pytest.mark.parametrize("hidden", ["left_hip", "right_hip", "left_shoulder", "right_shoulder"])
def test_fourth_torso_point_is_completed(hidden):
    full, _ = part_corners(*standing())
    completed, valid = part_corners(*standing(**{hidden: None}))
    assert valid[0, 0]
    assert (completed[0, 0] - full[0, 0]).abs().max() < 7


def test_torso_without_hips_hangs_from_the_shoulders():
    corners, valid = part_corners(*standing(right_hip=None, left_hip=None))
    scale = body_scale(*standing(right_hip=None, left_hip=None))
    assert valid[0, 0]
    assert 25 < scale < 60  # from the arms
    expected = [[40, 30 + scale.item()], [60, 30 + scale.item()], [60, 30], [40, 30]]
    torch.testing.assert_close(corners[0, 0], torch.tensor(expected))


def test_torso_without_shoulders_stands_on_the_hips():
    corners, valid = part_corners(*standing(right_shoulder=None, left_shoulder=None))
    assert valid[0, 0]
    assert corners[0, 0, 2:, 1].max() < 40


def test_scale_prefers_the_torso_and_ends_at_the_image_height():
    assert body_scale(*standing()).item() == pytest.approx((40**2 + 3**2) ** 0.5)
    nobody = torch.zeros(1, 18, 2), torch.zeros(1, 18, dtype=torch.bool)
    assert body_scale(*nobody).item() == 0
    assert body_scale(*nobody, image_height=256).item() == 64


def test_missing_source_limb_borrows_the_other_side():
    source, target = standing(right_wrist=None), standing()
    forearm = PARTS.index("right_forearm")
    matrices, valid = part_affines(*source, *target)
    assert valid[0, forearm]
    center = torch.tensor([[65.0, 60.0]])  # of the left forearm
    torch.testing.assert_close(transform_points(center, matrices[0, forearm]), torch.tensor([[35.0, 60.0]]))
    assert not part_affines(*source, *target, borrow=False)[1][0, forearm]
    assert not part_affines(*target, *source)[1][0, forearm]
    assert [PARTS[i] for i in MIRRORED_PARTS] == [
        p.replace("right", "?").replace("left", "right").replace("?", "left") for p in PARTS
    ]


def test_a_moved_person_has_moved_parts_on_a_tall_image():
    keypoints, visible = standing()
    matrices, valid = part_affines(keypoints, visible, keypoints + 8, visible)
    assert valid.all()
    moved = torch.tensor([[1.0, 0, 8], [0, 1, 8]]).expand(NUM_PARTS, 2, 3)
    torch.testing.assert_close(matrices[0], moved, atol=1e-3, rtol=1e-4)

    masks = part_masks(*part_corners(keypoints, visible), (160, 100))
    expected = part_masks(*part_corners(keypoints + 8, visible), (160, 100))
    warped = warp_affine(masks[0, :, None], invert_affine(matrices[0]), mode="nearest")[:, 0]
    assert ((warped != expected[0]).sum(dim=(1, 2)) <= 0.03 * expected[0].sum(dim=(1, 2))).all()
