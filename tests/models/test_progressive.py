"""Progressive's autoencoder: layers, growth, what the pose does, and that a checkpoint rebuilds it."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgt.config.progressive import PROGRESSIVE_PRESETS, ProgressiveConfig, Stage
from pgt.data.person import Person
from pgt.data.pose import Pose
from pgt.models.progressive import Autoencoder, ProgressiveGenerator, level_poses
from pgt.predictor import Predictor

SIZES = ((16, 8), (32, 16), (64, 32))  # twice as high as wide, for H and W are easily swapped
TINY = ProgressiveConfig(
    image_size=SIZES[-1],
    widths=(10, 8, 6, 5, 4),
    pose_sigma=1.0,
    descriptors=(18, 18, 31),
    discriminator_channels=4,
    stages=tuple(Stage(f"level_{size[0]}", 4, size, batch_size=2, lr=1e-3) for size in SIZES),
)


def build(stages: tuple[str, ...] | None = None, **changes) -> ProgressiveGenerator:
    torch.manual_seed(0)
    return ProgressiveGenerator.from_config(replace(TINY, **changes), stages).eval()


def inputs(size: tuple[int, int]) -> dict[str, Tensor]:
    """Noise for everything a generator may read."""
    random = torch.Generator().manual_seed(0)
    corner = torch.tensor([size[1] - 1.0, size[0] - 1.0])
    return {
        "source": torch.rand(2, 3, *size, generator=random) * 2 - 1,
        "target_keypoints": torch.rand(2, 18, 2, generator=random) * corner,
        "target_visible": torch.ones(2, 18, dtype=torch.bool),
        "source_keypoints": torch.rand(2, 18, 2, generator=random) * corner,
        "source_visible": torch.ones(2, 18, dtype=torch.bool),
    }


def literal_autoencoder(net: Autoencoder, level: int, source: Tensor, pose: Tensor) -> Tensor:
    """Section 3.4 step by step: 1x1, twice (3x3, batch norm, leaky ReLU 0.2), halve, join, double, 1x1."""

    def block(block: nn.Module, x: Tensor) -> Tensor:
        for conv, norm in zip(block.convs, block.norms, strict=True):
            x = F.conv2d(x, conv.weight, padding=1)
            mean, std = (
                norm.running_mean.view(1, -1, 1, 1),
                (norm.running_var + norm.eps).sqrt().view(1, -1, 1, 1),
            )
            x = (x - mean) / std * norm.weight.view(1, -1, 1, 1) + norm.bias.view(1, -1, 1, 1)
            x = torch.where(x > 0, x, 0.2 * x)
        return x

    features, x = {}, net.from_rgb[level - 1](source)
    for k in range(level, 0, -1):
        features[k] = block(net.downs[k], x)
        four = [features[k][..., i::2, j::2] for i in (0, 1) for j in (0, 1)]
        x = sum(four) / 4  # average pooling
    x = block(net.ups[0], torch.cat([block(net.downs[0], x), pose], dim=1))
    for k in range(1, level + 1):
        x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)  # nearest neighbour
        x = block(net.ups[k], torch.cat([x, features[k]], dim=1))
    return net.to_rgb[level - 1](x)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_autoencoder_equals_the_text(level):
    net, size = build().autoencoder, TINY.level_size(level)
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):  # as if it had been trained
            for value in (norm.running_mean, norm.running_var, norm.weight.data, norm.bias.data):
                value.uniform_(0.5, 1.5)
    source, pose = torch.rand(2, 3, *size), torch.rand(2, 18, 8, 4)
    torch.testing.assert_close(net(source, [pose])[0], literal_autoencoder(net, level, source, pose))


def test_the_paper_starts_at_64_with_a_bottleneck_of_1024_by_32_by_32():
    with torch.device("meta"):
        net = Autoencoder(PROGRESSIVE_PRESETS["progressive-human36m"])
    seen: list[tuple[int, ...]] = []
    hook = lambda module, inputs, output: seen.append(tuple(output.shape[1:]))  # noqa: E731
    for block in net.downs:
        block.register_forward_hook(hook)
    for side in (64, 1024):
        seen.clear()
        drawn, _ = net(
            torch.empty(1, 3, side, side, device="meta"), [torch.empty(1, 18, 32, 32, device="meta")]
        )
        assert drawn.shape == (1, 3, side, side)
        assert seen[-1] == (1024, 32, 32)
        # Channels are halved as the size doubles.
        assert all(width * height == 1024 * 32 for width, height, _ in seen)
    assert len(seen) == 6


def test_growth_adds_almost_no_weights():
    """As many as another implementation of the paper's text counted: 2.36, 0.59, 0.15 and 0.04 million."""
    with torch.device("meta"):
        net = Autoencoder(PROGRESSIVE_PRESETS["progressive-human36m"])
    counts = [sum(weight.numel() for weight in net.used_at(level)) for level in range(1, 6)]
    added = [after - before for before, after in pairwise(counts)]
    assert [round(count / 1e6, 2) for count in added] == [2.36, 0.59, 0.15, 0.04]


