"""The ten rigid parts of a body: corners, masks, and the affine maps that carry them from one pose to another.

Definition (Siarohin et al., Deformable GANs for Pose-Based Human Image Generation, CVPR 2018, with one set of corners
for masks and maps), in units of the scale `st`, the root mean square of the two lengths shoulder to hip:
- torso: the hull of right hip, left hip, left shoulder, right shoulder;
- head: a square of half side 0.40 st around the mean of the visible eyes, ears and nose;
- limbs: a rectangle of half width 0.20 st that starts a tenth of the limb early and ends late, by a tenth of it
  (thighs, upper arms) or by half of it (calves, forearms: room for feet and hands).

What happens when joints are missing, part by part, is said at `body_scale`, `part_corners` and `part_affines`.
"""

import torch
from torch import Tensor

from pgt.geometry import fill_spans, fit_affine, hull_spans

PARTS = (
    "torso", "head", "right_thigh", "left_thigh", "right_calf", "left_calf",
    "right_upper_arm", "left_upper_arm", "right_forearm", "left_forearm",
)  # fmt: skip
NUM_PARTS = len(PARTS)
MIRRORED_PARTS = (0, 1, 3, 2, 5, 4, 7, 6, 9, 8)

_NECK, _SHOULDERS, _HIPS = 1, [2, 5], [8, 11]  # right, left
_FACE = [0, 14, 15, 16, 17]
_LIMB_STARTS, _LIMB_ENDS = [8, 11, 9, 12, 2, 5, 3, 6], [9, 12, 10, 13, 3, 6, 4, 7]
_OVERSHOOT = (0.1, 0.1, 0.5, 0.5, 0.1, 0.1, 0.5, 0.5)

# Lengths that stand in for the torso's, with how often each goes into it on an average adult.
_TORSO_STAND_INS = ((2, 11, 0.93), (5, 8, 0.93), (1, 8, 0.95), (1, 11, 0.95))
_OTHER_LENGTHS = (
    (8, 9, 1.15), (11, 12, 1.15), (9, 10, 1.2), (12, 13, 1.2), (2, 3, 1.7), (5, 6, 1.7), (3, 4, 1.95), (6, 7, 1.95),
    (2, 5, 1.35), (1, 2, 2.7), (1, 5, 2.7), (8, 11, 2.6), (0, 1, 2.3), (16, 17, 3.3), (14, 15, 7.0),
)  # fmt: skip
_NO_LENGTH = 0.25  # of the image height


def _lengths(keypoints: Tensor, visible: Tensor, table: tuple) -> tuple[Tensor, Tensor]:
    """Return the table's lengths in units of the torso, and which of them have both ends: two (B, N)."""
    starts, ends, factors = (list(column) for column in zip(*table, strict=True))
    length = (keypoints[:, starts] - keypoints[:, ends]).norm(dim=-1) * keypoints.new_tensor(factors)
    return length, visible[:, starts] & visible[:, ends] & (length > 0)


def body_scale(keypoints: Tensor, visible: Tensor, image_height: float | None = None) -> Tensor:
    """Measure `st`, the size of a body in pixels: how long its torso is.

    It is the root mean square of the lengths right shoulder to right hip and left shoulder to left hip, or the one
    that is visible. Failing both: the same of the diagonals and of neck to hip; failing these: the longest of what
    the limbs, shoulders, hips or head suggest (seen at an angle, a limb only gets shorter); failing everything: a
    quarter of `image_height`, or 0 without one.

    Args:
        keypoints: (B, 18, 2) float, (x, y) in pixels.
        visible: (B, 18) bool.
        image_height: H of the picture.

    Returns:
        (B,) float, in pixels.
    """
    result = keypoints.new_full(keypoints.shape[:1], _NO_LENGTH * (image_height or 0.0))
    others, known = _lengths(keypoints, visible, _OTHER_LENGTHS)
    result = torch.where(known.any(dim=1), torch.where(known, others, 0.0).amax(dim=1), result)
    for table in (_TORSO_STAND_INS, ((2, 8, 1.0), (5, 11, 1.0))):
        lengths, known = _lengths(keypoints, visible, table)
        squares = torch.where(known, lengths**2, 0.0).sum(dim=1) / known.sum(dim=1).clamp_min(1)
        result = torch.where(known.any(dim=1), squares.sqrt(), result)
    return result


