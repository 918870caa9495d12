"""Pose sequences: every way in gives the same joints, and fitting keeps the motion and the person's place."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pgt.applications import PoseSequence, fit_sequence, write_video
from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.data.readers.keypoint_csv import write_keypoint_csv
from pgt.data.readers.openpose_json import read_openpose_folder, write_openpose_json
from pgt.synthetic.films import film

ANKLES, HIPS = [10, 13], [8, 11]


@pytest.fixture(scope="module")
def walk() -> PoseSequence:
    return PoseSequence.from_motion("walk", 6, image_size=(96, 64), fps=12.5)


@pytest.fixture(scope="module")
def person(synthetic) -> Person:
    return synthetic.person(2)


def same(first: PoseSequence, second: PoseSequence) -> bool:
    points = [np.where(one.visible[..., None], one.keypoints, 0) for one in (first, second)]
    return np.array_equal(*points) and np.array_equal(first.visible, second.visible)


def moved(pose: Pose, scale: float, shift: tuple[float, float], size: tuple[int, int]) -> Pose:
    return Pose(scale * pose.keypoints + np.array(shift), pose.visible, size)


def test_a_motion_is_that_of_the_film(walk, synthetic):
    people = film(synthetic, 0, "walk", 6)
    assert same(walk, PoseSequence.of_people(people))
    assert (walk.image_size, walk.fps, walk.name, len(walk)) == ((96, 64), 12.5, "walk", 6)


def test_json_comes_back_exactly(walk, tmp_path):
    hidden = walk.visible.copy()
    hidden[2] = False
    walk = walk.with_joints(walk.keypoints, hidden)
    walk.write(tmp_path / "new" / "walk.json")
    again = PoseSequence.read(tmp_path / "new" / "walk.json")
    assert same(walk, again)
    assert (again.fps, again.image_size, again.name) == (12.5, (96, 64), "walk")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["walk.json"]
    assert PoseSequence.read(tmp_path / "new" / "walk.json", fps=30).fps == 30


def test_the_rows_of_a_csv_are_frames(walk, tmp_path):
    rows = {f"{i}.png": (np.rint(p.keypoints), p.visible) for i, p in enumerate(walk.poses)}
    write_keypoint_csv(tmp_path / "walk.csv", rows)
    read = PoseSequence.read(tmp_path / "walk.csv", image_size=(96, 64))
    assert same(read, walk.with_joints(np.rint(walk.keypoints), walk.visible))
    assert (read.fps, read.image_size) == (25, (96, 64))
    # without a size: the smallest frame in which all joints lie
    x, y = np.rint(walk.keypoints[walk.visible]).max(axis=0)
    assert PoseSequence.read(tmp_path / "walk.csv").image_size == (y + 1, x + 1)


def test_beside_its_video_a_csv_has_the_rate_and_the_frame_of_the_video(walk, tmp_path):
    pytest.importorskip("av")
    video, csv = tmp_path / "walk.mp4", tmp_path / "walk.csv"
    write_video(video, np.zeros((6, 96, 64, 3), np.uint8), 30000 / 1001)
    rows = {f"{i:06d}.png": (np.rint(p.keypoints), p.visible) for i, p in enumerate(walk.poses)}
    write_keypoint_csv(csv, dict(reversed(rows.items())))  # the names count, not their order
    read = PoseSequence.of_video(video, csv)
    assert same(read, walk.with_joints(np.rint(walk.keypoints), walk.visible))
    assert (read.fps, read.image_size, read.name) == (pytest.approx(30000 / 1001), (96, 64), "walk")
    assert PoseSequence.of_video(video, csv, fps=5).fps == 5
    write_keypoint_csv(csv, rows | {"000006.png": rows["000005.png"]})
    with pytest.raises(ValueError, match=r"walk.csv has 7 rows, but .*walk.mp4 has only 6 frames"):
        PoseSequence.of_video(video, csv)
    del rows["000004.png"]
    write_keypoint_csv(csv, rows)
    with pytest.raises(ValueError, match=r'walk.csv has no row "000004.png" for frame 4 of .*walk.mp4'):
        PoseSequence.of_video(video, csv)


def test_the_files_of_a_folder_are_frames_in_the_order_of_their_numbers(walk, tmp_path):
    for i, pose in zip((1, 2, 9, 10, 11, 100), walk.poses, strict=True):
        write_openpose_json(tmp_path / f"walk_{i}_keypoints.json", [pose])
    assert same(PoseSequence.read(tmp_path), walk)


def test_in_a_crowd_one_person_is_followed(walk, tmp_path):
    """The tallest of the first frame with people, then whoever is nearest, whatever their order."""
    small = [moved(pose, 0.5, (5, 40), (96, 64)) for pose in walk.poses]
    frames = [[], [small[1], walk.poses[1]], [walk.poses[2], small[2]], [], [small[4], walk.poses[4]]]
    for i, people in enumerate(frames):
        write_openpose_json(tmp_path / f"{i}.json", people)
    keypoints, visible = read_openpose_folder(tmp_path)
    assert not visible[[0, 3]].any()
    for i in (1, 2, 4):
        assert np.array_equal(keypoints[i][visible[i]], walk.keypoints[i][visible[i]])


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.txt", "", "a .json or .csv file or a folder"),
        ("a.json", "{", "a.json is not readable JSON"),
        ("a.json", '{"keypoints": []}', '"frames"'),
        ("a.json", '{"frames": [], "image_size": [8, 8]}', "at least one frame"),
        ("a.json", '{"frames": [[1]], "image_size": [8, 8]}', '"frame 0" must be a list'),
        ("a.json", '{"frames": [], "image_size": 8}', '"image_size": [height, width]'),
        ("a.json", '{"frames": [[]], "image_size": [8, 8]}', "0 joints; 18 are needed"),
        ("a.json", "[" * 100_000, "a.json is not readable JSON"),
        ("a.csv", "name:keypoints_y:keypoints_x\n", "no rows"),
        ("a.csv", "x", "line 1"),
        ("folder", None, "holds no .json file"),
    ],
)
def test_a_file_that_is_no_sequence_gets_one_sentence(tmp_path, name, text, sentence):
    path = tmp_path / name
    if text is None:
        path.mkdir()
    else:
        path.write_text(text)
    with pytest.raises(ValueError, match=r"^[^\n]*$") as caught:
        PoseSequence.read(path)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("fps", [0, -1, "fast", True, float("nan")])
def test_a_rate_must_be_a_number_above_0(walk, tmp_path, fps):
    walk.write(tmp_path / "walk.json")
    content = json.loads((tmp_path / "walk.json").read_text())
    (tmp_path / "walk.json").write_text(json.dumps({**content, "fps": fps}))
    with pytest.raises(ValueError, match=r"fps|rate"):
        PoseSequence.read(tmp_path / "walk.json")


def test_poses_must_share_one_frame_and_json_is_named_so(walk, tmp_path):
    with pytest.raises(ValueError, match="one image size"):
        PoseSequence((walk.poses[0], walk.poses[1].resized((8, 8))))
    with pytest.raises(ValueError, match=r"should end in \.json"):
        walk.write(tmp_path / "walk.txt")


# --- fitting ---


@pytest.mark.parametrize(("scale", "shift"), [(1, (0, 0)), (0.3, (5, -20)), (4, (-90, 300))])
def test_the_persons_own_pose_comes_back_wherever_and_however_large_it_was(person, scale, shift):
    sequence = PoseSequence((moved(person.pose, scale, shift, (500, 700)),) * 3)
    fitted = fit_sequence(sequence, person)
    assert fitted.image_size == person.image_size
    assert fitted.keypoints == pytest.approx(np.stack([person.keypoints] * 3), abs=1e-3)


def test_one_scale_and_one_shift_serve_all_frames(walk, person):
    fitted = fit_sequence(walk, person)
    old, new = (one.keypoints.astype(np.float64).reshape(-1, 2) for one in (walk, fitted))
    scale = np.ptp(new[:, 0]) / np.ptp(old[:, 0])
    assert new - scale * old == pytest.approx(np.broadcast_to(new[0] - scale * old[0], new.shape), abs=1e-3)
    assert fitted.fps == walk.fps


def test_feet_stand_where_the_persons_do_and_hips_above(walk, person):
    fitted = fit_sequence(walk, person)
    ground = np.median(fitted.keypoints[:, ANKLES, 1].max(axis=1))
    assert ground == pytest.approx(person.keypoints[ANKLES, 1].max(), abs=1e-3)
    hips = np.median(fitted.keypoints[:, HIPS, 0], axis=0).mean()
    assert hips == pytest.approx(person.keypoints[HIPS, 0].mean(), abs=1e-3)


def test_without_ankles_the_hips_decide(walk, person):
    seen = person.visible.copy()
    seen[ANKLES] = False
    cut = replace(person, pose=Pose(person.keypoints, seen, person.image_size))
    fitted = fit_sequence(walk, cut)
    hips = np.median(fitted.keypoints[:, HIPS], axis=0).mean(axis=0)
    assert hips == pytest.approx(person.keypoints[HIPS].mean(axis=0), abs=1e-3)


def test_fitting_again_changes_nothing(walk, person):
    once = fit_sequence(walk, person)
    assert fit_sequence(once, person).keypoints == pytest.approx(once.keypoints, abs=1e-3)


@pytest.mark.parametrize(
    ("own", "others", "sentence"),
    [([0], [1, 2], "no joint in common"), ([0], range(18), "person shows too few"),
     (range(18), [0], "sequence shows too few")],
)  # fmt: skip
def test_too_few_joints_get_one_sentence(walk, person, own, others, sentence):
    seen = np.isin(np.arange(18), list(own))
    one = replace(person, pose=Pose(person.keypoints, seen, person.image_size))
    sequence = walk.with_joints(
        walk.keypoints, np.broadcast_to(np.isin(np.arange(18), list(others)), (6, 18))
    )
    with pytest.raises(ValueError, match=sentence):
        fit_sequence(sequence, one)
