"""Photos as their own targets, and how many of them a mixture holds."""

from dataclasses import replace

import numpy as np
import pytest

from pgt.data.mixed import MixedPairs, SelfPairs, random_cut, with_mask
from pgt.data.person import Pair, Person, collate, encode_pair
from pgt.data.pose import Pose
from pgt.synthetic.people import SyntheticPeople

SIZE = (64, 32)


@pytest.fixture(scope="module")
def photos() -> list[Person]:
    people = SyntheticPeople("test", SIZE, "plain")
    found = [people[i].source for i in range(0, 60, 20)]
    return [replace(person, label_map=None, person_mask=None, name=str(i)) for i, person in enumerate(found)]


def test_half_of_the_sources_are_mirrored_half_are_cuts(photos):
    pairs = SelfPairs(photos, repeats=2)
    assert len(pairs) == 6
    for number, photo in enumerate(photos):
        mirrored, cut = pairs[number], pairs[number + 3]
        np.testing.assert_array_equal(mirrored.target.image, photo.image)
        np.testing.assert_array_equal(mirrored.source.image, photo.image[:, ::-1])
        assert not np.array_equal(cut.source.keypoints, cut.target.keypoints)
        assert cut.source.image_size == cut.target.image_size == SIZE


def test_cuts_follow_from_the_seed_and_differ_from_item_to_item(photos):
    pairs = SelfPairs(photos, repeats=4)
    np.testing.assert_array_equal(pairs[3].source.image, SelfPairs(photos, repeats=4)[3].source.image)
    assert not np.array_equal(pairs[3].source.keypoints, pairs[9].source.keypoints)
    with pytest.raises(IndexError):
        pairs[12]


def test_a_cut_moves_joints_with_the_picture():
    """A white dot at a joint is still at that joint after the cut."""
    image = np.zeros((100, 60, 3), np.uint8)
    image[49:52, 29:32] = 255
    keypoints, visible = np.full((18, 2), 1.0), np.ones(18, bool)
    keypoints[2] = (30, 50)
    lost = 0
    for seed in range(10):
        cut = random_cut(Person(image, Pose(keypoints, visible, (100, 60))), np.random.default_rng(seed))
        dot = np.argwhere(cut.image[..., 0] > 200).mean(axis=0)[::-1]
        np.testing.assert_allclose(cut.keypoints[2], dot, atol=1)
        assert cut.visible[2]
        assert cut.image_size == (100, 60)
        assert cut.visible[0] == (cut.keypoints[0] >= 0).all()
        lost += not cut.visible[0]
    assert lost  # the corner is cut off more often than not


def test_whoever_would_vanish_is_not_cut():
    keypoints, visible = np.zeros((18, 2)), np.arange(18) == 0
    person = Person(np.zeros((100, 60, 3), np.uint8), Pose(keypoints, visible, (100, 60)))
    assert all(random_cut(person, np.random.default_rng(seed)).visible.any() for seed in range(20))


@pytest.mark.parametrize(("num_pairs", "num_photos"), [(40, 3), (3, 40), (1, 1), (1000, 16)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_photos_have_their_share_and_nothing_is_left_out(num_pairs, num_photos, share):
    keypoints = np.full((18, 2), 5.0)
    nobody = Person(np.zeros((8, 8, 3), np.uint8), Pose(keypoints, np.ones(18, bool), (8, 8)))
    pairs = [Pair(nobody, nobody, f"pair {i}") for i in range(num_pairs)]
    photos = [Pair(nobody, nobody, f"photo {i}") for i in range(num_photos)]
    names = [pair.name for pair in MixedPairs(pairs, photos, share)]
    assert {pair.name for pair in pairs + photos} == set(names)
    found = sum(name.startswith("photo") for name in names) / len(names)
    assert found == pytest.approx(share, abs=max(0.02, 1 / len(names)))


def test_a_batch_of_both_has_everybodys_mask(photos):
    people = SyntheticPeople("test", SIZE, "plain")
    mixed = MixedPairs([people[0], people[1]], SelfPairs(photos, repeats=1), 0.5)
    batch = collate([encode_pair(mixed[i], SIZE) for i in range(len(mixed))])
    assert batch.source_label_map is None  # photos have none
    for mask in (batch.source_person_mask, batch.target_person_mask):
        assert (mask.flatten(1).mean(dim=1) > 0.02).all()


def test_a_guessed_mask_covers_most_of_the_person_and_little_else():
    people = SyntheticPeople("test", (128, 64), "plain")
    for i in range(0, 40, 8):
        person = people[i].source
        guessed = with_mask(replace(person, label_map=None, person_mask=None)).person_mask
        true = person.label_map > 0
        assert (guessed & true).sum() / (guessed | true).sum() > 0.4


def test_empty_mixtures_are_refused(photos):
    with pytest.raises(ValueError, match="at least one photo"):
        SelfPairs([])
    with pytest.raises(ValueError, match="between 0 and 1, not 1"):
        MixedPairs([0], SelfPairs(photos), 1)
    with pytest.raises(ValueError, match="at least one pair"):
        MixedPairs([], SelfPairs(photos), 0.5)
