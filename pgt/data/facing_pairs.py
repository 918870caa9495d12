"""Of any pairs, those in which both people face the viewer: what garment transfer is trained on."""

import numpy as np

from pgt.data.pairs import PairDataset
from pgt.data.person import Pair
from pgt.data.pose import JOINTS, Pose

STRIDE = 7_919  # prime: steps of this size meet every pair of a dataset that is not a multiple of it
WIDEST = 0.5  # the least width of shoulders that count as frontal, in lengths of the torso; 0.7 is full front


class FacingPairs:
    """Pairs of a dataset in which both people face the viewer; a `PairDataset`.

    Nothing is searched beforehand: item i is the pair i itself, or the first one after it in large steps that
    will do. So it is as long as the dataset, and some pairs come more than once.

    Args:
        pairs: any pairs.
    """

    def __init__(self, pairs: PairDataset) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Pair:
        """Find a pair.

        Raises:
            IndexError: beyond the last pair.
            ValueError: in no pair do both people face the viewer.
        """
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"There are {count} pairs; {index} is beyond them.")
        stride = STRIDE if count % STRIDE else 1
        for step in range(count):
            pair = self.pairs[(index + step * stride) % count]
            if faces_viewer(pair.source.pose) and faces_viewer(pair.target.pose):
                return pair
        raise ValueError(f"In none of {count} pairs do both people face the viewer.")


def faces_viewer(pose: Pose) -> bool:
    """Say whether someone is seen from the front, turned by up to about 45 degrees.

    The nose is visible, and the shoulders are far apart, the right one on the picture's left.
    """
    needed = ("nose", "right_shoulder", "left_shoulder", "right_hip", "left_hip")
    index = [JOINTS.index(name) for name in needed]
    if not pose.visible[index].all():
        return False
    _, right, left, right_hip, left_hip = pose.keypoints[index].astype(np.float64)
    torso = np.linalg.norm((right + left) / 2 - (right_hip + left_hip) / 2)
    return bool(left[0] - right[0] > WIDEST * torso)
