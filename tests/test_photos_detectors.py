"""People in photographs: real networks on random weights, recorded detections, and who the main person is."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pgt import photos
from pgt.data.pose import Pose, coco17_to_openpose18
from pgt.photos import DetectedPerson, Finders, detectors, main_person
from pgt.photos.detectors import MIN_PERSON, mask_of, weight

SIZE = (120, 160)  # of a photo


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "someone.png"
    noise = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
    Image.fromarray(noise).save(path)
    return path


def person(left: float, top: float, right: float, bottom: float, score: float = 0.9) -> DetectedPerson:
    """Return somebody whose 18 joints fill the box diagonally."""
    steps = np.linspace(0.1, 0.9, 18)[:, None]
    keypoints = np.array([left, top]) + steps * [right - left, bottom - top]
    box = np.array([left, top, right, bottom], np.float32)
    return DetectedPerson(box, score, Pose(keypoints, np.ones(18, bool), SIZE))


def raw(people: int = 3) -> dict[str, torch.Tensor]:
    """Return what keypoint R-CNN gives for a small sure person, a large sure one and a huge doubtful one."""
    scores = torch.full((3, 17), 9.0)
    scores[1, 5] = -3.0  # the left shoulder is not seen
    found = {
        "boxes": torch.tensor([[0.0, 0, 10, 20], [50, 10, 110, 110], [0, 0, 160, 120]]),
        "scores": torch.tensor([0.99, 0.95, 0.3]),
        "keypoints": torch.rand(3, 17, 3, generator=torch.Generator().manual_seed(0)) * 50,
        "keypoints_scores": scores,
    }
    return {name: value[-people:] for name, value in found.items()}


# The main person --------------------------------------------------------------------------------------------


def test_of_equals_the_larger_the_more_central_and_the_surer_is_taken():
    base = person(20, 20, 60, 100)
    for better in (person(20, 10, 65, 110), person(60, 20, 100, 100), person(20, 20, 60, 100, score=0.95)):
        assert main_person([base, better], SIZE) is better
        assert main_person([better, base], SIZE) is better


def test_somebody_who_fills_the_photo_weighs_what_the_detector_is_sure_of():
    assert weight(person(0, 0, 160, 120, score=0.8), SIZE) == pytest.approx(0.8)
    corner = DetectedPerson(np.array([160.0, 120.0, 160.0, 120.0]), 1.0)
    assert weight(corner, SIZE) == 0


def test_a_large_person_at_the_side_beats_a_small_one_in_the_middle():
    large = person(0, 0, 60, 120)
    assert main_person([person(75, 40, 90, 75), large], SIZE) is large


def test_which_one_was_taken_is_told_if_there_were_several():
    said = []
    people = [person(100, 10, 150, 110), person(60, 10, 110, 110), person(0, 10, 50, 110)]
    assert main_person(people, SIZE, tell=said.append) is people[1]
    assert said == [
        "3 people were found in the photo; number 2 from the left was taken, "
        "the largest, most central and surest one."
    ]
    main_person(people[:1], SIZE, tell=said.append)
    assert len(said) == 1


def test_another_one_can_be_asked_for_by_number_from_the_left():
    speck = person(0, 0, 2, 4)  # background: does not count
    people = [person(100, 10, 150, 110), person(60, 10, 110, 110), speck]
    assert main_person(people, SIZE, number=1) is people[1]
    assert main_person(people, SIZE, number=2) is people[0]
    with pytest.raises(ValueError, match="no person 3 in the photo: 2 can be made out"):
        main_person(people, SIZE, number=3)


def test_nobody_and_somebody_tiny_are_refused():
    with pytest.raises(ValueError, match="No person was found"):
        main_person([], SIZE)
    with pytest.raises(ValueError, match=f"only 20 pixels high; at least {MIN_PERSON}"):
        main_person([person(70, 50, 80, 70)], SIZE)


# Keypoint R-CNN ---------------------------------------------------------------------------------------------


def test_detected_joints_are_those_of_the_main_person(photo, monkeypatch):
    found = raw()
    monkeypatch.setattr(detectors, "load_keypoint_rcnn", lambda: lambda images: [found])
    found_person = photos.person_from_photo(photo)
    left_elbow = 6  # COCO's 7
    np.testing.assert_allclose(found_person.keypoints[left_elbow], found["keypoints"][1, 7, :2])
    assert not found_person.visible[5]  # the left shoulder
    assert not found_person.visible[1]  # so the neck between the shoulders is unknown too
    np.testing.assert_array_equal(
        photos.detect_pose(photos.open_photo(photo)).keypoints, found_person.keypoints
    )


def test_photo_of_nobody_is_refused(photo, monkeypatch):
    monkeypatch.setattr(detectors, "load_keypoint_rcnn", lambda: lambda images: [raw(1)])
    with pytest.raises(ValueError, match="No person was found"):
        photos.person_from_photo(photo)


@pytest.fixture
def random_rcnn(monkeypatch):
    """Give torchvision's builders without weights, small and sure of everything."""
    detection = pytest.importorskip("torchvision.models.detection")
    monkeypatch.setattr(detectors, "PERSON_SCORE", 0.0)
    built = {}
    for name in ("keypointrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn"):
        original = getattr(detection, name)

        def build(original=original, name=name, **settings):
            built[name] = settings
            small = {"min_size": 96, "max_size": 128, "box_score_thresh": 0.0, "box_detections_per_img": 4}
            with torch.random.fork_rng():
                torch.manual_seed(0)
                return original(**(settings | small | {"weights": None}))

        monkeypatch.setattr(detection, name, build)
    for load in (detectors.load_keypoint_rcnn, detectors.load_mask_rcnn):
        load.cache_clear()
    yield built
    for load in (detectors.load_keypoint_rcnn, detectors.load_mask_rcnn):
        load.cache_clear()


