"""SPT's ablations: what is compared with what, how it is scored, and when a claim is said to hold."""

import math
from dataclasses import replace

import pytest
import torch

from benchmarks.ablations import report
from benchmarks.ablations.results import Results
from benchmarks.ablations.scoring import colour_scores
from benchmarks.ablations.study import Effort
from benchmarks.spt_ablations import __main__ as command
from benchmarks.spt_ablations import results, scoring
from benchmarks.spt_ablations.paper import CLAIMS, PAPER
from benchmarks.spt_ablations.report import STUDY
from benchmarks.spt_ablations.variants import BASE, VARIANTS
from pgt.data.person import PairBatch
from pgt.data.pose import PoseEncoding

SMALL = Effort(steps_scale=0.001, identities=12, pairs=6)
JUDGES = {"pose-estimator": 1, "human-parser": 2}


# --- what is compared ---


def test_every_claim_is_about_variants_that_some_table_shows():
    shown = {variant for experiment in STUDY.experiments for variant in experiment.rows.values()}
    for claim in CLAIMS:
        assert {claim.ours, *(claim.yardstick or ()), *filter(None, [claim.rival])} <= shown, claim
        assert claim.score in scoring.SCORES
    assert {one.name for one in STUDY.with_parents(STUDY.chosen(None))} == set(VARIANTS)


def test_a_variant_differs_from_what_it_is_compared_with_in_what_its_name_says():
    def differences(name: str, other: str) -> set[str]:
        mine, theirs = VARIANTS[name].config().to_dict(), VARIANTS[other].config().to_dict()
        return {field for field in mine if mine[field] != theirs[field]}

    assert differences("no-heat-maps", "semantic") == {"semantic_heat_maps"}
    assert differences("ce-1000", "semantic") == {"ce_weight"}
    assert differences("candidates-100", "semantic") == differences("true-pairs", "semantic") == set()
    assert differences("style-patch", "drawn-true") == {"style"}
    assert differences("no-recovered-losses", "drawn-true") == {"recovered_style", "recovered_adversarial"}
    assert differences("e2e-held", "e2e") == {"joint_ce_weight"}
    assert differences("scenes-alone", "drawn-true") == set()
    assert BASE.joint_ce_weight == 0  # the paper's end-to-end training knows no pseudo-labels


def test_the_rows_of_table_3_have_drawn_for_equally_many_steps():
    table3 = next(one for one in STUDY.experiments if one.name == "table3")
    drawn = {
        sum(stage.num_steps for stage in VARIANTS[name].config().stages if stage.name != "semantic")
        for name in table3.rows.values()
    }
    assert len(drawn) == 1


def test_only_guidance_by_the_truth_has_true_partners():
    for variant in VARIANTS.values():
        if variant.name != "true-pairs":
            assert (variant.candidates is None) == (variant.config().guidance == "true"), variant.name


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["--only", "table9"])
    assert "there is no experiment or variant 'table9'; there are table3, " in capsys.readouterr().err


# --- the claims table ---


def test_the_paper_s_numbers_stand_in_the_claims_table():
    measured = {"ts-predicted": [0.7, 0.71], "baseline": [0.6, 0.6]}
    scores = {name: {k: {"mask_ssim": x} for k, x in enumerate(xs)} for name, xs in measured.items()}
    table = report.claims_table(STUDY, scores)
    row = next(line for line in table.splitlines() if "(Baseline)" in line)
    numbers = [PAPER["Table 3, DeepFashion"][name]["SSIM"] for name in ("Baseline", "TS-Pred")]
    assert "SSIM {:.3f} → {:.3f}".format(*numbers) in row
    assert "| mask-SSIM 0.600 → 0.705, gain +0.105 ± 0.064" in row
    assert row.endswith("| yes |")
    assert table.count("not measured") == len(CLAIMS) - 1


# --- results on disk ---


def results_in(folder, effort: Effort, judges=JUDGES) -> Results:
    return Results(folder, lambda variant: results.settings(variant, effort, judges))


def test_results_of_other_settings_count_as_missing(tmp_path):
    kept = results_in(tmp_path, SMALL)
    variant = VARIANTS["drawn-predicted"]
    kept.write(variant, 0, {"ssim": 0.5, "hole_l1": math.nan}, {"date": "today"})
    assert kept.read(variant, 0)["scores"] == {"ssim": 0.5, "hole_l1": None}
    assert kept.read(variant, 1) is None
    assert kept.scores([variant], range(3)) == {"drawn-predicted": {0: {"ssim": 0.5}}}
    assert results_in(tmp_path, replace(SMALL, pairs=7)).read(variant, 0) is None
    assert results_in(tmp_path, SMALL, JUDGES | {"human-parser": 3}).read(variant, 0) is None
    assert (tmp_path / "drawn-predicted-0.json").stat().st_size < 4000


def test_settings_follow_the_parent_and_leave_defaults_out(monkeypatch):
    before = results.settings(VARIANTS["e2e"], SMALL, JUDGES)
    assert "hash" not in before["training"]["config"]
    assert "num_labels" not in before["training"]["config"]
    changed = replace(VARIANTS["semantic"], changes={"ce_weight": 7.0})
    monkeypatch.setitem(VARIANTS, "semantic", changed)
    after = results.settings(VARIANTS["e2e"], SMALL, JUDGES)
    assert after["training"]["continues"] != before["training"]["continues"]


