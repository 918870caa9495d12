"""What a look through people finds: joints beyond their pictures, and maps that only some have."""

import json

import numpy as np
import pytest

from pgt.data.readers.bbc_pose import bbc_pose
from pgt.data.readers.check import Report, check_people, outside
from pgt.data.readers.deepfashion import deepfashion
from pgt.data.readers.folder import people_folder
from pgt.data.readers.keypoint_csv import read_keypoint_csv, write_keypoint_csv
from pgt.data.readers.openpose_folder import openpose_folder
from tests.data import layouts

SIZE = (64, 32)
NAMES = ("1_a.png", "1_b.png", "2_a.png")


def make_folder(root, **changed: np.ndarray):
    """Three pictures in which each joint is at 16, 32, but for some people with other ones."""
    rows = {name: (np.tile(np.float32([16, 32]), (18, 1)), np.ones(18, bool)) for name in NAMES}
    for name, points in changed.items():
        rows[f"{name.removeprefix('p')}.png"] = (points.astype(np.float32), np.ones(18, bool))
    for name in NAMES:
        layouts.picture(root / "images" / name, SIZE)
    write_keypoint_csv(root / "keypoints.csv", rows)
    return root


def look(root, **how) -> Report:
    return check_people(people_folder(root), "all", **how)


@pytest.mark.parametrize(
    ("point", "is_out"),
    [
        ((0, 0), False), ((31, 63), False), ((31.4, 63.4), False), ((-0.4, -0.4), False),
        ((32, 63), True), ((31, 64), True), ((-2, 5), True), ((5, -2), True), ((500, 5), True),
    ],
)  # fmt: skip
def test_a_joint_is_outside_beyond_any_of_the_four_edges(point, is_out):
    points = np.float32([point, point])
    assert outside(points, np.array([True, False]), SIZE).tolist() == [is_out, False]


@pytest.mark.parametrize(
    "away", [(40, 32), (16, 70), (-9, 32), (16, -9)], ids=["right", "below", "left", "above"]
)
def test_one_joint_outside_is_noted_and_most_are_a_fault(tmp_path, away):
    one, most = np.tile([16.0, 32.0], (2, 18, 1))
    one[4], most[:10] = away, away
    report = look(make_folder(tmp_path, p1_b=one, p2_a=most))
    (note,), (fault,) = report.notes, report.faults
    assert note == "1 people have a joint outside the picture: 1_b.png."
    assert fault.startswith("1 people have most joints outside the picture, as if it were of another size")
    assert fault.endswith(": 2_a.png.")


def test_a_picture_half_as_large_as_its_joints_is_a_fault(tmp_path):
    root = make_folder(tmp_path)
    layouts.picture(root / "images" / "2_a.png", (32, 16))
    assert "1 people have most joints outside" in look(root).faults[0]


def test_few_joints_outside_say_nothing_about_the_size(tmp_path):
    root = make_folder(tmp_path)
    rows = read_keypoint_csv(root / "keypoints.csv")
    rows["2_a.png"] = (np.full((18, 2), 90, np.float32), np.arange(18) < 2)
    write_keypoint_csv(root / "keypoints.csv", rows)
    report = look(root)
    assert report.faults == ()
    assert "1 people have a joint outside the picture: 2_a.png" in report.notes[0]


def test_openpose_deepfashion_and_bbc_pose_are_compared_with_their_pictures(tmp_path):
    layouts.picture(tmp_path / "openpose" / "a.jpg", SIZE)
    points = [value for joint in range(18) for value in (100 + joint, 20, 1)]
    text = json.dumps({"people": [{"pose_keypoints_2d": points}]})
    (tmp_path / "openpose" / "a_keypoints.json").write_text(text)

    shop = layouts.in_shop(tmp_path / "shop")
    rows = read_keypoint_csv(shop / "fasion-annotation-train.csv")
    rows = {name: (points + np.float32([0, 300]), seen) for name, (points, seen) in rows.items()}
    write_keypoint_csv(shop / "fasion-annotation-train.csv", rows)

    film = layouts.bbc_pose(tmp_path / "film")
    layouts.picture(film / "1" / "7.jpg", (40, 15))
    for people, count in (
        (openpose_folder(tmp_path / "openpose"), 1), (deepfashion(shop), 3), (bbc_pose(film), 1),
    ):  # fmt: skip
        assert f"{count} people have most joints outside" in check_people(people, "train").faults[0]


def test_label_maps_are_counted_and_a_missing_one_is_noted(tmp_path):
    root = make_folder(tmp_path)
    assert "with label map" not in look(root).counts
    (root / "parsing").mkdir()
    for number, name in enumerate(NAMES, start=1):
        np.save(root / "parsing" / f"{name.removesuffix('.png')}.npy", np.full(SIZE, 3))
        report = look(root)
        assert report.counts["with label map"] == number
        missing = [note for note in report.notes if "no label map, which pgt train spt needs" in note]
        assert len(missing) == (number < len(NAMES))
    assert look(root, limit=2).counts["with label map"] == 2
