"""The settings of MR-Net, and its presets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pgt.config.stage import Stage, known_fields, to_plain

_CHOICES = {
    "joint_set": ("openpose-18", "penn-action-13", "bbc-pose-7"),
    "norm": ("batch", "instance", "none"),
    "initialisation": ("default", "he"),
    "resampling": ("after", "before"),
    "output": ("listed", "full_size"),
    "guidance": ("every_layer", "three_layers"),
    "fusion": ("convolution", "residual"),
    "dilated_padding": ("same", "released"),
    "pose_kind": ("disc", "gaussian"),
    "reconstruction": ("weighted", "l1"),
    "features": ("vgg19", "vgg19-released", "vgg16", "human-parser"),
    "discriminator_norm": ("instance", "spectral", "none"),
}
_EPOCHS, _BATCH = 200, 12  # of the released code; the paper tells neither


def _paper_stages(num_pairs: int, size: tuple[int, int]) -> tuple[Stage, ...]:
    return (Stage("rounds", _EPOCHS * num_pairs // _BATCH, size, _BATCH, lr=2e-4),)


@dataclass(frozen=True)
class MRNetConfig:
    """MR-Net (Xu et al. 2020): branches for pose, person and background, and rounds of refinement."""

    image_size: tuple[int, int] = (128, 128)  # (H, W), pixels
    joint_set: str = "penn-action-13"  # which joints E_p sees; or "openpose-18", "bbc-pose-7"
    num_rounds: int = 3  # K, while training, and in use unless told otherwise
    widths: tuple[int, ...] = (32, 64, 128, 256)  # of E_p, E_fg and D, full resolution first
    background_widths: tuple[int, int, int] = (32, 64, 128)  # of E_bkg
    kernel_size: int = 5
    norm: str = "batch"  # or "instance", "none" (ours)
    initialisation: str = "default"  # PyTorch's; or "he" (ours)
    resampling: str = "after"  # Down and Up2 stand behind their convolution, as listed; "before": released
    output: str = "listed"  # K5C3 and Up2, by `resampling`; "full_size": Up2 comes first anyway (ours)
    guidance: str = "every_layer"  # where E_p's features join E_fg; or "three_layers" (released)
    two_paths: bool = True  # False: one encoder sees pose and person together (Table III, #Path)
    fusion: str = "convolution"  # K1C256 at the bottleneck; or "residual", a 3x3 block (released)
    non_local: bool = True  # False: Table III, N.L.
    non_local_reduction: int = 4  # of the channels inside a non-local block
    dilated_padding: str = "same"  # "released": 1 at any rate, so maps shrink and are stretched afterwards
    output_norm: bool = False  # True: batch norm before the last tanh too (released)
    blend: bool = False  # True: D also draws where its picture covers the source's background (ours)
    filled_hole: bool = False  # True: E_bkg sees the hole filled from around it, not black (ours)
    source_pose_input: bool = False  # True: E_fg also sees the heat maps of the source (ours)
    warped_input: bool = False  # True: E_fg also sees the person's parts carried to the target pose (ours)
    appearance_code: bool = False  # True: D also sees the mean of E's features over the person (ours)

    pose_kind: str = "disc"  # or "gaussian"
    pose_radius: float = 5.0  # of a disc, pixels (released; the paper does not say)
    pose_sigma: float = 3.0  # of a Gaussian, pixels

    reconstruction: str = "weighted"  # Eq. 2; or "l1", the mean absolute error (released)
    features: str = "vgg19"  # of Eq. 3 and 4: relu1_2 to relu5_3; "vgg19-released": conv1_2 to conv5_2;
    # or "vgg16", "human-parser" (ours, offline)
    perceptual_weight: float = 0.5  # lambda_1 of Eq. 1; 1.0 released: 5 times the mean over five layers
    roi_weight: float = 0.05  # lambda_2 of Eq. 1; 0.2 released: the mean over five layers; 0: Table III, ROI
    roi_sizes: tuple[int, ...] = (30, 30, 15, 7, 4)  # side of the pooled region, layer by layer
    adversarial_weight: float = 0.0  # > 0: a discriminator judges the last round (released, off there too)
    discriminator_channels: int = 64
    discriminator_norm: str = "instance"  # or "spectral", "none"
    discriminator_lr: float | None = None  # None: the stage's

    betas: tuple[float, float] = (0.9, 0.999)  # Adam
    weight_decay: float = 0.0  # 1e-5 released
    max_grad_norm: float | None = None  # clip the generator's gradient to this length
    ema_decay: float = 0.0  # > 0: samples and saved weights are this moving average
    stages: tuple[Stage, ...] = _paper_stages(57_925, (128, 128))

    def __post_init__(self) -> None:
        for name in ("image_size", "widths", "background_widths", "roi_sizes", "betas", "stages"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # JSON knows no tuples
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        if len(self.widths) < 3 or len(self.background_widths) != 3:
            raise ValueError(
                f"MR-Net needs at least 3 widths, and 3 of the background; "
                f"got {self.widths} and {self.background_widths}"
            )
        if self.num_rounds < 1:
            raise ValueError(f"num_rounds must be at least 1, got {self.num_rounds}")
        step = 2 ** len(self.widths)
        if any(side % step for side in self.image_size):
            raise ValueError(
                f"image_size {self.image_size} must be a multiple of {step} for {len(self.widths)} widths"
            )

    def to_dict(self) -> dict[str, Any]:
        """Give every field as JSON-able plain data."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "MRNetConfig":
        """Rebuild a config from `to_dict`, as `PG2Config.from_dict`."""
        return cls(**known_fields(cls, values))


