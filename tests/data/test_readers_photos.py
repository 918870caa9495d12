"""COCO's JSON, folders with OpenPose's JSON, Places2, plain photos, and the table of all readers."""

import json

import numpy as np
import pytest

from pgt.__main__ import DATASETS
from pgt.data.pose import JOINTS, Pose
from pgt.data.readers.catalogue import PICTURES, READERS, open_people
from pgt.data.readers.check import check_pictures, spread
from pgt.data.readers.coco import coco
from pgt.data.readers.openpose_folder import openpose_folder
from pgt.data.readers.openpose_json import write_openpose_json
from pgt.data.readers.people import People
from pgt.data.readers.places2 import places2
from tests.data import layouts

SIZE = (60, 80)


def _keypoints(marked: int) -> list[int]:
    """Give the first few of COCO's joints; joint j at (20 + j, 30)."""
    return [value for j in range(17) for value in ((20 + j, 30, 2) if j < marked else (0, 0, 0))]


def make_coco(root):
    """Two pictures; in the first a marked person, an unmarked one and a crowd."""
    for number in (7, 8):
        layouts.picture(root / "train2017" / f"{number:012d}.jpg", SIZE)
    images = [{"id": n, "file_name": f"{n:012d}.jpg", "height": 60, "width": 80} for n in (7, 8)]
    square = [[18, 25, 38, 25, 38, 45, 18, 45]]
    person = {"category_id": 1, "bbox": [18, 25, 20, 20], "segmentation": square, "iscrowd": 0}
    annotations = [
        {**person, "id": 1, "image_id": 7, "keypoints": _keypoints(17)},
        {**person, "id": 2, "image_id": 7, "keypoints": _keypoints(0)},
        {**person, "id": 3, "image_id": 7, "keypoints": _keypoints(17), "iscrowd": 1, "segmentation": {}},
        {**person, "id": 4, "image_id": 8, "keypoints": _keypoints(6)},
    ]
    path = root / "annotations" / "person_keypoints_train2017.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


def test_everybody_marked_in_coco_is_cut_out_with_joints_and_mask(tmp_path):
    make_coco(tmp_path)
    people = coco(tmp_path)
    assert people.names == ["000000000007.jpg#1", "000000000008.jpg#4"]
    assert len(people) == 0
    assert any("1 crowds" in note for note in people.notes)
    assert any("1 people without any marked joint" in note for note in people.notes)
    person = people.read(0)
    assert person.image_size == (24, 24)  # the box and a tenth around it
    assert person.keypoints[JOINTS.index("left_eye")].tolist() == [21 - 16, 30 - 23]  # COCO's second joint
    assert person.person_mask[2:22, 2:22].all()
    assert person.person_mask.sum() == pytest.approx(20 * 20, rel=0.15)
    assert not people.read(1).visible[JOINTS.index("right_wrist")]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("[]", "is no JSON with COCO's keypoints"),
        ("[1]", r"keypoints \(its images and annotations are not lists of objects\)"),
        ('{"images": 3, "annotations": []}', "not lists of objects"),
        ('{"images": [], "annotations": [7]}', "not lists of objects"),
        ('{"images": []}', "no 'annotations'"),
        ('{"images": [], "annotations": [{"id": 1, "image_id": 5}]}', "an annotation without its image"),
        ('{"images": [{"id": 1}], "annotations": []}', "no 'file_name'"),
    ],
)
def test_other_json_is_refused_in_one_sentence(tmp_path, change, sentence):
    make_coco(tmp_path).write_text(change)
    with pytest.raises(ValueError, match=sentence):
        coco(tmp_path)


def test_a_json_cannot_name_pictures_outside_its_folder(tmp_path):
    path = make_coco(tmp_path / "data")
    layouts.picture(tmp_path / "secret.jpg", SIZE)
    path.write_text(path.read_text().replace("000000000008.jpg", "../../secret.jpg"))
    people = coco(tmp_path / "data")
    assert people.names == ["000000000007.jpg#1"]
    assert any("secret.jpg" in note for note in people.notes)


