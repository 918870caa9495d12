"""What makes a view non-iconic (MR-Net, section I): small people anywhere, behind things, in any pose."""

from collections import Counter

import numpy as np
import pytest

from pgt.synthetic.draw import Draw
from pgt.synthetic.people import CLUTTER, SyntheticPeople, SyntheticPerson
from pgt.synthetic.poses import KINDS, draw_pose
from pgt.synthetic.scenes import Background, draw_foreground

SIZE = (96, 96)
BODY = np.arange(1, 14)  # neck to ankles


@pytest.fixture(scope="module")
def people() -> list[SyntheticPerson]:
    dataset = SyntheticPeople("train", SIZE, "non_iconic", num_identities=60, poses_per_identity=2)
    return dataset.render([(identity, k) for identity in range(60) for k in range(2)])


@pytest.fixture(scope="module")
def obstructed(people) -> list[SyntheticPerson]:
    return [person for person in people if person.spec.background.kind == "obstructed"]


def test_people_are_small_and_anywhere(people):
    assert np.mean([person.person_mask.mean() for person in people]) < 0.1
    centers = np.array([np.argwhere(person.person_mask).mean(0) for person in people]) / SIZE[0]
    assert centers[:, 1].std() > 0.1
    assert ((centers[:, 1] < 0.4) | (centers[:, 1] > 0.6)).mean() > 0.4


def test_they_jump_and_bend_and_squat_about_as_often_as_they_stand_and_walk():
    drawn = Counter(draw_pose(Draw(1, i), scene="non_iconic").name for i in range(400))
    assert set(drawn) == set(KINDS)
    uncommon = sum(drawn[kind] for kind in ("jumping", "bending", "squatting", "running", "kicking")) / 400
    common = sum(drawn[kind] for kind in ("standing", "walking")) / 400
    assert 0.35 < uncommon < 0.55
    assert 0.18 < common < 0.34


def test_about_half_of_the_places_have_things_in_front(obstructed, people):
    assert len(obstructed) / len(people) == pytest.approx(CLUTTER["obstructed"], abs=0.17)


def test_some_joints_of_the_body_are_hidden_by_things_and_only_there(obstructed, people):
    hidden = np.array([~person.visible[BODY] for person in obstructed])
    assert 0.03 < hidden.mean() < 0.25
    assert hidden.any(1).mean() > 0.15
    free = [person for person in people if person.spec.background.kind == "cluttered"]
    assert all(person.visible[BODY].all() for person in free)


def test_what_stands_in_front_is_the_scene_s_own_in_picture_mask_and_labels(obstructed):
    for person in obstructed:
        front = draw_foreground(person.spec.background, SIZE)
        covered = front > 0.99
        assert covered.any()
        difference = np.abs(person.image[covered].astype(int) - person.background[covered])
        assert difference.max() <= 3
        assert not person.person_mask[front > 0.5].any()
        assert not person.label_map[front > 0.5].any()
        assert not (person.unoccluded & ~person.visible).any()


def test_both_pictures_of_a_pair_have_the_same_things_in_front(obstructed):
    by_name = {}
    for person in obstructed:
        by_name.setdefault(person.name, []).append(person)
    for first, second in by_name.values():
        assert first.spec.background == second.spec.background
        assert np.array_equal(first.background, second.background)


def test_other_scenes_have_nothing_in_front():
    for kind in ("plain", "street", "cluttered"):
        assert draw_foreground(Background(3, kind), SIZE) is None


@pytest.mark.parametrize("seed", range(6))
def test_things_in_front_stand_at_the_lower_edge_and_leave_most_of_the_scene_free(seed):
    front = draw_foreground(Background(seed, "obstructed"), SIZE)
    assert front.shape == SIZE
    assert front.dtype == np.float32
    assert 0.02 < (front > 0.5).mean() < 0.45
    assert not front[: SIZE[0] // 3].any()
