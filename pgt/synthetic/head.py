"""Heads, hair and hats: smooth shapes in units of the head's length, carried by the head bone."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pgt.synthetic.anatomy import Sculptor, bind_frames
from pgt.synthetic.body import Template, attach, face_normals
from pgt.synthetic.implicit import Blend, mesh_blend
from pgt.synthetic.skeleton import BONE, Frames, Proportions
from pgt.synthetic.surface import Surface, cut, hemmed, make_surface, rigid_weights

HAIR_STYLES = ("bald", "buzz", "short", "quiff", "bob", "long", "ponytail", "bun", "curly")
HATS = ("none", "beanie", "cap")

# Hairline: height (in head lengths) over the azimuth from the front (degrees).
_AZIMUTH = np.radians([0, 22, 42, 58, 70, 82, 92, 104, 125, 180])
_HAIRLINE = np.array([0.83, 0.82, 0.78, 0.70, 0.60, 0.46, 0.46, 0.42, 0.27, 0.17])
_SWEPT = np.array([0.80, 0.75, 0.68, 0.58, 0.44, 0.30, 0.20, 0.10, 0.05, 0.02])
_FRINGE = np.array([0.685, 0.68, 0.66, 0.58, 0.40, 0.20, 0.10, 0.05, 0.03, 0.0])


@dataclass(frozen=True)
class HeadShape:
    """How one head departs from the average; all numbers are small, 0 is average."""

    masculine: bool = False
    width: float = 0.0
    jaw: float = 0.0
    chin: float = 0.0
    nose: float = 0.0


class HeadSculptor(Sculptor):
    """Takes lengths in heads instead of metres."""

    def __init__(self, frames: Frames, head: float) -> None:
        super().__init__(frames)
        self._head = head

    def add(self, bone, a, radius_a, b=None, radius_b=None, scale=(1, 1, 1)) -> None:
        """Add a primitive as `Sculptor.add` does, in head lengths."""
        h = self._head
        radius_b = radius_a if radius_b is None else radius_b
        b = a if b is None else b
        super().add(bone, tuple(h * x for x in a), h * radius_a, tuple(h * x for x in b), h * radius_b, scale)


def _sculptor() -> HeadSculptor:
    return HeadSculptor(bind_frames(Proportions()), Proportions().head)


def _rigid(blend: Blend, spacing: float) -> Template:
    vertices, faces = mesh_blend(blend, spacing, relax=3)
    return Template(vertices, faces, rigid_weights(len(vertices), "head"))


@lru_cache(maxsize=2)
def _head_blend(masculine: bool) -> Blend:
    """Skull, face, nose, lips and ears of the average woman or man."""
    s, m = _sculptor(), 1.0 if masculine else 0.0
    s.add("head", (0, 0.625, -0.045), 0.345, scale=(0.905, 1.0, 1.13))  # skull
    s.add("head", (0, 0.47, 0.10), 0.27, scale=(0.93, 1.25, 0.98))  # face
    s.add("head", (0, 0.28, 0.10), 0.20 + 0.008 * m, (0, 0.17, 0.17), 0.125 + 0.012 * m, scale=(1.12, 1, 1))
    s.add("head", (0, 0.105, 0.245), 0.072 + 0.012 * m, scale=(1.15 + 0.2 * m, 0.9, 1))  # chin
    s.pair("head", (0.16 + 0.02 * m, 0.25, 0.02), 0.085, (0.05, 0.115, 0.22), radius_b=0.06)  # jaw
    s.pair("head", (0.165, 0.43, 0.235), 0.088)  # cheek bones
    s.pair("head", (0.085, 0.655, 0.315), 0.040 + 0.008 * m, (0.20, 0.645, 0.245), radius_b=0.035)  # brows
    s.pair("head", (0.15, 0.56, 0.268), 0.068)  # eyeballs under the lids
    s.add("head", (0, 0.60, 0.335), 0.030, (0, 0.43, 0.425 + 0.01 * m), 0.040 + 0.004 * m, scale=(0.85, 1, 1))
    s.pair("head", (0.040, 0.408, 0.378), 0.030 + 0.003 * m)  # nostrils
    s.pair("head", (0.0, 0.272, 0.335), 0.030, (0.055, 0.262, 0.305), radius_b=0.022)  # upper lip
    s.pair("head", (0.0, 0.222, 0.325), 0.034, (0.045, 0.228, 0.300), radius_b=0.024)  # lower lip
    for x, y, r in ((0.325, 0.545, 0.075), (0.318, 0.46, 0.055)):
        s.pair("head", (x, y, -0.015), r, scale=(0.36, 1.15, 0.85))  # ears
    return s.blend(0.0052)


@lru_cache(maxsize=8)
def head_template(detail: str, masculine: bool) -> Template:
    """The average woman's or man's head."""
    return _rigid(_head_blend(masculine), {"fine": 0.0098, "medium": 0.0135, "coarse": 0.020}[detail])


def head_surface(detail: str, shape: HeadShape, p: Proportions) -> Surface:
    """Return the head on a body of proportions `p`; uv are head-local (x, y) in head lengths."""
    template = head_template(detail, shape.masculine)
    surface = attach(template, "head", p, _head_scale(shape, p))
    local = to_head(surface.vertices, p)
    low = np.clip((0.5 - local[:, 1]) / 0.4, 0, 1)
    front = np.clip((local[:, 2] - 0.28) / 0.15, 0, 1)
    local[:, 0] *= 1 + shape.jaw * low
    local[:, 2] += (
        0.25 * shape.nose * front * np.exp(-((local[:, 1] - 0.43) ** 2) / 0.006) * (abs(local[:, 0]) < 0.09)
    )
    local[:, 1] -= shape.chin * np.clip((0.25 - local[:, 1]) / 0.2, 0, 1)
    vertices = from_head(local, p)
    moved = make_surface(vertices, face_normals(vertices, surface.faces), surface.faces, surface.weights)
    return moved.with_uv(local[:, 0], local[:, 1])


def _head_scale(shape: HeadShape, p: Proportions) -> tuple[float, float, float]:
    size = p.head / Proportions().head
    return (size * (1 + shape.width), size, size)


def to_head(points: np.ndarray, p: Proportions) -> np.ndarray:
    """Bind-pose points (V, 3) in the head's frame, in head lengths."""
    return (points - bind_frames(p).origins[BONE["head"]]) / p.head


