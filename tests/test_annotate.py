"""`pgt data annotate`: joints for a folder of pictures or a video, by a detector that is only played here."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgt import photos
from pgt.__main__ import main
from pgt.applications import PoseSequence
from pgt.commands import annotate
from pgt.data.pose import Pose
from pgt.data.readers.folder import PeopleFolder
from pgt.data.readers.keypoint_csv import read_keypoint_csv
from pgt.photos import DetectedPerson
from tests.data import films

SIZE = (96, 64)
NUM_JOINTS = 18


def person(image: np.ndarray, height: int = 80, left: int = 10) -> DetectedPerson:
    """Return somebody whose joints fill a box; the nose's x is the brightness of the first pixel."""
    keypoints = np.linspace((left, 5), (left + 30, 5 + height), NUM_JOINTS)
    keypoints[0, 0] = image[0, 0, 0]
    box = np.array([left, 5, left + 30, 5 + height], np.float32)
    return DetectedPerson(box, 0.9, Pose(keypoints, np.ones(NUM_JOINTS, bool), image.shape[:2]))


@pytest.fixture
def seen(monkeypatch) -> list[int]:
    """Play the detector, and list the brightness of the pictures that it looks at.

    It finds nobody at 20, somebody tiny at 30, and two people at 40.
    """
    looked = []

    def detect(image: np.ndarray) -> list[DetectedPerson]:
        looked.append(int(image[0, 0, 0]))
        people = {20: [], 30: [person(image, 12)], 40: [person(image), person(image, left=25)]}
        return people.get(looked[-1], [person(image)])

    monkeypatch.setattr(photos.detectors, "detect_people", detect)
    return looked


