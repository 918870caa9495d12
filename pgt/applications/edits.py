"""Edits of semantic maps by the body's joints: sleeves, dress to pants, pants to skirt.

Pure functions from (label map, pose) to a label map, for controlled manipulation and to match the clothes of
a product before trying it on (Song et al., TPAMI 2021, section 4.4). The paper edits by hand; these do it
along the limbs. Lengths are shares of a limb: 0 at the shoulder (hip), 1 at the wrist (ankle). The elbow is
taken to be at 0.53 and the knee at 0.51 of it, however foreshortened the limb is seen.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from pgt.applications.drawing import checked_label_map
from pgt.data.body_parts import PARTS, body_scale, part_corners
from pgt.data.parsing import LABELS
from pgt.data.pose import JOINTS, Pose
from pgt.geometry import fill_spans, hull_spans

_UPPER, _PANTS, _SKIRT = (LABELS.index(name) for name in ("upper_clothes", "pants", "skirt"))
_ARM = {side: LABELS.index(f"{side}_arm") for side in ("left", "right")}
_LEG = {side: LABELS.index(f"{side}_leg") for side in ("left", "right")}
_ARM_CHAIN, _ELBOW = ("shoulder", "elbow", "wrist"), 0.53
_LEG_CHAIN, _KNEE = ("hip", "knee", "ankle"), 0.51
# Half widths of what is taken for a limb, in torso lengths: at its start, middle and end.
_SLEEVE_WIDTH = (0.20, 0.17, 0.14)
_BARE_WIDTH = (0.13, 0.10, 0.085)
_TROUSER_WIDTH = (0.20, 0.14, 0.115)
_IN_FRONT = 0.12  # half width of an arm in front of the torso, torso lengths
_FLESH = 0.20  # how far the body goes on beyond the quadrilateral of shoulders and hips, torso lengths
_WAIST = 0.86  # height of the waist: share of the way from the shoulders to the hips


class _Limb(NamedTuple):
    """Every pixel seen from a limb."""

    distance: np.ndarray  # (H, W) float, to the nearest bone, pixels
    share: np.ndarray  # (H, W) float, along the limb; beyond 0 and 1 past its ends
    joints: np.ndarray  # (2 or 3, 2) float, (x, y) pixels

    def within(self, widths: tuple[float, float, float], middle: float, scale: float) -> np.ndarray:
        """Say which pixels are nearer than a half width that changes along the limb."""
        return self.distance < scale * np.interp(self.share, (0.0, middle, 1.0), widths)


def set_sleeves(label_map: np.ndarray, pose: Pose, share: float) -> np.ndarray:
    """Cut or lengthen both sleeves: upper clothes up to a share of the arm, bare arm from there on.

    Args:
        label_map: (H, W) whole numbers 0 to 9.
        pose: in pixels of the map.
        share: 0 (no sleeve) to 1 (to the wrist).

    Returns:
        uint8 (H, W). An arm without visible elbow is left as it is. Cloth in front of the torso is taken for
        a sleeve only where its own hand shows that the arm is in front. What a wide sleeve covered beyond the
        arm becomes background, or stays upper clothes on the torso.

    Raises:
        ValueError: one sentence: a map or share that is none, or no arm with shoulder and elbow.
    """
    return _with_sleeves(label_map, pose, share, cut=True, add=True)


def lengthen_sleeves(label_map: np.ndarray, pose: Pose, share: float = 0.95) -> np.ndarray:
    """Turn bare arms into upper clothes down to `share`; longer sleeves stay. The rest as `set_sleeves`."""
    return _with_sleeves(label_map, pose, share, cut=False, add=True)


def shorten_sleeves(label_map: np.ndarray, pose: Pose, share: float = 0.3) -> np.ndarray:
    """Turn sleeves into bare arms beyond `share`; shorter sleeves stay. The rest as `set_sleeves`."""
    return _with_sleeves(label_map, pose, share, cut=True, add=False)


def dress_to_pants(label_map: np.ndarray, pose: Pose, length: float = 0.95) -> np.ndarray:
    """Turn a dress or skirt into a top and trousers.

    The skirt, or of a dress the upper clothes below the waist without the sleeves, becomes trousers along the
    legs and background beside them; bare legs become trousers down to `length`.

    Args:
        label_map: (H, W) whole numbers 0 to 9.
        pose: in pixels of the map.
        length: share of the leg that is covered.

    Returns:
        uint8 (H, W).

    Raises:
        ValueError: one sentence: a map or length that is none, or no leg with hip and knee.
    """
    labels, limbs, scale = _start(label_map, pose, length, _LEG_CHAIN, _KNEE)
    below = _down_the_torso(pose, labels.shape) > _WAIST
    garment = labels == _SKIRT
    if not garment.any():
        garment = (labels == _UPPER) & below & ~_any_sleeve(labels, pose, scale)
    out = np.where(garment, 0, labels).astype(np.uint8)
    _, share, _ = _nearest(limbs)
    legs = np.zeros(labels.shape, bool)
    for limb in limbs.values():
        legs |= limb.within(_TROUSER_WIDTH, _KNEE, scale) & (limb.share <= length)
    pelvis = garment & (share < 0.08)  # from the waist to the legs' start
    free = garment | (labels == 0) | np.isin(labels, tuple(_LEG.values()))
    bare = np.isin(labels, tuple(_LEG.values())) & (share <= length)
    out[(free & legs & below & (garment | (share > 0))) | pelvis | bare] = _PANTS
    return out


def pants_to_skirt(label_map: np.ndarray, pose: Pose, length: float = 0.45) -> np.ndarray:
    """Turn trousers into a skirt that spans both legs, and into bare legs below it.

    Args:
        label_map: (H, W) whole numbers 0 to 9.
        pose: in pixels of the map.
        length: share of the leg that the skirt covers.

    Returns:
        uint8 (H, W).

    Raises:
        ValueError: as `dress_to_pants`.
    """
    labels, limbs, scale = _start(label_map, pose, length, _LEG_CHAIN, _KNEE)
    pants = labels == _PANTS
    side, share, _ = _nearest(limbs)
    points = []
    for limb in limbs.values():
        for place, half in ((0.0, 0.18), (length, 0.18 + 0.16 * length)):
            x, y = _at(limb.joints, place, _KNEE)
            points += [(x - half * scale, y), (x + half * scale, y)]
    cone = _hull(np.array(points, np.float32), labels.shape)
    free = pants | (labels == 0) | np.isin(labels, tuple(_LEG.values()))
    out = labels.copy()
    for number, name in enumerate(limbs):
        out[pants & (side == number)] = _LEG[name]
    out[(cone & free) | (pants & (share <= length))] = _SKIRT
    return out


def _with_sleeves(label_map: np.ndarray, pose: Pose, share: float, *, cut: bool, add: bool) -> np.ndarray:
    labels, limbs, scale = _start(label_map, pose, share, _ARM_CHAIN, _ELBOW)
    out = labels.copy()
    for side, limb in limbs.items():
        if add:
            out[(labels == _ARM[side]) & (limb.share <= share)] = _UPPER
        if cut:
            bared = _sleeve(labels, pose, side, limbs, scale) & (limb.share > share)
            skin = limb.within(_BARE_WIDTH, _ELBOW, scale)
            out[bared & ~skin & (_torso_distance(pose, labels.shape) > _FLESH * scale)] = 0
            out[bared & skin] = _ARM[side]
    return out


def _sleeve(labels: np.ndarray, pose: Pose, side: str, limbs: dict[str, _Limb], scale: float) -> np.ndarray:
    """Say which pixels of upper clothes are a sleeve."""
    limb = limbs[side]
    cloth = (labels == _UPPER) & limb.within(_SLEEVE_WIDTH, _ELBOW, scale)
    bare = limb.share[(labels == _ARM[side]) & (limb.share > 0)]
    end = np.quantile(bare, 0.05) + 0.05 if len(bare) else 1.0  # where the arm's own skin begins
    cloth &= (limb.share > 0) & (limb.share < end)
    for other in limbs.values():
        cloth &= limb.distance <= other.distance
    torso = _torso_distance(pose, labels.shape)
    hand = np.linalg.norm(_grid(labels.shape) - limb.joints[-1], axis=-1) < 0.25 * scale
    shown = bool((hand & (labels == _ARM[side])).any())
    in_front = shown & (limb.distance < _IN_FRONT * scale)
    return cloth & ((limb.distance < torso) | in_front)


def _any_sleeve(labels: np.ndarray, pose: Pose, scale: float) -> np.ndarray:
    limbs = _limbs(pose, labels.shape, _ARM_CHAIN, _ELBOW)
    masks = [_sleeve(labels, pose, side, limbs, scale) for side in limbs]
    return np.logical_or.reduce(masks) if masks else np.zeros(labels.shape, bool)


def _start(
    label_map: np.ndarray, pose: Pose, share: float, chain: tuple[str, str, str], middle: float
) -> tuple[np.ndarray, dict[str, _Limb], float]:
    """Check the arguments of an edit; give the map as uint8, the limbs in sight and the torso's length."""
    labels = checked_label_map(label_map, pose.image_size)
    if not 0 <= share <= 1:
        raise ValueError(f"a length is a share of the limb, 0 to 1; got {share}.")
    limbs = _limbs(pose, labels.shape, chain, middle)
    if not limbs:
        raise ValueError(
            f"the pose shows no {chain[0]} with its {chain[1]}, so there is no limb to edit along."
        )
    points, seen = torch.from_numpy(pose.keypoints)[None], torch.from_numpy(pose.visible)[None]
    return labels, limbs, float(body_scale(points, seen, pose.image_size[0]))