def part_corners(
    keypoints: Tensor, visible: Tensor, image_height: float | None = None
) -> tuple[Tensor, Tensor]:
    """Return the four corners of each rigid part.

    Missing joints: a limb needs both of its joints; the head needs one of its five. The torso is completed: a missing
    shoulder is mirrored at the neck; a fourth point makes a parallelogram with the other three; two hips (shoulders)
    are put `st` below the shoulders (above the hips), square to them. A part that cannot be had this way, or whose
    size is unknown (see `body_scale`), has valid = False and corners 0. A limb of length 0 counts as 2 pixels long.

    Args:
        keypoints: (B, 18, 2) float, (x, y) in pixels.
        visible: (B, 18) bool.
        image_height: H of the picture, the last resort of `body_scale`.

    Returns:
        corners (B, 10, 4, 2), (x, y), in the order of `PARTS`, and valid (B, 10) bool.
    """
    keypoints = torch.where(visible.unsqueeze(-1), keypoints, 0.0)
    scale = body_scale(keypoints, visible, image_height)
    pieces = [
        _torso(keypoints, visible, scale),
        _head(keypoints, visible, scale),
        _limbs(keypoints, visible, scale),
    ]
    corners = torch.cat([corners for corners, _ in pieces], dim=1)
    valid = torch.cat([valid for _, valid in pieces], dim=1) & (scale > 0).unsqueeze(1)
    return torch.where(valid[..., None, None], corners, 0.0), valid


