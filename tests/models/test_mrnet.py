"""What MR-Net's branches read, and what its rounds draw."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from pgt.checkpoint import load, save
from pgt.config import MRNetConfig
from pgt.data.parsing import LABELS
from pgt.data.person import Person, signed_to_uint8
from pgt.data.pose import FLIP_JOINTS, Pose
from pgt.models.mrnet import MRNetGenerator, person_mask
from pgt.models.mrnet_networks import appearance_code
from pgt.models.part_warp import PartWarp
from pgt.predictor import Predictor
from tests.models.tiny_mrnet import OURS, RELEASED_LAYERS, SIZE, TINY_MRNET


@pytest.fixture
def person() -> dict[str, Tensor]:
    """Two people of noise, each a rectangle that is to move."""
    random = torch.Generator().manual_seed(0)
    at = torch.rand(2, 2, 18, 2, generator=random) * torch.tensor([10.0, 40.0])
    mask = torch.zeros(2, 1, *SIZE)
    mask[:, :, 10:52, 4:16] = 1
    return {
        "source": torch.rand(2, 3, *SIZE, generator=random) * 2 - 1,
        "source_keypoints": at[0] + torch.tensor([5.0, 11.0]),
        "source_visible": torch.ones(2, 18, dtype=torch.bool),
        "target_keypoints": at[1] + torch.tensor([15.0, 11.0]),
        "target_visible": torch.ones(2, 18, dtype=torch.bool),
        "source_person_mask": mask,
    }


def generator(**changes) -> MRNetGenerator:
    torch.manual_seed(0)
    return MRNetGenerator.from_config(replace(TINY_MRNET, **changes)).eval()


def num_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def moved(person: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same people, asked for another pose."""
    return person | {"target_keypoints": person["target_keypoints"] - 6}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        RELEASED_LAYERS,
        OURS,
        {"two_paths": False, "norm": "instance"},
        {"norm": "none", "non_local": False},
    ],
)
def test_each_round_is_a_picture(person, changes):
    made = generator(**({**changes, "dilated_padding": "same"}))
    drawn = made(**person)
    assert len(drawn.refinements) == 3
    for picture in drawn.refinements:
        assert picture.shape == (2, 3, *SIZE)
        assert picture.abs().max() <= 1
    assert drawn.generated is drawn.refinements[-1]
    assert torch.equal(drawn.foreground + drawn.background, person["source"])


@pytest.mark.parametrize("changes", [{}, OURS | {"blend": False}])
def test_rounds_equal_the_loop_of_the_paper(person, changes):
    """Every round anew from all inputs, the last picture in place of the background, the same mask."""
    made = generator(**changes)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):  # fresh statistics would hide what they do
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 2.0)
    joints = [(person[f"{side}_keypoints"], person[f"{side}_visible"]) for side in ("source", "target")]
    inputs = made.inputs(person["source"], person["source_person_mask"], *joints)
    background = person["source"] * (1 - person["source_person_mask"])
    for picture in made(**person, num_rounds=4).refinements:
        (literal,) = made.network(inputs._replace(background=background), 1)
        torch.testing.assert_close(picture, literal, atol=1e-5, rtol=1e-5)
        background = literal


def test_rounds_share_one_look_at_the_person(person):
    """Section III-C: only the background branch and what follows it run again."""
    made, calls = generator(), Counter()
    network = made.network
    for part in (network.person_encoder, network.background_encoder, network.decoder.fusion):
        part.register_forward_hook(lambda module, inputs, result: calls.update([module]))
    made(**person, num_rounds=4)
    assert calls[network.person_encoder] == calls[network.decoder.fusion] == 1
    assert calls[network.background_encoder] == 4


def test_the_number_of_rounds_is_the_caller_s(person):
    made = generator()
    few, many = made(**person, num_rounds=1), made(**person, num_rounds=5)
    assert (len(few.refinements), len(many.refinements)) == (1, 5)
    torch.testing.assert_close(few.generated, many.refinements[0])
    with pytest.raises(ValueError, match="num_rounds must be at least 1, got 0"):
        made(**person, num_rounds=0)


def test_later_rounds_teach_earlier_ones(person):
    """Gradients run through all rounds, as in the released code."""
    rounds = generator(norm="none")(**person).refinements
    (gradient,) = torch.autograd.grad(rounds[2].square().sum(), rounds[0])
    assert gradient.any()


