"""Labels, merges and flips."""

import numpy as np
import pytest
import torch

from pgt.data.parsing import (
    ATR18_TO_10,
    CIHP20_TO_10,
    COLORS,
    FLIP_LABELS,
    LABELS,
    LIP20_TO_10,
    NUM_LABELS,
    flip_labels,
    merge,
    one_hot,
)


def test_one_hot_marks_each_pixel_once():
    labels = torch.arange(NUM_LABELS).view(1, 2, 5)
    encoded = one_hot(labels)
    assert encoded.shape == (1, 10, 2, 5)
    assert (encoded.sum(dim=1) == 1).all()
    assert (encoded.argmax(dim=1) == labels).all()


def test_flip_swaps_sides_and_twice_is_nothing():
    labels = np.array([[6, 0, 0], [8, 4, 9]], dtype=np.uint8)
    assert flip_labels(labels).tolist() == [[0, 0, 7], [8, 4, 9]]
    assert (flip_labels(flip_labels(labels)) == labels).all()
    assert [LABELS[i] for i in FLIP_LABELS] == [
        name.replace("right", "?").replace("left", "right").replace("?", "left") for name in LABELS
    ]


@pytest.mark.parametrize(
    ("table", "size", "expected"),
    [
        (LIP20_TO_10, 20, {1: "hair", 3: "background", 4: "face", 6: "upper_clothes", 8: "background",
                           10: "pants",
                           11: "upper_clothes", 13: "face", 14: "left_arm", 15: "right_arm", 18: "left_leg",
                           19: "right_leg"}),
        (ATR18_TO_10, 18, {1: "hair", 3: "face", 4: "upper_clothes", 5: "skirt", 6: "pants",
                           7: "upper_clothes",
                           9: "left_leg", 10: "right_leg", 11: "face", 12: "left_leg", 15: "right_arm",
                           16: "background", 17: "upper_clothes"}),
        (CIHP20_TO_10, 20, {1: "hair", 10: "face", 12: "skirt", 14: "left_arm", 19: "right_leg"}),
    ],
)  # fmt: skip
def test_merges(table, size, expected):
    assert len(table) == size
    merged = merge(np.arange(size), table)
    assert merged.dtype == np.uint8
    assert {i: LABELS[merged[i]] for i in expected} == expected
    assert set(merged) == set(range(NUM_LABELS))  # every label can be reached


def test_merge_refuses_unknown_classes():
    with pytest.raises(ValueError, match=r"0\.\.255"):
        merge(np.array([[0, 255]]), LIP20_TO_10)
    assert merge(np.zeros((0, 4), dtype=int), LIP20_TO_10).shape == (0, 4)


def test_colours_differ():
    assert COLORS.shape == (10, 3)
    assert len(np.unique(COLORS, axis=0)) == 10
