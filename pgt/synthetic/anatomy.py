"""The naked body as melted primitives: muscles, bust, belly, buttocks, in the frames of the bones.

Everything is built in the bind pose (arms and legs spread a little), half-way between the extremes of the
joints, so that skinning bends the surface as little as possible.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pgt.synthetic.implicit import Blend
from pgt.synthetic.skeleton import BONE, Frames, Proportions, forward_kinematics

ARM_SPREAD = math.radians(48)
LEG_SPREAD = math.radians(9)


@dataclass(frozen=True)
class Shape:
    """Girths of one identity; 1 is average, `feminine` and `muscle` run from 0 to 1."""

    feminine: float = 0.5
    girth: float = 1.0
    muscle: float = 0.4
    belly: float = 0.0  # metres the belly comes forward
    bust: float = 0.5  # 0 flat to 1 full, counted for feminine shapes only


@lru_cache(maxsize=1024)
def bind_frames(p: Proportions) -> Frames:
    """Frames of the bind pose."""
    rotations = np.tile(np.eye(3), (17, 1, 1))
    for side, sign in (("left", 1), ("right", -1)):
        rotations[BONE[f"{side}_upper_arm"]] = _about_z(sign * ARM_SPREAD)
        rotations[BONE[f"{side}_thigh"]] = _about_z(sign * LEG_SPREAD)
        rotations[BONE[f"{side}_foot"]] = _about_z(-sign * LEG_SPREAD)
    return forward_kinematics(p, rotations)


def _about_z(angle: float) -> np.ndarray:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


class Sculptor:
    """Collects primitives given in bone frames and turns them into a `Blend` in the bind pose."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._rows: list[tuple] = []

    def add(
        self,
        bone: str,
        a: tuple[float, float, float],
        radius_a: float,
        b: tuple[float, float, float] | None = None,
        radius_b: float | None = None,
        scale: tuple[float, float, float] = (1, 1, 1),
    ) -> None:
        """Add a round cone a -> b (an ellipsoid when `b` is left out) carried by `bone`."""
        self._rows.append((bone, a, b or a, radius_a, radius_a if radius_b is None else radius_b, scale))

    def pair(self, bone: str, a: tuple, radius_a: float, b: tuple | None = None, **rest: object) -> None:
        """Add the same primitive left and right: mirrored in x, on `left_bone` and `right_bone` for limbs."""
        for side, sign in (("left", 1), ("right", -1)):
            name = bone if bone in BONE else f"{side}_{bone}"
            mirrored = None if b is None else (sign * b[0], *b[1:])
            self.add(name, (sign * a[0], *a[1:]), radius_a, mirrored, **rest)

    def blend(self, softness: float) -> Blend:
        """Return everything added so far, melted together over `softness` metres."""
        index = np.array([BONE[row[0]] for row in self._rows])
        rotation, origin = self._frames.rotations[index], self._frames.origins[index]

        def world(column: int) -> np.ndarray:
            points = np.array([row[column] for row in self._rows], float)
            return (origin + np.einsum("pij,pj->pi", rotation, points)).astype(np.float32)

        radius_a, radius_b, scale = (np.array([r[c] for r in self._rows], np.float32) for c in (3, 4, 5))
        return Blend(
            index, world(1), world(2), radius_a, radius_b, scale, rotation.astype(np.float32), softness
        )


SOFTNESS = 0.016


def sculpt_body(p: Proportions, shape: Shape) -> Blend:
    """Return the naked body without head, hands and feet, in the bind pose."""
    s = Sculptor(bind_frames(p))
    _sculpt_torso(s, p, shape)
    _sculpt_arms(s, p, shape)
    _sculpt_legs(s, p, shape)
    return s.blend(SOFTNESS)


