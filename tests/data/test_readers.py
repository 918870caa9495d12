"""Keypoint CSV, pairs CSV, OpenPose JSON and folders, made up and real."""

import json

import numpy as np
import pytest
from PIL import Image

from pgt.data.joint_sets import JOINT_SETS
from pgt.data.pose import JOINTS, Pose
from pgt.data.readers.folder import PeopleFolder, people_folder
from pgt.data.readers.keypoint_csv import (
    HEADER,
    read_keypoint_csv,
    read_pairs_csv,
    write_keypoint_csv,
    write_pairs_csv,
)
from pgt.data.readers.openpose_json import read_openpose_json, write_openpose_json

ROWS = {"fasion-annotation-test_new_split.csv": (8146, 292), "market-annotation-train.csv": (12936, 419)}


def row(name: str = "a.jpg", y: object = None, x: object = None) -> str:
    ys, xs = list(range(10, 28)) if y is None else y, list(range(40, 58)) if x is None else x
    return f"{name}: {ys}: {xs}"


def write_rows(path, *rows: str, header: str = HEADER) -> str:
    path.write_text("\n".join([header, *rows]) + "\n")
    return str(path)


def test_real_files_read_whole_and_write_back_byte_by_byte(real_file, tmp_path):
    path, (height, width) = real_file
    people = read_keypoint_csv(path)
    count, missing = ROWS[path.name]
    assert len(people) == count
    assert sum(not visible.any() for _, visible in people.values()) == missing
    write_keypoint_csv(tmp_path / "again.csv", people)
    assert (tmp_path / "again.csv").read_text() == path.read_text()

    keypoints, visible = (np.stack(values) for values in zip(*people.values(), strict=True))
    assert keypoints.dtype == np.float32
    inside = (keypoints >= 0).all(axis=-1) & (keypoints < [width, height]).all(axis=-1)
    assert inside[visible].all()  # (x, y), not (y, x): a Market frame is 64 wide and 128 high
    assert keypoints[visible][:, 1].max() > width / 2
    for joints, seen in zip(keypoints, visible, strict=True):
        Pose(joints, seen, (height, width))


def test_right_eyes_and_ears_come_first_in_real_files(real_data):
    files = [real_data / "annotations" / name for name in ROWS]
    for path in [*files, real_data / "deepfashion_pair" / "keypoints.csv"]:
        keypoints, visible = (np.stack(v) for v in zip(*read_keypoint_csv(path).values(), strict=True))
        x = keypoints[..., 0]
        for pair in (("right_eye", "left_eye"), ("right_ear", "left_ear")):
            right, left = (JOINTS.index(name) for name in pair)
            # People who face the camera have their right side on the image's left.
            faces = visible[:, [2, 5, right, left]].all(axis=1) & (x[:, 2] < x[:, 5])
            assert faces.any() or path not in files
            assert (x[faces, right] <= x[faces, left]).mean() > 0.99 if faces.any() else True


def test_mirrored_faces_option_swaps_eyes_and_ears_only(tmp_path):
    path = write_rows(tmp_path / "k.csv", row())
    plain, _ = read_keypoint_csv(path)["a.jpg"]
    swapped, _ = read_keypoint_csv(path, mirrored_faces=True)["a.jpg"]
    assert (swapped[:14] == plain[:14]).all()
    assert (swapped[[14, 15, 16, 17]] == plain[[15, 14, 17, 16]]).all()


def test_minus_one_in_either_list_is_missing_and_outside_is_not(tmp_path):
    y, x = [-1, 5, -1, -7, *range(14)], [4, -1, -1, 900, *range(14)]
    keypoints, visible = read_keypoint_csv(write_rows(tmp_path / "k.csv", row(y=y, x=x)))["a.jpg"]
    assert visible[:5].tolist() == [False, False, False, True, True]
    assert (keypoints[:3] == 0).all()
    assert keypoints[3].tolist() == [900, -7]


@pytest.mark.parametrize("name", ["penn-action-13", "bbc-pose-7"])
def test_other_sets_of_joints_become_the_18(tmp_path, name):
    joint_set = JOINT_SETS[name]
    points = np.arange(2 * len(joint_set)).reshape(-1, 2) * 4.0
    points[-1] = -1  # missing
    line = row(y=points[:, 1].astype(int).tolist(), x=points[:, 0].astype(int).tolist())
    keypoints, visible = read_keypoint_csv(write_rows(tmp_path / "k.csv", line))["a.jpg"]
    expected, seen = joint_set.to_openpose18(points, points[:, 0] >= 0)
    assert (visible == seen).all()
    assert (keypoints[seen] == expected[seen]).all()
    assert keypoints.dtype == np.float32
    assert (keypoints[~seen] == 0).all()


