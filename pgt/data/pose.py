"""The 18 joints of a pose, its encodings as tensors, and the pose mask of PG2.

Coordinates are (x, y) in pixels of the image they travel with; sizes are (H, W). The centre of the top left
pixel is (0, 0), so pixel (x, y) is at (2x + 0.5, 2y + 0.5) in an image twice as large, and at W - 1 - x in a
mirrored one. A joint that is not visible has no influence on any encoding, whatever its coordinates are.

Knows nothing of images, people or files. Joint order: OpenPose's 18 points (Cao et al. 2017).
Encodings and mask: PG2 (Ma et al., Pose Guided Person Image Generation, NeurIPS 2017, section 3.1).
"""

import json
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pgt.data.point_sets import coco17_to_openpose18 as coco17_to_openpose18
from pgt.data.point_sets import openpose_people, split_points
from pgt.geometry import capsule_spans, constant, empty, fill_spans, hull_spans, resize_points, zeros
from pgt.geometry import closing as close_holes

JOINTS = (
    "nose", "neck",
    "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
NUM_JOINTS = len(JOINTS)
FLIP_JOINTS = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)
_FLIP = np.array(FLIP_JOINTS)  # NumPy would make it anew from the tuple every time

LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
# PG2 adds six links that close the head and the torso.
POSE_MASK_LIMBS = (*LIMBS, (1, 16), (1, 17), (8, 11), (11, 5), (8, 2), (16, 17))
TORSO_JOINTS = (2, 5, 11, 8)

MAX_COORDINATE = 1e5


