"""Motions that loop: the frame after the last one is the first one again.

Each motion is a periodic function of time, in a manner (amplitude, tempo, phase, leading side) drawn from the
seed. The body stays where it is, as on a treadmill; only `turn_around` turns it.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pgt.synthetic.articulation import BodyPose, rotation_from_vector, torso_depth
from pgt.synthetic.draw import SPLITS, Draw
from pgt.synthetic.gait import Style, draw_style, stride
from pgt.synthetic.rig import Rig
from pgt.synthetic.skeleton import Proportions

# a pose at time 0...1, with the arms a number of degrees further from the body
Moment = Callable[[float, float], BodyPose]

_TURN = 2 * math.pi


def motion(
    name: str, num_frames: int, seed: int, proportions: Proportions | None = None, *, split: str = "train"
) -> list[BodyPose]:
    """Return a seamless loop.

    Args:
        name: one of `MOTIONS`.
        num_frames: of the loop; walks and runs take as many strides as fit at about 25 frames a second.
        seed: of the manner.
        proportions: of the body that moves; the average body by default.
        split: whose stream of manners the seed counts in; no two splits share one.

    Raises:
        ValueError: on an unknown name or fewer than 2 frames.
    """
    if name not in MOTIONS or num_frames < 2:
        raise ValueError(
            f"Need at least 2 frames of one of {', '.join(MOTIONS)}; got {num_frames} of {name!r}."
        )
    body = proportions or Proportions()
    draw = Draw(SPLITS[split], seed, list(MOTIONS).index(name))
    moment = MOTIONS[name](draw, body, num_frames)
    times = (np.arange(num_frames) / num_frames + draw.uniform()) % 1
    # One opening of the arms for the whole loop: opened frame by frame they would twitch.
    for apart in range(0, 32, 4):
        poses = [moment(float(time), float(apart)) for time in times]
        if max(torso_depth(pose.frames(body), body).max() for pose in poses) < 0.005:
            break
    return poses


def turned(pose: BodyPose, angle: float) -> BodyPose:
    """Return the pose turned to its left by `angle` radians about the vertical through the world's origin."""
    turn = rotation_from_vector(np.array([[0.0, angle, 0.0]]))[0]
    rotations = pose.rotations.copy()
    rotations[0] = turn @ rotations[0]
    return replace(pose, rotations=rotations, root=turn @ pose.root)


def _gait(draw: Draw, body: Proportions, num_frames: int, run: bool) -> Moment:
    style = draw_style(draw, run)
    period = draw.uniform(15, 21) if run else draw.uniform(23, 33)
    strides = max(1, round(num_frames / period))

    def moment(time: float, apart: float) -> BodyPose:
        opened = replace(style, apart=style.apart + apart)
        return stride(Rig(body), opened, strides * time % 1, "run" if run else "walk")

    return moment


def _walk(draw: Draw, body: Proportions, num_frames: int) -> Moment:
    return _gait(draw, body, num_frames, run=False)


def _run(draw: Draw, body: Proportions, num_frames: int) -> Moment:
    return _gait(draw, body, num_frames, run=True)


