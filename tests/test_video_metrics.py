"""Temporal consistency: literal versions, and what must and must not cost anything."""

import numpy as np
import pytest
import torch

from pgt.data.body_parts import body_scale, part_affines, part_corners
from pgt.synthetic.films import film
from pgt.synthetic.people import SyntheticPeople
from pgt.video_metrics import change_error, warp_error

SIZE = (64, 48)
BONES = ((8, 9), (11, 12), (9, 10), (12, 13), (2, 3), (5, 6), (3, 4), (6, 7))


def tensors(people):
    """Return frames (T, 3, H, W), keypoints, visible and masks (T, 1, H, W) of a film."""
    joints = (
        torch.from_numpy(np.stack([getattr(p, name) for p in people])) for name in ("keypoints", "visible")
    )
    frames = torch.stack([torch.from_numpy(p.image).movedim(-1, 0).double() / 255 for p in people])
    return frames, *joints, torch.from_numpy(np.stack([p.person_mask for p in people]))[:, None]


@pytest.fixture(scope="module")
def walk():
    return tensors(film(SyntheticPeople("test", SIZE, "plain"), 1, "walk", 24)[:8])


# --- against the true video ---


def test_change_error_is_the_literal_sum(walk):
    target, _, _, mask = walk
    generated = torch.rand(target.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for used in (None, mask):
        values = change_error(generated, target, used).values
        for t in range(len(target) - 1):
            errors = []
            for y in range(SIZE[0]):
                for x in range(SIZE[1]):
                    if used is None or used[t, 0, y, x] or used[t + 1, 0, y, x]:
                        g = generated[t + 1, :, y, x] - generated[t, :, y, x]
                        r = target[t + 1, :, y, x] - target[t, :, y, x]
                        errors.append(float((g - r).abs().mean()))
            assert float(values[t]) == pytest.approx(np.mean(errors), abs=1e-12)


def test_a_lasting_error_costs_nothing_and_a_flicker_twice_its_height(walk):
    target = walk[0]
    assert change_error(target, target).mean == 0
    assert change_error(target + 0.1 * torch.rand(target.shape[1:]), target).mean == pytest.approx(
        0, abs=1e-9
    )
    flicker = 0.1 * (-1.0) ** torch.arange(len(target)).view(-1, 1, 1, 1)
    assert change_error(target + flicker, target).values.numpy() == pytest.approx(0.2)


def test_a_mask_without_pixels_has_no_value(walk):
    target, _, _, mask = walk
    assert change_error(target, target, torch.zeros_like(mask)).values.isnan().all()


# --- along the body's motion ---


def inside(corners: np.ndarray, x: float, y: float) -> bool:
    """Tell whether a point lies in the hull of four corners: on one side of all edges of their hull."""
    from scipy.spatial import ConvexHull

    hull = ConvexHull(corners)
    return bool((hull.equations[:, :2] @ [x, y] + hull.equations[:, 2] <= 1e-6).all())


def literal_warp_error(frames, keypoints, visible, t: int) -> float:
    """One value by loops over pixels and parts."""
    corners, valid = part_corners(keypoints, visible)
    back, known = part_affines(keypoints[t + 1 : t + 2], visible[t + 1 : t + 2],
                               keypoints[t : t + 1], visible[t : t + 1], borrow=False)  # fmt: skip

    scale, corners, joints = body_scale(keypoints, visible).numpy(), corners.numpy(), keypoints.numpy()

    def in_core(time, part, x, y):
        if part == 0:
            return inside(corners[time, 0], x, y)
        if part == 1:
            middle = corners[time, 1].mean(0)
            return np.abs(middle - [x, y]).max() <= 0.2 * scale[time] + 1e-6
        start, end = (joints[time, joint] for joint in BONES[part - 2])
        bone, place = end - start, np.array([x, y]) - start
        across = abs(bone[0] * place[1] - bone[1] * place[0]) / np.linalg.norm(bone)
        return -1e-6 <= place @ bone / (bone @ bone) <= 1 + 1e-6 and across <= 0.1 * scale[time] + 1e-6

    def owns(time, part, x, y):
        if not (valid[time, part] and in_core(time, part, x, y)):
            return False
        others = (p for p in range(10) if p != part and valid[time, p])
        return not any(inside(corners[time, p], x, y) for p in others)

    own = [[[(x, y) for x in range(SIZE[1]) for y in range(SIZE[0]) if owns(time, part, x, y)]
            for part in range(10)] for time in (t, t + 1)]  # fmt: skip
    errors = []
    for part in range(10):
        for x, y in own[1][part] if known[0, part] else []:
            u, v = (back[0, part] @ torch.tensor([x, y, 1.0], dtype=torch.float64)).tolist()
            x0, y0 = int(np.floor(u)), int(np.floor(v))
            color, weight = torch.zeros(3, dtype=torch.float64), 0.0
            for xi, yi in ((x0, y0), (x0 + 1, y0), (x0, y0 + 1), (x0 + 1, y0 + 1)):
                share = (1 - abs(u - xi)) * (1 - abs(v - yi))
                if 0 <= xi < SIZE[1] and 0 <= yi < SIZE[0]:
                    color = color + share * frames[t, :, yi, xi]
                    weight += share * ((xi, yi) in own[0][part])
            if weight > 0.999:
                errors.append(float((frames[t + 1, :, y, x] - color).abs().mean()))
    return float(np.mean(errors))


@pytest.mark.slow
def test_warp_error_is_the_literal_mean(walk):
    frames, points, seen, _ = walk
    points = points.double()
    values = warp_error(frames, points, seen).values
    assert len(values) == len(frames) - 1
    for t in (0, 3):
        assert float(values[t]) == pytest.approx(literal_warp_error(frames, points, seen, t), abs=1e-9)


def test_a_picture_that_moves_with_the_pose_costs_nothing(walk):
    frames, points, seen, _ = walk
    still = torch.stack([frames[0].roll((2 * t, -t), dims=(1, 2)) for t in range(4)])
    poses = torch.stack([points[0] + torch.tensor([-t, 2 * t]) for t in range(4)])
    assert warp_error(still, poses, seen[:1].expand(4, -1)).values.numpy() == pytest.approx(0, abs=1e-6)


def test_the_truth_is_steadier_than_a_copy_of_one_frame_or_noise():
    people = film(SyntheticPeople("test", (128, 96), "plain"), 1, "walk", 24)[::3]
    frames, points, seen, _ = tensors(people)
    true = warp_error(frames, points, seen).mean
    copied = warp_error(frames[:1].expand_as(frames), points, seen).mean
    noise = 0.05 * torch.randn(frames.shape, generator=torch.Generator().manual_seed(0))
    assert 0 < true < 0.7 * copied
    assert warp_error(frames + noise, points, seen).mean > 1.3 * true


def test_a_flicker_of_the_whole_picture_is_measured_exactly(walk):
    frames, points, seen, _ = walk
    still, flicker = frames[:1].expand(4, -1, -1, -1), torch.tensor([0, 0.1, 0.1, 0.3]).view(4, 1, 1, 1)
    values = warp_error(still + flicker, points[:1].expand(4, -1, -1), seen[:1].expand(4, -1)).values
    assert values.numpy() == pytest.approx([0.1, 0, 0.2], abs=1e-6)


def near(points):
    """Mark the pixels (T, 1, H, W) that are near a joint or a bone: the whole body and some more."""
    ys, xs = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    first, last = (points[:, list(ends)] for ends in zip(*BONES, (1, 8), (1, 11), strict=True))
    on_bones = [first + share * (last - first) for share in (0, 0.25, 0.5, 0.75, 1)]
    far = torch.stack([xs, ys], -1)[None, None] - torch.cat([points, *on_bones], dim=1)[:, :, None, None]
    return (far.norm(dim=-1).amin(dim=1) < 9).unsqueeze(1)


def test_the_background_does_not_count(walk):
    frames, points, seen, _ = walk
    changed = torch.where(near(points), frames, 1 - frames)
    assert not torch.equal(changed, frames)
    assert torch.equal(warp_error(changed, points, seen).values, warp_error(frames, points, seen).values)


def test_without_joints_there_is_no_value(walk):
    frames, points, seen, _ = walk
    assert warp_error(frames, points, torch.zeros_like(seen)).values.isnan().all()


def test_one_frame_is_no_video(walk):
    frames, points, seen, mask = walk
    with pytest.raises(ValueError, match="at least two frames"):
        change_error(frames[:1], frames[:1])
    with pytest.raises(ValueError, match="as many poses"):
        warp_error(frames, points[1:], seen)
    with pytest.raises(ValueError, match="one shape"):
        change_error(frames, frames[1:])
    with pytest.raises(ValueError, match="mask of a video"):
        change_error(frames, frames, mask[1:])
