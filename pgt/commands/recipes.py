"""Which recipe trains a config, and with which frozen networks."""

from typing import TYPE_CHECKING

from pgt.checkpoint import load
from pgt.commands.common import bundled
from pgt.config import (
    Config,
    GarmentFlowConfig,
    HumanParserConfig,
    MRNetConfig,
    PG2Config,
    PoseEstimatorConfig,
    ProgressiveConfig,
    SPTConfig,
)

if TYPE_CHECKING:
    from torch import nn

    from pgt.training.recipe import Recipe

OWN_FEATURES = "human-parser"  # bundled; the others are ImageNet's, which torchvision downloads


def recipe_of(config: Config) -> "Recipe":
    """Build the recipe that a config belongs to, with fresh weights.

    Raises:
        OSError: it compares pictures by ImageNet's features, which are not on this machine.
        TypeError: no recipe knows such a config.
    """
    match config:
        case PG2Config():
            from pgt.training.pg2 import PG2Recipe

            return PG2Recipe(config)
        case SPTConfig():
            from pgt.training.spt import SPTRecipe

            return SPTRecipe(config, load(bundled("pose-estimator"), quiet=True), _two_levels(config))
        case MRNetConfig():
            from pgt.training.mrnet import MRNetRecipe

            return MRNetRecipe(config, _five_levels(config))
        case ProgressiveConfig():
            from pgt.training.progressive import ProgressiveRecipe

            return ProgressiveRecipe(config, _four_layers(config))
        case GarmentFlowConfig():
            from pgt.training.garment_flow import GarmentFlowRecipe

            return GarmentFlowRecipe(config, _two_levels(config))
        case PoseEstimatorConfig():
            from pgt.training.pose_estimator import PoseEstimatorRecipe

            return PoseEstimatorRecipe(config)
        case HumanParserConfig():
            from pgt.training.human_parser import HumanParserRecipe

            return HumanParserRecipe(config)
    raise TypeError(f"No recipe trains a {type(config).__name__}.")


def _two_levels(config: SPTConfig | GarmentFlowConfig) -> "nn.Module":
    """Load what is behind SPT's content and style losses, and garment transfer's perceptual one."""
    from pgt.layers.features import VGG16Features

    if config.features == OWN_FEATURES:
        return load(bundled(OWN_FEATURES), quiet=True).features()
    return VGG16Features.pretrained()


def _five_levels(config: MRNetConfig) -> "nn.Module":
    """Load what is behind MR-Net's perceptual losses."""
    from pgt.layers.features import VGGPyramid

    if config.features == OWN_FEATURES:
        return load(bundled(OWN_FEATURES), quiet=True).pyramid()
    return VGGPyramid.pretrained(config.features)


def _four_layers(config: ProgressiveConfig) -> "nn.Module":
    """Load what is behind Progressive's perceptual losses."""
    from pgt.layers.features import VGGPyramid
    from pgt.layers.perceptual import PerceptualLayers

    if config.features == OWN_FEATURES:
        return PerceptualLayers.of_encoder(load(bundled(OWN_FEATURES), quiet=True).encoder)
    return PerceptualLayers.of_vgg(VGGPyramid.pretrained(config.features))
