"""Progressive's losses against slow literal versions: Eq. 2 to 4, and the features that they compare."""

import math
import time
import weakref

import pytest
import torch
from torch import nn

from benchmarks import descriptors
from pgt.data.descriptors import descriptor_centers
from pgt.layers.features import VGG16_TAPS, VGGPyramid
from pgt.layers.local_descriptors import crop_regions
from pgt.layers.perceptual import PerceptualLayers
from pgt.layers.skip_unet import DownEncoder
from pgt.losses import feature_errors, global_perceptual_loss, level_criterion, local_perceptual_loss
from pgt.training import local_errors
from pgt.training.local_errors import perceptual_errors


@pytest.fixture
def features() -> PerceptualLayers:
    torch.manual_seed(0)
    return PerceptualLayers.of_encoder(DownEncoder(3, (4, 5, 6, 7, 8), "none"))


@pytest.fixture
def vgg() -> PerceptualLayers:
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    return PerceptualLayers.of_vgg(VGGPyramid(torchvision.models.vgg16(weights=None).features, VGG16_TAPS))


def literal_criterion(ours: torch.Tensor, real: torch.Tensor, criterion: str) -> float:
    """C of Eq. 2, element by element."""
    pairs = list(zip(ours.flatten().tolist(), real.flatten().tolist(), strict=True))
    return sum((a - b) ** 2 if criterion == "l2" else abs(a - b) for a, b in pairs) / len(pairs)


@pytest.mark.parametrize("criterion", ["l2", "l1"])
def test_errors_are_the_inner_sum_of_equation_2(criterion):
    shapes = [(2, 3, 4, 2), (2, 5, 2, 1)]
    generated, target = ([torch.randn(shape) for shape in shapes] for _ in range(2))
    errors = feature_errors(generated, target, criterion)
    for i in range(2):
        layers = zip(generated, target, strict=True)
        expected = sum(literal_criterion(ours[i], real[i], criterion) for ours, real in layers)
        assert errors[i].item() == pytest.approx(expected, rel=1e-5)
    assert global_perceptual_loss(errors).item() == pytest.approx(errors.mean().item())


def test_the_target_gets_no_gradient_and_bad_input_is_refused():
    generated, target = (torch.randn(2, 3, 4, 4, requires_grad=True) for _ in range(2))
    feature_errors([generated], [target], "l1").sum().backward()
    assert generated.grad is not None
    assert target.grad is None
    with pytest.raises(ValueError, match="1 generated layers met 2"):
        feature_errors([generated], [target, target], "l1")
    with pytest.raises(ValueError, match="not 'l3'"):
        feature_errors([generated], [target], "l3")


def test_the_criterion_changes_in_the_middle_of_a_level():
    """L2 in the first half, L1 in the second (section 3.1)."""
    assert "".join(level_criterion(step, 10)[1] for step in range(10)) == "2222211111"
    assert "".join(level_criterion(step, 5)[1] for step in range(5)) == "22211"
    assert "".join(level_criterion(step, 4, l2_share=0.0)[1] for step in range(4)) == "1111"
    assert "".join(level_criterion(step, 4, l2_share=1.0)[1] for step in range(4)) == "2222"


