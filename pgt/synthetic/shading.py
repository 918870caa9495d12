"""From what the rasteriser saw to a picture: light, occlusion, contact shadow, blending over the background.

Colours are squared before they are lit or mixed and square-rooted afterwards (gamma 2, close to sRGB), so
that anti-aliased silhouettes are as bright as they should be. All lengths are in metres, hence the same at
every size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from pgt.synthetic.gbuffer import GBuffer

WRAP = 0.35  # how far the key light reaches round into the shade
# Ambient occlusion looks at two rings of neighbours: (radius in metres, how many, angle of the first).
RINGS = ((0.03, 5, 0.3), (0.08, 7, 0.0))
SHADOW_CELL = (0.016, 0.025)  # metres, (vertical, horizontal): the ground is seen at a flat angle
SHADOW_CELLS = (48, 96)


class Material(Protocol):
    """Something that has a colour everywhere on its surface.

    A class may also offer a classmethod `colors_together(materials, index (N,), u, v, footprint)`, which
    evaluates many materials of that class at once; it is then called instead of `colors_at`, once a batch.
    """

    @property
    def gloss(self) -> float:
        """Strength of the highlight: 0 cloth, 0.15 hair or leather, 0.4 patent leather."""

    def colors_at(self, u: Tensor, v: Tensor, footprint: Tensor) -> Tensor:
        """Return (N, 3) RGB in [0, 1] at (u, v) metres, filtered to `footprint` metres (N,)."""


@dataclass(frozen=True)
class Light:
    """What lights an image: directions x right, y down, z towards the viewer; colours RGB, 1 full light.

    Attributes:
        direction: towards the key light, any length.
        key: its colour.
        sky, ground: ambient light from above and from below.
    """

    direction: tuple[float, float, float] = (-0.45, -0.65, 0.75)
    key: tuple[float, float, float] = (0.66, 0.65, 0.63)
    sky: tuple[float, float, float] = (0.50, 0.51, 0.53)
    ground: tuple[float, float, float] = (0.27, 0.26, 0.25)


@dataclass(frozen=True)
class Picture:
    """B finished images.

    Attributes:
        image: (B, H, W, 3) uint8 RGB.
        label_map: (B, H, W) uint8; the label most samples of the pixel have, 0 off the person.
        person_mask: (B, H, W) bool, at least half the pixel's samples.
        depth: (B, H, W) float32, the nearest sample's in pixels towards the viewer; -inf off the person.
    """

    image: Tensor
    label_map: Tensor
    person_mask: Tensor
    depth: Tensor


def shade(
    gbuffer: GBuffer,
    materials: Sequence[Sequence[Material]],
    background: Tensor,
    *,
    pixels_per_metre: Tensor,
    lights: Sequence[Light] | None = None,
    shadow: Tensor | None = None,
) -> Picture:
    """Light what is seen and blend them over the background.

    Args:
        gbuffer: what is seen.
        materials: for each image, the materials its mesh's indices mean.
        background: (B, H, W, 3) uint8 RGB.
        pixels_per_metre: (B,) float32, of the final images.
        lights: one per image; studio light by default.
        shadow: (B, H, W) in [0, 1], how much of the light reaches the ground (see `ground_shadow`).
    """
    device = gbuffer.pixel.device
    lights = lights or [Light()] * gbuffer.num_images
    pixels_per_metre = pixels_per_metre.to(gbuffer.depth)
    image = gbuffer.image
    fragment_image = image.index_select(0, gbuffer.owner)
    first = torch.tensor([0] + [len(m) for m in materials], device=device).cumsum(0)
    together = [material for of_image in materials for material in of_image]
    index = gbuffer.material + first.index_select(0, fragment_image)
    slant = gbuffer.normal[2].clamp(min=0.3)
    footprint = gbuffer.footprint / (pixels_per_metre.index_select(0, fragment_image) * slant)
    albedo = material_colors(together, index, gbuffer.u, gbuffer.v, footprint)
    gloss = torch.tensor([m.gloss for m in together], device=device).index_select(0, index)

    lit = _light(gbuffer.normal, albedo, gloss, lights, fragment_image)
    normal = [_resolved(gbuffer, axis) / gbuffer.coverage for axis in gbuffer.normal]
    openness = _openness(gbuffer, image, normal, pixels_per_metre)
    color = torch.stack([_resolved(gbuffer, channel) * openness for channel in lit], 1)

    flat = background.reshape(-1, 3).float() / 255
    if shadow is not None:
        flat = flat * shadow.reshape(-1, 1).sqrt()
    behind = flat.index_select(0, gbuffer.pixel) ** 2
    flat[gbuffer.pixel] = (color + (1 - gbuffer.coverage[:, None]) * behind).clamp(0, 1).sqrt()
    return _picture(gbuffer, (flat * 255 + 0.5).byte())


def material_colors(
    materials: Sequence[Material], index: Tensor, u: Tensor, v: Tensor, footprint: Tensor
) -> Tensor:
    """Evaluate many materials over one flat list of points.

    Args:
        materials: M materials, of any classes.
        index: (N,) int64 in [0, M).
        u, v: (N,) metres.
        footprint: (N,) metres, the width a pixel covers there.

    Returns:
        (N, 3) RGB in [0, 1].
    """
    kinds = list(dict.fromkeys(type(m) for m in materials))
    kind_of = torch.tensor([kinds.index(type(m)) for m in materials], device=index.device).index_select(
        0, index
    )
    colors = torch.zeros(len(index), 3, device=index.device)
    for number, kind in enumerate(kinds):
        if not hasattr(kind, "colors_together"):
            continue
        chosen = (kind_of == number).nonzero().squeeze(1)
        members = [i for i, m in enumerate(materials) if type(m) is kind]
        place = torch.zeros(len(materials), dtype=torch.int64, device=index.device)
        place[members] = torch.arange(len(members), device=index.device)
        own = place.index_select(0, index.index_select(0, chosen))
        at = [values.index_select(0, chosen) for values in (u, v, footprint)]
        colors[chosen] = kind.colors_together([materials[i] for i in members], own, *at)
    for number, material in enumerate(materials):
        if not hasattr(material, "colors_together"):
            chosen = (index == number).nonzero().squeeze(1)
            at = [values.index_select(0, chosen) for values in (u, v, footprint)]
            colors[chosen] = material.colors_at(*at)
    return colors


def _light(
    normal: Sequence[Tensor], albedo: Tensor, gloss: Tensor, lights: Sequence[Light], image: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the light leaving each fragment, three of (N,): lambert, hemisphere, rim and highlight."""
    rows = []
    for light in lights:
        length = math.hypot(*light.direction)
        toward = [d / length for d in light.direction]
        half = math.hypot(toward[0], toward[1], toward[2] + 1)
        halfway = [toward[0] / half, toward[1] / half, (toward[2] + 1) / half]
        rows.append([*toward, *halfway, *light.key, *light.sky, *light.ground])
    table = torch.tensor(rows, device=albedo.device).t().contiguous()
    tx, ty, tz, hx, hy, hz, *colors = (column.index_select(0, image) for column in table)
    nx, ny, nz = normal

    lambert = ((nx * tx + ny * ty + nz * tz + WRAP) / (1 + WRAP)).clamp(min=0)
    lambert = lambert * (0.35 + 0.65 * lambert)  # a softer terminator than the straight line's
    upward = 0.5 - 0.5 * ny
    grazing = (1 - nz).clamp(0, 1)
    rim = 0.16 * grazing * grazing * grazing * upward
    highlight = (nx * hx + ny * hy + nz * hz).clamp(min=0) ** 24 * gloss
    lit = []
    for channel in range(3):
        key, sky, ground = colors[channel], colors[3 + channel], colors[6 + channel]
        light = key * lambert + ground + (sky - ground) * upward + rim
        lit.append(albedo[:, channel] ** 2 * light + highlight * key)
    return lit[0], lit[1], lit[2]


