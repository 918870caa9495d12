"""Pairs cut down to the person: what the naive rivals of MR-Net are trained on (`models.crop_baselines`)."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pgt.data.boxes import person_boxes, proportioned_boxes, union_boxes
from pgt.data.pairs import PairDataset
from pgt.data.person import Pair, Person
from pgt.data.pose import Pose


class CropPairs:
    """A `PairDataset` whose pictures are boxes around the person, resized.

    Args:
        pairs: of people in scenes.
        image_size: (H, W) of the crops; boxes are widened to its proportions.
        union: cut both pictures by the box that holds the person in either (union-crop); False: each by its
            own (crop-inpaint).
    """

    def __init__(self, pairs: PairDataset, image_size: tuple[int, int], *, union: bool) -> None:
        self.pairs, self.image_size, self.union = pairs, tuple(image_size), union

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Pair:
        pair = self.pairs[index]
        size = pair.source.image_size
        if pair.target.image_size != size:
            raise ValueError(
                f"Pair {pair.name!r} has pictures of {size} and {pair.target.image_size}; "
                "one box fits both only where they are of one size."
            )
        boxes = [box_of(person) for person in (pair.source, pair.target)]
        if self.union:
            boxes = [union_boxes(*boxes)] * 2
        source, target = (
            crop_person(person, proportioned_boxes(box, size, self.image_size), self.image_size)
            for person, box in zip((pair.source, pair.target), boxes, strict=True)
        )
        return replace(pair, source=source, target=target)


def box_of(person: Person) -> Tensor:
    """Return the box (1, 4) around a person: of its mask, its labels or its skeleton."""
    mask = person.person_mask
    if mask is None and person.label_map is not None:
        mask = person.label_map > 0
    return person_boxes(
        torch.from_numpy(person.keypoints)[None],
        torch.from_numpy(person.visible)[None],
        person.image_size,
        None if mask is None else torch.from_numpy(mask.copy())[None, None],
    )


def crop_person(person: Person, box: Tensor, size: tuple[int, int]) -> Person:
    """Cut a box (1, 4) out of everything a person has and resize it to (H, W), the joints along."""
    x1, y1, x2, y2 = box[0].tolist()
    keypoints = person.keypoints - np.array([x1, y1], np.float32)
    inside = Pose(keypoints, person.visible, (y2 - y1, x2 - x1))

    def cut(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else np.ascontiguousarray(values[y1:y2, x1:x2])

    return replace(
        Person(cut(person.image), inside, name=person.name),
        label_map=cut(person.label_map),
        person_mask=cut(person.person_mask),
        background=cut(person.background),
    ).resized(size)
