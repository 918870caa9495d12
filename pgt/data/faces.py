"""Faces cut out of pictures by their joints, for a face discriminator (Song et al., TPAMI 2021, Eq. 11)."""

import torch
from torch import Tensor

from pgt.data.body_parts import PARTS, part_corners
from pgt.geometry import crop_and_resize

_HEAD = PARTS.index("head")


def face_boxes(keypoints: Tensor, visible: Tensor, image_size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Find the square of the head: half side 0.40 st around the mean of the visible face joints.

    Args:
        keypoints: (B, 18, 2) float, (x, y) in pixels.
        visible: (B, 18) bool.
        image_size: (H, W) of the picture.

    Returns:
        boxes (B, 4) float, (x1, y1, x2, y2) in pixel edges, possibly beyond the picture; and valid (B,)
        bool. Without a visible face joint, as from behind, or with the square wholly outside the picture,
        there is no face: valid is False and the box is the whole picture.
    """
    corners, known = part_corners(keypoints, visible, image_size[0])
    head = corners[:, _HEAD] + 0.5  # from pixel centres to pixel edges
    boxes = torch.cat([head.amin(dim=1), head.amax(dim=1)], dim=1)
    whole = boxes.new_tensor([0, 0, image_size[1], image_size[0]])
    inside = (boxes[:, :2] < whole[2:]).all(dim=1) & (boxes[:, 2:] > whole[:2]).all(dim=1)
    valid = known[:, _HEAD] & inside
    return torch.where(valid[:, None], boxes, whole), valid


def crop_faces(
    image: Tensor, keypoints: Tensor, visible: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Cut the face out of each picture: F(I) of Song et al. 2021, Eq. 11.

    Args:
        image: (B, C, H, W).
        keypoints: (B, 18, 2) float, (x, y) in pixels of `image`.
        visible: (B, 18) bool.
        size: (H, W) of the faces.

    Returns:
        faces (B, C, *size) float32, differentiable with respect to `image`, and valid (B,) bool. A picture
        without a face gives itself, shrunk, and valid False: give `valid` to the loss
        (`losses.adversarial_loss`), so that no face is learnt from it.
    """
    boxes, valid = face_boxes(keypoints, visible, (image.shape[-2], image.shape[-1]))
    # In half precision the places of pixels would be wrong by a pixel.
    return crop_and_resize(image.float(), boxes, size), valid