def test_integers_are_written_and_come_back(tmp_path):
    keypoints = np.random.default_rng(0).uniform(-50, 300, (18, 2)).astype(np.float32)
    visible = np.arange(18) % 3 > 0
    keypoints[1] = [-1.2, -0.9]  # would read back as missing
    write_keypoint_csv(tmp_path / "k.csv", {"with:colon.jpg": (keypoints, visible)})
    again, seen = read_keypoint_csv(tmp_path / "k.csv")["with:colon.jpg"]
    assert (seen == visible).all()
    assert (again[1] == 0).all()
    rest = visible & (np.arange(18) != 1)
    assert np.abs(again[rest] - keypoints[rest]).max() <= 0.5
    with pytest.raises(ValueError, match="cannot be a name"):
        write_keypoint_csv(tmp_path / "k.csv", {"a\nb": (keypoints, visible)})


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (row(y=[1] * 17), r"18 y values are needed \(13 or 7 in other sets of joints\), but there are 17"),
        (row(x=[1] * 19), "18 x values are needed .*, but there are 19"),
        (row(y=[1] * 13), "18 x values, but 13 y values"),
        (row(x=["2"] * 18).replace("'", '"'), "'2' among the x values"),
        (row(x="[1, 2"), "expected"),
        (row(x="[1, two]"), "not a list of numbers"),
        (row(x="[" + ", ".join(["NaN"] * 18) + "]"), "nan among the x values"),
        (row(x=[1e9] * 18), "not a pixel position"),
        (row(x=[True] * 18).replace("True", "true"), "True among the x values"),
        ("a.jpg", "expected"),
        (": [1]: [2]", "expected"),
        (row("b.jpg"), "a second time"),
    ],
)
def test_bad_rows_say_where_and_what(tmp_path, bad, sentence):
    path = write_rows(tmp_path / "k.csv", row("b.jpg"), "", bad)
    with pytest.raises(ValueError, match=sentence) as error:
        read_keypoint_csv(path)
    assert f"{path}, line 4" in str(error.value)


def test_bad_headers_are_refused(tmp_path):
    with pytest.raises(ValueError, match="line 1: the header"):
        read_keypoint_csv(write_rows(tmp_path / "k.csv", row(), header="name,y,x"))
    with pytest.raises(ValueError, match="line 1: the header"):
        read_pairs_csv(write_rows(tmp_path / "p.csv", "a,b", header="source,target"))
    with pytest.raises(ValueError, match="line 3: expected two names"):
        read_pairs_csv(write_rows(tmp_path / "p.csv", "a,b", "c", header="from,to"))


def test_windows_line_ends_and_byte_order_mark(tmp_path):
    (tmp_path / "k.csv").write_bytes(("\ufeff" + HEADER + "\r\n" + row() + "\r\n").encode())
    assert list(read_keypoint_csv(tmp_path / "k.csv")) == ["a.jpg"]


def test_pairs_round_trip(tmp_path):
    pairs = [("a.jpg", "b.jpg"), ("with,comma.jpg", "c.jpg")]
    write_pairs_csv(tmp_path / "p.csv", pairs)
    assert read_pairs_csv(tmp_path / "p.csv") == pairs
    assert read_pairs_csv(write_rows(tmp_path / "i.csv", "0,a,b", header=",from,to")) == [("a", "b")]


def test_openpose_json_round_trip_is_exact(tmp_path, random_pose):
    write_openpose_json(tmp_path / "p.json", [random_pose, random_pose.flipped()])
    first, second = read_openpose_json(tmp_path / "p.json", random_pose.image_size)
    seen = random_pose.visible
    assert (first.visible == seen).all()
    assert (first.keypoints[seen] == random_pose.keypoints[seen]).all()
    assert (second.visible == random_pose.flipped().visible).all()


@pytest.mark.parametrize("points", [18, 25, 17])
def test_openpose_point_sets(tmp_path, points):
    numbers = [[i + 1, 10 * i + 10, 0.9] for i in range(points)]
    numbers[-1][2] = 0
    content = {"people": [{"pose_keypoints_2d": [value for point in numbers for value in point]}] * 2}
    (tmp_path / "p.json").write_text(json.dumps(content))
    poses = read_openpose_json(tmp_path / "p.json", (300, 300))
    assert len(poses) == 2
    shoulder = {18: 2, 25: 2, 17: 6}[points]  # right
    assert poses[0].keypoints[2].tolist() == numbers[shoulder][:2]
    hip = {18: 8, 25: 9, 17: 12}[points]
    assert poses[0].keypoints[8].tolist() == numbers[hip][:2]
    assert Pose.from_json(json.dumps(content), (300, 300)).keypoints[8].tolist() == numbers[hip][:2]


