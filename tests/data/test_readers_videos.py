"""Penn Action, BBC-Pose and Human3.6M, in their official layouts."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from pgt.data.pose import JOINTS
from pgt.data.readers import human36m as h36m
from pgt.data.readers.bbc_pose import bbc_pose
from pgt.data.readers.check import check_people, shared_identities
from pgt.data.readers.penn_action import penn_action, read_boxes, read_label
from pgt.data.readers.video import read_frame, read_frames
from tests.data import layouts
from tests.data.films import make_film


def test_frames_of_one_video_pair_up_and_videos_keep_to_their_split(tmp_path):
    root = layouts.penn_action(tmp_path)
    train, test = penn_action(root, "train"), penn_action(root, "test")
    pairs = [[train.names[number] for number in train.pair(i)] for i in range(len(train))]
    assert len(pairs) == len({tuple(pair) for pair in pairs}) == 2 * 3 * 2
    assert all(a.split("/")[0] == b.split("/")[0] and a != b for a, b in pairs)
    assert {name.split("/")[0] for name in test.names} == {"0002"}
    assert shared_identities({"train": train, "test": test}) == []
    with pytest.raises(IndexError):
        train.pair(len(train))


def test_joints_of_penn_action_count_from_0_and_unseen_ones_are_missing(tmp_path):
    person = penn_action(layouts.penn_action(tmp_path)).person("0001/000002")
    assert person.image_size == layouts.PENN_SIZE
    assert not person.visible[JOINTS.index("nose")]  # the head, at MATLAB's 1, 1
    assert person.keypoints[JOINTS.index("left_shoulder")].tolist() == [10, 5]
    assert person.keypoints[JOINTS.index("right_ankle")].tolist() == [21, 5]
    assert (person.keypoints[~person.visible] == 0).all()
    assert read_boxes(tmp_path / "labels" / "0001.mat")[0].tolist() == [2, 3, 19, 21]


def test_penn_action_says_what_is_missing_or_broken(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder frames.*dreamdragon\.github\.io"):
        penn_action(tmp_path)
    root = layouts.penn_action(tmp_path)
    (root / "frames" / "0001" / "000003.jpg").unlink()
    people = penn_action(root)
    assert people.notes == ("Video 0001 lacks 1 of its 3 frames: 000003.jpg.",)
    assert "0001/000003" not in people.names
    label = root / "labels" / "0003.mat"
    savemat(label, {"x": np.ones((3, 12)), "y": np.ones((3, 12)), "visibility": np.ones((3, 12))} | FIELDS)
    with pytest.raises(ValueError, match=r"0003\.mat: x, y and visibility must be \(frames, 13\)"):
        read_label(label)
    savemat(label, {"x": "text"})
    with pytest.raises(ValueError, match=r'0003\.mat holds no numbers "x"'):
        penn_action(root)
    label.write_bytes((root / "labels" / "0001.mat").read_bytes()[:300])
    with pytest.raises(ValueError, match=r"0003\.mat"):
        penn_action(root)


FIELDS = {"train": 1, "dimensions": np.array([[27, 48, 3]])}


def test_bbc_pose_has_the_owners_splits_and_hand_marked_test_frames(tmp_path):
    root = layouts.bbc_pose(tmp_path)
    splits = {split: bbc_pose(root, split) for split in ("train", "val", "test")}
    assert [people.names for people in splits.values()] == [
        ["1/3", "1/7", "1/8"],
        ["2/4", "2/8", "2/9"],
        ["3/5", "3/9"],
    ]
    assert [len(people) for people in splits.values()] == [6, 6, 2]
    assert shared_identities(splits) == []
    person = splits["train"].person("1/7")
    assert person.keypoints[JOINTS.index("nose")].tolist() == [19, 6]
    assert person.keypoints[JOINTS.index("left_shoulder")].tolist() == [25, 6]
    assert not person.visible[JOINTS.index("right_hip")]
    assert splits["test"].person("3/5").keypoints[0].tolist() == [20, 5]  # marked by hand one pixel further


def test_bbc_pose_says_what_is_missing_or_broken(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no code/bbcpose\.mat.*robots\.ox\.ac\.uk"):
        bbc_pose(tmp_path)
    savemat(tmp_path / "bbcpose.mat", {"other": 1})
    with pytest.raises(ValueError, match='holds no struct array "bbcpose"'):
        bbc_pose(tmp_path)


@pytest.mark.parametrize(
    ("make", "read", "name"),
    [(layouts.penn_action, penn_action, "0001/000002"), (layouts.bbc_pose, bbc_pose, "1/7")],
)
def test_masks_of_ones_own_are_read_frame_by_frame(tmp_path, make, read, name):
    root = make(tmp_path)
    size = read(root).person(name).image_size
    path = root / "masks" / f"{name}.png"
    values = layouts.mask(path, size)
    people = read(root)
    assert np.array_equal(people.person(name).person_mask, values > 0)
    assert all(people.person(other).person_mask is None for other in people.names if other != name)
    report = check_people(people, "train")
    assert report.counts["with person mask"] == 1
    assert any(f"{len(people.names) - 1} people have no person mask" in note for note in report.notes)
    for wrong, sentence in (
        (values[:-1], "is the size of the frame"),
        (values * 0, "shows nobody"),
        (np.stack([values] * 3, axis=-1), "with one value per pixel"),
    ):
        Image.fromarray(wrong).save(path)
        with pytest.raises(ValueError, match=sentence) as error:
            people.person(name)
        assert str(path) in str(error.value)


NAMES = {"S1": ["Posing 1.54138969", "Directions.54138969", "WalkDog.54138969"], "S9": ["Walking.60457274"]}


def _points(frames: int) -> np.ndarray:
    """Joint j at (30 + j, 20 + 2 j) in every frame."""
    one = np.stack([30.0 + np.arange(32), 20.0 + 2 * np.arange(32)], axis=-1)
    return np.tile(one, (frames, 1, 1))


@pytest.fixture
def human36m(tmp_path, monkeypatch):
    """Make Human3.6M with 40 frames of each recording; the poses are read by the test, not by cdflib."""
    for subject, names in NAMES.items():
        for name in names:
            path = tmp_path / subject / "MyPoseFeatures" / "D2_Positions" / f"{name}.cdf"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
            folder = f"{subject}_{name.replace(' ', '_')}"
            for frame in range(1, 41, 5):
                layouts.picture(
                    tmp_path / subject / "images" / folder / f"{folder}_{frame:06d}.jpg", (100, 102), 200
                )
    monkeypatch.setattr(h36m, "read_poses", lambda path: _points(40))
    return tmp_path


def test_human36m_splits_as_progressive_at_three_frames_a_second(human36m):
    train, test = (h36m.human36m(human36m, split) for split in ("train", "test"))
    assert train.names == [
        *[f"S1/Posing 1.54138969/{frame:06d}" for frame in (1, 21)],  # every fifth frame is there: 1, 21, ...
        *[f"S9/Walking.60457274/{frame:06d}" for frame in (1, 21)],
    ]
    assert {name.split("/")[1] for name in test.names} == {"Directions.54138969"}
    by_subject = {s: h36m.human36m(human36m, s, split_by="subject") for s in ("train", "test")}
    assert {name.split("/")[0] for name in by_subject["test"].names} == {"S9"}
    assert shared_identities(by_subject) == []


def test_human36m_is_cut_by_a_square_around_the_skeleton(human36m, monkeypatch):
    person = h36m.human36m(human36m).read(0)
    assert person.image_size[0] == person.image_size[1] < 100
    shoulder, hip = (person.keypoints[JOINTS.index(name)] for name in ("right_shoulder", "right_hip"))
    assert (shoulder - hip).tolist() == [24, 48]  # points 25 and 1
    assert (person.keypoints[person.visible] >= 0).all()
    assert person.visible.sum() == 14

    mask = np.zeros((100, 102), bool)
    mask[20:60, 30:60] = True
    monkeypatch.setattr(h36m, "read_mask", lambda path, frame, size: mask)
    masks = human36m / "S1" / "MySegmentsMat" / "ground_truth_bs" / f"{NAMES['S1'][0]}.mat"
    masks.parent.mkdir(parents=True)
    masks.write_bytes(b"")
    masked = h36m.human36m(human36m).read(0)
    assert masked.person_mask.sum() == mask.sum()
    assert (masked.image[~masked.person_mask] == 0).all()
    assert (masked.image[masked.person_mask] > 150).all()


def test_human36m_says_what_is_missing(tmp_path, human36m):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no S\*/MyPoseFeatures.*vision\.imar\.ro/human3\.6m"):
        h36m.human36m(tmp_path / "empty")


def test_official_pose_and_mask_files_are_read(tmp_path):
    cdf = pytest.importorskip("cdflib", reason="cdflib is not installed")
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    path = tmp_path / "Posing 1.54138969.cdf"
    with cdf.cdfwrite.CDF(path, cdf_spec={"rDim_sizes": []}) as file:
        spec = {
            "Variable": "Pose",
            "Data_Type": 44,
            "Num_Elements": 1,
            "Rec_Vary": True,
            "Dim_Sizes": [5, 64],
        }
        file.write_var(spec, var_data=_points(5).reshape(1, 5, 64).astype(np.float32))
    assert np.array_equal(h36m.read_poses(path), _points(5))

    masks = np.random.default_rng(0).random((3, 6, 4)) < 0.5
    with h5py.File(tmp_path / "masks.mat", "w") as file:
        cells = file.create_dataset("Masks", (3, 1), dtype=h5py.ref_dtype)
        for number, mask in enumerate(masks):
            cells[number, 0] = file.create_dataset(f"#refs#/{number}", data=mask.T.astype(np.uint8)).ref
    assert np.array_equal(h36m.read_mask(tmp_path / "masks.mat", 2, (6, 4)), masks[2])
    with pytest.raises(ValueError, match="has masks of"):
        h36m.read_mask(tmp_path / "masks.mat", 2, (4, 6))
    path.write_bytes(b"no")
    with pytest.raises(ValueError, match="cannot be read as poses"):
        h36m.read_poses(path)


def test_single_frames_are_those_of_the_whole_film(tmp_path):
    film, _ = make_film(tmp_path)
    frames = list(read_frames(film))
    for number in (0, 7, len(frames) - 1):
        assert np.array_equal(read_frame(film, number), frames[number])
    with pytest.raises(ValueError, match="has no frame 99"):
        read_frame(film, 99)
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    with pytest.raises(ValueError, match=r"bad\.mp4 cannot be read as a video"):
        read_frame(tmp_path / "bad.mp4", 0)


def test_human36m_decodes_the_video_where_no_frames_are_extracted(tmp_path, monkeypatch):
    film, _ = make_film(tmp_path)
    subject = tmp_path / "S5"
    (subject / "Videos").mkdir(parents=True)
    film.rename(subject / "Videos" / "Greeting.54138969.mp4")
    poses = subject / "MyPoseFeatures" / "D2_Positions" / "Greeting.54138969.cdf"
    poses.parent.mkdir(parents=True)
    poses.write_bytes(b"")
    monkeypatch.setattr(h36m, "read_poses", lambda path: _points(20))
    people = h36m.human36m(tmp_path)
    assert people.names == ["S5/Greeting.54138969/000001", "S5/Greeting.54138969/000018"]
    pair = people[0]
    assert pair.source.image_size == pair.target.image_size
    assert pair.name == "S5_Greeting.54138969_000001_to_S5_Greeting.54138969_000018"