@pytest.mark.parametrize("criterion", ["l2", "l1"])
@pytest.mark.parametrize("size", [(64, 64), (64, 32)])
def test_the_local_loss_is_equation_3_region_by_region(features, criterion, size):
    """One crop, one pass of the network, one comparison at a time; joints that are missing add nothing."""
    generated, target = (torch.rand(2, 3, *size) * 2 - 1 for _ in range(2))
    keypoints = torch.rand(2, 18, 2) * torch.tensor([size[1] - 1.0, size[0] - 1.0])
    visible = torch.rand(2, 18) > 0.3
    centers, valid = descriptor_centers(keypoints, visible, 31, size)
    crops = [crop_regions(one, centers, valid) for one in (generated, target)]
    loss = local_perceptual_loss(perceptual_errors(features, *crops, criterion), valid)

    total, (height, width) = 0.0, (size[0] // 8, size[1] // 8)
    for b in range(2):
        for d in range(31):
            if not valid[b, d]:
                continue
            x, y = centers[b, d].tolist()
            left = min(max(math.floor(x - width / 2 + 1), 0), size[1] - width)
            top = min(max(math.floor(y - height / 2 + 1), 0), size[0] - height)
            pair = [one[b : b + 1, :, top : top + height, left : left + width] for one in (generated, target)]
            layers = zip(*map(features, pair), strict=True)
            total += sum(literal_criterion(ours, real, criterion) for ours, real in layers) / 2
    assert 0 < valid.sum() < valid.numel()
    assert loss.item() == pytest.approx(total, rel=1e-4)


def test_without_regions_the_local_loss_is_zero_and_finite():
    assert local_perceptual_loss(torch.zeros(0), torch.zeros(2, 18).bool()).item() == 0
    assert local_perceptual_loss(torch.zeros(0), torch.zeros(2, 0).bool()).item() == 0
    alone = local_perceptual_loss(torch.tensor([3.0]), torch.tensor([[False, True], [False, False]]))
    assert alone.item() == 1.5  # mean over the two pictures


@pytest.mark.parametrize("pixels", [1, 200, 10**6])
def test_pieces_change_no_number_and_no_gradient(features, monkeypatch, pixels):
    generated, target = (torch.rand(5, 3, 8, 8) * 2 - 1 for _ in range(2))
    wanted = generated.clone().requires_grad_()
    expected = feature_errors(features(wanted), features(target), "l2")
    expected = expected + 3 * (wanted - target).square().mean(dim=(1, 2, 3))
    (expected * torch.arange(5)).sum().backward()
    monkeypatch.setattr(local_errors, "PIXELS_AT_ONCE", {"cpu": pixels})
    generated.requires_grad_()
    errors = perceptual_errors(features, generated, target, "l2", pixel_weight=3.0)
    torch.testing.assert_close(errors, expected)
    (errors * torch.arange(5)).sum().backward()
    torch.testing.assert_close(generated.grad, wanted.grad)
    assert perceptual_errors(features, generated[:0], target[:0], "l2").shape == (0,)
    with torch.no_grad():
        assert not perceptual_errors(features, generated, target, "l2").requires_grad


@pytest.mark.parametrize("half", [False, True])
def test_no_features_wait_for_the_backward_pass_but_in_float16(features, half):
    """There the gradient has to be that of the scaled loss, or it would vanish: so features are kept."""
    made = []

    def note(_module, _arguments, layers):
        made.extend(map(weakref.ref, layers))

    generated, target = torch.rand(2, 2, 3, 32, 32)
    generated.requires_grad_()
    hook = features.register_forward_hook(note)
    with torch.autocast("cpu", torch.float16 if half else torch.bfloat16):
        errors = perceptual_errors(features, generated, target, "l2")
    hook.remove()
    assert len(made) == 2 * len(features(target))  # of both sides
    assert any(layer() is not None for layer in made) == half
    (2.0**16 * errors.sum()).backward()
    assert 0 < generated.grad.abs().sum() < torch.inf


def test_vgg_layers_are_those_of_johnson_and_small_crops_reach_fewer(vgg):
    shapes = [tuple(layer.shape[1:]) for layer in vgg(torch.rand(1, 3, 32, 16))]
    assert shapes == [(64, 32, 16), (128, 16, 8), (256, 8, 4), (512, 4, 2)]
    assert [layer.shape[-1] for layer in vgg(torch.rand(1, 3, 8, 8))] == [8, 4, 2, 1]
    assert [layer.shape[-1] for layer in vgg(torch.rand(1, 3, 4, 4))] == [4, 2, 1]
    assert [layer.shape[-1] for layer in vgg(torch.rand(1, 3, 1, 1))] == [1]


def test_vgg_is_fed_what_imagenet_networks_were_trained_on(vgg):
    """Trap: pictures in [-1, 1] must become [0, 1] before ImageNet's mean and standard deviation."""
    seen = []
    vgg.pieces[0][0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    for value in (-1.0, 0.0, 1.0):
        vgg(torch.full((1, 3, 8, 8), value))
        torch.testing.assert_close(seen[-1][0, :, 0, 0], ((value + 1) / 2 - mean) / std)


@pytest.mark.parametrize("norm", ["none", "layer"])
def test_layers_of_an_encoder_are_its_levels_after_the_activation(norm):
    encoder = DownEncoder(3, (4, 5, 6, 7, 8), norm)
    features, image = PerceptualLayers.of_encoder(encoder), torch.rand(2, 3, 32, 16)
    expected = [nn.functional.leaky_relu(level, 0.2) for level in encoder(image)[:4]]
    for ours, theirs in zip(features(image), expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert len(features(image[..., :4, :4])) == 3
    assert not any(parameter.requires_grad for parameter in features.parameters())


def test_the_bundled_parser_gives_four_layers():
    from pgt import load

    features = PerceptualLayers.of_encoder(load("human-parser-synthetic-128", quiet=True).encoder)
    layers = features(torch.rand(1, 3, 16, 16) * 2 - 1)
    assert [layer.shape[-1] for layer in layers] == [16, 8, 4, 2]
    assert all(layer.abs().mean() > 1e-3 for layer in layers)


@pytest.mark.parametrize("way", descriptors.WAYS)
def test_what_the_benchmark_compares_is_the_same(monkeypatch, way):
    pytest.importorskip("torchvision")
    monkeypatch.setattr(local_errors, "PIXELS_AT_ONCE", {"cpu": 500})  # several pieces
    calls = descriptors.tasks(descriptors.make_features(), 64, 31, descriptors.WAYS[way])
    ours, literal = (calls[name]().detach() for name in ("ours", "literal"))
    assert (ours - literal).norm() < 1e-5 * literal.norm()
    assert literal.norm() > 0


def test_the_benchmark_refuses_to_compare_what_differs():
    calls = {"ours": lambda: torch.tensor(1.0), "literal": lambda: torch.tensor(1.1)}
    with pytest.raises(ValueError, match=r"results differ by 0\.1"):
        descriptors.compare(calls, 1, time.perf_counter)
