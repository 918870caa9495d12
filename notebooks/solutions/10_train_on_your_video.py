"""Solutions to the exercises of notebook 10."""


def my_nearest(pose, seen, poses, all_seen):
    apart = np.linalg.norm(poses - pose, axis=-1)
    both = all_seen & seen
    return int(((apart * both).sum(axis=1) / both.sum(axis=1)).argmin())
