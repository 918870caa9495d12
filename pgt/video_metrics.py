"""How steadily a generated video moves: against the true video, or along the known motion of the body.

Frames are (T, 3, H, W) in [0, 1]. Both functions give a `Score` with one value for each two consecutive
frames, and its protocol. Neither says whether the pictures are right: a person in wrong clothes, or a blur,
may well be steady. So show them beside the metrics of single pictures, and beside the true video's own.
"""

import torch
from torch import Tensor

from pgt.data.body_parts import NUM_PARTS, body_scale, part_affines, part_corners, part_masks
from pgt.geometry import constant, warp_affine
from pgt.metrics import Score

CORE = 0.1  # half width of what surely shows a limb, in torso lengths; twice that for the head
_BONES = ((8, 9), (11, 12), (9, 10), (12, 13), (2, 3), (5, 6), (3, 4), (6, 7))  # of the limbs, as in PARTS


def change_error(generated: Tensor, target: Tensor, mask: Tensor | None = None) -> Score:
    """Compare how two videos change: mean |(g[t+1] - g[t]) - (r[t+1] - r[t])| over channels and pixels.

    An error that stays the same from frame to frame costs nothing; one that comes and goes does. With the
    squared error instead of the absolute one this is the dtSSD of video matting (Erofeev et al., BMVC 2015).

    Args:
        generated: (T, 3, H, W) in [0, 1], at least two frames.
        target: the true video, like `generated`.
        mask: (T, 1, H, W), 0 and 1, for example the true person; a pixel counts if it is 1 in either of the
            two frames. None: all pixels count.

    Returns:
        T - 1 values in [0, 2]; NaN where no pixel counts.

    Raises:
        ValueError: unequal shapes, or fewer than two frames.
    """
    _check(generated)
    if generated.shape != target.shape:
        raise ValueError(
            f"Two videos of one shape are needed; got {tuple(generated.shape)} and {tuple(target.shape)}."
        )
    change = (generated.double() - target.double()).diff(dim=0).abs().mean(dim=1, keepdim=True)
    if mask is None:
        counted = torch.ones_like(change)
    elif mask.shape != (len(generated), 1, *generated.shape[2:]):
        raise ValueError(f"The mask of a video must be (T, 1, H, W) of its frames; got {tuple(mask.shape)}.")
    else:
        counted = ((mask[1:] > 0) | (mask[:-1] > 0)).to(change)
    values = (change * counted).sum((1, 2, 3)) / counted.sum((1, 2, 3))
    where = "all pixels" if mask is None else "mask of either frame"
    return Score("change_error", values, {"norm": "L1", "pixels": where})


def warp_error(frames: Tensor, keypoints: Tensor, visible: Tensor) -> Score:
    """Measure how much the picture changes along the body's motion: needs no true video.

    In the manner of the warping error of Lai et al. (ECCV 2018), with the known motion of the ten rigid parts
    in place of optical flow. Every part moves by the least-squares affine map A of its corners from the pose
    of frame t + 1 to that of frame t (`pgt.data.body_parts.part_affines`). The value is the mean of
    |f[t+1](p) - f[t](A p)| over the channels and those pixels p of frame t + 1 that surely belong to a part,
    and to it alone, in both frames. That is: they lie in the hull of shoulders and hips, in a square of half
    side 0.2 torso lengths around the middle of the face, or between the two joints of a limb and at most 0.1
    torso lengths from its bone; and outside every other part's whole rectangle. So what covers something
    else does not count, nor does the background.

    The map is of the picture plane: who turns changes truly. And f[t] is sampled between pixels, which blurs
    it a little. So even a true video has an error above 0; compare with that.

    Args:
        frames: (T, 3, H, W) in [0, 1], at least two.
        keypoints: (T, 18, 2) float, (x, y) in pixels of the frames.
        visible: (T, 18) bool.

    Returns:
        T - 1 values in [0, 1]; NaN where no pixel counts, for example without joints.

    Raises:
        ValueError: fewer than two frames, or not as many poses.
    """
    _check(frames)
    if keypoints.shape[0] != len(frames) or visible.shape[0] != len(frames):
        raise ValueError(f"{len(frames)} frames need as many poses; got {len(keypoints)}.")
    frames, keypoints = frames.double(), keypoints.double()
    size = (frames.shape[-2], frames.shape[-1])
    matrices, known = part_affines(keypoints[1:], visible[1:], keypoints[:-1], visible[:-1], borrow=False)
    own = _own_pixels(keypoints, visible, size)
    total = counted = frames.new_zeros(len(frames) - 1)
    for part in range(NUM_PARTS):  # part by part: ten copies of a long video would be large
        before = torch.cat([frames[:-1], own[:-1, part : part + 1]], dim=1)
        color, owned = warp_affine(before, matrices[:, part]).split([3, 1], dim=1)
        both = own[1:, part : part + 1] * (owned > 0.999) * known[:, part, None, None, None]
        change = (frames[1:] - color).abs().mean(dim=1, keepdim=True)
        total, counted = total + (both * change).sum((1, 2, 3)), counted + both.sum((1, 2, 3))
    protocol = {"norm": "L1", "motion": "ten rigid parts", "pixels": "of one part alone, in both frames"}
    return Score("warp_error", total / counted, {**protocol, "core": CORE})


def _own_pixels(keypoints: Tensor, visible: Tensor, size: tuple[int, int]) -> Tensor:
    """Return (T, 10, H, W), 1 where a pixel surely belongs to a part and to no other."""
    corners, valid = part_corners(keypoints, visible)
    whole = part_masks(corners, valid, size)
    others = whole.sum(dim=1, keepdim=True) - whole
    width = CORE * body_scale(keypoints, visible)[:, None, None]
    first, last = (keypoints[:, list(ends)] for ends in zip(*_BONES, strict=True))  # (T, 8, 2)
    along = last - first
    across = along.flip(-1) * constant((-1, 1), along.device, along.dtype)
    across = width * across / along.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    limbs = torch.stack([first + across, first - across, last - across, last + across], dim=-2)
    square = constant(((-1, -1), (1, -1), (1, 1), (-1, 1)), along.device, along.dtype)
    head = corners[:, 1].mean(dim=1, keepdim=True) + 2 * width * square
    core = torch.cat([corners[:, :1], head.unsqueeze(1), limbs], dim=1)
    return part_masks(core, valid, size) * (others == 0)


def _check(frames: Tensor) -> None:
    if frames.ndim != 4 or frames.shape[1] != 3 or len(frames) < 2:
        raise ValueError(f"A video is (T, 3, H, W) with at least two frames; got {tuple(frames.shape)}.")
