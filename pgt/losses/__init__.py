"""Every loss as a pure function of tensors: one unweighted scalar out.

Weights live in the configs, networks in the recipes: what needs features of a network is given them. Pictures
are in [-1, 1]; norms are means over all elements, so that a loss does not grow with the picture or the batch.
A paper's sum is the mean times the number of elements of one picture; SPT's weights (Song et al., TPAMI 2021,
section 4.1) belong to means, as in its released code. Losses of mixed precision are taken in float32.
"""

from pgt.losses.adversarial import adversarial_loss as adversarial_loss
from pgt.losses.flow import flow_variation_loss as flow_variation_loss
from pgt.losses.flow import masked_l1_loss as masked_l1_loss
from pgt.losses.local import feature_errors as feature_errors
from pgt.losses.local import global_perceptual_loss as global_perceptual_loss
from pgt.losses.local import level_criterion as level_criterion
from pgt.losses.local import local_perceptual_loss as local_perceptual_loss
from pgt.losses.maps import pose_loss as pose_loss
from pgt.losses.maps import semantic_cross_entropy as semantic_cross_entropy
from pgt.losses.pictures import content_loss as content_loss
from pgt.losses.pictures import l1_loss as l1_loss
from pgt.losses.pictures import pose_mask_l1_loss as pose_mask_l1_loss
from pgt.losses.pictures import reconstruction_loss as reconstruction_loss
from pgt.losses.regions import box_masks as box_masks
from pgt.losses.regions import perceptual_loss as perceptual_loss
from pgt.losses.regions import roi_max_pool as roi_max_pool
from pgt.losses.regions import roi_perceptual_loss as roi_perceptual_loss
from pgt.losses.regions import weighted_reconstruction_loss as weighted_reconstruction_loss
from pgt.losses.style import gram_matrix as gram_matrix
from pgt.losses.style import patch_style_loss as patch_style_loss
from pgt.losses.style import region_grams as region_grams
from pgt.losses.style import region_style_loss as region_style_loss
from pgt.losses.style import semantic_style_loss as semantic_style_loss