@dataclass(frozen=True, eq=False)
class Pose:
    """The joints of one person in one image.

    Args:
        keypoints: (18, 2) float32, (x, y) in pixels; may lie outside the image.
        visible: (18,) bool. The coordinates of an invisible joint are kept (an editor may show it again) but
            mean nothing to any encoding; non-finite ones become 0.
        image_size: (H, W) of the image the coordinates belong to.

    Raises:
        ValueError: wrong shapes, or a visible joint that is not finite or beyond 1e5 pixels.
    """

    keypoints: np.ndarray
    visible: np.ndarray
    image_size: tuple[int, int]

    def __post_init__(self) -> None:
        keypoints = np.array(self.keypoints, dtype=np.float64)
        visible = np.array(self.visible, dtype=bool)
        if keypoints.shape != (NUM_JOINTS, 2) or visible.shape != (NUM_JOINTS,):
            raise ValueError(
                f"A pose needs keypoints (18, 2) and visible (18,), "
                f"but got {keypoints.shape} and {visible.shape}."
            )
        if not np.abs(keypoints).max() <= MAX_COORDINATE:  # NaN is not either
            unusable = ~(np.abs(keypoints) <= MAX_COORDINATE).all(axis=1)
            if (unusable & visible).any():
                bad = int(np.flatnonzero(unusable & visible)[0])
                where = keypoints[bad].tolist()
                raise ValueError(f"The visible {JOINTS[bad]} is at {where}, which is no pixel position.")
            keypoints[unusable] = 0
        height, width = map(int, self.image_size)
        if height < 1 or width < 1:
            raise ValueError(f"A pose needs an image size of at least 1x1, but got {height}x{width}.")
        object.__setattr__(self, "keypoints", keypoints.astype(np.float32))
        object.__setattr__(self, "visible", visible)
        object.__setattr__(self, "image_size", (height, width))

    def resized(self, image_size: tuple[int, int]) -> "Pose":
        """Return the pose in an image stretched to `image_size` (H, W)."""
        return Pose(resize_points(self.keypoints, self.image_size, image_size), self.visible, image_size)

    def flipped(self) -> "Pose":
        """Return the pose mirrored left to right, with left and right joints swapped."""
        keypoints = self.keypoints[_FLIP]
        keypoints[:, 0] = self.image_size[1] - 1 - keypoints[:, 0]
        return Pose(keypoints, self.visible[_FLIP], self.image_size)

    def to_json(self) -> str:
        """Write `{"image_size": [H, W], "keypoints": [[x, y, visible], ...]}`; reading it back is exact."""
        points = [
            [float(x), float(y), int(seen)] for (x, y), seen in zip(self.keypoints, self.visible, strict=True)
        ]
        return json.dumps({"image_size": list(self.image_size), "joints": list(JOINTS), "keypoints": points})

    @classmethod
    def from_json(cls, text: str, image_size: tuple[int, int] | None = None) -> "Pose":
        """Read our own JSON, or the first person of an OpenPose JSON of 18, 25 or 17 (COCO) points.

        Args:
            text: the JSON.
            image_size: (H, W), needed where the file does not say it itself (OpenPose's does not).

        Raises:
            ValueError: one sentence saying what is wrong with the text.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError, TypeError) as error:
            raise ValueError(f"The pose is not valid JSON ({error}).") from None
        if not isinstance(content, dict):
            raise ValueError(f"The pose must be a JSON object, not a {type(content).__name__}.")
        if "people" in content:
            people = openpose_people(content)
            if not people:
                raise ValueError("The OpenPose JSON holds no person.")
            keypoints, visible = people[0]
        elif "keypoints" in content:
            keypoints, visible = split_points(content["keypoints"], "keypoints")
        else:
            raise ValueError(
                'The pose JSON needs "keypoints" (18 times [x, y, visible]) or OpenPose\'s "people".'
            )
        return cls(keypoints, visible, image_size or _size_in(content))


def _size_in(content: dict) -> tuple[int, int]:
    size = content.get("image_size", (content.get("canvas_height"), content.get("canvas_width")))
    is_size = isinstance(size, list | tuple) and len(size) == 2
    if not is_size or not all(isinstance(side, int | float) and 1 <= side <= MAX_COORDINATE for side in size):
        raise ValueError('The pose JSON needs "image_size": [height, width] of the image it belongs to.')
    return int(size[0]), int(size[1])


def keypoints_to_discs(
    keypoints: Tensor, visible: Tensor, size: tuple[int, int], radius: float = 4.0
) -> Tensor:
    """Draw a solid disc per joint, as PG2 does: 49 pixels for radius 4.

    Args:
        keypoints: (B, K, 2) float, (x, y) in pixels of a `size` image; rounded to the nearest pixel.
        visible: (B, K) bool; an invisible joint gives an all-zero channel.
        size: (H, W) of the maps.
        radius: pixels whose squared distance from the rounded joint is at most radius**2 are 1.

    Returns:
        (B, K, H, W) float of 0 and 1.
    """
    height, width = size
    reach = math.floor(radius)
    steps = torch.arange(-reach, reach + 1, device=keypoints.device)
    dy, dx = torch.meshgrid(steps, steps, indexing="ij")
    in_disc = dx**2 + dy**2 <= radius**2
    x, y = (keypoints.unsqueeze(2) + 0.5).floor().long().unbind(dim=-1)  # each (B, K, 1)
    x, y = x + dx[in_disc], y + dy[in_disc]  # (B, K, pixels of a disc)
    drawn = visible.unsqueeze(2) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    plane = torch.arange(keypoints[..., 0].numel(), device=keypoints.device).view(*keypoints.shape[:2], 1)
    discs = zeros((*keypoints.shape[:2], height, width), keypoints)
    discs.view(-1)[((plane * height + y) * width + x)[drawn]] = 1
    return discs


def keypoints_to_gaussians(keypoints: Tensor, visible: Tensor, size: tuple[int, int], sigma: float) -> Tensor:
    """Draw a Gaussian bump per joint.

    Args:
        keypoints: (B, K, 2) float, (x, y) in pixels of a `size` image.
        visible: (B, K) bool; an invisible joint gives an all-zero channel.
        size: (H, W) of the maps.
        sigma: standard deviation in pixels of `size`.

    Returns:
        (B, K, H, W) float in [0, 1], exactly 1 at a joint on a pixel centre; values below 1e-19 may be 0.
    """
    height, width = size

    def bumps(center: Tensor, length: int) -> Tensor:
        offset = torch.arange(length, dtype=center.dtype, device=center.device) - center
        values = (offset * offset).mul_(-0.5 / sigma**2).exp_()
        # The far ends are cut so that no product is denormal: those are slow.
        return torch.where((values > 1e-19) & visible.unsqueeze(-1), values, 0.0)

    # A 2-D Gaussian is a product of two 1-D ones.
    x, y = keypoints.unsqueeze(-2).unbind(dim=-1)  # each (B, K, 1)
    across, down = bumps(x, width), bumps(y, height)
    if keypoints.requires_grad:
        return down.unsqueeze(-1) * across.unsqueeze(-2)
    maps = empty((*keypoints.shape[:2], height, width), keypoints)
    return torch.mul(down.unsqueeze(-1), across.unsqueeze(-2), out=maps)


def keypoints_to_coordinates(keypoints: Tensor, visible: Tensor, size: tuple[int, int]) -> Tensor:
    """List x, y and the visibility of every joint: the coordinate embedding of PG2.

    Args:
        keypoints: (B, K, 2) float, (x, y) in pixels of a `size` image.
        visible: (B, K) bool; an invisible joint gives three zeros.
        size: (H, W) that the edges -1 and 1 stand for.

    Returns:
        (B, K * 3) float: x and y in [-1, 1] inside the image (beyond it outside), and 1 where visible.
    """
    height, width = size
    scaled = (2 * keypoints + 1) / keypoints.new_tensor([width, height]) - 1
    seen = visible.unsqueeze(-1).to(keypoints.dtype)
    return torch.cat([torch.where(seen > 0, scaled, 0.0), seen], dim=-1).flatten(1)


def pose_mask(
    keypoints: Tensor,
    visible: Tensor,
    size: tuple[int, int],
    radius: float = 4.0,
    closing: int = 5,
    fill_torso: bool = True,
) -> Tensor:
    """Cover the body: join the joints by limbs, then close small holes (Ma et al. 2017, sec. 3.1, fig. 3).

    A disc slides along each of the 23 `POSE_MASK_LIMBS` whose two ends are visible. The released PG2 code
    stamps it every `radius` pixels or so instead, which is the same but for a scalloped edge, and leaves the
    torso open at 256x256, where a 5x5 closing is too small to fill it. The mask is meant to "approximately
    cover the whole human body", so the torso is filled by default.

    Args:
        keypoints: (B, 18, 2) float, (x, y) in pixels of a `size` image.
        visible: (B, 18) bool.
        size: (H, W) of the mask.
        radius: of the disc, in pixels.
        closing: side of the square of the closing (odd); 1 for none.
        fill_torso: fill the hull of the visible shoulders and hips (at least three); False as released.

    Returns:
        (B, 1, H, W) float of 0 and 1; all zero where no limb has both ends.
    """
    batch, (height, width) = len(keypoints), size
    image = torch.arange(batch, device=keypoints.device)
    mask = zeros((batch, height, width), keypoints.to(torch.uint8))
    first, second = (constant(ends, keypoints.device) for ends in zip(*POSE_MASK_LIMBS, strict=True))
    start, end = (keypoints.index_select(1, ends).flatten(0, 1) for ends in (first, second))
    drawn = (visible.index_select(1, first) & visible.index_select(1, second)).flatten()
    spans = capsule_spans(start, end, drawn, radius, height)
    fill_spans(mask, image.repeat_interleave(len(POSE_MASK_LIMBS)), spans)
    if fill_torso:
        torso = constant(TORSO_JOINTS, keypoints.device)
        seen = visible.index_select(1, torso)
        seen = seen & (seen.sum(dim=1, keepdim=True) >= 3)
        fill_spans(mask, image, hull_spans(keypoints.index_select(1, torso), seen, height))
    return close_holes(mask, closing).unsqueeze(1).to(keypoints.dtype)


@dataclass(frozen=True)
class PoseEncoding:
    """How joints become heat maps.

    Args:
        kind: "disc" (PG2) or "gaussian".
        radius: of the disc, in pixels of the encoded size (PG2: 4).
        sigma: of the Gaussian, in pixels of the encoded size.
        low: the value away from any joint: 0, or -1 as in the released PG2 code. Joints are always 1.
        mask_radius: of the limbs in the pose mask, in pixels of the encoded size (PG2: 4).
        mask_fill_torso: whether the pose mask covers the torso; False as in the released PG2 code.
    """

    kind: str = "disc"
    radius: float = 4.0
    sigma: float = 6.0
    low: float = 0.0
    mask_radius: float = 4.0
    mask_fill_torso: bool = True

    def __post_init__(self) -> None:
        if self.kind not in ("disc", "gaussian"):
            raise ValueError(f'A pose is encoded as "disc" or "gaussian", not {self.kind!r}.')
        if not (self.radius >= 0 and self.mask_radius >= 0 and self.sigma > 0):
            raise ValueError(
                f"Radii {self.radius} and {self.mask_radius} must not be negative, "
                f"and sigma {self.sigma} must be above 0."
            )

    def __call__(self, keypoints: Tensor, visible: Tensor, size: tuple[int, int]) -> Tensor:
        """Return (B, K, H, W) float heat maps in [low, 1]; an invisible joint gives a channel of `low`."""
        if self.kind == "disc":
            maps = keypoints_to_discs(keypoints, visible, size, self.radius)
        else:
            maps = keypoints_to_gaussians(keypoints, visible, size, self.sigma)
        return maps if self.low == 0 else maps * (1 - self.low) + self.low

    def mask(self, keypoints: Tensor, visible: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the pose mask (B, 1, H, W), float of 0 and 1."""
        return pose_mask(keypoints, visible, size, self.mask_radius, fill_torso=self.mask_fill_torso)
