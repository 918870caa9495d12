"""What all applications share: checked inputs in the model's frame, one run of G_A^F, one composition."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pgt.data.parsing import LABELS, NUM_LABELS, one_hot
from pgt.data.person import Person, signed_to_uint8, uint8_to_signed
from pgt.data.pose import Pose
from pgt.layers.compositing import composite
from pgt.models.spt import SPTGenerator, appearance_warps
from pgt.predictor import Predictor, fit_person

CLOTHES = tuple(LABELS.index(name) for name in ("upper_clothes", "pants", "skirt"))


@dataclass(frozen=True, eq=False)
class Redrawn:
    """What an application drew, all in the model's frame (H, W).

    Args:
        image: (H, W, 3) uint8, the result: `drawn` where `mask` is True, `base` (for `redraw` with uncovered
            background: the completed background) where it is False.
        drawn: (H, W, 3) uint8, the picture of the foreground network before composition (I'_out).
        label_map: (H, W) uint8, the semantic map that was followed.
        mask: (H, W) bool, M_f.
        base: (H, W, 3) uint8, the given picture.
        pose: the pose that was kept.
        name: of the person whose pose and map were kept.
    """

    image: np.ndarray
    drawn: np.ndarray
    label_map: np.ndarray
    mask: np.ndarray
    base: np.ndarray
    pose: Pose
    name: str = ""

    @property
    def person(self) -> Person:
        """The result as a person with pose and map, for the next application."""
        return Person(self.image, self.pose, self.label_map, self.label_map > 0, name=self.name)


class Look(NamedTuple):
    """One input of E_A^F (picture, map and points), or of E'_S (map and points)."""

    label_map: np.ndarray  # (H, W) uint8
    pose: Pose
    image: np.ndarray | None = None  # (H, W, 3) uint8


def checked_generator(model: SPTGenerator | Predictor) -> SPTGenerator:
    """Return the SPT generator of a model or predictor, in evaluation mode.

    Raises:
        ValueError: another model, or SPT without semantic guidance, which no map can steer.
    """
    generator = model.model if isinstance(model, Predictor) else model
    if not isinstance(generator, SPTGenerator):
        raise ValueError(
            f"this application needs an SPTGenerator or its Predictor; got {type(generator).__name__}."
        )
    if generator.config.guidance == "none":
        raise ValueError("this SPT was built without semantic guidance, so no semantic map can steer it.")
    return generator.eval()


def checked_person(person: Person, what: str = "the person") -> Person:
    """Return a person who has what the foreground network needs.

    Raises:
        ValueError: no person, no semantic map, or no visible joint.
    """
    if not isinstance(person, Person):
        raise ValueError(f"{what} must be a Person; got {type(person).__name__}.")
    if person.label_map is None:
        raise ValueError(f"{what} has no semantic map; parse the picture first.")
    if not person.pose.visible.any():
        raise ValueError(f"{what} has no visible joint; give the picture's keypoints first.")
    return person


def checked_label_map(label_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a painted map as uint8.

    Args:
        label_map: (H, W) whole numbers 0 to 9.
        size: (H, W) it must have.

    Raises:
        ValueError: one sentence: not an array of whole numbers, of another size, or with other labels.
    """
    if not isinstance(label_map, np.ndarray) or not np.issubdtype(label_map.dtype, np.integer):
        kind = label_map.dtype if isinstance(label_map, np.ndarray) else type(label_map).__name__
        raise ValueError(f"a semantic map must be an array of whole numbers; got {kind}.")
    if label_map.shape != tuple(size):
        raise ValueError(f"the semantic map is {label_map.shape}, but the picture is {tuple(size)}.")
    low, high = int(label_map.min()), int(label_map.max())
    if low < 0 or high >= NUM_LABELS:
        raise ValueError(f"the semantic map holds {low} to {high}; the labels are 0 to {NUM_LABELS - 1}.")
    return label_map.astype(np.uint8)


def checked_labels(labels: Sequence[int]) -> tuple[int, ...]:
    """Return labels of regions to draw.

    Raises:
        ValueError: none at all, or one that is not 1 to 9.
    """
    chosen = tuple(int(label) for label in labels)
    if not chosen or not all(0 < label < NUM_LABELS for label in chosen):
        raise ValueError(f"regions are given by labels 1 to {NUM_LABELS - 1}; got {chosen}.")
    return chosen


def fitted(person: Person, generator: SPTGenerator, label_map: np.ndarray | None = None) -> Person:
    """Fit a person, with another map of the picture's size if given, into the generator's frame."""
    plain = Person(person.image, person.pose, person.label_map, name=person.name)
    if label_map is not None:
        plain = replace(plain, label_map=label_map)
    return fit_person(plain, generator.config.image_size)


@torch.inference_mode()
def draw_foreground(generator: SPTGenerator, looks: Sequence[Look], wanted: Sequence[Look]) -> Tensor:
    """Run the foreground network: G_A^F(E_A^F(I_c, S_c, p_c), E'_S(S_t, p_t)) (section 4.4).

    Args:
        generator: with the frame (H, W) of all looks.
        looks: what the appearance is taken from, each with its picture.
        wanted: maps and poses to draw, one for each look.

    Returns:
        (B, 3, H, W) in [-1, 1], on the CPU.
    """
    device = next(generator.parameters()).device
    size = generator.config.image_size
    source = uint8_to_signed(np.stack([look.image for look in looks])).to(device)
    source_points, source_seen, source_parsing = _tensors(looks, device)
    target_points, target_seen, target_parsing = _tensors(wanted, device)
    drawn = generator.foreground(
        source,
        source_parsing,
        generator.pose_encoding(source_points, source_seen, size),
        target_parsing,
        generator.pose_encoding(target_points, target_seen, size),
        appearance_warps(source_points, source_seen, target_points, target_seen, size),
    )
    return drawn.float().cpu()


def joined(drawn: Tensor, base: Tensor, mask: np.ndarray) -> np.ndarray:
    """I_out = I'_out x M_f + I_t x M_b with M_b = 1 - M_f (section 4.4): uint8 (H, W, 3).

    Args:
        drawn, base: (3, H, W) in [-1, 1].
        mask: (H, W) bool, M_f.
    """
    m_f = torch.from_numpy(mask).float()[None, None]
    return signed_to_uint8(composite(drawn[None], base[None], m_f))[0].numpy()


def _tensors(looks: Sequence[Look], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return keypoints (B, 18, 2), visible (B, 18) and one-hot maps (B, 10, H, W)."""
    points = torch.from_numpy(np.stack([look.pose.keypoints for look in looks]))
    seen = torch.from_numpy(np.stack([look.pose.visible for look in looks]))
    maps = torch.from_numpy(np.stack([look.label_map for look in looks]).astype(np.int64))
    return points.to(device), seen.to(device), one_hot(maps.to(device))
