"""What the light does: it makes things solid, leaves the background alone, is the same at every size."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pgt.synthetic.raster import Mesh, rasterize
from pgt.synthetic.shading import Light, ground_shadow, shade


@dataclass(frozen=True)
class Paint:
    """One colour everywhere."""

    color: tuple[float, float, float] = (0.8, 0.8, 0.8)
    gloss: float = 0.0

    def colors_at(self, u: Tensor, v: Tensor, footprint: Tensor) -> Tensor:
        return torch.tensor(self.color).expand(len(u), 3)


def ball(center: tuple[float, float, float], radius: float, label: int = 3, material: int = 0) -> Mesh:
    """A sphere in pixels."""
    polar, around = np.meshgrid(np.linspace(0, np.pi, 33), np.linspace(0, 2 * np.pi, 49), indexing="ij")
    normals = np.stack([np.sin(polar) * np.cos(around), -np.cos(polar), np.sin(polar) * np.sin(around)], -1)
    corner = np.arange(32)[:, None] * 49 + np.arange(48)
    quads = np.stack([corner, corner + 1, corner + 50, corner + 49], -1).reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Mesh(
        vertices=(normals * radius + np.array(center)).reshape(-1, 3).astype(np.float32),
        normals=normals.reshape(-1, 3).astype(np.float32),
        faces=faces,
        uv=np.zeros((33 * 49, 2), dtype=np.float32),
        material=np.full(len(faces), material),
        label=np.full(len(faces), label, dtype=np.uint8),
    )


def joined(*meshes: Mesh) -> Mesh:
    """Several meshes as one."""
    shifts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    parts = {name: [getattr(mesh, name) for mesh in meshes] for name in Mesh.__dataclass_fields__}
    parts["faces"] = [mesh.faces + shift for mesh, shift in zip(meshes, shifts, strict=True)]
    return Mesh(**{name: np.concatenate(part) for name, part in parts.items()})


def draw(
    mesh: Mesh, size: int, background: int = 128, light: Light | None = None, paint: Paint | None = None
):
    """One picture, 1 metre being as high as the image."""
    gbuffer = rasterize([mesh], (size, size))
    behind = torch.full((1, size, size, 3), background, dtype=torch.uint8)
    materials = [[paint or Paint()] * 4]
    scale = torch.tensor([float(size)])
    return shade(gbuffer, materials, behind, pixels_per_metre=scale, lights=[light] if light else None)


def test_background_is_untouched_off_the_person():
    picture = draw(ball((31.5, 31.5, 0), 15), 64, background=77)
    away = picture.depth[0] == -torch.inf
    assert away.sum() > 2000
    assert (picture.image[0][away] == 77).all()
    assert (picture.label_map[0][away] == 0).all()


def test_silhouette_blends_between_figure_and_background():
    picture = draw(ball((31.5, 31.5, 0), 15), 64, background=0, paint=Paint((1.0, 1.0, 1.0)))
    rim = (picture.depth[0] > -torch.inf) & ~picture.person_mask[0]
    assert rim.sum() > 10
    values = picture.image[0][rim].float()
    assert values.min() > 0
    assert values.max() < draw(ball((31.5, 31.5, 0), 15), 64).image.max()


def test_the_side_that_faces_the_light_is_brighter():
    picture = draw(ball((31.5, 31.5, 0), 20), 64, light=Light(direction=(-1.0, 0.0, 0.4)))
    left, right = picture.image[0, 31, 17].float().mean(), picture.image[0, 31, 46].float().mean()
    assert left > 1.4 * right


def test_light_from_above_and_below_differ():
    picture = draw(
        ball((31.5, 31.5, 0), 20), 64, light=Light(key=(0, 0, 0), sky=(0.8,) * 3, ground=(0.2,) * 3)
    )
    assert picture.image[0, 15, 31].float().mean() > 1.4 * picture.image[0, 48, 31].float().mean()


def test_a_neighbour_in_front_darkens_what_it_is_near():
    wall = ball((64, 64, -2000), 1980)
    alone = draw(wall, 128).image[0, 64, 36].float().mean()
    beside = draw(joined(wall, ball((64, 64, -10), 24)), 128).image[0, 64, 36].float().mean()
    assert beside < 0.93 * alone


def test_gloss_adds_a_highlight():
    dull, shiny = (
        draw(ball((31.5, 31.5, 0), 20), 64, paint=Paint((0.3,) * 3, gloss)) for gloss in (0.0, 0.4)
    )
    assert shiny.image.max() > dull.image[0, 10:50, 10:50].max() + 20


def test_labels_are_crisp_and_go_with_the_majority():
    mesh = joined(ball((24, 32, 0), 12, label=3), ball((40, 32, 0), 12, label=9, material=1))
    picture = draw(mesh, 64)
    assert picture.label_map.unique().tolist() == [0, 3, 9]
    assert (picture.person_mask == (picture.label_map > 0)).all()
    assert picture.label_map[0, 32, 20] == 3
    assert picture.label_map[0, 32, 44] == 9


def test_depth_is_that_of_the_nearest_point():
    picture = draw(ball((32, 32, 5), 12), 64)
    assert picture.depth[0, 32, 32] == pytest.approx(17, abs=0.2)


def test_twice_the_size_is_the_same_picture():
    small, large = (
        draw(ball(((n - 1) / 2, (n - 1) / 2, 0), 0.3 * n), n, background=200).image for n in (64, 128)
    )
    halved = F.avg_pool2d(large.permute(0, 3, 1, 2).float(), 2).permute(0, 2, 3, 1)
    difference = (halved - small.float()).abs()
    assert difference.mean() < 1.0
    assert difference.max() < 30  # one sample of four at the silhouette


def test_an_image_is_the_same_in_any_batch():
    size, meshes = 48, [ball((20, 20, 0), 12), ball((30, 24, 3), 15)]
    behind = torch.full((2, size, size, 3), 90, dtype=torch.uint8)
    paints = [[Paint((0.9, 0.3, 0.2))], [Paint((0.2, 0.3, 0.9), 0.3)]]
    scale = torch.tensor([48.0, 60.0])
    both = shade(rasterize(meshes, (size, size)), paints, behind, pixels_per_metre=scale).image
    for i in range(2):
        gbuffer = rasterize(meshes[i : i + 1], (size, size))
        one = shade(gbuffer, paints[i : i + 1], behind[:1], pixels_per_metre=scale[i : i + 1]).image
        assert (one[0].int() - both[i].int()).abs().max() <= 1


def test_ground_is_darkest_where_the_figure_touches_it():
    touching = torch.tensor([[32.0, 50.0, 0.0]] * 40)
    hovering = touching + torch.tensor([0.0, 0.0, 0.4])
    scale = torch.tensor([40.0, 40.0])
    shadow = ground_shadow([touching, hovering], scale, (64, 64))
    assert shadow.shape == (2, 64, 64)
    assert divmod(int(shadow[0].argmin()), 64) in {
        (row, column) for row in (49, 50, 51) for column in (31, 32, 33)
    }
    assert shadow[0].min() < shadow[1].min() < 1
    assert shadow[:, 0, 0].tolist() == [1.0, 1.0]
    assert shadow.min() >= 0
    assert shadow.max() <= 1