def from_head(local: np.ndarray, p: Proportions) -> np.ndarray:
    """Undo `to_head`."""
    return (local * p.head + bind_frames(p).origins[BONE["head"]]).astype(np.float32)


def _skull(s: HeadSculptor, thickness: float) -> None:
    s.add("head", (0, 0.625, -0.045), 0.345 + thickness, scale=(0.915, 1.0, 1.12))
    s.add("head", (0, 0.43, -0.12), 0.205 + thickness, scale=(1.05, 1.2, 1.05))


@lru_cache(maxsize=32)
def hair_template(detail: str, style: str) -> Template:
    """The hair's volume, to be cut along the hairline."""
    s = _sculptor()
    _skull(s, {"buzz": 0.014, "short": 0.040, "quiff": 0.040, "curly": 0.085}.get(style, 0.034))
    if style == "quiff":
        s.add("head", (-0.10, 0.93, 0.20), 0.10, (0.12, 0.95, 0.16), 0.11, scale=(1, 0.75, 1.1))
        s.add("head", (0, 0.93, 0.0), 0.16, scale=(1.3, 0.6, 1.5))
    if style in ("bob", "long"):
        s.pair("head", (0.10, 0.80, 0.08), 0.22, (0.275, 0.50, 0.02), radius_b=0.105)
        s.pair(
            "head", (0.285, 0.50, 0.0), 0.10, (0.275, 0.12 if style == "bob" else 0.0, 0.02), radius_b=0.085
        )
        s.pair("head", (0.12, 0.45, -0.26), 0.19, (0.13, 0.10, -0.22), radius_b=0.14)
    if style == "long":
        s.pair("head", (0.275, 0.0, 0.02), 0.09, (0.26, -0.62, 0.0), radius_b=0.07, scale=(1, 1, 1.1))
        s.pair("head", (0.13, 0.10, -0.24), 0.14, (0.16, -0.72, -0.38), radius_b=0.11, scale=(1.2, 1, 0.75))
        s.add("head", (0, 0.10, -0.26), 0.14, (0, -0.88, -0.45), 0.08, scale=(1.2, 1, 0.7))
    if style == "ponytail":
        s.add("head", (0, 0.80, -0.42), 0.075, (0, 0.80, -0.53), 0.065)
        s.add("head", (0, 0.80, -0.54), 0.085, (0, 0.45, -0.66), 0.105)
        s.add("head", (0, 0.45, -0.66), 0.105, (0, -0.25, -0.56), 0.035)
    if style == "bun":
        s.add("head", (0, 0.86, -0.40), 0.09, (0, 0.91, -0.48), 0.15, scale=(1.1, 0.95, 1))
    if style == "curly":
        for i in range(46):  # curls: little balls spread over the skull by the golden angle
            y = 1 - 1.55 * (i + 0.5) / 46
            ring, turn = math.sqrt(max(0.0, 1 - y * y)), 2.39996 * i
            at = (0.355 * ring * math.sin(turn), 0.60 + 0.40 * y, -0.06 + 0.43 * ring * math.cos(turn))
            s.add("head", at, 0.105)
    return _rigid(
        s.blend(0.006 if style == "curly" else 0.012),
        {"fine": 0.0135, "medium": 0.018, "coarse": 0.026}[detail],
    )