def test_the_background_branch_never_sees_the_person_and_the_person_branch_nothing_else(person):
    made, mask = generator(), person["source_person_mask"]
    seen = {}
    for name in ("background_encoder", "person_encoder"):
        getattr(made.network, name).register_forward_pre_hook(
            lambda module, inputs, name=name: seen.setdefault(name, inputs)
        )
    made(**person, num_rounds=1)
    (background,), (_, foreground) = seen["background_encoder"], seen["person_encoder"]
    assert not (background[:, :3] * mask).any()
    assert torch.equal(background[:, 3:], mask)
    assert not (foreground * (1 - mask)).any()
    assert torch.equal(foreground + background[:, :3], person["source"])


def test_where_nothing_is_drawn_a_blended_picture_is_the_source_s_background(person):
    """In every round, so that many rounds blur it no more than one."""
    made = generator(**OURS)
    with torch.no_grad():
        made.network.decoder.output.conv.weight.zero_()
        made.network.decoder.output.conv.bias[3] = -100.0  # the channel that says where
    drawn = made(**person)
    for picture in drawn.refinements:
        torch.testing.assert_close(picture, drawn.background)


def test_a_blended_picture_is_always_drawn_where_the_person_was(person):
    made, mask = generator(**OURS), person["source_person_mask"]
    with torch.no_grad():
        made.network.decoder.output.conv.weight.zero_()
        made.network.decoder.output.conv.bias.copy_(torch.tensor([0.5, 0.5, 0.5, -100.0]))
    drawn = made(**person)
    torch.testing.assert_close(drawn.generated, drawn.background + torch.tensor(0.5).tanh() * mask)


def test_a_fresh_blended_picture_is_nearly_the_background(person):
    drawn, seen = generator(**OURS)(**person), 1 - person["source_person_mask"]
    assert ((drawn.generated - drawn.background) * seen).abs().mean() < 0.1


@pytest.mark.parametrize(("joint_set", "channels"), [("penn-action-13", 13), ("bbc-pose-7", 7)])
def test_other_sets_of_joints_read_what_they_know(person, joint_set, channels):
    made = generator(joint_set=joint_set)
    assert made.network.person_encoder.pose_path.layers[0].conv.in_channels == channels
    drawn = made(**person).generated
    neck = person["target_keypoints"].clone()
    neck[:, 1] += 5
    torch.testing.assert_close(made(**(person | {"target_keypoints": neck})).generated, drawn)
    wrist = person["target_keypoints"].clone()
    wrist[:, 4] += 5
    assert not torch.equal(made(**(person | {"target_keypoints": wrist})).generated, drawn)


def test_heat_maps_are_discs_of_radius_5(person):
    """Trap of a descendant: heat maps stored as bytes have one pixel a joint. These have 81."""
    made = generator(pose_radius=MRNetConfig().pose_radius)
    joints = torch.full((1, 18, 2), 16.0), torch.ones(1, 18, dtype=torch.bool)
    pose = made.inputs(person["source"][:1], person["source_person_mask"][:1], joints, joints).pose
    assert pose.dtype == torch.float32
    assert pose.unique().tolist() == [0, 1]
    assert (pose.sum((2, 3)) == 81).all()


@pytest.mark.parametrize("changes", [{}, OURS, {"joint_set": "bbc-pose-7"}])
def test_missing_joints_of_any_kind_give_a_picture(person, changes):
    for hidden in ([2, 5, 8, 11], [0, 14, 15, 16, 17], list(range(18))):
        some = person["source_visible"].clone()
        some[:, hidden] = False
        for sides in (("source",), ("target",), ("source", "target")):
            given = person | {f"{side}_visible": some for side in sides}
            assert generator(**changes)(**given).generated.isfinite().all()
            assert generator(**changes)(**(given | {"source_person_mask": None})).generated.isfinite().all()


def test_a_hidden_joint_has_no_influence_wherever_it_is(person):
    made, hidden = generator(), person["target_visible"].clone()
    hidden[:, 4] = False
    elsewhere = person["target_keypoints"].clone()
    elsewhere[:, 4] += 7
    one, other = (
        made(**(person | {"target_visible": hidden, "target_keypoints": points})).generated
        for points in (person["target_keypoints"], elsewhere)
    )
    assert torch.equal(one, other)


