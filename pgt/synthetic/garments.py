"""Clothes: offsets of the body's own shape, cut along necklines, hems and openings, with cloth coordinates.

u runs around the body or limb and v along it, both in metres on the bind pose, so a texture sticks to the
cloth. On trunks v is the height above the hips and u = 0 the middle of the chest; trousers share one v from
waist to hem.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from pgt.synthetic.body import Template, body_template, wrap_body
from pgt.synthetic.implicit import Blend
from pgt.synthetic.skeleton import BONE, Frames, Proportions
from pgt.synthetic.surface import Surface, cut, hemmed, join, two_sided

FACE, HAIR, UPPER, PANTS, SKIRT, LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG = range(1, 10)
ARMS = {
    side: [BONE[f"{side}_{part}"] for part in ("upper_arm", "forearm", "hand")] for side in ("left", "right")
}
LEGS = {side: [BONE[f"{side}_{part}"] for part in ("thigh", "calf", "foot")] for side in ("left", "right")}
SIGN = {"left": 1.0, "right": -1.0}


@dataclass(frozen=True)
class Top:
    """Cut of an upper garment; lengths in metres unless said otherwise."""

    sleeve: float  # share of the arm covered: 0 none, 0.5 to above the elbow, 1 to the wrist
    hem: float  # height above the hips where it ends
    ease: float  # distance from the skin
    neck: str = "crew"  # "crew", "vee", "scoop"
    neck_depth: float = 0.0
    front: str = "plain"  # "plain", "buttons", "zip", "open"
    opening: float = 0.05  # half width of an open front
    collar: bool = False
    hood: bool = False
    band: float = 0.0  # height of a contrasting hem band and cuffs


@dataclass(frozen=True)
class Bottom:
    """Cut of a lower garment: "trousers" or "skirt"."""

    kind: str
    length: float  # share of the leg covered: 1 to the ankle
    ease: float
    waist: float  # height above the hips where it begins
    flare: float = 0.0  # widening towards the hem, metres
    pleats: int = 0
    stripe: bool = False  # a contrasting stripe down the side
    waistband: bool = True


@dataclass(frozen=True)
class Dressing:
    """What every garment needs to know about the body it is put on."""

    template: Template
    start: np.ndarray  # (V, 3), the template on this body
    blend: Blend
    proportions: Proportions
    frames: Frames

    @property
    def crotch(self) -> float:
        """Height of the hip joints in the bind pose."""
        return float(self.frames.origins[BONE["left_thigh"]][1])

    @property
    def shoulder_height(self) -> float:
        """Height of the base of the neck."""
        return float(self.frames.origins[BONE["neck"]][1])

    def along_arm(self, points: np.ndarray, side: str) -> np.ndarray:
        """Distance from the shoulder along an arm, as a share of shoulder to wrist."""
        arm = BONE[f"{side}_upper_arm"]
        length = self.proportions.upper_arm + self.proportions.forearm
        return -(points - self.frames.origins[arm]) @ self.frames.rotations[arm][:, 1] / length

    def along_leg(self, points: np.ndarray) -> np.ndarray:
        """Distance below the hips as a share of hip to ankle."""
        length = self.proportions.thigh + self.proportions.calf
        return (self.crotch - points[:, 1]) / (length * self.frames.rotations[BONE["left_thigh"]][1, 1])


@lru_cache(maxsize=8)
def partial_template(detail: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces (renumbered) of the "upper" or "lower" part of a body template."""
    template = body_template(detail)
    y = template.vertices[:, 1]
    arms = template.weights[:, ARMS["left"] + ARMS["right"]].sum(1)
    wanted = (y > -0.36) | (arms > 0.3) if part == "upper" else (y < 0.24) & (arms < 0.3)
    faces = template.faces[wanted[template.faces].all(1)]
    used, faces = np.unique(faces, return_inverse=True)
    return used, faces.reshape(-1, 3)


def _part(on: Dressing, detail: str, part: str) -> Dressing:
    used, faces = partial_template(detail, part)
    template = Template(on.template.vertices[used], faces, on.template.weights[used])
    return replace(on, template=template, start=on.start[used])


def loosened(blend: Blend, ease: float, extra: dict[int, float], softness: float) -> Blend:
    """Grow a blend into cloth; what the wider softness swells is taken back from the radii."""
    swelling = 1.3 * (softness - blend.softness)
    amount = np.array([ease - swelling + extra.get(int(bone), 0.0) for bone in blend.bone])
    return replace(blend.inflated(amount), softness=softness)


