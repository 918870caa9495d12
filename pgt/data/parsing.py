"""The 10 labels of human parsing, their colours, and the merges from three public label sets.

0 background, 1 face, 2 hair, 3 upper clothes, 4 pants, 5 skirt, 6 left arm, 7 right arm, 8 left leg, 9 right
leg (Song et al., Unsupervised Person Image Generation with Semantic Parsing Transformation, CVPR 2019). Left
and right are the person's own.

The merges are tables: entry i is the label that class i of the other set becomes. Choices that the paper
leaves open: hat -> hair, sunglasses -> face, dress and coat and scarf and belt -> upper clothes, jumpsuit ->
pants (most of its area is legs), neck and torso skin -> face. Shoes join the leg of their side; socks,
gloves and bags have no side in those sets and become background, since a guess would put them on the wrong
limb.
"""

import numpy as np
import torch
from torch import Tensor

LABELS = (
    "background", "face", "hair", "upper_clothes", "pants", "skirt",
    "left_arm", "right_arm", "left_leg", "right_leg",
)  # fmt: skip
NUM_LABELS = len(LABELS)
FLIP_LABELS = (0, 1, 2, 3, 4, 5, 7, 6, 9, 8)
COLORS = np.array(
    [
        (0, 0, 0), (255, 193, 153), (110, 64, 38), (230, 75, 60), (50, 105, 200),
        (200, 90, 200), (250, 200, 60), (240, 140, 40), (70, 190, 120), (30, 130, 110),
    ],
    dtype=np.uint8,
)  # fmt: skip

_BACKGROUND, _FACE, _HAIR, _UPPER, _PANTS, _SKIRT, _LEFT_ARM, _RIGHT_ARM, _LEFT_LEG, _RIGHT_LEG = range(10)

# name in the other set -> our label; the position is the class number of that set
_LIP20 = (
    ("background", _BACKGROUND), ("hat", _HAIR), ("hair", _HAIR), ("glove", _BACKGROUND),
    ("sunglasses", _FACE),
    ("upper_clothes", _UPPER), ("dress", _UPPER), ("coat", _UPPER), ("socks", _BACKGROUND), ("pants", _PANTS),
    ("jumpsuits", _PANTS), ("scarf", _UPPER), ("skirt", _SKIRT), ("face", _FACE), ("left_arm", _LEFT_ARM),
    ("right_arm", _RIGHT_ARM), ("left_leg", _LEFT_LEG), ("right_leg", _RIGHT_LEG), ("left_shoe", _LEFT_LEG),
    ("right_shoe", _RIGHT_LEG),
)  # fmt: skip
_ATR18 = (
    ("background", _BACKGROUND), ("hat", _HAIR), ("hair", _HAIR), ("sunglasses", _FACE),
    ("upper_clothes", _UPPER), ("skirt", _SKIRT), ("pants", _PANTS), ("dress", _UPPER),
    ("belt", _UPPER), ("left_shoe", _LEFT_LEG),
    ("right_shoe", _RIGHT_LEG), ("face", _FACE), ("left_leg", _LEFT_LEG), ("right_leg", _RIGHT_LEG),
    ("left_arm", _LEFT_ARM), ("right_arm", _RIGHT_ARM), ("bag", _BACKGROUND), ("scarf", _UPPER),
)  # fmt: skip
# CIHP has LIP's numbers, with torso skin in the place of jumpsuits.
_CIHP20 = (*_LIP20[:10], ("torso_skin", _FACE), *_LIP20[11:])

LIP20_TO_10 = tuple(label for _, label in _LIP20)
ATR18_TO_10 = tuple(label for _, label in _ATR18)
CIHP20_TO_10 = tuple(label for _, label in _CIHP20)


def merge(label_map: np.ndarray, table: tuple[int, ...]) -> np.ndarray:
    """Turn the classes of another label set into our 10 labels.

    Args:
        label_map: integer array of any shape, each entry a class of the other set.
        table: LIP20_TO_10, ATR18_TO_10 or CIHP20_TO_10.

    Returns:
        uint8 array of the same shape.

    Raises:
        ValueError: the map holds a number outside the table (255 of "ignore" included).
    """
    label_map = np.asarray(label_map)
    if label_map.size and not 0 <= label_map.min() <= label_map.max() < len(table):
        raise ValueError(
            f"The label map holds classes {label_map.min()}..{label_map.max()}, "
            f"but the table has 0..{len(table) - 1}."
        )
    return np.array(table, dtype=np.uint8)[label_map]


def label_map_fault(label_map: object, size: tuple[int, int]) -> str | None:
    """Say what keeps something from being a map of the 10 labels.

    Args:
        label_map: anything; a map is an integer array (H, W) of any width in bits, each entry 0 to 9.
        size: (H, W) it must have.

    Returns:
        The end of a sentence that begins with the map's name or file, for example "holds label 12, but ...";
        None for a map.
    """
    if not isinstance(label_map, np.ndarray):
        return f"is of type {type(label_map).__name__}, not an array"
    if not np.issubdtype(label_map.dtype, np.integer):
        return f"holds {label_map.dtype}, not whole numbers"
    if label_map.ndim != 2:
        return f"has shape {label_map.shape}, but one label number per pixel is needed, no colours"
    if label_map.shape != tuple(size):
        sides = " but ".join("x".join(map(str, shape)) for shape in (label_map.shape, size))
        return f"is {sides} is the size of the picture"
    # The unsigned types, which nearly every map has, cannot hold what is below 0.
    extremes = [label_map.max()] if label_map.dtype.kind == "u" else [label_map.min(), label_map.max()]
    wrong = [int(label) for label in extremes if not 0 <= label < NUM_LABELS]
    if wrong:
        known = f"the labels are 0 to {NUM_LABELS - 1} (for other label sets see pgt.data.parsing.merge)"
        return f"holds label {wrong[0]}, but {known}"
    return None


def one_hot(label_map: Tensor) -> Tensor:
    """Turn (B, H, W) int64 labels into (B, 10, H, W) float of 0 and 1."""
    labels = torch.arange(NUM_LABELS, device=label_map.device).view(1, -1, 1, 1)
    return (label_map.unsqueeze(1) == labels).float()


def flip_labels(label_map: np.ndarray) -> np.ndarray:
    """Mirror a (H, W) label map left to right; left and right limbs swap their labels."""
    return np.array(FLIP_LABELS, dtype=np.uint8)[label_map[:, ::-1]]
