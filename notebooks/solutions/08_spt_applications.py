"""Solutions to the exercises of notebook 08."""

import numpy as np

from pgt.applications.drawing import CLOTHES


def my_composition(drawn, given, label_map):
    return np.where(np.isin(label_map, CLOTHES)[..., None], drawn, given)


def my_shorts(label_map, knees, ankles):
    rows, columns = np.nonzero(label_map == 4)
    shares, distances = [], []
    for knee, ankle in zip(knees, ankles):
        shin, places = ankle - knee, np.stack([columns, rows], axis=-1) - knee
        share = places @ shin / (shin @ shin)  # 0 at the knee, 1 at the ankle
        shares.append(share)
        distances.append(np.linalg.norm(places - share.clip(0, 1)[:, None] * shin, axis=-1))
    left = distances[0] < distances[1]
    below = np.where(left, shares[0], shares[1]) > 0
    edited = label_map.copy()
    edited[rows[below], columns[below]] = np.where(left[below], 8, 9)
    return edited


def my_corners(height, width):
    return [(0, height - 1), (0, 0), (width - 1, 0), (width - 1, height - 1)]
