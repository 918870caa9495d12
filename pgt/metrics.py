"""How near a generated picture is to the true one: SSIM and its masked kin, PSNR, L1, PCK, sharpness.

All pictures are (B, 3, H, W) in [0, 1]; masks are (B, 1, H, W) in [0, 1] and always the *target's*. Every
function gives a `Score`: one number per picture, and the protocol it was measured by, because the same name
hides different windows, data ranges and masks in different papers. Computed in double precision: SSIM
subtracts nearly equal numbers.

Two notes on masks. Papers' mask-SSIM multiplies both pictures by the mask and averages over the *whole*
picture, so most of it compares black with black: `mask_ssim` does that, `foreground_ssim` averages inside the
mask alone. And the released PG2 code reads the source's mask for it; here, as in the paper and everywhere
else, it is the target's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

K1, K2 = 0.01, 0.03  # Wang et al. 2004
UNIFORM_SIZE = 7
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of MS-SSIM, finest first (Wang et al. 2003)
TRUNCATE = 3.5  # a Gaussian window ends at so many sigmas: 11x11 for 1.5


@dataclass(frozen=True)
class Score:
    """One metric's values on a batch.

    A picture for which the metric is undefined (an empty mask, no visible joint) has NaN and does not count.
    """

    name: str
    values: Tensor  # (B,) float64
    protocol: Mapping[
        str, str | float | int
    ]  # everything another implementation needs to get the same numbers

    @property
    def mean(self) -> float:
        """Mean over the pictures for which the metric is defined; NaN if there is none."""
        return float(self.values.nanmean())


def ssim(
    generated: Tensor,
    target: Tensor,
    *,
    window: str = "gaussian",
    sigma: float = 1.5,
    data_range: float | str = 1.0,
    sample_covariance: bool | None = None,
) -> Score:
    """Structural similarity (Wang et al. 2004): mean over channels and pixels whose window fits the picture.

    Args:
        generated: (B, 3, H, W) in [0, 1].
        target: like `generated`.
        window: "gaussian" (11x11 at sigma 1.5; Wang et al., Def-GAN, PATN) or "uniform" (7x7; the released
            PG2 code).
        sigma: of the Gaussian window, pixels.
        data_range: difference of the largest and smallest possible value; or "generated": each generated
            picture's own maximum minus minimum, as in Def-GAN, PATN and MR-Net.
        sample_covariance: divide by n - 1 instead of n; by default for the uniform window only, as those
            codes do.

    Raises:
        ValueError: for unequal shapes, an unknown window or a picture smaller than the window.
    """
    _check(generated, target)
    luminance, structure, protocol = _factors(generated, target, window, sigma, data_range, sample_covariance)
    inner = _inner(luminance * structure, protocol["window_size"])
    return Score("ssim", inner.mean((1, 2, 3)), {**protocol, "border": "only whole windows", "mask": "none"})


def mask_ssim(
    generated: Tensor, target: Tensor, target_mask: Tensor, **protocol: float | str | bool | None
) -> Score:
    """SSIM over the whole picture after multiplying both by the target's mask (Ma et al. 2017, mask-SSIM).

    Args:
        generated: (B, 3, H, W) in [0, 1].
        target: like `generated`.
        target_mask: (B, 1, H, W) in [0, 1].
        **protocol: keyword arguments of `ssim`.
    """
    _check(generated, target, target_mask)
    score = ssim(generated * target_mask, target * target_mask, **protocol)
    mask = "target's; both pictures multiplied, whole picture averaged"
    return Score("mask_ssim", score.values, {**score.protocol, "mask": mask})


def foreground_ssim(
    generated: Tensor,
    target: Tensor,
    target_mask: Tensor,
    *,
    window: str = "gaussian",
    sigma: float = 1.5,
    data_range: float | str = 1.0,
    sample_covariance: bool | None = None,
) -> Score:
    """Mean of the SSIM map of the unmasked pictures inside the target's mask; arguments as `mask_ssim`."""
    _check(generated, target, target_mask)
    luminance, structure, protocol = _factors(generated, target, window, sigma, data_range, sample_covariance)
    inside = _masked_mean(luminance * structure, target_mask)
    mask = "target's; map of the unmasked pictures averaged inside"
    return Score("foreground_ssim", inside, {**protocol, "border": "mirrored", "mask": mask})


