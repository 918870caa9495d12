"""Compare our metrics with scikit-image's and torchmetrics', and the papers' protocols with each other.

    python -m benchmarks.protocols            # prints two tables
    python -m benchmarks.protocols --write    # also results/{agreement,protocols}.{json,md} and the page's

The pictures are the same in all rows: the first pair of each of the first test identities, rendered at
256x256. "Generated" are the true picture blurred, the source copied, and the part warp. The first table has
the largest difference, over all pictures, from the same metric of another library; the second what each
protocol makes of the same pictures. torchmetrics averages SSIM over the border too, where windows do not fit;
in MS-SSIM it does so at the last scale alone, whose 16x16 map is mostly border.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Subset

from benchmarks import tables
from pgt import metrics
from pgt.data.person import Pair
from pgt.evaluation import COPY, WARP, EvaluationResult, evaluate
from pgt.metrics.structure import SCALE_WEIGHTS
from pgt.models.part_warp import PartWarp
from pgt.predictor import Predictor
from pgt.protocols import PROTOCOLS
from pgt.synthetic.people import SyntheticPeople

SIZE = (256, 256)
NUM_PAIRS = 32
BLUR = 4.0  # sigma, pixels
BLURRED = "the truth, blurred"

Other = Callable[[Tensor, Tensor], Sequence[float]]  # (B, 3, H, W) float64 in [0, 1] -> B values


def blurred(image: np.ndarray, sigma: float = BLUR) -> np.ndarray:
    """Blur a picture (H, W, 3) uint8 by a Gaussian."""
    from PIL import Image, ImageFilter

    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma)))


def units(images: Sequence[np.ndarray]) -> Tensor:
    """Stack pictures into (B, 3, H, W) float64 in [0, 1]."""
    return torch.from_numpy(np.stack(images)).movedim(-1, 1).double() / 255


def by_scikit_image(generated: Tensor, target: Tensor, *, window: str, own_range: bool) -> list[float]:
    """Return scikit-image's SSIM of each pair of pictures."""
    from skimage.metrics import structural_similarity

    gaussian, values = window == "gaussian", []
    for x, y in zip(generated.movedim(1, -1).numpy(), target.movedim(1, -1).numpy(), strict=True):
        options = {"gaussian_weights": gaussian, "use_sample_covariance": not gaussian, "channel_axis": 2}
        data_range = float(np.ptp(x)) if own_range else 1.0
        values.append(float(structural_similarity(x, y, data_range=data_range, **options)))
    return values


def psnr_by_scikit_image(generated: Tensor, target: Tensor) -> list[float]:
    """Return scikit-image's PSNR of each pair of pictures."""
    from skimage.metrics import peak_signal_noise_ratio

    pairs = zip(target.numpy(), generated.numpy(), strict=True)
    return [float(peak_signal_noise_ratio(y, x, data_range=1.0)) for y, x in pairs]


def by_torchmetrics(name: str, generated: Tensor, target: Tensor, **options: object) -> list[float]:
    """Return what a function of torchmetrics says of each pair of pictures."""
    from torchmetrics.functional import image

    measure = partial(getattr(image, name), data_range=1.0, **options)
    return [float(measure(x[None], y[None])) for x, y in zip(generated, target, strict=True)]


def inside_by_torchmetrics(generated: Tensor, target: Tensor) -> list[float]:
    """Return the mean of torchmetrics' SSIM map where whole 11x11 windows fit, picture by picture."""
    from torchmetrics.functional.image import structural_similarity_index_measure as measure

    values = []
    for x, y in zip(generated, target, strict=True):
        _, full = measure(x[None], y[None], data_range=1.0, return_full_image=True)
        values.append(float(full[..., 5:-5, 5:-5].mean()))
    return values


def scales_inside_by_torchmetrics(generated: Tensor, target: Tensor) -> list[float]:
    """Return MS-SSIM made of torchmetrics' SSIM, scale by scale, over whole windows at the last scale too.

    As in ours, each channel has its own product.
    """
    channels = zip(generated.flatten(0, 1), target.flatten(0, 1), strict=True)
    found = torch.tensor([_scales_inside(x[None, None], y[None, None]) for x, y in channels])
    return found.view(generated.shape[:2]).mean(1).tolist()


def _scales_inside(x: Tensor, y: Tensor) -> float:
    """Do so for (1, 1, H, W): torch convolves float64 with 121 times the memory of what it is given."""
    from torchmetrics.functional.image import structural_similarity_index_measure as measure

    similarity, last = 1.0, len(SCALE_WEIGHTS) - 1
    for scale, weight in enumerate(SCALE_WEIGHTS):
        if scale < last:
            _, mean = measure(x, y, data_range=1.0, reduction=None, return_contrast_sensitivity=True)
        else:
            _, full = measure(x, y, data_range=1.0, reduction=None, return_full_image=True)
            mean = full[..., 5:-5, 5:-5].mean()
        similarity *= float(mean.relu()) ** (weight / sum(SCALE_WEIGHTS))  # whose sum is 1.0001
        x, y = (torch.nn.functional.avg_pool2d(images, 2) for images in (x, y))
    return similarity