def _limbs(pose: Pose, size: tuple[int, int], chain: tuple[str, str, str], middle: float) -> dict[str, _Limb]:
    """Measure the limbs whose first bone is known."""
    found = {}
    for side in ("left", "right"):
        index = [JOINTS.index(f"{side}_{name}") for name in chain]
        seen = pose.visible[index]
        if seen[:2].all():
            joints = pose.keypoints[index][: 2 + bool(seen[2])].astype(np.float64)
            found[side] = _measure(joints, size, middle)
    return found


def _measure(joints: np.ndarray, size: tuple[int, int], middle: float) -> _Limb:
    pixels = _grid(size)
    distances, shares = [], []
    ends = (0.0, middle, 1.0)
    last = len(joints) - 2
    for bone, (start, end) in enumerate(pairwise(joints)):
        along = end - start
        place = (pixels - start) @ along / max(float(along @ along), 1e-6)
        nearest = start + np.clip(place, 0, 1)[..., None] * along
        distances.append(np.linalg.norm(pixels - nearest, axis=-1))
        place = np.clip(place, -np.inf if bone == 0 else 0.0, np.inf if bone == last else 1.0)
        shares.append(ends[bone] + place * (ends[bone + 1] - ends[bone]))
    chosen = np.argmin(distances, axis=0)[None]
    distance, share = (np.take_along_axis(np.stack(values), chosen, 0)[0] for values in (distances, shares))
    return _Limb(distance, share, joints)


