"""What PG2's generators read and draw."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from pgt.config import PRESETS, PG2Config
from pgt.models.pg2 import PG2Generator

TINY = PG2Config(image_size=(32, 16), base_channels=4, num_blocks=3, bottleneck_features=8)


def inputs(config: PG2Config, batch_size: int = 2) -> dict[str, Tensor]:
    """Noise for everything a generator may read."""
    random = torch.Generator().manual_seed(0)
    height, width = config.image_size
    return {
        "source": torch.rand(batch_size, 3, height, width, generator=random) * 2 - 1,
        "target_pose": torch.rand(batch_size, 18, height, width, generator=random),
        "source_pose": torch.rand(batch_size, 18, height, width, generator=random),
        "target_keypoints": torch.rand(batch_size, 18, 2, generator=random) * torch.tensor([width, height]),
        "target_visible": torch.ones(batch_size, 18, dtype=torch.bool),
    }


def build(**changes) -> PG2Generator:
    torch.manual_seed(0)
    return PG2Generator.from_config(replace(TINY, **changes)).eval()


def num_parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("preset", "top_skip", "coarse", "refine"),
    [
        ("pg2-market1501", False, 70_795_075, 6_058_883),
        ("pg2-deepfashion", True, 122_103_235, 12_696_067),
    ],
)
def test_parameter_counts_of_the_released_layer_plan(preset, top_skip, coarse, refine):
    config = replace(PRESETS[preset], decoder="released", refine_top_skip=top_skip)
    with torch.device("meta"):
        generator = PG2Generator.from_config(config)
    assert num_parameters(generator.coarse) == coarse
    assert num_parameters(generator.refine) == refine


def test_bundled_weights_stay_under_twelve_megabytes_in_half_precision():
    with torch.device("meta"):
        generator = PG2Generator.from_config(PRESETS["pg2-synthetic-128"])
    assert 2 * num_parameters(generator) < 12_000_000


@pytest.mark.parametrize("embedding", ["concatenation", "heatmap", "coordinate"])
@pytest.mark.parametrize("decoder", ["symmetric", "released"])
@pytest.mark.parametrize("patch_size", [1, 2])
def test_draws_pictures_of_the_source_size(embedding, decoder, patch_size):
    generator = build(pose_embedding=embedding, decoder=decoder, patch_size=patch_size)
    for batch_size in (1, 3):
        output = generator(**inputs(TINY, batch_size))
        assert {tuple(picture.shape) for picture in output} == {(batch_size, 3, 32, 16)}


def test_channels_last_changes_nothing_but_the_layout():
    generator, tensors = build(patch_size=2, source_pose_input=True), inputs(TINY)
    expected = generator(**tensors).refined
    generator = generator.to(memory_format=torch.channels_last)
    tensors["source"] = tensors["source"].contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(generator(**tensors).refined, expected, atol=1e-5, rtol=1e-5)


def test_refined_is_coarse_plus_difference_map():
    coarse, difference_map, refined = build()(**inputs(TINY))
    torch.testing.assert_close(refined, coarse + difference_map)


def test_fresh_difference_map_is_small_when_asked():
    full = build(initialisation="he")(**inputs(TINY)).difference_map
    small = build(initialisation="he", difference_scale=0.05)(**inputs(TINY)).difference_map
    torch.testing.assert_close(small, 0.05 * full, atol=1e-5, rtol=1e-4)


def test_fresh_networks_draw_no_checkerboard():
    """Within a patch all pixels start alike, whichever weights they will learn."""
    for picture in build(patch_size=2)(**inputs(TINY)):
        corners = [picture[..., y::2, x::2] for y in (0, 1) for x in (0, 1)]
        for other in corners[1:]:
            torch.testing.assert_close(other, corners[0])


def test_untrained_second_stage_is_left_out():
    torch.manual_seed(0)
    generator = PG2Generator.from_config(TINY, trained_stages=("coarse",))
    coarse, difference_map, refined = generator(**inputs(TINY))
    assert difference_map is None
    assert refined is coarse


def test_one_stage_has_no_second_generator():
    generator = build(one_stage=True)
    assert generator.refine is None
    assert generator(**inputs(TINY)).difference_map is None


def changed(generator: PG2Generator, **replaced: Tensor) -> bool:
    """Whether other inputs give another coarse picture."""
    tensors = inputs(TINY)
    return not torch.equal(generator(**tensors).coarse, generator(**{**tensors, **replaced}).coarse)


@pytest.mark.parametrize(
    ("embedding", "reads_maps", "reads_coordinates"),
    [("concatenation", True, False), ("heatmap", True, False), ("coordinate", False, True)],
)
def test_what_each_pose_embedding_reads(embedding, reads_maps, reads_coordinates):
    generator, tensors = build(pose_embedding=embedding), inputs(TINY)
    assert changed(generator, target_pose=tensors["target_pose"].flip(-1)) == reads_maps
    assert changed(generator, target_keypoints=tensors["target_keypoints"] + 1) == reads_coordinates


def test_an_invisible_joint_has_no_coordinates():
    generator, tensors = build(pose_embedding="coordinate"), inputs(TINY)
    hidden = {"target_visible": tensors["target_visible"].clone()}
    hidden["target_visible"][:, 4] = False
    assert changed(generator, **hidden)
    moved = tensors["target_keypoints"].clone()
    moved[:, 4] += 7
    first = generator(**{**tensors, **hidden}).coarse
    torch.testing.assert_close(generator(**{**tensors, **hidden, "target_keypoints": moved}).coarse, first)


@pytest.mark.parametrize("read", [True, False])
def test_source_pose_is_read_only_when_asked(read):
    generator = build(source_pose_input=read)
    assert changed(generator, source_pose=inputs(TINY)["source_pose"].flip(-1)) == read


def test_embedded_poses_meet_the_picture_only_at_the_bottleneck():
    """A joint's place in the heat map reaches all pixels alike when the map passes through one vector."""
    generator = build(pose_embedding="heatmap")
    assert generator.coarse.encoder.stem.in_channels == 3
    assert generator.coarse.from_code.in_features == 2 * TINY.bottleneck_features
    assert build().coarse.encoder.stem.in_channels == 3 + 18


