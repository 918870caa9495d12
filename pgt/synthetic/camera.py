"""Orthographic cameras around a person, and the framing rules of each kind of scene.

The person's turn belongs to the camera: a pose faces +z, `yaw` turns it. Image positions are in *image
heights* from the image centre (x right, y down), so a camera means the same picture at any resolution, and
the aspect ratio only decides how much is seen at the sides.
"""

import math
from dataclasses import dataclass

import numpy as np

from pgt.synthetic.draw import Draw

SCENES = ("plain", "street", "non_iconic")
SHOTS = ("full", "upper")  # the whole body; cut somewhere between hips and knees

_FACE_AND_LEGS = (0, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)
_ARMS = (3, 4, 6, 7)
_CROWN = 0.13  # metres from the middle of the ears to above the crown, hair included
_SOLE = 0.09  # metres from the ankle joint to below the sole

# (scene, shot) -> shares of people who face the viewer, face away, stand sideways
_VIEWS = {
    ("plain", "full"): (0.88, 0.03, 0.09),
    ("plain", "upper"): (0.42, 0.25, 0.33),
    ("street", "full"): (0.52, 0.39, 0.09),
    ("non_iconic", "full"): (0.50, 0.25, 0.25),
}
_VIEW_SPREAD = (30.0, 28.0, 28.0)  # standard deviations in degrees
_PITCH = {"plain": (0.0, 2.0), "street": (10.0, 4.0), "non_iconic": (6.0, 5.0)}  # mean, std in degrees
_UPPER_SHARE = {"plain": 0.45, "street": 0.0, "non_iconic": 0.0}


@dataclass(frozen=True)
class Camera:
    """An orthographic view.

    Attributes:
        yaw: the person's turn in radians; 0 faces the viewer, +pi/2 the image's right, pi shows the back.
        pitch: how far the camera looks down, radians.
        center: (x, y) where the world origin (the ground under the pelvis) lands, in image heights from the
            image centre, y down.
        scale: image heights per metre.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    center: tuple[float, float] = (0.0, 0.42)
    scale: float = 0.5


def view_rotation(camera: Camera) -> np.ndarray:
    """Return (3, 3), world -> view: x right, y up, z toward the viewer."""
    cy, sy = math.cos(camera.yaw), math.sin(camera.yaw)
    cp, sp = math.cos(camera.pitch), math.sin(camera.pitch)
    return np.array([[cy, 0.0, sy], [sp * sy, cp, -sp * cy], [-cp * sy, sp, cp * cy]])


def project(points: np.ndarray, camera: Camera, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Project world points.

    Args:
        points: (..., 3) world metres.
        camera: the view.
        size: (H, W) of the image.

    Returns:
        Pixels (..., 2) as (x, y), and depth (...) in metres, growing toward the viewer.
    """
    height, width = size
    view = points @ view_rotation(camera).T
    x = (width - 1) / 2 + height * (camera.center[0] + camera.scale * view[..., 0])
    y = (height - 1) / 2 + height * (camera.center[1] - camera.scale * view[..., 1])
    return np.stack([x, y], -1), view[..., 2]


