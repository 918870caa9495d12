"""Every metric against a slow, literal version, and SSIM against scikit-image."""

import math

import numpy as np
import pytest
import torch

from pgt import metrics

SIZE = (24, 20)


@pytest.fixture
def images() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A generated and a true batch, smooth with some noise, and a mask that is partly soft."""
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand(3, 3, 6, 5, generator=generator)
    target = torch.nn.functional.interpolate(coarse, SIZE, mode="bilinear")
    generated = (target + 0.1 * torch.randn(target.shape, generator=generator)).clamp(0, 1)
    mask = (torch.rand(3, 1, *SIZE, generator=generator) > 0.6).float()
    mask[0, 0, 4:9, 3:8] = 0.5
    return generated, target, mask


def literal_ssim_map(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, data_range: float, unbias: float
) -> np.ndarray:
    """SSIM of one channel, window by window, at the pixels whose window fits."""
    size = len(weights)
    height, width = x.shape[0] - size + 1, x.shape[1] - size + 1
    result = np.zeros((height, width))
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    for i in range(height):
        for j in range(width):
            a, b = x[i : i + size, j : j + size], y[i : i + size, j : j + size]
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a = unbias * (weights * (a - mean_a) ** 2).sum()
            var_b = unbias * (weights * (b - mean_b) ** 2).sum()
            cov = unbias * (weights * (a - mean_a) * (b - mean_b)).sum()
            luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
            result[i, j] = luminance * (2 * cov + c2) / (var_a + var_b + c2)
    return result


def gaussian_weights(sigma: float = 1.5, size: int = 11) -> np.ndarray:
    offsets = np.arange(size) - size // 2
    squared = offsets[:, None] ** 2 + offsets[None, :] ** 2
    weights = np.exp(-squared / (2 * sigma**2))
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("window", "weights", "unbias"),
    [("gaussian", gaussian_weights(), 1.0), ("uniform", np.full((7, 7), 1 / 49), 49 / 48)],
)
def test_ssim_equals_the_literal_formula(images, window, weights, unbias) -> None:
    generated, target, _ = (tensor.double() for tensor in images)
    score = metrics.ssim(generated, target, window=window)
    for b in range(3):
        maps = [
            literal_ssim_map(x.numpy(), y.numpy(), weights, 1.0, unbias)
            for x, y in zip(generated[b], target[b], strict=True)
        ]
        assert float(score.values[b]) == pytest.approx(np.mean(maps), abs=1e-10)


@pytest.mark.parametrize("data_range", [1.0, 2.0, "generated"])
@pytest.mark.parametrize("window", ["gaussian", "uniform"])
def test_ssim_agrees_with_scikit_image(images, window, data_range) -> None:
    skimage = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")
    generated, target, _ = images
    score = metrics.ssim(generated, target, window=window, data_range=data_range)
    for b in range(3):
        x, y = (image[b].double().permute(1, 2, 0).numpy() for image in (generated, target))
        value = skimage.structural_similarity(
            x,
            y,
            channel_axis=2,
            data_range=np.ptp(x) if data_range == "generated" else data_range,
            gaussian_weights=window == "gaussian",
            use_sample_covariance=window == "uniform",
        )
        assert float(score.values[b]) == pytest.approx(value, abs=1e-6)


def test_foreground_ssim_averages_scikit_images_map_inside_the_mask(images) -> None:
    skimage = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")
    generated, target, mask = images
    score = metrics.foreground_ssim(generated, target, mask)
    for b in range(3):
        x, y = (image[b].double().permute(1, 2, 0).numpy() for image in (generated, target))
        options = {"gaussian_weights": True, "use_sample_covariance": False, "full": True}
        _, full = skimage.structural_similarity(x, y, channel_axis=2, data_range=1.0, **options)
        weights = mask[b, 0].double().numpy()
        expected = (full.mean(2) * weights).sum() / weights.sum()
        assert float(score.values[b]) == pytest.approx(expected, abs=1e-6)


def test_ssim_of_equal_pictures_is_one_and_does_not_depend_on_the_batch(images) -> None:
    generated, target, _ = images
    assert metrics.ssim(target, target).values.tolist() == pytest.approx([1.0] * 3, abs=1e-12)
    alone = [metrics.ssim(generated[b : b + 1], target[b : b + 1]).mean for b in range(3)]
    assert metrics.ssim(generated, target).values.tolist() == pytest.approx(alone, abs=1e-12)


def test_mask_ssim_is_flattered_by_the_black_around_and_foreground_ssim_is_not(images) -> None:
    generated, target, _ = images
    mask = torch.zeros(3, 1, *SIZE)
    mask[..., 8:14, 8:12] = 1
    masked = metrics.mask_ssim(generated, target, mask)
    assert masked.values.tolist() == pytest.approx(
        metrics.ssim(generated * mask, target * mask).values.tolist()
    )
    assert masked.mean > metrics.foreground_ssim(generated, target, mask).mean
    everywhere = torch.ones(3, 1, *SIZE)
    assert metrics.mask_ssim(generated, target, everywhere).mean == metrics.ssim(generated, target).mean


def test_what_lies_outside_the_targets_mask_cannot_change_a_masked_metric(images) -> None:
    generated, target, _ = images
    mask = torch.zeros(3, 1, *SIZE)
    mask[..., 8:14, 8:12] = 1
    spoilt = generated * mask + (1 - mask) * 0.9
    for metric in (metrics.mask_ssim, metrics.foreground_l1):
        assert torch.equal(metric(spoilt, target, mask).values, metric(generated, target, mask).values)


def test_errors_equal_their_loops(images) -> None:
    generated, target, mask = images
    for b in range(3):
        total, inside, weight, squared = 0.0, 0.0, 0.0, 0.0
        for y in range(SIZE[0]):
            for x in range(SIZE[1]):
                m = float(mask[b, 0, y, x])
                weight += m
                for c in range(3):
                    error = abs(float(generated[b, c, y, x]) - float(target[b, c, y, x]))
                    total, inside, squared = total + error, inside + m * error, squared + error**2
        count = 3 * SIZE[0] * SIZE[1]
        assert float(metrics.l1(generated, target).values[b]) == pytest.approx(total / count)
        assert float(metrics.foreground_l1(generated, target, mask).values[b]) == pytest.approx(
            inside / (3 * weight)
        )
        psnr = -10 * math.log10(squared / count)
        assert float(metrics.psnr(generated, target).values[b]) == pytest.approx(psnr)


def test_sharpness_equals_its_loop_and_falls_with_blur(images) -> None:
    generated, target, mask = images
    score = metrics.sharpness(generated, target, mask)

    def literal(image: torch.Tensor, weights: torch.Tensor) -> float:
        total = 0.0
        for y in range(SIZE[0] - 1):
            for x in range(SIZE[1] - 1):
                here = float(image[:, y, x].mean())
                dx, dy = float(image[:, y, x + 1].mean()) - here, float(image[:, y + 1, x].mean()) - here
                total += float(weights[0, y, x]) * math.hypot(dx, dy)
        return total

    for b in range(3):
        expected = literal(generated[b], mask[b]) / literal(target[b], mask[b])
        assert float(score.values[b]) == pytest.approx(expected, rel=1e-5)
    blurred = torch.nn.functional.avg_pool2d(target, 3, 1, 1, count_include_pad=False)
    assert metrics.sharpness(target, target).mean == 1
    assert metrics.sharpness(blurred, target).mean < 0.9


def test_pck_counts_visible_joints_within_reach() -> None:
    true = torch.tensor([[[10.0, 10.0], [20.0, 20.0], [30.0, 30.0], [5.0, 5.0]]])
    predicted = torch.tensor([[[10.0, 13.0], [26.0, 28.0], [float("nan"), 30.0], [90.0, 90.0]]])
    visible = torch.tensor([[True, True, True, False]])
    assert metrics.pck(predicted, true, visible, torch.tensor([30.0])).mean == pytest.approx(1 / 3)
    assert metrics.pckh(predicted, true, visible, torch.tensor([20.0])).mean == pytest.approx(2 / 3)
    assert metrics.pckh(predicted, true, visible, torch.tensor([19.9])).mean == pytest.approx(1 / 3)


def test_undefined_pictures_do_not_count(images) -> None:
    generated, target, mask = images
    mask[1] = 0
    score = metrics.foreground_l1(generated, target, mask)
    assert score.values.isnan().tolist() == [False, True, False]
    assert score.mean == pytest.approx(float(score.values[[0, 2]].mean()))
    nobody = torch.zeros(1, 4, dtype=torch.bool)
    assert math.isnan(metrics.pck(torch.zeros(1, 4, 2), torch.zeros(1, 4, 2), nobody, torch.ones(1)).mean)


def test_the_protocol_says_how_it_was_measured(images) -> None:
    generated, target, mask = images
    protocol = metrics.mask_ssim(generated, target, mask, window="uniform", data_range="generated").protocol
    assert protocol["window"] == "uniform"
    assert protocol["window_size"] == 7
    assert protocol["covariance"] == "sample (n - 1)"
    assert "target" in protocol["mask"]
    assert "generated" in protocol["data_range"]


def test_refuses_what_cannot_be_compared(images) -> None:
    generated, target, mask = images
    with pytest.raises(ValueError, match="one shape"):
        metrics.ssim(generated, target[:2])
    with pytest.raises(ValueError, match="mask must be"):
        metrics.mask_ssim(generated, target, mask[:, 0])
    with pytest.raises(ValueError, match="window must be"):
        metrics.ssim(generated, target, window="box")
    with pytest.raises(ValueError, match="smaller than the 11x11"):
        metrics.ssim(generated[..., :8], target[..., :8])


def literal_iou(found, true, num_labels):
    """Mean over labels of |A and B| / |A or B|, by sets of pixels."""
    values = []
    for label in range(num_labels):
        a = {place for place, value in enumerate(found.flatten().tolist()) if value == label}
        b = {place for place, value in enumerate(true.flatten().tolist()) if value == label}
        if a | b:
            values.append(len(a & b) / len(a | b))
    return sum(values) / len(values)


def test_segmentation_scores_are_those_of_sets_of_pixels():
    random = torch.Generator().manual_seed(0)
    found, true = (torch.randint(0, 5, (3, 8, 6), generator=random) for _ in range(2))  # 6 and 7 never occur
    true[0] = found[0]
    confusion = metrics.label_confusion(found, true, 7)
    assert metrics.mean_iou(confusion) == pytest.approx(literal_iou(found, true, 7))
    assert metrics.pixel_accuracy(confusion) == pytest.approx((found == true).float().mean().item())
    parts = sum(metrics.label_confusion(found[i : i + 1], true[i : i + 1], 7) for i in range(3))
    assert torch.equal(parts, confusion)
    assert confusion[2, 3] == ((true == 2) & (found == 3)).sum()


def test_a_perfect_map_scores_1_and_maps_of_two_sizes_are_refused():
    labels = torch.arange(10).view(1, 2, 5)
    assert metrics.mean_iou(metrics.label_confusion(labels, labels, 10)) == 1
    with pytest.raises(ValueError, match="cannot be compared"):
        metrics.label_confusion(labels, labels[:, :1], 10)


def literal_ms_ssim(x: np.ndarray, y: np.ndarray, weights: list[float]) -> float:
    """MS-SSIM of one channel: loops over scales and windows, contrast and structure apart from luminance."""
    gaussian, c1, c2, result = gaussian_weights(), 0.01**2, 0.03**2, 1.0
    for k, weight in enumerate(weights):
        similar = []
        for i in range(x.shape[0] - 10):
            for j in range(x.shape[1] - 10):
                a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
                mean_a, mean_b = (gaussian * a).sum(), (gaussian * b).sum()
                var_a, var_b = (gaussian * (a - mean_a) ** 2).sum(), (gaussian * (b - mean_b) ** 2).sum()
                cov = (gaussian * (a - mean_a) * (b - mean_b)).sum()
                luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
                structure = (2 * cov + c2) / (var_a + var_b + c2)
                similar.append(structure if k < len(weights) - 1 else luminance * structure)
        result *= max(np.mean(similar), 0.0) ** weight
        height, width = x.shape[0] // 2, x.shape[1] // 2
        x, y = (
            np.array(
                [
                    [z[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean() for j in range(width)]
                    for i in range(height)
                ]
            )
            for z in (x, y)
        )
    return result


@pytest.mark.parametrize(("size", "scales"), [((23, 40), 2), ((11, 30), 1), ((44, 45), 3)])
def test_ms_ssim_equals_the_literal_formula_at_as_many_scales_as_fit(size, scales) -> None:
    random = torch.Generator().manual_seed(2)
    target = torch.nn.functional.interpolate(torch.rand(1, 3, 6, 5, generator=random), size, mode="bilinear")
    generated = (target + 0.1 * torch.randn(target.shape, generator=random)).clamp(0, 1)
    score = metrics.ms_ssim(generated, target)
    assert score.protocol["scales"] == scales
    published = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333][:scales]
    weights = [weight / sum(published) for weight in published]
    pairs = zip(generated[0].double().numpy(), target[0].double().numpy(), strict=True)
    assert score.mean == pytest.approx(np.mean([literal_ms_ssim(x, y, weights) for x, y in pairs]), abs=1e-10)


def test_ms_ssim_has_all_five_scales_from_176_pixels_on() -> None:
    random = torch.Generator().manual_seed(2)
    for side, scales in ((176, 5), (175, 4), (64, 3)):
        target = torch.rand(2, 3, side, side, generator=random)
        score = metrics.ms_ssim(target, target)
        assert score.protocol["scales"] == scales
        assert sum(map(float, score.protocol["weights"].split(", "))) == pytest.approx(1, abs=1e-3)
        assert score.values.tolist() == pytest.approx([1, 1], abs=1e-9)
    assert metrics.ms_ssim(1 - target, target).values.tolist() == [0, 0]  # not NaN
    with pytest.raises(ValueError, match="smaller than the 11x11"):
        metrics.ms_ssim(target[..., :10], target[..., :10])


def test_ms_ssim_forgives_a_blur_more_than_ssim_does() -> None:
    random = torch.Generator().manual_seed(2)
    target = torch.rand(1, 3, 64, 64, generator=random)
    blurred = torch.nn.functional.avg_pool2d(target, 3, 1, 1, count_include_pad=False)
    assert metrics.ms_ssim(blurred, target).mean > metrics.ssim(blurred, target).mean + 0.1


def test_local_ssim_is_the_mean_of_one_ssim_per_region_that_counts(images) -> None:
    generated, target, _ = images
    valid = torch.tensor([[True, False, True], [False, False, False], [True, True, True]])
    corners = [(0, 0), (9, 6), (12, 8)]  # (y, x), 12 by 12 pixels each
    expected = []
    crops: list[list[torch.Tensor]] = [[], []]
    for b in range(3):
        each = []
        for k, (y, x) in enumerate(corners):
            if valid[b, k]:
                pair = [one[b : b + 1, :, y : y + 12, x : x + 12] for one in (generated, target)]
                each.append(metrics.ssim(*pair).mean)
                for kept, crop in zip(crops, pair, strict=True):
                    kept.append(crop)
        expected.append(sum(each) / len(each) if each else math.nan)
    score = metrics.local_ssim(*map(torch.cat, crops), valid)
    assert score.values.tolist() == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert score.protocol["regions"] == "of 3 around known joints of the target"
    nobody = metrics.local_ssim(generated[:0], target[:0], valid[1:2])
    assert math.isnan(nobody.mean)


def test_ssim_with_a_mirrored_border_is_the_mean_of_scikit_images_whole_map(images) -> None:
    skimage = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")
    generated, target, _ = images
    score = metrics.ssim(generated, target, border="mirrored")
    x, y = (image[0].double().permute(1, 2, 0).numpy() for image in (generated, target))
    options = {"gaussian_weights": True, "use_sample_covariance": False, "full": True}
    _, full = skimage.structural_similarity(x, y, channel_axis=2, data_range=1.0, **options)
    assert float(score.values[0]) == pytest.approx(full.mean(), abs=1e-6)
    assert score.protocol["border"] == "mirrored"
    with pytest.raises(ValueError, match="border must be"):
        metrics.ssim(generated, target, border="wrap")


@pytest.mark.parametrize("sigma", [1.0, 1.5])
def test_ssim_and_psnr_agree_with_torchmetrics_but_for_its_border(images, sigma) -> None:
    """It continues the picture by another mirror image, and its mean includes the border."""
    image = pytest.importorskip("torchmetrics.functional.image", reason="torchmetrics is not installed")
    generated, target, _ = (one.double() for one in images)
    options = {"data_range": 1.0, "sigma": sigma, "return_full_image": True, "reduction": "none"}
    whole, full = image.structural_similarity_index_measure(generated, target, **options)
    score = metrics.ssim(generated, target, sigma=sigma)
    border = score.protocol["window_size"] // 2
    inner = full[..., border:-border, border:-border].mean((1, 2, 3))
    assert score.values.tolist() == pytest.approx(inner.tolist(), abs=1e-6)
    assert abs(score.mean - float(whole.mean())) > 1e-4
    options = {"data_range": 1.0, "reduction": "none", "dim": (1, 2, 3)}
    expected = image.peak_signal_noise_ratio(generated, target, **options)
    assert metrics.psnr(generated, target).values.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_mask_ssim_in_the_box_is_the_mean_of_the_map_there(images) -> None:
    skimage = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")
    generated, target, _ = images
    mask = torch.zeros(3, 1, *SIZE)
    mask[..., 5, 7], mask[..., 11, 12] = 1, 1  # corners of the box
    score = metrics.mask_ssim(generated, target, mask, average="box")
    x, y = ((image * mask)[0].double().permute(1, 2, 0).numpy() for image in (generated, target))
    options = {"gaussian_weights": True, "use_sample_covariance": False, "full": True}
    _, full = skimage.structural_similarity(x, y, channel_axis=2, data_range=1.0, **options)
    assert float(score.values[0]) == pytest.approx(full[5:12, 7:13].mean(), abs=1e-6)
    assert metrics.mask_ssim(generated, target, 0 * mask, average="box").values.isnan().all()
    with pytest.raises(ValueError, match="average must be"):
        metrics.mask_ssim(generated, target, mask, average="person")
