"""From dragged 2-D joints to a 3-D pose of the same body: bones keep their lengths.

A bone of length L that looks d long is foreshortened: it goes sqrt(L^2 - d^2) toward or away from the viewer
(Taylor, Reconstruction of Articulated Objects from Point Correspondences in a Single Uncalibrated Image, CVIU
2000). Which of the two, the reference pose says; where it says nothing, anatomy does. Trunk and head have
several joints each; they are fitted by least squares from that first guess.
"""

import math
from dataclasses import replace

import numpy as np

from pgt.data.pose import Pose
from pgt.synthetic.articulation import BodyPose, frame_along, rotation_from_vector
from pgt.synthetic.camera import Camera, unproject, view_rotation
from pgt.synthetic.skeleton import BONE, PARENT, Frames, Proportions, forward_kinematics, joints_18

_SHOULDERS, _HIPS = (2, 5), (8, 11)
_FACE = (0, 14, 15, 16, 17)
# (upper bone, lower bone, joint at the upper's end, joint at the lower's end, way the lower one flexes)
_LIMBS = (
    ("right_upper_arm", "right_forearm", 3, 4, 1.0),
    ("left_upper_arm", "left_forearm", 6, 7, 1.0),
    ("right_thigh", "right_calf", 9, 10, -1.0),
    ("left_thigh", "left_calf", 12, 13, -1.0),
)
# thighs and upper arms swing back only so far: share of the bone's length that may go behind the body
_FARTHEST_BACK = {
    BONE["right_thigh"]: 0.6,
    BONE["left_thigh"]: 0.6,
    BONE["right_upper_arm"]: 0.9,
    BONE["left_upper_arm"]: 0.9,
}
_NEAR = 2e-4  # metres: joints this near their place are not moved
_TELLING = 0.2  # the reference decides the sign of a bone's depth if it is at least this share of its length


def lift_pose(pose: Pose, proportions: Proportions, camera: Camera, reference: BodyPose) -> BodyPose:
    """Recover the 3-D pose behind edited 2-D joints.

    Args:
        pose: the wanted joints in pixels of an image of `pose.image_size`; those not visible are left to the
            reference.
        proportions: of the body.
        camera: that sees it.
        reference: the pose before the edit, or any similar one: it decides between toward and away from the
            viewer, and everything that no joint tells (hands, feet, twists, the distance).

    Returns:
        A pose whose visible joints project to the wanted places, as nearly as bones of fixed length can: a
        bone that is too short points there. Joints that already are in place don't move.
    """
    lift = _Lift(pose, proportions, camera, reference)
    lift.turn_trunk()
    trunk = ("pelvis", "spine", "chest")
    lift.fit(trunk, (1, *_SHOULDERS, *_HIPS), moves=True)
    lift.fit(("neck", "head"), _FACE, moves=False)
    for _ in range(2):  # twice, since a shoulder follows its arm
        for limb in _LIMBS:
            lift.aim_limb(*limb)
    lift.level_soles(reference)
    rotation = view_rotation(camera)
    return replace(reference, rotations=lift.local, root=lift.root @ rotation)


