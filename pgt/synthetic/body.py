"""The naked body as a skinned mesh: one topology for everybody, moved onto each identity's own shape."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pgt.synthetic.anatomy import Sculptor, Shape, bind_frames, sculpt_body
from pgt.synthetic.implicit import Blend, mesh_blend, neighbour_mean, settle
from pgt.synthetic.skeleton import BONE, Frames, Proportions
from pgt.synthetic.surface import NUM_BONES, Surface, make_surface

SPACING = {"fine": 0.022, "medium": 0.029, "coarse": 0.040}  # edge length of the body's triangles, metres
SMOOTHING = 0.045  # metres over which skinning weights spread across a joint


@dataclass(frozen=True)
class Template:
    """A topology in the bind pose of the average body."""

    vertices: np.ndarray  # (V, 3)
    faces: np.ndarray  # (F, 3)
    weights: np.ndarray  # (V, 17)


@lru_cache(maxsize=8)
def body_template(detail: str) -> Template:
    """Return the body's topology at `detail` "fine", "medium" or "coarse"; computed once per process."""
    blend = sculpt_body(Proportions(), Shape())
    vertices, faces = mesh_blend(blend, SPACING[detail])
    return Template(vertices, faces, skin_weights(blend, vertices, faces, SPACING[detail]))


def skin_weights(blend: Blend, vertices: np.ndarray, faces: np.ndarray, spacing: float) -> np.ndarray:
    """Weights (V, 17): those of the nearest primitives' bones, diffused over the surface."""
    distance = blend.distances(vertices)
    share = np.exp((distance.min(0) - distance) / 0.01)
    weights = np.zeros((len(vertices), NUM_BONES), np.float32)
    for row, bone in zip(share, blend.bone, strict=True):
        weights[:, bone] += row
    weights /= weights.sum(1, keepdims=True)
    for _ in range(max(1, round((SMOOTHING / spacing) ** 2))):
        weights = 0.4 * weights + 0.6 * neighbour_mean(weights, faces)
    weights[weights < 0.01] = 0
    return weights / weights.sum(1, keepdims=True)


@lru_cache(maxsize=8)
def _average_frames() -> Frames:
    return bind_frames(Proportions())


def fit_to_proportions(template: Template, p: Proportions) -> np.ndarray:
    """Move the template's vertices to a body of other bone lengths, (V, 3)."""
    old, new, average = _average_frames(), bind_frames(p), Proportions()
    stretch = np.ones((NUM_BONES, 3))
    for bone, name in enumerate(("pelvis", "spine", "chest", "neck", "head")):
        stretch[bone, 1] = getattr(p, name) / getattr(average, name)
    stretch[:3, 0] = p.shoulder_half_width / average.shoulder_half_width
    for side in ("left", "right"):
        for name in ("upper_arm", "forearm", "thigh", "calf"):
            stretch[BONE[f"{side}_{name}"], 1] = getattr(p, name) / getattr(average, name)
    # x -> new_origin + R diag(stretch) R^T (x - old_origin), blended by the weights
    linear = np.einsum("bij,bj,bkj->bik", old.rotations, stretch, old.rotations)
    shift = new.origins - np.einsum("bij,bj->bi", linear, old.origins)
    moved = template.weights @ np.concatenate([linear.reshape(-1, 9), shift], 1).astype(np.float32)
    return np.einsum("vij,vj->vi", moved[:, :9].reshape(-1, 3, 3), template.vertices) + moved[:, 9:]


def wrap_body(template: Template, start: np.ndarray, blend: Blend, steps: int = 3) -> Surface:
    """Move the template from `start` (V, 3) onto a blend's surface: skin, or a garment around it.

    Each limb is moved by its own primitives and those it grows out of; the others are too far away to matter.
    """
    vertices, normals = np.empty_like(start, np.float32), np.empty_like(start, np.float32)
    for chosen, near in _regions(template.weights, blend.bone):
        vertices[chosen], normals[chosen] = settle(blend.subset(near), start[chosen], steps)
    return make_surface(vertices, normals, template.faces, template.weights)


_TRUNK = [BONE[name] for name in ("pelvis", "spine", "chest", "neck", "left_upper_arm", "right_upper_arm")]
_LIMBS = (
    ("left", ("upper_arm", "forearm", "hand"), ("chest",)),
    ("right", ("upper_arm", "forearm", "hand"), ("chest",)),
    ("left", ("thigh", "calf", "foot"), ("pelvis", "spine", "right_thigh", "right_calf")),
    ("right", ("thigh", "calf", "foot"), ("pelvis", "spine", "left_thigh", "left_calf")),
)