def _resolved(gbuffer: GBuffer, values: Tensor) -> Tensor:
    """Sum a column (N,) over the fragments of each pixel, by weight: (Q,)."""
    return torch.zeros_like(gbuffer.coverage).index_add_(0, gbuffer.owner, values * gbuffer.weight)


def _picture(gbuffer: GBuffer, image: Tensor) -> Picture:
    """Spread the touched pixels out over the images."""
    shape = (gbuffer.num_images, *gbuffer.size)
    label = torch.zeros(shape, dtype=torch.uint8, device=image.device)
    mask = torch.zeros_like(label, dtype=torch.bool)
    depth = torch.full_like(label, -torch.inf, dtype=torch.float32)
    inside = gbuffer.coverage >= 0.5
    label.view(-1)[gbuffer.pixel] = gbuffer.label * inside
    mask.view(-1)[gbuffer.pixel] = inside
    depth.view(-1)[gbuffer.pixel] = gbuffer.depth
    return Picture(image.view(*shape, 3), label, mask, depth)


def _openness(gbuffer: GBuffer, image: Tensor, normal: Sequence[Tensor], pixels_per_metre: Tensor) -> Tensor:
    """Return how open to its surroundings each pixel is, (Q,) in (0, 1] (Alchemy AO, McGuire 2011).

    Neighbours are looked up in a blurred depth map, so that no edge leaves a ghost of itself.
    """
    height, width = gbuffer.size
    depth = gbuffer.depth
    step = max(1, min(height, width) // 128)
    weight = torch.zeros(gbuffer.num_images, height, width, device=depth.device)
    weight.view(-1)[gbuffer.pixel] = gbuffer.coverage
    weighted = torch.zeros_like(weight)
    weighted.view(-1)[gbuffer.pixel] = depth * gbuffer.coverage
    maps = F.avg_pool2d(torch.stack([weight, weighted], 1), step, ceil_mode=True)
    maps = F.avg_pool2d(maps, 3, 1, 1)
    presence, around = maps[:, 0].contiguous(), (maps[:, 1] / maps[:, 0].clamp(min=1e-4)).contiguous()
    rows, columns = presence.shape[1:]

    y, x = gbuffer.pixel // width % height, gbuffer.pixel % width
    scale = pixels_per_metre.index_select(0, image)
    occlusion = torch.zeros_like(depth)
    base = image * (rows * columns)
    for radius, count, first in RINGS:
        for tap in range(count):
            angle = first + 2 * math.pi * tap / count
            dx, dy = radius * math.cos(angle), radius * math.sin(angle)
            column = torch.floor((x + dx * scale + 0.5) / step).long().clamp(0, columns - 1)
            row = torch.floor((y + dy * scale + 0.5) / step).long().clamp(0, rows - 1)
            there = base + row * columns + column
            dz = (around.view(-1).index_select(0, there) - depth) / scale
            facing = (dx * normal[0] + dy * normal[1] + dz * normal[2] - 0.15 * radius).clamp(min=0)
            facing = facing * presence.view(-1).index_select(0, there) * radius
            occlusion += facing / (radius**2 + dz * dz)
    return torch.exp(-1.9 / sum(count for _, count, _ in RINGS) * occlusion)


def ground_shadow(points: Sequence[Tensor], pixels_per_metre: Tensor, size: tuple[int, int]) -> Tensor:
    """Draw the soft shadow of a figure on the ground: dark where it touches, faint and wide where it hovers.

    Args:
        points: per image (N, 3): where points of the figure (for instance its vertices) fall on the ground,
            (x, y) in pixels of a `size` image, and their height above the ground in metres.
        pixels_per_metre: (B,) float32.
        size: (H, W).

    Returns:
        (B, H, W) in [0, 1], the share of light that reaches the ground.
    """
    device = pixels_per_metre.device
    counts = torch.tensor([len(p) for p in points], device=device)
    image = torch.repeat_interleave(torch.arange(len(points), device=device), counts)
    flat = torch.cat([torch.as_tensor(p, dtype=torch.float32, device=device) for p in points])
    x, y, height = flat.t().contiguous().unbind(0)
    height = height.clamp(min=0)
    near, far = torch.exp(-height / 0.07), torch.exp(-height / 0.5)

    # A grid in metres round the middle of what is near the ground, the same number of cells for every image.
    weight = near + 0.01
    total = torch.zeros(len(points), device=device).index_add_(0, image, weight)
    center = [torch.zeros_like(total).index_add_(0, image, weight * p) / total for p in (y, x)]
    cell = [pixels_per_metre * length for length in SHADOW_CELL]
    place = [
        ((p - c.index_select(0, image)) / s.index_select(0, image) + n / 2).floor().long()
        for p, c, s, n in zip((y, x), center, cell, SHADOW_CELLS, strict=True)
    ]
    inside = (
        (place[0] >= 0) & (place[0] < SHADOW_CELLS[0]) & (place[1] >= 0) & (place[1] < SHADOW_CELLS[1])
    ).float()
    index = (image * SHADOW_CELLS[0] + place[0].clamp(0, SHADOW_CELLS[0] - 1)) * SHADOW_CELLS[1]
    index += place[1].clamp(0, SHADOW_CELLS[1] - 1)
    density = torch.zeros(2, len(points) * SHADOW_CELLS[0] * SHADOW_CELLS[1], device=device)
    density[0].index_add_(0, index, near * inside)
    density[1].index_add_(0, index, far * inside)
    density = (1 - torch.exp(-3 * density)).view(2, len(points), *SHADOW_CELLS)
    # A level camera sees the ground edge on, as a line, so what the blur thins out is made up for.
    near, far = (
        1 - torch.exp(-4 * _blurred(layer, cells)) for layer, cells in zip(density, (1.8, 5.0), strict=True)
    )
    dark = (1 - 0.66 * near) * (1 - 0.45 * far)

    rows = (torch.arange(size[0], device=device) - center[0][:, None]) / (
        cell[0][:, None] * SHADOW_CELLS[0] / 2
    )
    columns = (torch.arange(size[1], device=device) - center[1][:, None]) / (
        cell[1][:, None] * SHADOW_CELLS[1] / 2
    )
    grid = torch.stack([
        columns[:, None, :].expand(-1, size[0], -1), rows[:, :, None].expand(-1, -1, size[1])
    ], 3)  # fmt: skip
    return 1 - F.grid_sample(1 - dark[:, None], grid, align_corners=False)[:, 0]


def _blurred(maps: Tensor, sigma: float) -> Tensor:
    """Blur (B, h, w) with a Gaussian of `sigma` cells."""
    reach = math.ceil(2.5 * sigma)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1, device=maps.device) ** 2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    maps = F.conv2d(maps[:, None], kernel.view(1, 1, -1, 1), padding=(reach, 0))
    return F.conv2d(maps, kernel.view(1, 1, 1, -1), padding=(0, reach))[:, 0]
