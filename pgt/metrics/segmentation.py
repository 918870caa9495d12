"""Label maps against true ones."""

from torch import Tensor


def label_confusion(found: Tensor, true: Tensor, num_labels: int) -> Tensor:
    """Count how often each label was found where each is true, for `pixel_accuracy` and `mean_iou`.

    Args:
        found, true: (B, H, W) int64 in 0 .. num_labels - 1.
        num_labels: L.

    Returns:
        (L, L) int64: row = true label, column = found label. The matrices of several batches add up.
    """
    if found.shape != true.shape:
        raise ValueError(f"label maps of {tuple(found.shape)} and {tuple(true.shape)} cannot be compared.")
    return (true * num_labels + found).flatten().bincount(minlength=num_labels**2).view(num_labels, -1)


def pixel_accuracy(confusion: Tensor) -> float:
    """Return the share of pixels whose label is right, of a matrix of `label_confusion`."""
    return float(confusion.diagonal().sum() / confusion.sum())


def mean_iou(confusion: Tensor) -> float:
    """Return the mean over labels of intersection over union, of a matrix of `label_confusion`.

    All pixels are taken together, as in semantic segmentation's benchmarks, not picture by picture. A label
    that is neither true nor found anywhere does not count.
    """
    right = confusion.diagonal().double()
    union = confusion.sum(dim=0) + confusion.sum(dim=1) - right
    return float((right / union).nanmean())