def _regions(weights: np.ndarray, bones: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split vertices into limbs and trunk: (vertices, primitives that shape them), both as indices."""
    regions, rest = [], np.ones(len(weights), bool)
    for side, parts, roots in _LIMBS:
        own = [BONE[f"{side}_{part}"] for part in parts]
        chosen = weights[:, own].sum(1) > 0.75
        rest &= ~chosen
        regions.append((chosen, np.isin(bones, [*own, *(BONE[root] for root in roots)])))
    regions.append((rest, np.isin(bones, [*_TRUNK, BONE["left_thigh"], BONE["right_thigh"]])))
    return [(np.flatnonzero(v), np.flatnonzero(p)) for v, p in regions if v.any()]


@lru_cache(maxsize=16)
def hand_template(detail: str, side: str) -> Template:
    """A relaxed hand: palm, four gently curled fingers and a thumb, on the average body."""
    frames = _average_frames()
    s = Sculptor(frames)
    bone, sign = f"{side}_hand", 1 if side == "left" else -1
    s.add(bone, (0, 0.02, 0), 0.0225, (0, -0.015, 0.001), 0.024, scale=(0.8, 1, 1.1))
    for z in (-0.022, 0.0, 0.022):
        s.add(bone, (0, -0.02, 0.5 * z), 0.0155, (-0.002 * sign, -0.085, z), 0.0125, scale=(0.85, 1, 1))
    for z, length in ((0.030, 0.070), (0.0105, 0.080), (-0.0095, 0.075), (-0.028, 0.058)):
        knuckle = (-0.002 * sign, -0.088, z * 0.98)
        middle = (-0.010 * sign, -0.088 - 0.55 * length, z * 1.02)
        s.add(bone, knuckle, 0.0098, middle, 0.0088)
        s.add(bone, middle, 0.0088, (-0.028 * sign, -0.088 - 0.95 * length, z * 0.95), 0.0072)
    s.add(bone, (-0.004 * sign, -0.03, 0.018), 0.016, (-0.012 * sign, -0.062, 0.040), 0.0115)
    s.add(bone, (-0.012 * sign, -0.062, 0.040), 0.0115, (-0.018 * sign, -0.098, 0.046), 0.0085)
    spacing = {"fine": 0.0078, "medium": 0.0115, "coarse": 0.018}[detail]
    blend = s.blend(0.0028 if detail == "fine" else 0.004)
    if detail == "coarse":
        blend = blend.inflated(0.0012)
    vertices, faces = mesh_blend(blend, spacing, relax=2)
    return Template(vertices, faces, _hinge_weights(vertices, frames, f"{side}_forearm", bone, 0.03))


def _hinge_weights(vertices: np.ndarray, frames: Frames, upper: str, lower: str, width: float) -> np.ndarray:
    """Weights that pass from one bone to the next within `width` metres of the joint."""
    frame = frames.rotations[BONE[lower]]
    along = -(vertices - frames.origins[BONE[lower]]) @ frame[:, 1]
    share = np.clip(0.5 + along / width, 0, 1)
    weights = np.zeros((len(vertices), NUM_BONES), np.float32)
    weights[:, BONE[lower]] = share * share * (3 - 2 * share)
    weights[:, BONE[upper]] = 1 - weights[:, BONE[lower]]
    return weights


FOOT_KINDS = ("bare", "sneaker", "flat", "boot")


@lru_cache(maxsize=32)
def foot_template(detail: str, side: str, kind: str) -> Template:
    """A foot or a shoe on the average body; the sole is flat, the ankle reaches into the calf."""
    frames = _average_frames()
    s = Sculptor(frames)
    bone, sign = f"{side}_foot", 1 if side == "left" else -1
    fat = {"bare": 0.0, "sneaker": 0.008, "flat": 0.003, "boot": 0.007}[kind]
    ankle = 0.034 if kind == "bare" else 0.036
    low = {"bare": 0.03, "sneaker": 0.0, "flat": -0.035, "boot": 0.05}[kind]  # how high the upper reaches
    s.add(bone, (0, low, -0.006), ankle + fat * 0.5, (0, -0.045, -0.012), 0.032 + fat)
    s.add(bone, (0, -0.052, -0.030), 0.026 + fat, (0.003 * sign, -0.052, 0.03), 0.027 + fat)
    s.add(bone, (0, -0.008 + min(low, 0), 0.012), 0.030 + fat, (0.006 * sign, -0.050, 0.105), 0.023 + fat)
    s.add(
        bone,
        (0.004 * sign, -0.056, 0.03),
        0.026 + fat,
        (0.010 * sign, -0.060, 0.115),
        0.0215 + fat,
        scale=(1.25, 1, 1),
    )
    s.add(bone, (-0.012 * sign, -0.060, 0.11), 0.020 + fat, (-0.012 * sign, -0.063, 0.155), 0.0155 + fat)
    s.add(bone, (0.018 * sign, -0.062, 0.10), 0.019 + fat, (0.020 * sign, -0.064, 0.135), 0.0145 + fat)
    spacing = {"fine": 0.0135, "medium": 0.019, "coarse": 0.026}[detail]
    vertices, faces = mesh_blend(s.blend(0.008), spacing, relax=2)
    ground = frames.origins[BONE[bone]][1] - Proportions().ankle_height
    vertices[:, 1] = np.maximum(vertices[:, 1], ground)
    return Template(
        vertices, faces, _hinge_weights(vertices + np.array([0, 0.02, 0]), frames, f"{side}_calf", bone, 0.05)
    )


def attach(template: Template, bone: str, p: Proportions, scale: tuple[float, float, float]) -> Surface:
    """Put a hand or foot onto another body: moved to its bone and scaled in the bone's frame; bind pose."""
    old, new, index = _average_frames(), bind_frames(p), BONE[bone]
    local = (template.vertices - old.origins[index]) @ old.rotations[index] * np.array(scale)
    vertices = (local @ new.rotations[index].T + new.origins[index]).astype(np.float32)
    return make_surface(vertices, face_normals(vertices, template.faces), template.faces, template.weights)


def face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals at vertices, the area-weighted mean of their faces' normals, (V, 3)."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    total = np.stack(
        [sum(np.bincount(faces[:, i], normal[:, k], len(vertices)) for i in range(3)) for k in range(3)], 1
    )
    return (total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12)).astype(np.float32)