def test_real_keypoint_rcnn_without_trained_weights_gives_people_in_the_photos_frame(random_rcnn, photo):
    people = photos.detect_people(photos.open_photo(photo))
    assert len(people) == 4
    for one in people:
        assert one.pose.image_size == SIZE
        x1, y1, x2, y2 = one.box
        assert 0 <= x1 <= x2 <= SIZE[1]
        assert 0 <= y1 <= y2 <= SIZE[0]
        assert 0 <= one.score <= 1
    assert random_rcnn["keypointrcnn_resnet50_fpn"]["weights"] == "DEFAULT"


def test_real_mask_rcnn_without_trained_weights_gives_masks_of_people_alone(random_rcnn, photo, monkeypatch):
    image = photos.open_photo(photo)
    classes = detectors._run(detectors.load_mask_rcnn(), image)["labels"]
    monkeypatch.setattr(detectors, "COCO_PERSON", int(classes[0]))
    people = photos.segment_people(image)
    assert len(people) == (classes == classes[0]).sum()
    assert all(one.mask.shape == SIZE and one.mask.dtype == bool for one in people)


@pytest.mark.parametrize(
    ("load", "builder", "advice"),
    [
        ("load_keypoint_rcnn", "keypointrcnn_resnet50_fpn", "give the joints"),
        ("load_mask_rcnn", "maskrcnn_resnet50_fpn", "give the mask"),
    ],
)
def test_missing_weights_give_one_sentence(monkeypatch, load, builder, advice):
    detection = pytest.importorskip("torchvision.models.detection")

    def no_network(**_settings):
        raise OSError("<urlopen error [Errno -3] Temporary failure in name resolution>")

    monkeypatch.setattr(detection, builder, no_network)
    getattr(detectors, load).cache_clear()
    with pytest.raises(photos.DetectorUnavailableError, match=f"could not be downloaded; {advice}"):
        getattr(detectors, load)()


