"""Random poses of people, drawn by kind within the joint limits.

A pose faces +z and stands on the ground (a jump is above it); the person's turn belongs to the camera. Where
hands and feet come to lie depends on the body, so poses are drawn for given proportions; on another body the
rotations stay valid and `ground` sets the height anew.
"""

from collections.abc import Callable
from operator import mul

from pgt.synthetic.articulation import JOINT_LIMITS, BodyPose, ground
from pgt.synthetic.draw import Draw
from pgt.synthetic.gait import draw_style, stride
from pgt.synthetic.rig import Rig
from pgt.synthetic.skeleton import Proportions

__all__ = ["JOINT_LIMITS", "KINDS", "BodyPose", "draw_pose", "ground"]

_OTHER = {"right": "left", "left": "right"}


def draw_pose(
    draw: Draw, kind: str | None = None, proportions: Proportions | None = None, *, scene: str = "plain"
) -> BodyPose:
    """Draw a pose.

    Args:
        draw: the stream of random numbers.
        kind: one of `KINDS`; drawn by their weights if absent.
        proportions: of the body that poses; the average body by default.
        scene: people mostly stand in a "plain" scene and mostly walk in the "street"; "non_iconic" people
            jump, bend, run and squat as often as they stand; any other scene is half plain, half street.

    Raises:
        ValueError: on an unknown kind.
    """
    shares = {"plain": (1, 0, 0), "street": (0, 1, 0), "non_iconic": (0, 0, 1)}.get(scene, (0.5, 0.5, 0))
    weights = [sum(map(mul, shares, of_kind)) for _, *of_kind in KINDS.values()]
    drawn = draw.choice(list(KINDS), weights)
    if kind is not None and kind not in KINDS:
        raise ValueError(f"Unknown kind of pose {kind!r}; choose from {', '.join(KINDS)}.")
    return KINDS[kind or drawn][0](draw, Rig(proportions or Proportions()))


def _gaze(draw: Draw, rig: Rig, turn: float = 14.0) -> None:
    """Turn and tilt the head a little."""
    yaw, nod, tilt = draw.normal(0, turn), draw.normal(4, 6), draw.normal(0, 4)
    yaw, nod, tilt = max(-60, min(60, yaw)), max(-15, min(22, nod)), max(-12, min(12, tilt))
    rig.bend("neck", 0.5 * nod + 4, 0.5 * tilt, 0.45 * yaw)
    rig.bend("head", 0.5 * nod - 4, 0.5 * tilt, 0.55 * yaw)


def _stance(draw: Draw, rig: Rig, width: float = 0.10) -> str:
    """Stand on both feet or, more often, mostly on one (contrapposto); returns the bearing side."""
    side = draw.choice(("right", "left"))
    sign = 1 if side == "left" else -1
    lean = max(0.0, draw.normal(0.45, 0.4))  # 0 symmetric ... 1 hip well out over one foot
    lean = min(lean, 1.1)
    turn = draw.normal(0, 5)
    drop = 6 * lean  # the free hip sinks; the trunk leans back over the bearing foot
    rig.bend("pelvis", draw.normal(1, 2), -sign * drop, turn)
    rig.bend("spine", draw.normal(0, 2), sign * drop * 0.9, -0.4 * turn + draw.normal(0, 3))
    rig.bend("chest", draw.normal(1, 2), sign * drop * 0.55, -0.4 * turn + draw.normal(0, 3))
    _gaze(draw, rig)
    half = max(0.07, draw.normal(width, 0.025))
    shift = 0.055 * lean
    step = draw.normal(0.05, 0.05) * (0.4 + lean) - 0.02
    rig.plant(side, half - shift, draw.normal(-0.02, 0.015), draw.normal(10, 5))
    free_out = half + 0.35 * shift + max(0.0, draw.normal(0, 0.04)) * lean
    rig.plant(_OTHER[side], free_out, step, draw.normal(16, 8), bears=lean < 0.25)
    return side


def _hang(draw: Draw, rig: Rig, side: str) -> None:
    """Let an arm hang, a little bent and turned inward."""
    elbow = max(3.0, draw.normal(14, 8))
    rig.arm(side, draw.normal(-2, 6) - 0.25 * elbow, max(1.0, draw.normal(5, 4)), draw.normal(10, 10), elbow)
    rig.bend(f"{side}_hand", draw.normal(0, 5), draw.normal(-4, 5))


