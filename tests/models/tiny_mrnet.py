"""The smallest MR-Net that has every part, for tests of networks and training."""

from pgt.config import MRNetConfig, Stage

SIZE = (64, 32)  # twice as high as wide, for H and W are easily swapped
ROUNDS = Stage("rounds", 40, SIZE, batch_size=2, lr=2e-3)
TINY_MRNET = MRNetConfig(
    image_size=SIZE,
    joint_set="openpose-18",
    widths=(4, 6, 8, 10),
    background_widths=(4, 6, 8),
    pose_radius=2.0,
    features="human-parser",
    stages=(ROUNDS,),
)
# What the released code does otherwise than the paper says.
RELEASED_LAYERS = {
    "resampling": "before",
    "guidance": "three_layers",
    "fusion": "residual",
    "dilated_padding": "released",
    "output_norm": True,
}
# What makes a training on two CPU cores quicker.
OURS = {
    "output": "full_size",
    "blend": True,
    "source_pose_input": True,
    "warped_input": True,
    "appearance_code": True,
    "initialisation": "he",
}
