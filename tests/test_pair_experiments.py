"""MR-Net's and Progressive's ablations: what is compared with what, and how it is scored."""

from dataclasses import fields, replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.ablations import estimate, report
from benchmarks.ablations.pairs import PairWorkshop
from benchmarks.ablations.study import Effort, Study
from benchmarks.mrnet_ablations import paper as mrnet_paper
from benchmarks.mrnet_ablations import workshop as mrnet
from benchmarks.progressive_ablations import variants as progressive_variants
from benchmarks.progressive_ablations import workshop as progressive
from pgt.commands.recipes import recipe_of
from pgt.data.person import PairBatch
from pgt.data.pose import PoseEncoding
from pgt.models.mrnet import MRNetGenerator
from pgt.models.progressive import ProgressiveGenerator

STUDIES = (mrnet.STUDY, progressive.STUDY)
SMALL = Effort(steps_scale=0.01, identities=4, pairs=3)
JUDGES = {"pose-estimator": 1, "human-parser": 2}

each_study = pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)


def differences(study: Study, name: str, other: str) -> set[str]:
    """Fields in which the settings of two variants differ."""
    one, two = (study.variants[variant].config() for variant in (name, other))
    return {field.name for field in fields(one) if getattr(one, field.name) != getattr(two, field.name)}


# --- what is compared ---


@each_study
def test_every_claim_is_about_variants_and_scores_that_there_are(study):
    shown = {variant for experiment in study.experiments for variant in experiment.rows.values()}
    assert shown == set(study.variants)
    assert {score for one in study.experiments for score in one.columns} <= set(study.scores)
    for claim in study.claims:
        assert {claim.ours, claim.rival} <= shown, claim
        assert claim.score in study.scores


@each_study
def test_the_paper_s_numbers_stand_in_the_claims_table(study):
    rows = report.claims_table(study, {}).splitlines()[2:]
    for claim, row in zip(study.claims, rows, strict=True):
        for table in claim.tables or (claim.source,) * isinstance(claim.paper, tuple):
            *names, column = claim.paper
            numbers = " → ".join(f"{study.paper[table][name][column]:.3f}" for name in names)
            assert numbers in row


@each_study
def test_in_the_paper_the_better_row_is_not_worse(study):
    """SSIM and its kin, where more is better: a number from the wrong row would show here."""
    for claim in study.claims:
        if isinstance(claim.paper, tuple):
            worse, better, column = claim.paper
            tables = [study.paper[table] for table in claim.tables or (claim.source,)]
            assert all(table[worse][column] <= table[better][column] for table in tables), claim


def test_a_variant_of_mrnet_differs_from_the_full_one_in_what_its_name_says():
    study = mrnet.STUDY
    changed = {
        "rounds-1": {"num_rounds"},
        "rounds-5": {"num_rounds"},
        "no-roi": {"roi_weight"},
        "one-path": {"two_paths"},
        "no-non-local": {"non_local"},
        "no-appearance-code": {"appearance_code"},
        "no-warped-input": {"warped_input"},
        "no-help": {"appearance_code", "warped_input"},
        "lambda1-0": {"perceptual_weight"},
        "lambda2-0.5": {"roi_weight"},
        "unblended-3": {"blend"},
        "full-used-5": set(),
    }
    assert {name: differences(study, name, "full") for name in changed} == changed
    assert differences(study, "unblended-1", "unblended-3") == {"num_rounds"}
    full = study.variants["full"].config()
    assert full.num_rounds == 3
    assert full.perceptual_weight / full.roi_weight == pytest.approx(0.5 / 0.05)  # the ratio of the paper
    assert mrnet_paper.FULL == "full (3 rounds, 0.5, 0.05)"


def test_what_is_only_used_otherwise_is_not_trained():
    for variant in mrnet.STUDY.variants.values():
        assert (variant.rounds is None) == bool(variant.stages) == (variant.parent is None)


def test_a_variant_of_progressive_has_what_its_name_says():
    study = progressive.STUDY
    assert differences(study, "baseline", "pt") == {"stages"}
    assert differences(study, "lpl", "baseline") == {"local_weight", "descriptors"}
    assert differences(study, "pt-lpl", "pt") == {"local_weight", "descriptors"}
    assert differences(study, "pt-lpl-ld", "pt-lpl") == {"adversarial_weight"}
    assert differences(study, "pt-lpl-ld-both", "pt-lpl-ld") == {"top_local_weight"}
    assert differences(study, "descriptors-44", "pt-lpl") == {"descriptors"}
    recipes = {name: recipe_of(variant.config()) for name, variant in study.variants.items()}
    assert {name for name, recipe in recipes.items() if "discriminator" in recipe.nets} == {
        "pt-lpl-ld",
        "pt-lpl-ld-both",
    }


