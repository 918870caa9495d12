"""Market-1501 and DeepFashion In-shop, in their official layouts."""

import numpy as np
import pytest

from pgt.data.readers.check import check_people, shared_identities
from pgt.data.readers.deepfashion import NARROW, ItemName, deepfashion
from pgt.data.readers.keypoint_csv import read_keypoint_csv, write_keypoint_csv, write_pairs_csv
from pgt.data.readers.market1501 import identity, market1501
from pgt.data.readers.people import WrongSizeError
from tests.data import layouts


def test_market_pairs_one_identity_and_never_junk_distractors_or_people_without_hips(tmp_path):
    root = layouts.market1501(tmp_path)
    train, test = market1501(root, "train"), market1501(root, "test")
    assert [train.pair(i) for i in range(len(train))] == [(0, 1), (1, 0)]
    names = [[test.names[number] for number in test.pair(i)] for i in range(len(test))]
    assert sorted(map(sorted, names)) == 2 * [["0001_c1s1_001051_03.jpg", "0001_c2s1_000301_01.jpg"]]
    assert shared_identities({"train": train, "test": test}) == []
    assert [identity(name) for name in ("-1_a.jpg", "0000_a.jpg", "0002_a.jpg")] == [None, None, "0002"]
    pair = train[0]
    assert pair.source.image_size == (128, 64)
    assert np.array_equal(pair.source.keypoints, layouts.joints((128, 64), 0)[0])


def test_market_takes_the_listed_pairs_where_there_is_a_list(tmp_path):
    root = layouts.market1501(tmp_path)
    first, second, third = layouts.MARKET["bounding_box_train"]
    write_pairs_csv(root / "market-pairs-train.csv", [(second, first), (first, third), (first, "9.jpg")])
    people = market1501(root)
    assert [people.pair(i) for i in range(len(people))] == [(1, 0), (0, 2)]
    assert any("1 pairs of market-pairs-train.csv" in note for note in people.notes)


def test_market_says_what_is_missing_and_who_has_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such folder.*published by Liang Zheng"):
        market1501(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="no folder bounding_box_train"):
        market1501(tmp_path)
    root = layouts.market1501(tmp_path)
    (root / "market-annotation-train.csv").rename(root / "kept.csv")
    with pytest.raises(FileNotFoundError, match=r"no market-annotation-train\.csv.*Deformable GANs"):
        market1501(root)


def test_what_cannot_be_used_is_found(tmp_path):
    root = layouts.market1501(tmp_path)
    first, second, _ = layouts.MARKET["bounding_box_train"]
    (root / "bounding_box_train" / first).write_bytes(b"no picture")
    layouts.picture(root / "bounding_box_train" / second, (64, 64))
    layouts.picture(root / "bounding_box_train" / "odd.jpg", (128, 64))
    people = market1501(root)
    report = check_people(people, "train", show=4)
    assert report.counts == {"pictures": 3, "people": 3, "identities": 1, "pairs": 2, "read": 3}
    assert "pictures that cannot be used: 1" in report.faults[0]
    assert "pictures that are of a wrong size: 1" in report.faults[1]
    assert any("1 people have no joint at all: 0007" in note for note in report.notes)
    assert any("odd.jpg" in note for note in people.notes)
    assert report.missing == pytest.approx([1 / 3] * 18)
    with pytest.raises(WrongSizeError, match="64x64; 128x64 is needed"):
        people.person(second)


def test_splits_with_a_person_in_common_are_noticed(tmp_path):
    root = layouts.market1501(tmp_path)
    name = layouts.MARKET["bounding_box_train"][0]
    layouts.picture(root / "bounding_box_test" / name, (128, 64))
    rows = read_keypoint_csv(root / "market-annotation-test.csv") | {name: layouts.joints((128, 64))}
    write_keypoint_csv(root / "market-annotation-test.csv", rows)
    splits = {split: market1501(root, split) for split in ("train", "test")}
    assert shared_identities(splits) == ["1 identities are in both train and test: 0002."]


@pytest.mark.parametrize("name", layouts.ITEMS)
def test_all_spellings_of_a_name_of_deepfashion_are_one(name):
    spellings = [name, f"img/{name}", layouts.flat(name), layouts.flat(name, "fasion", keep=False)]
    assert len({ItemName.read(spelling) for spelling in spellings}) == 1
    who, category, item, view = name.split("/")
    assert ItemName.read(name).person == f"{who}{category.replace('_', '')}{item.replace('_', '')}{view[:2]}"


def test_a_person_of_deepfashion_is_one_item_in_one_colour(tmp_path):
    root = layouts.in_shop(tmp_path)
    train, test = deepfashion(root, "train"), deepfashion(root, "test")
    assert [train.names[n] for n in train.pair(0)] == [
        "fasionWOMENBlousesShirtsid0000000102_1front.jpg",
        "fasionWOMENBlousesShirtsid0000000102_4full.jpg",
    ]
    assert (len(train), len(test), len(train.names)) == (2, 2, 3)
    assert shared_identities({"train": train, "test": test}) == []
    assert train[0].source.image_size == (256, 256)
    assert test[0].source.image.mean() == pytest.approx(60, abs=1)  # the fourth picture, not another


