"""`pgt animate`: a photo or a synthetic person, any source of poses, any weights, one file out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgt import photos
from pgt.__main__ import main
from pgt.applications import PoseSequence
from pgt.data.pose import Pose
from pgt.data.readers.keypoint_csv import write_keypoint_csv
from pgt.data.readers.openpose_json import write_openpose_json
from pgt.photos import DetectedPerson
from pgt.synthetic.people import SyntheticPeople


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    """A folder with a photo, its joints, and a walk of six frames in every format."""
    folder = tmp_path_factory.mktemp("animate")
    person = SyntheticPeople("test", (64, 32), "plain").person(2)
    Image.fromarray(person.image).save(folder / "photo.png")
    (folder / "photo.json").write_text(person.pose.to_json())
    walk = PoseSequence.from_motion("walk", 6, fps=10, image_size=(96, 64))
    walk.write(folder / "walk.json")
    write_keypoint_csv(
        folder / "walk.csv", {f"{i}": (p.keypoints, p.visible) for i, p in enumerate(walk.poses)}
    )
    (folder / "walk").mkdir()
    for i, pose in enumerate(walk.poses):
        write_openpose_json(folder / "walk" / f"{i}_keypoints.json", [pose])
    return folder


def photo(material: Path) -> list[str]:
    return ["--image", str(material / "photo.png"), "--keypoints", str(material / "photo.json")]


def frames_of(path: Path) -> np.ndarray:
    """Read a GIF; Pillow joins frames that are equal, so there may be fewer than were written."""
    frames = []
    with Image.open(path) as gif:
        for i in range(gif.n_frames):
            gif.seek(i)
            frames.append(np.asarray(gif.convert("RGB")))
    return np.stack(frames)


@pytest.mark.parametrize("weights", ["part_warp", "tiny"])
@pytest.mark.parametrize("poses", ["walk.json", "walk.csv", "walk"])
def test_a_photo_takes_the_poses_of_a_file(material, tiny_checkpoint, tmp_path, capsys, poses, weights):
    out = tmp_path / "new" / "clip.gif"
    weights = str(tiny_checkpoint) if weights == "tiny" else weights
    words = ["animate", *photo(material), "--poses", str(material / poses), "--weights", weights]
    assert main([*words, "--out", str(out)]) == 0
    rate = 10 if poses.endswith("json") else 25
    assert capsys.readouterr().out.strip() == f"{out}: 6 frames, {rate} a second"
    frames = frames_of(out)
    assert frames.shape[1:] == (64, 32, 3)
    assert len(frames) > 1
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("motion", ["walk", "turn_around"])
def test_a_synthetic_person_takes_a_motion(tiny_checkpoint, tmp_path, capsys, motion):
    pytest.importorskip("av")
    out = tmp_path / "clip.mp4"
    words = ["animate", "--person", "3", "--motion", motion, "--frames", "5", "--fps", "12"]
    assert main([*words, "--weights", str(tiny_checkpoint), "--out", str(out), "--side-by-side"]) == 0
    assert capsys.readouterr().out.strip() == f"{out}: 5 frames, 12 a second"
    import av

    with av.open(str(out)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert np.stack(pictures).shape == (5, 64, 96, 3)


def test_poses_are_smoothed_and_fitted_unless_asked_not_to(material, tmp_path, monkeypatch):
    asked = []

    def noted(predictor, person, sequence, *_):
        asked.append(sequence)
        return iter([np.zeros((8, 8, 3), np.uint8)])

    monkeypatch.setattr("pgt.applications.animation.animate", noted)
    words = ["animate", *photo(material), "--poses", str(material / "walk.json"), "--weights", "part_warp"]
    words += ["--fps", "25"]
    for more in ([], ["--no-smooth"], ["--no-fit"], ["--no-fit", "--no-smooth", "--frames", "3"]):
        assert main([*words, *more, "--out", str(tmp_path / "clip.gif")]) == 0
    smooth, rough, unfitted, raw = asked
    walk = PoseSequence.read(material / "walk.json")
    assert smooth.image_size == rough.image_size == (64, 32)
    assert np.abs(smooth.keypoints - rough.keypoints).max() > 0.01
    assert unfitted.image_size == raw.image_size == walk.image_size
    assert np.array_equal(raw.keypoints, walk.keypoints[:3])


MISTAKES = {
    "suffix": (["--person", "1", "--motion", "walk", "--out", "a.avi"], "as .mp4 or .gif"),
    "motion": (["--person", "1", "--motion", "fly", "--out", "a.gif"], "'fly'"),
    "two people": (
        ["--person", "1", "--image", "a.png", "--motion", "walk", "--out", "a.gif"],
        "not allowed",
    ),
    "nobody": (["--motion", "walk", "--out", "a.gif"], "required"),
    "no poses": (["--person", "1", "--out", "a.gif"], "required"),
    "no file": (["--person", "1", "--poses", "no.json", "--out", "a.gif"], "no.json: No such file"),
    "another file": (["--person", "1", "--poses", "no.txt", "--out", "a.gif"], ".json or .csv"),
    "rate": (
        ["--person", "1", "--motion", "walk", "--fps", "60", "--out", "a.gif"],
        "to 50, or write .mp4; got 60",
    ),
    "frames": (["--person", "1", "--motion", "walk", "--frames", "1", "--out", "a.gif"], "at least 2"),
    "poses without a video": (
        ["--person", "1", "--poses", "a.csv", "--poses-keypoints", "b.csv", "--out", "a.gif"],
        "write --poses video:FILE",
    ),
    "video alone": (["--person", "1", "--poses", "video:a.mp4", "--out", "a.gif"], "needs --poses-keypoints"),
    "joints": (["--person", "1", "--keypoints", "k.json", "--motion", "walk", "--out", "a.gif"], "--image"),
    "photo": (["--image", "no.jpg", "--motion", "walk", "--out", "a.gif"], "not a picture"),
    "weights": (["--person", "1", "--motion", "walk", "--out", "a.gif", "--weights", "no"], "no checkpoint"),
}


@pytest.mark.parametrize(("words", "fact"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_gets_one_sentence_and_no_file(words, fact, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights = [] if "--weights" in words else ["--weights", "part_warp"]
    try:
        code = main(["animate", *words, *weights])
    except SystemExit as error:  # argparse leaves by itself
        code = error.code
    said = capsys.readouterr().err
    assert code == 2
    assert fact in said
    assert len(said.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def length_of(path: Path) -> float:
    """Measure how long a film lasts, in seconds."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return float(stream.duration * stream.time_base)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rate"), [("pose_squats", 5), ("pose_1", 30)])
