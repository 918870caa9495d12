"""Results go back into the photo they were cut from, and nothing outside the cut changes."""

import numpy as np
import pytest

from pgt.data.person import Person
from pgt.data.pose import NUM_JOINTS, Pose
from pgt.photos import Frame, find_frame, frame_person, paste_back
from pgt.predictor import fit_person, unfit_picture


def person_in(size: tuple[int, int], box: tuple[float, float, float, float]) -> Person:
    left, top, right, bottom = box
    steps = np.linspace(0.1, 0.9, NUM_JOINTS)[:, None]
    keypoints = np.array([left, top]) + steps * [right - left, bottom - top]
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    mask = np.zeros(size, bool)
    mask[int(top) : int(bottom), int(left) : int(right)] = True
    pose = Pose(keypoints, np.ones(NUM_JOINTS, bool), size)
    return Person(image, pose, mask.astype(np.uint8), mask, image // 2)


def test_everything_a_person_has_is_cut_alike():
    person = person_in((300, 400), (150, 100, 190, 200))
    frame, framed = find_frame(person, (128, 64)), frame_person(person, (128, 64))
    rows, columns = (
        slice(frame.top, frame.top + frame.height),
        slice(frame.left, frame.left + frame.width),
    )
    for name in ("image", "label_map", "person_mask", "background"):
        np.testing.assert_array_equal(getattr(framed, name), getattr(person, name)[rows, columns])


def test_outside_the_frame_no_pixel_changes():
    photo = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    frame = Frame(30, 20, 40, 60)
    result = paste_back(photo, np.full((128, 64, 3), 255, np.uint8), frame)
    outside = np.ones(photo.shape[:2], bool)
    outside[20:80, 30:70] = False
    np.testing.assert_array_equal(result[outside], photo[outside])
    np.testing.assert_array_equal(result[45:55, 45:55], 255)  # opaque in the middle


def test_the_edge_fades_inside_the_frame():
    photo = np.zeros((100, 100, 3), np.uint8)
    result = paste_back(photo, np.full((50, 50, 3), 200, np.uint8), Frame(25, 25, 50, 50), feather=0.2)
    row = result[50, 25:75, 0].astype(int)
    assert 0 < row[0] < 10
    assert (np.diff(row[:11]) > 0).all()
    np.testing.assert_array_equal(row[10:40], 200)
    np.testing.assert_array_equal(row, row[::-1])


def test_at_the_photos_own_edge_nothing_fades():
    photo = np.zeros((100, 100, 3), np.uint8)
    whole = paste_back(photo, np.full((50, 50, 3), 200, np.uint8), Frame(0, 0, 100, 100))
    np.testing.assert_array_equal(whole, 200)
    left = paste_back(photo, np.full((50, 50, 3), 200, np.uint8), Frame(0, 30, 40, 40))
    assert left[50, 0, 0] == 200
    assert left[50, 39, 0] < 20


def test_a_frame_outside_the_photo_is_refused():
    with pytest.raises(ValueError, match="does not lie inside the photo of 50 x 40"):
        paste_back(np.zeros((40, 50, 3), np.uint8), np.zeros((8, 8, 3), np.uint8), Frame(30, 0, 30, 30))


def test_a_frame_is_scaled_with_its_photo_and_stays_inside():
    frame = Frame(7, 3, 13, 17).scaled((20, 20), (47, 31))
    assert 0 <= frame.left < frame.left + frame.width <= 31
    assert 0 <= frame.top < frame.top + frame.height <= 47
    assert Frame(0, 0, 20, 20).scaled((20, 20), (47, 31)) == Frame(0, 0, 31, 47)


@pytest.mark.parametrize("size", [(100, 100), (80, 120), (120, 60)])
def test_a_picture_loses_the_padding_it_was_given(size):
    ramp = np.linspace(0, 255, size[1])[None, :, None] + np.zeros((*size, 3))
    pose = Pose(np.full((NUM_JOINTS, 2), 10.0), np.ones(NUM_JOINTS, bool), size)
    person = Person(ramp.astype(np.uint8), pose)
    back = unfit_picture(fit_person(person, (256, 192)).image, size)
    assert back.shape == (*size, 3)
    inner = (slice(3, -3), slice(3, -3))
    np.testing.assert_allclose(back[inner].astype(int), person.image[inner], atol=4)


def test_pasting_the_source_itself_changes_nothing():
    person = person_in((300, 400), (150, 100, 190, 200))
    frame = find_frame(person, (128, 64))
    framed = frame_person(person, (128, 64))
    np.testing.assert_array_equal(paste_back(person.image, framed.image, frame), person.image)
