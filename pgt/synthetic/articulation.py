"""How a body articulates: joint limits, rotations from anatomical angles, limbs that reach for a place.

Angles are in degrees, one triple per bone (flexion, sideways, twist), mirrored between the sides:

- trunk, neck, head: bend forward, lean to the person's left, turn to the person's left;
- arms, thighs, hands, feet: swing forward (toes up), away from the body, inward about the bone's own axis;
- calves: bend backward.

A rotation is a twist about the bone followed by a swing straight to its direction, so that no order of Euler
angles has to be remembered and the only singular direction is straight opposite to rest.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from pgt.synthetic.skeleton import BONE, BONES, Frames, Proportions, forward_kinematics

# bone -> ((lowest, highest) flexion, sideways, twist), degrees; active range of motion of a limber adult
JOINT_LIMITS: dict[str, tuple[tuple[float, float], ...]] = {
    "pelvis": ((-30, 100), (-30, 30), (-360, 360)),  # orientation of the whole body
    "spine": ((-20, 45), (-20, 20), (-25, 25)),
    "chest": ((-15, 35), (-20, 20), (-25, 25)),
    "neck": ((-30, 35), (-25, 25), (-40, 40)),
    "head": ((-30, 30), (-20, 20), (-45, 45)),
    "upper_arm": ((-70, 180), (-75, 180), (-100, 110)),
    "forearm": ((-3, 150), (-8, 8), (-90, 90)),
    "hand": ((-80, 80), (-80, 80), (-40, 40)),
    "thigh": ((-35, 130), (-35, 70), (-65, 45)),
    "calf": ((-3, 150), (-5, 5), (-15, 15)),
    "foot": ((-55, 45), (-30, 30), (-30, 30)),
}

SIDES = {"right": -1.0, "left": 1.0}
_TRUNK = ("pelvis", "spine", "chest", "neck", "head")
_POINTS_UP = np.array([1.0 if name in _TRUNK else -1.0 for name in BONES])


def _sign(name: str) -> tuple[float, float, float]:
    if name in _TRUNK:
        return (1.0, -1.0, 1.0)
    side = SIDES[name.split("_")[0]]
    return (1.0 if name.endswith("calf") else -1.0, side, -side)


# (bone, radius of the flesh at its start, metres)
_ROUND_ENDS = (
    (BONE["pelvis"], 0.13),
    (BONE["right_calf"], 0.055),
    (BONE["left_calf"], 0.055),
    (BONE["right_hand"], 0.03),
    (BONE["left_hand"], 0.03),
)
_SIGNS = np.array([_sign(name) for name in BONES])


@dataclass(frozen=True)
class BodyPose:
    """A 3-D pose, for any proportions.

    Attributes:
        rotations: (17, 3, 3) float64, each bone relative to its parent, in the order of `skeleton.BONES`.
        root: (3,) position of the pelvis in metres; y is its height above the ground.
        name: the kind of pose.
    """

    rotations: np.ndarray
    root: np.ndarray
    name: str = ""

    def frames(self, proportions: Proportions) -> Frames:
        """Pose a skeleton of the given proportions."""
        return forward_kinematics(proportions, self.rotations, self.root)


def limits_of(bone: str) -> tuple[tuple[float, float], ...]:
    """Return the (lowest, highest) flexion, sideways and twist of a bone, degrees."""
    return JOINT_LIMITS.get(bone) or JOINT_LIMITS[bone.split("_", 1)[1]]


def rotations_from_angles(angles: np.ndarray) -> np.ndarray:
    """Turn (17, 3) angles (flexion, sideways, twist; degrees) into (17, 3, 3) local rotations."""
    signed = np.radians(angles) * _SIGNS
    swing = np.stack([signed[:, 0], np.zeros(len(angles)), signed[:, 1]], -1)
    twist = np.stack([np.zeros(len(angles)), signed[:, 2], np.zeros(len(angles))], -1)
    return rotation_from_vector(swing) @ rotation_from_vector(twist)


def angles_from_rotations(rotations: np.ndarray) -> np.ndarray:
    """Return the (17, 3) angles (flexion, sideways, twist; degrees) of (17, 3, 3) local rotations."""
    axis = rotations[:, :, 1] * _POINTS_UP[:, None]  # where each bone's axis points now
    cosine = np.clip(axis[:, 1] * _POINTS_UP, -1, 1)
    angle = np.arccos(cosine)
    sine = np.maximum(np.hypot(axis[:, 0], axis[:, 2]), 1e-12)
    # the rotation vector is (rest axis x axis), rest axis = (0, +-1, 0)
    swing = np.stack([axis[:, 2] * _POINTS_UP, np.zeros(len(axis)), -axis[:, 0] * _POINTS_UP], -1)
    swing *= (angle / sine)[:, None]
    left_over = np.swapaxes(rotation_from_vector(swing), 1, 2) @ rotations
    twist = np.arctan2(left_over[:, 0, 2], left_over[:, 0, 0])
    return np.degrees(np.stack([swing[:, 0], swing[:, 2], twist], -1)) * _SIGNS


def rotation_from_vector(vectors: np.ndarray) -> np.ndarray:
    """Return (N, 3, 3) rotations about (N, 3) axes by their length in radians (Rodrigues' formula)."""
    angle = np.sqrt((vectors * vectors).sum(-1))[:, None, None]
    x, y, z = vectors.T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
    safe = np.maximum(angle, 1e-9)
    half = np.sin(safe / 2) / safe
    return np.eye(3) + np.sin(safe) / safe * cross + 2 * half * half * (cross @ cross)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(math.sqrt(vector @ vector), 1e-9)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    (a0, a1, a2), (b0, b1, b2) = a.tolist(), b.tolist()
    return np.array([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0])


def frame_along(direction: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Return the (3, 3) rotation whose -y points along `direction`, its +z as near `front` as can be."""
    y = -_unit(direction)
    z = front - (front @ y) * y
    if z @ z < 1e-8:  # the front lies along the bone: any other direction will do
        z = np.array([y[1], y[2], y[0]])
        z = z - (z @ y) * y
    z = _unit(z)
    return np.stack([_cross(y, z), y, z], -1)


def reach(
    start: np.ndarray, target: np.ndarray, lengths: tuple[float, float], pole: np.ndarray, hinge: float
) -> tuple[np.ndarray, np.ndarray]:
    """Bend a two-bone limb so that its end comes to `target`, or as near as its length lets it.

    Args:
        start, target: (3,) metres.
        lengths: of the upper and the lower bone.
        pole: (3,) the direction toward which the middle joint is pushed.
        hinge: +1 for arms (the lower bone flexes forward), -1 for legs (backward).

    Returns:
        World rotations (3, 3) of the upper and of the lower bone.
    """
    upper, lower = lengths
    line = target - start
    distance = min(max(math.sqrt(line @ line), abs(upper - lower) + 0.02), (upper + lower) * 0.9995)
    line = _unit(line)
    cosine = (upper**2 + distance**2 - lower**2) / (2 * upper * distance)
    side = pole - (pole @ line) * line
    if side @ side < 1e-8:
        side = np.array([line[1], line[2], line[0]])
        side = side - (side @ line) * line
    side, sine = _unit(side), math.sqrt(max(1 - cosine**2, 0.0))
    middle = upper * (cosine * line + sine * side)
    first = frame_along(middle, hinge * (sine * line - cosine * side))
    y = -_unit(distance * line - middle)
    return first, np.stack([first[:, 0], y, _cross(first[:, 0], y)], -1)


def ground(pose: BodyPose, proportions: Proportions, clearance: float = 0.0) -> BodyPose:
    """Return the pose at the height where the body's lowest point is `clearance` metres above y = 0."""
    lowest = lowest_point(forward_kinematics(proportions, pose.rotations), proportions)
    return replace(pose, root=np.array([pose.root[0], clearance - lowest, pose.root[2]]))


def lowest_point(frames: Frames, p: Proportions) -> float:
    """Return the height of the lowest of soles, knees, seat and hands, metres."""
    soles = np.array([[0, -p.ankle_height, -0.05], [0, -p.ankle_height, p.foot]])
    low = [frames.origins[bone][1] - radius for bone, radius in _ROUND_ENDS]
    for bone in (BONE["right_foot"], BONE["left_foot"]):
        low.append((frames.origins[bone] + soles @ frames.rotations[bone].T)[:, 1].min())
    return float(min(low))


def torso_depth(frames: Frames, p: Proportions) -> np.ndarray:
    """Return how far each arm sinks into trunk or thighs, metres, (right, left); negative is clear of them.

    The trunk is two capsules of radius 0.10 m side by side, so that it is wider than deep; the thighs have
    radius 0.085 m; arms are tested at elbow, mid forearm, wrist and middle of the hand, with radius 0.04 m.
    """
    origins, rotations = frames.origins, frames.rotations
    lift, inner = p.pelvis + p.spine + 0.10, 0.5 * p.shoulder_half_width
    hips = origins[[BONE["right_thigh"], BONE["left_thigh"]]]
    knees = origins[[BONE["right_calf"], BONE["left_calf"]]]
    tops = origins[0] + np.array([[-inner, lift, 0], [inner, lift, 0]]) @ rotations[0].T
    start = np.concatenate([hips, hips])[:, None]
    along = np.concatenate([tops, knees])[:, None] - start
    radius = np.array([0.135, 0.135, 0.125, 0.125])[:, None] - np.array([0.03, 0, 0, 0])
    points = []
    for side in ("right", "left"):
        elbow, wrist = origins[BONE[f"{side}_forearm"]], origins[BONE[f"{side}_hand"]]
        palm = wrist - rotations[BONE[f"{side}_hand"]][:, 1] * p.hand / 2
        points += [elbow, (elbow + wrist) / 2, wrist, palm]
    away = np.stack(points) - start  # (4 capsules, 8 points, 3)
    share = np.clip((away * along).sum(-1) / (along * along).sum(-1), 0, 1)[..., None]
    distance = np.sqrt(((away - share * along) ** 2).sum(-1)).reshape(4, 2, 4)
    return (radius[:, None] - distance).max((0, 2))
