"""A baseline without learning: carry the ten rigid parts of the source to the target pose, over its
background.

Each part moves by the least-squares affine map of its corners, as in the deformable skip connections of
Siarohin et al. 2018, but on pixels instead of features. What the source does not show of a part is continued
from its nearest colours, and so is the background behind the source person. Texture stays sharp and limbs go
where the skeleton says; what it cannot do is turn a person round: a front stays a front. Every learned
approach has to earn its keep against this.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pgt.data.body_parts import MIRRORED_PARTS, NUM_PARTS, PARTS, body_scale, part_corners
from pgt.data.parsing import LABELS
from pgt.data.pose import JOINTS, PoseEncoding, pose_mask
from pgt.geometry import distance_to_segments, fit_affine, invert_affine, warp_affine
from pgt.layers.inpainting import fill_unknown, remove_person

# From back to front; seen from behind, hanging and folded arms are mostly beyond the body.
_TORSO_AND_LEGS = ("torso", "right_thigh", "left_thigh", "right_calf", "left_calf")
_ARMS = ("right_upper_arm", "left_upper_arm", "right_forearm", "left_forearm")
ORDER_FROM_FRONT = (*_TORSO_AND_LEGS, *_ARMS, "head")
ORDER_FROM_BACK = (*_ARMS, *_TORSO_AND_LEGS, "head")

# Radius of a part's flesh in torso lengths, in the order of PARTS. The torso's follows its view, but is never
# thinner than a body seen from the side.
RADII = (0.0, 0.32, 0.17, 0.17, 0.13, 0.13, 0.11, 0.11, 0.10, 0.10)
TORSO_SIDE_RADIUS = 0.22
REACH = 2.2  # pixels of the person farther than so many radii from every part move with none
HIDDEN = 0.15  # a limb that shows less than this share of its flesh borrows the other side's picture

# Which labels a part may own. Parsers confuse the sides of people seen from behind, so an arm is an arm;
# which of the two it is, the joints say.
_ARM_LABELS = ("upper_clothes", "left_arm", "right_arm")
_LEG_LABELS = ("upper_clothes", "pants", "skirt", "left_leg", "right_leg")
_LABELS_OF_PART = {"torso": ("upper_clothes", "pants", "skirt"), "head": ("face", "hair")} | {
    f"{side}_{bone}": labels
    for side in ("right", "left")
    for bone, labels in {
        "thigh": _LEG_LABELS, "calf": _LEG_LABELS, "upper_arm": _ARM_LABELS, "forearm": _ARM_LABELS
    }.items()
}  # fmt: skip
_HEAD_JOINTS = [
    JOINTS.index(name) for name in ("nose", "neck", "right_eye", "left_eye", "right_ear", "left_ear")
]


class PartWarpOutput(NamedTuple):
    """What the baseline draws."""

    generated: Tensor  # (B, 3, H, W) in [-1, 1]
    background: Tensor  # (B, 3, H, W) in [-1, 1]: what lies behind
    coverage: Tensor  # (B, 1, H, W) in [0, 1]: where a part was painted


class Parts(NamedTuple):
    """The ten parts of a batch of bodies, in the order of `PARTS`."""

    keypoints: Tensor  # (B, 18, 2), (x, y)
    visible: Tensor  # (B, 18) bool
    corners: Tensor  # (B, 10, 4, 2), (x, y); the torso at least as wide as a body is deep
    valid: Tensor  # (B, 10) bool
    flesh: Tensor  # (B, 10, H, W): distance from the part's bone in its radii; infinite if not valid


class PartWarp(nn.Module):
    """Warp the parts of the source person to the target pose. No weights; any size, any device.

    Args:
        true_background: paint over `source_background` where it is given, instead of filling the hole that
            the source person leaves. Not a fair rival of a network that never sees it.
    """

    image_size: tuple[int, int] | None = None  # works in the source's own frame

    def __init__(self, *, true_background: bool = False) -> None:
        super().__init__()
        self.true_background = true_background
        self.pose_encoding = PoseEncoding()

    def forward(
        self,
        source: Tensor,
        source_keypoints: Tensor,
        source_visible: Tensor,
        target_keypoints: Tensor,
        target_visible: Tensor,
        source_person_mask: Tensor | None = None,
        source_label_map: Tensor | None = None,
        source_background: Tensor | None = None,
    ) -> PartWarpOutput:
        """Draw the source person in the target pose.

        Missing joints: a limb that the source lacks or hides borrows the picture of the other side's; a part
        that the target lacks is not drawn; the rest is said in `pgt.data.body_parts`.

        Args:
            source: (B, 3, H, W) in [-1, 1].
            source_keypoints: (B, 18, 2) pixels, (x, y).
            source_visible: (B, 18) bool.
            target_keypoints: (B, 18, 2) pixels, (x, y).
            target_visible: (B, 18) bool.
            source_person_mask: (B, 1, H, W) in {0, 1}; without it, guessed from skeleton and colours.
            source_label_map: (B, H, W) int64; keeps arms out of the torso and hair on the head.
            source_background: (B, 3, H, W) in [-1, 1], used if `true_background`.

        Returns:
            PartWarpOutput; the background alone where no part is defined.
        """
        size = (source.shape[-2], source.shape[-1])
        body = find_parts(source_keypoints, source_visible, size)
        target = find_parts(target_keypoints, target_visible, size)
        if source_person_mask is None and source_label_map is not None:
            core = body.flesh[:, PARTS.index("torso")] < 0.6  # a parser may have no label for a neck
            source_person_mask = ((source_label_map > 0) | core).to(source).unsqueeze(1)
        elif source_person_mask is None:
            source_person_mask = guess_person_mask(source, body)
        background = source_background if self.true_background else None
        if background is None:
            skeleton = pose_mask(source_keypoints, source_visible, size, radius=size[0] / 32)
            background = remove_person(source, source_person_mask.maximum(skeleton))
        return carry_parts(source, background, body, target, source_person_mask, source_label_map)


def carry_parts(
    source: Tensor,
    background: Tensor,
    body: Parts,
    target: Parts,
    person_mask: Tensor,
    label_map: Tensor | None = None,
) -> PartWarpOutput:
    """Carry the parts of a person to another pose, over a background.

    Args:
        source, background: (B, 3, H, W) in [-1, 1].
        body, target: where the parts are and shall be.
        person_mask: (B, 1, H, W) in {0, 1}.
        label_map: (B, H, W) int64, see `PartWarp.forward`.
    """
    owned = own_pixels(body, person_mask, label_map)
    texture = _continued(source, _shown(owned, body, target, label_map))
    layers, opacity = _moved(texture, owned, person_mask, body, target)
    return _painted(background, layers, opacity, _painters_order(target))


def find_parts(keypoints: Tensor, visible: Tensor, size: tuple[int, int]) -> Parts:
    """Locate the ten parts of bodies in pictures of `size` (H, W); arguments as in `PartWarp.forward`."""
    corners, valid = part_corners(keypoints, visible, size[0])
    scale = body_scale(keypoints, visible, size[0])
    radius = keypoints.new_tensor(RADII) * scale[:, None]  # (B, 10)
    torso, half_width = _widened_torso(corners[:, 0], TORSO_SIDE_RADIUS * scale)
    head, head_valid = _head_or_guess(corners[:, 1], valid[:, :2], torso, scale)
    valid = torch.cat([valid[:, :1], head_valid[:, None], valid[:, 2:]], dim=1)
    # A limb's corners are to the person's right and left: whoever turns round is mirrored limb by limb.
    from_back = (torso[:, 3, 0] > torso[:, 2, 0])[:, None, None, None]  # the right shoulder is on the right
    limbs = torch.where(from_back, corners[:, 2:, [1, 0, 3, 2]], corners[:, 2:])
    corners = torch.cat([torso[:, None], head[:, None], limbs], dim=1)
    radius = torch.cat([half_width[:, None], radius[:, 1:]], dim=1).clamp_min(1)

    # A part's bone runs between the middles of its two ends; the head is a ball.
    start, end = corners[:, :, :2].mean(dim=2), corners[:, :, 2:].mean(dim=2)
    is_head = _mask_of(("head",), start.device)[..., 0]
    middle = (start + end) / 2
    start, end = torch.where(is_head, middle, start), torch.where(is_head, middle, end)
    distance = distance_to_segments(start, end, size) / radius[..., None, None]
    return Parts(keypoints, visible, corners, valid, distance.masked_fill(~valid[..., None, None], torch.inf))


def _head_or_guess(head: Tensor, valid: Tensor, torso: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Put a head without visible face, as seen from behind, on top of the torso.

    Args:
        head, torso: (B, 4, 2) corners.
        valid: (B, 2) bool of torso and head.
        scale: (B,) pixels.

    Returns:
        corners (B, 4, 2), and whether the head is known now, (B,) bool.
    """
    hips, shoulders = torso[:, :2].mean(dim=1), torso[:, 2:].mean(dim=1)
    up = (shoulders - hips) / (shoulders - hips).norm(dim=-1, keepdim=True).clamp_min(1e-6)
    square = scale.new_tensor([[-0.4, -0.4], [0.4, -0.4], [0.4, 0.4], [-0.4, 0.4]])
    guess = (shoulders + 0.45 * scale[:, None] * up)[:, None] + square * scale[:, None, None]
    return torch.where(valid[:, 1, None, None], head, guess), valid.any(dim=1)


