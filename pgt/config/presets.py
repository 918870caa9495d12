"""The presets: one per row of a paper, and ours."""

from collections.abc import Mapping
from dataclasses import replace

from pgt.config.garment_flow import GARMENT_FLOW_PRESETS, GarmentFlowConfig
from pgt.config.judges import HumanParserConfig, PoseEstimatorConfig
from pgt.config.mrnet import MRNET_PRESETS, MRNetConfig
from pgt.config.pg2 import PG2Config
from pgt.config.progressive import PROGRESSIVE_PRESETS, ProgressiveConfig
from pgt.config.spt import SPTConfig
from pgt.config.stage import Stage

Config = (
    PG2Config
    | SPTConfig
    | MRNetConfig
    | ProgressiveConfig
    | GarmentFlowConfig
    | PoseEstimatorConfig
    | HumanParserConfig
)


def _stages(
    size: tuple[int, int], batch_size: int, lr: float, steps: Mapping[str, int], schedule: str
) -> tuple:
    return tuple(Stage(name, num, size, batch_size, lr, schedule) for name, num in steps.items())


# What a training on two CPU cores gains from.
_SPT_SMALL = SPTConfig(
    patch_size=2,
    norm="none",
    initialisation="he",
    dropout=0.0,
    background_keeps_known=True,
    background_prefill=True,
    hole_margin=1,
    soft_mask=True,
    discriminator_norm="spectral",
    features="human-parser",
    output_scale=0.1,
    pose_weight=20.0,
    content_weight=5.0,
    style_weight=2000.0,
    self_weight=5.0,
    face_weight=0.005,
    reconstruction_weight=10.0,
    background_adversarial_weight=0.01,
    adversarial_weight=0.03,
    joint_ce_weight=10.0,
    discriminator_lr=2e-4,
    widths=(32, 64, 96, 128, 128),
    semantic_widths=(32, 64, 96, 112, 112),
    background_widths=(32, 32, 64, 96, 96),
    max_grad_norm=1.0,
    ema_decay=0.998,
)
_SPT_SYNTHETIC = replace(
    _SPT_SMALL,
    pose_sigma=3.0,
    discriminator_channels=24,
    stages=(
        *_stages((128, 128), 16, 6e-4, {"semantic": 3_500}, "cosine"),
        *_stages((128, 128), 6, 4e-4, {"appearance": 2_500}, "cosine"),
        *_stages((128, 128), 16, 6e-4, {"background": 1_000}, "cosine"),
        *_stages((128, 128), 6, 1e-4, {"end_to_end": 300}, "cosine"),
    ),
)

PRESETS: dict[str, Config] = {
    # Section 4.1: Adam 2e-5, N = 5, batch 16, 22k + 14k steps.
    "pg2-market1501": PG2Config(),
    # Section 4.1: N = 6, batch 8, 30k + 20k steps.
    "pg2-deepfashion": PG2Config(
        image_size=(256, 256),
        num_blocks=6,
        l1_weight=50.0,
        stages=_stages((256, 256), 8, 2e-5, {"coarse": 30_000, "refine": 20_000}, "constant"),
    ),
    # Notebooks: learns visibly within a minute of two CPU cores.
    "pg2-tiny": PG2Config(
        image_size=(64, 64),
        base_channels=24,
        num_blocks=4,
        patch_size=2,
        pose_radius=2.0,  # the body is half as high as at the paper's 128x64
        pose_sigma=1.5,
        mask_radius=2.0,
        source_pose_input=True,
        discriminator_channels=16,
        discriminator_norm="spectral",
        initialisation="he",
        residual_scale=0.3,
        difference_scale=0.05,
        discriminator_lr=2e-4,
        stages=_stages((64, 64), 16, 1e-3, {"coarse": 800, "refine": 300}, "cosine"),
    ),
    # The bundled weights: everything that a training on two CPU cores gains from.
    "pg2-synthetic-128": PG2Config(
        image_size=(128, 128),
        base_channels=32,
        num_blocks=5,
        bottleneck_features=256,
        patch_size=2,
        pose_kind="gaussian",
        pose_sigma=3.0,
        source_pose_input=True,
        l1_weight=100.0,
        discriminator_channels=32,
        discriminator_norm="spectral",
        initialisation="he",
        residual_scale=0.3,
        difference_scale=0.05,
        discriminator_lr=4e-4,
        ema_decay=0.998,
        stages=(
            *_stages((128, 128), 16, 6e-4, {"coarse": 18_000}, "cosine"),
            *_stages((128, 128), 16, 3e-4, {"refine": 2_400}, "cosine"),
        ),
    ),
    # Section 4.1: batch 4; joint learning at 128x128, then 256x256 with one more level. It counts days, so
    # the numbers of steps are ours.
    "spt-deepfashion": SPTConfig(
        image_size=(256, 256),
        grown=True,
        widths=(32, 64, 128, 256, 512, 512, 512),
        background_widths=(32, 64, 128, 256, 512, 512, 512),
        stages=(
            *SPTConfig().stages,
            *_stages((256, 256), 4, 2e-4, {"fine": 100_000}, "constant"),
        ),
    ),
    # Section 4.1: 128x64, batch 16, no face loss and no background network.
    "spt-market1501": SPTConfig(
        image_size=(128, 64),
        pose_weight=1.0,
        content_weight=0.003,
        face_weight=0.0,
        background="none",
        stages=_stages(
            (128, 64), 16, 2e-4, {"semantic": 40_000, "appearance": 80_000, "end_to_end": 40_000}, "constant"
        ),
    ),
    # Tests and notebooks.
    "spt-tiny": replace(
        _SPT_SMALL,
        image_size=(64, 64),
        widths=(24, 48, 64, 64),
        semantic_widths=(24, 48, 64, 64),
        background_widths=(16, 32, 48, 48),
        pose_sigma=2.0,
        mask_radius=2.0,
        face_size=16,
        discriminator_channels=16,
        stages=_stages((64, 64), 8, 1e-3, {"semantic": 600, "appearance": 300, "end_to_end": 100}, "cosine"),
    ),
    # Table 3: four configurations that differ in one line each.
    "spt-synthetic-128": _SPT_SYNTHETIC,
    "spt-synthetic-128-ts-pred": replace(_SPT_SYNTHETIC, stages=_SPT_SYNTHETIC.stages[:3]),
    "spt-synthetic-128-ts-gt": replace(_SPT_SYNTHETIC, guidance="true", stages=_SPT_SYNTHETIC.stages[1:3]),
    "spt-synthetic-128-baseline": replace(
        _SPT_SYNTHETIC, guidance="none", background="none", style="mask", stages=_SPT_SYNTHETIC.stages[1:2]
    ),
    **MRNET_PRESETS,
    **PROGRESSIVE_PRESETS,
    **GARMENT_FLOW_PRESETS,
    # The judge behind PCKh: ten minutes of one CPU core.
    "pose-estimator-synthetic-128": PoseEstimatorConfig(),
    "human-parser-synthetic-128": HumanParserConfig(),
}
