"""A synthetic person is the same everywhere and at every size, and its annotations tell the truth."""

from dataclasses import replace

import numpy as np
import pytest

from pgt.data.pose import JOINTS
from pgt.synthetic.camera import Camera
from pgt.synthetic.draw import Draw
from pgt.synthetic.motions import motion
from pgt.synthetic.people import EVERYWHERE, SCENES, SyntheticPeople, parameters_hash, render_people
from pgt.synthetic.poses import draw_pose
from pgt.synthetic.wardrobe import draw_identity

ARM, LEG = {"left": 6, "right": 7}, {"left": 8, "right": 9}


@pytest.fixture(scope="module")
def people():
    return SyntheticPeople("train", (64, 64), "plain", num_identities=12, poses_per_identity=4)


@pytest.fixture(scope="module")
def some(people):
    return people.render([(i, k) for i in range(6) for k in range(4)])


def test_a_pair_is_one_identity_in_one_scene(people):
    pair = people[5]
    source, target = pair.source.spec, pair.target.spec
    assert source.identity_seed == target.identity_seed
    assert source.background == target.background
    assert not np.allclose(source.pose.rotations, target.pose.rotations)
    assert np.array_equal(pair.source.background, pair.target.background)


def test_every_ordered_pair_occurs_once(people):
    members = {people.members(i) for i in range(len(people))}
    assert len(members) == len(people) == 12 * 4 * 3
    assert all(first != second for _, first, second in members)


def test_the_same_index_gives_the_same_picture(people):
    again = SyntheticPeople("train", (64, 64), "plain", num_identities=12, poses_per_identity=4)
    assert np.array_equal(people[3].target.image, again[3].target.image)


def test_a_picture_does_not_depend_on_its_batch(people, some):
    assert np.array_equal(people.person(4, 1).image, some[17].image)


def test_the_same_scene_at_any_resolution(people):
    spec = people.spec(2, 1)
    small, large = (render_people([spec], (s, s))[0] for s in (64, 256))
    np.testing.assert_allclose((large.keypoints + 0.5) / 4, small.keypoints + 0.5, atol=1e-3)
    shrunk = large.image.reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(shrunk - small.image).mean() < 4
    shares = large.person_mask.mean(), small.person_mask.mean()
    assert shares[0] == pytest.approx(shares[1], rel=0.06)


@pytest.mark.parametrize("size", [(32, 32), (128, 64), (1024, 1024)])
def test_any_size_renders(people, size):
    person = render_people([people.spec(0, 0)], size)[0]
    assert person.image.shape == (*size, 3)
    assert person.person_mask.any()


def test_mask_and_labels_agree(some):
    for person in some:
        assert np.array_equal(person.label_map > 0, person.person_mask)
        assert np.array_equal(person.image[~_grown(person.person_mask)].shape[1:], (3,))


def _grown(mask):
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    return grown


def test_a_bare_wrist_lies_on_its_own_arm(people):
    hits = {side: [] for side in ARM}
    for person in people.render([(i, k) for i in range(12) for k in range(4)]):
        for side in ARM:
            joint = JOINTS.index(f"{side}_wrist")
            if not person.unoccluded[joint]:
                continue
            x, y = np.rint(person.keypoints[joint]).astype(int)
            near = person.label_map[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            hits[side].append((ARM[side] in near) or not {6, 7} & set(near.ravel()))
    assert min(np.mean(values) for values in hits.values()) > 0.9


def test_body_joints_count_wherever_they_are_but_a_hidden_face_does_not(some):
    face = [0, 14, 15, 16, 17]
    body = [i for i in range(18) if i not in face]
    backs = 0
    for person in some:
        inside = ((np.rint(person.keypoints) >= 0) & (np.rint(person.keypoints) < 64)).all(1)
        assert np.array_equal(person.visible[body], inside[body])
        assert np.array_equal(person.visible[face], person.unoccluded[face])
        assert not (person.unoccluded & ~inside).any()
        backs += not person.visible[face[:3]].any()
    assert 0 < backs < len(some)


def test_someone_seen_from_behind_has_no_face(people):
    spec = people.spec(1, 0)
    pose = draw_pose(Draw(2), "walking", spec.identity.proportions)
    views = [replace(spec, pose=pose, camera=Camera(yaw=yaw, scale=0.46)) for yaw in (0.0, np.pi)]
    front, back = render_people(views, (128, 128))
    assert front.visible[[0, 14, 15]].all()
    assert not back.visible[[0, 14, 15]].any()
    right, left = JOINTS.index("right_shoulder"), JOINTS.index("left_shoulder")
    assert front.keypoints[right, 0] < front.keypoints[left, 0]
    assert back.keypoints[right, 0] > back.keypoints[left, 0]


def test_splits_share_no_identity_cloth_or_pose():
    clothes, skins, poses = [set(), set(), set()], [set(), set(), set()], [set(), set(), set()]
    for number, split in enumerate(("train", "val", "test")):
        people = SyntheticPeople(split, (64, 64))
        for seed in range(60):
            if seed < 5:
                poses[number].add(motion("wave", 2, seed, split=split)[0].rotations.tobytes())
            identity = draw_identity(seed, split)
            clothes[number] |= {identity.top_cloth, identity.bottom_cloth}
            skins[number].add(identity.proportions)
            poses[number].add(people.spec(seed, 0).pose.rotations.tobytes())
    for group in (clothes, skins, poses):
        assert len(group[0] | group[1] | group[2]) == sum(map(len, group))


def test_the_hash_of_parameters_is_stable_and_particular(people):
    assert parameters_hash(people.spec(0, 0)) == parameters_hash(people.spec(0, 0))
    hashes = {parameters_hash(people.spec(i, k)) for i in range(6) for k in range(4)}
    assert len(hashes) == 24


def test_a_flip_swaps_the_strict_flags_too(some):
    person = some[0]
    flipped = person.flipped()
    right, left = JOINTS.index("right_wrist"), JOINTS.index("left_wrist")
    assert flipped.unoccluded[right] == person.unoccluded[left]
    assert np.array_equal(flipped.flipped().image, person.image)


def test_the_person_can_be_drawn_in_an_edited_pose(people):
    spec = people.spec(3, 0)
    person = render_people([spec], people.image_size)[0]
    same = people.in_pose(spec, person.pose)
    assert np.abs(same.keypoints - person.keypoints)[person.visible].max() < 4
    other = people.in_pose(spec, people.person(3, 1).pose)
    assert other.spec.identity == spec.identity


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_renders(scene):
    pair = SyntheticPeople("val", (64, 64), scene, num_identities=2, poses_per_identity=2)[0]
    assert pair.source.person_mask.mean() > 0.01


def test_everywhere_is_every_other_person_of_two_scenes():
    everywhere, *scenes = (SyntheticPeople("val", (32, 32), scene) for scene in ("everywhere", *EVERYWHERE))
    for identity in range(4):
        own = scenes[identity % 2].person(identity, 1)
        assert np.array_equal(everywhere.person(identity, 1).image, own.image)


def test_bad_arguments_are_refused(people):
    with pytest.raises(ValueError, match="split"):
        SyntheticPeople("training")
    with pytest.raises(ValueError, match="two poses"):
        SyntheticPeople(poses_per_identity=1)
    with pytest.raises(IndexError):
        people[len(people)]
