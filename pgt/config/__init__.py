"""What each approach is made of and how it is trained: frozen dataclasses, one preset per row of a paper.

Plain numbers only: nothing here knows of tensors, files or networks. Where a paper and its released code
differ, the default is the paper's text and the comment names the other.
"""

from pgt.config.garment_flow import GarmentFlowConfig as GarmentFlowConfig
from pgt.config.judges import HumanParserConfig as HumanParserConfig
from pgt.config.judges import PoseEstimatorConfig as PoseEstimatorConfig
from pgt.config.mrnet import MRNetConfig as MRNetConfig
from pgt.config.pg2 import PG2Config as PG2Config
from pgt.config.presets import PRESETS as PRESETS
from pgt.config.presets import Config as Config
from pgt.config.progressive import GROWN_FROM as GROWN_FROM
from pgt.config.progressive import ProgressiveConfig as ProgressiveConfig
from pgt.config.spt import SPTConfig as SPTConfig
from pgt.config.stage import Stage as Stage
from pgt.config.stage import changed_fields as changed_fields

# The public address of the repository and the Hub namespace of its weights; empty until they are decided.
# Badges, cards and notebook links are generated from these two and left out while they are empty.
PUBLIC_HOME = ""
HUB_NAMESPACE = ""