def test_growing_and_drawing_at_once_take_the_same_arithmetic():
    def multiplications(name: str) -> float:
        config = progressive.STUDY.variants[name].config()
        trained, total = recipe_of(config), 0.0
        for stage in config.stages:
            batch = estimate.noise(stage, trained.nets["generator"].pose_encoding)
            trained.set_lr(stage, 0)
            with FlopCounterMode(display=False) as counter:
                trained.train_step(batch, stage)
            total += stage.num_steps * counter.get_total_flops()
        return total

    assert multiplications("pt") == pytest.approx(multiplications("baseline"), rel=0.03)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (mrnet.MRNetWorkshop, ("full", "no-roi", "rounds-1", "lambda1-0")),
        (progressive.ProgressiveWorkshop, ("baseline", "pt", "pt-lpl-ld")),
    ],
    ids=("mrnet", "progressive"),
)
def test_variants_of_a_seed_begin_with_the_same_weights(kind, names, tmp_path):
    made = kind(tmp_path, tmp_path, SMALL)

    def first_weights(name: str, seed: int) -> dict[str, torch.Tensor]:
        return made.recipe(kind.study.variants[name], seed).nets["generator"].state_dict()

    first = first_weights(names[0], 0)
    for name in names[1:]:
        other = first_weights(name, 0)
        assert all(torch.equal(first[key], other[key]) for key in first)
    other = first_weights(names[0], 1)
    assert not all(torch.equal(first[key], other[key]) for key in first)


# --- what results depend on ---


def settings_of(kind: type[PairWorkshop], tmp_path, name: str, effort: Effort = SMALL) -> dict:
    made = kind(tmp_path / "runs", tmp_path / "results", effort)
    made.judges = JUDGES
    return made.settings(kind.study.variants[name])


def test_settings_tell_rounds_apart_and_share_the_training(tmp_path):
    one, other = (settings_of(mrnet.MRNetWorkshop, tmp_path, f"full-used-{k}") for k in (1, 5))
    assert (one["rounds"], other["rounds"]) == (1, 5)
    assert one["training"] == other["training"]
    assert settings_of(mrnet.MRNetWorkshop, tmp_path, "full")["rounds"] == 3


def test_settings_know_steps_people_and_pairs(tmp_path):
    def settings(effort: Effort) -> dict:
        return settings_of(progressive.ProgressiveWorkshop, tmp_path, "pt", effort)

    assert settings(SMALL)["training"] == settings(replace(SMALL, pairs=9))["training"]
    assert settings(SMALL) != settings(replace(SMALL, pairs=9))
    for other in (replace(SMALL, identities=5), replace(SMALL, steps_scale=0.02)):
        assert settings(SMALL)["training"] != settings(other)["training"]


# --- scores ---


def pair_batch(size: int, encoding: PoseEncoding) -> PairBatch:
    """A source on the left, a target on the right, on grey."""
    labels = torch.zeros(2, 1, size, size, dtype=torch.long)
    labels[0, :, size // 4 : -size // 4, 4 : size // 3] = 3
    labels[1, :, size // 4 : -size // 4, size // 2 : -4] = 3
    joints = torch.stack([torch.linspace(size / 2, size - 5.0, 18), torch.linspace(size / 4, size * 0.7, 18)])
    seen, picture = torch.ones(1, 18, dtype=torch.bool), torch.zeros(1, 3, size, size)
    masks = (labels > 0).float()[:, :, None]
    joints = joints.T[None]
    return PairBatch(
        *(picture, picture.clone(), joints, joints, seen, seen, *labels, *masks), encoding=encoding
    )


def test_more_rounds_are_drawn_when_asked_for():
    torch.manual_seed(0)
    config = mrnet.STUDY.variants["unblended-3"].config()
    generator = MRNetGenerator.from_config(config).eval()
    batch = pair_batch(config.image_size[0], generator.pose_encoding)
    with torch.no_grad():
        one, three, again = (mrnet.draw(generator, batch, count) for count in (1, 3, 3))
    assert torch.equal(three, again)
    assert not torch.equal(one, three)


def test_what_progressive_draws_is_clipped():
    torch.manual_seed(0)
    generator = ProgressiveGenerator.from_config(progressive_variants.BASE).eval()
    with torch.no_grad():
        for layer in generator.autoencoder.to_rgb:
            layer.bias.fill_(3.0)
        drawn = progressive.draw(generator, pair_batch(progressive.SIZE[0], generator.pose_encoding))
    assert drawn.max() == 1
