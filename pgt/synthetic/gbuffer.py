"""What goes into the rasteriser, a mesh, and what comes out of it, the visible surface."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Mesh:
    """One figure in front of the camera (orthographic), ready to be drawn.

    Only faces whose corners run counter-clockwise as the viewer sees them are drawn; an open surface shows
    its inside only if its faces are given a second time in reverse.

    Attributes:
        vertices: (V, 3) float32, x right and y down in pixels of the final image, whole numbers being pixel
            centres; z towards the viewer, in pixels too.
        normals: (V, 3) float32, outward, in the same axes (y down); need not have unit length.
        faces: (F, 3) int64, corners as indices of vertices.
        uv: (V, 2) float32, metres of cloth.
        material: (F,) int64, index into the figure's materials.
        label: (F,) uint8, one of the ten labels.
    """

    vertices: np.ndarray | Tensor
    normals: np.ndarray | Tensor
    faces: np.ndarray | Tensor
    uv: np.ndarray | Tensor
    material: np.ndarray | Tensor
    label: np.ndarray | Tensor


@dataclass(frozen=True)
class GBuffer:
    """What is seen of B figures.

    Where one smooth piece of surface fills a pixel it is looked up once, in the pixel's centre, as a fragment
    of weight 1; elsewhere every covered sample is a fragment of its own, of weight 1 / S².

    Attributes:
        num_images: B.
        size: (H, W) of the final images.
        pixel: (Q,) int64, ascending: the touched pixels, as indices into the flat (B, H, W).
        coverage: (Q,) float32 in (0, 1], the share of the pixel's samples that are on the figure.
        depth: (Q,) float32, the nearest sample's, pixels towards the viewer.
        label: (Q,) uint8, the one most samples have.
        owner: (N,) int64 in [0, Q), the pixel of each fragment.
        weight: (N,) float32, its share of the pixel.
        footprint: (N,) float32, its width in pixels, before foreshortening.
        face: (N,) int64, face of the image's mesh.
        normal: three (N,) float32, x right, y down, z towards the viewer, unit length together.
        u, v: (N,) float32, metres of cloth.
        material: (N,) int64, index into the image's own materials.
    """

    num_images: int
    size: tuple[int, int]
    pixel: Tensor
    coverage: Tensor
    depth: Tensor
    label: Tensor
    owner: Tensor
    weight: Tensor
    footprint: Tensor
    face: Tensor
    normal: tuple[Tensor, Tensor, Tensor]
    u: Tensor
    v: Tensor
    material: Tensor

    @property
    def image(self) -> Tensor:
        """(Q,) int64, the image each touched pixel belongs to."""
        return self.pixel // (self.size[0] * self.size[1])
