"""Walking and running: one body at any moment of its stride.

Hips, knees and soles follow the curves of textbook gait analysis (Perry and Burnfield 2010: the hip from 30
degrees of flexion at heel strike to 10 of extension, the knee 60 in swing); pelvis and trunk turn against
each other, arms swing against the legs, and the height is whatever keeps the lower foot on the ground.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pgt.synthetic.articulation import BodyPose, ground
from pgt.synthetic.draw import Draw
from pgt.synthetic.rig import Rig

# (phase of the stride from heel strike, degrees): hip flexion, knee flexion, lift of the toes above level
_WALK = (
    ((0, 30), (0.1, 27), (0.3, 7), (0.5, -10), (0.6, -2), (0.72, 19), (0.85, 31), (0.93, 32)),
    ((0, 5), (0.14, 17), (0.4, 5), (0.5, 14), (0.62, 42), (0.72, 60), (0.84, 32), (0.95, 5)),
    ((0, 17), (0.09, 1), (0.16, 0), (0.36, 0), (0.47, -16), (0.6, -58), (0.7, -52), (0.83, -6), (0.93, 15)),
)
_RUN = (
    ((0, 34), (0.1, 29), (0.25, 10), (0.38, -8), (0.45, -9), (0.6, 16), (0.75, 42), (0.87, 46), (0.95, 39)),
    ((0, 18), (0.12, 40), (0.25, 30), (0.38, 18), (0.5, 58), (0.64, 102), (0.78, 92), (0.9, 42), (0.96, 22)),
    ((0, 6), (0.08, 0), (0.22, -8), (0.38, -60), (0.5, -80), (0.64, -92), (0.8, -50), (0.92, 4)),
)


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
        apart: of arms from the body, degrees.
    """

    run: bool
    length: float
    arms: float
    elbow: float
    sway: float
    lean: float
    apart: float


def draw_style(draw: Draw, run: bool = False) -> Style:
    """Draw someone's manner of walking or running."""
    if run:
        ranges = ((0.75, 1.2), (0.8, 1.2), (78, 105), (0.6, 1.3), (6, 15), (12, 18))
    else:
        ranges = ((0.7, 1.15), (0.4, 1.3), (10, 32), (0.6, 1.5), (-1, 5), (5, 10))
    return Style(run, *(draw.uniform(low, high) for low, high in ranges))


def _curve(phase: float, keys: tuple[tuple[float, float], ...]) -> float:
    """Interpolate (phase, value) keys smoothly and periodically (cubic Hermite, slopes from neighbours)."""
    count = len(keys)
    i = max(k for k in range(count) if keys[k][0] <= phase)
    points = []
    for k in range(i - 1, i + 3):
        turn, index = divmod(k, count)
        points.append((keys[index][0] + turn, keys[index][1]))
    (t0, v0), (t1, v1), (t2, v2), (t3, v3) = points
    span = t2 - t1
    slope1, slope2 = (v2 - v0) / (t2 - t0) * span, (v3 - v1) / (t3 - t1) * span
    u = (phase - t1) / span
    keep, near = 1 - u, u * u * (3 - 2 * u)
    return (1 - near) * v1 + near * v2 + u * keep * (keep * slope1 - u * slope2)


def _leg(style: Style, phase: float, tilt: float) -> tuple[float, float, float]:
    """Return hip flexion, knee flexion and toe lift in degrees; the heel strikes at phase 0.

    `tilt` is how far the pelvis bends forward. The sole is flat on the ground while the foot bears weight.
    """
    hip, knee, sole = (_curve(phase, keys) for keys in (_RUN if style.run else _WALK))
    hip = 10 + (hip - 10) * style.length
    knee = knee * (0.5 + 0.5 * style.length)
    toes = sole * style.length - hip + knee + tilt
    return hip + tilt, knee, max(-45.0, min(30.0, toes))


def stride(
    rig: Rig,
    style: Style,
    phase: float,
    name: str,
    *,
    head: Callable[[], None] | None = None,
    open_arms: bool = False,
) -> BodyPose:
    """Return the pose at a moment of the stride.

    Args:
        rig: a fresh rig of the body.
        style: manner of walking.
        phase: 0 to 1, periodic; at 0 the right heel strikes.
        name: of the pose.
        head: sets neck and head; they look ahead if absent.
        open_arms: swing the arms clear of the body (in a film the style's `apart` should do that, evenly).
    """
    sway, turn = style.sway, math.cos(2 * math.pi * phase)  # +1: the right leg is ahead
    lift = math.sin(2 * math.pi * phase)  # +1: the right leg bears, the left swings
    tilt = 0.5 * style.lean + 2
    rig.bend("pelvis", tilt, 3.0 * sway * lift, 5 * style.length * turn)
    rig.bend("spine", 0.3 * style.lean - 1, -2.2 * sway * lift, -5 * style.length * turn)
    rig.bend("chest", 0.3 * style.lean, -1.3 * sway * lift, -6 * style.arms * turn)
    rig.bend("neck", 2 - 0.3 * style.lean, 0, 2 * turn)
    rig.bend("head", -2 - 0.3 * style.lean, 0, 3 * turn)
    if head is not None:
        head()
    for side, shift, sign in (("right", 0.0, 1), ("left", 0.5, -1)):
        hip, knee, foot = _leg(style, (phase + shift) % 1, tilt)
        level = 2.0 * sway * lift * sign  # keep the legs upright under the tilting pelvis
        rig.leg(side, hip, 1.0 - level * 0.8, -3, knee, foot)
        swing = -math.cos(2 * math.pi * (phase + shift - 0.03)) * style.arms
        reach = 34 if style.run else 20
        bend = style.elbow + (12 if style.run else 10) * max(swing, -0.4)
        forward = reach * swing + (-8 if style.run else 1 - 0.2 * style.elbow)
        rig.arm(side, forward, style.apart, 24 if style.run else 18, max(bend, 3))
    pose = ground(rig.build(name, open_arms=open_arms), rig.proportions, flight(style, phase))
    return replace(pose, root=pose.root - np.array([0.018 * sway * lift, 0, 0]))


def flight(style: Style, phase: float) -> float:
    """Return how far the lower foot is above the ground, metres: runners fly twice a stride."""
    if not style.run:
        return 0.0
    return 0.05 * style.length * max(0.0, math.cos(4 * math.pi * (phase - 0.44))) ** 2
