"""Boxes around people: (x1, y1, x2, y2) in pixel edges, integers, always inside the picture.

A box never is empty: where nobody is to be seen it is the whole picture.
"""

import torch
from torch import Tensor

from pgt.geometry import box_from_mask

MARGIN = 0.12  # of a skeleton's longer side: joints lie inside the body, and the nose inside the head


def person_boxes(
    keypoints: Tensor,
    visible: Tensor,
    image_size: tuple[int, int],
    person_mask: Tensor | None = None,
    *,
    margin: float = MARGIN,
) -> Tensor:
    """Find the boxes around people: of their masks, or of their skeletons where masks are not known.

    Args:
        keypoints: (B, K, 2) float, (x, y) in pixels.
        visible: (B, K) bool.
        image_size: (H, W).
        person_mask: (B, 1, H, W), above 0 on the person.
        margin: added on all sides of a skeleton, as a share of its longer side.

    Returns:
        (B, 4) int64.
    """
    if person_mask is not None:
        return box_from_mask(person_mask[:, 0])
    seen, edges = visible.unsqueeze(-1), keypoints + 0.5  # pixel 0 reaches from 0 to 1
    low = torch.where(seen, edges, torch.inf).amin(dim=1)
    high = torch.where(seen, edges, -torch.inf).amax(dim=1)
    around = margin * (high - low).amax(dim=1, keepdim=True)
    limit = low.new_tensor([image_size[1], image_size[0]])
    low, high = ((low - around).floor(), (high + around).ceil())
    low, high = (torch.minimum(one.clamp_min(0), limit) for one in (low, high))
    empty = ~((high - low) >= 1).all(dim=1, keepdim=True)  # no joint at all, or all of them outside
    low, high = torch.where(empty, 0.0, low), torch.where(empty, limit, high)
    return torch.cat([low, high], dim=1).long()


def union_boxes(first: Tensor, second: Tensor) -> Tensor:
    """Return the smallest boxes (B, 4) that hold both of two boxes."""
    low, high = torch.minimum(first, second)[:, :2], torch.maximum(first, second)[:, 2:]
    return torch.cat([low, high], dim=1)


def proportioned_boxes(boxes: Tensor, image_size: tuple[int, int], frame: tuple[int, int]) -> Tensor:
    """Widen boxes to the proportions of a frame, so that a crop can be resized to it without stretching.

    Args:
        boxes: (B, 4).
        image_size: (H, W) of the picture; a box that would leave it is moved, and cut where it is too large.
        frame: (H, W).

    Returns:
        (B, 4) int64; in proportion up to a pixel, unless cut.
    """
    low, high = boxes[:, :2].double(), boxes[:, 2:].double()
    side, limit = high - low, low.new_tensor([image_size[1], image_size[0]])
    proportions = low.new_tensor([frame[1], frame[0]])
    wanted = torch.minimum((side / proportions).amax(dim=1, keepdim=True) * proportions, limit).ceil()
    start = ((low + high - wanted) / 2).floor().clamp_min(0)
    start = torch.minimum(start, limit - wanted)
    return torch.cat([start, start + wanted], dim=1).long()