def test_openpose_without_people_or_sense(tmp_path):
    (tmp_path / "p.json").write_text('{"people": []}')
    assert read_openpose_json(tmp_path / "p.json", (8, 8)) == []
    for text in ("[]", "{}", "no", '{"people": [{"pose_keypoints_2d": [1, 2]}]}'):
        (tmp_path / "p.json").write_text(text)
        with pytest.raises(ValueError, match=r"p\.json"):
            read_openpose_json(tmp_path / "p.json", (8, 8))


@pytest.fixture
def folder(tmp_path):
    """Write a folder of two people in two and one views, and a distractor."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    names = ["0001_1.png", "0001_2.png", "0002_1.png", "0000_1.png", "0000_2.png"]
    for name in names:
        Image.fromarray(rng.integers(0, 256, (64, 32, 3), dtype=np.uint8)).save(tmp_path / "images" / name)
    joints = (rng.integers(0, 32, (18, 2)).astype(np.float32), np.ones(18, bool))
    write_keypoint_csv(tmp_path / "keypoints.csv", dict.fromkeys(names, joints))
    return tmp_path


def test_folder_pairs_views_of_one_person(folder):
    dataset = PeopleFolder(folder)
    assert dataset.pairs == [("0001_1.png", "0001_2.png"), ("0001_2.png", "0001_1.png")]
    assert len(dataset) == 2
    pair = dataset[0]
    assert pair.source.image.shape == (64, 32, 3)
    assert pair.name == "0001_1_to_0001_2"
    assert pair.source.label_map is None


def test_folder_reads_pairs_and_label_maps(folder):
    write_pairs_csv(folder / "pairs.csv", [("0002_1.png", "0001_1.png")])
    (folder / "parsing").mkdir()
    np.save(folder / "parsing" / "0002_1.npy", np.full((64, 32), 9))
    pair = PeopleFolder(folder)[0]
    assert (pair.source.label_map == 9).all()
    np.save(folder / "parsing" / "0002_1.npy", np.full((64, 32), 12))
    with pytest.raises(ValueError, match="holds label 12, but the labels are 0 to 9"):
        PeopleFolder(folder)[0]


def test_folder_says_what_is_wrong(folder):
    with pytest.raises(FileNotFoundError, match="no folder"):
        PeopleFolder(folder / "nowhere")
    write_pairs_csv(folder / "pairs.csv", [("0002_1.png", "nobody.png")])
    with pytest.raises(ValueError, match=r'names "nobody.png"'):
        PeopleFolder(folder)
    (folder / "pairs.csv").unlink()
    (folder / "images" / "0001_1.png").write_bytes(b"not a picture")
    with pytest.raises(ValueError, match=r"0001_1\.png cannot be read as a picture"):
        PeopleFolder(folder)[0]


def test_only_whole_keys_are_distractors_and_are_counted(folder):
    rows = read_keypoint_csv(folder / "keypoints.csv")
    for name in ("00001_a.jpg", "00001_b.jpg", "-12_a.jpg", "-1_a.jpg"):
        Image.new("RGB", (32, 64)).save(folder / "images" / name)
        rows[name] = rows["0001_1.png"]
    write_keypoint_csv(folder / "keypoints.csv", rows)
    pairs, people = PeopleFolder(folder), people_folder(folder)
    assert ("00001_a.jpg", "00001_b.jpg") in pairs.pairs
    assert len(pairs) == len(people) == 4
    known = dict(zip(people.names, people.identities, strict=True))
    assert (known["00001_a.jpg"], known["-12_a.jpg"], known["-1_a.jpg"]) == ("00001", "-12", None)
    (note,) = people.notes
    assert "3 pictures count as nobody's" in note
    assert "0000_1.png, 0000_2.png, -1_a.jpg" in note


def test_a_folder_without_a_csv_hears_what_it_should_hold(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r'no keypoints\.csv in .*"NAME: \[18 y\]: \[18 x\]".*images/'
    ):
        PeopleFolder(tmp_path)


@pytest.mark.parametrize(
    "read", [lambda root: PeopleFolder(root).person, lambda root: people_folder(root).person]
)
def test_a_map_may_lie_beside_a_picture_in_a_folder_of_its_own(folder, read):
    (folder / "images" / "anna").mkdir()
    (folder / "images" / "0001_1.png").rename(folder / "images" / "anna" / "1.png")
    np.save(folder / "images" / "anna" / "1.npy", np.full((64, 32), 2))
    rows = read_keypoint_csv(folder / "keypoints.csv")
    write_keypoint_csv(folder / "keypoints.csv", {"anna/1.png": rows["0001_1.png"]})
    assert (read(folder)("anna/1.png").label_map == 2).all()


@pytest.mark.parametrize("name", ["deepfashion_pair", "deepfashion_photos", "market_photos"])
def test_real_folders(real_data, name):
    dataset = PeopleFolder(real_data / name)
    people = [dataset.person(image) for image in dataset.names]
    assert all(person.visible.sum() >= 8 for person in people)
    if name == "deepfashion_pair":
        assert len(dataset) == 2
