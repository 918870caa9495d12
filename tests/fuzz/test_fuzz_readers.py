"""Every reader on broken copies of a tiny folder in its layout: it works, or says in one sentence why not."""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from pgt.data.readers import human36m
from pgt.data.readers.catalogue import PICTURES, READERS, open_people
from pgt.data.readers.check import check_people, check_pictures
from pgt.data.readers.keypoint_csv import HEADER, read_keypoint_csv, read_pairs_csv, write_keypoint_csv
from pgt.data.readers.video import read_clip
from pgt.data.readers.video_check import check_video
from tests.data import layouts
from tests.data.films import make_film
from tests.fuzz.damage import DAMAGE, ODD, ODD_NUMBERS, changed, few, one_sentence

POINTS = [value for joint in range(17) for value in (10 + joint, 20 + 2 * joint, 2)]
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "height": 60, "width": 80}],
    "annotations": [
        {
            "id": 7, "image_id": 1, "iscrowd": 0, "keypoints": POINTS, "bbox": [5, 5, 40, 50],
            "segmentation": [[5, 5, 45, 5, 45, 55, 5, 55]],
        }
    ],
}  # fmt: skip
OPENPOSE = {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [*POINTS, 9, 9, 1]}]}


def people_folder(root: Path) -> None:
    rows = {f"1_{number}.png": layouts.joints((64, 32), number) for number in range(2)}
    for name in rows:
        layouts.picture(root / "images" / name, (64, 32))
    write_keypoint_csv(root / "keypoints.csv", rows)
    (root / "pairs.csv").write_text("from,to\n1_0.png,1_1.png\n")
    (root / "parsing").mkdir()
    np.save(root / "parsing" / "1_0.npy", np.full((64, 32), 3))


def openpose(root: Path) -> None:
    for name in ("a", "b"):
        layouts.picture(root / "anna" / f"{name}.jpg", (64, 64))
        (root / "anna" / f"{name}_keypoints.json").write_text(json.dumps(OPENPOSE))


def coco(root: Path) -> None:
    layouts.picture(root / "a.jpg", (60, 80))
    (root / "all.json").write_text(json.dumps(COCO))


def places2(root: Path) -> None:
    layouts.picture(root / "Places365_val_00000001.jpg", (32, 32))


def actors(root: Path) -> None:
    poses = root / "S1" / "MyPoseFeatures" / "D2_Positions"
    poses.mkdir(parents=True)
    (poses / "Posing 1.54138969.cdf").write_bytes(b"")
    name = "S1_Posing_1.54138969"
    for frame in (1, 18, 35):
        layouts.picture(root / "S1" / "images" / name / f"{name}_{frame:06d}.jpg", (80, 90))


def penn_action(root: Path) -> None:
    layouts.penn_action(root)
    layouts.mask(root / "masks" / "0001" / "000002.png", layouts.PENN_SIZE)


def bbc_pose(root: Path) -> None:
    layouts.bbc_pose(root)
    layouts.mask(root / "masks" / "1" / "7.png", (40, 60))


def in_shop(root: Path) -> None:
    layouts.in_shop(root)
    layouts.mask(root / "parsing" / "fasionWOMENBlousesShirtsid0000000102_1front.png", (256, 256))


