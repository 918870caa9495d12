"""Solutions to the exercises of notebook 05."""

import numpy as np


def my_mean_iou(found, true):
    shares = []
    for label in range(10):
        either = ((found == label) | (true == label)).sum()
        if either > 0:
            shares.append(((found == label) & (true == label)).sum() / either)
    return np.mean(shares)


def my_fit(mask, figure):
    both = (mask & figure).sum()
    return both / figure.sum(), both / mask.sum()
