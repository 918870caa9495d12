"""What scenes promise: one seed, one scene, at every size."""

import numpy as np
import pytest

from pgt.synthetic.scenes import SCENES, Background, SyntheticScenes, draw_background, light_of

SEEDS = range(12)


def halved(image: np.ndarray) -> np.ndarray:
    height, width, _ = image.shape
    return image.reshape(height // 2, 2, width // 2, 2, 3).astype(float).mean((1, 3))


@pytest.mark.parametrize("kind", SCENES)
@pytest.mark.parametrize("seed", SEEDS)
def test_twice_the_size_is_the_same_scene(kind, seed):
    small, large = (draw_background(Background(seed, kind), (size, size)) for size in (64, 128))
    assert small.shape == (64, 64, 3)
    assert small.dtype == np.uint8
    difference = np.abs(halved(large) - small)
    assert difference.mean() < 3.5
    assert np.quantile(difference, 0.99) < 36  # leaves and other things about a pixel wide


@pytest.mark.parametrize("kind", SCENES)
def test_a_narrow_picture_is_the_middle_of_a_wide_one(kind):
    wide, narrow = (draw_background(Background(4, kind), (128, width)) for width in (128, 64))
    assert np.abs(wide[:, 32:96].astype(int) - narrow).mean() < 0.5


@pytest.mark.parametrize("kind", SCENES)
def test_the_seed_decides(kind):
    first, again, other = (draw_background(Background(seed, kind), (48, 48)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert np.abs(first.astype(int) - other).mean() > 2


def test_a_studio_is_calm_and_other_places_are_not():
    def busy(kind: str) -> float:
        images = [draw_background(Background(seed, kind), (64, 64)).astype(float) for seed in SEEDS]
        return float(np.mean([np.abs(np.diff(image, axis=1)).mean() for image in images]))

    assert busy("plain") < 1
    assert busy("street") > 2
    assert busy("cluttered") > 2


@pytest.mark.parametrize("kind", SCENES)
def test_nothing_is_left_black_or_burnt_out(kind):
    for seed in SEEDS:
        image = draw_background(Background(seed, kind), (64, 64))
        assert 40 < image.mean() < 250
        assert (image.max(2) == 0).mean() < 0.01
        assert (image.min(2) == 255).mean() < 0.2


def test_light_comes_from_above_and_suits_any_scene():
    for kind in SCENES:
        for seed in SEEDS:
            light = light_of(Background(seed, kind))
            assert light.direction[1] < 0 < light.direction[2]
            assert 0.95 < light.key[1] + light.sky[1] < 1.3
    assert light_of(Background(3)) == light_of(Background(3))


def test_refuses_an_unknown_kind():
    with pytest.raises(ValueError, match="plain, street, cluttered, obstructed"):
        Background(0, "moon")


def test_scenes_without_people_are_the_same_twice_and_shared_by_no_split():
    one, again, other = (SyntheticScenes(split, (24, 32), 5) for split in ("train", "train", "test"))

    assert one[3].shape == (24, 32, 3)
    assert one[3].dtype == np.uint8
    assert (one[3] == again[3]).all()
    assert not any((one[i] == other[j]).all() for i in range(5) for j in range(5))
    assert not any((one[i] == one[j]).all() for i in range(5) for j in range(i))
    with pytest.raises(IndexError, match="Scene 5 of 5"):
        one[5]