def _widened_torso(corners: Tensor, least: Tensor) -> tuple[Tensor, Tensor]:
    """Widen a torso seen from the side, whose shoulders and hips coincide, to half width `least`; keep its
    side.

    Args:
        corners: (B, 4, 2): right hip, left hip, left shoulder, right shoulder.
        least: (B,) pixels.

    Returns:
        corners (B, 4, 2), and the mean half width (B,).
    """
    hips, shoulders = corners[:, :2].mean(dim=1), corners[:, 2:].mean(dim=1)
    along = shoulders - hips
    along = along / along.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    across = torch.stack([-along[:, 1], along[:, 0]], dim=-1)
    halves = (
        torch.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 3]], dim=1) / 2
    )  # to the left
    halves = (halves * across[:, None]).sum(dim=-1)  # (B, 2) signed: hips, shoulders
    sign = torch.where(halves.sum(dim=1, keepdim=True) < 0, -1.0, 1.0)
    halves = torch.maximum(sign * halves, least[:, None])
    offsets = (sign * halves).unsqueeze(-1) * across[:, None]  # (B, 2, 2)
    torso = torch.stack(
        [hips - offsets[:, 0], hips + offsets[:, 0], shoulders + offsets[:, 1], shoulders - offsets[:, 1]],
        dim=1,
    )
    return torso, halves.mean(dim=1)


