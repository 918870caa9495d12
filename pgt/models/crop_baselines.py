"""Naive ways to draw people in non-iconic views, the rivals of MR-Net (Xu et al., TIP 2020, section IV-D.1).

Both cut a box out of the picture, let a generator for iconic views draw in it, and put the result back.
"union-crop" cuts what holds the person in both poses, and leaves the rest as it is; "crop-inpaint" cuts the
person alone, and draws it into the box of the target over a background whose hole was filled. A generator
trained on such cuts (`pgt.data.crop_pairs`) is what the paper compares with; one trained on iconic pictures
runs too.

Deviations: the target's box is that of its skeleton, since nothing else is known of it in use (the paper
takes true boxes); boxes are widened to the generator's proportions, so that nobody is stretched; the hole is
continued smoothly from around, where the paper has a DeepFill.
"""

import inspect
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgt.data.boxes import person_boxes, proportioned_boxes, union_boxes
from pgt.data.person import PairBatch
from pgt.data.pose import PoseEncoding
from pgt.layers.inpainting import fill_unknown
from pgt.losses import box_masks

KINDS = ("union-crop", "crop-inpaint")
Joints = tuple[Tensor, Tensor]  # keypoints (B, 18, 2), (x, y) pixels, and visible (B, 18) bool


class CropOutput(NamedTuple):
    """What a baseline draws."""

    generated: Tensor  # (B, 3, H, W) in [-1, 1]
    patch: Tensor  # (B, 3, h, w) in [-1, 1]: what the generator drew, in its own frame
    source_boxes: Tensor  # (B, 4) int64: cut out here
    target_boxes: Tensor  # (B, 4) int64: put back here


class CropBaseline(nn.Module):
    """A generator for iconic views, at work in a part of the picture.

    Args:
        model: a generator whose `forward` arguments are named after fields of `PairBatch`, with
            `config.image_size` and `pose_encoding`, which draws a tuple with `generated` or `refined`.
        kind: "union-crop" or "crop-inpaint".

    Raises:
        ValueError: another kind.
    """

    image_size: tuple[int, int] | None = None  # works in the source's own frame

    def __init__(self, model: nn.Module, kind: str) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, got {kind!r}")
        self.model, self.kind = model, kind
        self.frame: tuple[int, int] = model.config.image_size
        self.pose_encoding = PoseEncoding()

    def forward(
        self,
        source: Tensor,
        source_keypoints: Tensor,
        source_visible: Tensor,
        target_keypoints: Tensor,
        target_visible: Tensor,
        source_person_mask: Tensor | None = None,
        source_label_map: Tensor | None = None,
    ) -> CropOutput:
        """Draw the source person in the target pose.

        Args:
            source: (B, 3, H, W) in [-1, 1].
            source_keypoints, target_keypoints: (B, 18, 2) float, (x, y) pixels.
            source_visible, target_visible: (B, 18) bool.
            source_person_mask: (B, 1, H, W) of 0 and 1; without it, the source's box is its skeleton's.
            source_label_map: (B, H, W) int64, for generators that read it.
        """
        size = (source.shape[-2], source.shape[-1])
        joints: tuple[Joints, Joints] = (
            (source_keypoints, source_visible), (target_keypoints, target_visible)
        )  # fmt: skip
        boxes = (person_boxes(*joints[0], size, source_person_mask), person_boxes(*joints[1], size))
        behind = source
        if self.kind == "union-crop":
            boxes = (union_boxes(*boxes),) * 2
        boxes = tuple(proportioned_boxes(box, size, self.frame) for box in boxes)
        if self.kind == "crop-inpaint":
            behind = fill_unknown(source, 1 - box_masks(boxes[0], size))
        patch = self._draw(source, joints, boxes, source_person_mask, source_label_map)
        return CropOutput(paste(patch, behind, boxes[1]), patch, *boxes)

    def _draw(
        self,
        source: Tensor,
        joints: tuple[Joints, Joints],
        boxes: tuple[Tensor, Tensor],
        mask: Tensor | None,
        labels: Tensor | None,
    ) -> Tensor:
        """Run the generator in its frame; the target's picture is blank there."""
        crop = cut(source, boxes[0], self.frame)
        points = [to_frame(one[0], box, self.frame) for one, box in zip(joints, boxes, strict=True)]
        if labels is not None:
            labels = cut(labels.unsqueeze(1).float(), boxes[0], self.frame, mode="nearest").squeeze(1).long()
        batch = PairBatch(
            crop,
            torch.zeros_like(crop),
            *points,
            joints[0][1],
            joints[1][1],
            labels,
            source_person_mask=None if mask is None else cut(mask, boxes[0], self.frame, mode="nearest"),
            encoding=self.model.pose_encoding,
        )
        names = [name for name in inspect.signature(self.model.forward).parameters if _known(batch, name)]
        output: Any = self.model(**{name: getattr(batch, name) for name in names})
        results = (getattr(output, name, None) for name in ("generated", "refined"))
        return next(picture for picture in results if picture is not None)


def _known(batch: PairBatch, name: str) -> bool:
    return hasattr(type(batch), name) or name in vars(batch)


def cut(image: Tensor, boxes: Tensor, size: tuple[int, int], *, mode: str = "bilinear") -> Tensor:
    """Cut a box out of each picture and resize it, averaging where it shrinks.

    Args:
        image: (B, C, H, W). boxes: (B, 4) int64, inside it.
        size: (H, W) of the result.
        mode: "bilinear" or "nearest".

    Returns:
        (B, C, *size).
    """
    smooth = {"antialias": True, "align_corners": False} if mode == "bilinear" else {}
    return torch.cat(
        [
            F.interpolate(one[None, :, y1:y2, x1:x2], size, mode=mode, **smooth)
            for one, (x1, y1, x2, y2) in zip(image, boxes.tolist(), strict=True)
        ]
    )


def paste(patch: Tensor, behind: Tensor, boxes: Tensor) -> Tensor:
    """Resize a patch (B, C, h, w) to a box (B, 4) of each picture and put it there: (B, C, H, W)."""
    pictures = behind.clone()
    whole = boxes.new_tensor([[0, 0, patch.shape[-1], patch.shape[-2]]])
    for k, (x1, y1, x2, y2) in enumerate(boxes.tolist()):
        pictures[k, :, y1:y2, x1:x2] = cut(patch[k : k + 1], whole, (y2 - y1, x2 - x1))[0]
    return pictures


def to_frame(points: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return where points (B, K, 2) of a picture lie in boxes (B, 4) of it that were resized to (H, W)."""
    corner, side = boxes[:, None, :2].to(points), (boxes[:, None, 2:] - boxes[:, None, :2]).to(points)
    return (points + 0.5 - corner) * points.new_tensor([size[1], size[0]]) / side - 0.5