def local_ssim(generated: Tensor, target: Tensor, valid: Tensor, **protocol: float | str | None) -> Score:
    """SSIM inside regions of the picture, averaged (Progressive 2020, section 4.2: the 44 local descriptors).

    Args:
        generated, target: (M, 3, h, w) in [0, 1], crops at the same places, those that count, picture after
            picture. SSIM's usual window needs crops of 11 pixels, the uniform one 7.
        valid: (B, N) bool, which of N regions of each picture count, M of them.
        **protocol: keyword arguments of `ssim`.
    """
    score = ssim(generated, target, **protocol)
    each = score.values.new_zeros(valid.shape).masked_scatter(valid, score.values)
    where = f"of {valid.shape[1]} around known joints of the target"
    return Score("local_ssim", each.sum(1) / valid.sum(1), {**score.protocol, "regions": where})


def ms_ssim(generated: Tensor, target: Tensor, *, data_range: float = 1.0) -> Score:
    """Multi-scale SSIM (Wang et al. 2003), Gaussian windows; each scale is 2x2 means of the one before.

    Five scales need a side of 176. Of smaller pictures those scales count that have room for a window, and
    their weights are divided by their sum. A negative mean of a scale, as of inverted pictures, counts as 0.
    """
    _check(generated, target)
    x, y, terms = _double(generated), _double(target), []
    size = len(_window("gaussian", 1.5))
    count = sum(min(x.shape[-2:]) >> k >= size for k in range(len(SCALE_WEIGHTS))) or 1
    weights = [weight / sum(SCALE_WEIGHTS[:count]) for weight in SCALE_WEIGHTS[:count]]
    for k, weight in enumerate(weights):
        luminance, structure, protocol = _factors(x, y, "gaussian", 1.5, data_range, None)
        similar = structure if k < count - 1 else luminance * structure
        terms.append(_inner(similar, size).mean((2, 3)).clamp_min(0) ** weight)
        x, y = (F.avg_pool2d(one, 2) for one in (x, y))
    values = torch.stack(terms).prod(0).mean(1)
    facts = {"scales": count, "weights": ", ".join(f"{weight:.4f}" for weight in weights)}
    return Score("ms_ssim", values, {**protocol, **facts, "border": "only whole windows", "mask": "none"})


def l1(generated: Tensor, target: Tensor) -> Score:
    """Mean absolute error over all pixels and channels."""
    _check(generated, target)
    return Score("l1", (_double(generated) - _double(target)).abs().mean((1, 2, 3)), {"mask": "none"})


def foreground_l1(generated: Tensor, target: Tensor, target_mask: Tensor) -> Score:
    """Mean absolute error inside the target person's mask."""
    _check(generated, target, target_mask)
    error = (_double(generated) - _double(target)).abs()
    return Score("foreground_l1", _masked_mean(error, target_mask), {"mask": "target's, mean inside"})


def psnr(generated: Tensor, target: Tensor, *, data_range: float = 1.0) -> Score:
    """Peak signal-to-noise ratio in dB, of each picture's mean squared error; infinite for equal pictures."""
    _check(generated, target)
    error = (_double(generated) - _double(target)).square().mean((1, 2, 3))
    values = 10 * torch.log10(data_range**2 / error)
    return Score("psnr", values, {"data_range": data_range, "mask": "none", "mean": "of each picture's dB"})