def guess_person_mask(source: Tensor, body: Parts) -> Tensor:
    """Guess which pixels are the person's, (B, 1, H, W) of 0 and 1, where nobody says.

    Near the bones all are; around them those that differ from the smooth background more than the rest of the
    picture does: that finds loose clothes on a plain wall, and keeps to a body's outline before a cluttered
    one.
    """
    distance = body.flesh.amin(dim=1, keepdim=True)
    around = (distance > REACH).to(source)
    difference = (source - fill_unknown(source, around)).abs().amax(dim=1, keepdim=True)
    blur = 2 * (source.shape[-2] // 16) + 1
    rough = (source - F.avg_pool2d(source, blur, 1, blur // 2, count_include_pad=False)).abs()
    clutter = (rough * around).sum((1, 2, 3)) / (3 * around.sum((1, 2, 3))).clamp_min(1)
    stands_out = difference > 0.12 + 4 * clutter[:, None, None, None]
    return ((distance < 0.7) | (stands_out & (distance < REACH))).to(source)


def own_pixels(body: Parts, person_mask: Tensor, label_map: Tensor | None) -> Tensor:
    """Give each pixel of the person to the part whose flesh it is deepest in, (B, 10, H, W) of 0 and 1."""
    distance = body.flesh
    if label_map is not None:
        table = torch.tensor(
            [[name in ("background", *_LABELS_OF_PART[part]) for name in LABELS] for part in PARTS]
        )
        allowed = table.to(label_map.device)[:, label_map].transpose(0, 1)  # (B, 10, H, W)
        shirt = (label_map == LABELS.index("upper_clothes")) & (distance[:, 0] < 1)  # in doubt the torso's
        doubt = 0.5 * (shirt[:, None] & _mask_of(_ARMS, label_map.device))
        distance = torch.where(allowed, distance + doubt, torch.inf)
    nearest = distance.amin(dim=1, keepdim=True)
    return ((distance <= nearest) & (nearest < REACH)).to(person_mask) * person_mask


def _shown(owned: Tensor, body: Parts, target: Parts, label_map: Tensor | None) -> Tensor:
    """Return which owned pixels may lend their colour: no face where the target has turned its back."""
    if label_map is None:
        return owned
    turned = (body.visible[:, 0] & ~target.visible[:, 0])[:, None, None]
    hair = (label_map == LABELS.index("hair")) | ~turned
    # someone bald keeps the colour of the face
    hair = hair | ~(hair & (owned[:, PARTS.index("head")] > 0)).flatten(1).any(1)[:, None, None]
    return owned * (hair[:, None] | ~_mask_of(("head",), owned.device))


def _mask_of(names: tuple[str, ...], device: torch.device) -> Tensor:
    """Return (10, 1, 1) bool: the parts of these names."""
    return torch.tensor([part in names for part in PARTS], device=device)[:, None, None]


def _continued(source: Tensor, shown: Tensor) -> Tensor:
    """Return one picture per part, (B, 10, 3, H, W): its own pixels, continued beyond them."""
    batch, parts = shown.shape[:2]
    repeated = source[:, None].expand(-1, parts, -1, -1, -1).flatten(0, 1)
    return fill_unknown(repeated, shown.flatten(0, 1).unsqueeze(1)).unflatten(0, (batch, parts))


def _moved(
    texture: Tensor, owned: Tensor, person_mask: Tensor, body: Parts, target: Parts
) -> tuple[Tensor, Tensor]:
    """Carry every part to the target pose.

    Returns:
        pictures (B, 10, 3, H, W) and their opacity (B, 10, H, W): where the part's pixels came to lie, and
        the target's own flesh, which closes what the source hides.
    """
    giver = _givers(owned, body)  # (B, 10)
    rows = torch.arange(len(owned), device=owned.device)[:, None]
    matrices, fitted = _fit_parts(body, giver, target)
    wall = (1 - person_mask)[:, None].expand(-1, NUM_PARTS, -1, -1, -1)
    sheets = torch.cat([texture, owned[:, :, None], wall, torch.ones_like(wall)], dim=2)[rows, giver]
    inverse = invert_affine(matrices).flatten(0, 1)
    moved = warp_affine(sheets.flatten(0, 1), inverse).unflatten(0, owned.shape[:2])
    picture, shown, wall, inside = moved.split([3, 1, 1, 1], dim=2)
    flesh = ((1 - target.flesh) * 4 + 0.5).clamp(0, 1)  # a soft edge of a quarter of the radius
    opacity = torch.maximum(shown[:, :, 0], flesh * (1 - wall[:, :, 0]) * (inside[:, :, 0] > 0.5))
    can = fitted & target.valid & (owned.sum((2, 3)) > 0)[rows, giver]
    return picture / inside.clamp_min(1e-3), opacity * can[..., None, None]


def _givers(owned: Tensor, body: Parts) -> Tensor:
    """Return which part's picture each part wears, (B, 10): its own, or the other side's if it is hidden."""
    own = torch.arange(NUM_PARTS, device=owned.device).expand(len(owned), -1)
    other = torch.tensor(MIRRORED_PARTS, device=owned.device).expand(len(owned), -1)
    area = owned.sum((2, 3)) / (body.flesh <= 1).sum((2, 3)).clamp_min(1)
    shown = torch.where(body.valid, area, -1.0)
    return torch.where((shown < HIDDEN) & (shown.gather(1, other) > shown), other, own)


def _fit_parts(body: Parts, giver: Tensor, target: Parts) -> tuple[Tensor, Tensor]:
    """Fit (B, 10, 2, 3) maps from source to target pixels, and say which are defined, (B, 10) bool."""
    rows = torch.arange(len(giver), device=giver.device)[:, None]
    usable = body.valid[rows, giver] & target.valid
    weights = usable.unsqueeze(-1).expand(-1, -1, 4).to(target.corners)
    matrices, fitted = fit_affine(body.corners[rows, giver], target.corners, weights)

    # The head turns with the joints both poses show; its square, of less weight, keeps the map tame.
    head = PARTS.index("head")
    common = (body.visible & target.visible)[:, _HEAD_JOINTS].to(weights)
    points = (torch.cat([p.keypoints[:, _HEAD_JOINTS], p.corners[:, head]], dim=1) for p in (body, target))
    turned, _ = fit_affine(*points, torch.cat([common, 0.5 * weights[:, head]], dim=1))
    is_head = torch.arange(NUM_PARTS, device=giver.device) == head
    return torch.where(is_head[:, None, None], turned[:, None], matrices), fitted & usable


def _painters_order(target: Parts) -> Tensor:
    """Return the parts from back to front, (B, 10) int64."""
    front, back = (
        torch.tensor([PARTS.index(name) for name in names], device=target.corners.device)
        for names in (ORDER_FROM_FRONT, ORDER_FROM_BACK)
    )
    torso = target.corners[:, 0]
    seen_from_back = torso[:, 3, 0] > torso[:, 2, 0]  # the right shoulder is on the right
    return torch.where((seen_from_back & target.valid[:, 0])[:, None], back, front)


def _painted(background: Tensor, layers: Tensor, opacity: Tensor, order: Tensor) -> PartWarpOutput:
    """Paint the layers over the background in the given order."""
    rows = torch.arange(len(order), device=order.device)
    generated, coverage = background, torch.zeros_like(background[:, :1])
    for part in order.unbind(1):
        alpha = opacity[rows, part].unsqueeze(1)
        generated = generated + alpha * (layers[rows, part] - generated)
        coverage = coverage + alpha * (1 - coverage)
    return PartWarpOutput(generated, background, coverage)