class _Lift:
    """The body in view coordinates (metres, x right, y up, z toward the viewer) while it is being fitted."""

    def __init__(self, pose: Pose, proportions: Proportions, camera: Camera, reference: BodyPose) -> None:
        self.proportions = proportions
        self.view = view_rotation(camera)
        self.root = self.view @ reference.root
        self.local = np.array(reference.rotations, dtype=np.float64)
        self.visible = np.asarray(pose.visible, dtype=bool)
        keypoints = np.where(self.visible[:, None], pose.keypoints, 0.0).astype(np.float64)
        world = unproject(keypoints, np.zeros(len(keypoints)), camera, pose.image_size)
        self.wanted = (world @ self.view.T)[:, :2]

    def pose(self) -> tuple[Frames, np.ndarray]:
        """Return frames and (18, 3) joints in view coordinates."""
        local = self.local.copy()
        local[0] = self.view @ local[0]
        frames = forward_kinematics(self.proportions, local, self.root)
        return frames, joints_18(self.proportions, frames)

    def rotate(self, bone: int, frames: Frames, rotation: np.ndarray) -> None:
        """Turn a bone, and all that hangs on it, by a rotation in view coordinates."""
        parent = self.view if PARENT[bone] < 0 else frames.rotations[PARENT[bone]]
        self.local[bone] = parent.T @ rotation @ parent @ self.local[bone]

    def turn_trunk(self) -> None:
        """Turn pelvis and chest as the lines of hips and shoulders and the line between them say."""
        needed = [*_SHOULDERS, *_HIPS]
        _, joints = self.pose()
        if not self.visible[needed].all() or self._in_place(joints, needed):
            return
        wanted_up = self.wanted[needed[:2]].mean(0) - self.wanted[needed[2:]].mean(0)
        up = joints[needed[:2]].mean(0) - joints[needed[2:]].mean(0)
        carried, facing = np.eye(3), self._face_side()
        for bone, (right, left) in (("pelvis", _HIPS), ("chest", _SHOULDERS)):
            frames, _ = self.pose()
            across = joints[left] - joints[right]
            new_across = _lengthen(self.wanted[left] - self.wanted[right], across, facing)
            new_up = _lengthen(wanted_up, up, np.cross(across, up)[2])
            turn = _basis(new_across, new_up) @ _basis(across, up).T
            self.rotate(BONE[bone], frames, turn @ carried.T)
            carried = turn  # the pelvis carries the chest

    def _face_side(self) -> float:
        """Return the likely sign of the left side's depth: a face that looks to the right hides the left."""
        ears = [joint for joint in (16, 17, 1) if self.visible[joint]]
        if not self.visible[0] or not ears:
            return 1.0
        return float(self.wanted[ears, 0].mean() - self.wanted[0, 0]) or 1.0

    def _in_place(self, joints: np.ndarray, which: list[int]) -> bool:
        return bool((np.abs(joints[which, :2] - self.wanted[which]) < _NEAR).all())

    def fit(self, bones: tuple[str, ...], which: tuple[int, ...], *, moves: bool) -> None:
        """Turn bones (and shift the body if it `moves`) to bring joints to their places: damped Gauss-Newton.

        A rotation w of a bone that starts at o moves a joint at p by w x (p - o). The sum of all rotations is
        held back a little, so that what no joint tells stays as it is.
        """
        which = [joint for joint in which if self.visible[joint]]
        turns = 3 * len(bones)
        size = turns + 2 * moves
        total, hold = np.zeros(size), np.full(size, 1e-3)
        hold[turns:] = 1e-6
        for _ in range(10):
            frames, joints = self.pose()
            if not which or self._in_place(joints, which):
                return
            jacobian = self._jacobian(bones, which, frames, joints)[:, :size]
            residual = (self.wanted[which] - joints[which, :2]).ravel()
            step = np.linalg.solve(
                jacobian.T @ jacobian + np.diag(hold), jacobian.T @ residual - hold * total
            )
            step[:turns] = np.clip(step[:turns], -0.4, 0.4)
            total += step
            self.root[:2] += step[turns:] if moves else 0
            for i in reversed(range(len(bones))):  # the outer bone first: its parent's frame is still true
                rotation = rotation_from_vector(step[None, 3 * i : 3 * i + 3])[0]
                self.rotate(BONE[bones[i]], frames, rotation)

    def _jacobian(
        self, bones: tuple[str, ...], which: list[int], frames: Frames, joints: np.ndarray
    ) -> np.ndarray:
        """Return (2 * joints, 3 * bones + 2): the joints' motion by turns and a shift."""
        jacobian = np.zeros((len(which), 2, 3 * len(bones) + 2))
        for i, bone in enumerate(bones):
            x, y, z = (joints[which] - frames.origins[BONE[bone]]).T
            if bone in ("spine", "chest"):  # the hips hang on the pelvis
                x, y, z = np.where(np.isin(which, _HIPS), 0.0, (x, y, z))
            jacobian[:, 0, 3 * i + 1], jacobian[:, 0, 3 * i + 2] = z, -y
            jacobian[:, 1, 3 * i], jacobian[:, 1, 3 * i + 2] = -z, x
        jacobian[:, 0, -2] = jacobian[:, 1, -1] = 1
        return jacobian.reshape(len(which) * 2, -1)

    def aim_limb(self, upper: str, lower: str, middle: int, end: int, hinge: float) -> None:
        """Aim both bones of a limb; then twist the upper one so that elbow or knee is bent as a hinge."""
        frames, joints = self.pose()
        forward = frames.rotations[BONE["chest" if hinge > 0 else "pelvis"]][2, 2]
        self._aim(BONE[upper], middle, forward)
        frames, joints = self.pose()
        start, target = joints[middle], self.wanted[end]
        if not self.visible[end] or np.abs(joints[end, :2] - target).max() < _NEAR:
            return
        turn = frames.rotations[BONE[upper]]
        aim = _lengthen(target - start[:2], joints[end] - start, hinge * turn[2, 2])
        old, new = -self.local[BONE[lower]][:, 1], turn.T @ (aim / np.linalg.norm(aim))
        bend = min(math.hypot(new[0], new[2]), 1.0)
        self._twist(BONE[upper], _hinge_angle(new, hinge) - _hinge_angle(old, hinge), bend)
        self._aim(BONE[lower], end, hinge * turn[2, 2])

    def _twist(self, bone: int, angle: float, bend: float) -> None:
        """Twist a bone about its own axis; less so where the limb is nearly straight and no angle is sure."""
        angle = (angle + math.pi) % (2 * math.pi) - math.pi
        sure = min(max((bend - 0.05) / 0.25, 0.0), 1.0)
        self.local[bone] = self.local[bone] @ rotation_from_vector(np.array([[0.0, angle * sure, 0.0]]))[0]

    def _aim(self, bone: int, end: int, forward: float) -> None:
        """Swing a bone the short way so that the joint at its end comes to its place."""
        frames, joints = self.pose()
        start, target = frames.origins[bone], self.wanted[end]
        if not self.visible[end] or np.abs(joints[end, :2] - target).max() < _NEAR:
            return
        now = joints[end] - start
        aim = _lengthen(target - start[:2], now, forward)
        if bone in _FARTHEST_BACK:
            parent, length = frames.rotations[PARENT[bone]][:, 2], np.linalg.norm(now)
            other = aim * (1, 1, -1)
            too_far = aim @ parent < -_FARTHEST_BACK[bone] * length
            aim = other if too_far and other @ parent > aim @ parent else aim
        self.rotate(bone, frames, _shortest(now, aim))

    def level_soles(self, reference: BodyPose) -> None:
        """Stand the foot of a leg that was moved flat, if it is one the body stands on."""
        frames, _ = self.pose()
        up = self.view[:, 1]
        heights = {side: frames.origins[BONE[f"{side}_foot"]] @ up for side in ("right", "left")}
        for side, height in heights.items():
            thigh, calf, foot = (BONE[f"{side}_{bone}"] for bone in ("thigh", "calf", "foot"))
            still = np.allclose(self.local[[0, thigh, calf]], reference.rotations[[0, thigh, calf]])
            front = frames.rotations[calf][:, 2]
            steep = front @ up  # of the shin; a foot on tiptoe or in the air keeps its angle
            if not still and height < min(heights.values()) + 0.06 and abs(steep) < 0.6:
                self.local[foot] = frames.rotations[calf].T @ frame_along(-up, front)


