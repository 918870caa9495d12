"""The ten rigid parts of a body: corners, masks, and the affine maps from one pose to another.

Definition (Siarohin et al., Deformable GANs for Pose-Based Human Image Generation, CVPR 2018, with one set
of corners for masks and maps), in units of the scale `st`, the root mean square of the two lengths shoulder
to hip:
- torso: the hull of right hip, left hip, left shoulder, right shoulder;
- head: a square of half side 0.40 st around the mean of the visible eyes, ears and nose;
- limbs: a rectangle of half width 0.20 st that starts a tenth of the limb early and ends late, by a tenth of
  it (thighs, upper arms) or by half of it (calves, forearms: room for feet and hands).

What happens when joints are missing, part by part, is said at `body_scale`, `part_corners` and
`part_affines`.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pgt.geometry import constant, empty, fill_spans, fit_affine, hull_spans

PARTS = (
    "torso", "head", "right_thigh", "left_thigh", "right_calf", "left_calf",
    "right_upper_arm", "left_upper_arm", "right_forearm", "left_forearm",
)  # fmt: skip
NUM_PARTS = len(PARTS)
MIRRORED_PARTS = (0, 1, 3, 2, 5, 4, 7, 6, 9, 8)

_NECK, _TORSO_POINTS, _OPPOSITE, _ABOVE = 1, (2, 5, 8, 11), (1, 0, 3, 2), (2, 3, 0, 1)
_FACE = (0, 14, 15, 16, 17)
_HEAD_FIT = (*_FACE, 2, 5)
_OVERSHOOT = (0.1, 0.1, 0.5, 0.5, 0.1, 0.1, 0.5, 0.5)

# Lengths between joints, each with how often it goes into the torso's on an average adult: first the torso's
# own, then what stands in for it, then the eight limbs in the order of PARTS, then other lengths.
_LENGTHS = (
    (2, 8, 1.0), (5, 11, 1.0),
    (2, 11, 0.93), (5, 8, 0.93), (1, 8, 0.95), (1, 11, 0.95),
    (8, 9, 1.15), (11, 12, 1.15), (9, 10, 1.2), (12, 13, 1.2),
    (2, 3, 1.7), (5, 6, 1.7), (3, 4, 1.95), (6, 7, 1.95),
    (2, 5, 1.35), (1, 2, 2.7), (1, 5, 2.7), (8, 11, 2.6), (0, 1, 2.3), (16, 17, 3.3), (14, 15, 7.0),
)  # fmt: skip
_STARTS, _ENDS, _FACTORS = zip(*_LENGTHS, strict=True)
_LIMBS = slice(6, 14)
_NO_LENGTH = 0.25  # of the image height


class _Bones(NamedTuple):
    """The lines of `_LENGTHS` in some poses."""

    start: Tensor  # (B, 21, 2)
    along: Tensor  # (B, 21, 2), from start to end
    length: Tensor  # (B, 21)
    known: Tensor  # (B, 21) bool, both ends visible


def _bones(keypoints: Tensor, visible: Tensor) -> _Bones:
    starts, ends = constant(_STARTS, keypoints.device), constant(_ENDS, keypoints.device)
    start = keypoints.index_select(1, starts)
    along = keypoints.index_select(1, ends) - start
    known = visible.index_select(1, starts) & visible.index_select(1, ends)
    return _Bones(start, along, along.norm(dim=-1), known)


def body_scale(keypoints: Tensor, visible: Tensor, image_height: float | None = None) -> Tensor:
    """Measure `st`, the size of a body in pixels: how long its torso is.

    It is the root mean square of the lengths right shoulder to right hip and left shoulder to left hip, or
    the one that is visible. Failing both: the same of the diagonals and of neck to hip; failing these: the
    longest of what the limbs, shoulders, hips or head suggest (seen at an angle, a limb only gets shorter);
    failing everything: a quarter of `image_height`, or 0 without one. A length of 0 counts as missing.

    Args:
        keypoints: (B, 18, 2) float, (x, y) in pixels.
        visible: (B, 18) bool.
        image_height: H of the picture.

    Returns:
        (B,) float, in pixels.
    """
    return _scale(_bones(torch.where(visible.unsqueeze(-1), keypoints, 0.0), visible), image_height)


def _scale(bones: _Bones, image_height: float | None) -> Tensor:
    factors = constant(_FACTORS, bones.length.device, bones.length.dtype)
    known = bones.known & (bones.length > 0)
    torso = torch.where(known, bones.length * factors, 0.0)  # the torso's length as each line suggests it
    longest = torso[:, _LIMBS.start :].amax(dim=1)
    result = torch.where(longest > 0, longest, _NO_LENGTH * (image_height or 0.0))
    for tier in (slice(2, 6), slice(0, 2)):
        squares = torso[:, tier].square().sum(dim=1) / known[:, tier].sum(dim=1)  # NaN where there is none
        result = torch.where(squares > 0, squares.sqrt(), result)
    return result


def part_corners(
    keypoints: Tensor, visible: Tensor, image_height: float | None = None
) -> tuple[Tensor, Tensor]:
    """Return the four corners of each rigid part.

    Missing joints: a limb needs both of its joints; the head needs one of its five. The torso is completed:
    a missing shoulder is mirrored at the neck; a fourth point makes a parallelogram with the other three;
    two hips (shoulders) are put `st` below the shoulders (above the hips), square to them. A part that
    cannot be had this way, or whose size is unknown (see `body_scale`), has valid = False and corners 0. A
    limb of length 0 counts as 2 pixels long.

    Args:
        keypoints: (B, 18, 2) float, (x, y) in pixels.
        visible: (B, 18) bool.
        image_height: H of the picture, the last resort of `body_scale`.

    Returns:
        corners (B, 10, 4, 2), (x, y), in the order of `PARTS`, and valid (B, 10) bool.
    """
    keypoints = torch.where(visible.unsqueeze(-1), keypoints, 0.0)
    bones = _bones(keypoints, visible)
    scale = _scale(bones, image_height)
    pieces = (_torso(keypoints, visible, scale), _head(keypoints, visible, scale), _limbs(bones, scale))
    corners, valid = (torch.cat(column, dim=1) for column in zip(*pieces, strict=True))
    valid = valid & (scale > 0).unsqueeze(1)
    return torch.where(valid[..., None, None], corners, 0.0), valid


def _torso(keypoints: Tensor, visible: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    at = constant(_TORSO_POINTS, keypoints.device)  # right and left shoulder, right and left hip
    points, known = keypoints.index_select(1, at), visible.index_select(1, at)
    if not known.all():
        points, known = _complete_torso(points, known, keypoints[:, _NECK], visible[:, _NECK], scale)
    around = constant((2, 3, 1, 0), keypoints.device)
    return points.index_select(1, around).unsqueeze(1), known.all(dim=1, keepdim=True)


def _complete_torso(
    points: Tensor, known: Tensor, neck: Tensor, neck_known: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor]:
    """Put in missing shoulders and hips, as `part_corners` describes: (B, 4, 2) and (B, 4) bool."""
    opposite, above = constant(_OPPOSITE, points.device), constant(_ABOVE, points.device)

    def complete(guess: Tensor, can: Tensor) -> None:
        nonlocal points, known
        points, known = torch.where((known | ~can).unsqueeze(-1), points, guess), known | can

    is_shoulder = constant((True, True, False, False), points.device, torch.bool)
    complete(2 * neck[:, None] - points[:, opposite], known[:, opposite] & neck_known[:, None] & is_shoulder)

    parallel = points[:, opposite] + points[:, above] - points[:, above][:, opposite]
    complete(parallel, (known.sum(dim=1, keepdim=True) == 3).expand(-1, 4))

    # Square to the line between the two known ones, towards the lower edge of the image from the shoulders.
    pair, pair_known = points[:, above], known[:, above]
    line = pair[:, [1, 1, 3, 3]] - pair[:, [0, 0, 2, 2]]
    length = line.norm(dim=-1, keepdim=True)
    square = torch.stack([-line[..., 1], line[..., 0]], dim=-1) / length.clamp_min(1e-6)
    square = square * torch.where(square[..., 1:] < 0, -1.0, 1.0)
    downwards = points.new_tensor([-1.0, -1.0, 1.0, 1.0])[:, None] * scale[:, None, None]
    complete(pair + downwards * square, pair_known & pair_known[:, opposite] & (length.squeeze(-1) > 0))
    return points, known


def _head(keypoints: Tensor, visible: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    at = constant(_FACE, keypoints.device)
    seen = visible.index_select(1, at)
    count = seen.sum(dim=1)
    center = keypoints.index_select(1, at).sum(dim=1) / count.clamp_min(1).unsqueeze(1)  # missing ones are 0
    offsets = constant(
        ((-0.4, -0.4), (0.4, -0.4), (0.4, 0.4), (-0.4, 0.4)), keypoints.device, keypoints.dtype
    )
    corners = center[:, None] + offsets * scale[:, None, None]
    return corners.unsqueeze(1), (count > 0).unsqueeze(1)


def _limbs(bones: _Bones, scale: Tensor) -> tuple[Tensor, Tensor]:
    start, along, length = bones.start[:, _LIMBS], bones.along[:, _LIMBS], bones.length[:, _LIMBS, None]
    overshoot = constant(_OVERSHOOT, start.device, start.dtype).unsqueeze(-1)
    first, last = start - 0.1 * along, start + (1 + overshoot) * along
    # A limb without length gets 1 pixel up and 1 down.
    one_down = constant((0, 1), start.device, start.dtype) * (length < 1e-3)
    first, last, along = first - one_down, last + one_down, along + one_down
    across = along.flip(-1) * constant((-1, 1), start.device, start.dtype)
    across = across * (0.2 * scale[:, None, None] / torch.where(length < 1e-3, 1.0, length))
    corners = torch.stack([first + across, first - across, last - across, last + across], dim=-2)
    return corners, bones.known[:, _LIMBS]


def part_masks(corners: Tensor, valid: Tensor, size: tuple[int, int]) -> Tensor:
    """Fill the hull of each part's corners.

    Args:
        corners: (B, P, 4, 2), (x, y) in pixels of a `size` image.
        valid: (B, P) bool; an invalid part has an empty mask.
        size: (H, W) of the masks.

    Returns:
        (B, P, H, W) float of 0 and 1; a pixel whose centre is on the edge belongs to the part.
    """
    spans = hull_spans(corners.flatten(0, 1), valid.reshape(-1, 1).expand(-1, 4), size[0])
    masks = empty((*valid.shape, *size), corners).zero_()
    fill_spans(masks.flatten(0, 1), torch.arange(valid.numel(), device=valid.device), spans)
    return masks


def part_affines(
    source_keypoints: Tensor,
    source_visible: Tensor,
    target_keypoints: Tensor,
    target_visible: Tensor,
    *,
    borrow: bool = True,
) -> tuple[Tensor, Tensor]:
    """Fit the affine map of each part from the source pose to the target pose by least squares.

    Torso and limbs are fitted to their four corners. The head is fitted to the face joints and shoulders
    visible in both poses, or square to square where these are fewer than three or on one line.

    Missing joints: a limb that the source lacks borrows the source's limb of the other side (as Siarohin et
    al. do); a part that is then still missing in either pose, or squeezed onto a line in the source, is
    invalid.

    Args:
        source_keypoints, target_keypoints: (B, 18, 2) float, (x, y) in pixels.
        source_visible, target_visible: (B, 18) bool.
        borrow: False to leave a missing limb of the source invalid.

    Returns:
        matrices (B, 10, 2, 3) from a source pixel to a target pixel, and valid (B, 10) bool; an invalid part
        has the identity. To warp a picture, give `geometry.warp_affine` the inverse
        (`geometry.invert_affine`).
    """
    # One call for both poses: a small batch costs by the number of operations, not by their size.
    keypoints = torch.cat([source_keypoints, target_keypoints])
    visible = torch.cat([source_visible, target_visible])
    corners, known = part_corners(keypoints, visible)
    (source, target), (source_known, target_known) = corners.chunk(2), known.chunk(2)
    if borrow:
        other = constant(MIRRORED_PARTS, source.device)
        source = torch.where(source_known[..., None, None], source, source.index_select(1, other))
        source_known = source_known | source_known.index_select(1, other)
    both = source_known & target_known

    # The head comes twice: square to square as part 1, and behind all parts joint to joint, with up to 7
    # points.
    at = constant(_HEAD_FIT, source.device)
    seen = visible.index_select(1, at)
    points = torch.where(seen.unsqueeze(-1), keypoints.index_select(1, at), 0.0)
    pad = (0, 0, 0, len(_HEAD_FIT) - 4)
    source, target = (
        torch.cat([F.pad(four, pad), seven.unsqueeze(1)], dim=1)
        for four, seven in zip((source, target), points.chunk(2), strict=True)
    )
    common = torch.logical_and(*seen.chunk(2)).unsqueeze(1)
    weights = F.pad(both.unsqueeze(-1).expand(-1, -1, 4), (0, len(_HEAD_FIT) - 4))
    matrices, valid = fit_affine(source, target, torch.cat([weights, common], dim=1))
    fitted = (valid[:, NUM_PARTS] & valid[:, 1])[:, None, None]
    matrices[:, 1] = torch.where(fitted, matrices[:, NUM_PARTS], matrices[:, 1])
    return matrices[:, :NUM_PARTS], valid[:, :NUM_PARTS]
