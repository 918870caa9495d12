"""`pgt data check` on real photographs and videos, and on broken copies of them."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgt.__main__ import main
from pgt.data.readers.keypoint_csv import read_keypoint_csv, write_keypoint_csv

READERS = {  # folder or file -> the reader that fits it
    "deepfashion_pair": "folder",
    "deepfashion_photos": "folder",
    "market_photos": "folder",
    "coco": "coco",
    "video/pose_1.mp4": "video",
    "video/pose_squats.mp4": "video",
}
LISTS = {"deepfashion_pair": "keypoints.csv", "coco": "test_coco.json"}


def check(name: str, folder: Path, *more: str) -> int:
    joints = ["--keypoints", str(csv_of(folder))] if name == "video" else []
    return main(["data", "check", name, str(folder), *joints, *more])


def csv_of(film: Path) -> Path:
    return film.with_name(f"{film.stem}_keypoints.csv")


@pytest.mark.parametrize("folder", READERS)
def test_real_photographs_have_no_fault(real_data, folder, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert check(READERS[folder], real_data / folder, "--out", str(out)) == 0
    text = capsys.readouterr().out
    assert "fault" not in text
    assert (" frames, " if READERS[folder] == "video" else " people, ") in text
    assert "the camera stands still" in text or READERS[folder] != "video"
    sheet = np.asarray(Image.open(out))
    assert sheet.shape[0] > 150
    assert sheet.std() > 10  # there is something on it


def test_real_lists_of_joints_need_their_pictures(real_data, tmp_path, capsys):
    for name, part in (
        ("market-annotation-train.csv", "bounding_box_train"),
        ("market-annotation-train.csv", ""),
    ):
        root = tmp_path / (part or "none")
        (root / part).mkdir(parents=True)
        shutil.copy(real_data / "annotations" / name, root)
        assert check("market1501", root) == 2
        assert "is not the folder of Market-1501" in capsys.readouterr().err


def cut_picture(folder: Path) -> None:
    path = sorted(folder.glob("*.jpg"))[0]
    path.write_bytes(path.read_bytes()[:900])


def empty_picture(folder: Path) -> None:
    sorted(folder.glob("*.jpg"))[0].write_bytes(b"")


def pipe(folder: Path) -> None:
    path = sorted(folder.glob("*.jpg"))[0]
    path.unlink()
    os.mkfifo(path)


def cut_list(folder: Path) -> None:
    path = folder / LISTS[folder.name]
    path.write_bytes(path.read_bytes()[:-40])


def other_bytes(folder: Path) -> None:
    path = folder / LISTS[folder.name]
    path.write_bytes(path.read_bytes()[:100] + b"\xff\xfe" + path.read_bytes()[100:])


def far_joint(folder: Path) -> None:
    path = folder / LISTS[folder.name]
    if path.suffix == ".csv":
        header, row, *rest = path.read_text().splitlines()
        path.write_text("\n".join([header, row.replace("[", "[1e300, ", 1), *rest]))
        return
    content = json.loads(path.read_text())
    content["annotations"][0]["keypoints"][:3] = [float("nan"), 1e300, 2]
    path.write_text(json.dumps(content))


def way_out(folder: Path) -> None:
    path = folder / LISTS[folder.name]
    if path.suffix == ".csv":
        path.write_text(path.read_text().replace("2_A.jpg", "../2_A.jpg"))
        return
    content = json.loads(path.read_text())
    for image in content["images"]:
        image["file_name"] = f"../../{image['file_name']}.secret"
    path.write_text(json.dumps(content))


BREAKS: dict[Callable[[Path], None], int] = {
    cut_picture: 1, empty_picture: 1, pipe: 0,  # a picture that is gone is no fault, but noted
    cut_list: 2, other_bytes: 2, far_joint: 2, way_out: 2,
}  # fmt: skip


@pytest.mark.parametrize("folder", LISTS)
@pytest.mark.parametrize("spoil", BREAKS, ids=lambda spoil: spoil.__name__)
def test_broken_copies_get_a_sentence(real_data, folder, spoil, tmp_path, capsys):
    copy = tmp_path / folder
    shutil.copytree(real_data / folder, copy)
    spoil(copy)
    assert check(READERS[folder], copy) == BREAKS[spoil]
    told = capsys.readouterr()
    if BREAKS[spoil] == 2:
        assert len(told.err.splitlines()) == 1
        assert told.err.startswith(f"pgt: {copy}") or str(copy) in told.err
    else:
        assert told.out.count("fault: ") == (1 if BREAKS[spoil] else 0)
        assert BREAKS[spoil] or "note: " in told.out


def cut_film(film: Path) -> None:
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])


def no_csv(film: Path) -> None:
    csv_of(film).unlink()


def csv_of_another_size(film: Path) -> None:
    people = read_keypoint_csv(csv_of(film))
    write_keypoint_csv(csv_of(film), {name: (3 * points, seen) for name, (points, seen) in people.items()})


def fewer_rows(film: Path) -> None:
    csv_of(film).write_text("".join(csv_of(film).read_text().splitlines(keepends=True)[:30]))


@pytest.mark.parametrize("spoil", [cut_film, no_csv, csv_of_another_size, fewer_rows])
def test_broken_copies_of_a_video_get_a_sentence(real_data, spoil, tmp_path, capsys):
    for name in ("pose_squats.mp4", "pose_squats_keypoints.csv"):
        shutil.copy(real_data / "video" / name, tmp_path)
    spoil(tmp_path / "pose_squats.mp4")
    code, told = check("video", tmp_path / "pose_squats.mp4"), capsys.readouterr()
    assert (code, len(told.err.splitlines()), told.out.count("fault: ")) in ((2, 1, 0), (1, 0, 1))
