"""The comparison on photographs: nobody is drawn by weights that saw them, and gains are paired."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks.photo_gain import PHOTOS, Photo, gain, methods
from benchmarks.photos import self_pairs
from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.evaluation import COPY


def photo(number: int) -> Photo:
    pose = Pose(np.full((18, 2), 4.0), np.ones(18, bool), (16, 16))
    person = Person(np.full((16, 16, 3), number, np.uint8), pose, name=str(number))
    return Photo(person, "shop", number % 2)


def test_each_photo_is_drawn_by_the_weights_of_its_own_fold():
    seen = [[], []]

    def weights(fold):
        def generate(source, target):
            seen[fold].append(source.name)
            return SimpleNamespace(image=source.image)

        return SimpleNamespace(generate=generate)

    photos = [photo(number) for number in range(5)]
    pairs = self_pairs([one.person for one in photos], mirrored=False)
    draw = methods({"mixed": [weights(0), weights(1)]}, photos)
    drawn = draw["mixed"](pairs)
    assert seen == [["0", "2", "4"], ["1", "3"]]
    assert [int(image[0, 0, 0]) for image in drawn] == [0, 1, 2, 3, 4]
    assert all(np.array_equal(a, b) for a, b in zip(draw[COPY](pairs), draw[PHOTOS](pairs), strict=True))


def test_a_gain_is_of_the_same_photos_and_leaves_out_what_is_undefined():
    before, after = torch.tensor([1.0, 5.0, 9.0, torch.nan]), torch.tensor([2.0, 6.0, 10.0, 3.0])
    assert gain(after, before) == (1.0, 0.0)  # however much photos differ among themselves
    mean, half = gain(torch.tensor([0.0, 2.0]), torch.zeros(2))
    assert mean == 1.0
    assert half == pytest.approx(1.96)
