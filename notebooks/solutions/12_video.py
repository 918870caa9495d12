"""Solutions to the exercises of notebook 12."""

import numpy as np


def my_change_error(generated, true, masks):
    values = []
    for t in range(len(generated) - 1):
        change = (generated[t + 1] - generated[t]) - (true[t + 1] - true[t])
        values.append(np.abs(change)[masks[t] | masks[t + 1]].mean())
    return np.mean(values)


def my_bridge(track, seen):
    frames = np.arange(len(track))
    return np.stack([np.interp(frames, frames[seen], track[seen, axis]) for axis in (0, 1)], axis=1)
