"""The losses of MR-Net, which weigh the regions of people (Xu et al., TIP 2020, section III-B).

Boxes are (x1, y1, x2, y2) in pixel edges of the picture, x to the right: columns x1 to x2 - 1 of rows y1 to
y2 - 1 are inside. (The released code hands rows over as x and columns as y, which pools another region.)
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from pgt.losses.pictures import content_loss


def box_masks(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Fill boxes: M of Xu et al. 2020, Eq. 2.

    Args:
        boxes: (B, 4), (x1, y1, x2, y2) in pixel edges.
        size: (H, W) of the masks.

    Returns:
        (B, 1, H, W) float of 0 and 1; a pixel is inside where its centre is.
    """
    x1, y1, x2, y2 = boxes.view(-1, 4, 1).unbind(dim=1)  # each (B, 1)
    rows, columns = (torch.arange(side, device=boxes.device) + 0.5 for side in size)
    across, down = (columns > x1) & (columns < x2), (rows > y1) & (rows < y2)
    return (down.unsqueeze(2) & across.unsqueeze(1)).float().unsqueeze(1)


def weighted_reconstruction_loss(
    generated: Tensor, target: Tensor, source_boxes: Tensor, target_boxes: Tensor
) -> Tensor:
    """Squared error, and absolute error where the person was and shall be (Xu et al. 2020, Eq. 2).

    Args:
        generated, target: (B, C, H, W).
        source_boxes, target_boxes: (B, 4) around the person; a pixel inside both counts twice.

    Returns:
        Scalar: the mean over all elements. The paper sums over those of a picture.
    """
    size = (target.shape[-2], target.shape[-1])
    weights = box_masks(source_boxes, size) + box_masks(target_boxes, size)
    difference = generated.float() - target.float()
    return (difference.square() + difference.abs() * weights).mean()


def perceptual_loss(generated: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """Squared errors of features (Johnson et al. 2016; Xu et al. 2020, Eq. 3).

    Args:
        generated: one (B, C, h, w) per layer.
        target: as many; constants, which get no gradient.

    Returns:
        Scalar: the sum over layers of the mean over a layer's elements.
    """
    return content_loss(generated, target)


def roi_max_pool(features: Tensor, boxes: Tensor, image_size: tuple[int, int], size: int) -> Tensor:
    """Pool the features in a box, one box a picture, to a fixed size (Girshick 2015; phi of Eq. 4).

    The box's first and last pixels are scaled to the features and rounded; the region between them, both
    included, is cut into `size` x `size` bins that overlap where it is smaller, and the largest value of each
    is kept, as `torchvision.ops.roi_pool` does of (x1, y1, x2 - 1, y2 - 1). Only where rounding would push
    the region over the edge of the features it ends there, in place of bins of nothing.

    Args:
        features: (B, C, h, w) of a level that spans the picture.
        boxes: (B, 4) int64, (x1, y1, x2, y2) in pixel edges, inside the picture and not empty.
        image_size: (H, W) of the picture, also where it is not square.
        size: side of the result.

    Returns:
        (B, C, size, size) float32.
    """
    height, width = features.shape[-2:]
    scales = boxes.new_tensor([width / image_size[1], height / image_size[0]] * 2, dtype=torch.float64)
    last = boxes.new_tensor([0, 0, 1, 1])
    corners = ((boxes - last) * scales + 0.5).floor().long()
    limits = corners.new_tensor([width - 1, height - 1] * 2)
    pooled = [
        F.adaptive_max_pool2d(one[:, y1 : y2 + 1, x1 : x2 + 1].float(), size)
        for one, (x1, y1, x2, y2) in zip(features, corners.minimum(limits).tolist(), strict=True)
    ]
    return torch.stack(pooled)


def roi_perceptual_loss(
    generated: Sequence[Tensor],
    target: Sequence[Tensor],
    boxes: Tensor,
    image_size: tuple[int, int],
    sizes: Sequence[int] = (30, 30, 15, 7, 4),
) -> Tensor:
    """Squared errors of the features pooled from the person's box (Xu et al. 2020, Eq. 4).

    However small the person is, it fills the pooled features.

    Args:
        generated: one (B, C, h, w) per layer.
        target: as many; constants, which get no gradient.
        boxes: (B, 4) around the target person, as for `roi_max_pool`.
        image_size: (H, W) of the picture.
        sizes: side of the pooled features, layer by layer; by default those of section IV-A.

    Returns:
        Scalar: the sum over layers of the mean over the pooled elements.

    Raises:
        ValueError: not as many layers as sizes.
    """
    if not len(generated) == len(target) == len(sizes):
        raise ValueError(f"{len(generated)} and {len(target)} layers met {len(sizes)} sizes of regions.")
    pooled = [
        [roi_max_pool(one, boxes, image_size, size) for one, size in zip(layers, sizes, strict=True)]
        for layers in (generated, [layer.detach() for layer in target])  # the truth does not move
    ]
    return content_loss(*pooled)
