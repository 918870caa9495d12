"""What cloth promises: a function of (u, v) alone that fades to its mean instead of flickering."""

import dataclasses

import pytest
import torch

from pgt.synthetic.draw import Draw
from pgt.synthetic.textures import KINDS, Texture, draw_texture

PERIODIC = ("stripes", "dots", "plaid", "floral", "knit", "denim", "camouflage")


def cloth(kind: str, seed: int = 3, **changes) -> Texture:
    """One cloth of a kind."""
    return dataclasses.replace(draw_texture(Draw(seed), {kind: 1.0}), **changes)


def points(count: int, extent: float, start: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """A square of count x count points, metres."""
    axis = start + (torch.arange(count) + 0.5) * extent / count
    u, v = torch.meshgrid(axis, axis, indexing="xy")
    return u.reshape(-1), v.reshape(-1)


@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_colours(kind):
    u, v = points(60, 0.5, -0.25)
    for seed in range(6):
        colors = cloth(kind, seed).colors_at(u, v, torch.full_like(u, 0.004))
        assert colors.shape == (3600, 3)
        assert colors.min() >= 0
        assert colors.max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_point_has_its_colour_whatever_else_is_evaluated(kind):
    texture, u, v = cloth(kind), torch.rand(50), torch.rand(50)
    footprint = torch.full_like(u, 0.003)
    alone = texture.colors_at(u, v, footprint)
    order = torch.arange(49, -1, -1)
    torch.testing.assert_close(texture.colors_at(u[order], v[order], footprint), alone[order])

    others = [cloth(other, 8) for other in KINDS]
    index = torch.cat([torch.full((50,), len(others)), torch.arange(500) % len(others)])
    more = [torch.cat([a, torch.rand(500)]) for a in (u, v, footprint)]
    together = Texture.colors_together([*others, texture], index, *more)
    torch.testing.assert_close(together[:50], alone)


@pytest.mark.parametrize("kind", PERIODIC)
@pytest.mark.parametrize("seed", range(6))
def test_a_large_pixel_sees_the_mean(kind, seed):
    texture = cloth(kind, seed, folds=0.0, grain=0.0)
    extent = 24 * texture.scale if kind != "denim" else 60 * texture.scale
    u, v = points(480, extent)
    mean = texture.colors_at(u, v, torch.full_like(u, extent / 480)).mean(0)
    far = texture.colors_at(u, v, torch.full_like(u, 3 * texture.scale)).mean(0)
    torch.testing.assert_close(far, mean, atol=0.02, rtol=0)


@pytest.mark.parametrize("kind", PERIODIC)
@pytest.mark.parametrize("footprint", [0.004, 0.008, 0.016, 0.032])
def test_moving_by_half_a_pixel_changes_little_of_the_average(kind, footprint):
    texture = cloth(kind, folds=0.0)
    means = []
    for start in (0.0, footprint / 2):
        u, v = points(64, 64 * footprint, start)
        means.append(texture.colors_at(u, v, torch.full_like(u, footprint)).mean(0))
    torch.testing.assert_close(means[0], means[1], atol=0.012, rtol=0)


def test_stripes_finer_than_a_pixel_are_flat():
    texture = cloth("stripes", scale=0.01, folds=0.0)
    u, v = points(40, 0.8)
    assert texture.colors_at(u, v, torch.full_like(u, 0.02)).std(0).max() < 0.01


def test_stripes_repeat_after_their_period_and_run_along_u():
    texture = cloth("stripes", scale=0.05, angle=0.0, folds=0.0, grain=0.0)
    u, v = points(30, 0.3)
    footprint = torch.full_like(u, 0.002)
    colors = texture.colors_at(u, v, footprint)
    torch.testing.assert_close(texture.colors_at(u + 0.123, v, footprint), colors)
    torch.testing.assert_close(texture.colors_at(u, v + 0.05, footprint), colors, atol=0.02, rtol=0)
    assert colors.std(0).max() > 0.05


def test_logo_is_drawn_once_round_its_centre():
    texture = cloth("logo", phase=(0.1, 1.2), folds=0.0, grain=0.0, variant=0.1)
    u, v = points(100, 0.6)
    colors = texture.colors_at(u - 0.2, v + 0.9, torch.full_like(u, 0.002))
    figure = (colors - torch.tensor(texture.colors[0])).abs().sum(1) > 0.05
    distance = torch.hypot(u - 0.2 - 0.1, v + 0.9 - 1.2)
    assert figure.any()
    assert distance[figure].max() < 0.6 * texture.scale


def test_the_same_draw_gives_the_same_cloth():
    assert [draw_texture(Draw(5, i)) for i in range(20)] == [draw_texture(Draw(5, i)) for i in range(20)]
    assert len({draw_texture(Draw(5, i)) for i in range(200)}) == 200
    assert {draw_texture(Draw(6, i)).kind for i in range(300)} == set(KINDS)
