"""Product pictures: landmarks lie where they say, and the cloth is the one that is worn."""

import numpy as np
import pytest

from pgt.synthetic.people import SyntheticPeople
from pgt.synthetic.products import LANDMARKS, product_picture, style_swatch
from pgt.synthetic.textures import KINDS, Texture
from pgt.synthetic.wardrobe import draw_identity

SIZE = (96, 80)


@pytest.fixture(scope="module")
def products():
    return [product_picture(seed, SIZE) for seed in range(16)]


def grown(mask, reach):
    return np.any(
        [np.roll(mask, (y, x), (0, 1)) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)], 0
    )


def test_a_product_is_a_picture_its_mask_and_its_map(products):
    for product in products:
        assert product.image.shape == (*SIZE, 3)
        assert product.image.dtype == np.uint8
        assert product.mask.shape == SIZE
        assert 0.1 < product.mask.mean() < 0.75
        assert np.array_equal(product.label_map, np.where(product.mask, 3, 0))


def test_the_same_seed_lays_the_same_garment(products):
    assert np.array_equal(products[3].image, product_picture(draw_identity(3), SIZE).image)
    assert not np.array_equal(products[3].image, product_picture(3, SIZE, split="test").image)


def test_landmarks_lie_on_the_rim_of_the_cloth(products):
    for product in products:
        near = grown(product.mask, 3)
        for name, (x, y) in product.landmarks.items():
            if "elbow" in name and product.identity.top.sleeve < 0.55:
                continue  # beside the cloth, where the arm would go on
            assert near[round(y), round(x)], name


def test_landmarks_have_the_papers_names_and_the_wearers_sides(products):
    for product in products:
        sleeves = product.identity.top.sleeve > 0
        expected = [name for name in LANDMARKS if sleeves or name.split("_", 1)[1] in ("collar", "hem")]
        assert list(product.landmarks) == expected
        for name in {name.split("_", 1)[1] for name in expected}:
            left, right = product.landmarks[f"left_{name}"], product.landmarks[f"right_{name}"]
            assert left[0] > right[0]  # the wearer's left is on the picture's right
            assert left[1] == pytest.approx(right[1], abs=0.01)
        assert product.landmarks["left_collar"][1] < product.landmarks["left_hem"][1]


def test_sleeves_end_where_they_should(products):
    for product in products:
        top, at = (
            product.identity.top,
            {k: np.array(v) for k, v in (product.landmarks | product.joints).items()},
        )
        if top.sleeve <= 0:
            continue
        arm, upper = (
            np.linalg.norm(at[f"left_{name}"] - at["left_shoulder"]) for name in ("sleeve_end", "elbow")
        )
        body = product.identity.proportions
        assert arm / upper == pytest.approx(
            top.sleeve * (body.upper_arm + body.forearm) / body.upper_arm, rel=0.01
        )
        assert ("left_wrist" in at) == (arm > upper)


def test_landmarks_scale_with_the_picture(products):
    large = product_picture(0, (192, 160))
    for name, (x, y) in products[0].landmarks.items():
        np.testing.assert_allclose((np.array([x, y]) + 0.5) * 2 - 0.5, large.landmarks[name], atol=1e-3)


@pytest.mark.parametrize("size", [(48, 128), (160, 40), (9, 9)])
def test_the_garment_fits_into_any_picture(size):
    product = product_picture(1, size)
    assert product.image.shape == (*size, 3)
    assert product.mask.any()
    inner = np.zeros(size, bool)
    inner[1:-1, 1:-1] = True
    assert inner[product.mask].all()


def test_a_dress_is_laid_with_its_skirt():
    dress = next(product_picture(seed, SIZE) for seed in range(40) if draw_identity(seed).dress)
    shoulder, hip, hem = (
        value[1]
        for value in (dress.joints["left_shoulder"], dress.joints["left_hip"], dress.landmarks["left_hem"])
    )
    assert shoulder < hip < hem - 0.3 * (hip - shoulder)


def test_the_cloth_is_the_one_that_is_worn():
    """Mean colours of the product and of the person who wears it, over a wardrobe."""
    people = SyntheticPeople("train", (96, 64), "plain", num_identities=18)
    laid, worn = [], []
    for seed in range(18):
        identity = draw_identity(seed)
        if identity.top.front == "open" or identity.top_cloth.kind == "gradient":
            continue  # what is under an open jacket has the same label
        person, product = people.person(seed), product_picture(identity, SIZE)
        laid.append(product.image[product.mask].mean(0))
        worn.append(person.image[person.label_map == 3].mean(0))
    laid, worn = np.array(laid), np.array(worn)
    for channel in range(3):
        assert np.corrcoef(laid[:, channel], worn[:, channel])[0, 1] > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_swatches_of_every_kind_fill_the_picture(kind):
    swatch = style_swatch(5, (40, 60), kind=kind)
    assert swatch.shape == (40, 60, 3)
    assert swatch.dtype == np.uint8
    assert np.array_equal(swatch, style_swatch(5, (40, 60), kind=kind))
    assert not np.array_equal(swatch, style_swatch(6, (40, 60), kind=kind))


def test_a_swatch_shows_the_given_cloth():
    red = Texture("solid", ((0.8, 0.1, 0.1),) * 3, grain=0.0, folds=0.0)
    swatch = style_swatch(red, (30, 30))
    assert np.abs(swatch.reshape(-1, 3).mean(0) / 255 - [0.8, 0.1, 0.1]).max() < 0.05
    with pytest.raises(ValueError, match="no cloth 'silk'"):
        style_swatch(1, kind="silk")