def test_left_and_right_are_told_apart(person):
    """A flip must swap channels, so joints that swap sides must matter."""
    swapped = person | {"target_keypoints": person["target_keypoints"][:, list(FLIP_JOINTS)]}
    assert not torch.equal(generator()(**swapped).generated, generator()(**person).generated)


def test_one_path_sees_pose_and_person_together(person):
    """Table III, #Path: an encoder like E_fg in place of two."""
    one = generator(two_paths=False)
    assert one.network.person_encoder.person_path.layers[0].conv.in_channels == 18 + 3
    assert num_parameters(one) < num_parameters(generator())
    assert not torch.equal(one(**person).generated, one(**moved(person)).generated)


def test_as_listed_the_last_layer_draws_at_half_size(person):
    """K5C3 - Up2: each 2x2 is one colour. The released code and ours draw every pixel."""
    for changes, one_colour in (
        ({}, True),
        ({"resampling": "before"}, False),
        ({"output": "full_size"}, False),
    ):
        made = generator(**changes)
        nn.init.normal_(made.network.decoder.output.conv.weight)
        blocks = made(**person).generated.unflatten(3, (16, 2)).unflatten(2, (32, 2))
        assert torch.equal(blocks.amax((3, 5)), blocks.amin((3, 5))) == one_colour


def test_the_appearance_code_is_the_same_wherever_the_person_stands():
    """And knows nothing of what is around them; of nobody it is zero."""
    torch.manual_seed(0)
    person = torch.rand(1, 5, 4, 2)
    mask, levels = torch.zeros(2, 1, 32, 32), [torch.randn(2, 5, 16, 16), torch.zeros(2, 3, 8, 8)]
    for k, (y, x) in enumerate(((4, 2), (10, 12))):
        mask[k, :, 2 * y : 2 * y + 8, 2 * x : 2 * x + 4] = 1
        levels[0][k, :, y : y + 4, x : x + 2] = person[0]
    code = appearance_code(levels, mask)
    torch.testing.assert_close(code[0], code[1])
    torch.testing.assert_close(code[0, :5, 0, 0], person[0].mean((1, 2)))
    assert not appearance_code(levels, torch.zeros_like(mask)).any()


def test_without_the_code_only_the_bottleneck_leads_across_the_picture(person):
    """A fresh decoder sees the person's colours everywhere with it: its fusion is that much wider."""
    made = generator(**(OURS | {"appearance_code": False})), generator(**OURS)
    without, with_code = (one.network.decoder.fusion.conv.in_channels for one in made)
    assert with_code - without == sum(made[1].network.person_encoder.out_channels)
    code = {}
    made[1].network.decoder.fusion.register_forward_pre_hook(lambda module, inputs: code.update(x=inputs[0]))
    made[1](**person)
    everywhere = code["x"][:, without:]
    assert torch.equal(everywhere, everywhere[..., :1, :1].expand_as(everywhere))
    assert everywhere.abs().sum() > 0


def test_a_filled_hole_is_what_a_fresh_network_shows(person):
    """From around it, without a pixel of the person; it is drawn over where the network says so."""
    source, mask = person["source"], person["source_person_mask"]
    wall = torch.full_like(source, 0.5) * (1 - mask) - mask  # a black person before a wall
    drawn = generator(**OURS, filled_hole=True)(**(person | {"source": wall}))
    torch.testing.assert_close(drawn.background, torch.full_like(wall, 0.5))
    filled = (drawn.generated - 0.5).abs()
    empty = (generator(**OURS)(**(person | {"source": wall})).generated - 0.5).abs()
    assert (filled * mask).sum() < 0.5 * (empty * mask).sum()


def test_the_warped_input_is_the_part_warp_without_its_background(person):
    """Where the warp is opaque it shows the person in the target pose; elsewhere nothing."""
    joints = [(person[f"{side}_keypoints"], person[f"{side}_visible"]) for side in ("source", "target")]
    source, mask = person["source"], person["source_person_mask"]
    assert generator().inputs(source, mask, *joints).warped is None
    seen = generator(**OURS).inputs(source, mask, *joints).warped
    warp = PartWarp()(**person)
    torch.testing.assert_close(seen[:, 3:], warp.coverage)
    assert 0 < warp.coverage.mean() < 1
    torch.testing.assert_close(seen[:, :3], warp.generated - (1 - warp.coverage) * warp.background)


