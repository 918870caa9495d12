"""What the rasteriser promises: exact coverage, no cracks, the nearest surface, the same in any batch."""

import dataclasses

import numpy as np
import pytest
import torch

from pgt.synthetic.draw import Draw
from pgt.synthetic.raster import Mesh, rasterize


def mesh_of(vertices, faces, label=None) -> Mesh:
    """Build a mesh of given corners; uv are the x and y of the vertices, normals face the viewer."""
    vertices = np.asarray(vertices, dtype=np.float32)
    faces = np.asarray(faces)
    return Mesh(
        vertices=vertices,
        normals=np.tile(np.float32([0, 0, 1]), (len(vertices), 1)),
        faces=faces,
        uv=vertices[:, :2],
        material=np.zeros(len(faces), dtype=np.int64),
        label=np.ones(len(faces), dtype=np.uint8) if label is None else np.uint8(label),
    )


def towards_viewer(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Turn every face so that it is seen."""
    a, b, c = (vertices[faces[:, i], :2].astype(np.float64) for i in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (c - a)[:, 0] * (b - a)[:, 1]
    return np.where((area > 0)[:, None], faces[:, [0, 2, 1]], faces)


def soup(seed: int, count: int, size: tuple[int, int]) -> Mesh:
    """Random triangles, some of them partly or wholly outside the picture."""
    draw = Draw(seed)
    corners = [
        (draw.uniform(-5, size[1] + 5), draw.uniform(-5, size[0] + 5), draw.uniform(-9, 9))
        for _ in range(3 * count)
    ]
    vertices = np.array(corners, dtype=np.float32)
    return mesh_of(vertices, towards_viewer(vertices, np.arange(3 * count).reshape(-1, 3)))


def literal_faces(mesh: Mesh, size: tuple[int, int]) -> np.ndarray:
    """Rasterise sample by sample, triangle by triangle, with edge functions in float64."""
    nearest, winner = np.full(size, -np.inf), np.full(size, -1)
    for number, face in enumerate(mesh.faces):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = mesh.vertices[face].astype(np.float64)
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        for y in range(size[0]):
            for x in range(size[1]):
                wb = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area
                wc = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area
                depth = az + wb * (bz - az) + wc * (cz - az)
                if wb >= 0 and wc >= 0 and wb + wc <= 1 and depth > nearest[y, x]:
                    nearest[y, x], winner[y, x] = depth, number
    return winner


@pytest.mark.parametrize("seed", range(4))
def test_covers_what_a_literal_rasteriser_covers(seed):
    size = (23, 31)
    mesh = soup(seed, 25, size)
    gbuffer = rasterize([mesh], size, supersample=1)
    faces = torch.full((23 * 31,), -1)
    faces[gbuffer.pixel[gbuffer.owner]] = gbuffer.face
    np.testing.assert_array_equal(faces.view(size).numpy(), literal_faces(mesh, size))


def wavy_grid(steps: int, extent: float) -> Mesh:
    """A square of [0, extent]² cut into irregular triangles."""
    draw = Draw(5)
    vertices = []
    for i in range(steps + 1):
        for j in range(steps + 1):
            inner = 0 < i < steps and 0 < j < steps
            shift = [draw.uniform(-0.35, 0.35) if inner else 0.0 for _ in range(2)]
            vertices.append(
                ((j + shift[0]) * extent / steps, (i + shift[1]) * extent / steps, draw.uniform(0, 3))
            )
    corner = np.arange(steps)[:, None] * (steps + 1) + np.arange(steps)
    quads = np.stack([corner, corner + 1, corner + steps + 2, corner + steps + 1], -1).reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    vertices = np.array(vertices, dtype=np.float32)
    return mesh_of(vertices, towards_viewer(vertices, faces))


@pytest.mark.parametrize("extent", [37.3, 61.0, 64.0])
def test_shared_edges_leave_no_crack(extent):
    gbuffer = rasterize([wavy_grid(29, extent)], (80, 80), supersample=2)
    coverage = torch.zeros(80 * 80).index_put_((gbuffer.pixel,), gbuffer.coverage).view(80, 80)
    inside = int(extent - 1)
    assert (coverage[1:inside, 1:inside] == 1).all()


def test_whole_numbers_are_pixel_centres():
    square = mesh_of([(-0.5, -0.5, 0), (3.5, -0.5, 0), (3.5, 2.0, 0), (-0.5, 2.0, 0)], [[0, 2, 1], [0, 3, 2]])
    gbuffer = rasterize([square], (6, 6), supersample=2)
    coverage = torch.zeros(36).index_put_((gbuffer.pixel,), gbuffer.coverage).view(6, 6)
    expected = torch.zeros(6, 6)
    expected[:2, :4], expected[2, :4] = 1, 0.5
    torch.testing.assert_close(coverage, expected)


def test_texture_coordinates_are_those_of_the_point_looked_at():
    gbuffer = rasterize([wavy_grid(11, 40.0)], (40, 40), supersample=2)
    whole = gbuffer.weight == 1
    pixel = gbuffer.pixel[gbuffer.owner][whole]
    assert whole.sum() > 500
    torch.testing.assert_close(gbuffer.u[whole], (pixel % 40).float(), atol=1e-3, rtol=0)
    torch.testing.assert_close(gbuffer.v[whole], (pixel // 40).float(), atol=1e-3, rtol=0)


def two_squares(first: float, second: float) -> Mesh:
    vertices = [(x, y, z) for z in (first, second) for x, y in ((0, 0), (9, 0), (9, 9), (0, 9))]
    return mesh_of(vertices, [[0, 2, 1], [0, 3, 2], [4, 6, 5], [4, 7, 6]], label=[1, 1, 2, 2])


@pytest.mark.parametrize(("first", "second", "label"), [(1.0, 2.0, 2), (2.0, 1.0, 1), (1.0, 1.0, 1)])
def test_nearest_wins_and_ties_go_to_the_first_face(first, second, label):
    gbuffer = rasterize([two_squares(first, second)], (9, 9))
    assert gbuffer.label.unique().tolist() == [label]
    assert gbuffer.depth.unique().tolist() == [max(first, second)]


def test_back_faces_are_not_drawn():
    mesh = two_squares(1.0, 2.0)
    turned = dataclasses.replace(mesh, faces=mesh.faces[:, [0, 2, 1]])
    assert len(rasterize([turned], (9, 9)).pixel) == 0


def test_an_image_is_the_same_in_any_batch():
    size = (40, 30)
    meshes = [soup(seed, 60, size) for seed in range(5)]
    together = rasterize(meshes, size)
    for number, mesh in enumerate(meshes):
        alone = rasterize([mesh], size)
        mine = together.image == number
        fragments = mine[together.owner]
        torch.testing.assert_close(together.pixel[mine] - number * 1200, alone.pixel)
        assert torch.equal(together.depth[mine], alone.depth)
        assert torch.equal(together.label[mine], alone.label)
        assert torch.equal(together.face[fragments], alone.face)
        assert torch.equal(together.u[fragments], alone.u)


def test_weights_of_a_pixel_sum_to_its_coverage():
    gbuffer = rasterize([soup(7, 80, (40, 30))], (40, 30))
    total = torch.zeros_like(gbuffer.coverage).index_add_(0, gbuffer.owner, gbuffer.weight)
    torch.testing.assert_close(total, gbuffer.coverage)


def test_nothing_in_view_gives_an_empty_buffer():
    mesh = soup(1, 5, (20, 20))
    away = dataclasses.replace(mesh, vertices=mesh.vertices + np.float32([1000, 0, 0]))
    assert len(rasterize([away], (20, 20)).owner) == 0
