"""The pictures that a step of SPT looks at: source, generated and recovered, and how their styles compare."""

from typing import NamedTuple

import torch
from torch import Tensor

from pgt.data.body_parts import part_corners, part_masks
from pgt.data.parsing import COLORS
from pgt.data.person import PairBatch, uint8_to_signed
from pgt.layers.crops import point_patches
from pgt.losses import patch_style_loss, region_style_loss, semantic_style_loss

PATCH_SIDE = 7  # of the patch-style loss, in pixels of its features


class Side(NamedTuple):
    """A pose as the networks are told of it."""

    keypoints: Tensor  # (B, 18, 2), (x, y) in pixels
    visible: Tensor  # (B, 18) bool
    pose: Tensor  # (B, 18, H, W)
    mask: Tensor  # (B, 1, H, W)


class View(NamedTuple):
    """A picture with what is known of the person in it."""

    image: Tensor  # (B, 3, H, W) in [-1, 1]
    parsing: Tensor | None  # (B, 10, H, W) in [0, 1]
    side: Side

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.image.shape[-2], self.image.shape[-1]


class Cycle(NamedTuple):
    """The source, the picture drawn of it in the target pose, and the source drawn again from that."""

    source: View
    generated: View
    recovered: View
    logits: Tensor | None  # (B, 10, H, W) of the generated picture's map, where H_S made it


def sides(batch: PairBatch) -> tuple[Side, Side]:
    """Gather both poses of a batch."""
    return (
        Side(batch.source_keypoints, batch.source_visible, batch.source_pose, batch.source_pose_mask),
        Side(batch.target_keypoints, batch.target_visible, batch.target_pose, batch.target_pose_mask),
    )


def style_loss(kind: str, a: View, features_a: Tensor, b: View, features_b: Tensor) -> Tensor:
    """Compare the textures of two views: L^sty of Song et al. 2021, Eq. 10, or one of its rivals.

    Args:
        kind: "semantic", label by label; "mask", by the ten body parts; "patch", around the joints.
        a, b: the views; without maps, "semantic" is "mask", as in the paper's Baseline.
        features_a, features_b: (B, C, h, w) of one layer, of their pictures.
    """
    if kind == "patch":
        patches = [
            point_patches(features, view.side.keypoints, view.size, PATCH_SIDE)
            for features, view in ((features_a, a), (features_b, b))
        ]
        return patch_style_loss(*patches, a.side.visible & b.side.visible)
    if kind == "semantic" and a.parsing is not None and b.parsing is not None:
        return semantic_style_loss(features_a, features_b, a.parsing, b.parsing)
    masks = [
        part_masks(*part_corners(view.side.keypoints, view.side.visible, view.size[0]), view.size)
        for view in (a, b)
    ]
    return region_style_loss(features_a, features_b, *masks)


def parsing_picture(parsing: Tensor) -> Tensor:
    """Colour a semantic map (B, 10, H, W) by its likeliest labels: (B, 3, H, W) in [-1, 1]."""
    colors = torch.from_numpy(COLORS).to(parsing.device)
    return uint8_to_signed(colors[parsing.argmax(dim=1)])