def _sculpt_torso(s: Sculptor, p: Proportions, shape: Shape) -> None:
    f, g, m = shape.feminine, shape.girth, shape.muscle
    w = p.shoulder_half_width
    hip = p.hip_half_width
    # pelvis and buttocks
    s.add("pelvis", (0, 0.035, -0.008), 0.098 * g, scale=((hip + 0.05 + 0.015 * f) / 0.098, 0.85, 0.98))
    s.add("pelvis", (0, 0.09, 0.004), 0.095 * g, scale=(1.32 + 0.06 * f, 0.7, 0.95))
    seat = 0.078 + 0.008 * f
    s.pair(
        "pelvis",
        (0.062 + 0.01 * f, -0.015, -0.048 - 0.008 * f),
        seat * (0.5 + 0.5 * g),
        scale=(1, 1.05, 0.85),
    )
    # waist and belly
    waist = (0.099 - 0.015 * f) * g + 0.3 * shape.belly
    s.add("spine", (0, 0.0, 0.002), waist + 0.004, (0, p.spine, 0), waist, scale=(1.26, 1, 0.92))
    s.add(
        "spine", (0, 0.03, 0.025 + 0.6 * shape.belly), 0.078 * g + 0.35 * shape.belly, scale=(1.15, 1.1, 0.85)
    )
    # rib cage, upper chest
    ribs = 0.104 * (0.35 + 0.65 * g) + 0.006 * m
    wide = 0.62 * w / 0.104
    s.add("chest", (0, 0.04, -0.004), ribs, (0, 0.12, -0.012), ribs * 0.96, scale=(1.05 * wide, 1, 0.93))
    s.pair(
        "chest", (0.0, 0.172, -0.022), 0.058 + 0.01 * m, (0.70 * w, 0.152, -0.016), radius_b=0.045 + 0.008 * m
    )
    # trapezius: shoulders slope from the neck
    top = p.chest
    s.pair(
        "chest",
        (0.012, top + 0.03, -0.022),
        0.036 + 0.006 * m,
        (0.78 * w, top - 0.035, -0.016),
        radius_b=0.034,
    )
    # chest muscles or bust, shoulder blades
    flat = (1 - f) * (0.5 + m)
    s.pair("chest", (0.068, 0.095, 0.048), 0.052 + 0.006 * flat, scale=(1.3, 1.0, 0.72))
    if f > 0.5:
        full = 0.048 + 0.022 * shape.bust
        s.pair("chest", (0.072, 0.062, 0.056 + 0.022 * shape.bust), full, scale=(1.12, 1, 0.95))
    s.pair("chest", (0.075, 0.10, -0.055), 0.058, scale=(1.1, 1.3, 0.65))
    # neck
    neck = 0.037 + 0.012 * (1 - f) + 0.004 * m
    s.add("neck", (0, -0.03, -0.012), neck + 0.006, (0, p.neck + 0.05, 0.006), neck - 0.002)


def _sculpt_arms(s: Sculptor, p: Proportions, shape: Shape) -> None:
    g = (0.45 + 0.55 * shape.girth) * (1.0 - 0.12 * shape.feminine)
    m = shape.muscle * (1 - 0.4 * shape.feminine)
    up, fore = p.upper_arm, p.forearm
    s.pair("upper_arm", (-0.010, -0.018, 0), 0.042 * g + 0.008 * m, (0.002, -0.11, 0), radius_b=0.042 * g)
    s.pair("upper_arm", (0, -0.02, 0), 0.043 * g, (0, -up, 0), radius_b=0.034 * g)
    s.pair(
        "upper_arm", (0, -0.32 * up, 0.010), 0.036 * g + 0.010 * m, (0, -0.7 * up, 0.008), radius_b=0.034 * g
    )
    s.pair(
        "upper_arm",
        (0, -0.36 * up, -0.012),
        0.034 * g + 0.006 * m,
        (0, -0.7 * up, -0.008),
        radius_b=0.031 * g,
    )
    s.pair("forearm", (0, 0, -0.002), 0.034 * g, (0, -fore, 0), radius_b=0.019 * g, scale=(1.08, 1, 0.95))
    s.pair(
        "forearm",
        (0.004, -0.17 * fore, 0.003),
        0.036 * g + 0.005 * m,
        (0, -0.6 * fore, 0),
        radius_b=0.026 * g,
    )
    s.pair(
        "forearm", (0, -fore, 0), 0.0235 * g, (0, -fore - 0.015, 0), radius_b=0.022 * g, scale=(0.85, 1, 1.15)
    )


def _sculpt_legs(s: Sculptor, p: Proportions, shape: Shape) -> None:
    f, m = shape.feminine, shape.muscle
    g = 0.4 + 0.6 * shape.girth
    thigh, calf = p.thigh, p.calf
    hip = (0.078 + 0.006 * f) * g
    s.pair("thigh", (-0.006, -0.03, -0.004), hip, (0, -thigh, 0), radius_b=0.046 * g, scale=(1, 1, 1.04))
    s.pair(
        "thigh", (0.008, -0.10, 0.016), 0.062 * g + 0.006 * m, (0, -0.75 * thigh, 0.012), radius_b=0.046 * g
    )
    s.pair("thigh", (0, -0.12, -0.022), 0.062 * g, (0, -0.8 * thigh, -0.010), radius_b=0.042 * g)
    s.pair("calf", (0, 0.005, 0.010), 0.041 * g, scale=(1, 1.1, 1))
    s.pair("calf", (0, 0, -0.002), 0.044 * g, (0, -calf, 0.002), radius_b=0.031 * (0.5 + 0.5 * g))
    s.pair(
        "calf",
        (0.004, -0.20 * calf, -0.019),
        0.041 * g + 0.006 * m,
        (0, -0.5 * calf, -0.016),
        radius_b=0.034 * g,
    )
    s.pair("calf", (0.006, -0.25 * calf, -0.002), 0.043 * g, (0, -0.45 * calf, 0), radius_b=0.038 * g)
    s.pair("calf", (0, -calf, -0.004), 0.031, (0, -calf - 0.02, -0.006), radius_b=0.031)