def sharpness(generated: Tensor, target: Tensor, target_mask: Tensor | None = None) -> Score:
    """Mean gradient magnitude of the generated picture over the true one's: below 1 is blurred.

    Gradients are differences of neighbouring pixels of the channels' mean; inside the target's mask if it is
    given.
    """
    _check(generated, target, target_mask)
    mask = torch.ones_like(generated[:, :1]) if target_mask is None else target_mask
    means = [
        _masked_mean(_gradient_magnitude(_double(image)), mask[..., :-1, :-1])
        for image in (generated, target)
    ]
    where = "none" if target_mask is None else "target's, mean inside"
    return Score("sharpness", means[0] / means[1], {"gradient": "forward differences of grey", "mask": where})


def pck(
    predicted: Tensor, true: Tensor, visible: Tensor, reference_length: Tensor, *, threshold: float = 0.1
) -> Score:
    """Percentage of correct keypoints: visible joints found within `threshold` times a reference length.

    Args:
        predicted: (B, K, 2) pixels, (x, y); NaN where no joint was found, which counts as wrong.
        true: (B, K, 2) pixels, (x, y).
        visible: (B, K) bool; other joints do not count.
        reference_length: (B,) pixels.
        threshold: in units of the reference length.
    """
    if predicted.shape != true.shape or visible.shape != true.shape[:2]:
        raise ValueError(
            f"keypoints {tuple(predicted.shape)}, {tuple(true.shape)}, visible {tuple(visible.shape)}."
        )
    distance = torch.linalg.vector_norm(_double(predicted) - _double(true), dim=-1)
    correct = (distance <= threshold * _double(reference_length)[:, None]) & visible
    values = correct.sum(1).double() / visible.sum(1)  # 0 / 0 is NaN: no joint to be found
    return Score("pck", values, {"threshold": threshold, "joints": "visible in the target"})


def pckh(
    predicted: Tensor,
    true: Tensor,
    visible: Tensor,
    head_size: Tensor,
    *,
    threshold: float = 0.5,
    reference: str = "head size",
) -> Score:
    """PCK relative to the size of the head, (B,) pixels (Andriluka et al. 2014); the rest as `pck`.

    `reference` says in the protocol where that size came from: annotated heads are rare.
    """
    score = pck(predicted, true, visible, head_size, threshold=threshold)
    return Score("pckh", score.values, {**score.protocol, "reference": reference})


def _factors(
    generated: Tensor,
    target: Tensor,
    window: str,
    sigma: float,
    data_range: float | str,
    sample_covariance: bool | None,
) -> tuple[Tensor, Tensor, dict[str, str | float | int]]:
    """Return SSIM's two factors, (B, 3, H, W) float64 each, borders mirrored, and their protocol."""
    kernel = _window(window, sigma).to(generated.device if generated.device.type != "mps" else "cpu")
    size = len(kernel)
    if min(generated.shape[-2:]) < size:
        raise ValueError(
            f"pictures of {tuple(generated.shape[-2:])} are smaller than the {size}x{size} SSIM window."
        )
    x, y = _double(generated), _double(target)
    dynamic = (
        (x.amax((1, 2, 3)) - x.amin((1, 2, 3)))[:, None, None, None]
        if data_range == "generated"
        else data_range
    )
    sample = window == "uniform" if sample_covariance is None else sample_covariance
    unbias = size**2 / (size**2 - 1) if sample else 1.0

    mean_x, mean_y, mean_xx, mean_yy, mean_xy = _blur(torch.stack([x, y, x * x, y * y, x * y]), kernel)
    var_x, var_y = unbias * (mean_xx - mean_x**2), unbias * (mean_yy - mean_y**2)
    covariance = unbias * (mean_xy - mean_x * mean_y)
    c1, c2 = (K1 * dynamic) ** 2, (K2 * dynamic) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    protocol = {
        "window": window,
        "window_size": size,
        "sigma": sigma if window == "gaussian" else "none",
        "data_range": "generated maximum - minimum, per picture" if data_range == "generated" else data_range,
        "covariance": "sample (n - 1)" if sample else "population (n)",
        "channels": "RGB, mean",
    }
    return luminance, structure, protocol