def _on_hip(draw: Draw, rig: Rig, side: str) -> None:
    p = rig.proportions
    height, front = draw.normal(0.085, 0.02), draw.normal(0.03, 0.02)
    place = (p.hip_half_width + 0.115, height, front)
    elbow = (1.0, 0.1, draw.normal(-0.55, 0.25))
    rig.place_hand(side, "pelvis", place, elbow, (-0.10, -0.75, 0.65))


def _in_pocket(draw: Draw, rig: Rig, side: str) -> None:
    p = rig.proportions
    out, up, front = draw.uniform(0.115, 0.135), draw.normal(0.03, 0.015), draw.normal(0.035, 0.02)
    place = (p.hip_half_width + out, up, front)
    rig.place_hand(side, "pelvis", place, (1.0, 0.0, draw.normal(-0.9, 0.25)), (-0.25, -1.0, 0.15))


def _bag_arm(draw: Draw, rig: Rig, side: str) -> None:
    """Bend the forearm up in front, as one who holds a phone, a strap or a collar."""
    flexion = draw.uniform(60, 125)
    rig.arm(side, draw.uniform(-5, 25), draw.uniform(8, 22), draw.normal(18, 14), flexion)


def _standing(draw: Draw, rig: Rig) -> BodyPose:
    _stance(draw, rig)
    for side in ("right", "left"):
        arm = draw.choice((_hang, _bag_arm, _in_pocket), (0.80, 0.12, 0.08))
        arm(draw, rig, side)
    return rig.build("standing")


def _hands_on_hips(draw: Draw, rig: Rig) -> BodyPose:
    _stance(draw, rig, 0.12)
    first = draw.choice(("right", "left"))
    _on_hip(draw, rig, first)
    other = draw.choice((_on_hip, _hang), (0.6, 0.4))
    other(draw, rig, _OTHER[first])
    return rig.build("hands_on_hips")


def _hands_in_pockets(draw: Draw, rig: Rig) -> BodyPose:
    _stance(draw, rig)
    first = draw.choice(("right", "left"))
    _in_pocket(draw, rig, first)
    other = draw.choice((_in_pocket, _hang), (0.6, 0.4))
    other(draw, rig, _OTHER[first])
    return rig.build("hands_in_pockets")


def _arms_crossed(draw: Draw, rig: Rig) -> BodyPose:
    _stance(draw, rig)
    over = draw.choice(("right", "left"))
    under = _OTHER[over]
    height = draw.normal(0.04, 0.02)
    rig.place_hand(over, "chest", (-0.055, height + 0.035, 0.225), (0.75, -1.0, 0.05), (-1.0, 0.10, -0.35))
    rig.place_hand(under, "chest", (-0.045, height - 0.01, 0.165), (0.75, -1.0, 0.05), (-1.0, 0.25, -0.25))
    return rig.build("arms_crossed")


def _arms_raised(draw: Draw, rig: Rig) -> BodyPose:
    _stance(draw, rig, 0.12)
    both = draw.chance(0.6)
    raised = ("right", "left") if both else (draw.choice(("right", "left")),)
    height = draw.uniform(95, 165)
    for side in raised:
        rise = max(80.0, min(168.0, height + draw.normal(0, 8)))
        forward = draw.uniform(0.05, 0.7)  # the share of the rise that goes forward instead of sideways
        spread = (1 - forward**2) ** 0.5
        rig.arm(side, rise * forward, rise * spread, -20 * spread, abs(draw.normal(15, 22)))
    for side in ("right", "left"):
        if side not in raised:
            _hang(draw, rig, side)
    return rig.build("arms_raised")


def _pointing(draw: Draw, rig: Rig) -> BodyPose:
    _stance(draw, rig)
    side = draw.choice(("right", "left"))
    sideways = draw.uniform(10, 85)
    rise = draw.uniform(65, 110)
    share = sideways / 90
    rig.arm(side, rise * (1 - share**2) ** 0.5, rise * share, draw.normal(0, 10), abs(draw.normal(5, 6)))
    _hang(draw, rig, _OTHER[side])
    look = (1 if side == "left" else -1) * sideways * 0.55
    rig.bend("neck", 2, 0, 0.45 * look)
    rig.bend("head", 0, 0, 0.55 * look)
    return rig.build("pointing")


def _walking(draw: Draw, rig: Rig) -> BodyPose:
    return stride(
        rig, draw_style(draw), draw.uniform(), "walking", head=lambda: _gaze(draw, rig, 10), open_arms=True
    )


