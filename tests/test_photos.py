"""Photographs: what is read, what is refused and in which words, how joints arrive, how people are framed."""

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgt import photos
from pgt.data.person import Person
from pgt.data.pose import NUM_JOINTS, Pose


def points(width: int = 60, height: int = 120) -> np.ndarray:
    """Return 18 different joints inside a picture of that size, (x, y)."""
    steps = np.linspace(0.2, 0.8, NUM_JOINTS)
    return np.stack([steps * width, steps[::-1] * height], axis=1)


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "someone.png"
    ramp = np.arange(120 * 60 * 3, dtype=np.uint32).reshape(120, 60, 3) % 251
    Image.fromarray(ramp.astype(np.uint8)).save(path)
    return path


def write_json(folder: Path, pose: Pose) -> Path:
    path = folder / "joints.json"
    path.write_text(pose.to_json())
    return path


def write_csv(folder: Path, rows: dict[str, np.ndarray]) -> Path:
    lines = ["name:keypoints_y:keypoints_x"]
    lines += [
        f"{name}: {[round(y) for _, y in joints]}: {[round(x) for x, _ in joints]}"
        for name, joints in rows.items()
    ]
    path = folder / "joints.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def header_of_png(width: int, height: int) -> bytes:
    """Return a PNG that claims a size but holds no pixels: whoever decodes it has read too far."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", b"")]
    body = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


# Opening ----------------------------------------------------------------------------------------------------


def test_photo_is_read_as_rgb(photo):
    image = photos.open_photo(photo)
    assert image.shape == (120, 60, 3)
    assert image.dtype == np.uint8


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "I;16", "1"])
def test_every_pixel_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    grey = Image.new("L", (40, 30), 200)
    (Image.fromarray(np.full((30, 40), 40_000, np.uint16)) if mode == "I;16" else grey.convert(mode)).save(
        path
    )
    assert photos.open_photo(path).shape == (30, 40, 3)


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path):
    Image.fromarray(np.full((30, 40), 128 * 256, np.uint16)).save(tmp_path / "deep.png")
    assert (photos.open_photo(tmp_path / "deep.png") == 128).all()


def test_transparent_pixels_become_white(tmp_path):
    path = tmp_path / "cut_out.png"
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(path)
    assert (photos.open_photo(path) == 255).all()


def test_exif_orientation_turns_the_photo_upright(tmp_path):
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, :40] = 255  # the left half is white
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: left becomes top
    path = tmp_path / "turned.png"
    Image.fromarray(picture).save(path, exif=exif)
    image = photos.open_photo(path)
    assert image.shape == (80, 40, 3)
    assert (image[:40] == 255).all()
    assert (image[40:] == 0).all()


@pytest.mark.parametrize("size", [(10_000, 10_000), (100_000, 100_000)])
def test_huge_photo_is_refused_before_it_is_decoded(tmp_path, size):
    path = tmp_path / "huge.png"
    path.write_bytes(header_of_png(*size))
    with pytest.raises(ValueError, match=r"64 (megapixels|are read)"):
        photos.open_photo(path)


@pytest.mark.parametrize("content", [b"", b"I am no picture", b"\x89PNG\r\n\x1a\n", b"<svg/>"])
def test_other_files_are_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "file.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a picture"):
        photos.open_photo(path)


def test_truncated_photo_is_refused(tmp_path, photo):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    photo.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(ValueError, match="damaged"):
        photos.open_photo(photo)


def test_tiny_photo_is_refused(tmp_path):
    Image.new("RGB", (8, 300)).save(tmp_path / "thin.png")
    with pytest.raises(ValueError, match="8 x 300"):
        photos.open_photo(tmp_path / "thin.png")


# Joints from files ------------------------------------------------------------------------------------------


def test_joints_from_our_json(photo, tmp_path):
    pose = Pose(points(), np.ones(NUM_JOINTS, bool), (120, 60))
    person = photos.person_from_photo(photo, write_json(tmp_path, pose))
    np.testing.assert_array_equal(person.keypoints, pose.keypoints)
    assert person.name == "someone"


def test_joints_of_a_smaller_copy_are_scaled(photo, tmp_path):
    pose = Pose(points(30, 60), np.ones(NUM_JOINTS, bool), (60, 30))
    person = photos.person_from_photo(photo, write_json(tmp_path, pose))
    np.testing.assert_allclose(person.keypoints, pose.resized((120, 60)).keypoints)


def test_joints_of_a_picture_of_other_proportions_are_refused(photo, tmp_path):
    pose = Pose(points(120, 120), np.ones(NUM_JOINTS, bool), (120, 120))
    with pytest.raises(ValueError, match="120 x 120 pixels, but the photo has 60 x 120"):
        photos.person_from_photo(photo, write_json(tmp_path, pose))


def test_joints_from_openpose_json(photo, tmp_path):
    flat = np.concatenate([points(), np.ones((NUM_JOINTS, 1))], axis=1).ravel().tolist()
    path = tmp_path / "openpose.json"
    path.write_text(json.dumps({"people": [{"pose_keypoints_2d": flat}]}))
    np.testing.assert_allclose(photos.person_from_photo(photo, path).keypoints, points(), rtol=1e-6)


def test_csv_row_is_chosen_by_the_photos_name(photo, tmp_path):
    path = write_csv(tmp_path, {"other.jpg": points() / 2, "someone.jpg": points()})
    np.testing.assert_allclose(photos.person_from_photo(photo, path).keypoints, points().round())


def test_single_csv_row_needs_no_name(photo, tmp_path):
    path = write_csv(tmp_path, {"else.jpg": points()})
    np.testing.assert_allclose(photos.person_from_photo(photo, path).keypoints, points().round())


def test_csv_of_several_without_the_photo_is_refused(photo, tmp_path):
    path = write_csv(tmp_path, {"a.jpg": points(), "b.jpg": points()})
    with pytest.raises(ValueError, match=r"No row .* named 'someone\.png'; it has 2"):
        photos.person_from_photo(photo, path)


@pytest.mark.parametrize("name", ["joints.txt", "joints"])
def test_other_endings_are_refused(photo, tmp_path, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(ValueError, match=r"\.json or \.csv"):
        photos.person_from_photo(photo, tmp_path / name)


@pytest.mark.parametrize("text", ["", "{}", "[1, 2]", '{"keypoints": [[1, 2, 1]]}', "[" * 100_000, "\udcff"])
def test_json_that_is_no_pose_is_refused_in_one_sentence(photo, tmp_path, text):
    path = tmp_path / "joints.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r".") as caught:
        photos.person_from_photo(photo, path)
    assert "\n" not in str(caught.value)


def test_photo_without_a_visible_joint_is_refused(photo, tmp_path):
    pose = Pose(points(), np.zeros(NUM_JOINTS, bool), (120, 60))
    with pytest.raises(ValueError, match="missing"):
        photos.person_from_photo(photo, write_json(tmp_path, pose))


def test_joints_outside_the_photo_are_refused(photo, tmp_path):
    path = write_csv(tmp_path, {"someone.jpg": points() + 500})
    with pytest.raises(ValueError, match="outside"):
        photos.person_from_photo(photo, path)


def test_large_photo_is_reduced_with_its_joints(tmp_path):
    Image.new("RGB", (2000, 4000)).save(tmp_path / "large.jpg")
    pose = Pose(points(2000, 4000), np.ones(NUM_JOINTS, bool), (4000, 2000))
    person = photos.person_from_photo(tmp_path / "large.jpg", pose)
    assert person.image.shape[:2] == (1600, 800)
    np.testing.assert_allclose(person.keypoints, pose.resized((1600, 800)).keypoints)


# Framing ----------------------------------------------------------------------------------------------------


def person_in(size: tuple[int, int], box: tuple[float, float, float, float]) -> Person:
    left, top, right, bottom = box
    inside = points(1, 1) * [right - left, bottom - top] + [left, top]
    rows = np.broadcast_to(np.arange(size[0])[:, None, None] % 256, (*size, 3)).astype(np.uint8)
    return Person(rows.copy(), Pose(inside, np.ones(NUM_JOINTS, bool), size))


def test_person_who_fills_the_photo_is_left_alone():
    person = person_in((256, 256), (60, 10, 180, 250))
    assert photos.frame_person(person, (128, 128)) is person


@pytest.mark.parametrize("box", [(900, 100, 1000, 400), (0, 0, 90, 200), (1100, 500, 1200, 800)])
def test_small_person_is_cut_out_in_the_models_proportions(box):
    framed = photos.frame_person(person_in((800, 1200), box), (128, 64))
    height, width = framed.image.shape[:2]
    assert width / height == pytest.approx(0.5, abs=0.02)
    assert height < 800 / 2
    inside = (framed.keypoints >= 0) & (framed.keypoints < [width, height])
    assert inside.all()


def test_joints_move_with_the_cut():
    person = person_in((800, 1200), (900, 100, 1000, 400))
    framed = photos.frame_person(person, (128, 128))
    x, y = framed.keypoints[0].round().astype(int)
    old_x, old_y = person.keypoints[0].round().astype(int)
    np.testing.assert_array_equal(framed.image[y, x], person.image[old_y, old_x])


# Real photographs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["deepfashion_pair", "market_photos", "deepfashion_photos"])
def test_real_photos_become_people(real_data, folder):
    keypoints = real_data / folder / "keypoints.csv"
    for path in sorted((real_data / folder).glob("*.jpg")):
        person = photos.person_from_photo(path, keypoints)
        assert person.visible.any()
        assert photos.frame_person(person, (128, 128)).visible.sum() == person.visible.sum()
