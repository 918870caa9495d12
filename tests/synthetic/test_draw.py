"""Random draws: the same numbers everywhere, with the distributions they promise."""

import numpy as np
import pytest

from pgt.synthetic.draw import Draw


def test_same_key_gives_known_numbers_for_ever():
    draw = Draw(7, 3)
    assert [round(draw.uniform(), 12) for _ in range(3)] == [0.413029015558, 0.182476578858, 0.650843260005]
    assert Draw(7, 3).uniform() != Draw(3, 7).uniform()


def test_uniform_and_normal_have_their_moments():
    draw = Draw(1)
    uniform = np.array([draw.uniform(2, 4) for _ in range(20000)])
    normal = np.array([draw.normal(1, 3) for _ in range(20000)])
    assert uniform.min() >= 2
    assert uniform.max() < 4
    assert uniform.mean() == pytest.approx(3, abs=0.02)
    assert normal.mean() == pytest.approx(1, abs=0.1)
    assert normal.std() == pytest.approx(3, abs=0.1)


def test_choice_follows_the_weights_and_never_takes_weight_zero():
    draw = Draw(2)
    picks = [draw.choice("abc", (1, 0, 3)) for _ in range(8000)]
    assert "b" not in picks
    assert picks.count("c") / len(picks) == pytest.approx(0.75, abs=0.02)


def test_integer_covers_its_range_without_the_upper_end():
    draw = Draw(3)
    assert {draw.integer(2, 6) for _ in range(500)} == {2, 3, 4, 5}


def test_seeds_of_one_draw_start_independent_streams():
    draw = Draw(4)
    first, second = Draw(draw.seed()), Draw(draw.seed())
    assert first.uniform() != second.uniform()