def _inner(values: Tensor, size: int) -> Tensor:
    """Leave out the border, where a window of that size does not fit."""
    border = size // 2
    return values[..., border:-border, border:-border]


def _window(window: str, sigma: float) -> Tensor:
    """Return the 1-D weights of a separable window, float64."""
    if window == "uniform":
        return torch.full((UNIFORM_SIZE,), 1 / UNIFORM_SIZE, dtype=torch.float64)
    if window != "gaussian":
        raise ValueError(f"window must be 'gaussian' or 'uniform'; got {window!r}.")
    radius = int(TRUNCATE * sigma + 0.5)
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=torch.float64) / sigma) ** 2)
    return weights / weights.sum()


def _blur(images: Tensor, kernel: Tensor) -> Tensor:
    """Filter the last two dimensions with a separable window; borders mirrored, edge pixel repeated."""
    radius, flat = len(kernel) // 2, images.flatten(0, -3).unsqueeze(1)
    for dim in (-1, -2):
        low = flat.narrow(dim, 0, radius).flip(dim)
        high = flat.narrow(dim, flat.shape[dim] - radius, radius).flip(dim)
        shape = (1, 1, 1, -1) if dim == -1 else (1, 1, -1, 1)
        flat = F.conv2d(torch.cat([low, flat, high], dim), kernel.view(shape))
    return flat.view(images.shape)


def _gradient_magnitude(image: Tensor) -> Tensor:
    grey = image.mean(1, keepdim=True)
    dx, dy = grey[..., :-1, 1:] - grey[..., :-1, :-1], grey[..., 1:, :-1] - grey[..., :-1, :-1]
    return torch.hypot(dx, dy)


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean (B,) over channels and the mask's pixels; NaN where the mask is empty."""
    mask = _double(mask)
    return (values * mask).sum((1, 2, 3)) / (mask.sum((1, 2, 3)) * values.shape[1])


def _double(values: Tensor) -> Tensor:
    return (values.cpu() if values.device.type == "mps" else values).double()  # Apple's GPU has no float64


def _check(generated: Tensor, target: Tensor, mask: Tensor | None = None) -> None:
    if generated.shape != target.shape or generated.ndim != 4:
        raise ValueError(
            f"two (B, C, H, W) of one shape are needed; got {generated.shape} and {target.shape}."
        )
    if mask is not None and mask.shape != (len(target), 1, *target.shape[-2:]):
        raise ValueError(
            f"the mask must be (B, 1, H, W) for pictures {tuple(target.shape)}; got {tuple(mask.shape)}."
        )


def label_confusion(found: Tensor, true: Tensor, num_labels: int) -> Tensor:
    """Count how often each label was found where each is true, for `pixel_accuracy` and `mean_iou`.

    Args:
        found, true: (B, H, W) int64 in 0 .. num_labels - 1.
        num_labels: L.

    Returns:
        (L, L) int64: row = true label, column = found label. The matrices of several batches add up.
    """
    if found.shape != true.shape:
        raise ValueError(f"label maps of {tuple(found.shape)} and {tuple(true.shape)} cannot be compared.")
    return (true * num_labels + found).flatten().bincount(minlength=num_labels**2).view(num_labels, -1)


def pixel_accuracy(confusion: Tensor) -> float:
    """Return the share of pixels whose label is right, of a matrix of `label_confusion`."""
    return float(confusion.diagonal().sum() / confusion.sum())


def mean_iou(confusion: Tensor) -> float:
    """Return the mean over labels of intersection over union, of a matrix of `label_confusion`.

    All pixels are taken together, as in semantic segmentation's benchmarks, not picture by picture. A label
    that is neither true nor found anywhere does not count.
    """
    right = confusion.diagonal().double()
    union = confusion.sum(dim=0) + confusion.sum(dim=1) - right
    return float((right / union).nanmean())
