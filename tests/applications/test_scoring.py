"""Scores of applications against the truth that synthetic people have."""

import numpy as np
import pytest

from benchmarks.applications import measure
from pgt.applications import paste_product, score_map, score_region, transfer_clothing_texture
from pgt.predictor import fit_person
from pgt.synthetic.outfits import dressed, dressed_as
from pgt.synthetic.people import render_people
from pgt.synthetic.products import product_picture

UPPER = (3,)


def test_the_truth_itself_scores_best(people):
    scores = score_region(people[0].image, people[0], UPPER)
    assert scores["foreground_l1"].mean == 0
    assert scores["foreground_ssim"].mean == pytest.approx(1)
    assert score_region(people[1].image, people[0], UPPER)["foreground_ssim"].mean < 0.9


def test_only_the_region_counts(people):
    picture = people[0].image.copy()
    outside = ~np.isin(people[0].label_map, UPPER)
    picture[outside] = 255 - picture[outside]
    assert score_region(picture, people[0], UPPER)["foreground_l1"].mean == 0
    picture = people[0].image.copy()
    picture[~outside] = np.where(picture[~outside] > 127, picture[~outside] - 51, picture[~outside] + 51)
    assert score_region(picture, people[0], UPPER)["foreground_l1"].mean == pytest.approx(0.2)


def test_the_truth_is_fitted_into_the_results_frame(generator, people):
    result, _ = transfer_clothing_texture(generator, *people)
    frame = fit_person(people[0], (32, 24))
    assert score_region(result, people[0])["foreground_l1"].mean == pytest.approx(
        score_region(result.image, frame)["foreground_l1"].mean
    )


def test_a_region_that_the_truth_lacks_has_no_score(people):
    assert np.isnan(score_region(people[0].image, people[0], (4,))["foreground_l1"].mean)


def test_maps_are_scored_label_by_label():
    true = np.array([[0, 0, 3, 3]])
    scores = score_map(np.array([[0, 3, 3, 3]]), true)
    assert scores == {"background": 0.5, "upper_clothes": pytest.approx(2 / 3), "mean": pytest.approx(7 / 12)}
    assert score_map(true, true)["mean"] == 1
    with pytest.raises(ValueError, match="but the picture is"):
        score_map(true[:, :2], true)


def test_trying_on_can_be_scored_by_the_person_rendered_in_that_garment(synthetic):
    """Even a pasted product is nearer to the truth than the clothes that were there before."""
    gains = []
    for wearer, owner in ((2, 7), (4, 14), (3, 8)):
        spec, other = synthetic.spec(wearer, 0), synthetic.spec(owner, 0).identity
        garment = product_picture(other, (96, 96))
        before, truth = render_people(
            [spec, dressed(spec, dressed_as(spec.identity, other))], synthetic.image_size
        )
        pasted = paste_product(before, garment.image, garment.mask, garment.landmarks, before.image_size)
        scores = [
            score_region(picture, truth, UPPER)["foreground_l1"].mean for picture in (before.image, pasted)
        ]
        gains.append(scores[0] - scores[1])
    assert np.mean(gains) > 0


def test_the_benchmark_measures_every_application(make_generator):
    table = measure(make_generator(), 2)
    assert set(table) == {
        "clothing texture transfer", "sleeves, true map", "try-on of a product", "map of the sleeves"
    }  # fmt: skip
    for rows in table.values():
        assert "before" in rows
        assert all(np.isfinite(value) for scores in rows.values() for value in scores.values())
    assert table["map of the sleeves"]["edited"]["mIoU"] > table["map of the sleeves"]["before"]["mIoU"]
