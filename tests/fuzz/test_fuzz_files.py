"""Photographs, masks, maps of labels and poses from files that are broken or made to harm."""

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pgt.applications.pose_sequences import PoseSequence, fit_sequence
from pgt.applications.smoothing import smooth
from pgt.commands.study import read_pictures
from pgt.data.person import Person
from pgt.data.pose import NUM_JOINTS, Pose
from pgt.data.pseudo_label_index import PseudoLabels
from pgt.data.readers.folder import read_label_map
from pgt.data.readers.pictures import read_picture
from pgt.photos import frame_person, open_photo, person_from_photo, read_person_mask, read_pose_file
from pgt.predictor import Predictor
from tests.fuzz.damage import (
    DAMAGE,
    HOSTILE,
    ODD,
    ODD_NUMBERS,
    changed,
    check_sentence,
    few,
    one_sentence,
    put,
)

SIZE = (64, 48)
POSE = {"image_size": list(SIZE), "keypoints": [[2 * j + 4, 3 * j + 4, 1] for j in range(NUM_JOINTS)]}
FILM = {"fps": 25.0, "image_size": list(SIZE), "frames": [POSE["keypoints"]] * 3}
INDEX = {"source": 0, "target": 0, "distance": 0.25, "parts": 9}
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "bmp": "BMP", "gif": "GIF", "tif": "TIFF"}
MAPS = {
    ".png": read_label_map,
    ".npy": read_label_map,
    "-mask.png": read_person_mask,
    "-mask.npy": read_person_mask,
}


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def write_photo(path: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    Image.fromarray(noise(*SIZE, 3)).save(path, FORMATS[path.suffix[1:]], exif=exif)
    return path


@pytest.mark.parametrize("ending", FORMATS)
@few
@given(damage=DAMAGE)
def test_a_broken_photo_is_opened_or_refused(ending, damage):
    with tempfile.TemporaryDirectory() as folder:
        path = write_photo(Path(folder) / f"photo.{ending}")
        damage(path)
        with one_sentence():  # a visitor has no use for the name of a file aside
            assert open_photo(path).shape[2] == 3
        with one_sentence(path.name):
            assert read_picture(path).shape[2] == 3


@few
@given(damage=DAMAGE)
def test_a_broken_picture_of_a_study_is_read_or_refused_by_its_name(damage):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "real").mkdir()
        damage(write_photo(Path(folder) / "real" / "photo.png"))
        with one_sentence("photo.png"):
            assert list(read_pictures(folder)) == ["real"]


@pytest.mark.parametrize("ending", MAPS)
@few
@given(damage=DAMAGE)
def test_a_broken_map_is_read_or_refused(ending, damage):
    with tempfile.TemporaryDirectory() as folder:
        path, labels = Path(folder) / f"map{ending}", noise(*SIZE) % 10
        if path.suffix == ".npy":
            np.save(path, labels)
        else:
            Image.fromarray(labels).save(path)
        damage(path)
        with one_sentence(path.name):
            assert MAPS[ending](path, SIZE).shape == SIZE


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hostile_takes_long(name, tmp_path):
    readers = {
        "a.png": [open_photo, read_picture, lambda path: read_label_map(path, SIZE)],
        "a.npy": [lambda path: read_label_map(path, SIZE), lambda path: read_person_mask(path, SIZE)],
        "a.csv": [lambda path: read_pose_file(path, SIZE), PoseSequence.read],
        "a.json": [lambda path: read_pose_file(path, SIZE), PoseSequence.read],
        "a.jsonl": [PseudoLabels.read],
    }
    start = time.monotonic()
    for ending, ways in readers.items():
        put(HOSTILE[name])(tmp_path / ending)
        for read in ways:
            with pytest.raises(ValueError, match=r".") as caught:
                read(tmp_path / ending)
            check_sentence(caught.value)
    assert time.monotonic() - start < 5


@few
@given(changed(POSE), DAMAGE, st.booleans())
def test_a_pose_file_with_anything_in_it(content, damage, is_broken):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pose.json"
        path.write_text(json.dumps(content))
        if is_broken:
            damage(path)
        with one_sentence():
            assert read_pose_file(path, SIZE).image_size == SIZE


@few
@given(changed(FILM), DAMAGE, st.integers(0, 3))
def test_a_pose_sequence_with_anything_in_it_fits_a_person_or_is_refused(content, damage, luck):
    pose = Pose(np.array(POSE["keypoints"])[:, :2], np.ones(NUM_JOINTS, bool), SIZE)
    person = Person(noise(*SIZE, 3), pose)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.json"
        path.write_text(json.dumps(content))
        if not luck:
            damage(path)
        with one_sentence():
            sequence = fit_sequence(smooth(PoseSequence.read(path)), person)
            assert np.isfinite(sequence.keypoints).all()


@few
@given(changed(INDEX))
def test_an_index_of_pseudo_labels_with_anything_in_it(row):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.jsonl"
        path.write_text(json.dumps({"format": 1, "num_people": 1}) + "\n" + json.dumps(row) + "\n")
        with one_sentence("index.jsonl"):
            assert len(PseudoLabels.read(path).target) == 1


FAR = st.one_of(st.floats(-1e5, 1e5, width=32), st.sampled_from([0.0, -1.0, 30.0, 1e5, -1e5]))
JOINTS = st.tuples(
    st.lists(FAR, min_size=36, max_size=36).map(lambda values: np.array(values).reshape(NUM_JOINTS, 2)),
    st.lists(st.booleans(), min_size=NUM_JOINTS, max_size=NUM_JOINTS).map(np.array),
)


@few
@given(JOINTS, JOINTS)
def test_any_pose_can_be_framed_and_drawn_or_is_refused(source, target):
    predictor = Predictor.load("part-warp")
    with one_sentence():
        person = Person(noise(*SIZE, 3), Pose(*source, SIZE))
        drawn = predictor.generate(frame_person(person, SIZE), Pose(*target, SIZE)).image
        assert drawn.dtype == np.uint8


@few
@given(st.sampled_from(ODD_NUMBERS), st.sampled_from([*ODD_NUMBERS, 30]), ODD)
def test_a_photo_with_odd_joints_makes_a_person_or_a_sentence(x, y, size):
    with tempfile.TemporaryDirectory() as folder:
        photo, joints = write_photo(Path(folder) / "photo.png"), Path(folder) / "joints.json"
        points = [[x, y, 1], *POSE["keypoints"][1:]]
        joints.write_text(json.dumps({"image_size": size, "keypoints": points}))
        with one_sentence():
            person_from_photo(photo, joints)
