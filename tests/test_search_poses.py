"""The search on real poses: what is measured of aligned bodies, and that real people align plausibly."""

import numpy as np
import pytest

from benchmarks.search_poses import alignment, anybody, dressed, equation_1, measure, to_markdown
from pgt.data.parsing import LABELS
from pgt.data.part_descriptors import LabelledPeople, describe
from pgt.data.pose import JOINTS
from pgt.data.pseudo_labels import NOBODY, PseudoLabelSearch, SearchOptions
from pgt.data.readers.keypoint_csv import read_keypoint_csv, write_keypoint_csv

SIZE = (128, 64)
# Somebody who faces the camera; the torso is 30 pixels long.
STANDING = np.array(
    [
        (32, 20), (32, 30), (24, 31), (20, 45), (19, 58), (40, 31), (44, 45), (45, 58), (26, 61), (26, 85),
        (26, 108), (38, 61), (38, 85), (38, 108), (30, 18), (34, 18), (28, 19), (36, 19),
    ],
    np.float32,
)  # fmt: skip


def joint(name: str) -> int:
    return JOINTS.index(name)


def aligned(*others: np.ndarray) -> dict[str, np.ndarray]:
    """Measure how others' joints come to lie on those of the one who stands."""
    keypoints = np.stack([STANDING, *others])
    people = dressed(keypoints, np.ones(keypoints.shape[:2], bool), SIZE)
    targets = np.arange(1, len(keypoints))
    return alignment(people, describe(people), np.zeros_like(targets), targets)


def changed(name: str, by: tuple[float, float]) -> np.ndarray:
    other = STANDING.copy()
    other[joint(name)] += by
    return other


def test_moving_and_enlarging_a_body_aligns_it_to_the_last_joint():
    found = aligned(STANDING + 3, 0.7 * STANDING)
    for name in ("corners", "neck", "face", "mirrored", "stretched"):
        np.testing.assert_allclose(found[name], 0, atol=1e-5)


def test_a_neck_3_pixels_aside_is_a_tenth_of_a_torso_off_and_nothing_else_is():
    found = aligned(changed("neck", (3, 0)))
    length = np.hypot(2, 30)  # of the torso: the root mean square of two equal sides
    assert found["neck"] == pytest.approx(3 / length, rel=1e-4)
    assert found["corners"] == pytest.approx(0, abs=1e-5)
    assert found["face"] == pytest.approx(0, abs=1e-5)


def test_a_hip_out_of_place_leaves_all_four_corners_off():
    """An affine map has six numbers and four corners eight: least squares spreads what is left."""
    assert aligned(changed("left_hip", (4, 0)))["corners"] > 0.01


def test_whoever_turns_round_is_turned_over():
    mirrored = STANDING * [-1, 1] + [SIZE[1] - 1, 0]
    assert aligned(mirrored.astype(np.float32))["mirrored"].tolist() == [1]


def test_one_foreshortened_limb_is_an_eighth():
    found = aligned(changed("left_wrist", (-0.6, -7.8)))  # the forearm at 0.4 of its length
    assert found["stretched"] == pytest.approx(1 / 8)


def test_what_cannot_be_seen_is_not_measured():
    visible = np.ones((2, 18), bool)
    visible[1, [joint("neck"), joint("nose"), *range(14, 18)]] = False
    people = dressed(np.stack([STANDING] * 2), visible, SIZE)
    found = alignment(people, describe(people), np.array([0]), np.array([1]))
    assert np.isnan(found["neck"]).all()
    assert np.isnan(found["face"]).all()
    assert found["corners"] == pytest.approx(0, abs=1e-5)


def test_the_outfit_follows_the_pose_and_a_head_from_behind_is_hair():
    visible = np.ones((2, 18), bool)
    visible[1, [joint("nose"), joint("right_eye"), joint("left_eye")]] = False
    people = dressed(np.stack([STANDING] * 2), visible, SIZE)
    for name, label in (("left_wrist", "left_arm"), ("right_ankle", "right_leg"), ("left_knee", "left_leg")):
        x, y = STANDING[joint(name)].astype(int)
        assert LABELS[people.label_maps[0, y, x]] == label
    x, y = STANDING[joint("right_ear")].astype(int)
    assert [LABELS[one[y, x]] for one in people.label_maps] == ["face", "hair"]


def test_equation_1_is_the_searchs_own():
    keypoints = np.stack([STANDING, changed("left_wrist", (12, -20)), changed("right_wrist", (-10, -20))])
    people = dressed(keypoints, np.ones((3, 18), bool), SIZE)
    search = PseudoLabelSearch(people, SearchOptions(num_candidates=None, min_pose_difference=0))
    found = search.find([0, 1, 2])
    np.testing.assert_allclose(equation_1(search, np.arange(3), found.target), found.distance, rtol=1e-6)


def test_anybody_may_be_a_pseudo_label():
    rng = np.random.default_rng(0)
    keypoints = (STANDING + rng.normal(0, 6, (40, 18, 2))).astype(np.float32)
    visible = rng.random((40, 18)) < 0.8
    visible[0] = False
    people = LabelledPeople(keypoints, visible, dressed(keypoints, visible, SIZE).label_maps)
    search = PseudoLabelSearch(people, SearchOptions(num_candidates=None))
    best, some = search.find(range(40)).target, anybody(search, np.arange(40))
    assert ((best == NOBODY) == (some == NOBODY)).all()
    assert some[0] == NOBODY
    assert (some != np.arange(40)).all()
    assert (some != best)[1:].any()


FILES = {"fasion-annotation-test_new_split.csv": (256, 256), "market-annotation-train.csv": (128, 64)}


@pytest.mark.parametrize(("name", "size"), FILES.items(), ids=["deepfashion", "market"])
def test_real_people_are_found_and_come_to_lie_on_each_other(real_data, tmp_path, name, size):
    joints = read_keypoint_csv(real_data / "annotations" / name)
    chosen = dict(list(joints.items())[:: len(joints) // 400])
    write_keypoint_csv(tmp_path / "some.csv", chosen)
    result = measure(tmp_path / "some.csv", size, 60)
    assert result["people"] == sum(seen.any() for _, seen in chosen.values())
    assert result["found"] > 0.85
    assert min(result["valid"]["torso"], result["valid"]["head"]) > 0.8
    best, some = result["pairs"]["pseudo-label"], result["pairs"]["anybody"]
    assert np.median(best["equation 1"]) < 0.7 * np.median(some["equation 1"])
    assert np.nanmedian(best["corners"]) < 0.06  # of a torso's length
    assert np.nanmedian(best["neck"]) < 0.06
    assert np.nanmedian(best["face"]) < 0.25
    assert np.nanmean(best["stretched"]) < 0.1
    assert "| neck off: median, 95 % |" in to_markdown(result)
