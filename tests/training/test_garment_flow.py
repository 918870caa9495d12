"""How the appearance flow learns: what moves, which garments count, and that it does learn."""

import numpy as np
import torch
from torch.nn import functional as F

from pgt.data.person import Pair, PairBatch, Person
from pgt.data.pose import Pose
from pgt.layers.features import EncoderFeatures
from pgt.layers.skip_unet import SLOPE, DownEncoder
from pgt.models.garment_flow import continue_garment, warp_by_flow
from pgt.training.engine import Options, fit
from pgt.training.garment_flow import GarmentFlowRecipe
from pgt.training.runner import PlainRunner
from tests.models.tiny_garment_flow import SIZE, STAGE, TINY_FLOW
from tests.training.runners import Losses

UPPER, PANTS, SKIRT = 3, 4, 5


def recipe(runner=None) -> GarmentFlowRecipe:
    torch.manual_seed(0)
    encoder = DownEncoder(3, (4, 6), "none")
    made = GarmentFlowRecipe(TINY_FLOW, EncoderFeatures(encoder.stem, encoder.downs[0], SLOPE))
    made.prepare(runner or PlainRunner("cpu"))
    return made


def dressed_people(lower=(PANTS, PANTS)) -> PairBatch:
    """One pair: a smooth pattern in a box is the upper garment, bent sideways in the target."""
    cloth = F.interpolate(
        torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1, SIZE, mode="bicubic"
    ).clamp(-1, 1)
    bend = torch.zeros(1, *SIZE, 2)
    bend[..., 0] = 3 * torch.sin(torch.linspace(0, np.pi, SIZE[0]))[None, :, None]
    labels = torch.zeros(2, 1, *SIZE, dtype=torch.long)
    labels[:, :, 4:20, 5:19] = UPPER
    for side, label in enumerate(lower):
        labels[side, :, 21:30, 6:18] = label
    joints, seen = torch.zeros(1, 18, 2), torch.zeros(1, 18, dtype=torch.bool)
    target = warp_by_flow(cloth, bend)
    return PairBatch(cloth, target, joints, joints.clone(), seen, seen, labels[0], labels[1])


def error(made: GarmentFlowRecipe, batch: PairBatch) -> float:
    """Mean error of the pattern inside the target's mask, by the network as it is."""
    masks = [
        (labels == UPPER).float().unsqueeze(1) for labels in (batch.source_label_map, batch.target_label_map)
    ]
    flow = made.nets["generator"](batch.source, *masks).flow.detach()
    difference = (warp_by_flow(continue_garment(batch.source, masks[0]), flow) - batch.target).abs()
    return float(difference.mean(dim=1, keepdim=True)[masks[1] > 0].mean())


def test_it_learns_to_bend_a_garment():
    made, batch = recipe(), dressed_people(lower=(0, 0))
    before = error(made, batch)
    terms = [made.train_step(batch, STAGE) for _ in range(STAGE.num_steps)]
    assert error(made, batch) < before / 2
    assert terms[-1]["perceptual"] < terms[0]["perceptual"]


def test_the_loss_is_the_weighted_sum_of_its_terms():
    runner = Losses()
    made = recipe(runner)
    terms = made.train_step(dressed_people(), STAGE)
    weights = {
        "l1": TINY_FLOW.l1_weight,
        "perceptual": TINY_FLOW.perceptual_weight,
        "variation": TINY_FLOW.variation_weight,
    }
    np.testing.assert_allclose(
        runner.seen, [sum(weights[name] * float(term) for name, term in terms.items())], rtol=1e-5
    )


def test_the_network_moves_and_the_features_stand_still():
    made = recipe()
    features = {name: value.clone() for name, value in made._features.state_dict().items()}
    before = {name: value.clone() for name, value in made.nets.state_dict().items()}
    made.train_step(dressed_people(), STAGE)
    moved = {name for name, value in made.nets.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == set(before)  # the network and its average
    assert all(torch.equal(value, features[name]) for name, value in made._features.state_dict().items())


def test_only_garments_that_both_show_are_learnt_from():
    """The upper one alone wherever a side lacks the lower one; a skirt may take the cloth of pants."""
    for lower, both in (
        ((PANTS, PANTS), True),
        ((PANTS, SKIRT), True),
        ((PANTS, 0), False),
        ((0, SKIRT), False),
    ):
        batch, masks = dressed_people(lower), []
        made = recipe()
        made.nets["generator"].register_forward_pre_hook(lambda _, given, kept=masks: kept.append(given[1:3]))
        for seed in range(8):
            torch.manual_seed(seed)
            made.loss(batch)
        tops = {float(mask.sum()) for _, mask in masks}
        assert len(tops) == 1 + both, lower


def test_a_pair_without_a_common_garment_teaches_nothing():
    batch = dressed_people((PANTS, 0))
    batch.source_label_map[batch.source_label_map == UPPER] = 0
    loss, terms = recipe().loss(batch)
    assert terms["l1"] == 0
    assert terms["perceptual"] == 0
    assert loss.isfinite()


def test_samples_show_the_largest_garment_and_change_nothing():
    made, batch = recipe(), dressed_people()
    before = torch.get_rng_state()
    shown = made.sample(batch)
    assert torch.equal(torch.get_rng_state(), before)
    mask = (batch.target_label_map == UPPER).unsqueeze(1).expand(-1, 3, -1, -1)
    assert (shown["garment"][~mask] == 1).all()
    torch.testing.assert_close(shown["dressed"][~mask], batch.target[~mask])
    torch.testing.assert_close(shown["dressed"][mask], shown["garment"][mask])


class Stripes:
    """Pairs of the same stripes, each a function of its index."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Pair:
        labels = np.zeros(SIZE, np.uint8)
        labels[4:20, 5:19] = UPPER
        image = np.zeros((*SIZE, 3), np.uint8)
        image[:, index::4] = 200
        pose = Pose(np.zeros((18, 2)), np.ones(18, bool), SIZE)
        one, other = Person(image, pose, labels), Person(image[:, ::-1].copy(), pose, labels)
        return Pair(one, other, str(index))


def test_a_stopped_run_continues_to_the_same_weights(tmp_path):
    options = {"options": Options(log_every=1, save_every=2), "sample_pairs": [Stripes()[0]]}
    stages = (STAGE.__class__("flow", 6, SIZE, batch_size=2, lr=1e-3),)
    whole = recipe()
    assert fit(whole, Stripes(), stages, tmp_path / "whole", **options).finished
    options["options"] = Options(log_every=1, save_every=2, max_seconds=0.0)
    for _ in range(12):
        parts = recipe()
        if fit(parts, Stripes(), stages, tmp_path / "parts", **options).finished:
            break
    for name, value in whole.nets.state_dict().items():
        torch.testing.assert_close(parts.nets.state_dict()[name], value, rtol=0, atol=0)