def test_he_initialisation_of_every_convolution():
    net = Autoencoder(replace(TINY, widths=(64, 64, 64, 64, 64), output_scale=0.5))
    for name, layer in net.named_modules():
        if isinstance(layer, nn.Conv2d):
            expected = (2 / (1 + 0.2**2) / layer.weight[0].numel()) ** 0.5
            expected *= 0.5 if name.startswith("to_rgb") else 1.0
            assert layer.weight.std().item() == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("changes", [{}, {"pose_joins": 3, "source_pose_input": True, "norm": "none"}])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_level_uses_its_own_weights_and_those_below(level, changes):
    net, size = build(**changes).autoencoder.train(), TINY.level_size(level)
    tensors = inputs(size)
    poses = [
        level_poses(net.config, tensors[f"{side}_keypoints"], tensors[f"{side}_visible"], size)
        for side in ("target", "source")
    ]
    net(tensors["source"], *poses)[0].square().sum().backward()
    used = {id(parameter) for parameter in net.used_at(level)}
    for name, parameter in net.named_parameters():
        assert (parameter.grad is not None and bool(parameter.grad.any())) == (id(parameter) in used), name


def test_the_pose_is_equation_1_at_the_size_of_the_bottleneck():
    """Trap: heat maps are floats with a bump as wide as sigma, not single pixels."""
    config = PROGRESSIVE_PRESETS["progressive-human36m"]
    keypoints, visible = torch.rand(1, 18, 2) * 1023, torch.ones(1, 18, dtype=torch.bool)
    visible[0, 8] = False
    (pose,) = level_poses(config, keypoints, visible, (1024, 1024))
    assert pose.shape == (1, 18, 32, 32)
    assert pose.dtype == torch.float32
    for k in range(18):
        u, v = ((keypoints[0, k] + 0.5) / 32 - 0.5).tolist()  # in pixels of 32 x 32
        for x, y in ((3, 4), (30, 17), (16, 16)):
            expected = np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * 3.2**2)) if visible[0, k] else 0
            assert pose[0, k, y, x].item() == pytest.approx(expected, abs=1e-5)
    assert (pose[0, 0] > 0.01).sum() > 50


def test_the_pose_is_drawn_alike_at_every_level():
    """A person and the same person in a picture twice as large have the same maps."""
    tensors = inputs(SIZES[0])
    small = level_poses(TINY, tensors["target_keypoints"], tensors["target_visible"], SIZES[0])
    large = level_poses(TINY, 4 * tensors["target_keypoints"] + 1.5, tensors["target_visible"], SIZES[2])
    torch.testing.assert_close(small, large)
    joined = replace(TINY, pose_joins=3)
    sizes = [tuple(one.shape[2:]) for one in level_poses(joined, *list(tensors.values())[1:3], SIZES[0])]
    assert sizes == [(8, 4), (16, 8)]  # level 1 has no third size


def test_what_the_pose_encoding_shows_is_what_the_network_sees():
    """Halved to the size at which it joins, the map drawn for people to look at is that of the network."""
    for joins in (1, 2):
        generator = build(pose_joins=joins)
        keypoints, visible = inputs(SIZES[2])["target_keypoints"], torch.ones(2, 18, dtype=torch.bool)
        shown = generator.pose_encoding(keypoints, visible, SIZES[2])
        seen = level_poses(generator.config, keypoints, visible, SIZES[2])[joins - 1]
        coarse = F.adaptive_avg_pool2d(shown, seen.shape[2:])
        assert (coarse - seen).abs().max() < 0.1


@pytest.mark.parametrize("source_pose_input", [False, True])
def test_what_the_generator_reads(source_pose_input):
    generator, tensors = build(source_pose_input=source_pose_input), inputs(SIZES[2])
    drawn = generator(**tensors).generated
    read = {"source": True, "target_keypoints": True, "target_visible": True}
    for name, matters in (read | {"source_keypoints": source_pose_input}).items():
        other = ~tensors[name] if tensors[name].dtype == torch.bool else tensors[name].flip(0)
        assert torch.equal(generator(**{**tensors, name: other}).generated, drawn) != matters


