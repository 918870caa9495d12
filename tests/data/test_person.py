"""The conventions of people, pairs and batches."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pgt.data.body_parts import part_corners
from pgt.data.person import (
    Pair,
    Person,
    collate,
    encode_pair,
    encode_person,
    signed_to_uint8,
    signed_to_unit,
    uint8_to_signed,
)
from pgt.data.pose import Pose, PoseEncoding


def make_person(size: tuple[int, int] = (64, 48), seed: int = 0, *, maps: bool = True) -> Person:
    rng = np.random.default_rng(seed)
    pose = Pose(rng.uniform(0, 1, (18, 2)) * [size[1] - 1, size[0] - 1], rng.random(18) < 0.8, size)
    return Person(
        rng.integers(0, 256, (*size, 3), dtype=np.uint8),
        pose,
        label_map=rng.integers(0, 10, size, dtype=np.uint8) if maps else None,
        person_mask=rng.random(size) < 0.5 if maps else None,
        background=rng.integers(0, 256, (*size, 3), dtype=np.uint8) if maps else None,
        name=f"person{seed}",
    )


def make_pair(seed: int = 0, *, maps: bool = True) -> Pair:
    return Pair(make_person(seed=seed, maps=maps), make_person(seed=seed + 100, maps=maps), f"pair{seed}")


def test_pictures_round_trip_exactly_and_use_the_fixed_range():
    image = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    signed = uint8_to_signed(image)
    assert signed.shape == (3, 16, 16)
    assert signed.dtype == torch.float32
    assert (signed.min(), signed.max()) == (-1, 1)
    assert (signed_to_uint8(signed).numpy() == image).all()
    assert signed_to_uint8(torch.tensor([[[-3.0]], [[0.0]], [[3.0]]])).tolist() == [[[0, 128, 255]]]
    # A grey picture stays grey: the range is not that of the picture.
    assert signed_to_uint8(torch.full((2, 3, 4, 4), 0.5)).unique().tolist() == [191]
    assert signed_to_unit(signed).max() == 1


def test_resizing_moves_picture_and_joints_together():
    image = np.zeros((64, 64, 3), np.uint8)
    image[40:44, 8:12] = 255  # centred on (9.5, 41.5)
    pose = Pose(np.full((18, 2), [9.5, 41.5]), np.ones(18, bool), (64, 64))
    small = Person(image, pose, label_map=(image[..., 0] // 255).astype(np.uint8)).resized((16, 32))
    ys, xs = np.nonzero(small.label_map)
    assert small.keypoints[0].tolist() == [xs.mean(), ys.mean()]
    assert small.image.shape == (16, 32, 3)
    brightest = np.argwhere(small.image[..., 0] == small.image.max())
    assert brightest.mean(axis=0).tolist() == [ys.mean(), xs.mean()]


def test_flip_twice_is_nothing_and_once_swaps_labels():
    person = make_person()
    flipped, again = person.flipped(), person.flipped().flipped()
    assert (flipped.image == person.image[:, ::-1]).all()
    assert ((flipped.label_map == 7) == (person.label_map == 6)[:, ::-1]).all()
    for name in ("image", "label_map", "person_mask", "background", "visible"):
        assert (getattr(again, name) == getattr(person, name)).all()
    np.testing.assert_allclose(again.keypoints, person.keypoints, atol=1e-5)
    assert make_pair().flipped().source.keypoints.shape == (18, 2)


def test_flip_mirrors_heat_maps_with_sides_swapped():
    person = make_person((64, 64))
    person = replace(person, pose=Pose(person.keypoints.round(), person.visible, (64, 64)))
    batch = encode_pair(Pair(person, person.flipped()), (64, 64))
    right, left = 4, 7
    torch.testing.assert_close(batch.target_pose[:, left], batch.source_pose[:, right].flip(-1))


def test_encoded_pair_has_documented_shapes_and_types():
    batch = encode_pair(make_pair(), (32, 16), PoseEncoding("gaussian", sigma=2.0))
    shapes = {
        "source": (1, 3, 32, 16), "target_keypoints": (1, 18, 2), "source_visible": (1, 18),
        "target_label_map": (1, 32, 16), "source_person_mask": (1, 1, 32, 16), "target_pose": (1, 18, 32, 16),
        "source_pose": (1, 18, 32, 16), "source_pose_mask": (1, 1, 32, 16), 
        "target_pose_mask": (1, 1, 32, 16),
        "source_parsing": (1, 10, 32, 16), "target_parsing": (1, 10, 32, 16),
    }  # fmt: skip
    for name, shape in shapes.items():
        assert getattr(batch, name).shape == shape, name
    assert batch.source.dtype == batch.target_pose.dtype == batch.source_person_mask.dtype == torch.float32
    assert batch.target_label_map.dtype == torch.int64
    assert batch.source_visible.dtype == torch.bool
    assert batch.image_size == (32, 16)
    assert encode_person(make_person(maps=False), (8, 8))["label_map"] is None


def test_encodings_are_made_once_and_again_after_a_move():
    batch = encode_pair(make_pair(), (32, 16))
    assert "target_pose" not in vars(batch)
    assert batch.target_pose is batch.target_pose
    moved = batch.to("cpu")
    assert "target_pose" not in vars(moved)
    assert moved.device.type == "cpu"
    assert torch.equal(moved.target_pose, batch.target_pose)
    assert batch.to("meta").target_keypoints.device.type == "meta"


def test_collate_joins_in_order():
    batches = [encode_pair(make_pair(i), (32, 16)) for i in range(3)]
    joined = collate(batches)
    assert len(joined) == 3
    assert joined.names == ("pair0", "pair1", "pair2")
    for i, batch in enumerate(batches):
        assert torch.equal(joined.target[i], batch.target[0])
        assert torch.equal(joined.source_label_map[i], batch.source_label_map[0])
        assert torch.equal(joined.target_pose[i], batch.target_pose[0])


def test_collate_with_and_without_label_maps():
    joined = collate([encode_pair(make_pair(0), (32, 16)), encode_pair(make_pair(1, maps=False), (32, 16))])
    assert joined.source_label_map is None
    assert joined.target_person_mask is None
    with pytest.raises(ValueError, match="label map"):
        _ = joined.source_parsing


def test_collate_refuses():
    with pytest.raises(ValueError, match="32x16 and 64x64"):
        collate([encode_pair(make_pair(), (32, 16)), encode_pair(make_pair(), (64, 64))])
    with pytest.raises(ValueError, match="encodings"):
        collate([encode_pair(make_pair(), (8, 8)), encode_pair(make_pair(), (8, 8), PoseEncoding(low=-1))])
    with pytest.raises(ValueError, match="empty"):
        collate([])


def test_person_refuses_what_does_not_fit():
    person = make_person()
    with pytest.raises(ValueError, match="'person0' has a 32x48 picture but a pose for 64x48"):
        replace(person, image=person.image[:32])
    with pytest.raises(ValueError, match="float64"):
        replace(person, image=person.image / 255)
    with pytest.raises(ValueError, match="person_mask of 64x24"):
        replace(person, person_mask=person.person_mask[:, ::2])


@pytest.mark.parametrize(
    ("label_map", "sentence"),
    [
        (np.full((64, 48), 255, np.uint8), "holds label 255, but the labels are 0 to 9"),
        (np.full((64, 48), -1), "holds label -1"),
        (np.full((64, 48), np.nan, np.float32), "holds float32, not whole numbers"),
        (np.ones((64, 48)), "holds float64, not whole numbers"),
        (np.ones((64, 48), bool), "holds bool, not whole numbers"),
        (np.zeros((64, 24), np.uint8), "is 64x24 but 64x48 is the size of the picture"),
        (np.zeros((64, 48, 3), np.uint8), "but one label number per pixel is needed, no colours"),
        ([[0]], "is of type list, not an array"),
    ],
)
def test_a_bad_label_map_is_refused_in_one_sentence(label_map, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        replace(make_person(), label_map=label_map)
    assert str(caught.value).startswith("Person 'person0' has a label map that ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_labels_of_any_integer_type_encode_alike(kind):
    """The maps of SPT's two public samples are of two types."""
    person = make_person()
    other = replace(person, label_map=person.label_map.astype(kind))
    for one, two in ((person, other), (person.flipped(), other.flipped())):
        maps = [encode_person(each, (32, 24))["label_map"] for each in (one, two)]
        assert maps[0].dtype == maps[1].dtype == torch.int64
        assert torch.equal(*maps)


def test_mixed_precision_does_not_round_pixel_positions():
    pair = make_pair()
    plain = encode_pair(pair, (256, 256))
    mixed = encode_pair(pair, (256, 256))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(mixed.target_pose_mask, plain.target_pose_mask)
        assert torch.equal(mixed.target_pose, plain.target_pose)
        corners, _ = part_corners(mixed.target_keypoints, mixed.target_visible)
    assert torch.equal(corners, part_corners(plain.target_keypoints, plain.target_visible)[0])