MAKERS = {
    "folder": people_folder,
    "openpose": openpose,
    "coco": coco,
    "deepfashion": in_shop,
    "market1501": layouts.market1501,
    "penn-action": penn_action,
    "bbc-pose": bbc_pose,
    "human3.6m": actors,
    "places2": places2,
    "photos": places2,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    made = {name: tmp_path_factory.mktemp(name) for name in MAKERS}
    for name, root in made.items():
        MAKERS[name](root)
    return made


def look_through(name: str, root: Path) -> None:
    """Do what `pgt data check` does; broken pictures are no errors to it, but faults."""
    if name in PICTURES:
        with one_sentence(root.name):
            check_pictures(PICTURES[name](root), show=2)
        return
    for split in READERS[name].splits:
        with one_sentence(root.name):
            report = check_people(open_people(name, root, split), split, show=2)
            assert not any("\n" in sentence for sentence in (*report.faults, *report.notes))


def test_every_reader_has_a_layout_here():
    variants = {"deepfashion-176", "human3.6m-subjects"}  # readers of the same files
    assert set(MAKERS) == (set(READERS) | set(PICTURES)) - variants


@pytest.mark.parametrize("name", MAKERS)
def test_a_broken_file_is_told_in_one_sentence(name, folders, monkeypatch):
    poses = np.tile(np.stack([30.0 + np.arange(32), 20.0 + np.arange(32)], axis=-1), (40, 1, 1))
    monkeypatch.setattr(human36m, "read_poses", lambda path: poses)

    @few
    @given(st.data())
    def try_some(data: st.DataObject) -> None:
        with tempfile.TemporaryDirectory() as place:
            root = Path(place) / "copy"
            shutil.copytree(folders[name], root)
            files = sorted(path for path in root.rglob("*") if path.is_file())
            for path in data.draw(st.lists(st.sampled_from(files), min_size=1, max_size=2, unique=True)):
                data.draw(DAMAGE)(path)
            look_through(name, root)

    try_some()


@few
@given(changed(COCO))
def test_coco_with_odd_values(content):
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        coco(root)
        (root / "all.json").write_text(json.dumps(content))
        look_through("coco", root)


@few
@given(changed(OPENPOSE))
def test_openpose_with_odd_values(content):
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        openpose(root)
        (root / "anna" / "a_keypoints.json").write_text(json.dumps(content))
        look_through("openpose", root)


ARRAYS = st.one_of(
    st.sampled_from(
        [np.zeros((0, 0)), np.ones((3, 12)), np.ones((3, 13)) * 1j, np.array("text"), np.array([{}])]
    ),
    st.sampled_from([number for number in ODD_NUMBERS if abs(number) < 2**63 or number != number]).map(
        lambda number: np.full((3, 13), number, np.float64)
    ),
)


@few
@given(st.sampled_from(["x", "y", "visibility", "train", "dimensions", "bbox"]), ARRAYS)
def test_penn_action_with_odd_arrays(name, array):
    with tempfile.TemporaryDirectory() as place:
        root = layouts.penn_action(Path(place))
        label = {"x": np.ones((3, 13)), "y": np.ones((3, 13)), "visibility": np.ones((3, 13)), "train": 1}
        savemat(root / "labels" / "0001.mat", label | {"dimensions": [[27, 48, 3]]} | {name: array})
        look_through("penn-action", root)


@few
@given(st.sampled_from(["type", "train_frames", "train_joints", "test_frames", "test_joints"]), ARRAYS)
def test_bbc_pose_with_odd_arrays(name, array):
    with tempfile.TemporaryDirectory() as place:
        root = layouts.bbc_pose(Path(place))
        video = {"videoName": "film", "type": "train", "train_frames": [[3, 7, 8]]}
        video |= {"train_joints": np.ones((2, 7, 3)), name: array}
        savemat(root / "code" / "bbcpose.mat", {"bbcpose": video})
        look_through("bbc-pose", root)


@pytest.mark.parametrize(
    "number", [number for number in ODD_NUMBERS if abs(number) < 1e301 or number != number]
)
def test_human36m_with_joints_anywhere(number, tmp_path, monkeypatch):
    points = np.full((40, 32, 2), 50.0)
    points[::2, ::3] = number
    actors(tmp_path)
    monkeypatch.setattr(human36m, "read_poses", lambda path: points)
    look_through("human3.6m", tmp_path)


ROW = f"a.jpg: {list(range(10, 28))}: {list(range(40, 58))}"
TEXT = st.one_of(
    st.text(max_size=60),
    st.builds(lambda number, place: ROW.replace("1", str(number), place), ODD, st.integers(1, 20)),
    st.sampled_from(
        [":" * 9_000, "[" * 9_000, f"a: {'[' * 4000}: [1]", "../b.jpg" + ROW[5:], "/b.jpg" + ROW[5:]]
    ),
)


@few
@given(st.lists(TEXT, max_size=4))
def test_csv_files_of_any_text(lines):
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "some.csv"
        for header, read in ((HEADER, read_keypoint_csv), ("from,to", read_pairs_csv)):
            path.write_bytes("\n".join([header, *lines]).encode(errors="surrogatepass"))
            with one_sentence("some.csv"):
                read(path)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    make_film(folder, 12)
    return folder


@few
@given(st.sampled_from(["film.mp4", "film.csv"]), DAMAGE)
def test_a_broken_film_is_told_in_one_sentence(film, name, damage):
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "copy"
        shutil.copytree(film, root)
        damage(root / name)
        with one_sentence("film"):
            read_clip(root / "film.mp4", root / "film.csv", (32, 32))
        with one_sentence("film"):
            check_video(root / "film.mp4", root / "film.csv", show=2)


@few
@given(st.data())
def test_a_film_with_odd_joints(film, data):
    video, lines = film / "film.mp4", (film / "film.csv").read_text().splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(1, len(lines) - 1))
        old = data.draw(st.sampled_from(lines[place].split(", ")))
        lines[place] = lines[place].replace(old, str(data.draw(ODD)), 1)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "film.csv"
        path.write_bytes("\n".join(lines).encode(errors="surrogatepass"))
        with one_sentence("film"):
            read_clip(video, path, (32, 32))
        with one_sentence("film"):
            report = check_video(video, path, show=2)
            assert not any("\n" in sentence for sentence in (*report.faults, *report.notes))