def _nearest(limbs: dict[str, _Limb]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each pixel: number of the nearest limb, the share along it, and the distance."""
    distances = np.stack([limb.distance for limb in limbs.values()])
    side = distances.argmin(axis=0)
    shares = np.stack([limb.share for limb in limbs.values()])
    return side, np.take_along_axis(shares, side[None], 0)[0], distances.min(axis=0)


def _at(joints: np.ndarray, share: float, middle: float) -> np.ndarray:
    """Return the point (x, y) at a share of a limb; a limb without its last joint goes on straight."""
    if share <= middle or len(joints) == 2:
        return joints[0] + share / middle * (joints[1] - joints[0])
    return joints[1] + (share - middle) / (1 - middle) * (joints[2] - joints[1])


def _torso_distance(pose: Pose, size: tuple[int, int]) -> np.ndarray:
    """Distance of each pixel from the quadrilateral of shoulders and hips; 0 inside, infinite without one."""
    points, seen = torch.from_numpy(pose.keypoints)[None], torch.from_numpy(pose.visible)[None]
    corners, known = part_corners(points, seen, size[0])
    torso = PARTS.index("torso")
    if not known[0, torso]:
        return np.full(size, np.inf)
    quad = corners[0, torso].numpy()
    edges = [
        _measure(np.stack([a, b]), size, 1.0).distance for a, b in zip(quad, np.roll(quad, 1, 0), strict=True)
    ]
    return np.where(_hull(quad, size), 0.0, np.min(edges, axis=0))


def _down_the_torso(pose: Pose, size: tuple[int, int]) -> np.ndarray:
    """How far down the torso each pixel is: 0 at the shoulders, 1 at the hips."""
    points, seen = torch.from_numpy(pose.keypoints)[None], torch.from_numpy(pose.visible)[None]
    corners, known = part_corners(points, seen, size[0])
    torso = PARTS.index("torso")
    if not known[0, torso]:
        raise ValueError("the pose shows too little of the torso to find the waist.")
    quad = corners[0, torso].double().numpy()  # right hip, left hip, left shoulder, right shoulder
    hips, shoulders = quad[:2].mean(0), quad[2:].mean(0)
    axis = hips - shoulders
    return (_grid(size) - shoulders) @ axis / max(float(axis @ axis), 1e-6)


def _hull(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the pixels (H, W) bool in the convex hull of points (N, 2)."""
    one = torch.from_numpy(np.ascontiguousarray(points, np.float32))[None]
    mask = torch.zeros(1, *size)
    spans = hull_spans(one, torch.ones(one.shape[:2], dtype=torch.bool), size[0])
    fill_spans(mask, torch.zeros(1, dtype=torch.long), spans)
    return mask[0].numpy() > 0


def _grid(size: tuple[int, int]) -> np.ndarray:
    """(H, W, 2) float64: (x, y) of every pixel."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.stack([columns, rows], -1).astype(np.float64)
