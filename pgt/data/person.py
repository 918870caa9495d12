"""People, pairs of people, and the only road from them to the tensors that models take.

The conventions of the whole library, stated once:
- Pictures: disk, plots and the demo use uint8 (H, W, 3) RGB; models use float32 (3, H, W) in [-1, 1];
  metrics [0, 1].
- Coordinates: (x, y) in pixels of the image they travel with, (0, 0) is the centre of the top left pixel.
- Sizes: (H, W). Resizing a person resizes picture, joints and maps in one call.
- A joint that is not visible has an all-zero heat map. Sentinels such as -1 end at the readers.
- A flip swaps left and right joints and left and right labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pgt.data.parsing import flip_labels, label_map_fault, one_hot
from pgt.data.pose import Pose, PoseEncoding


@dataclass(frozen=True, eq=False)
class Person:
    """One person in one picture.

    Args:
        image: uint8 (H, W, 3) RGB.
        pose: joints in pixels of `image`.
        label_map: (H, W) of the 10 labels, uint8 or any other integers, where known.
        person_mask: bool (H, W), where known.
        background: uint8 (H, W, 3), the picture without the person, where known.
        name: for messages and file names.

    Raises:
        ValueError: a picture or map of the wrong type or size.
    """

    image: np.ndarray
    pose: Pose
    label_map: np.ndarray | None = None
    person_mask: np.ndarray | None = None
    background: np.ndarray | None = None
    name: str = ""

    def __post_init__(self) -> None:
        label = f"Person {self.name!r}" if self.name else "A person"
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(
                f"{label} needs a uint8 (H, W, 3) picture, not {self.image.dtype} {self.image.shape}."
            )
        size = self.image.shape[:2]
        if self.pose.image_size != size:
            raise ValueError(
                f"{label} has a {_text(size)} picture but a pose for {_text(self.pose.image_size)}."
            )
        for what in ("person_mask", "background"):
            values = getattr(self, what)
            if values is not None and values.shape[:2] != size:
                raise ValueError(
                    f"{label} has a {_text(size)} picture but a {what} of {_text(values.shape[:2])}."
                )
        fault = None if self.label_map is None else label_map_fault(self.label_map, size)
        if fault is not None:
            raise ValueError(f"{label} has a label map that {fault}.")

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) of the picture."""
        return self.pose.image_size

    @property
    def keypoints(self) -> np.ndarray:
        """(18, 2) float32, (x, y) in pixels."""
        return self.pose.keypoints

    @property
    def visible(self) -> np.ndarray:
        """(18,) bool."""
        return self.pose.visible

    def resized(self, image_size: tuple[int, int]) -> "Person":
        """Return the person in a picture stretched to `image_size` (H, W); maps by nearest neighbour."""
        if image_size == self.image_size:
            return self
        return replace(
            self,
            image=_resize(self.image, image_size, Image.Resampling.BILINEAR),
            pose=self.pose.resized(image_size),
            label_map=_resize(self.label_map, image_size, Image.Resampling.NEAREST),
            person_mask=_resize(self.person_mask, image_size, Image.Resampling.NEAREST),
            background=_resize(self.background, image_size, Image.Resampling.BILINEAR),
        )

    def flipped(self) -> "Person":
        """Return the person mirrored left to right, with left and right joints and labels swapped."""
        return replace(
            self,
            image=_mirrored(self.image),
            pose=self.pose.flipped(),
            label_map=None if self.label_map is None else flip_labels(self.label_map),
            person_mask=None if self.person_mask is None else _mirrored(self.person_mask),
            background=None if self.background is None else _mirrored(self.background),
        )


@dataclass(frozen=True, eq=False)
class Pair:
    """The same person twice: as given, and as wanted.

    Where nobody has the same person twice (SPT), the target only lends its pose and its map, and its picture
    is blank. `scene` is a picture without people, uint8 (h, w, 3), for a background network to learn from.
    """

    source: Person
    target: Person
    name: str = ""
    scene: np.ndarray | None = None

    def flipped(self) -> "Pair":
        """Return all pictures mirrored left to right."""
        scene = None if self.scene is None else _mirrored(self.scene)
        return replace(self, source=self.source.flipped(), target=self.target.flipped(), scene=scene)


def _mirrored(values: np.ndarray) -> np.ndarray:
    """Mirror (H, W, ...) left to right; torch is ten times as fast at it as NumPy."""
    return torch.from_numpy(np.require(values, requirements=["C", "W"])).flip(1).numpy()


