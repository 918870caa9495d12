"""Style losses: what is alike wherever it stands in the picture (Song et al., TPAMI 2021)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def gram_matrix(features: Tensor) -> Tensor:
    """Correlate channels: which features come together, wherever they do (Gatys et al. 2016).

    Args:
        features: (B, C, h, w).

    Returns:
        (B, C, C) float32: products of channels, averaged over the h * w places.
    """
    with torch.autocast(features.device.type, enabled=False):
        rows = features.float().flatten(2)
        return rows @ rows.mT / rows.shape[2]


def region_grams(features: Tensor, regions: Tensor, *, by_area: bool = False) -> tuple[Tensor, Tensor]:
    """Correlate channels within each of several regions: G(features * region) of Song et al. 2021, Eq. 10.

    Each region costs as much as the pixels it has, so ten labels cost little more than one whole picture.

    Args:
        features: (B, C, h, w).
        regions: (B, L, H, W), 1 in a region and 0 outside; may overlap. Of another size than the features,
            they are averaged down and rounded, half a pixel counting as one; of the same size they are taken
            as they are and may be fractions.
        by_area: divide by a region's area rather than the picture's, so that a small and a large piece of
            one cloth have the same matrix.

    Returns:
        matrices (B, L, C, C) float32, zero for an empty region, and present (B, L) bool.
    """
    size = features.shape[-2:]
    if regions.shape[-2:] != size:
        regions = (F.adaptive_avg_pool2d(regions.float(), size) >= 0.5).float()
    weights = regions.detach().float().flatten(2)  # (B, L, P)
    index, weight, lengths = _pixels_of_regions(weights)
    batch, channels = features.shape[:2]
    with torch.autocast(features.device.type, enabled=False):
        rows = features.float().flatten(2).transpose(1, 2).reshape(-1, channels)  # (B * P, C)
        rows = rows.index_select(0, index) * weight.unsqueeze(1)
        pieces = [piece.view(batch, -1, channels) for piece in rows.split([batch * n for n in lengths])]
        grams = torch.stack([piece.mT @ piece for piece in pieces], dim=1)
    area = weights.square().sum(dim=2).clamp_min(1e-6)[..., None, None] if by_area else weights.shape[2]
    return grams / area, (weights > 0).any(dim=2)


def _pixels_of_regions(weights: Tensor) -> tuple[Tensor, Tensor, list[int]]:
    """List the pixels of each region, (B, L, P), region after region.

    Within a region every picture has as many entries as the one with most; entries too many have weight 0.

    Returns:
        which pixel, numbered through the batch, (S,) int64; its weight (S,); entries per region and picture.
    """
    batch, _, pixels = weights.shape
    region, picture, pixel = (weights.transpose(0, 1) > 0).nonzero().unbind(dim=1)  # in this order
    count = (weights > 0).sum(dim=2).t()  # (L, B)
    length = count.amax(dim=1)
    start = batch * (length.cumsum(dim=0) - length)[:, None] + length[:, None] * torch.arange(batch).to(
        length
    )
    before = (count.flatten().cumsum(dim=0) - count.flatten()).view_as(count)
    place = torch.arange(len(pixel), device=pixel.device) + (start - before)[region, picture]
    lengths = length.tolist()
    index = pixel.new_zeros(batch * sum(lengths)).index_copy_(0, place, picture * pixels + pixel)
    weight = weights.new_zeros(len(index)).index_copy_(0, place, weights[picture, region, pixel])
    return index, weight, lengths


def region_style_loss(
    features_a: Tensor,
    features_b: Tensor,
    regions_a: Tensor,
    regions_b: Tensor,
    *,
    common_only: bool = False,
    by_area: bool = False,
) -> Tensor:
    """Compare textures region by region, wherever the regions lie: L^sty of Song et al. 2021, Eq. 10.

    With the masks of the ten body parts as regions it is the mask-style loss of section 4.3.2.

    Args:
        features_a, features_b: (B, C, h, w) of one layer. Both get gradients; detach what should not move.
        regions_a, regions_b: (B, L, H, W) of 0 and 1, as for `region_grams`; never differentiated.
        common_only: leave out a region that either picture lacks (as the released code). By default, as in
            Eq. 10, a region that one lacks has a zero matrix there, and one that both lack costs nothing.
        by_area: as for `region_grams`.

    Returns:
        Scalar: the sum over regions of the mean squared difference of Gram matrices, over pictures and
        elements. The released code takes the mean over its 8 regions instead.
    """
    (grams_a, present_a), (grams_b, present_b) = (
        region_grams(features, regions, by_area=by_area)
        for features, regions in ((features_a, regions_a), (features_b, regions_b))
    )
    each = (grams_a - grams_b).square().mean(dim=(2, 3))  # (B, L)
    if common_only:
        each = each * (present_a & present_b)
    return each.mean(dim=0).sum()


def semantic_style_loss(
    features_a: Tensor,
    features_b: Tensor,
    parsing_a: Tensor,
    parsing_b: Tensor,
    *,
    labels: Sequence[int] | None = None,
    common_only: bool = False,
    by_area: bool = False,
) -> Tensor:
    """Compare textures label by label: the semantic-aware style loss (Song et al. 2021, one term of Eq. 10).

    Args:
        features_a, features_b: (B, C, h, w) of one layer; both get gradients.
        parsing_a, parsing_b: (B, L, H, W), one-hot or probabilities. A pixel belongs to its likeliest label.
        labels: which labels to compare, all by default; the released code leaves out background and face.
        common_only, by_area: as for `region_style_loss`.

    Returns:
        Scalar.
    """
    regions = []
    for parsing in (parsing_a, parsing_b):
        each = torch.arange(parsing.shape[1], device=parsing.device).view(1, -1, 1, 1)
        # `max` and not `argmax`, which takes six times as long over the middle of a shape on a CPU.
        binary = parsing.max(dim=1, keepdim=True).indices == each
        regions.append((binary if labels is None else binary[:, list(labels)]).float())
    return region_style_loss(features_a, features_b, *regions, common_only=common_only, by_area=by_area)


def patch_style_loss(patches_a: Tensor, patches_b: Tensor, valid: Tensor) -> Tensor:
    """Compare textures around joints (Pumarola et al. 2018; the patch-style loss of Song et al. 2021).

    Args:
        patches_a, patches_b: (B, K, C, s, s), features around each joint (`layers.crops.point_patches`).
        valid: (B, K) bool, the joints visible in both pictures.

    Returns:
        Scalar: the mean squared difference of the patches' Gram matrices, over valid joints; 0 without any.
    """
    grams_a, grams_b = (gram_matrix(patches.flatten(0, 1)) for patches in (patches_a, patches_b))
    each = (grams_a - grams_b).square().mean(dim=(1, 2))
    return torch.where(valid.flatten(), each, 0.0).sum() / valid.sum().clamp_min(1)
