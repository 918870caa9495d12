"""How each paper measured: its frame, its mask and its SSIM, under the paper's name.

The papers hardly say; what they leave open is taken from the code that was released with them or that they
name. Where a code contradicts its paper, the paper's text counts, and `notes` tells what the code does.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

COLUMNS = ("all", "cropped", "padded")
CROPPED = 176 / 256  # width over height of DeepFashion's pictures without their empty sides (PATN)


@dataclass(frozen=True)
class Protocol:
    """Settings of one way to measure; every field goes into the JSON of a result."""

    name: str
    paper: str
    window: str = "gaussian"  # of SSIM: 11x11 of sigma 1.5, or "uniform", 7x7
    data_range: float | str = 1.0  # of SSIM; "generated": each generated picture's own
    sample_covariance: bool = False  # divide by n - 1 in SSIM
    mask: str | None = None  # "person", "pose" or "open pose", see `Truth.of`; None: whatever the data have
    average: str = "picture"  # where mask-SSIM is averaged: the whole "picture", or the "box" of the mask
    columns: str = "all"  # or "cropped": the middle 176 of 256; or "padded": these, and white up to a square
    test_pairs: Mapping[str, int] = field(default_factory=dict)  # dataset -> how many the paper scored
    notes: str = ""

    @property
    def ssim(self) -> dict[str, float | str | bool]:
        """Keyword arguments of `pgt.metrics.ssim`."""
        settings = ("window", "data_range", "sample_covariance")
        return {name: getattr(self, name) for name in settings}

    def as_dict(self) -> dict[str, float | str | bool | Mapping[str, int] | None]:
        """All settings as plain values."""
        return asdict(self)

    def num_pairs(self, dataset: str | None) -> int | None:
        """Return on how many test pairs of a dataset the paper's numbers stand; None where it does not say.

        Of a folder that nobody has named (None) it may be any, and the first dataset's number is taken.
        """
        if dataset is None:
            return next(iter(self.test_pairs.values()), None)
        return self.test_pairs.get(dataset)

    def frame(self, images: Tensor, fill: float = 1.0) -> Tensor:
        """Cut and pad pictures or masks as this protocol does.

        Args:
            images: (B, C, H, W).
            fill: value of added columns: 1 is white, for pictures in [0, 1].

        Returns:
            (B, C, H, W'); W' is W, 11/16 of H ("cropped"), or H ("padded").

        Raises:
            ValueError: the pictures are too narrow to be cropped.
        """
        if self.columns == "all":
            return images
        height, width = images.shape[-2:]
        cropped = round(CROPPED * height)
        if width < cropped:
            raise ValueError(
                f"protocol {self.name!r} takes {cropped} columns of pictures {height} pixels high; "
                f"these have only {width}."
            )
        left = (width - cropped) // 2
        images = images[..., left : left + cropped]
        if self.columns == "cropped":
            return images
        return F.pad(images, (self._margin(height), height - cropped - self._margin(height)), value=fill)

    def move(self, points: Tensor, size: tuple[int, int]) -> Tensor:
        """Move points (..., 2), (x, y) in pixels of pictures of `size` (H, W), along with `frame`."""
        if self.columns == "all":
            return points
        height, width = size
        left = (width - round(CROPPED * height)) // 2
        added = self._margin(height) if self.columns == "padded" else 0
        return points + torch.tensor([added - left, 0], dtype=points.dtype, device=points.device)

    def _margin(self, height: int) -> int:
        return (height - round(CROPPED * height)) // 2


_DEF_GAN = {"data_range": "generated", "mask": "open pose"}  # also of PATN
_PATN_PAIRS = {"deepfashion": 8_570}  # of its released list
_ALL = (
    Protocol("pgt", "ours: SSIM as Wang et al. 2004 describe it"),
    Protocol(
        "pg2",
        "Ma et al. 2017, section 4.3; SSIM as in the released score.py",
        window="uniform",
        sample_covariance=True,
        mask="open pose",
        test_pairs={"deepfashion": 12_800, "market-1501": 12_800},
        notes="The released score_mask.py takes the source's pose mask; the paper's is the target's.",
    ),
    Protocol(
        "spt",
        "Song et al. 2021, section 4.2; SSIM as in Def-GAN's test.py, whose code SPT's continues",
        **_DEF_GAN,
        test_pairs={"deepfashion": 12_000, "deepfashion-backgrounds": 118, "market-1501": 12_000},
        notes="No code for SPT's metrics was released. Its paper's masks are PG2's; of DeepFashion it counts "
        "test pictures.",
    ),
    Protocol(
        "mrnet",
        "Xu et al. 2020, section IV-B, on Market-1501; SSIM and masks as in the released compute_ssim.py",
        **_DEF_GAN,
        test_pairs={"market-1501": 12_000},
        notes="The released inference.py stretches each picture to its own minimum and maximum first; FID's "
        "pictures are BGR.",
    ),
    Protocol(
        "mrnet-bbc",
        "Xu et al. 2020, section IV-B, on BBC-Pose; SSIM as in the released compute_ssim.py",
        data_range="generated",
        test_pairs={"bbc-pose": 3_736},
        notes="As 'mrnet', but masks are those of the data, or the pose masks of data without; the paper's "
        "are of Mask R-CNN. It counts test frames.",
    ),
    Protocol(
        "mrnet-penn",
        "Xu et al. 2020, section IV-B, on Penn Action: M-SSIM inside the person's box",
        data_range="generated",
        average="box",
        test_pairs={"penn-action": 4_634},
        notes="As 'mrnet-bbc'; the released compute_ssim.py averages over the whole picture.",
    ),
    Protocol(
        "progressive",
        "Progressive 2020, section 4.2: SSIM, local-SSIM in 44 regions, MS-SSIM",
        notes="The paper does not state SSIM's settings, and no code was released: these are Wang et al.'s.",
    ),
    Protocol(
        "patn",
        "Zhu et al. 2019, released getMetrics_fashion.py: 176x256 pictures with white columns at both sides",
        **_DEF_GAN,
        columns="padded",
        test_pairs=_PATN_PAIRS,
        notes="Nearly a third of each picture is then white in both.",
    ),
    Protocol(
        "patn-176",
        "As 'patn', but without the white columns: 176x256",
        **_DEF_GAN,
        columns="cropped",
        test_pairs=_PATN_PAIRS,
    ),
)
PROTOCOLS = {one.name: one for one in _ALL}
OURS = PROTOCOLS["pgt"]


def protocol_named(name: str) -> Protocol:
    """Return a protocol.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in PROTOCOLS:
        raise ValueError(f"no protocol {name!r}; there are {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[name]