def test_a_missing_joint_has_no_influence():
    generator, tensors = build(), inputs(SIZES[2])
    tensors["target_visible"][:, [2, 8, 11]] = False
    drawn = generator(**tensors).generated
    tensors["target_keypoints"][:, [2, 8, 11]] = 1e4
    assert torch.equal(generator(**tensors).generated, drawn)
    tensors["target_visible"][:] = False
    assert generator(**tensors).generated.isfinite().all()


def test_a_generator_that_is_still_growing_draws_at_its_level_and_enlarges():
    tensors = inputs(SIZES[2])
    grown, growing = build(), build(("level_16", "level_32"))
    assert (grown.level, growing.level, build(()).level) == (3, 2, 3)
    drawn = growing(**tensors).generated
    assert drawn.shape == (2, 3, *SIZES[2])
    small = {
        name: 0.5 * (value + 0.5) - 0.5 if "keypoints" in name else value for name, value in tensors.items()
    } | {"source": F.avg_pool2d(tensors["source"], 2)}
    torch.testing.assert_close(drawn, F.interpolate(growing(**small).generated, scale_factor=2))
    torch.testing.assert_close(
        growing(**small).generated, grown(**small).generated
    )  # the size of a level: drawn as it is
    assert not torch.equal(drawn, grown(**tensors).generated)


def test_the_predictor_draws_with_it():
    generator = build()
    random = np.random.default_rng(0)
    pose = Pose(random.uniform(0, 32, (18, 2)), np.ones(18, bool), (64, 32))
    person = Person(random.integers(0, 255, (64, 32, 3), dtype=np.uint8), pose)
    prediction = Predictor(generator).generate(person, pose.flipped())
    assert prediction.image.shape == (64, 32, 3)


def test_a_saved_generator_rebuilds_itself(tmp_path):
    from pgt.checkpoint import load, save

    generator, tensors = build(("level_16",), norm="none", pose_joins=2), inputs(SIZES[0])
    loaded = load(save(generator, tmp_path / "saved"), quiet=True)
    assert (loaded.config, loaded.trained_stages) == (generator.config, ("level_16",))
    assert torch.equal(loaded(**tensors).generated, generator(**tensors).generated)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: build()(**inputs((48, 24))), "no level of this model draws"),
        (
            lambda: build(source_pose_input=True)(**{**inputs(SIZES[1]), "source_visible": None}),
            "source's joints",
        ),
        (lambda: replace(TINY, norm="group"), "norm must be one of"),
        (lambda: replace(TINY, descriptors=(18, 18)), "3 levels need as many"),
        (lambda: replace(TINY, descriptors=(18, 18, 30)), "18 and any times 13"),
        (lambda: replace(TINY, image_size=(60, 32)), "must be a multiple of 8"),
        (lambda: replace(TINY, pose_joins=5), "pose_joins must be 1 to 4"),
        (lambda: replace(TINY, widths=(8, 8), descriptors=()), "at least three"),
        (lambda: replace(TINY, image_size=(128, 64)), r"no level of this model draws \(16, 8\)"),
        (lambda: replace(TINY, discriminator_norm="spectral", shared_discriminator=False), "of one network"),
        (lambda: ProgressiveConfig.from_dict({"colour": 1}), "unknown Progressive settings: colour"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", PROGRESSIVE_PRESETS)
def test_a_preset_survives_json_and_trains_its_levels_in_order(name):
    config = PROGRESSIVE_PRESETS[name]
    assert ProgressiveConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    levels = [config.level_of(stage.image_size) for stage in config.stages]
    assert levels == list(range(levels[0], config.num_levels + 1))
    counts = {64: 18, 128: 18, 256: 31, 512: 31, 1024: 44}  # section 3.4
    for level, descriptors in enumerate(config.descriptors, start=1):
        assert descriptors == counts.get(config.level_size(level)[0], 18)


@pytest.mark.parametrize("name", ["progressive-human36m", "progressive-deepfashion"])
def test_paper_presets_have_the_numbers_of_section_3_4_and_nothing_of_ours(name):
    config = PROGRESSIVE_PRESETS[name]
    assert config.level_size(0) == (32, 32)
    assert (config.pose_sigma, config.weight_decay, config.norm, config.fake_pair) == (
        3.2,
        5e-4,
        "batch",
        "source",
    )
    assert {(s.num_steps, s.lr, s.lr_schedule) for s in config.stages} == {(700_000, 2e-4, "constant")}
    assert (config.pose_joins, config.source_pose_input, config.output_scale) == (1, False, 1.0)
    assert (config.pixel_weight, config.top_local_weight, config.l2_share) == (0.0, 0.0, 0.5)
    assert (config.perceptual_weight, config.local_weight, config.ema_decay) == (1.0, 1.0, 0.0)
    assert config.max_grad_norm is None
