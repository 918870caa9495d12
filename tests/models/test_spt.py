"""SPT's generator: its parts, its composition, and what it does with other maps and other sizes."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from pgt.checkpoint import load, save
from pgt.config import PRESETS
from pgt.models.spt import SPT_STAGES, SPTGenerator
from tests.models.tiny_spt import TINY_SPT

SIZE = TINY_SPT.image_size


@pytest.fixture
def person():
    """Arguments of `forward`: source, its map, joints before and after."""
    random = torch.Generator().manual_seed(0)
    joints = torch.rand(2, 2, 18, 2, generator=random) * torch.tensor([16.0, 32.0])
    seen = torch.ones(2, 18, dtype=torch.bool)
    labels = torch.randint(10, (2, *SIZE), generator=random)
    parsing = F.one_hot(labels, 10).permute(0, 3, 1, 2).float()
    return [torch.rand(2, 3, *SIZE, generator=random) * 2 - 1, parsing, joints[0], seen, joints[1], seen]


def generator(**changes) -> SPTGenerator:
    torch.manual_seed(0)
    return SPTGenerator.from_config(replace(TINY_SPT, **changes)).eval()


@pytest.mark.parametrize("patch_size", [1, 2])
@pytest.mark.parametrize("norm", ["layer", "instance", "none"])
def test_output_is_a_map_two_layers_and_their_composite(person, patch_size, norm):
    drawn = generator(patch_size=patch_size, norm=norm)(*person)

    assert drawn.parsing.shape == (2, 10, *SIZE)
    torch.testing.assert_close(drawn.parsing.sum(1), torch.ones(2, *SIZE))
    assert drawn.generated.shape == drawn.foreground.shape == drawn.background.shape == (2, 3, *SIZE)
    assert drawn.generated.abs().max() <= 1
    mask = (drawn.parsing.argmax(1, keepdim=True) != 0).float()
    torch.testing.assert_close(drawn.foreground_mask, mask)
    torch.testing.assert_close(drawn.generated, drawn.foreground * mask + drawn.background * (1 - mask))


def test_a_soft_mask_is_the_probability_of_a_person(person):
    drawn = generator(soft_mask=True)(*person)
    torch.testing.assert_close(drawn.foreground_mask, 1 - drawn.parsing[:, :1])


@pytest.mark.parametrize(
    "options", [{}, {"background_prefill": True, "hole_margin": 1}], ids=["empty", "filled"]
)
def test_the_background_network_never_sees_the_person(person, options):
    net, (source, parsing, *joints) = generator(**options), person
    painted = torch.where(parsing[:, :1] > 0, source, torch.rand_like(source))
    one, two = (net(image, parsing, *joints).background for image in (source, painted))
    assert torch.equal(one, two)


def test_a_filled_hole_takes_its_colours_from_around(person):
    net, (source, parsing, *_) = generator(background_prefill=True), person
    seen = []
    net.background.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    hole = 1 - parsing[:, :1]
    net.background(torch.full_like(source, 0.3), hole)
    torch.testing.assert_close(seen[0][:, :3], torch.full_like(source, 0.3))
    assert torch.equal(seen[0][:, 3:], hole)


def test_known_background_can_be_kept(person):
    drawn, free = generator(background_keeps_known=True)(*person), generator()(*person)
    known = (person[1].argmax(1, keepdim=True) == 0).expand(-1, 3, -1, -1)
    assert torch.equal(drawn.background[known], person[0][known])
    assert torch.equal(drawn.background[~known], free.background[~known])


def test_a_given_map_takes_the_place_of_the_predicted_one(person):
    net, given = generator(), person[1].flip(2)
    drawn = net(*person, parsing=given)
    assert torch.equal(drawn.parsing, given)
    assert not torch.equal(drawn.foreground, net(*person).foreground)


def test_without_guidance_no_map_has_influence(person):
    net, (source, parsing, *joints) = generator(guidance="none", background="none"), person
    drawn, other = net(source, parsing, *joints), net(source, parsing.flip(2), *joints)
    assert net.semantic is None
    assert net.background is None
    assert drawn.parsing is None
    assert torch.equal(drawn.generated, other.generated)


@pytest.mark.parametrize(
    ("change", "fewer"), [({"semantic_pose_masks": False}, 1), ({"semantic_heat_maps": False}, 18)]
)
def test_the_semantic_generator_can_do_without_masks_or_heat_maps(person, change, fewer):
    """Fig. 10a and b."""
    full, less = generator().semantic, generator(**change).semantic
    for side in ("source_encoder", "pose_encoder"):
        channels = [getattr(net, side).stem.in_channels for net in (full, less)]
        assert channels[0] - channels[1] == fewer
    generator(**change)(*person)


def test_features_travel_with_the_body(person):
    """A source feature at the source's limb must be found at the target's: no skips, no warps, no way."""
    net, (source, parsing, from_joints, seen, to_joints, _) = generator(), person
    still = net(source, parsing, from_joints, seen, to_joints, seen, parsing=parsing).foreground
    net.foreground.config = replace(net.config, num_warped_skips=0)
    assert not torch.equal(
        still, net(source, parsing, from_joints, seen, to_joints, seen, parsing=parsing).foreground
    )


def test_missing_joints_of_any_kind_give_a_picture(person):
    source, parsing, before, seen, after, _ = person
    for hidden in ([2, 5, 8, 11], list(range(18))):
        some = seen.clone()
        some[:, hidden] = False
        for visible in ((some, seen), (seen, some), (some, some)):
            drawn = generator()(source, parsing, before, visible[0], after, visible[1])
            assert drawn.generated.isfinite().all()


def test_a_picture_of_another_size_is_refused(person):
    with pytest.raises(ValueError, match=r"source is \(32, 8\)"):
        generator()(person[0][..., :8], *person[1:])


def test_a_saved_generator_draws_the_same(person, tmp_path):
    net = generator()
    loaded = load(save(net, tmp_path / "spt"), quiet=True)
    torch.testing.assert_close(loaded(*person).generated, net(*person).generated)


def test_paper_presets_use_nothing_of_ours():
    for name in ("spt-deepfashion", "spt-market1501"):
        config = PRESETS[name]
        assert (config.patch_size, config.ema_decay, config.joint_ce_weight) == (1, 0, 0)
        assert not any((config.background_keeps_known, config.soft_mask, config.discriminator_parsing))
        assert (config.ce_weight, config.style_weight, config.betas) == (100, 1, (0.5, 0.999))
        assert {stage.lr for stage in config.stages} == {2e-4}
    fashion, market = PRESETS["spt-deepfashion"], PRESETS["spt-market1501"]
    assert (fashion.pose_weight, fashion.content_weight) == (700, 0.03)
    assert (market.pose_weight, market.content_weight, market.face_weight) == (1, 0.003, 0)
    assert {stage.batch_size for stage in fashion.stages} == {4}
    assert {stage.batch_size for stage in market.stages} == {16}


def test_the_four_configurations_of_table_3_differ_in_guidance_and_stages():
    ours = PRESETS["spt-synthetic-128"]
    assert [stage.name for stage in ours.stages] == ["semantic", "appearance", "background", "end_to_end"]
    assert PRESETS["spt-synthetic-128-ts-pred"] == replace(ours, stages=ours.stages[:3])
    assert PRESETS["spt-synthetic-128-ts-gt"] == replace(ours, guidance="true", stages=ours.stages[1:3])
    blind = replace(ours, guidance="none", background="none", style="mask", stages=ours.stages[1:2])
    assert PRESETS["spt-synthetic-128-baseline"] == blind


def test_a_baseline_with_a_background_network_is_refused():
    with pytest.raises(ValueError, match="no foreground mask"):
        replace(TINY_SPT, guidance="none")


def test_a_grown_generator_draws_both_sizes(person):
    """Section 4.1, 128 and then 256: until the stage "fine" the large picture is the small one enlarged."""
    wide = {"widths": (3, *TINY_SPT.widths), "background_widths": (3, *TINY_SPT.widths)}
    net = generator(grown=True, image_size=(64, 32), **wide)
    source, parsing, before, seen, after, _ = person
    large = [F.interpolate(one, scale_factor=2, mode="nearest") for one in (source, parsing)]
    joints = [2 * before + 0.5, seen, 2 * after + 0.5, seen]
    net.trained_stages = ("semantic", "appearance", "end_to_end")

    small = net(*person)
    drawn = net(*large, *joints)

    assert small.generated.shape == (2, 3, *SIZE)
    assert drawn.generated.shape == (2, 3, 64, 32)
    blocks = drawn.foreground.unflatten(3, (16, 2)).unflatten(2, (32, 2))
    torch.testing.assert_close(blocks.amax((3, 5)), blocks.amin((3, 5)))
    net.trained_stages = SPT_STAGES
    fine = net(*large, *joints).foreground.unflatten(3, (16, 2)).unflatten(2, (32, 2))
    assert (fine.amax((3, 5)) > fine.amin((3, 5)) + 1e-4).any()
    torch.testing.assert_close(drawn.parsing, net(*large, *joints).parsing)