def hair_surface(
    detail: str, style: str, hairline: float, fringe: bool, shape: HeadShape, p: Proportions
) -> Surface | None:
    """Return the hair, cut along its hairline and thinned towards it; None for the bald.

    Args:
        detail: "fine" or "coarse".
        style: one of HAIR_STYLES.
        hairline: how much higher than average it begins, in head lengths.
        fringe: whether the hair falls over the forehead.
        shape, p: of the head.
    """
    if style == "bald":
        return None
    template = hair_template(detail, style)
    surface = attach(template, "head", p, _head_scale(shape, p))
    local = to_head(surface.vertices, p)
    azimuth = np.abs(np.arctan2(local[:, 0], local[:, 2] + 0.05))
    loose = style in ("bob", "long")
    curve = _FRINGE if fringe else (_SWEPT if loose else _HAIRLINE)
    line = _smooth_curve(azimuth, curve) + (hairline if not fringe else 0.3 * hairline)
    if loose:  # what hangs from the side is kept
        line = np.where(azimuth > math.radians(66), -9.0, line)
        beside = (azimuth > math.radians(48)) & (azimuth < math.radians(105)) & (local[:, 1] < 0.62)
        line = np.where(beside, local[:, 1] - _beside_face(local), line)
    field = local[:, 1] - line
    # Towards the hairline the hair comes down to the skin.
    height, outward = _head_blend(shape.masculine)(template.vertices)
    flat = 1 - np.clip(field / (0.05 if fringe or loose else 0.16), 0, 1)
    drop = flat * flat * (3 - 2 * flat) * np.clip(height - 0.004, 0, None) * (0.5 if fringe or loose else 1.0)
    surface.data[:, :3] -= drop[:, None] * outward * (p.head / Proportions().head)
    surface = cut(_with_strands(surface, p), field.astype(np.float32))
    return _let_hang(hemmed(surface, 0.035 * p.head), p) if loose else hemmed(surface, 0.03 * p.head)


def _beside_face(local: np.ndarray) -> np.ndarray:
    """Positive where loose hair lies beside the face rather than on it."""
    return np.abs(local[:, 0]) - 0.262 - 0.1 * np.clip(local[:, 2] - 0.15, 0, 1)


def _smooth_curve(azimuth: np.ndarray, heights: np.ndarray) -> np.ndarray:
    table = np.interp(np.linspace(0, math.pi, 181), _AZIMUTH, heights)
    kernel = np.exp(-(np.arange(-12, 13) ** 2) / 50)
    padded = np.concatenate([table[12:0:-1], table, table[-2:-14:-1]])
    return np.interp(
        azimuth, np.linspace(0, math.pi, 181), np.convolve(padded, kernel / kernel.sum(), "valid")
    )


def _with_strands(surface: Surface, p: Proportions) -> Surface:
    """Give hair texture coordinates: u across the strands, v along them, in metres."""
    local = to_head(surface.vertices, p)
    # Strands run down from the crown: their longitude about a tilted axis through the whorl.
    x, y, z = local[:, 0], local[:, 1] - 0.6, local[:, 2] + 0.06
    y, z = y * 0.94 - z * 0.34, z * 0.94 + y * 0.34
    longitude = np.abs(np.arctan2(x, -z))  # the same on both sides, so that no seam shows
    return surface.with_uv(longitude * 0.085, -y * p.head)


def _let_hang(surface: Surface, p: Proportions) -> Surface:
    """Let hair below the chin follow neck and chest as well as the head."""
    y = to_head(surface.vertices, p)[:, 1]
    chest = 0.85 * np.clip((0.05 - y) / 0.7, 0, 1)
    surface.data[:, 8 + BONE["head"]] = 1 - chest
    surface.data[:, 8 + BONE["chest"]] = chest
    return surface


@lru_cache(maxsize=8)
def _hat_template(detail: str, hat: str) -> Template:
    s = _sculptor()
    s.add("head", (0, 0.66, -0.045), 0.345 + 0.055, scale=(0.915, 1.03, 1.12))
    if hat == "beanie":
        s.add("head", (0, 0.95, -0.08), 0.14)
    if hat == "cap":
        s.add("head", (0, 0.775, 0.36), 0.27, scale=(0.95, 0.13, 1.0))
    return _rigid(s.blend(0.005), {"fine": 0.014, "medium": 0.018, "coarse": 0.026}[detail])


def hat_surface(detail: str, hat: str, shape: HeadShape, p: Proportions) -> Surface | None:
    """Return a hat, or None; uv run around and up, in metres."""
    if hat == "none":
        return None
    surface = attach(_hat_template(detail, hat), "head", p, _head_scale(shape, p))
    local = to_head(surface.vertices, p)
    azimuth = np.abs(np.arctan2(local[:, 0], local[:, 2] + 0.05))
    surface = surface.with_uv(azimuth * 0.09, local[:, 1] * p.head)
    return hemmed(cut(surface, _above_rim(local, hat)), 0.03 * p.head)


def under_hat(hair: Surface, hat: str, p: Proportions) -> Surface:
    """Return the hair that shows under a hat: what grows thicker than the hat is tucked in."""
    return cut(hair, 0.04 - _above_rim(to_head(hair.vertices, p), hat))


def _above_rim(local: np.ndarray, hat: str) -> np.ndarray:
    azimuth = np.arctan2(local[:, 0], local[:, 2] + 0.05)
    rim = 0.735 - 0.10 * (1 - np.cos(azimuth)) / 2 - (0.03 if hat == "beanie" else 0.0)
    return (local[:, 1] - rim).astype(np.float32)
