"""Metrics of networks: LPIPS, FID, KID, Inception Score and detection score.

What the networks have to say is given, so that these functions are the same for any weights; the networks the
papers use are loaded by `pgt.judges`. Sets of pictures are compared by torchmetrics, imported when used.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from pgt.metrics.score import Score, check_pair

PERSON = 1  # label of people in COCO, and in torchvision's detectors
IS_SPLITS = 10  # Salimans et al. 2016, PG2, Def-GAN and MR-Net
KID_SUBSET = 1000  # pictures; Bińkowski et al. 2018
KID_SUBSETS = 100
SEED = 0  # of the order of pictures in IS and of KID's subsets


def lpips(generated: Tensor, target: Tensor, distance: Callable[[Tensor, Tensor], Tensor]) -> Score:
    """Learned perceptual image patch similarity (Zhang et al. 2018); lower is nearer.

    Args:
        generated, target: (B, 3, H, W) in [0, 1].
        distance: two batches in [-1, 1] -> B distances; its attribute `title` says of which network.
    """
    check_pair(generated, target)
    with torch.no_grad():
        values = distance(2 * generated - 1, 2 * target - 1)
    network = getattr(distance, "title", type(distance).__name__)
    return Score("lpips", values.flatten().double().cpu(), {"network": network, "mask": "none"})


def detection_score(
    generated: Tensor, detector: Callable[[list[Tensor]], Sequence[Mapping[str, Tensor]]]
) -> Score:
    """Detector's confidence that there is a person: its highest score in each picture, 0 where it finds none.

    The idea is Def-GAN's DS (Siarohin et al. 2018), whose detector is an SSD: only numbers of one detector
    can be compared.

    Args:
        generated: (B, 3, H, W) in [0, 1].
        detector: torchvision's convention: a list of pictures -> for each one "labels" and "scores", (N,)
            each; its attribute `title` says which network it is.
    """
    with torch.no_grad():
        found = detector(list(generated))
    best = [(one["scores"] * (one["labels"] == PERSON)).max() if len(one["scores"]) else 0.0 for one in found]
    protocol = {
        "network": getattr(detector, "title", type(detector).__name__),
        "value": "highest of a person",
    }
    return Score("detection", torch.tensor([float(value) for value in best], dtype=torch.float64), protocol)


class SetScores:
    """FID, KID and Inception Score of a set of generated pictures, from features that are added in batches.

    Heusel et al. 2017, Bińkowski et al. 2018, Salimans et al. 2016; computed by torchmetrics. The values are
    biased in small sets: only those of equally many pictures can be compared.
    """

    def __init__(self) -> None:
        self._pooled: dict[bool, list[Tensor]] = {True: [], False: []}
        self._logits: list[Tensor] = []

    def add(self, generated: tuple[Tensor, Tensor], true: tuple[Tensor, Tensor] | None = None) -> None:
        """Add a batch.

        Args:
            generated: features (B, D) and logits (B, C) of generated pictures.
            true: the same of true pictures; without any, there is an Inception Score only.
        """
        for is_true, features in ((False, generated), (True, true)):
            if features is not None:
                self._pooled[is_true].append(features[0].double().cpu())
        self._logits.append(generated[1].double().cpu())

    def __bool__(self) -> bool:
        return bool(self._logits)

    def compute(self) -> dict[str, float]:
        """Return "is", and "fid" and "kid" where true pictures were added.

        Raises:
            ValueError: fewer than two pictures.
        """
        logits = torch.cat(self._logits)
        if len(logits) < 2:
            raise ValueError("FID, KID and IS compare sets: at least two pictures are needed.")
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")  # torchmetrics' on memory
            torch.manual_seed(SEED)
            values = {"is": _inception_score(logits)}
            if self._pooled[True]:
                sets = torch.cat(self._pooled[True]), torch.cat(self._pooled[False])
                values |= {"fid": _frechet(*sets), "kid": _kernel(*sets)}
        return values

    @property
    def protocol(self) -> dict[str, str | float | int]:
        """What another implementation needs besides the network."""
        count = sum(len(logits) for logits in self._logits)
        return {
            "pictures": count,
            "is_splits": len(torch.arange(count).chunk(IS_SPLITS)),  # of few pictures, fewer
            "kid_subset": min(KID_SUBSET, count),
            "kid_subsets": KID_SUBSETS,
            "seed": SEED,
        }


def _inception_score(logits: Tensor) -> float:
    from torchmetrics.image.inception import InceptionScore

    metric = InceptionScore(nn.Identity(), splits=min(IS_SPLITS, len(logits)))
    metric.update(logits)
    return float(metric.compute()[0])


def _frechet(true: Tensor, generated: Tensor) -> float:
    from torchmetrics.image.fid import FrechetInceptionDistance

    given = nn.Identity()
    given.num_features = true.shape[1]
    metric = FrechetInceptionDistance(given).set_dtype(torch.float64)
    metric.update(true, real=True)
    metric.update(generated, real=False)
    return float(metric.compute())


def _kernel(true: Tensor, generated: Tensor) -> float:
    from torchmetrics.image.kid import KernelInceptionDistance

    size = min(KID_SUBSET, len(true), len(generated))
    metric = KernelInceptionDistance(nn.Identity(), subsets=KID_SUBSETS, subset_size=size)
    metric.update(true, real=True)
    metric.update(generated, real=False)
    return float(metric.compute()[0])
