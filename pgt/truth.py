"""Generated pictures against the true ones: what they are measured by, and every metric at once.

`score` has the metrics that all tables show. `further_scores` has those that only some do: the background,
several scales, and regions around the joints. `judged_scores` and `JudgedSets` ask downloaded networks. All
follow a `Protocol`: its frame, its mask, its SSIM.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgt import metrics
from pgt.data.body_parts import body_scale
from pgt.data.boxes import person_boxes, proportioned_boxes
from pgt.data.descriptors import descriptor_centers
from pgt.data.person import Person
from pgt.data.pose import pose_mask
from pgt.judges import Judges
from pgt.layers.local_descriptors import crop_regions, region_size
from pgt.metrics import Score, SetScores
from pgt.models.crop_baselines import cut, to_frame
from pgt.models.pose_estimator import PoseEstimator
from pgt.protocols import OURS, Protocol

HEAD_SHARE = 0.4  # of the torso's length: the head size that PCKh is measured in
NUM_REGIONS = 44  # of local-SSIM (Progressive 2020, section 4.2)
SMALLEST_REGION = 11  # pixels: the side of SSIM's window


@dataclass(frozen=True)
class Truth:
    """What generated pictures are measured against."""

    images: Tensor  # (B, 3, H, W) in [0, 1]
    mask: Tensor  # (B, 1, H, W) in {0, 1}
    keypoints: Tensor  # (B, 18, 2), (x, y)
    visible: Tensor  # (B, 18) bool

    @classmethod
    def of(cls, people: Sequence[Person], mask: str = "person") -> "Truth":
        """Gather true people of one size.

        Args:
            people: with picture and pose.
            mask: what counts as foreground: "person", their own mask or parsing; "pose", PG2's pose mask;
                "open pose", that mask as the released codes draw it, with a hole in the torso at 256x256.

        Raises:
            ValueError: an unknown mask, or somebody without the mask asked for.
        """
        keypoints = torch.from_numpy(np.stack([person.keypoints for person in people]))
        visible = torch.from_numpy(np.stack([person.visible for person in people]))
        if mask in ("pose", "open pose"):
            foreground = pose_mask(keypoints, visible, people[0].image_size, fill_torso=mask == "pose")
        elif mask == "person":
            foreground = torch.from_numpy(np.stack([_person_mask(person) for person in people])).float()[
                :, None
            ]
        else:
            raise ValueError(f"mask must be 'person' or 'pose' or 'open pose'; got {mask!r}.")
        return cls(_to_unit([person.image for person in people]), foreground, keypoints, visible)

    def framed(self, protocol: Protocol) -> "Truth":
        """Return the part of the pictures that a protocol looks at; joints outside it are not visible."""
        if protocol.columns == "all":
            return self
        images, mask = protocol.frame(self.images), protocol.frame(self.mask, fill=0.0)
        kept = protocol.frame(torch.ones_like(self.mask), fill=0.0)[0, 0, 0].nonzero()
        keypoints = protocol.move(self.keypoints, (self.images.shape[-2], self.images.shape[-1]))
        inside = (keypoints[..., 0] > kept.min() - 0.5) & (keypoints[..., 0] < kept.max() + 0.5)
        return Truth(images, mask, keypoints, self.visible & inside)


def score(
    pictures: Sequence[np.ndarray],
    truth: Truth,
    pose_estimator: PoseEstimator | None = None,
    *,
    close_up: bool = False,
    protocol: Protocol = OURS,
) -> dict[str, Score]:
    """Measure pictures by the metrics that every table has.

    Args:
        pictures: uint8 (H, W, 3).
        truth: as many.
        pose_estimator: finds joints for PCKh, which is missing without it.
        close_up: show it the part of the picture where the target is, enlarged: estimators are trained on
            people who fill the picture.
        protocol: frame of all but PCKh, and settings of "ssim" and "mask_ssim".
    """
    generated = _to_unit(pictures)
    seen, true = protocol.frame(generated), truth.framed(protocol)
    pair, foreground = (seen, true.images), (seen, true.images, true.mask)
    masked = metrics.mask_ssim(*foreground, average=protocol.average, **protocol.ssim)
    scores = [metrics.ssim(*pair, **protocol.ssim), masked, metrics.foreground_ssim(*foreground)]
    scores += [metrics.foreground_l1(*foreground), metrics.psnr(*pair), metrics.l1(*pair)]
    scores += [metrics.sharpness(*foreground)]
    if pose_estimator is not None:
        scores.append(_joints_found(generated, truth, pose_estimator, close_up))
    return {score.name: score for score in scores}


def _joints_found(generated: Tensor, truth: Truth, estimator: PoseEstimator, close_up: bool) -> Score:
    """PCKh of pictures (B, 3, H, W) in [0, 1]; in units of the head, so that no enlargement changes it."""
    size, seen, joints = (generated.shape[-2], generated.shape[-1]), generated, truth.keypoints
    if close_up:
        boxes = proportioned_boxes(person_boxes(joints, truth.visible, size), size, size)
        seen, joints = cut(generated, boxes, size), to_frame(joints, boxes, size)
    found, _ = estimator.find_joints(2 * seen - 1)
    head = HEAD_SHARE * body_scale(joints, truth.visible, size[0])
    reference = f"head size, taken as {HEAD_SHARE} of the torso's length"
    score = metrics.pckh(found, joints, truth.visible, head, reference=reference)
    frame = "the box around the target's joints, enlarged" if close_up else "the picture"
    return replace(score, protocol={**score.protocol, "searched": frame})


def further_scores(
    pictures: Sequence[np.ndarray], truth: Truth, protocol: Protocol = OURS
) -> dict[str, Score]:
    """Measure the same outside the person ("background_l1"), by MS-SSIM and by local-SSIM.

    Local-SSIM (Progressive 2020, section 4.2) is missing where a region, an eighth of the picture, is smaller
    than SSIM's window: below 88 pixels.
    """
    generated, truth = protocol.frame(_to_unit(pictures)), truth.framed(protocol)
    outside = metrics.foreground_l1(generated, truth.images, 1 - truth.mask)
    outside = replace(outside, name="background_l1", protocol={"mask": "all but the target's, mean there"})
    scores = [outside, metrics.ms_ssim(generated, truth.images)]
    size = (generated.shape[-2], generated.shape[-1])
    if min(region_size(size)) >= SMALLEST_REGION:
        centers, valid = descriptor_centers(truth.keypoints, truth.visible, NUM_REGIONS, size)
        crops = (crop_regions(one, centers, valid) for one in (generated, truth.images))
        scores.append(metrics.local_ssim(*crops, valid))
    return {score.name: score for score in scores}


def judged_scores(
    pictures: Sequence[np.ndarray], truth: Truth, judges: Judges, protocol: Protocol = OURS
) -> dict[str, Score]:
    """Measure pictures one by one by downloaded networks: "lpips" and "detection", where these are there."""
    generated, scores = protocol.frame(_to_unit(pictures)), {}
    if judges.lpips is not None:
        scores["lpips"] = metrics.lpips(generated, truth.framed(protocol).images, judges.lpips)
    if judges.detector is not None:
        scores["detection"] = metrics.detection_score(generated, judges.detector)
    return scores


class JudgedSets:
    """FID, KID and Inception Score, and mask-IS, of each row of a table; empty without an Inception.

    Mask-IS (Ma et al. 2017) is the Inception Score of pictures that are black outside the target's mask.
    Every row is compared with the same true pictures, so their features are kept once.
    """

    def __init__(self, judges: Judges, protocol: Protocol = OURS) -> None:
        self._judges, self._protocol = judges, protocol
        self._features: dict[str, list[Tensor]] = {}  # row -> (B, D) float32, batch by batch
        self._logits: dict[str, list[Tensor]] = {}  # row -> (B, C) float32
        self._masked_logits: dict[str, list[Tensor]] = {}
        self._true: list[Tensor] = []  # (B, D) float32
        self._last: Truth | None = None  # whose features are there already

    def add(self, row: str, pictures: Sequence[np.ndarray], truth: Truth) -> None:
        """Add a batch of a row's pictures; all rows of one batch bring the same `truth`."""
        network, wanted = self._judges.inception, set(self._judges.wanted)
        if network is None:
            return
        generated, true = self._protocol.frame(_to_unit(pictures)), truth.framed(self._protocol)
        if wanted & {"is", "fid", "kid"}:
            if self._last is not truth:
                self._last = truth
                self._true.append(_plain(network(_to_bytes(true.images))[0]))
            features, logits = network(_to_bytes(generated))
            self._features.setdefault(row, []).append(_plain(features))
            self._logits.setdefault(row, []).append(_plain(logits))
        if "mask_is" in wanted:
            logits = network(_to_bytes(generated * true.mask))[1]
            self._masked_logits.setdefault(row, []).append(_plain(logits))

    def state(self) -> dict[str, object]:
        """Return everything added so far, for `restore`; what is added later does not change it."""
        rows = {"features": self._features, "logits": self._logits, "masked_logits": self._masked_logits}
        copies = {name: {row: list(parts) for row, parts in one.items()} for name, one in rows.items()}
        return {**copies, "true": list(self._true)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self._features, self._logits = state["features"], state["logits"]
        self._masked_logits, self._true = state["masked_logits"], state["true"]

    def compute(self) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, str | float | int]]]:
        """Return row -> metric -> value, and metric -> protocol."""
        values: dict[str, dict[str, float]] = {}
        protocol: dict[str, dict[str, str | float | int]] = {}
        network = {"network": getattr(self._judges.inception, "title", "untitled"), "mask": "none"}
        for row, parts in self._logits.items():
            sets, true = SetScores(), torch.cat(self._true)
            sets.add((torch.cat(self._features[row]), torch.cat(parts)), (true, true[:, :0]))
            values[row] = {name: one for name, one in sets.compute().items() if name in self._judges.wanted}
            protocol |= dict.fromkeys(values[row], sets.protocol | network)
        for row, parts in self._masked_logits.items():
            sets, logits = SetScores(), torch.cat(parts)
            sets.add((logits[:, :0], logits))
            values.setdefault(row, {})["mask_is"] = sets.compute()["is"]
            mask = "target's; generated pictures multiplied"
            protocol["mask_is"] = sets.protocol | network | {"mask": mask}
        return values, protocol


def _plain(features: Tensor) -> Tensor:
    """Bring features of a batch to where they are kept, as exact as networks give them."""
    return features.float().cpu()


def _person_mask(person: Person) -> np.ndarray:
    if person.person_mask is not None:
        return person.person_mask
    if person.label_map is not None:
        return person.label_map > 0
    raise ValueError(f"{person.name or 'a target'} has neither a mask nor a parsing; use mask='pose'.")


def _to_unit(pictures: Sequence[np.ndarray]) -> Tensor:
    """Stack uint8 pictures into (B, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.stack(pictures)).movedim(-1, 1).float() / 255


def _to_bytes(images: Tensor) -> Tensor:
    """Turn pictures in [0, 1] into uint8 ones."""
    return (images * 255).round().byte()
