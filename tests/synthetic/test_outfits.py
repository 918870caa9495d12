"""The same person in other clothes: nothing else changes."""

import numpy as np
import pytest

from pgt.synthetic.outfits import (
    GARMENTS,
    dressed,
    dressed_as,
    in_skirt,
    in_textures_of,
    in_trousers,
    with_sleeves,
)
from pgt.synthetic.people import SyntheticPeople, parameters_hash, render_people
from pgt.synthetic.wardrobe import draw_identity

SIZE = (96, 64)
UPPER, PANTS, SKIRT = 3, 4, 5


@pytest.fixture(scope="module")
def people():
    return SyntheticPeople("test", SIZE, "plain", num_identities=16)


def test_ones_own_clothes_are_the_plain_picture(people):
    spec = people.spec(2, 0)
    own = dressed(spec, with_sleeves(spec.identity, spec.identity.top.sleeve))
    plain, again = render_people([spec, own], SIZE)
    assert np.array_equal(plain.image, again.image)
    assert parameters_hash(spec) == parameters_hash(own)


def test_the_hash_knows_other_clothes(people):
    spec = people.spec(2, 0)
    other = dressed(spec, in_textures_of(spec.identity, people.spec(3, 0).identity))
    assert parameters_hash(other) != parameters_hash(spec)


def test_pose_face_and_background_stay(people):
    spec = people.spec(2, 0)
    one, other = render_people(
        [spec, dressed(spec, dressed_as(spec.identity, people.spec(3, 0).identity))], SIZE
    )
    assert np.array_equal(one.keypoints, other.keypoints)
    assert np.array_equal(one.background, other.background)
    face = (one.label_map == 1) & (other.label_map == 1)
    assert np.median(np.abs(one.image[face].astype(int) - other.image[face])) < 1  # a collar shades the neck
    upper = (one.label_map == UPPER) & (other.label_map == UPPER)
    assert np.abs(one.image[upper].astype(int) - other.image[upper]).mean() > 20


def test_textures_leave_the_map_as_it_is(people):
    spec = people.spec(2, 0)
    one, other = render_people(
        [spec, dressed(spec, in_textures_of(spec.identity, people.spec(8, 0).identity))], SIZE
    )
    assert np.array_equal(one.label_map, other.label_map)
    assert not np.array_equal(one.image, other.image)


def test_garments_come_from_whom_they_should():
    seeds = range(40)
    dress = next(i for i in map(draw_identity, seeds) if i.dress)
    plain, other = [i for i in map(draw_identity, seeds) if not i.dress][:2]
    swapped = dressed_as(plain, other, ("top",))
    assert all(getattr(swapped, name) == getattr(other, name) for name in GARMENTS["top"])
    assert all(getattr(swapped, name) == getattr(plain, name) for name in GARMENTS["bottom"])
    assert (swapped.face, swapped.proportions, swapped.seed) == (plain.face, plain.proportions, plain.seed)
    for pair in ((plain, dress), (dress, plain)):
        both = dressed_as(*pair, ("top",))
        assert both.dress == pair[1].dress
        assert both.bottom == pair[1].bottom
    with pytest.raises(ValueError, match="no garment 'gloves'"):
        dressed_as(plain, other, ("gloves",))


def test_sleeves_trousers_and_skirts_are_seen_in_the_map(people):
    spec = people.spec(2, 0)
    own = spec.identity
    looks = (with_sleeves(own, 0.2), with_sleeves(own, 0.95), in_trousers(own), in_skirt(own, 0.6))
    short, long, trousers, skirt = (
        person.label_map for person in render_people([dressed(spec, look) for look in looks], SIZE)
    )
    assert np.isin(short, (6, 7)).sum() > 2 * np.isin(long, (6, 7)).sum()
    assert (trousers == PANTS).any()
    assert not (trousers == SKIRT).any()
    assert (skirt == SKIRT).any()
    assert not (skirt == PANTS).any()
