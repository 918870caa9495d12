"""Solutions to the exercises of notebook 06."""

import torch


def my_origin(matrix, place):
    return torch.linalg.solve(matrix[:, :2], place - matrix[:, 2])


def my_style_loss(ours, theirs, our_regions, their_regions):
    total = 0.0
    for label in range(our_regions.shape[1]):
        grams = []
        for features, regions in ((ours, our_regions), (theirs, their_regions)):
            rows = (features * regions[:, label, None]).flatten(2)[0]  # (C, h * w)
            grams.append(rows @ rows.T / rows.shape[1])
        total = total + (grams[0] - grams[1]).square().mean()
    return total