def test_the_bottleneck_lets_distant_pixels_talk():
    """Without the fully connected layer one corner would not see the other through so few convolutions."""
    generator, tensors = (
        build(image_size=(64, 32), initialisation="he"),
        inputs(replace(TINY, image_size=(64, 32))),
    )
    source = tensors["source"].requires_grad_()
    corner = generator(**tensors).coarse[0, :, -1, -1].sum()
    assert torch.autograd.grad(corner, source)[0][0, :, 0, 0].abs().sum() > 0
    generator.coarse.from_code.weight.data.zero_()
    corner = generator(**tensors).coarse[0, :, -1, -1].sum()
    assert torch.autograd.grad(corner, source)[0][0, :, 0, 0].abs().sum() == 0


def test_released_heat_maps_lie_between_minus_one_and_one():
    generator = build(pose_low=-1.0)
    keypoints = torch.tensor([[[8.0, 16.0]] * 18])
    visible = torch.tensor([[True] * 17 + [False]])
    maps = generator.pose_encoding(keypoints, visible, TINY.image_size)
    assert maps.unique().tolist() == [-1.0, 1.0]
    assert maps[0, 0].eq(1).sum() == 49  # a disc of radius 4
    assert maps[0, 17].eq(-1).all()


def test_a_saved_generator_rebuilds_itself(tmp_path):
    generator = build(pose_embedding="coordinate", patch_size=2)
    generator.trained_stages = ("coarse", "refine")
    generator.save_pretrained(tmp_path)
    loaded = PG2Generator.from_pretrained(tmp_path, strict=True)
    assert loaded.config == generator.config
    assert not loaded.training
    assert torch.equal(loaded(**inputs(TINY)).refined, generator(**inputs(TINY)).refined)


@pytest.mark.parametrize(
    ("changes", "missing", "message"),
    [
        ({"source_pose_input": True}, "source_pose", "pass source_pose"),
        ({"pose_embedding": "coordinate"}, "target_keypoints", "needs target_keypoints"),
    ],
)
def test_refuses_missing_inputs(changes, missing, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)(**{**inputs(TINY), missing: None})


def test_refuses_another_size():
    with pytest.raises(ValueError, match=r"source is \(64, 64\), this model draws \(32, 16\)"):
        build()(torch.zeros(1, 3, 64, 64), torch.zeros(1, 18, 64, 64))
