"""The networks behind LPIPS, FID, KID, Inception Score and detection score, as the papers use them.

Their weights are others' and are downloaded when first used (extra `metrics`). Where they cannot be had, a
metric is missing, and says so: no other network takes its name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

JUDGED = ("lpips", "fid", "kid", "is", "mask_is", "detection")  # metrics that need a downloaded network
INSTALL = 'pip install -e ".[metrics]" in the folder of this repository'  # see `pgt.data.extras`


class JudgeUnavailableError(OSError):
    """A network or its weights cannot be had here."""


@dataclass
class Judges:
    """Networks that score pictures; what is None cannot be asked."""

    wanted: tuple[str, ...] = JUDGED
    lpips: Callable[[Tensor, Tensor], Tensor] | None = None  # see `metrics.lpips`
    inception: Callable[[Tensor], tuple[Tensor, Tensor]] | None = None  # see `SetScores`
    detector: Callable[[list[Tensor]], Sequence[dict[str, Tensor]]] | None = None  # see `detection_score`
    missing: dict[str, str] = field(default_factory=dict)  # metric -> why it is not there, in one sentence


def load_judges(wanted: Sequence[str] = JUDGED) -> Judges:
    """Load the networks that some metrics need; what cannot be had is noted in `missing`.

    Raises:
        ValueError: an unknown metric.
    """
    unknown = [name for name in wanted if name not in JUDGED]
    if unknown:
        raise ValueError(f"no metric {unknown[0]!r} needs a network; those that do: {', '.join(JUDGED)}.")
    judges = Judges(tuple(wanted))
    sets = ("fid", "kid", "is", "mask_is")
    for names, slot, load in (
        (("lpips",), "lpips", load_lpips),
        (sets, "inception", load_inception),
        (("detection",), "detector", load_detector),
    ):
        asked = [name for name in names if name in wanted]
        try:
            if asked:
                setattr(judges, slot, load())
        except JudgeUnavailableError as error:
            judges.missing |= dict.fromkeys(asked, str(error))
    return judges


def load_lpips(*, random_weights: bool = False) -> nn.Module:
    """Return LPIPS's AlexNet with its trained layers (Zhang et al. 2018), by torchmetrics.

    `random_weights` is for trying the code: an AlexNet that has learnt nothing.

    Raises:
        JudgeUnavailableError: torchmetrics is missing, or torchvision's weights cannot be downloaded.
    """
    try:
        from torchmetrics.functional.image.lpips import _LPIPS
    except ImportError:
        raise JudgeUnavailableError(f"LPIPS needs torchmetrics and torchvision: {INSTALL}.") from None
    try:
        network = _LPIPS(net="alex", pnet_rand=random_weights)
    except (OSError, RuntimeError, ImportError):  # RuntimeError: a damaged download
        raise JudgeUnavailableError(
            "LPIPS is left out: torchvision's AlexNet weights (233 MB) could not be downloaded."
        ) from None
    network.title = "AlexNet, random" if random_weights else "LPIPS 0.1, AlexNet (torchmetrics)"
    return network.eval()


class Inception:
    """The Inception of 2015 that FID and the papers' Inception Score are defined by.

    Pictures are resized to 299x299 as TensorFlow 1 did, without antialiasing; the 1,008 logits have no bias.
    """

    title = "Inception 2015, pt_inception (torch-fidelity)"

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled features (B, 2048) and logits (B, 1008) of pictures (B, 3, H, W), uint8."""
        with torch.no_grad():
            pooled, logits = self.network(images)
        return pooled, logits


def load_inception() -> Inception:
    """Return the network of FID, KID and Inception Score.

    Raises:
        JudgeUnavailableError: torch-fidelity is missing, or its weights cannot be downloaded.
    """
    names = "FID, KID and the Inception Score"
    try:
        import torchmetrics  # noqa: F401  compares the features
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError:
        raise JudgeUnavailableError(f"{names} need torchmetrics and torch-fidelity: {INSTALL}.") from None
    try:
        network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"])
    except (OSError, RuntimeError):
        raise JudgeUnavailableError(
            f"{names} are left out: Inception's weights could not be downloaded."
        ) from None
    return Inception(network.eval())


def load_detector(*, random_weights: bool = False) -> nn.Module:
    """Return torchvision's keypoint R-CNN (He et al. 2017), which scores people.

    Raises:
        JudgeUnavailableError: torchvision is missing, or its weights cannot be downloaded.
    """
    try:
        from torchvision.models.detection import keypointrcnn_resnet50_fpn
    except (ImportError, RuntimeError):  # RuntimeError: a torchvision built for another torch
        raise JudgeUnavailableError(f"The detection score needs torchvision: {INSTALL}.") from None
    weights = None if random_weights else "DEFAULT"
    try:
        network = keypointrcnn_resnet50_fpn(weights=weights, weights_backbone=None, progress=False)
    except (OSError, RuntimeError):
        raise JudgeUnavailableError(
            "The detection score is left out: the weights of torchvision's keypoint R-CNN (226 MB) could not "
            "be downloaded."
        ) from None
    network.title = "keypoint R-CNN, random" if random_weights else "keypoint R-CNN, COCO (torchvision)"
    return network.eval()