def _running(draw: Draw, rig: Rig) -> BodyPose:
    return stride(
        rig,
        draw_style(draw, run=True),
        draw.uniform(),
        "running",
        head=lambda: _gaze(draw, rig, 8),
        open_arms=True,
    )


def _sitting(draw: Draw, rig: Rig) -> BodyPose:
    """Sit as on a chair or stool, or cross-legged on the ground."""
    _gaze(draw, rig)
    lean = draw.normal(6, 8)
    rig.bend("pelvis", lean - 8, 0, draw.normal(0, 4))
    rig.bend("spine", 0.5 * lean + 4, draw.normal(0, 3), draw.normal(0, 4))
    rig.bend("chest", 0.4 * lean, draw.normal(0, 3), draw.normal(0, 4))
    p = rig.proportions
    apart, ahead = draw.uniform(0.09, 0.2), draw.normal(0.43, 0.06)
    for side in ("right", "left"):
        rig.plant(side, apart + draw.normal(0, 0.02), ahead + draw.normal(0, 0.05), draw.normal(10, 6))
    if draw.chance(0.75):  # hands on the thighs
        for side in ("right", "left"):
            along = draw.uniform(0.5, 0.85) * p.thigh
            rig.place_hand(side, f"{side}_thigh", (0.0, -along, 0.115), (0.8, 0.6, -0.6), (-0.2, -1.0, -0.1))
    else:
        for side in ("right", "left"):
            rig.arm(side, draw.uniform(5, 35), draw.uniform(10, 25), 15, draw.uniform(20, 80))
    return rig.build("sitting", height=p.calf + p.ankle_height + draw.uniform(-0.06, 0.14))


def _squatting(draw: Draw, rig: Rig) -> BodyPose:
    p = rig.proportions
    depth = draw.uniform(0.35, 1.0)
    _gaze(draw, rig, 8)
    rig.bend("pelvis", 38 * depth, 0, draw.normal(0, 3))
    rig.bend("spine", draw.normal(2, 3))
    rig.bend("chest", draw.normal(0, 3))
    rig.bend("neck", -12 * depth, 0, 0)
    half = draw.normal(0.19, 0.03)
    for side in ("right", "left"):
        rig.plant(side, half, 0.02 + 0.09 * depth, draw.normal(24, 5))
    style = draw.choice(("ahead", "clasped", "knees"), (0.5, 0.25, 0.25))
    for side in ("right", "left"):
        if style == "ahead":
            rig.arm(side, 75 + 30 * depth + draw.normal(0, 6), 8, 5, abs(draw.normal(8, 8)))
        elif style == "clasped":
            rig.place_hand(side, "chest", (0.03, 0.03, 0.27), (0.8, -0.9, 0.0), (-0.45, 0.9, 0.2))
        else:
            place = (0.01, -0.85 * p.thigh, 0.12)
            rig.place_hand(side, f"{side}_thigh", place, (1.0, 0.5, -0.2), (-0.2, -1.0, -0.3))
    return rig.build("squatting", height=p.ankle_height + (p.thigh + p.calf) * (0.96 - 0.46 * depth))


def _jumping(draw: Draw, rig: Rig) -> BodyPose:
    _gaze(draw, rig)
    tuck = draw.uniform(0, 1)
    rig.bend("pelvis", draw.normal(4, 5), draw.normal(0, 3), draw.normal(0, 6))
    rig.bend("spine", draw.normal(-2, 4), draw.normal(0, 3), draw.normal(0, 4))
    star = draw.chance(0.4)
    height = draw.uniform(60, 160)
    for side in ("right", "left"):
        bend = max(0.0, tuck + draw.normal(0, 0.25))
        if star:
            rig.leg(side, 10, draw.uniform(18, 38), 0, 12 + 25 * draw.uniform(), -28)
        else:
            rig.leg(side, 55 * bend, draw.uniform(3, 12), 0, min(120, 25 + 75 * bend), -32)
        spread = draw.uniform(0.7, 1.0) if star else draw.uniform(0.2, 0.95)
        rise = height + draw.normal(0, 12)
        rig.arm(side, rise * (1 - spread**2) ** 0.5, rise * spread, -10, abs(draw.normal(20, 20)))
    pose = rig.build("jumping")
    return ground(pose, rig.proportions, draw.uniform(0.08, 0.35))


