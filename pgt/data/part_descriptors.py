"""People with label maps, and a short description of each by which thousands are compared in a millisecond.

A person is described by the labels at 128 places of each of the ten rigid parts: a grid that is stretched
over the part's four corners, 16 places along it and 8 across. Two people's parts are compared place by
place, which is what Eq. 1 of SPT (see `pgt.data.pseudo_labels`) compares after its affine alignment, up to
the sampling. A label takes 4 bits, and each bit of the 128 places of a part fills two 64-bit words, so a
person is 640 bytes and a comparison a few dozen operations on words, with exact counts.

A part is valid where its corners are known, do not lie on a line and have a pixel of the picture between
them. A person whose map is background everywhere has no valid part.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from pgt.data.body_parts import NUM_PARTS, body_scale, part_corners
from pgt.data.parsing import NUM_LABELS
from pgt.data.person import Person
from pgt.data.pose import MAX_COORDINATE, NUM_JOINTS
from pgt.geometry import fit_affine, hull_spans

ALONG, ACROSS = 16, 8  # places of the grid
PLACES = ALONG * ACROSS
WORDS = PLACES // 64  # per part and bit
OUTSIDE = 15  # in place of a label; the only number used that has bits 2 and 3
EDGE = 1e-4  # a pixel so near the edge, along its row, is inside; as in `geometry.fill_spans`
_BITS = 4
_BLOCK = 256  # people described at once


@dataclass(frozen=True, eq=False)
class LabelledPeople:
    """Joints and label maps of many people in pictures of one size.

    Args:
        keypoints: (M, 18, 2) float, (x, y) in pixels of the maps.
        visible: (M, 18) bool; a person may have no visible joint at all.
        label_maps: (M, H, W) uint8 of the 10 labels; may be memory-mapped.
        identities: (M,) int, equal for pictures of one person; None where unknown.
        names: for messages and files: none, or one per person.

    Raises:
        ValueError: arrays of other shapes or types, a label beyond 9, a visible joint that is no position.
    """

    keypoints: np.ndarray
    visible: np.ndarray
    label_maps: np.ndarray
    identities: np.ndarray | None = None
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        count = len(self.label_maps)
        if self.label_maps.ndim != 3 or self.label_maps.dtype != np.uint8 or 0 in self.label_maps.shape:
            raise ValueError(
                f"Label maps must be uint8 (people, H, W), "
                f"not {self.label_maps.dtype} {self.label_maps.shape}."
            )
        if self.keypoints.shape != (count, NUM_JOINTS, 2) or self.visible.shape != (count, NUM_JOINTS):
            raise ValueError(
                f"{count} label maps need keypoints ({count}, 18, 2) and visible ({count}, 18), "
                f"but got {self.keypoints.shape} and {self.visible.shape}."
            )
        if self.visible.dtype != bool:
            raise ValueError(f"visible must be bool, not {self.visible.dtype}.")
        usable = (np.abs(self.keypoints) <= MAX_COORDINATE).all(axis=2) | ~self.visible  # False for NaN too
        if not usable.all():
            raise ValueError(
                f"{self._who(~usable.all(axis=1))} has a visible joint that is no pixel position."
            )
        if self.identities is not None and self.identities.shape != (count,):
            raise ValueError(f"{count} people need as many identities, not {self.identities.shape}.")
        if self.names and len(self.names) != count:
            raise ValueError(f"{count} people need as many names, not {len(self.names)}.")
        highest = np.array([label_map.max() for label_map in self.label_maps])
        if highest.max() >= NUM_LABELS:
            raise ValueError(
                f"{self._who(highest >= NUM_LABELS)} has label {highest.max()}; "
                f"the labels are 0 to {NUM_LABELS - 1}."
            )

    def _who(self, marked: np.ndarray) -> str:
        index = int(np.flatnonzero(marked)[0])
        return f"Person {self.names[index]!r}" if self.names else f"Person number {index}"

    def __len__(self) -> int:
        return len(self.label_maps)

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) of the maps."""
        return self.label_maps.shape[1], self.label_maps.shape[2]

    @classmethod
    def from_people(
        cls, people: Iterable[Person], identities: Sequence[int] | None = None
    ) -> "LabelledPeople":
        """Collect people one by one; their pictures are not kept.

        Raises:
            ValueError: nobody, a person without a label map, or pictures of different sizes.
        """
        keypoints, visible, maps, names = [], [], [], []
        for person in people:
            who = f"Person {person.name!r}" if person.name else f"Person number {len(maps)}"
            maps.append(_checked_map(person, who))
            if maps[-1].shape != maps[0].shape:
                sizes = " but ".join("x".join(map(str, one.shape)) for one in (maps[-1], maps[0]))
                raise ValueError(f"{who} is {sizes} is the first person's size; resize them to one.")
            keypoints.append(person.keypoints)
            visible.append(person.visible)
            names.append(person.name)
        if not maps:
            raise ValueError("There is nobody to search among: the list of people is empty.")
        numbers = None if identities is None else np.asarray(identities, np.int64)
        return cls(np.stack(keypoints), np.stack(visible), np.stack(maps), numbers, tuple(names))


