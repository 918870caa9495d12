"""Distances between sets of poses: zero for equals, large for strangers, small from synthetic to real."""

import numpy as np
import pytest

from pgt.synthetic.statistics import compare, draw_synthetic, main, read_real, view_shares

PLAIN = ("fasion-annotation-test_new_split.csv", (256, 256), "plain")
STREET = ("market-annotation-train.csv", (128, 64), "street")


def test_a_set_is_at_no_distance_from_itself():
    poses = draw_synthetic("plain", 150, (128, 128))
    assert all(distance == 0 for distance in compare(poses, poses).values())


def test_other_framing_and_views_are_far():
    plain = draw_synthetic("plain", 200, (128, 128), shot="full")
    upper = compare(plain, draw_synthetic("plain", 200, (128, 128), shot="upper"))
    street = compare(plain, draw_synthetic("street", 200, (128, 128), shot="full"))
    assert upper["size"] > 0.8
    assert upper["mean position"] > 0.05
    assert street["view"] > 0.15


def test_view_shares_sum_to_one():
    assert view_shares(draw_synthetic("street", 100, (128, 64))).sum() == pytest.approx(1)


FULL = {"mean position": 0.03, "spread": 0.02, "limb length": 0.05, "limb angle": 0.25, "view": 0.15}
UPPER = {"mean position": 0.07, "spread": 0.05, "limb length": 0.06, "limb angle": 0.28, "view": 0.12}


@pytest.mark.parametrize(("shot", "bounds"), [("full", FULL), ("upper", UPPER)])
def test_plain_people_resemble_catalogue_photographs(real_data, shot, bounds):
    name, size, scene = PLAIN
    real = read_real(real_data / "annotations" / name, size).shot(shot)
    distances = compare(draw_synthetic(scene, 400, size, shot=shot), real)
    assert not {key: distances[key] for key, bound in bounds.items() if distances[key] > bound}


def test_street_people_resemble_pedestrian_crops(real_data):
    name, size, scene = STREET
    distances = compare(draw_synthetic(scene, 400, size), read_real(real_data / "annotations" / name, size))
    assert distances["mean position"] < 0.04
    assert distances["view"] < 0.10
    assert distances["visibility"] < 0.15


def test_the_command_prints_a_table(real_data, capsys):
    name, size, scene = STREET
    main(
        [str(real_data / "annotations" / name), "--size", *map(str, size), "--scene", scene, "--count", "60"]
    )
    text = capsys.readouterr().out
    assert "real halves" in text
    assert "limb angle" in text
    assert np.isfinite([float(word) for word in text.split() if word.replace(".", "").isdigit()]).all()