def dress_top(
    on: Dressing, detail: str, cut_of: Top, material: int, trim: int, inner: bool = False
) -> Surface:
    """Return an upper garment (label 3)."""
    on = _part(on, detail, "upper")
    extra = {BONE["spine"]: 0.7 * cut_of.ease + 0.003, BONE["pelvis"]: 0.25 * cut_of.ease}
    extra |= {
        bone: -0.006 for side in ("left", "right") for bone in ARMS[side][:2]
    }  # four muscles swell there
    if cut_of.sleeve < 0.9:
        extra |= dict.fromkeys((BONE["left_upper_arm"], BONE["right_upper_arm"]), 0.4 * cut_of.ease - 0.004)
    softness = 0.022 + 0.5 * cut_of.ease
    surface = wrap_body(on.template, on.start, loosened(on.blend, cut_of.ease, extra, softness), 2)
    surface = cut(surface, surface.vertices[:, 1] - on.crotch - cut_of.hem)
    surface = cut(surface, neckline(on, surface.vertices, cut_of))
    for side in ("left", "right"):
        surface = cut(surface, _sleeve_field(on, surface, side, cut_of.sleeve))
    if inner:
        v = surface.vertices
        surface = cut(surface, np.minimum(0.16 - np.abs(v[:, 0]), v[:, 2] - 0.0))
    if cut_of.front == "open":
        surface = cut(surface, _open_front(on, surface.vertices, cut_of.opening))
    surface = _map_top(on, surface.painted(material, UPPER), cut_of, trim)
    surface = hemmed(surface, 0.9 * cut_of.ease + 0.004)
    x, y, _ = surface.vertices.T
    return two_sided(
        surface, (np.abs(x) < 0.15) & (y > on.shoulder_height - 0.07)
    )  # one looks into the neckline


def neckline(on: Dressing, points: np.ndarray, cut_of: Top) -> np.ndarray:
    """Positive on the garment's side of the neckline: outside a half ellipse or wedge."""
    x, y, z = points.T
    front = np.clip((z + 0.03) / 0.07, 0, 1)
    front = front * front * (3 - 2 * front)
    stands = cut_of.collar or cut_of.hood
    top = on.shoulder_height + (0.030 if stands else 0.012)
    width = 0.098 if cut_of.neck == "scoop" else 0.078
    depth = 0.022 + front * (0.038 + cut_of.neck_depth)
    across, down = np.abs(x) / width, np.clip(top - y, 0, None) / depth
    outside = np.hypot(across, down) - 1
    if cut_of.neck == "vee":
        outside = outside + front * (across + down - 1 - outside)
    lid = top + (0.045 if stands else 0.03) - y + 3 * np.clip(np.abs(x) - 0.09, 0, None)
    return np.minimum(0.06 * outside, lid)


def _sleeve_field(on: Dressing, surface: Surface, side: str, share: float) -> np.ndarray:
    arm = surface.weights[:, ARMS[side]].sum(1)
    if share <= 0:
        return 0.42 - arm
    return share - on.along_arm(surface.vertices, side) * np.clip((arm - 0.05) / 0.4, 0, 1)


def _open_front(on: Dressing, points: np.ndarray, width: float) -> np.ndarray:
    x, y, z = points.T
    below = np.clip((on.shoulder_height - 0.05 - y) / 0.3, 0, 1)
    return np.where(z > -0.01, np.abs(x) - width * (0.75 + 0.25 * below), 0.1)


def _map_top(on: Dressing, surface: Surface, cut_of: Top, trim: int) -> Surface:
    """Cut the garment into trunk and sleeves, front and back, each with its own cloth coordinates."""
    pieces, trunk = [], surface
    for side in ("left", "right"):
        arm = surface.weights[:, ARMS[side]].sum(1) - 0.5
        sleeve = cut(surface, arm)
        trunk = cut(trunk, 0.5 - trunk.weights[:, ARMS[side]].sum(1))
        if len(sleeve.faces):
            pieces.append(_map_sleeve(on, sleeve, side, cut_of, trim))
    for sign in (1.0, -1.0):
        panel = cut(trunk, sign * (trunk.vertices[:, 2] + 0.012))
        x, y, z = panel.vertices.T
        angle = np.arctan2(x / 1.35, z + 0.012)
        if sign < 0:
            angle = np.where(angle < 0, angle + 2 * np.pi, angle)
        panel = panel.with_uv(angle * 0.135, y - on.crotch)
        pieces.append(_trimmed_front(panel, cut_of, trim) if sign > 0 else panel)
    joined = join(pieces)
    return banded(joined, joined.uv[:, 1] - cut_of.hem, cut_of.band, trim) if cut_of.band else joined


