"""The joint editor: a Gradio component whose value is a `pgt.data.pose.Pose`.

A `gr.HTML` with a fixed SVG template; `pose_editor.js` draws into it and replaces the value once per edit;
`pose_body.js` moves joints and the whole body.
What a browser sends is under a visitor's control: `preprocess` checks it all, and handlers get a valid Pose.

Events beside Gradio's own: `release` (an edit is finished) and `imported` (a pose file was chosen; the event
carries its `text`). `initial`, `pictures` and `presets` can be changed by `gr.update`.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import gradio as gr
import numpy as np

from pgt.data.pose import FLIP_JOINTS, JOINTS, LIMBS, NUM_JOINTS, Pose
from pgt.plot import JOINT_COLORS

HERE = Path(__file__).parent
SCRIPTS = ("pose_body.js", "pose_editor.js")  # one script, in this order
MAX_SIDE = 4096  # pixels: no frame is larger
MAX_OUTSIDE = 2.0  # a joint may lie outside the frame by so many frame widths or heights

Value = dict[str, list]


class PoseEditor(gr.HTML):
    """Drag, hide, mirror and undo the 18 joints of a pose over a picture; move and resize the whole."""

    def __init__(
        self,
        value: Pose | None = None,
        *,
        initial: Value | None = None,
        pictures: Mapping[str, str] | None = None,
        presets: list[dict] | None = None,
        **settings,
    ) -> None:
        """Show `value`.

        Args:
            value: the pose to begin with (Gradio itself calls without one to change the other settings).
            initial: what "reset" goes back to, from `pose_to_value`; by default `value`.
            pictures: addresses of the pictures to lie under the joints: "source" and "result".
            presets: poses behind one click, from `preset_entry`.
            settings: of `gr.HTML`, for example `elem_id`.
        """
        # Without attributes of these names Gradio would take them for events, since the script quotes them.
        self.initial, self.pictures, self.presets = initial, dict(pictures or {}), presets or []
        super().__init__(
            value=value,
            html_template=(HERE / "pose_editor.html").read_text(encoding="utf-8"),
            css_template=(HERE / "pose_editor.css").read_text(encoding="utf-8"),
            js_on_load="\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS),
            apply_default_css=False,
            skeleton=skeleton(),
            pictures=self.pictures,
            presets=self.presets,
            initial=initial or (pose_to_value(value) if value is not None else None),
            **settings,
        )

    def preprocess(self, payload: Value | None) -> Pose:
        """Check what the browser sent; a bad pose gives the visitor one sentence."""
        try:
            return value_to_pose(payload)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def postprocess(self, value: Pose | Value | None) -> Value | None:
        """Turn a pose into what the page draws."""
        return pose_to_value(value) if isinstance(value, Pose) else value

    def api_info(self) -> dict:
        """Describe the value to API clients."""
        joint = {
            "type": "array",
            "items": {"type": "number"},
            "description": "x, y in pixels, visible 0 or 1",
        }
        return {
            "type": "object",
            "properties": {
                "image_size": {"type": "array", "items": {"type": "integer"}, "description": "height, width"},
                "keypoints": {"type": "array", "items": joint, "description": ", ".join(JOINTS)},
            },
            "required": ["image_size", "keypoints"],
        }

    def example_payload(self) -> Value:
        """Give API clients a pose to begin with: all joints in the middle."""
        return {"image_size": [128, 128], "keypoints": [[64.0, 64.0, 1]] * NUM_JOINTS}

    def example_value(self) -> Value:
        """Give documentation the same pose."""
        return self.example_payload()


def skeleton() -> dict[str, list]:
    """Return what the page must know: joints, limbs, mirror partners, colours, who follows whom."""
    return {
        "joints": list(JOINTS),
        "limbs": [list(limb) for limb in LIMBS],
        "flip": list(FLIP_JOINTS),
        "colors": ["rgb({}, {}, {})".format(*color) for color in JOINT_COLORS],
        "carried": [_followers(joint) for joint in range(NUM_JOINTS)],
    }


def _followers(joint: int) -> list[int]:
    """Return the joints further out than `joint`; the trunk (neck) carries nothing but the head."""
    head = [0, 14, 15, 16, 17]
    if joint == JOINTS.index("neck"):
        return head
    if joint in head:
        return [other for other in head if joint == 0 and other != 0]
    chains = [(2, 3, 4), (5, 6, 7), (8, 9, 10), (11, 12, 13)]
    chain = next(chain for chain in chains if joint in chain)
    return list(chain[chain.index(joint) + 1 :])


def pose_to_value(pose: Pose) -> Value:
    """Turn a pose into JSON; hidden joints outside are brought to the edge, where they can be taken again."""
    height, width = pose.image_size
    inside = np.clip(pose.keypoints, 0, [width - 1, height - 1])
    points = np.where(pose.visible[:, None], pose.keypoints, inside)
    rows = [
        [round(float(x), 2), round(float(y), 2), int(seen)]
        for (x, y), seen in zip(points, pose.visible, strict=True)
    ]
    return {"image_size": [height, width], "keypoints": rows}


def value_to_pose(value: object) -> Pose:
    """Check and read a value from a browser or an API client.

    Raises:
        ValueError: one sentence, for anything but 18 finite joints near a frame of sensible size.
    """
    if not isinstance(value, dict) or not value.get("keypoints"):
        raise ValueError(
            "There is no pose: send image_size [height, width] and 18 keypoints [x, y, visible]."
        )
    try:
        pose = Pose.from_json(json.dumps({key: value.get(key) for key in ("image_size", "keypoints")}))
    except (TypeError, RecursionError):
        raise ValueError("The pose must be made of numbers.") from None
    return checked_pose(pose)


def checked_pose(pose: Pose) -> Pose:
    """Refuse poses that no picture of ours can hold: huge frames, joints far outside, nothing visible."""
    height, width = pose.image_size
    if max(height, width) > MAX_SIDE:
        raise ValueError(
            f"The pose's frame is {width} x {height} pixels; at most {MAX_SIDE} a side are handled."
        )
    outside = np.abs(pose.keypoints / [width, height] - 0.5).max(axis=1) > 0.5 + MAX_OUTSIDE
    if (outside & pose.visible).any():
        name = JOINTS[int(np.flatnonzero(outside & pose.visible)[0])].replace("_", " ")
        raise ValueError(f"The {name} lies far outside the {width} x {height} picture.")
    if not pose.visible.any():
        raise ValueError("All joints of the pose are hidden; show at least one.")
    return pose


def preset_entry(name: str, pose: Pose) -> dict:
    """Make one entry of `presets`."""
    return {"name": name, "pose": pose_to_value(pose)}