def _torso(keypoints: Tensor, visible: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    points, known = keypoints[:, _SHOULDERS + _HIPS], visible[:, _SHOULDERS + _HIPS]  # right and left, twice
    opposite = [1, 0, 3, 2]
    above = [2, 3, 0, 1]  # of a hip, the shoulder of its side; of a shoulder, the hip

    mirrored = 2 * keypoints[:, [_NECK]] - points[:, opposite]
    can = known[:, opposite] & visible[:, [_NECK]] & known.new_tensor([True, True, False, False])
    points, known = _complete(points, known, mirrored, can)

    parallel = points[:, opposite] + points[:, above] - points[:, [above[i] for i in opposite]]
    points, known = _complete(points, known, parallel, known.sum(dim=1, keepdim=True).expand(-1, 4) == 3)

    # Square to the line between the two known ones, towards the lower edge of the image from the shoulders.
    line = points[:, above][:, [1, 1, 3, 3]] - points[:, above][:, [0, 0, 2, 2]]
    square = torch.stack([-line[..., 1], line[..., 0]], dim=-1)
    square = (
        square * torch.where(square[..., 1:] < 0, -1.0, 1.0) / line.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    )
    downwards = points.new_tensor([-1.0, -1.0, 1.0, 1.0])[:, None] * scale[:, None, None]
    can = (known[:, above] & known[:, above][:, opposite]) & (line.norm(dim=-1) > 0)
    points, known = _complete(points, known, points[:, above] + downwards * square, can)

    corners = points[:, [2, 3, 1, 0]]  # right hip, left hip, left shoulder, right shoulder
    return corners.unsqueeze(1), known.all(dim=1, keepdim=True)


def _complete(points: Tensor, known: Tensor, guess: Tensor, can: Tensor) -> tuple[Tensor, Tensor]:
    return torch.where((known | ~can).unsqueeze(-1), points, guess), known | can


def _head(keypoints: Tensor, visible: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    seen = visible[:, _FACE].to(keypoints.dtype).unsqueeze(-1)
    center = (keypoints[:, _FACE] * seen).sum(dim=1) / seen.sum(dim=1).clamp_min(1)
    offsets = keypoints.new_tensor([[-0.4, -0.4], [0.4, -0.4], [0.4, 0.4], [-0.4, 0.4]])
    corners = center[:, None] + offsets * scale[:, None, None]
    return corners.unsqueeze(1), visible[:, _FACE].any(dim=1, keepdim=True)


def _limbs(keypoints: Tensor, visible: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    start, end = keypoints[:, _LIMB_STARTS], keypoints[:, _LIMB_ENDS]  # (B, 8, 2)
    pointlike = (end - start).norm(dim=-1, keepdim=True) < 1e-3
    one_down = keypoints.new_tensor([0.0, 1.0])
    start, end = (
        torch.where(pointlike, start - one_down, start),
        torch.where(pointlike, start + one_down, end),
    )
    along = end - start
    direction = along / along.norm(dim=-1, keepdim=True)
    across = torch.stack([-direction[..., 1], direction[..., 0]], dim=-1) * (0.2 * scale[:, None, None])
    start, end = start - 0.1 * along, end + keypoints.new_tensor(_OVERSHOOT)[:, None] * along
    corners = torch.stack([start + across, start - across, end - across, end + across], dim=-2)
    return corners, visible[:, _LIMB_STARTS] & visible[:, _LIMB_ENDS]


def part_masks(corners: Tensor, valid: Tensor, size: tuple[int, int]) -> Tensor:
    """Fill the hull of each part's corners.

    Args:
        corners: (B, P, 4, 2), (x, y) in pixels of a `size` image.
        valid: (B, P) bool; an invalid part has an empty mask.
        size: (H, W) of the masks.

    Returns:
        (B, P, H, W) float of 0 and 1; a pixel whose centre is on the edge belongs to the part.
    """
    low, high = hull_spans(corners, valid.unsqueeze(-1).expand(-1, -1, 4), size[0])
    return fill_spans(low, high, size[1])


def part_affines(
    source_keypoints: Tensor,
    source_visible: Tensor,
    target_keypoints: Tensor,
    target_visible: Tensor,
    *,
    borrow: bool = True,
) -> tuple[Tensor, Tensor]:
    """Fit the affine map of each part from the source pose to the target pose by least squares.

    Torso and limbs are fitted to their four corners. The head is fitted to the face joints and shoulders visible in
    both poses, or square to square where these are fewer than three or on one line.

    Missing joints: a limb that the source lacks borrows the source's limb of the other side (as Siarohin et al. do);
    a part that is then still missing in either pose, or squeezed onto a line in the source, is invalid.

    Args:
        source_keypoints, target_keypoints: (B, 18, 2) float, (x, y) in pixels.
        source_visible, target_visible: (B, 18) bool.
        borrow: False to leave a missing limb of the source invalid.

    Returns:
        matrices (B, 10, 2, 3) from a source pixel to a target pixel, and valid (B, 10) bool; an invalid part has the
        identity. To warp a picture, give `geometry.warp_affine` the inverse (`geometry.invert_affine`).
    """
    # One call for both poses: a small batch costs by the number of operations, not by their size.
    keypoints, visible = (
        torch.cat([source_keypoints, target_keypoints]),
        torch.cat([source_visible, target_visible]),
    )
    corners, known = part_corners(keypoints, visible)
    (source, target), (source_valid, target_valid) = corners.chunk(2), known.chunk(2)
    if borrow:
        other = list(MIRRORED_PARTS)
        source = torch.where(source_valid[..., None, None], source, source[:, other])
        source_valid = source_valid | source_valid[:, other]
    weights = (source_valid & target_valid).unsqueeze(-1).expand(-1, -1, 4)
    matrices, valid = fit_affine(source, target, weights)

    head_joints = _FACE + _SHOULDERS
    common = source_visible[:, head_joints] & target_visible[:, head_joints]
    points = (
        torch.where(common.unsqueeze(-1), keypoints[:, head_joints], 0.0)
        for keypoints in (source_keypoints, target_keypoints)
    )
    head, fitted = fit_affine(*points, common)
    fitted = fitted & valid[:, 1]
    matrices[:, 1] = torch.where(fitted[:, None, None], head, matrices[:, 1])
    return matrices, valid