def agreement(generated: Tensor, target: Tensor) -> list[dict[str, float | str]]:
    """Compare metric by metric; a row has both means and the largest difference of a picture."""
    colour, grey = (generated, target), tuple(one.mean(1, keepdim=True) for one in (generated, target))
    whole = partial(by_torchmetrics, "structural_similarity_index_measure")
    scales = partial(by_torchmetrics, "multiscale_structural_similarity_index_measure")
    psnr, inside = partial(by_torchmetrics, "peak_signal_noise_ratio"), scales_inside_by_torchmetrics
    cases: list[tuple[str, str, Callable[..., metrics.Score], Other, tuple[Tensor, ...]]] = []
    for window in ("gaussian", "uniform"):
        for own in (False, True):
            ours = partial(metrics.ssim, window=window, data_range="generated" if own else 1.0)
            name = f"SSIM, {window}, range {'of each picture' if own else '1'}"
            theirs = partial(by_scikit_image, window=window, own_range=own)
            cases.append((name, "scikit-image", ours, theirs, colour))
    ssim = "SSIM, gaussian, range 1"
    cases += [
        (ssim, "torchmetrics, whole windows", metrics.ssim, inside_by_torchmetrics, colour),
        (ssim, "torchmetrics, with its border", metrics.ssim, whole, colour),
        ("MS-SSIM, grey", "torchmetrics, whole windows", metrics.ms_ssim, inside, grey),
        ("MS-SSIM, colour", "torchmetrics, whole windows", metrics.ms_ssim, inside, colour),
        ("MS-SSIM, grey", "torchmetrics, with its border", metrics.ms_ssim, scales, grey),
        ("MS-SSIM, colour", "torchmetrics, with its border", metrics.ms_ssim, scales, colour),
        ("PSNR, dB", "scikit-image", metrics.psnr, psnr_by_scikit_image, colour),
        ("PSNR, dB", "torchmetrics", metrics.psnr, psnr, colour),
    ]
    rows = []
    for name, library, ours, theirs, images in cases:
        mine, other = ours(*images).values, torch.tensor(theirs(*images), dtype=torch.float64)
        difference = float((mine - other).abs().max())
        rows.append({"metric": name, "library": library, "ours": float(mine.mean()),
                     "theirs": float(other.mean()), "difference": difference})  # fmt: skip
    return rows


def by_protocol(pairs: Sequence[Pair]) -> dict[str, EvaluationResult]:
    """Score the same pictures by every protocol."""
    drawn = [Predictor(PartWarp()).generate(pair.source, pair.target.pose).image for pair in pairs]
    truths = [blurred(pair.target.image) for pair in pairs]
    methods = {BLURRED: truths, COPY: [pair.source.image for pair in pairs], WARP: drawn}
    rows = {name: partial(_as_drawn, images) for name, images in methods.items()}
    settings = {"batch_size": len(pairs), "baselines": False}
    return {name: evaluate(rows, pairs, protocol=one, **settings) for name, one in PROTOCOLS.items()}


def _as_drawn(images: Sequence[np.ndarray], _: Sequence[Pair]) -> Sequence[np.ndarray]:
    return images


def agreement_markdown(rows: Sequence[dict[str, float | str]]) -> str:
    """Write the first table."""
    lines = [
        "| metric | library | ours | theirs | largest difference |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for row in rows:
        values = f"{row['ours']:.6f} | {row['theirs']:.6f} | {row['difference']:.0e}"
        lines.append(f"| {row['metric']} | {row['library']} | {values} |")
    return "\n".join(lines)


def protocols_markdown(results: dict[str, EvaluationResult]) -> str:
    """Write the second table: SSIM and mask-SSIM of each set of pictures, a line for each protocol."""
    methods = list(next(iter(results.values())).means)
    head = [f"{title}: {name}" for title in ("SSIM", "mask-SSIM") for name in methods]
    lines = [["protocol", *head], ["---", *["---:"] * len(head)]]
    for name, result in results.items():
        values = [result.means[row][column] for column in ("ssim", "mask_ssim") for row in methods]
        lines.append([f"`{name}`", *(f"{value:.3f}" for value in values)])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=NUM_PAIRS)
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and on the page")
    options = parser.parse_args(arguments)
    people = Subset(
        SyntheticPeople("test", SIZE, "mixed", num_identities=options.pairs), range(options.pairs)
    )
    pairs = [people[index] for index in range(options.pairs)]
    results = by_protocol(pairs)
    target = units([pair.target.image for pair in pairs])
    rows = agreement(units([pair.source.image for pair in pairs]), target)
    facts = next(iter(results.values())).facts
    border = (
        "\n\ntorchmetrics averages over the border too, where windows do not fit: in MS-SSIM at the last of "
        "five scales alone, of whose 256 pixels only 36 have a whole window. Over whole windows both agree."
    )
    line = (
        f"\n\n*Measured on {options.pairs} pairs of unseen synthetic people at {SIZE[0]}x{SIZE[1]}, "
        f"blur of sigma {BLUR:g} pixels, {facts['date']}, torch {facts['torch']}, {facts['commit']}.*"
    )
    contents = {
        name: {"means": one.means, "protocol": one.facts["protocol"]} for name, one in results.items()
    }
    found = {
        "agreement": ({"facts": facts, "rows": rows}, agreement_markdown(rows) + border),
        "protocols": ({"facts": facts, "protocols": contents}, protocols_markdown(results)),
    }
    for name, (content, markdown) in found.items():
        print(markdown + line, end="\n\n")
        if options.write:
            tables.keep(name, content, markdown + line)


if __name__ == "__main__":
    main()