def _map_sleeve(on: Dressing, sleeve: Surface, side: str, cut_of: Top, trim: int) -> Surface:
    arm = BONE[f"{side}_upper_arm"]
    halves = []
    for sign in (1.0, -1.0):
        half = cut(sleeve, sign * (sleeve.vertices[:, 2] - on.frames.origins[arm][2]))
        local = (half.vertices - on.frames.origins[arm]) @ on.frames.rotations[arm]
        # abs: on the cut itself a rounding error must not turn half a circle into minus half a circle
        around = np.arctan2(np.abs(local[:, 2]), local[:, 0] * SIGN[side]) * sign
        halves.append(half.with_uv(around * 0.055 + 0.5, local[:, 1] + 0.47))
    joined = join(halves)
    if not cut_of.band or not cut_of.sleeve:
        return joined
    length = on.proportions.upper_arm + on.proportions.forearm
    end = (cut_of.sleeve - on.along_arm(joined.vertices, side)) * length
    return banded(joined, end, cut_of.band, trim)


def banded(surface: Surface, height: np.ndarray, band: float, trim: int) -> Surface:
    """Paint the strip where 0 < height < band in the trim's material."""
    strip = cut(surface, band - height)
    rest = cut(surface, height - band)
    return join([rest, strip.painted(trim, int(surface.label[0]))]) if len(strip.faces) else rest


def _trimmed_front(panel: Surface, cut_of: Top, trim: int) -> Surface:
    if cut_of.front not in ("buttons", "zip"):
        return panel
    half = 0.014 if cut_of.front == "buttons" else 0.007
    strip = cut(panel, half - np.abs(panel.vertices[:, 0]))
    rest = cut(panel, np.abs(panel.vertices[:, 0]) - half)
    return join([rest, strip.painted(trim, UPPER)]) if len(strip.faces) else panel


def dress_trousers(on: Dressing, detail: str, cut_of: Bottom, material: int, trim: int) -> Surface:
    """Return trousers, shorts or leggings (label 4)."""
    on = _part(on, detail, "lower")
    extra = {BONE[f"{side}_calf"]: cut_of.flare for side in ("left", "right")}
    softness = 0.018 + 0.35 * cut_of.ease
    surface = wrap_body(on.template, on.start, loosened(on.blend, cut_of.ease, extra, softness), 2)
    surface = cut(surface, on.crotch + cut_of.waist - surface.vertices[:, 1])
    surface = cut(surface, cut_of.length - on.along_leg(surface.vertices))
    surface = _map_trousers(on, surface.painted(material, PANTS), cut_of, trim)
    if cut_of.waistband:
        surface = banded(surface, cut_of.waist - surface.uv[:, 1], 0.032, trim)
    return hemmed(surface, 0.9 * cut_of.ease + 0.003)


def _map_trousers(on: Dressing, surface: Surface, cut_of: Bottom, trim: int) -> Surface:
    pieces = []
    for side in ("left", "right"):
        sign = SIGN[side]
        leg = cut(surface, sign * surface.vertices[:, 0])
        for half in (1.0, -1.0):
            panel = cut(leg, half * (leg.vertices[:, 2] + 0.008))
            x, y, z = panel.vertices.T
            center = on.proportions.hip_half_width + np.clip(on.crotch - y, 0, None) * 0.158
            around = np.arctan2(
                np.abs(z + 0.008), sign * x - center * np.clip((on.crotch + 0.25 - y) / 0.25, 0, 1)
            )
            panel = panel.with_uv(half * around * 0.088 * sign + 0.3 * (sign < 0), y - on.crotch)
            pieces.append(_striped(panel, around, trim) if cut_of.stripe else panel)
    return join(pieces)


def _striped(panel: Surface, around: np.ndarray, trim: int) -> Surface:
    half = 0.2  # radians about the outer seam
    strip, rest = cut(panel, half - around), cut(panel, around - half)
    return join([rest, strip.painted(trim, PANTS)]) if len(strip.faces) else panel


def dress_leg_cover(
    on: Dressing, detail: str, low: float, high: float, ease: float, material: int
) -> Surface:
    """Return socks or boot shafts: the legs between two shares of their length, labelled as the legs."""
    on = _part(on, detail, "lower")
    surface = wrap_body(on.template, on.start, loosened(on.blend, ease, {}, on.blend.softness), 2)
    along = on.along_leg(surface.vertices)
    surface = cut(surface, np.minimum(along - low, high - along))
    halves = []
    for side, label in (("left", LEFT_LEG), ("right", RIGHT_LEG)):
        half = cut(surface, SIGN[side] * surface.vertices[:, 0]).painted(material, label)
        x, y, z = half.vertices.T
        around = np.abs(np.arctan2(x - x.mean(), z))  # the same on both sides, so that no seam shows
        halves.append(half.with_uv(around * 0.05, y - on.crotch))
    return hemmed(join(halves), ease + 0.002)