def test_more_pairs_do_not_ask_for_another_training():
    one, other = (results.training_settings(VARIANTS["e2e"], replace(SMALL, pairs=n), JUDGES) for n in (5, 9))
    assert one == other


# --- scores ---


def test_a_limb_in_two_pieces_is_one_region_amiss():
    true = torch.zeros(2, 8, 8, dtype=torch.long)
    true[:, 2:6, 3] = 6
    broken = true.clone()
    broken[0, 4, 3] = 0
    broken[1, 2, 4] = 6  # fatter, but whole
    assert scoring.pieces_amiss(broken, true).tolist() == [1, 0]


def test_a_perfect_map_has_full_scores():
    labels = torch.arange(100).view(1, 10, 10) % 10
    confusion = scoring.label_confusion(labels, labels, 10)
    assert scoring.map_scores(confusion) == {"map_accuracy": 100, "map_iou": 1, "limb_iou": 1}
    assert [scoring.LABELS[i] for i in scoring.LIMBS] == ["left_arm", "right_arm", "left_leg", "right_leg"]


def test_coarse_maps_are_blocks_of_one_label():
    parsing = torch.eye(10)[torch.randint(10, (1, 16, 16), generator=torch.Generator().manual_seed(0))]
    parsing = parsing.movedim(-1, 1)
    blocks = scoring.coarse(parsing, 4).unfold(2, 4, 4).unfold(3, 4, 4).flatten(4)
    assert torch.equal(blocks, blocks[..., :1].expand_as(blocks))
    assert torch.equal(scoring.coarse(parsing, 1), parsing)


def scored_batch() -> PairBatch:
    """A source on the left of 64x64, a target on the right, on grey; a face in the target's joints."""
    labels = torch.zeros(2, 1, 64, 64, dtype=torch.long)
    labels[0, :, 10:50, 5:25], labels[1, :, 10:50, 20:40] = 3, 3
    joints = torch.zeros(1, 18, 2)
    joints[:, :] = torch.tensor([30.0, 30.0])
    joints[:, [2, 5, 8, 11]] = torch.tensor([[26.0, 20.0], [34.0, 20.0], [26.0, 40.0], [34.0, 40.0]])
    joints[:, [0, 14, 15, 16, 17]] = torch.tensor([30.0, 14.0])
    seen, picture = torch.ones(1, 18, dtype=torch.bool), torch.zeros(1, 3, 64, 64)
    masks = (labels > 0).float().movedim(0, 1).unbind(1)
    return PairBatch(
        *(picture, picture, joints, joints, seen, seen, *labels, *(mask[:, None] for mask in masks)),
        encoding=PoseEncoding("gaussian", sigma=2.0),
    )


def test_the_hole_is_what_the_source_hides_and_the_target_does_not():
    batch = scored_batch()
    generated = batch.target.clone()
    generated[..., 10:50, 20:40] = 1.0  # wrong on the target alone
    assert scoring.background_scores(generated, batch)["background_l1"] == 0
    generated[..., 10:50, 5:20] = 0.5  # wrong in the hole: a quarter of the range
    found = scoring.background_scores(generated, batch)
    assert found["hole_l1"].item() == pytest.approx(0.25)
    assert 0 < found["background_l1"].item() < 0.25


def test_a_mean_colour_is_the_person_s_own_and_blind_to_where_its_pixels_are():
    batch = scored_batch()
    person = batch.target_person_mask.expand(-1, 3, -1, -1) > 0
    generated = batch.target.clone()
    generated[~person] = 1.0  # the background has no say
    generated[..., 10:30, 20:40], generated[..., 30:50, 20:40] = 0.4, -0.4
    assert colour_scores(generated, batch)["colour_l1"].item() == pytest.approx(0, abs=1e-6)
    generated[person] = 0.6  # 0.3 of [0, 1] too bright
    assert colour_scores(generated, batch)["colour_l1"].item() == pytest.approx(0.3)


def test_a_face_counts_on_the_target_s_own_pixels_and_only_where_one_is_seen():
    batch = scored_batch()
    generated = batch.target.clone()
    generated[..., :10, :] = 1.0  # above the person: inside the face's square, but background
    assert scoring.face_scores(generated, batch)["face_l1"] == 0
    generated[..., 10:14, 28:32] = 1.0
    assert scoring.face_scores(generated, batch)["face_l1"] > 0
    batch.target_visible[:, [0, 14, 15, 16, 17]] = False
    assert scoring.face_scores(generated, batch)["face_l1"].isnan()


def test_inpainting_continues_what_surrounds_the_hole():
    ramp = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    hole = torch.zeros(1, 1, 32, 32)
    hole[..., 10:20, 12:22] = 1
    damaged = torch.where(hole > 0, 1.0, ramp)
    assert torch.allclose(scoring.Biharmonic()(damaged, hole), ramp, atol=1e-3)
