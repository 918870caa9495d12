"""The losses of garment transfer's appearance flow; the paper (Progressive, 2020, Fig. 9) names none.

These are the usual ones of flows that fetch pixels (Zhou et al., View Synthesis by Appearance Flow, ECCV
2016; Han et al., VITON, CVPR 2018): the garment's pixels, their features (`perceptual_loss`), and smoothness.
"""

from torch import Tensor


def masked_l1_loss(generated: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute error inside a mask: sum(mask |generated - target|) / (C sum(mask)).

    Args:
        generated, target: (B, C, H, W).
        mask: (B, 1, H, W) in {0, 1}.

    Returns:
        Scalar: the mean over all masked elements of the batch; 0 where nothing is masked.
    """
    difference = (generated.float() - target.float()).abs() * mask
    return difference.sum() / (generated.shape[1] * mask.sum()).clamp_min(1)


def flow_variation_loss(flow: Tensor) -> Tensor:
    """Total variation of a flow (Rudin et al. 1992, in its anisotropic form).

    The sum over both components of |flow(x + 1, y) - flow(x, y)| + |flow(x, y + 1) - flow(x, y)|.

    Args:
        flow: (B, H, W, 2) in pixels, H and W at least 2.

    Returns:
        Scalar: the mean over pixels that have a neighbour, in pixels per pixel.
    """
    across = (flow[:, :, 1:] - flow[:, :, :-1]).float().abs().sum(dim=-1)
    down = (flow[:, 1:] - flow[:, :-1]).float().abs().sum(dim=-1)
    return across.mean() + down.mean()
