"""Solutions to the exercises of notebook 11."""

import numpy as np


def my_points(start, end, count):
    shares = np.arange(1, count + 1) / (count + 1)
    return start + shares[:, None] * (end - start)


def my_local_loss(errors, valid):
    return (errors * valid).sum(dim=1).mean()