def _text(size: Sequence[int]) -> str:
    return "x".join(str(side) for side in size)


def _resize(values: np.ndarray | None, size: tuple[int, int], filter: Image.Resampling) -> np.ndarray | None:
    if values is None:
        return None
    resized = Image.fromarray(values.astype(np.uint8)).resize((size[1], size[0]), filter)
    return np.asarray(resized).astype(values.dtype)


def uint8_to_signed(image: np.ndarray | Tensor) -> Tensor:
    """Turn uint8 (..., H, W, 3) pictures into float32 (..., 3, H, W) in [-1, 1]."""
    if isinstance(image, np.ndarray):
        image = torch.from_numpy(np.require(image, requirements=["C", "W"]))  # PIL's arrays are read-only
    channels_first = image.movedim(-1, -3).contiguous()  # moved while still bytes: a quarter of the work
    return channels_first.float().div_(127.5).sub_(1)


def signed_to_uint8(image: Tensor) -> Tensor:
    """Turn (..., 3, H, W) in [-1, 1] into uint8 (..., H, W, 3); rounds, and clips what is out of range."""
    return (
        image.detach()
        .float()
        .add(1)
        .mul(127.5)
        .round()
        .clamp(0, 255)
        .to(torch.uint8)
        .movedim(-3, -1)
        .contiguous()
    )


def signed_to_unit(image: Tensor) -> Tensor:
    """Turn pictures in [-1, 1] into pictures in [0, 1]."""
    return (image + 1) / 2


