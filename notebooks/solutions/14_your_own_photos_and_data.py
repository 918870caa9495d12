"""Solutions to the exercises of notebook 14."""


def my_joints_in_photo(joints, size, frame):
    scale = np.array([frame.width / size[1], frame.height / size[0]])
    return (joints + 0.5) * scale - 0.5 + [frame.left, frame.top]


def my_merge(classes, table):
    if classes.min() < 0 or classes.max() >= len(table):
        raise ValueError("a class that the table does not have")
    return np.array(table, np.uint8)[classes]