def _bending(draw: Draw, rig: Rig) -> BodyPose:
    """Bend forward, hands hanging, on the knees, or one of them reaching for the ground."""
    bow = draw.uniform(0.3, 1.0)
    side = draw.choice(("right", "left"))
    rig.bend("pelvis", 50 * bow, draw.normal(0, 3), draw.normal(0, 4))
    rig.bend("spine", 22 * bow, draw.normal(0, 3), draw.normal(0, 5))
    rig.bend("chest", 14 * bow, 0, draw.normal(0, 5))
    rig.bend("neck", -14 * bow, 0, draw.normal(0, 8))
    rig.bend("head", -6 * bow, 0, draw.normal(0, 10))
    half = draw.normal(0.12, 0.03)
    step = draw.normal(0.0, 0.06)
    p = rig.proportions
    for s, z in ((side, 0.08 + step), (_OTHER[side], 0.08 - step)):
        rig.plant(s, half, z, draw.normal(10, 5))
    leg = p.thigh + p.calf
    knees = draw.chance(0.4)
    for s in ("right", "left"):
        if knees:
            rig.place_hand(s, f"{s}_calf", (0.02, 0.06, 0.11), (1.0, 0.1, -0.5), (-0.2, -1.0, 0.3))
        elif s == side or draw.chance(0.4):
            rig.arm(s, 70 * bow + draw.normal(20, 10), 8, 8, abs(draw.normal(10, 8)))
        else:
            rig.arm(s, 50 * bow, 12, 15, abs(draw.normal(25, 10)))
    return rig.build("bending", height=p.ankle_height + leg * draw.uniform(0.86, 0.96))


def _kicking(draw: Draw, rig: Rig) -> BodyPose:
    kicks = draw.choice(("right", "left"))
    stands = _OTHER[kicks]
    sign = 1 if stands == "left" else -1
    rise = draw.uniform(25, 95)
    _gaze(draw, rig, 8)
    rig.bend("pelvis", -6 - 0.10 * rise, -sign * 4, -sign * draw.uniform(-5, 15))
    rig.bend("spine", 0.10 * rise, sign * 5, sign * 8)
    rig.bend("chest", 0.06 * rise, sign * 3, sign * 6)
    rig.plant(stands, 0.015, 0.03, draw.normal(18, 6))
    rig.leg(kicks, rise, draw.uniform(0, 22), 0, abs(draw.normal(0, 45)) * (0.4 if rise < 60 else 0.8), -20)
    rig.arm(stands, draw.uniform(15, 60), draw.uniform(15, 60), 10, abs(draw.normal(35, 20)))
    rig.arm(kicks, draw.uniform(-40, 5), draw.uniform(20, 60), 10, abs(draw.normal(35, 20)))
    return rig.build("kicking", stretch=0.985)


def _looking_back(draw: Draw, rig: Rig) -> BodyPose:
    """Look over the shoulder: seen from behind or aside, the face is in the picture."""
    _stance(draw, rig)
    sign = draw.choice((1, -1))
    turn = draw.uniform(55, 85)
    rig.angles[1:3, 2] += sign * 0.18 * turn
    rig.bend("neck", 5, draw.normal(0, 3), sign * min(0.45 * turn, 38))
    rig.bend("head", 0, draw.normal(0, 3), sign * min(0.52 * turn, 43))
    for side in ("right", "left"):
        arm = draw.choice((_hang, _on_hip, _in_pocket), (0.75, 0.15, 0.10))
        arm(draw, rig, side)
    return rig.build("looking_back")


# kind -> (how to draw it, its weight in plain scenes, in the street, in non-iconic scenes)
KINDS: dict[str, tuple[Callable[[Draw, Rig], BodyPose], float, float, float]] = {
    "standing": (_standing, 0.40, 0.25, 0.12),
    "walking": (_walking, 0.15, 0.50, 0.14),
    "hands_on_hips": (_hands_on_hips, 0.08, 0.02, 0.03),
    "hands_in_pockets": (_hands_in_pockets, 0.07, 0.05, 0.02),
    "arms_crossed": (_arms_crossed, 0.025, 0.02, 0.02),
    "arms_raised": (_arms_raised, 0.035, 0.02, 0.08),
    "pointing": (_pointing, 0.02, 0.02, 0.05),
    "looking_back": (_looking_back, 0.09, 0.02, 0.03),
    "running": (_running, 0.02, 0.03, 0.11),
    "sitting": (_sitting, 0.025, 0.015, 0.06),
    "squatting": (_squatting, 0.02, 0.01, 0.08),
    "jumping": (_jumping, 0.02, 0.01, 0.10),
    "bending": (_bending, 0.02, 0.02, 0.10),
    "kicking": (_kicking, 0.02, 0.015, 0.06),
}
