"""Walking and running: one body at any moment of its stride.

Hips and knees follow a few harmonics fitted by eye to textbook gait curves (Perry & Burnfield 2010, normal
walking: hip 30 deg of flexion at heel strike to 10 of extension, knee 60 in swing); pelvis and trunk turn
against each other, arms swing against the legs, and the height is whatever keeps the lower foot on the
ground.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pgt.synthetic.articulation import BodyPose, ground
from pgt.synthetic.draw import Draw
from pgt.synthetic.rig import Rig


@dataclass(frozen=True)
class Style:
    """How someone walks or runs.

    Attributes:
        run: running instead of walking.
        length: of the stride, 1 is usual.
        arms: swing of the arms, 1 is usual.
        elbow: how much the elbows are bent, degrees.
        sway: of hips and trunk, 1 is usual.
        lean: of the trunk, degrees forward.
    """

    run: bool
    length: float
    arms: float
    elbow: float
    sway: float
    lean: float


def draw_style(draw: Draw, run: bool = False) -> Style:
    """Draw someone's manner of walking or running."""
    spread = draw.uniform
    if run:
        return Style(
            True, spread(0.75, 1.2), spread(0.8, 1.2), spread(78, 105), spread(0.6, 1.3), spread(6, 15)
        )
    return Style(False, spread(0.7, 1.15), spread(0.4, 1.3), spread(10, 32), spread(0.6, 1.5), spread(-1, 5))


def _curve(phase: float, mean: float, *harmonics: tuple[float, float]) -> float:
    """Sum (amplitude, phase of the crest) cosines of one, two, ... cycles per stride."""
    terms = enumerate(harmonics, 1)
    return mean + sum(a * math.cos(2 * math.pi * k * (phase - crest)) for k, (a, crest) in terms)


def _leg(style: Style, phase: float) -> tuple[float, float, float]:
    """Return hip flexion, knee flexion and toe lift in degrees; the heel strikes at phase 0."""
    s = style.length
    if style.run:
        hip = _curve(phase, 14, (32 * s, 0.88), (7 * s, 0.30))
        knee = _curve(phase, 52, (38 * s, 0.70), (20 * s, 0.19))
        foot = _curve(phase, -8, (17, 0.05), (5, 0.10))
    else:
        hip = _curve(phase, 8, (20 * s, 0.93), (3.5 * s, 0.42))
        knee = _curve(phase, 25, (19 * s, 0.76), (15 * s, 0.195), (3, 0.08))
        foot = _curve(phase, -2, (5, 0.25), (8, 0.42), (4, 0.05))
    return hip, max(knee, 2.0), foot


def stride(
    rig: Rig, style: Style, phase: float, name: str, head: Callable[[], None] | None = None
) -> BodyPose:
    """Return the pose at a moment of the stride.

    Args:
        rig: a fresh rig of the body.
        style: manner of walking.
        phase: 0 to 1, periodic; at 0 the right heel strikes.
        name: of the pose.
        head: sets neck and head; they look ahead if absent.
    """
    sway, turn = style.sway, math.cos(2 * math.pi * phase)  # +1: the right leg is ahead
    lift = math.sin(2 * math.pi * phase)  # +1: the right leg bears, the left swings
    rig.bend("pelvis", 0.5 * style.lean + 2, 3.0 * sway * lift, 5 * style.length * turn)
    rig.bend("spine", 0.3 * style.lean - 1, -2.2 * sway * lift, -5 * style.length * turn)
    rig.bend("chest", 0.3 * style.lean, -1.3 * sway * lift, -6 * style.arms * turn)
    rig.bend("neck", 2 - 0.3 * style.lean, 0, 2 * turn)
    rig.bend("head", -2 - 0.3 * style.lean, 0, 3 * turn)
    if head is not None:
        head()
    for side, shift, sign in (("right", 0.0, 1), ("left", 0.5, -1)):
        hip, knee, foot = _leg(style, (phase + shift) % 1)
        level = 2.0 * sway * lift * sign  # keep the legs upright under the tilting pelvis
        rig.leg(side, hip + 2, 1.0 - level * 0.8, -3, knee, foot)
        swing = -math.cos(2 * math.pi * (phase + shift - 0.03)) * style.arms
        reach = 34 if style.run else 20
        bend = style.elbow + (12 if style.run else 10) * max(swing, -0.4)
        forward = reach * swing + (-8 if style.run else 1 - 0.2 * style.elbow)
        rig.arm(side, forward, 14 if style.run else 7, 24 if style.run else 18, max(bend, 3))
    pose = rig.build(name)
    return ground(pose, rig.proportions, flight(style, phase))


def flight(style: Style, phase: float) -> float:
    """Return how far the lower foot is above the ground, metres: runners fly twice a stride."""
    if not style.run:
        return 0.0
    return 0.05 * style.length * max(0.0, math.cos(4 * math.pi * (phase - 0.44))) ** 2


def sway_of(phase: float, style: Style) -> np.ndarray:
    """Return how far the pelvis moves sideways over the bearing foot, (3,) metres."""
    return np.array([-0.018 * style.sway * math.sin(2 * math.pi * phase), 0, 0])