def test_missing_torchvision_gives_one_sentence(photo, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torchvision.models", None)
    detectors.load_keypoint_rcnn.cache_clear()
    with pytest.raises(photos.DetectorUnavailableError, match="needs torchvision"):
        photos.person_from_photo(photo)


# Masks and labels -------------------------------------------------------------------------------------------


def masked(left: int, right: int) -> DetectedPerson:
    mask = np.zeros(SIZE, bool)
    mask[:, left:right] = True
    return DetectedPerson(np.array([left, 0, right, SIZE[0]], np.float32), 0.9, mask=mask)


def test_the_mask_is_the_one_that_holds_the_joints():
    pose = person(60, 10, 100, 110).pose
    people = [masked(0, 40), masked(55, 105), masked(110, 160)]
    np.testing.assert_array_equal(mask_of(pose, people), people[1].mask)
    assert mask_of(pose, [people[0], people[2]]) is None
    assert mask_of(pose, []) is None


def test_mask_and_labels_are_looked_for_where_asked(photo):
    seen = []

    def parser(image):
        seen.append(image.shape)
        return np.full(image.shape[:2], 3, np.uint8)

    finders = Finders(people=lambda _: [person(60, 10, 100, 110)], segmenter=lambda _: [masked(70, 90)])
    finders = Finders(finders.people, finders.segmenter, parser)
    found = photos.person_from_photo(photo, finders=finders)
    assert found.person_mask[:, 70:90].all()
    assert found.person_mask.sum() == 20 * SIZE[0]
    assert found.label_map.any()
    assert not found.label_map[~found.person_mask].any()
    assert seen[0][1] < SIZE[1]  # the parser saw the person, not the whole photo


def test_given_masks_are_read(photo, tmp_path):
    mask = np.zeros(SIZE, bool)
    mask[:50] = True
    np.save(tmp_path / "mask.npy", mask)
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "mask.png")
    for name in ("mask.npy", "mask.png"):
        found = photos.person_from_photo(photo, person(60, 10, 100, 110).pose, person_mask=tmp_path / name)
        np.testing.assert_array_equal(found.person_mask, mask)


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [(np.ones((5, 5)), "5x5 but the photo is 120x160"), (np.zeros(SIZE), "shows nobody")],
)
def test_unusable_masks_are_refused(photo, tmp_path, mask, sentence):
    np.save(tmp_path / "mask.npy", mask)
    with pytest.raises(ValueError, match=sentence):
        photos.person_from_photo(photo, person(60, 10, 100, 110).pose, person_mask=tmp_path / "mask.npy")


def test_a_parser_that_sees_nobody_is_not_believed(photo):
    finders = Finders(parser=lambda image: np.zeros(image.shape[:2], np.uint8))
    with pytest.raises(ValueError, match="The parser found nobody"):
        photos.person_from_photo(photo, person(60, 10, 100, 110).pose, finders=finders)


# Recorded detections ----------------------------------------------------------------------------------------


def annotated(folder: Path) -> dict[str, list[DetectedPerson]]:
    """Return the people of COCO's annotations by file name, as if a detector had found them."""
    content = json.loads((folder / "test_coco.json").read_text())
    names = {entry["id"]: entry for entry in content["images"]}
    people = {}
    for entry in content["annotations"]:
        image = names[entry["image_id"]]
        points = np.array(entry["keypoints"], float).reshape(17, 3)
        left, top, width, height = entry["bbox"]
        pose = Pose(*coco17_to_openpose18(points[:, :2], points[:, 2]), (image["height"], image["width"]))
        box = np.array([left, top, left + width, top + height])
        people.setdefault(image["file_name"], []).append(DetectedPerson(box, 0.9, pose))
    return people


def test_recorded_detections_in_coco_become_people(real_data):
    for name, people in annotated(real_data / "coco").items():
        said = []
        finders = Finders(people=lambda _, people=people: people, tell=said.append)
        found = photos.person_from_photo(real_data / "coco" / name, finders=finders)
        assert found.visible.any()
        largest = max(float(np.prod(one.box[2:] - one.box[:2])) for one in people)
        taken = next(one for one in people if np.array_equal(one.pose.keypoints, found.keypoints))
        assert np.prod(taken.box[2:] - taken.box[:2]) > 0.3 * largest
        assert len(said) <= 1