def _rise_and_fall(time: float, edge: float) -> float:
    """Go smoothly from 0 to 1 within `edge`, stay, and come back before time 1."""
    x = min(max(min(time, 1 - time) / edge, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def _wave(draw: Draw, body: Proportions, num_frames: int) -> Moment:
    side, other = draw.choice((("right", "left"), ("left", "right")))
    sign = 1 if side == "left" else -1
    swings = max(2, round(num_frames / draw.uniform(11, 16)))
    rise, width, elbow = draw.uniform(70, 105), draw.uniform(16, 28), draw.uniform(70, 95)
    lean, half, hang = draw.uniform(0.6, 1.4), draw.uniform(0.09, 0.13), draw.uniform(12, 24)

    def moment(time: float, apart: float) -> BodyPose:
        rig = Rig(body)
        up = _rise_and_fall(time, 0.22)
        swing = up * math.sin(_TURN * swings * time)
        breath = math.sin(_TURN * time)
        rig.bend("pelvis", 1, -sign * (2 + 2 * up) * lean, 2 * breath)
        rig.bend("spine", 0, sign * 2 * lean * (1 + up) + 0.6 * swing, -breath)
        rig.bend("chest", 1, sign * 2 * lean * up, -sign * 3 * up)
        rig.bend("neck", 4, -sign * 3 * up, sign * 3 * up)
        rig.bend("head", -2, -sign * 4 * up + swing, sign * 4 * up)
        shift = sign * -0.02 * lean * up
        for s, x in (("right", -1), ("left", 1)):
            rig.plant(s, half + x * shift, -0.02, 12)
        inward = 20 * (1 - up) - 85 * up
        away = 9 + apart * (1 - up) + (rise - 9) * up + 5 * swing
        rig.arm(side, 8 * up - 4, away, inward, hang + (elbow - hang) * up + width * swing)
        rig.bend(f"{side}_hand", 0, -8 * swing)
        rig.arm(other, -4 + breath, 9 + apart + breath, 20, hang + 2 * breath)
        return rig.build("wave", open_arms=False)

    return moment


def _squat(draw: Draw, body: Proportions, num_frames: int) -> Moment:
    repeats = max(1, round(num_frames / draw.uniform(36, 60)))
    deepest, half = draw.uniform(0.6, 1.0), draw.uniform(0.17, 0.22)
    arms, toes, pause = draw.uniform(70, 95), draw.uniform(14, 28), draw.uniform(1.0, 1.6)

    def moment(time: float, apart: float) -> BodyPose:
        rig = Rig(body)
        depth = deepest * ((1 - math.cos(_TURN * repeats * time)) / 2) ** pause
        rig.bend("pelvis", 40 * depth)
        rig.bend("spine", 3 * depth)
        rig.bend("neck", 4 - 14 * depth)
        rig.bend("head", -2 - 10 * depth)
        for side in ("right", "left"):
            rig.plant(side, half, -0.02 + 0.11 * depth, toes)
            rig.arm(
                side, -4 + (arms + 32) * depth, 11 + apart * (1 - depth), 18 * (1 - depth), 16 - 8 * depth
            )
        leg = body.thigh + body.calf
        return rig.build("squat", body.ankle_height + leg * (0.99 - 0.49 * depth), open_arms=False)

    return moment


def _dance(draw: Draw, body: Proportions, num_frames: int) -> Moment:
    """Sway from foot to foot on the beat; trunk and arms follow with their own amplitudes and phases."""
    beats = 2 * max(1, round(num_frames / draw.uniform(44, 60)))
    hips, bounce, half = draw.uniform(0.6, 1.3), draw.uniform(0.012, 0.04), draw.uniform(0.13, 0.2)
    arms = [[draw.uniform(-1, 1) for _ in range(4)] for _ in range(2)]
    high, mirrored, late = draw.uniform(0, 1), draw.chance(0.5), draw.uniform(0.05, 0.15)

    def pulse(time: float, phase: float, rate: float = 1.0) -> float:
        return math.sin(_TURN * (beats * rate * time - phase))

    def arm(rig: Rig, side: str, time: float, apart: float) -> None:
        lead = 0.5 if side == "left" and not mirrored else 0.0
        forward, away, twist, elbow = arms[0 if mirrored or side == "right" else 1]
        swing = pulse(time, late + lead)
        slow = pulse(time, lead, 0.5)  # one slow wave for every two sways
        rise = 25 + 45 * high * (1 + slow) / 2
        rig.arm(
            side,
            rise + (18 + 8 * forward) * swing,
            26 + apart + 25 * high + (10 + 10 * away) * slow,
            -20 * high + 18 * twist,
            72 + 15 * elbow + (24 + 8 * elbow) * pulse(time, late + lead + 0.15),
        )

    def moment(time: float, apart: float) -> BodyPose:
        rig = Rig(body)
        sway = pulse(time, 0.0)
        rig.bend("pelvis", 3, 8 * hips * sway, 9 * hips * pulse(time, 0.2))
        rig.bend("spine", 1, -9 * hips * sway, -6 * hips * pulse(time, 0.2))
        rig.bend("chest", 1, -3 * hips * pulse(time, late), -8 * hips * pulse(time, 0.25))
        rig.bend("neck", 4, 3 * pulse(time, 0.1), 4 * pulse(time, 0.0, 0.5))
        rig.bend("head", 2 * pulse(time, 0.0, 2), 4 * pulse(time, 0.1), 6 * pulse(time, 0.0, 0.5))
        shift = 0.06 * hips * sway  # the pelvis moves to the person's left when positive
        for side, sign in (("right", -1), ("left", 1)):
            free = max(0.0, -sign * sway) ** 2
            rig.plant(side, half - sign * shift, 0.03 * free - 0.02, 16, heel=32 * free, bears=False)
            arm(rig, side, time, apart)
        leg = math.sqrt((body.thigh + body.calf) ** 2 - (half - body.hip_half_width + 0.06 * hips) ** 2)
        height = body.ankle_height + leg * (0.978 - bounce * (1 + pulse(time, 0.0, 2)) / 2)
        return rig.build("dance", height, open_arms=False)

    return moment


def _turn_around(draw: Draw, body: Proportions, num_frames: int) -> Moment:
    """Turn once about the vertical with small steps on the spot."""
    way = draw.choice((1, -1))
    style: Style = draw_style(draw)
    style = replace(style, length=draw.uniform(0.3, 0.5), arms=0.35 * style.arms, lean=1.0)
    steps, uneven = max(2, round(num_frames / draw.uniform(20, 28))), draw.uniform(0.0, 0.35)

    def moment(time: float, apart: float) -> BodyPose:
        phase = steps * time % 1
        pose = stride(Rig(body), replace(style, apart=style.apart + apart), phase, "turn_around")
        # the body turns faster while a foot is in the air: twice a stride
        angle = _TURN * time - uneven / (2 * steps) * math.sin(2 * _TURN * phase)
        return turned(pose, way * angle)

    return moment


MOTIONS: dict[str, Callable[[Draw, Proportions, int], Moment]] = {
    "walk": _walk,
    "run": _run,
    "wave": _wave,
    "squat": _squat,
    "dance": _dance,
    "turn_around": _turn_around,
}
