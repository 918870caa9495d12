"""One's own video: every frame with its own joints, held-out frames out of all training, masks."""

from itertools import product

import numpy as np
import pytest

from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.data.readers import video
from pgt.data.readers.keypoint_csv import read_keypoint_csv, write_keypoint_csv
from pgt.data.readers.video import FramePairs, HoldOut, clip_box, nearest_in_pose, read_clip, unseen_pairs
from tests.data import films

SMALL = (64, 64)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A film of 20 frames and its keypoint CSV."""
    return films.make_film(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def clip(film):
    return read_clip(*film, SMALL)


def test_frames_come_in_order_and_in_their_colours(film):
    frames = list(video.read_frames(film[0]))
    assert len(frames) == 20
    for number in (0, 7, 19):
        error = np.abs(frames[number].astype(int) - films.frame(number))
        assert error.mean() < 4  # lossy
        assert error.mean() < np.abs(frames[number].astype(int) - films.frame((number + 6) % 20)).mean() / 2


def test_pictures_and_joints_are_cut_and_resized_together(film, clip):
    box = clip_box([films.joints(k) for k in range(20)], films.SIZE, SMALL)
    scale = SMALL[0] / (box[3] - box[1])
    for number in (0, 5, 19):
        person = clip.people[number]
        assert person.image_size == SMALL
        expected = (films.joints(number)[0] + 0.5 - box[:2]) * scale - 0.5
        np.testing.assert_allclose(person.keypoints, expected, atol=1e-3)
        x, y = person.keypoints[8].round().astype(int)  # the hip lies in the figure
        assert np.abs(person.image[y, x].astype(int) - films.COLOR).max() < 40


@pytest.mark.parametrize("size", [(64, 64), (64, 32), (32, 64)])
def test_the_box_holds_all_joints_in_proportion(size):
    poses = [films.joints(k) for k in range(20)]
    x1, y1, x2, y2 = clip_box(poses, films.SIZE, size)
    points = np.concatenate([keypoints for keypoints, _ in poses])
    assert (points >= [x1, y1]).all()
    assert (points <= [x2 - 1, y2 - 1]).all()
    assert (x2 - x1) * size[0] == pytest.approx((y2 - y1) * size[1], rel=0.02)


def test_the_box_stays_inside_where_it_can_and_repeats_edges_where_not():
    low = [(films.BODY * 0.3 + [5, 85], np.ones(18, bool))]  # in the lower left corner
    left, *_, bottom = clip_box(low, films.SIZE, SMALL)
    assert (left, bottom) == (0, films.SIZE[0])
    frame = films.frame(0)
    wide = (-10, 0, 118, 96)
    person = video._cut(frame, films.joints(0), wide, (96, 128), "0")
    assert (person.image[:, :10] == frame[:, :1]).all()
    np.testing.assert_allclose(person.keypoints, films.joints(0)[0] + [10, 0])


@pytest.mark.parametrize(
    ("hold_out", "held"),
    [
        (HoldOut(), range(16, 20)),
        (HoldOut(0.5), range(10, 20)),
        (HoldOut(0.01), [19]),
        (HoldOut(0.2, every=2, block=3), [3, 4, 5, 9, 10, 11, 15, 16, 17, 18, 19]),
    ],
)
def test_the_end_is_held_out_and_every_so_many_blocks(hold_out, held):
    assert np.flatnonzero(hold_out.among(20)).tolist() == list(held)


@pytest.mark.parametrize("hold_out", [HoldOut(), HoldOut(0.3, every=2)])
def test_no_held_out_frame_is_ever_a_training_source_or_target(film, hold_out):
    clip = read_clip(*film, SMALL, hold_out)
    held = {f"{number:06d}" for number in np.flatnonzero(hold_out.among(20))}
    pairs = [FramePairs(clip.training)[i] for i in range(len(FramePairs(clip.training)))]
    names = {(pair.source.name, pair.target.name) for pair in pairs}
    kept = {person.name for person in clip.people} - held
    assert names == {(a, b) for a, b in product(kept, kept) if a != b}
    assert {pair.target.name for pair in unseen_pairs(clip)} == held
    assert not {pair.source.name for pair in unseen_pairs(clip)} & held


def test_nothing_is_learnt_from_the_pixels_of_held_out_frames(film, clip, monkeypatch):
    def spoilt(path):
        for number, frame in enumerate(real(path)):
            yield 255 - frame if number >= 16 else frame

    real = video.read_frames
    monkeypatch.setattr(video, "read_frames", spoilt)
    other = read_clip(*film, SMALL)
    for person, same in zip(clip.training, other.training, strict=True):
        np.testing.assert_array_equal(person.image, same.image)
        np.testing.assert_array_equal(person.person_mask, same.person_mask)  # the background is theirs alone
    assert not np.array_equal(clip.unseen[0].image, other.unseen[0].image)


def test_each_target_has_other_sources_from_all_over_the_training(clip):
    pairs = unseen_pairs(clip, per_target=4)
    assert len(pairs) == 4 * len(clip.unseen)
    numbers = np.array([int(pair.source.name) for pair in pairs]).reshape(-1, 4)
    assert (np.diff(numbers, axis=1) == 4).all()  # 16 training frames
    assert len(np.unique(numbers)) == 16
    assert len(unseen_pairs(clip, per_target=99)) == 16 * 4


def test_masks_find_the_figure(clip, film):
    assert clip.still
    box = clip_box([films.joints(k) for k in range(20)], films.SIZE, SMALL)
    for person in clip.people:
        number = int(person.name)
        true = Person(films.frame(number), films.as_pose(number), person_mask=films.body(number))
        cut = video._cut(np.repeat(true.person_mask[..., None], 3, -1).astype(np.uint8) * 255,
                         films.joints(number), box, SMALL, "")  # fmt: skip
        expected = cut.image[..., 0] > 127
        overlap = (person.person_mask & expected).sum() / (person.person_mask | expected).sum()
        assert overlap > 0.8, number


def test_a_moving_camera_leaves_the_masks_to_the_model(film, monkeypatch):
    films.shake(monkeypatch)
    clip = read_clip(*film, SMALL)
    assert not clip.still
    assert all(person.person_mask is None for person in clip.people)


def test_the_nearest_frame_is_the_one_in_that_pose(clip):
    for person in clip.people[::5]:
        assert nearest_in_pose(person.pose, clip.people) is person
    hidden = Person(clip.people[0].image, Pose(clip.people[0].keypoints, np.arange(18) < 2, SMALL))
    assert nearest_in_pose(clip.people[0].pose, [hidden, clip.people[1]]) is clip.people[1]


def test_frames_without_joints_are_left_out(film, tmp_path):
    rows = read_keypoint_csv(film[1])
    rows["000003.png"] = (rows["000003.png"][0], np.zeros(18, bool))
    write_keypoint_csv(tmp_path / "film.csv", rows)
    clip = read_clip(film[0], tmp_path / "film.csv", SMALL)
    assert [int(person.name) for person in clip.people] == [0, 1, 2, *range(4, 20)]
    assert clip.held_out.sum() == 4


def test_a_rotation_noted_in_the_file_is_applied(film, tmp_path):
    content = bytearray(film[0].read_bytes())
    at = content.index(b"tkhd") + 44  # the matrix of the track header
    quarter = np.array([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30], ">i4")
    content[at : at + 36] = quarter.tobytes()
    (tmp_path / "turned.mp4").write_bytes(content)
    upright, turned = (next(video.read_frames(path)) for path in (film[0], tmp_path / "turned.mp4"))
    np.testing.assert_array_equal(turned, np.rot90(upright, -1))  # as players show it: clockwise


def rows_without(film, tmp_path, change) -> str:
    rows = read_keypoint_csv(film[1])
    path = tmp_path / "other.csv"
    write_keypoint_csv(path, change(rows))
    return path


MISTAKES = {
    "fewer rows": (lambda rows: dict(list(rows.items())[:15]), "15 rows, none of them for frame 15"),
    "more rows": (lambda rows: rows | {"000020.png": films.joints(0)}, "21 rows, but .* only 20 frames"),
    "names": (lambda rows: {"a.png": films.joints(0)}, 'frame numbers such as "000000.png", not "a.png"'),
    "twice": (lambda rows: rows | {"0.png": films.joints(0)}, "two rows for frame 0"),
    "no joint": (lambda rows: {k: (p, np.zeros(18, bool)) for k, (p, _) in rows.items()}, "no visible joint"),
    "too few": (lambda rows: dict(list(rows.items())[:5]), "joints in 5 frames; learning needs at least 10"),
}


@pytest.mark.parametrize(("change", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_keypoints_that_do_not_belong_to_the_film_are_refused(film, tmp_path, change, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        read_clip(film[0], rows_without(film, tmp_path, change), SMALL)
    assert "\n" not in str(caught.value)


def test_what_is_no_video_is_refused(film, tmp_path):
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(ValueError, match=r"text\.mp4 cannot be read as a video"):
        read_clip(tmp_path / "text.mp4", film[1], SMALL)
    (tmp_path / "half.mp4").write_bytes(film[0].read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"half\.mp4 cannot be read as a video"):
        read_clip(tmp_path / "half.mp4", film[1], SMALL)
    with pytest.raises(FileNotFoundError, match=r"There is no video nowhere\.mp4"):
        read_clip("nowhere.mp4", film[1], SMALL)


@pytest.mark.parametrize("settings", [{"last": 0.0}, {"last": 1.0}, {"every": 1}, {"every": 2, "block": 0}])
def test_a_hold_out_that_makes_no_sense_is_refused(settings):
    with pytest.raises(ValueError, match="held out"):
        HoldOut(**settings)


@pytest.mark.parametrize(("name", "count"), [("pose_1", 120), ("pose_squats", 65)])
def test_real_clips_are_read_with_masks_of_a_persons_size(real_data, name, count):
    folder = real_data / "video"
    clip = read_clip(folder / f"{name}.mp4", folder / f"{name}_keypoints.csv", SMALL)
    assert len(clip.people) == count
    assert clip.still
    areas = np.array([person.person_mask.mean() for person in clip.people])
    assert 0.05 < areas.min() <= areas.max() < 0.3
    for person in clip.people:  # the torso is in the mask
        x, y = person.keypoints[[2, 5, 8, 11]][person.visible[[2, 5, 8, 11]]].mean(axis=0).round().astype(int)
        assert person.person_mask[y, x]