def unproject(pixels: np.ndarray, depth: np.ndarray, camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """Return the world points (..., 3) that `project` maps to `pixels` (..., 2) (x, y) and `depth` (...)."""
    height, width = size
    x = ((pixels[..., 0] - (width - 1) / 2) / height - camera.center[0]) / camera.scale
    y = (camera.center[1] - (pixels[..., 1] - (height - 1) / 2) / height) / camera.scale
    return np.stack([x, y, depth], -1) @ view_rotation(camera)


def draw_yaw(draw: Draw, scene: str, shot: str = "full") -> float:
    """Draw the person's turn in radians, with the scene's shares of front, back and side views."""
    view = draw.choice(range(3), _VIEWS.get((scene, shot), _VIEWS[scene, "full"]))
    side = 1 if draw.chance(0.5) else -1
    middle = (0.0, 180.0, 90.0 * side)[view]
    return math.radians(draw.normal(middle, _VIEW_SPREAD[view]))


def draw_shot(draw: Draw, scene: str) -> str:
    """Draw "full" or "upper"; only plain scenes have upper-body shots."""
    return "upper" if draw.chance(_UPPER_SHARE[scene]) else "full"


def draw_camera(
    draw: Draw, scene: str, joints: np.ndarray, *, yaw: float | None = None, shot: str | None = None
) -> Camera:
    """Draw a view of a posed person that frames it as the scene's real data does.

    Args:
        draw: the stream of random numbers.
        scene: "plain" (a studio catalogue: the body fills about 85 % of the height, or an upper-body crop),
            "street" (a pedestrian crop, 1:2: the body fills the frame, seen a little from above) or
            "non_iconic" (a small figure anywhere in a wide picture).
        joints: (18, 3) world metres.
        yaw: the person's turn in radians; drawn if absent. Someone who looks over the shoulder is turned so
            that the face is seen.
        shot: "full" or "upper"; drawn if absent.

    Raises:
        ValueError: on an unknown scene or shot.
    """
    if scene not in SCENES or shot not in (None, *SHOTS):
        raise ValueError(f"Unknown scene or shot {scene!r}, {shot!r}: scenes are {SCENES}, shots {SHOTS}.")
    drawn_shot = draw_shot(draw, scene)
    shot = shot or drawn_shot
    drawn_yaw = _catch_the_eye(draw, scene, joints, draw_yaw(draw, scene, shot))
    pitch = math.radians(draw.normal(*_PITCH[scene]))
    view = Camera(drawn_yaw if yaw is None else yaw, pitch, (0.0, 0.0), 1.0)
    seen = joints @ view_rotation(view).T * (1, -1, 1)  # metres, x right, y down
    box = _body_box(seen)
    if scene == "non_iconic":
        return _somewhere(draw, view, box)
    upright = joints[1, 1] - joints[[8, 11], 1].mean() > 0.4
    upright &= (joints[[8, 11], 1] - joints[[10, 13], 1]).min() > 0.5
    if shot == "upper" and upright:  # of someone who sits or kicks, the whole body is shown
        return _upper_body(draw, view, seen)
    return _full_body(draw, view, box, scene)


def _catch_the_eye(draw: Draw, scene: str, joints: np.ndarray, yaw: float) -> float:
    """Turn those who pose for a picture so that a turned head looks at the viewer; passers-by don't care."""
    glance, nudge = _head_turn(joints), draw.normal(0, 0.2)
    if scene == "street":
        return yaw
    if abs(glance) > 0.7:  # about 40 degrees: the glance over the shoulder is the point of the picture
        return -glance * (1.9 + nudge)
    return -math.copysign(yaw, glance) if abs(yaw) > 0.5 else yaw


def _head_turn(joints: np.ndarray) -> float:
    """Return how far the face is turned to the person's left of the shoulders, in radians."""
    left = joints[5] - joints[2]
    face = joints[0] - (joints[16] + joints[17]) / 2
    forward = np.array([-left[2], 0.0, left[0]])
    return float(math.atan2(face @ (left * (1, 0, 1)), face @ forward))


def _body_box(seen: np.ndarray) -> np.ndarray:
    """Return (left, top, right, bottom) in metres, y down; arms above the head count only in part."""
    core, arms = seen[list(_FACE_AND_LEGS), :2], seen[list(_ARMS), :2]
    ears = (seen[16, 1] + seen[17, 1]) / 2
    top = min(core[:, 1].min(), ears - _CROWN)
    top -= 0.7 * max(0.0, top - (arms[:, 1].min() - 0.12))  # the hand reaches 12 cm or more beyond the wrist
    left, right = (0.7 * edge(seen[:, 0]) + 0.3 * edge(core[:, 0]) for edge in (np.min, np.max))
    return np.array([left - 0.08, top, right + 0.08, core[:, 1].max() + _SOLE])


def _full_body(draw: Draw, view: Camera, box: np.ndarray, scene: str) -> Camera:
    """Let the body fill the height, unless a wide pose (or the size of someone crouching) forbids it."""
    street = scene == "street"
    fill = draw.normal(0.935, 0.04) if street else draw.normal(0.91, 0.035)
    widest = 0.46 if street else 0.80
    scale = min(min(fill, 0.985) / max(box[3] - box[1], 1.0), widest / (box[2] - box[0]))
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    jitter = (draw.normal(0, 0.022), draw.normal(0.0 if street else -0.018, 0.015))
    center = (jitter[0] - scale * x, jitter[1] - scale * y)
    return Camera(view.yaw, view.pitch, center, float(scale))


def _upper_body(draw: Draw, view: Camera, seen: np.ndarray) -> Camera:
    """Cut between hips and knees: the nose stands near the top, the trunk has a drawn length."""
    scale = min(max(draw.normal(0.965, 0.11), 0.72), 1.25)
    x = 0.5 * seen[1, 0] + 0.25 * (seen[8, 0] + seen[11, 0])
    center = (draw.normal(0, 0.04) - scale * x, draw.normal(-0.357, 0.035) - scale * seen[0, 1])
    return Camera(view.yaw, view.pitch, center, float(scale))


def _somewhere(draw: Draw, view: Camera, box: np.ndarray) -> Camera:
    """Place a small figure off centre, whole."""
    fill = draw.uniform(0.32, 0.70)
    scale = min(fill / max(box[3] - box[1], 1.2), 0.6 / (box[2] - box[0]))
    half_width, half_height = scale * (box[2] - box[0]) / 2, scale * (box[3] - box[1]) / 2
    reach_x, reach_y = max(0.47 - half_width, 0.0), max(0.48 - half_height, 0.0)
    x, y = draw.uniform(-reach_x, reach_x), draw.uniform(-0.5 * reach_y, reach_y)
    center = (x - scale * (box[0] + box[2]) / 2, y - scale * (box[1] + box[3]) / 2)
    return Camera(view.yaw, view.pitch, center, float(scale))