def test_coco_says_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no annotations/person_keypoints_train2017\.json"):
        coco(tmp_path)
    make_coco(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"person_keypoints_val2017\.json"):
        coco(tmp_path, "val")


def test_real_coco_files(real_data):
    people = coco(real_data / "coco")
    assert (len(people.names), len(set(people.paths))) == (12, 4)
    on_person = []
    for number in range(len(people.names)):
        person = people.read(number)
        seen = person.keypoints[person.visible]
        assert ((seen >= 0) & (seen < person.image_size[::-1])).all()
        x, y = np.round(seen).astype(int).T
        on_person += person.person_mask[y, x].tolist()
    assert np.mean(on_person) > 0.75  # hidden joints lie behind something else


def test_openpose_takes_the_tallest_and_pairs_a_folder(tmp_path):
    small = Pose(layouts.joints((20, 20))[0] + 10, np.ones(18, bool), (64, 48))
    tall = Pose(layouts.joints((64, 48))[0], np.ones(18, bool), (64, 48))
    for name in ("anna/a", "anna/b", "bert/a", "x_1", "x_2", "none"):
        layouts.picture(tmp_path / f"{name}.jpg", (64, 48))
        if name != "none":
            poses = [] if name == "bert/a" else [small, tall]
            write_openpose_json(tmp_path / f"{name}_keypoints.json", poses)
    people = openpose_folder(tmp_path)
    assert people.names == ["anna/a.jpg", "anna/b.jpg", "x_1.jpg", "x_2.jpg"]
    assert [people.pair(i) for i in range(len(people))] == [(0, 1), (1, 0), (2, 3), (3, 2)]
    assert np.array_equal(people.read(0).keypoints, tall.keypoints)
    assert len(people.notes) == 2


def test_openpose_says_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="no picture"):
        openpose_folder(tmp_path)
    layouts.picture(tmp_path / "a.jpg", SIZE)
    with pytest.raises(FileNotFoundError, match=r"no NAME_keypoints\.json"):
        openpose_folder(tmp_path)


def test_places_are_known_by_their_names(tmp_path):
    layouts.picture(tmp_path / "val_256" / "beach.jpg", SIZE)
    with pytest.raises(FileNotFoundError, match=r"no Places365_val_N+\.jpg.*places2\.csail\.mit\.edu"):
        places2(tmp_path)
    layouts.picture(tmp_path / "val_256" / "Places365_val_00000001.jpg", SIZE)
    (tmp_path / "val_256" / "Places365_val_00000002.jpg").write_bytes(b"no picture")
    report = check_pictures(places2(tmp_path), show=2)
    assert report.counts == {"pictures": 3, "read": 3}
    assert "pictures that cannot be used: 1" in report.faults[0]


def test_real_photos(real_data):
    report = check_pictures(PICTURES["photos"](real_data / "market_photos"), show=3)
    assert (report.counts["pictures"], report.faults, len(report.shown)) == (28, (), 3)


def test_every_reader_has_its_name_on_the_command_line(tmp_path):
    assert set(DATASETS) == {"synthetic", "video", *READERS, *PICTURES}
    with pytest.raises(ValueError, match="no reader 'mnist' of people; there are folder"):
        open_people("mnist", tmp_path, "train")
    with pytest.raises(ValueError, match="market1501 has no split 'val'; there are train, test"):
        open_people("market1501", tmp_path, "val")


def test_pairs_are_counted_off_group_by_group_without_being_listed():
    identities = ["a", "b", None, "a", "b", "a", "c"]
    joints = np.zeros((7, 18, 2)), np.ones((7, 18), bool)
    people = People(list("0123456"), [None] * 7, joints, identities)
    pairs = [people.pair(i) for i in range(len(people))]
    expected = [
        (i, j) for i, a in enumerate(identities) for j, b in enumerate(identities) if a and a == b and i != j
    ]
    assert sorted(pairs) == sorted(expected)
    assert spread(range(10), 4) == [0, 2, 5, 7]
    with pytest.raises(ValueError, match="2 people need as many"):
        People(["a", "b"], [None], joints, identities)