def _checked_map(person: Person, who: str) -> np.ndarray:
    if person.label_map is None:
        raise ValueError(f"{who} has no label map, which the search for pseudo-labels compares.")
    return person.label_map.astype(np.uint8)


@dataclass(frozen=True, eq=False)
class PartDescriptors:
    """What the search keeps of each of M people besides the label map.

    Args:
        corners: (M, 10, 4, 2) float32, (x, y) in pixels.
        valid: (M, 10) bool.
        codes: (M, 80) uint64: the four bits of the labels at 1,280 places, 20 words per bit: the first word
            of the ten parts, then the second. All places of an invalid part are OUTSIDE.
        places: (M, 10) uint8, how many of the 128 places are in the picture; 0 where invalid.
        area: (M, 10) int32, |B^j|, the pixels of the part inside the picture; 0 where invalid.
        joints: (M, 18) complex64, x + iy in units of the body's scale `st`.
    """

    corners: np.ndarray
    valid: np.ndarray
    codes: np.ndarray
    places: np.ndarray
    area: np.ndarray
    joints: np.ndarray


def describe(people: LabelledPeople) -> PartDescriptors:
    """Describe everyone; takes about 1 kB of memory per person."""
    blocks = [
        _describe(
            people.keypoints[i : i + _BLOCK],
            people.visible[i : i + _BLOCK],
            people.label_maps[i : i + _BLOCK],
        )
        for i in range(0, len(people), _BLOCK)
    ]
    return PartDescriptors(*(np.concatenate(column) for column in zip(*blocks, strict=True)))


def _describe(keypoints: np.ndarray, visible: np.ndarray, label_maps: np.ndarray) -> tuple[np.ndarray, ...]:
    height, width = label_maps.shape[1:]
    points = torch.where(torch.tensor(visible)[..., None], torch.tensor(keypoints, dtype=torch.float32), 0.0)
    corners, valid = part_corners(points, torch.tensor(visible), image_height=height)
    _, spread_out = fit_affine(corners, corners)  # not all on one line

    column, row = torch.einsum("gc,bpcd->dbpg", _grid_weights(), corners).add_(0.5).floor_().int().numpy()
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    person = np.arange(len(label_maps), dtype=np.intp)[:, None, None] * (height * width)
    place = np.where(inside, row * width + column, 0)
    somebody = np.asarray(label_maps).reshape(len(label_maps), -1).any(axis=1)
    valid = (valid & spread_out).numpy() & somebody[:, None]
    area = part_rows(corners.numpy(), valid, (height, width)).area(len(label_maps))
    valid = area > 0
    inside &= valid[..., None]  # so that all of an invalid part is outside
    codes = np.where(inside, np.asarray(label_maps).reshape(-1)[person + place], OUTSIDE)
    places = inside.sum(axis=2)
    scale = body_scale(points, torch.tensor(visible), image_height=height).clamp_min(1e-6)
    joints = torch.view_as_complex(points / scale[:, None, None]).numpy()
    return corners.numpy(), valid, pack(codes.astype(np.uint8)), places.astype(np.uint8), area, joints