# What a training on two CPU cores gains from. No norm: a batch norm would keep one average for rounds that
# see different things, a scene with a hole and a finished picture. No background as wide as 24: torch 2.15
# has no finite gradients of dilated layers so wide, in bfloat16 on a CPU.
_SMALL = MRNetConfig(
    joint_set="openpose-18",
    norm="none",
    initialisation="he",
    kernel_size=3,
    output="full_size",
    blend=True,
    source_pose_input=True,
    warped_input=True,
    appearance_code=True,
    pose_kind="gaussian",
    features="human-parser",
    # A tenth of the paper's: our features are not VGG's, and at its weights they outweigh Eq. 2.
    perceptual_weight=0.05,
    roi_weight=0.005,
    widths=(32, 48, 64, 96, 128),
    background_widths=(16, 32, 48),
    num_rounds=2,
    max_grad_norm=1.0,
    ema_decay=0.998,
    stages=(Stage("rounds", 4_000, (128, 128), batch_size=8, lr=1e-3, lr_schedule="cosine"),),
)

MRNET_PRESETS: dict[str, MRNetConfig] = {
    # Section IV-A: 263,632 training pairs of 128x64, joints by OpenPose.
    "mrnet-market1501": MRNetConfig(
        image_size=(128, 64), joint_set="openpose-18", stages=_paper_stages(263_632, (128, 64))
    ),
    # Section IV-A: 57,925 training pairs of 128x128.
    "mrnet-penn-action": MRNetConfig(),
    # Section IV-A: 14,942 training frames of 128x128; a pair for each.
    "mrnet-bbc-pose": MRNetConfig(joint_set="bbc-pose-7", stages=_paper_stages(14_942, (128, 128))),
    # Tests and notebooks.
    "mrnet-tiny": replace(
        _SMALL,
        image_size=(64, 64),
        num_rounds=3,
        widths=(24, 48, 64, 96),
        pose_sigma=1.5,  # the body is half as high as at 128x128
        roi_sizes=(15, 15, 8, 4, 2),  # and so are its features
        ema_decay=0.99,
        stages=(Stage("rounds", 400, (64, 64), batch_size=8, lr=1e-3, lr_schedule="cosine"),),
    ),
    # One's own video, from scratch, in some minutes of one CPU core: one person in one scene.
    "mrnet-own-video": replace(
        _SMALL,
        image_size=(96, 96),
        widths=(16, 32, 64, 96),
        warped_input=False,  # one person, seen often: the network knows what to draw where
        norm="batch",
        resampling="before",
        perceptual_weight=0.5,
        roi_weight=0.05,
        pose_sigma=2.25,
        roi_sizes=(22, 22, 11, 5, 3),
        ema_decay=0.99,
        stages=(Stage("rounds", 1_000, (96, 96), batch_size=8, lr=1e-3, lr_schedule="cosine"),),
    ),
    # The weights to be bundled.
    "mrnet-synthetic-128": replace(_SMALL, filled_hole=True),
}
