"""What a variant is worth on unseen people, whose true picture, map and background are known.

Maps: accuracy and mIoU of all pixels together, the mean IoU of arms and legs, and `pieces`, by how many
connected regions a map differs from the true one: limbs that break show there.
Pictures: the scores of `pgt.evaluation`; the same inside the face's square, on the target's own pixels.
"Recovered" is the source, drawn again from the generated picture, against the true source.
Backgrounds: see `benchmarks.ablations.scoring`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.ablations.scoring import BACKGROUND, average, background_scores, picture_scores, standard
from benchmarks.spt_ablations.variants import Variant
from pgt.data.faces import face_boxes
from pgt.data.parsing import LABELS, NUM_LABELS
from pgt.data.person import Pair, PairBatch, signed_to_unit
from pgt.metrics import foreground_l1, label_confusion, mean_iou, pixel_accuracy, sharpness
from pgt.models.pose_estimator import PoseEstimator
from pgt.models.spt import SPTGenerator, SPTOutput, transform_parsing

LIMBS = [number for number, label in enumerate(LABELS) if label.endswith(("_arm", "_leg"))]
_PICTURES = ("ssim", "mask_ssim", "foreground_ssim", "foreground_l1", "pckh", "sharpness")
# score -> title, decimals, the goal: more, less, or one
SCORES = {
    "map_accuracy": ("map accuracy, % ↑", 1, "more"),
    "map_iou": ("map mIoU ↑", 3, "more"),
    "limb_iou": ("mIoU of limbs ↑", 3, "more"),
    "pieces": ("regions amiss ↓", 2, "less"),
    "found_truth": ("truth found, % ↓", 2, "less"),
    **standard(*_PICTURES),
    "face_l1": ("face L1 ↓", 4, "less"),
    "face_sharpness": ("face sharpness → 1", 2, "one"),
    "recovered_l1": ("recovered L1 ↓", 4, "less"),
    "recovered_sharpness": ("recovered sharpness → 1", 2, "one"),
    **BACKGROUND,
}


class Biharmonic(nn.Module):
    """Inpainting without learning, in place of the background network (Fig. 15b has PatchMatch)."""

    def forward(self, picture: Tensor, hole: Tensor) -> Tensor:
        """Fill a picture (B, 3, H, W) in [-1, 1] in where the hole (B, 1, H, W) is 1."""
        from skimage.restoration import inpaint_biharmonic

        filled = [
            inpaint_biharmonic(one.movedim(0, -1).numpy(), mask[0].numpy() > 0, channel_axis=-1)
            for one, mask in zip(picture, hole, strict=True)
        ]
        return torch.from_numpy(np.stack(filled)).movedim(-1, 1).float().clamp(-1, 1)


def scores_of(
    variant: Variant, generator: SPTGenerator, pairs: Sequence[Pair], judge: PoseEstimator
) -> dict[str, float]:
    """Score a trained variant; means over the pairs for which a score is defined.

    Args:
        variant: says how it is to be drawn, and what of it counts.
        generator: its own, or its parent's; on the CPU, in evaluation mode.
        pairs: of unseen people with label maps and masks, in the generator's size.
        judge: finds joints.
    """
    if variant.inpainting:
        generator.background = Biharmonic()
    confusion = torch.zeros(NUM_LABELS, NUM_LABELS, dtype=torch.int64)

    def score_batch(chunk: Sequence[Pair], batch: PairBatch) -> dict[str, Tensor]:
        values, labels = _batch_scores(variant, generator, batch, chunk, judge)
        if labels is not None:
            confusion.add_(label_confusion(labels, batch.target_label_map, NUM_LABELS))
        return values

    means = average(pairs, generator, score_batch)
    return means | (map_scores(confusion) if confusion.any() else {})


def _batch_scores(
    variant: Variant,
    generator: SPTGenerator,
    batch: PairBatch,
    chunk: Sequence[Pair],
    judge: PoseEstimator,
) -> tuple[dict[str, Tensor], Tensor | None]:
    """Return the scores of some pairs, (B,) each, and the maps (B, H, W) that were predicted, if any."""
    if not variant.draws:
        labels = predicted_map(generator, batch)
        return {"pieces": pieces_amiss(labels, batch.target_label_map)}, labels
    output = draw(generator, batch, variant.coarseness)
    values = background_scores(output.generated, batch)
    if variant.scenes_alone or variant.inpainting:  # their people are nobody's
        return values, None
    values |= picture_scores(output.generated, chunk, judge, _PICTURES)
    values |= face_scores(output.generated, batch) | recovered_scores(generator, output, batch)
    if generator.config.guidance != "predicted":
        return values, None
    labels = output.parsing.argmax(dim=1)
    return values | {"pieces": pieces_amiss(labels, batch.target_label_map)}, labels


def predicted_map(generator: SPTGenerator, batch: PairBatch) -> Tensor:
    """H_S alone: the likeliest labels (B, H, W) of the target."""
    source = batch.source_keypoints, batch.source_visible
    target = batch.target_keypoints, batch.target_visible
    networks = generator.config, generator.semantic, generator.pose_encoding
    return transform_parsing(*networks, batch.source_parsing, source, target).argmax(dim=1)


def draw(generator: SPTGenerator, batch: PairBatch, coarseness: int = 1) -> SPTOutput:
    """Draw the targets, by their true maps where the generator was taught by true ones."""
    source = batch.source_keypoints, batch.source_visible
    target = batch.target_keypoints, batch.target_visible
    given = coarse(batch.target_parsing, coarseness) if generator.config.guidance == "true" else None
    return generator(batch.source, batch.source_parsing, *source, *target, parsing=given)


def coarse(parsing: Tensor, times: int) -> Tensor:
    """Keep every so-manieth pixel of a one-hot map (B, 10, H, W) and repeat it (Fig. 14)."""
    kept = F.interpolate(parsing, scale_factor=1 / times, mode="nearest-exact")
    return F.interpolate(kept, scale_factor=times, mode="nearest-exact")


def recovered_scores(generator: SPTGenerator, output: SPTOutput, batch: PairBatch) -> dict[str, Tensor]:
    """Draw the source again from the generated picture, as the cycle of training does, and score it."""
    source = batch.source_keypoints, batch.source_visible
    target = batch.target_keypoints, batch.target_visible
    start = batch.source_parsing if output.parsing is None else output.parsing  # without maps it is not read
    wanted = batch.source_parsing if generator.config.guidance == "true" else None
    again = generator(output.generated, start, *target, *source, parsing=wanted).generated
    images = signed_to_unit(again), signed_to_unit(batch.source), batch.source_person_mask
    return {
        "recovered_l1": foreground_l1(*images).values,
        "recovered_sharpness": sharpness(*images).values,
    }


def face_scores(generated: Tensor, batch: PairBatch) -> dict[str, Tensor]:
    """Score the target's own pixels inside the square of its face; NaN where no face is seen."""
    boxes, valid = face_boxes(batch.target_keypoints, batch.target_visible, batch.image_size)
    ys, xs = (torch.arange(side) + 0.5 for side in batch.image_size)
    left, top, right, bottom = boxes[..., None].unbind(dim=1)  # (B, 1) each
    rows, columns = (ys >= top) & (ys < bottom), (xs >= left) & (xs < right)
    inside = rows[:, None, :, None] & columns[:, None, None, :] & valid[:, None, None, None]
    images = signed_to_unit(generated), signed_to_unit(batch.target), inside * batch.target_person_mask
    return {"face_l1": foreground_l1(*images).values, "face_sharpness": sharpness(*images).values}


def map_scores(confusion: Tensor) -> dict[str, float]:
    """Turn a confusion matrix (10, 10), rows true, into accuracy in percent and mean IoUs."""
    right = confusion.diagonal().double()
    ious = right / (confusion.sum(dim=0) + confusion.sum(dim=1) - right)
    return {
        "map_accuracy": 100 * pixel_accuracy(confusion),
        "map_iou": mean_iou(confusion),
        "limb_iou": float(ious[LIMBS].nanmean()),
    }


def pieces_amiss(found: Tensor, true: Tensor) -> Tensor:
    """Count by how many connected regions, label by label, maps (B, H, W) differ from the true ones: (B,)."""
    return torch.tensor([
        sum(abs(_pieces(a == label) - _pieces(b == label)) for label in range(NUM_LABELS))
        for a, b in zip(found.numpy(), true.numpy(), strict=True)
    ])  # fmt: skip


def _pieces(mask: np.ndarray) -> int:
    """Count connected regions, corners touching."""
    from scipy.ndimage import label

    return label(mask, np.ones((3, 3)))[1]