def write(path: Path, brightness: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE[::-1], (brightness,) * 3).save(path)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with five pictures of two people."""
    names = ["a_1.png", "a_2.png", "a_3.png", "b_1.png", "b_2.png"]
    for name, brightness in zip(names, (10, 20, 30, 40, 50), strict=True):
        write(tmp_path / "people" / "images" / name, brightness)
    return tmp_path / "people"


def test_a_folder_gets_joints_that_its_reader_takes(folder, seen, capsys):
    assert main(["data", "annotate", str(folder)]) == 0
    people = PeopleFolder(folder)
    assert people.names == ["a_1.png", "a_2.png", "a_3.png", "b_1.png", "b_2.png"]
    assert people.pairs == [("b_1.png", "b_2.png"), ("b_2.png", "b_1.png")]
    assert people.person("a_1.png").keypoints[0, 0] == 10
    assert not people.person("a_2.png").visible.any()
    text = (folder / "keypoints.csv").read_text().splitlines()
    assert text[2] == f"a_2.png: {[-1] * NUM_JOINTS}: {[-1] * NUM_JOINTS}"
    assert capsys.readouterr().out.splitlines() == [
        f"{folder / 'keypoints.csv'}: 5 rows, 5 of them new",
        "  nobody, or only somebody tiny, in 2: a_2.png, a_3.png",
        "  several people, the main one was taken, in 1: b_1.png",
    ]


def test_the_same_command_continues_and_keeps_what_is_there(folder, seen, monkeypatch, capsys):
    detect = photos.detectors.detect_people

    def stopped(image: np.ndarray) -> list[DetectedPerson]:
        if len(seen) == 2:
            raise KeyboardInterrupt
        return detect(image)

    monkeypatch.setattr(photos.detectors, "detect_people", stopped)
    assert main(["data", "annotate", str(folder)]) == 130
    csv = folder / "keypoints.csv"
    csv.write_text(csv.read_text().replace("a_1.png: [5,", "a_1.png: [6,"))  # corrected by hand
    monkeypatch.setattr(photos.detectors, "detect_people", detect)
    write(folder / "images" / "a_0.png", 60)
    assert main(["data", "annotate", str(folder)]) == 0
    assert seen == [10, 20, 60, 30, 40, 50]
    rows = read_keypoint_csv(csv)
    assert list(rows) == sorted(rows)
    assert rows["a_1.png"][0][0].tolist() == [10, 6]
    assert "6 rows, 4 of them new\n  nobody, or only somebody tiny, in 2" in capsys.readouterr().out
    before = csv.stat().st_mtime_ns
    assert main(["data", "annotate", str(folder)]) == 0
    assert (len(seen), csv.stat().st_mtime_ns) == (6, before)


def test_a_long_work_is_saved_on_its_way(folder, seen, monkeypatch):
    monkeypatch.setattr(annotate, "SAVE_EVERY", -1)
    saved = []
    monkeypatch.setattr(annotate, "write_keypoint_csv", lambda path, rows: saved.append(len(rows)))
    assert main(["data", "annotate", str(folder)]) == 0
    assert saved == [1, 2, 3, 4, 5, 5]


def test_what_is_no_picture_gets_no_row_and_is_named(folder, seen, capsys):
    (folder / "images" / "a_3.png").write_bytes(b"no picture")
    os.mkfifo(folder / "images" / "c.png")
    assert main(["data", "annotate", str(folder), "--out", str(folder / "new" / "k.csv")]) == 0
    assert list(read_keypoint_csv(folder / "new" / "k.csv")) == ["a_1.png", "a_2.png", "b_1.png", "b_2.png"]
    said = capsys.readouterr().out
    assert "not a picture, so without a row, 2: " in said
    assert "a_3.png cannot be read as a picture" in said


def test_a_video_gets_a_row_a_frame_that_training_and_animation_take(tmp_path, monkeypatch, capsys):
    pytest.importorskip("av")
    video, csv = films.make_film(tmp_path, 12)
    csv.unlink()
    numbers = iter(range(12))

    def detect(image: np.ndarray) -> list[DetectedPerson]:
        pose = films.as_pose(next(numbers))
        box = np.array([0, 0, 40, 90], np.float32)
        return [DetectedPerson(box, 0.9, pose)] if pose.keypoints[0, 0] < 80 else []

    monkeypatch.setattr(photos.detectors, "detect_people", detect)
    assert main(["data", "annotate", str(video)]) == 0
    sequence = PoseSequence.of_video(video, csv)
    assert sequence.fps == 25
    found = sequence.visible.any(axis=1)
    expected = np.stack([films.joints(number)[0] for number in range(12)])
    assert np.array_equal(found, expected[:, 0, 0] < 80)
    assert 0 < found.sum() < 12
    assert np.array_equal(sequence.keypoints[found], expected[found])
    assert f"nobody, or only somebody tiny, in {12 - found.sum()}: 0000" in capsys.readouterr().out


def test_rows_of_other_names_are_not_mixed_with_frames(tmp_path, seen, capsys):
    pytest.importorskip("av")
    video, csv = films.make_film(tmp_path, 2)
    csv.write_text(csv.read_text().replace("000001.png", "1.png"))
    before = csv.read_text()
    assert main(["data", "annotate", str(video)]) == 2
    assert (
        'names a row "1.png", not as frames are named here; choose another --out.' in capsys.readouterr().err
    )
    assert csv.read_text() == before
    assert not seen


@pytest.mark.parametrize("detector", ["keypoint-rcnn", "vitpose"])
def test_without_the_detectors_weights_there_is_one_sentence(folder, monkeypatch, capsys, detector):
    def unavailable() -> None:
        raise photos.DetectorUnavailableError(
            f"The weights could not be downloaded; {photos.detectors.ADVICE}."
        )

    monkeypatch.setattr(photos.detectors, "load_keypoint_rcnn", unavailable)
    monkeypatch.setattr(annotate, "load_vitpose", unavailable)
    assert main(["data", "annotate", str(folder), "--detector", detector]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "pgt: The weights could not be downloaded; nothing was annotated."
    assert not (folder / "keypoints.csv").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nothing", "There is no folder of pictures and no video"),
        ("empty", "There is no picture (.jpg"),
        ("text.mp4", "cannot be read as a video"),
    ],
)
def test_mistakes_get_one_sentence(tmp_path, seen, capsys, name, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("no video")
    assert main(["data", "annotate", str(tmp_path / name)]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.csv"))
