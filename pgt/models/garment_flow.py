"""The appearance-flow network of garment transfer (Progressive, 2020, section 4.5 and Fig. 9).

The paper's network takes the garment's picture and the garment's masks on reference and target, and gives a
flow; a bilinear sampling layer then fetches the garment's pixels. It is silent on the layers. Ours: the
joints, which the first step has fixed, align the bodies; where they are unknown, the boxes of the masks do.
The aligned garment and the mask that it shall fill are cut out and stretched to one small frame, where a
U-Net finds what is left to be moved. So it works on pictures of any size and on people of any size in them,
and the pixels are fetched at the picture's full resolution.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn
from torch.nn import functional as F

from pgt.config import PUBLIC_HOME, GarmentFlowConfig
from pgt.data.descriptors import descriptor_centers
from pgt.data.parsing import LABELS
from pgt.data.pose import PoseEncoding
from pgt.geometry import box_from_mask, crop_and_resize
from pgt.layers.inpainting import fill_unknown
from pgt.layers.skip_unet import DownEncoder, UpDecoder, initialise_unet

# What can be transferred, and the labels it may have: a skirt can take the cloth of pants.
GARMENTS = {
    "upper": (LABELS.index("upper_clothes"),),
    "lower": (LABELS.index("pants"), LABELS.index("skirt")),
}
FIRST = 0.05  # times He's are the first weights of the last layer: training starts near no flow
FEWEST = 3  # points of a body that can align it
NEAR = 0.003  # squared distance, in parts of a body's spread, below which points count alike
MARGIN = 1 / 16  # of a box's side, added on each end, so that outlines are seen whole


class AppearanceFlow(NamedTuple):
    """Where each pixel of the target fetches its colour from."""

    flow: Tensor  # (B, H, W, 2), (x, y) in pixels
    aligned: Tensor  # (B, H, W, 2): of it, what aligning bodies or boxes does, without learning


class GarmentFlowNetwork(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="pgt",
    tags=["image-to-image", "virtual-try-on"],
    license="mit",
    repo_url=PUBLIC_HOME or None,
):
    """Find the flow that dresses one person in a garment of another.

    Args:
        settings: the fields of a `GarmentFlowConfig` as plain data; `from_config` takes the config itself.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = config = GarmentFlowConfig.from_dict(settings)
        self.pose_encoding = PoseEncoding()  # not read: joints align, and need no heat maps
        self.encoder = DownEncoder(5, config.widths, "none")  # the garment and both masks
        self.decoder = UpDecoder(config.widths, 1, 2, "none")
        initialise_unet(self, "he")
        with torch.no_grad():
            self.decoder.output.weight.mul_(FIRST)

    @classmethod
    def from_config(cls, config: GarmentFlowConfig) -> "GarmentFlowNetwork":
        """Build a network with fresh weights."""
        return cls(settings=config.to_dict())

    def forward(
        self,
        garment: Tensor,
        reference_mask: Tensor,
        target_mask: Tensor,
        reference_joints: Tensor | None = None,
        target_joints: Tensor | None = None,
        visible: Tensor | None = None,
    ) -> AppearanceFlow:
        """Find the flow.

        Args:
            garment: (B, 3, H, W) in [-1, 1], pictures of the reference person; pixels outside the mask are
                not looked at.
            reference_mask: (B, 1, H, W) in {0, 1}, the garment in that picture.
            target_mask: (B, 1, H, W) in {0, 1}, where the garment shall be; in place of an empty mask the
                whole picture is aligned.
            reference_joints, target_joints: (B, 18, 2) pixels, (x, y), of the two people; all three of the
                joints or none.
            visible: (B, 18) bool, the joints that both people show. With fewer than three points of the
                bodies the boxes of the masks are aligned.

        Returns:
            Flows for `warp_by_flow`.
        """
        size = garment.shape[-2:]
        reference, target = (_widened(box_from_mask(mask[:, 0])) for mask in (reference_mask, target_mask))
        start = garment.new_zeros(len(garment), 2, *self.config.crop_size)
        if visible is not None and self.config.num_landmarks:
            count = self.config.num_landmarks
            ours, known = descriptor_centers(reference_joints, visible, count, size)
            theirs, seen = descriptor_centers(target_joints, visible, count, size)
            start = _body_residual(ours, theirs, known & seen, reference, target, self.config.crop_size)
        aligned = flow_between(start, reference, target, size)
        moved = warp_by_flow(torch.cat([garment * reference_mask, reference_mask], dim=1), aligned)
        crop = self._cut(torch.cat([moved, target_mask], dim=1), target)
        found = self.decoder([[level] for level in self.encoder(crop)]).float()
        residual = start + self.config.output_scale * found
        return AppearanceFlow(flow_between(residual, reference, target, size), aligned)

    def _cut(self, image: Tensor, boxes: Tensor) -> Tensor:
        """Cut boxes out and stretch them to the network's frame; large pictures are averaged down first."""
        size, frame = image.shape[-2:], self.config.crop_size
        factor = max(1, min(size[0] // frame[0], size[1] // frame[1]) // 2)  # a garment fills half or less
        if factor > 1:
            small = (size[0] // factor, size[1] // factor)
            image = F.interpolate(image, small, mode="area")
            boxes = boxes * boxes.new_tensor([small[1] / size[1], small[0] / size[0]] * 2)
        return crop_and_resize(image, boxes, frame)


def flow_between(
    residual: Tensor, reference_boxes: Tensor, target_boxes: Tensor, size: tuple[int, int]
) -> Tensor:
    """Align boxes, then add what the network found in them.

    Of a pixel p with the share c = (p + 1/2 - start) / (end - start) of the target's box, the flow leads to
    the share c + residual(c) of the reference's box. Beyond the target's box the residual is that of its
    nearest edge.

    Args:
        residual: (B, 2, h, w), (x, y), in sides of a box; spans the target's box.
        reference_boxes, target_boxes: (B, 4), (x1, y1, x2, y2) in pixel edges.
        size: (H, W) of the picture.

    Returns:
        (B, H, W, 2), (x, y) in pixels.
    """
    ys, xs = torch.meshgrid(
        *(torch.arange(side, dtype=residual.dtype, device=residual.device) for side in size), indexing="ij"
    )
    pixels = torch.stack([xs, ys], dim=-1)  # (H, W, 2)
    (start, end), (low, high) = (
        boxes.to(residual).view(-1, 1, 1, 4).split(2, dim=-1) for boxes in (target_boxes, reference_boxes)
    )
    share = (pixels + 0.5 - start) / (end - start)
    added = F.grid_sample(residual, 2 * share - 1, padding_mode="border", align_corners=False)
    return low + (share + added.movedim(1, -1)) * (high - low) - 0.5 - pixels


def align_bodies(source: Tensor, target: Tensor, valid: Tensor, places: Tensor) -> Tensor:
    """Carry places of the target's picture along with its body onto the source's.

    Moving least squares by similarities (Schaefer et al., Image Deformation Using Moving Least Squares, 2006,
    section 2.2): each place has its own shift, turn and scale, of the points of the body near it.

    Args:
        source, target: (B, N, 2), (x, y), the same points of two bodies.
        valid: (B, N) bool; at least two for each body.
        places: (B, M, 2), (x, y).

    Returns:
        (B, M, 2). A point of the target lands near that of the source, since the weights stay finite there.
    """
    ours, theirs, place = (torch.view_as_complex(one.contiguous()) for one in (source, target, places))
    distance = (place.unsqueeze(2) - theirs.unsqueeze(1)).abs().square()  # (B, M, N)
    distance = distance / _spread(target, valid)[:, None, None].clamp_min(1e-6)
    weights = valid.unsqueeze(1) / (distance + NEAR).square()
    weights = weights / weights.sum(dim=2, keepdim=True).clamp_min(1e-12)
    from_middle = (weights * theirs.unsqueeze(1)).sum(dim=2)
    to_middle = (weights * ours.unsqueeze(1)).sum(dim=2)
    before = theirs.unsqueeze(1) - from_middle.unsqueeze(2)
    after = ours.unsqueeze(1) - to_middle.unsqueeze(2)
    turn = (weights * after * before.conj()).sum(dim=2)  # the complex factor of turn and scale
    turn = turn / (weights * before.abs().square()).sum(dim=2).clamp_min(1e-6)
    return torch.view_as_real(to_middle + turn * (place - from_middle))


def _body_residual(
    source: Tensor, target: Tensor, valid: Tensor, reference_boxes: Tensor, target_boxes: Tensor,
    size: tuple[int, int],
) -> Tensor:  # fmt: skip
    """Write `align_bodies` as a residual of `flow_between` (B, 2, *size); 0 where points are too few."""
    ys, xs = torch.meshgrid(
        *((torch.arange(side, device=source.device) + 0.5) / side for side in size), indexing="ij"
    )
    share = torch.stack([xs, ys], dim=-1).view(1, -1, 2)
    (start, end), (low, high) = (
        boxes.view(-1, 1, 4).split(2, dim=-1) for boxes in (target_boxes, reference_boxes)
    )
    places = start + share * (end - start) - 0.5
    found = (align_bodies(source, target, valid, places) + 0.5 - low) / (high - low) - share
    enough = ((valid.sum(dim=1) >= FEWEST) & (_spread(target, valid) > 1))[:, None, None]
    return torch.where(enough, found, 0.0).movedim(1, -1).unflatten(-1, size)


def _spread(points: Tensor, valid: Tensor) -> Tensor:
    """Return the mean squared distance of valid points (B, N, 2) from their middle, (B,)."""
    share = (valid / valid.sum(dim=1, keepdim=True).clamp_min(1)).unsqueeze(2)
    return ((points - (points * share).sum(dim=1, keepdim=True)).square() * share).sum(dim=(1, 2))


def warp_by_flow(image: Tensor, flow: Tensor) -> Tensor:
    """Fetch pixels: the bilinear sampling layer of Fig. 9, result(p) = image(p + flow(p)).

    Args:
        image: (B, C, H, W).
        flow: (B, H, W, 2), (x, y) in pixels. A place beyond the picture gives its nearest edge pixel.

    Returns:
        (B, C, H, W); a flow of whole pixels copies pixels exactly.
    """
    height, width = image.shape[-2:]
    ys, xs = torch.meshgrid(
        torch.arange(height, dtype=flow.dtype, device=flow.device),
        torch.arange(width, dtype=flow.dtype, device=flow.device),
        indexing="ij",
    )
    places = torch.stack([xs, ys], dim=-1) + flow
    grid = (2 * places + 1) / flow.new_tensor([width, height]) - 1
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)


def continue_garment(image: Tensor, mask: Tensor) -> Tensor:
    """Continue a garment smoothly beyond its mask, so that a flow that misses it still meets cloth.

    Args:
        image: (B, C, H, W).
        mask: (B, 1, H, W) in {0, 1}. Its outermost pixels are mixed with what lies behind them, so they are
            continued too, unless the garment is nowhere wider than that.

    Returns:
        (B, C, H, W); zero everywhere where the mask is empty.
    """
    inner = 1 - F.max_pool2d(1 - mask, 3, stride=1, padding=1)
    wide = inner.flatten(1).amax(dim=1).view(-1, 1, 1, 1) > 0
    return fill_unknown(image, torch.where(wide, inner, mask))


def garment_mask(parsing: Tensor, garment: str) -> Tensor:
    """Return where a one-hot map (B, 10, H, W) has a garment of `GARMENTS`: (B, 1, H, W) of 0 and 1."""
    return parsing[:, list(GARMENTS[garment])].sum(dim=1, keepdim=True)


def _widened(boxes: Tensor) -> Tensor:
    """Add the margin to boxes (B, 4) int64: (B, 4) float."""
    start, end = boxes.float().split(2, dim=1)
    margin = MARGIN * (end - start)
    return torch.cat([start - margin, end + margin], dim=1)
