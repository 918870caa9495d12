"""SSIM and its kin."""

import torch
from torch import Tensor
from torch.nn import functional as F

from pgt.metrics.score import Score, check_pair, double, masked_mean

K1, K2 = 0.01, 0.03  # Wang et al. 2004
UNIFORM_SIZE = 7
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of MS-SSIM, finest first (Wang et al. 2003)
BORDERS = {"inner": "only whole windows", "mirrored": "mirrored"}
TRUNCATE = 3.5  # a Gaussian window ends at so many sigmas: 11x11 for 1.5


def ssim(
    generated: Tensor,
    target: Tensor,
    *,
    window: str = "gaussian",
    sigma: float = 1.5,
    data_range: float | str = 1.0,
    sample_covariance: bool | None = None,
    border: str = "inner",
) -> Score:
    """Structural similarity (Wang et al. 2004), mean over channels and pixels.

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
        border: "inner", the mean over pixels whose window fits the picture, as scikit-image does; or
            "mirrored", over all pixels, the picture continued by its mirror image, edge pixels repeated
            (torchmetrics takes all pixels too, but does not repeat the edge).

    Raises:
        ValueError: for unequal shapes, an unknown window or border, or a picture smaller than the window.
    """
    check_pair(generated, target)
    if border not in BORDERS:
        raise ValueError(f"border must be 'inner' or 'mirrored'; got {border!r}.")
    luminance, structure, protocol = _factors(generated, target, window, sigma, data_range, sample_covariance)
    similar = luminance * structure
    if border == "inner":
        similar = _inner(similar, protocol["window_size"])
    return Score("ssim", similar.mean((1, 2, 3)), {**protocol, "border": BORDERS[border], "mask": "none"})


def mask_ssim(
    generated: Tensor,
    target: Tensor,
    target_mask: Tensor,
    *,
    average: str = "picture",
    **protocol: float | str | bool | None,
) -> Score:
    """SSIM after multiplying both pictures by the target's mask (Ma et al. 2017, mask-SSIM).

    Args:
        generated: (B, 3, H, W) in [0, 1].
        target: like `generated`.
        target_mask: (B, 1, H, W) in [0, 1].
        average: over the whole "picture", or inside the mask's bounding "box", as MR-Net's paper does where
            people are small (Xu et al. 2020, section IV-B).
        **protocol: keyword arguments of `ssim`; inside a box the border is always mirrored.

    Raises:
        ValueError: as `ssim`, and for an unknown `average`.
    """
    check_pair(generated, target, target_mask)
    masked = generated * target_mask, target * target_mask
    mask = "target's; both pictures multiplied"
    if average == "picture":
        score = ssim(*masked, **protocol)
        return Score("mask_ssim", score.values, {**score.protocol, "mask": f"{mask}, whole picture averaged"})
    if average != "box":
        raise ValueError(f"average must be 'picture' or 'box'; got {average!r}.")
    inside = foreground_ssim(*masked, _box(target_mask), **protocol)
    return Score("mask_ssim", inside.values, {**inside.protocol, "mask": f"{mask}, its box averaged"})


def _box(mask: Tensor) -> Tensor:
    """Fill the bounding box of each mask (B, 1, H, W); an empty one stays empty."""
    sides = (mask > 0).any(-1, keepdim=True), (mask > 0).any(-2, keepdim=True)
    spans = [
        side.cumsum(dim).bool() & side.flip(dim).cumsum(dim).flip(dim).bool()
        for side, dim in zip(sides, (-2, -1), strict=True)
    ]
    return (spans[0] & spans[1]).to(mask.dtype)


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
    check_pair(generated, target, target_mask)
    luminance, structure, protocol = _factors(generated, target, window, sigma, data_range, sample_covariance)
    inside = masked_mean(luminance * structure, target_mask)
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
    Only whole windows count (torchmetrics takes the border along at the last scale).
    """
    check_pair(generated, target)
    x, y, terms = double(generated), double(target), []
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
    x, y = double(generated), double(target)
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
    """Filter the last two dimensions with a separable window; borders mirrored, edge pixel repeated.

    By two products with band matrices: float64 is convolved by no fast library, and in large buffers.
    """
    rows, columns = (_band(size, kernel) for size in images.shape[-2:])
    return rows @ images @ columns.mT


def _band(size: int, kernel: Tensor) -> Tensor:
    """Return the (size, size) matrix that filters a line of so many pixels."""
    radius, pixels = len(kernel) // 2, torch.arange(size, device=kernel.device)[:, None]
    seen = pixels + torch.arange(-radius, radius + 1, device=kernel.device)
    seen = torch.where(seen < 0, -1 - seen, torch.where(seen < size, seen, 2 * size - 1 - seen))
    return kernel.new_zeros(size, size).scatter_add_(1, seen, kernel.expand(size, -1))
