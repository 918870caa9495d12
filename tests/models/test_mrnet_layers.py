"""MR-Net's layers are the listed ones, or the released ones, and its config is plain data."""

import json
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgt.config.mrnet import MRNET_PRESETS, MRNetConfig
from pgt.models.mrnet import MRNetGenerator, MRNetInputs
from pgt.models.mrnet_networks import BackgroundEncoder, PathEncoder
from tests.models.tiny_mrnet import RELEASED_LAYERS, SIZE, TINY_MRNET

PAPER = ["mrnet-market1501", "mrnet-penn-action", "mrnet-bbc-pose"]


def generator(**changes) -> MRNetGenerator:
    torch.manual_seed(0)
    return MRNetGenerator.from_config(replace(TINY_MRNET, **changes)).eval()


def num_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("preset", "count"),
    [("mrnet-market1501", 12_817_401), ("mrnet-penn-action", 12_813_401), ("mrnet-bbc-pose", 12_808_601)],
)
def test_parameter_counts_of_the_released_layer_plan(preset, count):
    with torch.device("meta"):
        made = MRNetGenerator.from_config(replace(MRNET_PRESETS[preset], **RELEASED_LAYERS))
    assert num_parameters(made) == count


def test_parameter_count_of_the_paper_s_list():
    """Section IV-A, layer by layer: (kernel, in, out), with the scale and shift of each batch norm."""
    joints = 13
    pose = [(joints, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256)]
    person = [(3, 32), *((2 * before, after) for before, after in pose[1:])]
    background = [(5, 4, 32), (5, 32, 64), *[(3, 64, 64)] * 3, (5, 64, 128)]
    decoder = [
        (1, 512, 256), (5, 256, 128), (5, 128 + 256, 128), (5, 128, 64), (5, 64 + 128 + 128, 64),
        (5, 64, 32), (5, 32 + 64 + 64, 32),
    ]  # fmt: skip
    layers = [*((5, *widths) for widths in (*pose, *person)), *background, *decoder]
    total = sum(kernel**2 * before * after + 3 * after for kernel, before, after in layers)
    total += 25 * 32 * 3 + 3  # the last convolution has no norm
    for width in (128, 64):  # theta, phi and g, W and its norm
        total += 3 * (width * width // 4 + width // 4) + width // 4 * width + 3 * width
    with torch.device("meta"):
        assert num_parameters(MRNetGenerator.from_config(MRNET_PRESETS["mrnet-penn-action"])) == total


def literal_round(network: nn.Module, inputs: MRNetInputs) -> Tensor:
    """Section IV-A's list as it stands there, with the weights of `network` in evaluation mode."""

    def normed(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
        mean, var, scale, shift = (
            one.view(-1, 1, 1) for one in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        return (x - mean) / (var + norm.eps).sqrt() * scale + shift

    def layer(made: nn.Module, x: Tensor, dilation: int = 1) -> Tensor:
        padding = made.conv.kernel_size[0] // 2 * dilation
        x = F.conv2d(x, made.conv.weight, made.conv.bias, padding=padding, dilation=dilation)
        return normed(made.norm, x).clamp_min(0)

    def non_local(block: nn.Module, x: Tensor) -> Tensor:
        query, key, value = (
            F.conv2d(x, one.weight, one.bias).flatten(2) for one in (block.query, block.key, block.value)
        )
        seen = (value @ torch.softmax(query.mT @ key, -1).mT).unflatten(2, x.shape[2:])
        return x + normed(block.norm, F.conv2d(seen, block.output.weight, block.output.bias))

    def down(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2)

    def up(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    poses, people = (
        path.layers for path in (network.person_encoder.pose_path, network.person_encoder.person_path)
    )
    pose, person, skips = inputs.pose, inputs.foreground, []
    for k in range(8):
        pose, person = layer(poses[k], pose), layer(people[k], person)
        if k % 2 == 0:
            pose, person = down(pose), down(person)
        skips.append(torch.cat([pose, person], 1))
        person = torch.cat([person, pose], 1)
    scene, decoder = network.background_encoder, network.decoder
    x = layer(scene.top[0], torch.cat([inputs.background, inputs.person_mask], 1))
    half = x = down(layer(scene.top[1], x))
    for made, dilation in zip(scene.dilated, (2, 4, 8), strict=True):
        x = layer(made, x, dilation)
    quarter = down(layer(scene.bottom, x))
    x = layer(decoder.fusion, skips[7])
    x = non_local(decoder.non_local[0], up(layer(decoder.ups[0], x)))
    x = layer(decoder.joins[0], torch.cat([skips[5], x], 1))
    x = non_local(decoder.non_local[1], up(layer(decoder.ups[1], x)))
    x = layer(decoder.joins[1], torch.cat([skips[3], x, quarter], 1))
    x = layer(decoder.joins[2], torch.cat([skips[1], up(layer(decoder.ups[2], x)), half], 1))
    last = decoder.output.conv
    return up(F.conv2d(x, last.weight, last.bias, padding=2).tanh())


def test_a_round_is_the_paper_s_list_layer_by_layer():
    made, random = generator(), torch.Generator().manual_seed(0)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):  # fresh ones change nothing
            for values, low, high in ((module.running_mean, -1, 1), (module.running_var, 0.5, 2)):
                values.uniform_(low, high, generator=random)
            nn.init.uniform_(module.weight, 0.5, 2.0, generator=random)
            nn.init.uniform_(module.bias, -1.0, 1.0, generator=random)
    pose, mask = torch.rand(2, 18, *SIZE, generator=random), torch.rand(2, 1, *SIZE, generator=random) > 0.5
    foreground, background = torch.randn(2, 2, 3, *SIZE, generator=random)
    inputs = MRNetInputs(pose, foreground, background, mask.float(), None, None)
    with torch.no_grad():
        (drawn,) = made.network(inputs, 1)
        torch.testing.assert_close(drawn, literal_round(made.network, inputs), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("resampling", ["after", "before"])
def test_encoders_halve_four_times_two_layers_a_width(resampling):
    config = replace(TINY_MRNET, resampling=resampling)
    outputs = PathEncoder(config, 5)(torch.zeros(1, 5, *SIZE))
    assert [tuple(one.shape[1:]) for one in outputs] == [
        (4, 32, 16), (4, 32, 16), (6, 16, 8), (6, 16, 8), (8, 8, 4), (8, 8, 4), (10, 4, 2), (10, 4, 2)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("resampling", "sizes"), [("after", [(128, 64)] * 2), ("before", [(128, 64), (64, 32)])]
)
@pytest.mark.parametrize(("padding", "dilated"), [("same", (64, 32)), ("released", (42, 10))])
def test_dilated_maps_keep_their_size_or_shrink_as_released(resampling, sizes, padding, dilated):
    """Trap of the released code: 64x32 maps shrink to 42x10, and "Up(32x32)" stretches them again."""
    encoder = BackgroundEncoder(replace(TINY_MRNET, dilated_padding=padding, resampling=resampling), 4)
    seen = []
    for layer in (*encoder.top, encoder.dilated[-1]):
        layer.conv.register_forward_hook(lambda module, inputs, result: seen.append(result.shape[2:]))
    half, quarter = encoder(torch.zeros(2, 4, 128, 64))
    assert [tuple(size) for size in seen] == [*sizes, dilated]
    assert (half.shape, quarter.shape) == ((2, 6, 64, 32), (2, 8, 32, 16))


def test_the_pose_guides_every_layer_or_three_as_released():
    every = generator().network.person_encoder.person_path
    three = generator(guidance="three_layers").network.person_encoder.person_path
    assert every.guided == {0, 1, 2, 3, 4, 5, 6}
    assert three.guided == {0, 3, 5}


def test_without_non_local_blocks_there_are_none():
    assert len(generator().network.decoder.non_local) == 2
    assert len(generator(non_local=False).network.decoder.non_local) == 0


# --- the config ---


@pytest.mark.parametrize("name", MRNET_PRESETS)
def test_a_preset_survives_json_and_is_trained_at_its_size(name):
    config = MRNET_PRESETS[name]
    assert MRNetConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert {stage.image_size for stage in config.stages} == {config.image_size}
    assert [stage.name for stage in config.stages] == ["rounds"]


@pytest.mark.parametrize("name", PAPER)
def test_paper_presets_have_the_numbers_of_section_4_and_nothing_of_ours(name):
    config = MRNET_PRESETS[name]
    assert (config.num_rounds, config.perceptual_weight, config.roi_weight) == (3, 0.5, 0.05)
    assert (config.roi_sizes, config.features) == ((30, 30, 15, 7, 4), "vgg19")
    assert {stage.lr for stage in config.stages} == {2e-4}
    assert config.image_size == ((128, 64) if name == "mrnet-market1501" else (128, 128))
    ours = ("norm", "initialisation", "output", "blend", "filled_hole", "source_pose_input",
            "warped_input", "appearance_code", "max_grad_norm", "ema_decay", "adversarial_weight",
            "weight_decay", "reconstruction")  # fmt: skip
    assert all(getattr(config, field) == getattr(MRNetConfig(), field) for field in (*ours, *RELEASED_LAYERS))
    defaults = {field: MRNetConfig.__dataclass_fields__[field].default for field in ours}
    assert list(defaults.values()) == [
        "batch",
        "default",
        "listed",
        False,
        False,
        False,
        False,
        False,
        None,
        0,
        0,
        0,
        "weighted",
    ]


def test_presets_know_the_joints_of_their_data():
    sets = {name: MRNET_PRESETS[name].joint_set for name in PAPER}
    assert sets == dict(zip(PAPER, ("openpose-18", "penn-action-13", "bbc-pose-7"), strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joint_set": "coco"}, "joint_set must be one of"),
        ({"resampling": "never"}, "resampling must be one of"),
        ({"widths": (4, 6)}, "at least 3 widths"),
        ({"background_widths": (4, 6)}, "and 3 of the background"),
        ({"num_rounds": 0}, "num_rounds must be at least 1"),
        ({"image_size": (64, 40)}, "multiple of 16"),
    ],
)
def test_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY_MRNET, **change)


def test_bundled_weights_would_stay_under_twelve_megabytes_in_half_precision():
    with torch.device("meta"):
        made = MRNetGenerator.from_config(MRNET_PRESETS["mrnet-synthetic-128"])
    assert 2 * num_parameters(made) < 12_000_000