def test_a_film_with_the_poses_of_a_real_video_lasts_as_long(real_data, tmp_path, capsys, name, rate):
    pytest.importorskip("av")
    video, out = real_data / "video" / f"{name}.mp4", tmp_path / "clip.mp4"
    words = ["animate", "--person", "1", "--weights", "part_warp", "--out", str(out)]
    poses = ["--poses", f"video:{video}", "--poses-keypoints", str(video.with_name(f"{name}_keypoints.csv"))]
    assert main([*words, *poses]) == 0
    assert f"frames, {rate} a second" in capsys.readouterr().out
    assert length_of(out) == pytest.approx(length_of(video), abs=0.01)


def test_which_of_several_people_was_taken_is_said(material, tmp_path, monkeypatch, capsys):
    def two_people(image: np.ndarray) -> list[DetectedPerson]:
        pose = Pose.from_json((material / "photo.json").read_text())
        boxes = (np.array([left, 0, left + 16, 64], np.float32) for left in (0, 12))
        return [DetectedPerson(box, 0.9, pose) for box in boxes]

    monkeypatch.setattr(photos.detectors, "detect_people", two_people)
    words = ["animate", "--image", str(material / "photo.png"), "--motion", "walk", "--frames", "2"]
    assert main([*words, "--weights", "part_warp", "--out", str(tmp_path / "clip.gif")]) == 0
    assert "pgt: 2 people were found in the photo; number 2 from the left" in capsys.readouterr().err


def test_a_real_photo_takes_the_poses_of_a_real_video(real_data, tmp_path):
    folder = real_data / "deepfashion_photos"
    name = next(path.name for path in sorted(folder.glob("*.jpg")))
    words = ["animate", "--image", str(folder / name), "--keypoints", str(folder / "keypoints.csv")]
    poses = str(real_data / "video" / "pose_squats_keypoints.csv")
    out = tmp_path / "clip.gif"
    words += ["--fps", "5"]  # a CSV alone does not tell
    assert main([*words, "--poses", poses, "--frames", "3", "--weights", "part_warp", "--out", str(out)]) == 0
    assert frames_of(out).std() > 1