class PartRows(NamedTuple):
    """The pixels of parts row by row: four int64 arrays of one length, in the order of parts."""

    part: np.ndarray  # number of the person * 10 + part
    row: np.ndarray
    first: np.ndarray  # column of the first pixel
    count: np.ndarray

    def area(self, num_people: int) -> np.ndarray:
        """Return how many pixels each part has, (B, 10) int32."""
        counts = np.bincount(self.part, weights=self.count, minlength=num_people * NUM_PARTS)
        return counts.reshape(num_people, NUM_PARTS).astype(np.int32)


def part_rows(corners: np.ndarray, valid: np.ndarray, size: tuple[int, int]) -> PartRows:
    """List the pixels of B^j, the hull of each part's corners inside the picture.

    Args:
        corners: (B, 10, 4, 2) float32, (x, y) in pixels.
        valid: (B, 10) bool; an invalid part has no pixels.
        size: (H, W).
    """
    height, width = size
    used = torch.from_numpy(valid).reshape(-1, 1).expand(-1, 4)
    spans = hull_spans(torch.from_numpy(corners).flatten(0, 1), used, height)
    part, row, low, high = (values.numpy() for values in spans)
    first = np.ceil(low - EDGE).clip(0, width).astype(np.int64)
    count = (np.floor(high + EDGE).clip(-1, width - 1).astype(np.int64) + 1 - first).clip(0)
    return PartRows(part, row, first, count)


def _grid_weights() -> torch.Tensor:
    """Return (128, 4): how much of each corner goes into each place; corners run across, then along."""
    along, across = torch.meshgrid(
        (torch.arange(ALONG) + 0.5) / ALONG, (torch.arange(ACROSS) + 0.5) / ACROSS, indexing="ij"
    )
    u, v = across.flatten(), along.flatten()
    return torch.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], dim=1)


def pack(codes: np.ndarray) -> np.ndarray:
    """Turn (M, 10, 128) numbers of four bits into (M, 80) words."""
    bits = (codes[:, None] >> np.arange(_BITS, dtype=np.uint8)[:, None, None]) & 1  # (M, 4, 10, 128)
    words = np.packbits(bits, axis=-1).view(np.uint64)  # (M, 4, 10, 2)
    return np.ascontiguousarray(words.swapaxes(2, 3)).reshape(len(codes), -1)


def compare_codes(source: np.ndarray, candidates: np.ndarray, *, over_source: bool = True) -> np.ndarray:
    """Compare labels place by place.

    Args:
        source: (..., 80) uint64, the code of one person, broadcast against the candidates.
        candidates: (..., 80) uint64; overwritten.
        over_source: compare at the source's places inside the picture; False: at the candidate's.

    Returns:
        (..., 20) uint8, the squared distance of the one-hot vectors, summed over the 64 places of each word:
        0 for equal labels, 2 for different ones, 1 where the other person's place is outside the picture (a
        zero vector). Words are ordered as in `PartDescriptors.codes`.
    """
    half = WORDS * NUM_PARTS
    bits = [(..., slice(i * half, (i + 1) * half)) for i in range(_BITS)]
    source_inside = ~(source[bits[2]] & source[bits[3]])
    # Results of their own, not views of the candidates' rows: numpy runs through these in one go.
    outside = candidates[bits[2]] & candidates[bits[3]]
    candidate_inside = np.invert(outside, out=outside)
    candidates ^= source
    unequal = candidates[bits[0]] | candidates[bits[1]]
    unequal |= candidates[bits[2]] | candidates[bits[3]]
    unequal &= source_inside if over_source else candidate_inside
    counts = np.bitwise_count(unequal)
    unequal &= candidate_inside if over_source else source_inside
    counts += np.bitwise_count(unequal)
    return counts
