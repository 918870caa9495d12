"""Where Progressive looks closely: the centres of its local descriptors (2020, section 3.2, Fig. 4).

18 of them stand at the joints. More are interpolated along the first 13 limbs, those of the body without the
links to eyes and ears: one in the middle of each limb makes 31, two at its thirds 44, as many as the paper
has. (It does not name the pairs it interpolates between; these give its three numbers exactly.)
"""

import torch
from torch import Tensor

from pgt.data.pose import LIMBS, NUM_JOINTS
from pgt.geometry import constant

DESCRIPTOR_LIMBS = LIMBS[:13]


def descriptor_centers(
    keypoints: Tensor, visible: Tensor, count: int, image_size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Find the centres of the local descriptors.

    Args:
        keypoints: (B, 18, 2) float, (x, y) in pixels.
        visible: (B, 18) bool.
        count: how many: 18, 31, 44, ... (18 and any times 13), or 0.
        image_size: (H, W).

    Returns:
        centers (B, count, 2), (x, y) in pixels: the joints, then the first point of every limb, then the
        second of every limb, ...; and valid (B, count) bool. A joint counts if it is visible, a point between
        two joints if both are; and either only if it lies inside the picture. The others are at (0, 0).

    Raises:
        ValueError: another count.
    """
    per_limb, rest = divmod(count - NUM_JOINTS, len(DESCRIPTOR_LIMBS))
    if count == 0:
        return keypoints[:, :0], visible[:, :0]
    if count < NUM_JOINTS or rest:
        raise ValueError(f"There are 18 local descriptors and any times 13 more (18, 31, 44), not {count}.")
    first, second = (constant(ends, keypoints.device) for ends in zip(*DESCRIPTOR_LIMBS, strict=True))
    start, end = keypoints.index_select(1, first), keypoints.index_select(1, second)
    seen = visible.index_select(1, first) & visible.index_select(1, second)
    shares = [(i + 1) / (per_limb + 1) for i in range(per_limb)]
    centers = torch.cat([keypoints, *(torch.lerp(start, end, share) for share in shares)], dim=1)
    valid = torch.cat([visible, *[seen] * per_limb], dim=1)
    edges = centers.new_tensor([image_size[1], image_size[0]]) - 0.5
    valid = valid & ((centers >= -0.5) & (centers < edges)).all(dim=2)
    return torch.where(valid.unsqueeze(2), centers, 0.0), valid
