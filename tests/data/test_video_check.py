"""What `pgt data check video` finds in a little film and its CSV."""

import numpy as np
import pytest

from pgt.__main__ import main
from pgt.data.readers.keypoint_csv import read_keypoint_csv, write_keypoint_csv
from pgt.data.readers.video_check import check_video
from tests.data import films


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A film of 20 frames and its keypoint CSV."""
    return films.make_film(tmp_path_factory.mktemp("film"))


def changed(film, folder, change):
    """Write the CSV with other rows."""
    write_keypoint_csv(folder / "other.csv", change(read_keypoint_csv(film[1])))
    return folder / "other.csv"


def moved(rows, factor: float = 1.0, by: tuple[int, int] = (0, 0), only: str = ""):
    return {
        name: (points * factor + by, seen) if not only or name == only else (points, seen)
        for name, (points, seen) in rows.items()
    }


def test_a_good_film_is_counted_without_notes_and_drawn(film, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert main(["data", "check", "video", str(film[0]), "--keypoints", str(film[1]), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "video: 20 frames, 20 rows, 20 rows with joints\n" in text
    assert "frames 96 high and 128 wide, 25 a second, the camera stands still" in text
    assert "joints missing: nose 0.0 %" in text
    assert "note" not in text
    assert out.exists()
    shown = check_video(*film, show=4).shown
    assert [person.name for person in shown] == ["000000", "000005", "000010", "000015"]
    assert np.array_equal(shown[1].keypoints, films.joints(5)[0])


def test_a_moving_camera_is_said(film, monkeypatch):
    films.shake(monkeypatch)
    report = check_video(*film)
    assert any("the camera moves" in fact for fact in report.facts)
    assert report.faults == ()


def test_rows_without_joints_and_joints_outside_are_noted(film, tmp_path):
    def change(rows):
        rows["000003.png"] = (rows["000003.png"][0], np.zeros(18, bool))
        return moved(rows, by=(60, 0), only="000006.png")

    report = check_video(film[0], changed(film, tmp_path, change))
    assert report.faults == ()
    assert report.notes == (
        "1 rows have no joint, and their frames are left out: 3.",
        "In 1 frames a joint lies outside the picture: 6.",
    )
    assert report.missing == pytest.approx([1 / 20] * 18)


FAULTS = {
    "fewer rows": (lambda rows: dict(list(rows.items())[:15]), "5 frames have no row: 15, 16, 17, ..."),
    "more rows": (
        lambda rows: rows | {"000020.png": films.joints(0)},
        "1 rows have no frame, for the video has only 20: 20.",
    ),
    "another size": (lambda rows: moved(rows, 3), "% of the joints lie outside the frames, as if those were"),
    "nobody": (
        lambda rows: {name: (points, np.zeros(18, bool)) for name, (points, _) in rows.items()},
        "has no visible joint in any frame",
    ),
    "too few": (
        lambda rows: {name: (points, seen & (name < "000005")) for name, (points, seen) in rows.items()},
        "learning needs at least 10",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), FAULTS.values(), ids=FAULTS)
def test_what_a_training_would_stop_at_is_one_fault(film, tmp_path, capsys, change, sentence):
    path = changed(film, tmp_path, change)
    assert main(["data", "check", "video", str(film[0]), "--keypoints", str(path)]) == 1
    text = capsys.readouterr().out
    assert text.count("fault: ") == 1
    assert sentence in text


def test_broken_files_get_one_sentence(film, tmp_path, capsys):
    half = tmp_path / "half.mp4"
    half.write_bytes(film[0].read_bytes()[:2000])
    for path, keypoints, sentence in (
        (half, film[1], "half.mp4 cannot be read as a video"),
        (film[0], tmp_path / "none.csv", "none.csv: No such file"),
        ("nowhere.mp4", film[1], "There is no video nowhere.mp4"),
        (film[0], film[0], "film.mp4 is not text"),
    ):
        assert main(["data", "check", "video", str(path), "--keypoints", str(keypoints)]) == 2
        error = capsys.readouterr().err
        assert sentence in error
        assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["video"], "video needs a file"),
        (["video", "a.mp4"], "video needs --keypoints"),
        (["video", "a.mp4", "--keypoints", "a.csv", "--read", "3"], "takes neither --split nor --read"),
        (["folder", ".", "--keypoints", "a.csv"], "--keypoints belongs to a video"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(capsys, arguments, sentence):
    assert main(["data", "check", *arguments]) == 2
    assert sentence in capsys.readouterr().err
