"""The smallest SPT that has every part, for tests of networks, predictor and applications."""

from pgt.config import SPTConfig

TINY_SPT = SPTConfig(
    image_size=(32, 16),  # twice as high as wide, for H and W are easily swapped
    widths=(4, 6, 8),
    semantic_widths=(4, 6, 8),
    background_widths=(4, 6, 8),
    num_warped_skips=2,
    pose_sigma=1.5,
    mask_radius=1.0,
)