def _lengthen(flat: np.ndarray, now: np.ndarray, likely: float) -> np.ndarray:
    """Give a projected bone (2,) the length of `now` (3,), by going into depth; cut it if it is too long.

    The depth has the sign that it has `now`, or that of `likely` if the bone is nearly level now.
    """
    length, seen = float(np.linalg.norm(now)), float(np.linalg.norm(flat))
    if seen >= length:
        return np.array([*(flat * (length / max(seen, 1e-9))), 0.0])
    sign = now[2] if abs(now[2]) > _TELLING * length else likely
    return np.array([*flat, math.copysign(math.sqrt(length**2 - seen**2), sign)])


def _basis(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Return the rotation with x along `across` and y as near `up` as can be."""
    x = across / max(np.linalg.norm(across), 1e-9)
    z = np.cross(x, up)
    if np.linalg.norm(z) < 1e-6:
        z = np.cross(x, (0.0, 1.0, 0.3))
    z = z / max(np.linalg.norm(z), 1e-9)
    return np.stack([x, np.cross(z, x), z], -1)


def _shortest(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return the smallest rotation (3, 3) that turns direction `old` into `new`."""
    a, b = old / max(np.linalg.norm(old), 1e-9), new / max(np.linalg.norm(new), 1e-9)
    axis, cosine = np.cross(a, b), float(a @ b)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-8 and cosine < 0:  # half a turn, about anything across
        axis = np.cross(a, (0.0, 0.0, 1.0) if abs(a[2]) < 0.9 else (0.0, 1.0, 0.0))
    axis = axis / max(float(np.linalg.norm(axis)), 1e-12)
    return rotation_from_vector((axis * math.atan2(sine, cosine))[None])[0]


def _hinge_angle(direction: np.ndarray, hinge: float) -> float:
    """Return how far a lower bone's direction (in its upper bone's frame) is out of the flexion plane."""
    return math.atan2(hinge * direction[0], hinge * direction[2])
