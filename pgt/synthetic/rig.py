"""The posing rig: a pose put together from angles and from places that hands and feet reach for."""

import math

import numpy as np

from pgt.synthetic.articulation import (
    SIDES,
    BodyPose,
    frame_along,
    ground,
    reach,
    rotations_from_angles,
    torso_depth,
)
from pgt.synthetic.skeleton import BONE, BONES, Proportions, forward_kinematics, rest_offsets


class Rig:
    """A pose in the making: angles for some bones, places to reach for hands and feet.

    Args:
        proportions: of the body that poses; they decide where hands and feet come to lie.
    """

    def __init__(self, proportions: Proportions) -> None:
        self.proportions = proportions
        self.angles = np.zeros((len(BONES), 3))
        self._hands: dict[str, tuple[str, np.ndarray, np.ndarray, np.ndarray | None]] = {}
        self._feet: dict[str, tuple[np.ndarray, float, float, bool]] = {}

    def bend(self, bone: str, flexion: float, sideways: float = 0.0, twist: float = 0.0) -> None:
        """Set a bone's angles in degrees (see the module's text)."""
        self.angles[BONE[bone]] = (flexion, sideways, twist)

    def arm(self, side: str, forward: float, away: float, inward: float, elbow: float) -> None:
        """Pose an arm by angles in degrees; `place_hand` overrides it."""
        self.bend(f"{side}_upper_arm", forward, away, inward)
        self.bend(f"{side}_forearm", elbow)

    def leg(
        self, side: str, forward: float, away: float, inward: float, knee: float, foot: float = 0.0
    ) -> None:
        """Pose a leg by angles in degrees; `plant` overrides it."""
        self.bend(f"{side}_thigh", forward, away, inward)
        self.bend(f"{side}_calf", knee)
        self.bend(f"{side}_foot", foot)

    def place_hand(
        self,
        side: str,
        bone: str,
        position: tuple[float, float, float],
        elbow: tuple[float, float, float],
        direction: tuple[float, float, float] | None = None,
    ) -> None:
        """Bring a wrist to `position` in a bone's frame.

        Positions and directions are given for the left hand and mirrored for the right: x away from the
            middle, y
        up, z forward, metres. `elbow` is the way the elbow is pushed; `direction` the way the hand points
        (straight on if absent).
        """
        mirror = np.array([SIDES[side], 1, 1])
        points = None if direction is None else mirror * direction
        self._hands[side] = (bone, mirror * position, mirror * elbow, points)

    def plant(
        self,
        side: str,
        out: float,
        forward: float,
        toes_out: float = 10.0,
        *,
        heel: float = 0.0,
        bears: bool = True,
    ) -> None:
        """Stand a foot on the ground, its ankle `out` and `forward` of the pelvis in metres.

        The heel is raised by degrees. Of the feet that bear weight, the one farther away sets the height.
        """
        place = np.array([SIDES[side] * out, 0.0, forward])
        self._feet[side] = (place, SIDES[side] * toes_out, heel, bears)

    def build(
        self, name: str, height: float | None = None, *, stretch: float = 0.9993, open_arms: bool = True
    ) -> BodyPose:
        """Solve hands and feet and return the pose, standing on the ground.

        Args:
            name: of the pose.
            height: of the pelvis above the planted feet's ground; if absent, the legs that bear weight are
                stretched to the share `stretch` of their length.
            open_arms: swing arms posed by angles outward until they are clear of trunk and thighs.
        """
        rotations = rotations_from_angles(self.angles)
        root = np.zeros(3)
        if self._feet:
            root[1] = self._step(rotations, height, stretch)
        for side in self._hands:
            self._grasp(rotations, side)
        pose = BodyPose(rotations, root, name)
        pose = self._open_arms(pose) if open_arms else pose
        return pose if self._feet else ground(pose, self.proportions)

    def _step(self, rotations: np.ndarray, height: float | None, stretch: float) -> float:
        """Bring planted feet to their places; returns the pelvis's height."""
        p = self.proportions
        offsets = rest_offsets(p)
        targets, hips = {}, {}
        for side, (place, _, heel, _) in self._feet.items():
            hips[side] = rotations[0] @ offsets[BONE[f"{side}_thigh"]]
            slope = math.radians(heel)
            rise = p.ankle_height * math.cos(slope) + 0.75 * p.foot * math.sin(slope)
            targets[side] = place + np.array([0, rise, 0])
        if height is None:
            leg = stretch * (p.thigh + p.calf)
            lines = [targets[side] - hips[side] for side in targets if self._feet[side][3]]
            height = min(math.sqrt(max(leg**2 - x * x - z * z, 0.01)) + y for x, y, z in lines)
        for side, (_, turn, heel, _) in self._feet.items():
            angle = math.radians(turn)
            front = np.array([math.sin(angle), 0, math.cos(angle)])
            hip = hips[side] + np.array([0, height, 0])
            thigh, calf = reach(hip, targets[side], (p.thigh, p.calf), front, -1)
            slope = math.radians(heel)
            sole = frame_along(np.array([0, -math.cos(slope), 0]) - front * math.sin(slope), front)
            chain = (("thigh", rotations[0], thigh), ("calf", thigh, calf), ("foot", calf, sole))
            for bone, parent, world in chain:
                rotations[BONE[f"{side}_{bone}"]] = parent.T @ world
        return height

    def _grasp(self, rotations: np.ndarray, side: str) -> None:
        """Bring a wrist to its place; twice, since the shoulder follows the raised arm."""
        bone, position, pole, direction = self._hands[side]
        p = self.proportions
        for _ in range(2):
            frames = forward_kinematics(p, rotations)
            turn = frames.rotations[BONE[bone]]
            target = frames.origins[BONE[bone]] + turn @ position
            shoulder = frames.origins[BONE[f"{side}_upper_arm"]]
            upper, lower = reach(shoulder, target, (p.upper_arm, p.forearm), turn @ pole, 1)
            rotations[BONE[f"{side}_upper_arm"]] = frames.rotations[BONE["chest"]].T @ upper
            rotations[BONE[f"{side}_forearm"]] = upper.T @ lower
        if direction is not None:
            hand = frame_along(turn @ direction, lower[:, 2])
            rotations[BONE[f"{side}_hand"]] = lower.T @ hand

    def _open_arms(self, pose: BodyPose) -> BodyPose:
        """Swing arms posed by angles outward until they are clear of trunk and thighs."""
        free = [side for side in SIDES if side not in self._hands]
        for _ in range(12):
            depths = torso_depth(pose.frames(self.proportions), self.proportions)
            depth = dict(zip(SIDES, depths, strict=True))
            stuck = [side for side in free if depth[side] > 0]
            if not stuck:
                break
            for side in stuck:
                self.angles[BONE[f"{side}_upper_arm"], 1] += 3 + 100 * depth[side]
            turned = rotations_from_angles(self.angles)
            for side in stuck:
                pose.rotations[BONE[f"{side}_upper_arm"]] = turned[BONE[f"{side}_upper_arm"]]
        return pose