@dataclass(eq=False)
class PairBatch:
    """A batch of pairs as tensors, all on one device.

    The encodings are computed on that device when first touched, so that a batch travels as little as
    possible. A label map or mask that any pair of the batch lacks is None; touching what depends on it
    raises ValueError.
    """

    source: Tensor  # (B, 3, H, W) float32 in [-1, 1]
    target: Tensor
    source_keypoints: Tensor  # (B, 18, 2) float32, (x, y) in pixels
    target_keypoints: Tensor
    source_visible: Tensor  # (B, 18) bool
    target_visible: Tensor
    source_label_map: Tensor | None = None  # (B, H, W) int64
    target_label_map: Tensor | None = None
    source_person_mask: Tensor | None = None  # (B, 1, H, W) float of 0 and 1
    target_person_mask: Tensor | None = None
    scene: Tensor | None = None  # (B, 3, H, W) float32 in [-1, 1], without people
    names: tuple[str, ...] = ()
    encoding: PoseEncoding = field(default_factory=PoseEncoding)

    def __len__(self) -> int:
        return len(self.source)

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) of the pictures."""
        return self.source.shape[-2], self.source.shape[-1]

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.source.device

    @cached_property
    def source_pose(self) -> Tensor:
        """Heat maps of the source's joints, (B, 18, H, W) float."""
        return self.encoding(self.source_keypoints, self.source_visible, self.image_size)

    @cached_property
    def target_pose(self) -> Tensor:
        """Heat maps of the target's joints, (B, 18, H, W) float."""
        return self.encoding(self.target_keypoints, self.target_visible, self.image_size)

    @cached_property
    def source_pose_mask(self) -> Tensor:
        """Area of the source's body by its skeleton, (B, 1, H, W) float of 0 and 1."""
        return self.encoding.mask(self.source_keypoints, self.source_visible, self.image_size)

    @cached_property
    def target_pose_mask(self) -> Tensor:
        """Area of the target's body by its skeleton, (B, 1, H, W) float of 0 and 1."""
        return self.encoding.mask(self.target_keypoints, self.target_visible, self.image_size)

    @cached_property
    def source_parsing(self) -> Tensor:
        """One-hot labels of the source, (B, 10, H, W) float."""
        return one_hot(_required(self.source_label_map, "source"))

    @cached_property
    def target_parsing(self) -> Tensor:
        """One-hot labels of the target, (B, 10, H, W) float."""
        return one_hot(_required(self.target_label_map, "target"))

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "PairBatch":
        """Return the batch on another device; encodings are made there again when touched."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        moved = {
            name: value.to(device, non_blocking=non_blocking) if isinstance(value, Tensor) else value
            for name, value in values.items()
        }
        return PairBatch(**moved)


def _required(label_map: Tensor | None, side: str) -> Tensor:
    if label_map is None:
        raise ValueError(f"Not every {side} of this batch has a label map, so there is no {side} parsing.")
    return label_map


Stacked = dict[str, Tensor | None]  # by `stack_people`


def encode_person(person: Person, image_size: tuple[int, int]) -> dict[str, Tensor | None]:
    """Turn a person into tensors of a batch of one.

    Args:
        person: of any picture size; it is stretched to `image_size`.
        image_size: (H, W) of the tensors.

    Returns:
        image (1, 3, H, W) in [-1, 1], keypoints (1, 18, 2) in pixels of `image_size`, visible (1, 18),
        label_map (1, H, W) int64 or None, person_mask (1, 1, H, W) float or None.
    """
    return _encode_people(stack_people([person], image_size))


def encode_pair(pair: Pair, image_size: tuple[int, int], encoding: PoseEncoding | None = None) -> PairBatch:
    """Turn a pair into a batch of one, both pictures stretched to `image_size` (H, W)."""
    source, target = (stack_people([one], image_size) for one in (pair.source, pair.target))
    scene = stack_scenes([pair], image_size)
    return encode_stacked(source, target, scene, (pair.name,), encoding or PoseEncoding())


def stack_people(people: Sequence[Person], image_size: tuple[int, int]) -> Stacked:
    """Stretch people to `image_size` (H, W) and stack them, still in bytes: a quarter of what networks take.

    Returns:
        image uint8 (B, H, W, 3), keypoints float32 (B, 18, 2), visible (B, 18), label_map uint8 (B, H, W),
        person_mask bool (B, H, W); a map or mask that anybody lacks is None.
    """
    people = [person.resized(tuple(image_size)) for person in people]
    labels = [None if one.label_map is None else one.label_map.astype(np.uint8) for one in people]
    return {
        "image": _stack([person.image for person in people]),
        "keypoints": _stack([person.keypoints for person in people]),
        "visible": _stack([person.visible for person in people]),
        "label_map": _stack(labels),
        "person_mask": _stack([person.person_mask for person in people]),
    }


def stack_scenes(pairs: Sequence[Pair], image_size: tuple[int, int]) -> Tensor | None:
    """Do the same with the scenes of pairs, uint8 (B, H, W, 3); None where any pair has none."""
    return _stack([_resize(pair.scene, tuple(image_size), Image.Resampling.BILINEAR) for pair in pairs])


def encode_stacked(
    source: Stacked, target: Stacked, scene: Tensor | None, names: tuple[str, ...], encoding: PoseEncoding
) -> PairBatch:
    """Turn stacked pairs into network input, on the device where their bytes are."""
    sides = {"source": _encode_people(source), "target": _encode_people(target)}
    tensors = {f"{side}_{name}": value for side, one in sides.items() for name, value in one.items()}
    tensors |= {side: tensors.pop(f"{side}_image") for side in sides}
    scene = None if scene is None else uint8_to_signed(scene)
    return PairBatch(**tensors, scene=scene, names=names, encoding=encoding)


def _stack(values: Sequence[np.ndarray | None]) -> Tensor | None:
    return None if any(one is None for one in values) else torch.from_numpy(np.stack(values))


def _encode_people(stacked: Stacked) -> dict[str, Tensor | None]:
    labels, mask = stacked["label_map"], stacked["person_mask"]
    return {
        # `uint8_to_signed` without its copy: channels stay last in memory, as `on_device` wants them.
        "image": stacked["image"].movedim(-1, -3).float().div_(127.5).sub_(1),
        "keypoints": stacked["keypoints"],
        "visible": stacked["visible"],
        "label_map": None if labels is None else labels.long(),
        "person_mask": None if mask is None else mask[:, None].float(),
    }


def collate(batches: Sequence[PairBatch]) -> PairBatch:
    """Join batches into one; a label map or mask that any of them lacks is None in the result.

    Raises:
        ValueError: no batches, or batches of different picture sizes or encodings.
    """
    if not batches:
        raise ValueError("There is nothing to collate: the list of batches is empty.")
    sizes = sorted({batch.image_size for batch in batches})
    if len(sizes) > 1:
        raise ValueError(
            f"Pairs of different sizes cannot share a batch: {' and '.join(_text(s) for s in sizes)}."
        )
    if len({batch.encoding for batch in batches}) > 1:
        raise ValueError("Pairs with different pose encodings cannot share a batch.")
    joined: dict[str, Tensor | None] = {}
    for entry in fields(PairBatch):
        if entry.name not in ("names", "encoding"):
            values = [getattr(batch, entry.name) for batch in batches]
            joined[entry.name] = None if any(value is None for value in values) else torch.cat(values)
    names = tuple(name for batch in batches for name in batch.names)
    return PairBatch(**joined, names=names, encoding=batches[0].encoding)
