"""Cutting a person out of a wider photo for a model, and pasting what it drew back into the photo."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.photos.reading import MIN_SIDE

MARGIN = 1.25  # a cropped frame is this much larger than the box of the joints
FILLED = 0.7  # of the photo's height or width: whoever's frame covers so much fills the photo
FEATHER = 0.08  # of a frame's shorter side: how far in from its edges a pasted picture becomes opaque


@dataclass(frozen=True)
class Frame:
    """Where a frame lies in a photo, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def scaled(self, old_size: tuple[int, int], new_size: tuple[int, int]) -> "Frame":
        """Return the frame in another copy of the photo, both of sizes (H, W)."""
        down, across = new_size[0] / old_size[0], new_size[1] / old_size[1]
        left, top = round(self.left * across), round(self.top * down)
        right = round((self.left + self.width) * across)
        bottom = round((self.top + self.height) * down)
        return Frame(left, top, right - left, bottom - top)


def frame_person(person: Person, image_size: tuple[int, int]) -> Person:
    """Cut the person out of a wider photo, in the proportions that a model wants.

    Models were trained on pictures that one person fills. A photo that the person already fills (the frame
    round the joints covers 70 % of its height or width) is left alone. The cut never leaves the photo.

    Args:
        person: of any size.
        image_size: (H, W): only its proportions count.

    Returns:
        The person in the cut-out frame, at the photo's own resolution, masks and background along.

    Raises:
        ValueError: no joint is visible.
    """
    frame = find_frame(person, image_size)
    whole = (frame.height, frame.width) == person.image_size
    return person if whole else cut(person, frame)


def find_frame(person: Person, image_size: tuple[int, int]) -> Frame:
    """Find where `frame_person` cuts; the whole photo where it does not.

    Raises:
        ValueError: no joint is visible.
    """
    if not person.visible.any():
        raise ValueError("A person without any visible joint cannot be framed.")
    photo_height, photo_width = person.image.shape[:2]
    joints = person.keypoints[person.visible]
    low, high = joints.min(axis=0), joints.max(axis=0)
    box_width, box_height = np.maximum(high - low, 1) * MARGIN
    height = max(box_height, box_width * image_size[0] / image_size[1], 2 * MIN_SIDE)
    width = height * image_size[1] / image_size[0]
    if height >= FILLED * photo_height or width >= FILLED * photo_width:
        return Frame(0, 0, photo_width, photo_height)
    # OpenPose has no crown of the head: leave a little more room above the joints than below the ankles.
    center = (low + high) / 2 - [0, 0.03 * height]
    left = round(float(np.clip(center[0] - width / 2, 0, photo_width - width)))
    top = round(float(np.clip(center[1] - height / 2, 0, photo_height - height)))
    return Frame(left, top, min(round(width), photo_width - left), min(round(height), photo_height - top))


def cut(person: Person, frame: Frame) -> Person:
    """Cut a frame that lies inside the photo out of everything a person has; joints are shifted along."""
    rows = slice(frame.top, frame.top + frame.height)
    columns = slice(frame.left, frame.left + frame.width)

    def part(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[rows, columns].copy()

    keypoints = person.keypoints - np.array([frame.left, frame.top], np.float32)
    return Person(
        part(person.image),
        Pose(keypoints, person.visible, (frame.height, frame.width)),
        part(person.label_map),
        part(person.person_mask),
        part(person.background),
        name=person.name,
    )


def paste_back(
    photo: np.ndarray, generated: np.ndarray, frame: Frame, *, feather: float = FEATHER
) -> np.ndarray:
    """Put what a model drew back into the photo that its source was cut from.

    The picture is resized to its frame. Towards those of the frame's edges that lie inside the photo it fades
    into the photo, within the frame: outside the frame no pixel changes.

    Args:
        photo: uint8 (H, W, 3).
        generated: uint8 (h, w, 3).
        frame: in pixels of `photo`, inside it.
        feather: how wide the fading is, as a share of the frame's shorter side.

    Returns:
        uint8 (H, W, 3), a new array.

    Raises:
        ValueError: the frame does not lie inside the photo.
    """
    height, width = photo.shape[:2]
    left, top, right, bottom = frame.left, frame.top, frame.left + frame.width, frame.top + frame.height
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise ValueError(f"{frame} does not lie inside the photo of {width} x {height} pixels.")
    drawn = Image.fromarray(generated).resize((frame.width, frame.height), Image.Resampling.BICUBIC)
    reach = feather * min(frame.width, frame.height)
    down = _ramp(bottom - top, reach, fade_in=top > 0, fade_out=bottom < height)
    across = _ramp(right - left, reach, fade_in=left > 0, fade_out=right < width)
    opacity = (down[:, None] * across)[..., None]
    result = photo.copy()
    below = photo[top:bottom, left:right]
    result[top:bottom, left:right] = np.rint(opacity * drawn + (1 - opacity) * below)
    return result


def _ramp(length: int, reach: float, *, fade_in: bool, fade_out: bool) -> np.ndarray:
    """Return (length,) float: 1, falling to nearly 0 within `reach` pixels of the ends that fade."""
    distance = np.arange(length) + 0.5
    ramp = np.ones(length)
    for fades, away in ((fade_in, distance), (fade_out, length - distance)):
        if fades:
            ramp *= np.clip(away / max(reach, 1e-9), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)  # smooth at both ends
