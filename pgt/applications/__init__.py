"""What can be done with trained models: video, and edits of clothes.

With any approach, one picture and a sequence of poses become a video (`animate`, `PoseSequence`), and an
appearance flow brings clothes from one person to another (`transfer_garment`). The rest is what SPT's
appearance network can do without further training (Song et al., TPAMI 2021, section 4.4).
Clothing texture transfer (`transfer_clothing_texture`), controlled manipulation by an edited semantic map
(`redraw`, `edits`) and virtual try-on of product pictures and styled images (`try_on_product`,
`try_on_style`). All of them feed the foreground network G_A^F with other inputs than in training and join its
picture with the given one by a binary mask.
"""

from pgt.applications.animation import animate as animate
from pgt.applications.animation import score_video as score_video
from pgt.applications.animation import side_by_side as side_by_side
from pgt.applications.animation import write_video as write_video
from pgt.applications.drawing import Redrawn as Redrawn
from pgt.applications.edits import dress_to_pants as dress_to_pants
from pgt.applications.edits import lengthen_sleeves as lengthen_sleeves
from pgt.applications.edits import pants_to_skirt as pants_to_skirt
from pgt.applications.edits import set_sleeves as set_sleeves
from pgt.applications.edits import shorten_sleeves as shorten_sleeves
from pgt.applications.garment_transfer import GarmentTransfer as GarmentTransfer
from pgt.applications.garment_transfer import bring_into_pose as bring_into_pose
from pgt.applications.garment_transfer import fit_garment as fit_garment
from pgt.applications.garment_transfer import transfer_garment as transfer_garment
from pgt.applications.manipulation import redraw as redraw
from pgt.applications.manipulation import transfer_clothing_texture as transfer_clothing_texture
from pgt.applications.pose_sequences import PoseSequence as PoseSequence
from pgt.applications.pose_sequences import fit_sequence as fit_sequence
from pgt.applications.scoring import score_map as score_map
from pgt.applications.scoring import score_region as score_region
from pgt.applications.smoothing import smooth as smooth
from pgt.applications.try_on import landmark_pose as landmark_pose
from pgt.applications.try_on import paste_product as paste_product
from pgt.applications.try_on import try_on_product as try_on_product
from pgt.applications.try_on import try_on_style as try_on_style