def test_the_owners_split_overrules_a_list_that_holds_more(tmp_path):
    root = layouts.in_shop(tmp_path)
    rows = read_keypoint_csv(root / "fasion-annotation-train.csv")
    rows |= read_keypoint_csv(root / "fasion-annotation-test.csv")
    write_keypoint_csv(root / "fasion-annotation-train.csv", rows)
    assert len(deepfashion(root, "train").names) == 3
    (root / "train.lst").write_text("fashionMENDenimid0000008001_1front.jpg\n")
    assert deepfashion(root, "train").names == ["fasionMENDenimid0000008001_1front.jpg"]


@pytest.mark.parametrize("narrow_lists", [False, True])
def test_joints_follow_the_picture_into_either_frame(tmp_path, narrow_lists):
    root = layouts.in_shop(tmp_path, narrow=narrow_lists)
    full, narrow = deepfashion(root).read(0), deepfashion(root, frame=NARROW).read(0)
    assert (full.image_size, narrow.image_size) == ((256, 256), (256, 176))
    assert np.array_equal(full.keypoints - narrow.keypoints, np.tile([40.0, 0.0], (18, 1)))
    listed = layouts.joints((256, 176) if narrow_lists else (256, 256))[0]
    assert np.array_equal((narrow if narrow_lists else full).keypoints, listed)


def test_narrow_pictures_are_padded_with_white_and_listed_pairs_may_be_spelled_otherwise(tmp_path):
    root = layouts.in_shop(tmp_path)
    first, second, *_ = layouts.ITEMS
    layouts.picture(root / "img" / first, (256, 176), 0)
    write_pairs_csv(root / "fashion-pairs-train.csv", [(layouts.flat(second), layouts.flat(first))])
    people = deepfashion(root)
    assert [people.pair(i) for i in range(len(people))] == [(1, 0)]
    image = people.read(0).image
    assert (image[:, :40] == 255).all()
    assert (image[:, 40:216] < 9).all()
    assert (image[:, 216:] == 255).all()


def test_deepfashion_says_what_is_missing_or_misspelled(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no fasion-annotation-train\.csv.*mmlab\.ie\.cuhk\.edu\.hk"):
        deepfashion(tmp_path)
    root = layouts.in_shop(tmp_path)
    (root / "Eval" / "list_eval_partition.txt").write_text("1\nheader\nimg/a.jpg id_1\n")
    with pytest.raises(ValueError, match="line 3: expected picture, item and train"):
        deepfashion(root)
    with pytest.raises(ValueError, match="is no name of DeepFashion"):
        ItemName.read("0002_c1s1_000451_03.jpg")


ROW = f"a.jpg: {list(range(10, 28))}: {list(range(40, 58))}"


@pytest.mark.parametrize(
    ("name", "lines", "line"),
    [
        ("fasion-annotation-train.csv", ["name:keypoints_y:keypoints_x", "", ROW], 3),
        ("train.lst", ["fashionMENDenimid0000008001_1front.jpg", "a.jpg"], 2),
        ("fashion-pairs-train.csv", ["from,to", "a.jpg,fashionMENDenimid0000008001_1front.jpg"], 2),
    ],
)
def test_a_misspelled_name_of_deepfashion_is_found_in_its_list(tmp_path, name, lines, line):
    root = layouts.in_shop(tmp_path)
    (root / name).write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=rf'{name}, line {line}: "a\.jpg" is no name of DeepFashion'):
        deepfashion(root)


@pytest.mark.parametrize("size", [(256, 256), (256, 176)])
def test_label_maps_of_deepfashion_are_cut_and_padded_as_the_pictures_are(tmp_path, size):
    root = layouts.in_shop(tmp_path)
    (root / "parsing").mkdir()
    columns = np.arange(256) // 26
    labels = np.tile(columns.astype(np.uint8), (256, 1))
    inner = labels[:, 40:216]
    names = deepfashion(root).names
    np.save(root / "parsing" / f"{names[0].removesuffix('.jpg')}.npy", labels if size[1] == 256 else inner)
    full, narrow = deepfashion(root), deepfashion(root, frame=NARROW)
    assert np.array_equal(narrow.read(0).label_map, inner)
    assert np.array_equal(full.read(0).label_map[:, 40:216], inner)
    assert (full.read(0).label_map[:, :40] == (labels[:, :40] if size[1] == 256 else 0)).all()
    assert full.read(1).label_map is None
    np.save(root / "parsing" / f"{names[0].removesuffix('.jpg')}.npy", labels[:100])
    with pytest.raises(ValueError, match="100x256 but 256x176 is the size of the picture"):
        narrow.read(0)


def test_all_names_of_a_real_list_are_read_and_written_alike(real_data):
    names = list(read_keypoint_csv(real_data / "annotations" / "fasion-annotation-test_new_split.csv"))
    items = [ItemName.read(name) for name in names]
    assert len(set(items)) == len(names)
    for name, item in zip(names, items, strict=True):
        assert name == f"fasion{item.person}_{item.view}.jpg"


def test_real_identities_of_market_are_those_of_its_training_half(real_data):
    names = read_keypoint_csv(real_data / "annotations" / "market-annotation-train.csv")
    assert len({identity(name) for name in names}) == 751
