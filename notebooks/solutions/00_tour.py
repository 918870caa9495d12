"""Solutions to the exercises of notebook 00."""

from pgt.data.pose import JOINTS


def raise_right_arm(keypoints):
    changed = keypoints.copy()
    x, y = keypoints[JOINTS.index("right_shoulder")]
    changed[JOINTS.index("right_elbow")] = [x - 14, y - 13]
    changed[JOINTS.index("right_wrist")] = [x - 18, y - 25]
    return changed