def test_labels_tell_the_warped_input_s_parts_apart(person):
    joints = [(person[f"{side}_keypoints"], person[f"{side}_visible"]) for side in ("source", "target")]
    trousers = LABELS.index("pants") * person["source_person_mask"][:, 0].long()
    source, mask = person["source"], person["source_person_mask"]
    plain, told = (
        generator(**OURS).inputs(source, mask, *joints, labels).warped for labels in (None, trousers)
    )
    assert not torch.equal(plain, told)  # no arm may take pixels of trousers
    drawn = generator(**OURS)(**person, source_label_map=trousers).generated
    assert not torch.equal(drawn, generator(**OURS)(**person).generated)


# --- where the person is ---


def test_the_mask_is_given_or_what_is_labelled_or_guessed(person):
    source, joints = person["source"], (person["source_keypoints"], person["source_visible"])
    mask, labels = person["source_person_mask"], torch.zeros(2, *SIZE).long()
    labels[:, 30:40] = 7
    assert torch.equal(person_mask(source, *joints, mask, labels), mask)
    assert torch.equal(person_mask(source, *joints, None, labels), (labels > 0).float().unsqueeze(1))

    source = torch.full_like(source, -0.5)
    source[:, :, 10:52, 4:16] = 0.8
    upright = torch.tensor(
        [(10, 15), (10, 20), (7, 21), (6, 27), (6, 33), (13, 21), (14, 27), (14, 33), (8, 33),
         (8, 41), (8, 48), (12, 33), (12, 41), (12, 48), (9, 14), (11, 14), (8, 15), (12, 15)]
    ).float()  # fmt: skip
    guessed = person_mask(source, upright.expand(2, -1, -1), joints[1])
    overlap = (guessed * mask).sum() / (guessed + mask).clamp_max(1).sum()
    assert guessed.unique().tolist() == [0, 1]
    assert overlap > 0.7


# --- use ---


def test_the_predictor_feeds_it(person):
    made = generator(**OURS)
    one = Person(
        signed_to_uint8(person["source"][0]).numpy(),
        Pose(person["source_keypoints"][0].numpy(), person["source_visible"][0].numpy(), SIZE),
        person_mask=person["source_person_mask"][0, 0].numpy() > 0,
    )
    target = Pose(person["target_keypoints"][0].numpy(), person["target_visible"][0].numpy(), SIZE)
    prediction = Predictor(made).generate(one, target)
    expected = signed_to_uint8(
        made(**{name: value[:1] for name, value in person.items()}).generated[0]
    ).numpy()
    assert abs(prediction.image.astype(int) - expected).max() <= 1  # the source was rounded to bytes
    assert (prediction.background[one.person_mask] == 128).all()


def test_a_picture_of_another_size_is_refused(person):
    with pytest.raises(ValueError, match=r"source is \(64, 16\), this model draws \(64, 32\)"):
        generator()(**(person | {"source": person["source"][..., :16]}))


def test_a_saved_generator_draws_the_same(person, tmp_path):
    made = generator(**OURS)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -1.0, 1.0)
    loaded = load(save(made, tmp_path / "mrnet"), quiet=True)
    assert loaded.config == made.config
    assert torch.equal(loaded(**person).generated, made(**person).generated)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_he_weights_keep_the_size_of_a_signal(norm):
    wide = replace(
        TINY_MRNET, widths=(16, 24, 32, 32), background_widths=(16, 24, 32), initialisation="he", norm=norm
    )
    torch.manual_seed(0)
    network = MRNetGenerator.from_config(wide).network.train()
    network.decoder.output = nn.Identity()
    levels = network.person_encoder(torch.randn(4, 18, *SIZE), torch.randn(4, 3, *SIZE))
    half, quarter = network.background_encoder(torch.randn(4, 4, *SIZE))
    drawn = network.decoder.finish(network.decoder.begin(levels), levels, half, quarter)
    assert 0.2 < drawn.std() < 5


def test_channels_last_changes_nothing_but_the_layout(person):
    made = generator(**OURS)
    expected = made(**person).generated
    made = made.to(memory_format=torch.channels_last)
    given = person | {"source": person["source"].contiguous(memory_format=torch.channels_last)}
    torch.testing.assert_close(made(**given).generated, expected, atol=1e-5, rtol=1e-5)
