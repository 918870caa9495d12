"""Person + target pose -> picture: the one class that the demo, the notebooks and the CLI call.

A model is fed from the encoded pair by the names of its `forward` arguments: `source`, `target_pose`,
`target_keypoints` ... are fields of `pgt.data.person.PairBatch`. So a new approach needs no new predictor.
"""

import inspect
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from pgt.checkpoint import load
from pgt.data.parsing import NUM_LABELS, label_map_fault, one_hot
from pgt.data.person import Pair, PairBatch, Person, collate, encode_pair, signed_to_uint8, uint8_to_signed
from pgt.data.pose import Pose, PoseEncoding
from pgt.models.human_parser import HumanParser
from pgt.models.part_warp import PartWarp
from pgt.plot import difference_picture

PARSER = "human-parser-synthetic-128"  # bundled: labels the pixels of sources that come without labels
# What the tuple of a model may hold; the first one that it does hold is the result.
STEPS = ("generated", "refined", "coarse", "difference_map", "parsing", "foreground", "background")
SERIES = ("refinements", "levels")  # pictures one after the other, of which the last is the result
PART_WARP = "part-warp"  # the name under which `Predictor.load` gives the baseline without weights
STRETCH_LIMIT = 1.02  # a frame whose proportions are this near to the model's is stretched rather than padded


@dataclass(frozen=True)
class Prediction:
    """What a model drew and what it drew it from, all in the model's frame (H, W).

    Steps that a model does not have are None: `coarse`, `difference_map` and `refined` are PG2's, `label_map`
    is SPT's, `foreground` and `background` are SPT's and MR-Net's (which cuts them out of the source),
    `refinements` MR-Net's, `levels` Progressive's.
    """

    image: np.ndarray  # (H, W, 3) uint8: the result
    coarse: np.ndarray | None  # (H, W, 3) uint8
    difference_map: np.ndarray | None  # (H, W, 3) uint8, grey (128) where nothing is added
    refined: np.ndarray | None  # (H, W, 3) uint8
    label_map: np.ndarray | None  # (H, W) uint8, the ten labels of the result
    foreground: np.ndarray | None  # (H, W, 3) uint8, the person before composition
    background: np.ndarray | None  # (H, W, 3) uint8
    refinements: tuple[np.ndarray, ...] | None  # (H, W, 3) uint8, round by round; the last is the result
    levels: tuple[np.ndarray, ...] | None  # (h, w, 3) uint8, coarse to fine; the last is the result
    source: Person  # as the model saw it
    target: Pose  # as the model saw it
    target_pose: np.ndarray  # (18, H, W) float32 heat maps
    pose_mask: np.ndarray  # (H, W) float32 in {0, 1}
    milliseconds: float  # from uint8 input to uint8 output, per picture


class Predictor:
    """Draw people in new poses with a trained model or a baseline.

    Args:
        model: a module whose `forward` arguments are named after fields of PairBatch (or
            `source_background`), and which gives a picture (B, 3, H, W) in [-1, 1], or a tuple with a field
            `generated`, `refined` or `coarse`. Its frame (H, W) is `model.config.image_size` or
            `model.image_size`; None means: the source's own.
        device: where to compute, for example "cpu" or "cuda".
        name: shown beside results; the class's name by default.
    """

    def __init__(self, model: nn.Module, device: str | torch.device = "cpu", *, name: str = "") -> None:
        self.device = torch.device(device)
        self.model = model.to(self.device, memory_format=torch.channels_last).eval()
        self.name = name or type(model).__name__
        self.image_size: tuple[int, int] | None = _image_size(model)
        self.pose_encoding: PoseEncoding = getattr(model, "pose_encoding", PoseEncoding())
        self._arguments = tuple(inspect.signature(model.forward).parameters)
        self._parser: HumanParser | None = None  # loaded when a source comes without a label map

    @classmethod
    def load(
        cls, name: str | Path, device: str | torch.device = "cpu", *, revision: str | None = None
    ) -> "Predictor":
        """Make a predictor of a bundled name, a folder or a Hub repository (`pgt.load`), or "part-warp"."""
        if name == PART_WARP:
            return cls(PartWarp(), device, name=PART_WARP)
        return cls(load(name, revision=revision), device, name=str(name))

    @property
    def num_parameters(self) -> int:
        """Number of the model's weights."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def follows_maps(self) -> bool:
        """Whether the model draws along a semantic map, which may then be given."""
        return "parsing" in self._arguments

    @property
    def has_rounds(self) -> bool:
        """Whether the model refines its picture round by round, as often as it is told to."""
        return "num_rounds" in self._arguments

    def generate(
        self,
        source: Person,
        target: Pose | Person,
        *,
        label_map: np.ndarray | None = None,
        num_rounds: int | None = None,
    ) -> Prediction:
        """Draw the source person in the target's pose.

        Args:
            source: a picture with its joints, of any size: fitted into the model's frame, padded by its edge
                pixels where the proportions differ.
            target: the wanted pose in any frame, or a person who takes it (only the pose is used).
            label_map: (H, W) of the ten labels in the model's frame, to be followed in place of the map that
                SPT would predict, for example a painted one.
            num_rounds: how often MR-Net refines its picture; None: as often as it was trained to.

        Raises:
            ValueError: one sentence, if an argument is of another kind or has no visible joint.
        """
        label_maps = None if label_map is None else [label_map]
        return self.generate_batch([(source, target)], label_maps, num_rounds=num_rounds)[0]

    def generate_batch(
        self,
        pairs: Sequence[tuple[Person, Pose | Person]],
        label_maps: Sequence[np.ndarray] | None = None,
        *,
        num_rounds: int | None = None,
    ) -> list[Prediction]:
        """Draw several people at once; `milliseconds` is the mean per picture.

        Raises:
            ValueError: as `generate`; also if there is no pair or, for a model without a frame of its own, if
                the sources differ in size.
        """
        if not pairs:
            raise ValueError("there is nothing to generate: the list of pairs is empty.")
        poses = [_checked_pose(source, target) for source, target in pairs]
        options = self._options(num_rounds)
        start = time.perf_counter()
        size = self._frame([source for source, _ in pairs])
        sources = self._parsed([fit_person(source, size) for source, _ in pairs])
        targets = [fit_pose(pose, size) for pose in poses]
        batch = _encode(sources, targets, size, self.pose_encoding)
        options |= self._followed(label_maps, len(pairs), size)
        pictures = _pictures(self._run(batch, sources, options))
        milliseconds = 1000 * (time.perf_counter() - start) / len(pairs)

        heatmaps, masks = batch.target_pose.cpu().numpy(), batch.target_pose_mask[:, 0].cpu().numpy()
        return [
            Prediction(
                **{name: images[i] if images else None for name, images in pictures.items()},
                source=sources[i],
                target=targets[i],
                target_pose=heatmaps[i],
                pose_mask=masks[i],
                milliseconds=milliseconds,
            )
            for i in range(len(pairs))
        ]

    def _frame(self, sources: Sequence[Person]) -> tuple[int, int]:
        if self.image_size is not None:
            return self.image_size
        sizes = {source.image.shape[:2] for source in sources}
        if len(sizes) > 1:
            raise ValueError(
                f"{self.name} works in the sources' own frame, but they differ: {sorted(sizes)}."
            )
        return sizes.pop()

    def _followed(
        self, label_maps: Sequence[np.ndarray] | None, count: int, size: tuple[int, int]
    ) -> dict[str, Tensor]:
        """Check and encode given maps: `parsing` (B, 10, H, W) one-hot, or nothing without any."""
        if label_maps is None:
            return {}
        if not self.follows_maps:
            raise ValueError(f"{self.name} draws without a label map, so it cannot follow one.")
        if len(label_maps) != count:
            raise ValueError(f"{count} pictures need as many label maps; got {len(label_maps)}.")
        for labels in label_maps:
            fault = label_map_fault(labels, size)
            if fault is not None:
                raise ValueError(
                    f"a label map must hold the labels 0 to {NUM_LABELS - 1} in the model's frame {size}; "
                    f"the one given {fault}."
                )
        maps = torch.from_numpy(np.stack(label_maps).astype(np.int64))
        return {"parsing": one_hot(maps).to(self.device)}

    def _options(self, num_rounds: int | None) -> dict[str, Any]:
        """Check what only some models can be told."""
        if num_rounds is None:
            return {}
        if not self.has_rounds:
            raise ValueError(f"{self.name} draws once, so it has no number of rounds to choose.")
        return {"num_rounds": num_rounds}

    def _parsed(self, sources: list[Person]) -> list[Person]:
        """Give a label map to those who have none, if the model reads it."""
        if "source_parsing" not in self._arguments:
            return sources
        missing = [i for i, source in enumerate(sources) if source.label_map is None]
        for source in sources:
            if source.label_map is not None and not source.label_map.any():
                whose = f"the label map of {source.name!r}" if source.name else "the source's label map"
                raise ValueError(f"{whose} is background everywhere: it shows nobody.")
        if not missing:
            return sources
        self._parser = self._parser or load(PARSER, quiet=True).to(self.device)
        images = torch.stack([uint8_to_signed(sources[i].image) for i in missing])
        for i, labels in zip(missing, self._parser.find_labels(images).cpu().numpy(), strict=True):
            sources[i] = replace(sources[i], label_map=labels.astype(np.uint8))
        return sources

    @torch.inference_mode()
    def _run(
        self, batch: PairBatch, sources: Sequence[Person], options: Mapping[str, Any]
    ) -> dict[str, Tensor | Sequence[Tensor]]:
        """Feed the model by its argument names; give its named pictures, the result as "image"."""
        batch = batch.to(self.device)
        arguments = {name: getattr(batch, name) for name in self._arguments if hasattr(batch, name)}
        arguments["source"] = batch.source.contiguous(memory_format=torch.channels_last)
        if "source_background" in self._arguments:
            arguments["source_background"] = _backgrounds(sources, self.device)
        output = self.model(**arguments, **options)
        if isinstance(output, Tensor):
            return {"image": output}
        named = {name: getattr(output, name, None) for name in (*STEPS, *SERIES)}
        named = {name: value for name, value in named.items() if value is not None}
        return {"image": next(iter(named.values())), **named}


def fit_person(person: Person, size: tuple[int, int]) -> Person:
    """Fit a person into a frame (H, W), joints along; pad by edge pixels where proportions differ."""
    top, bottom, left, right = _padding(person.image.shape[:2], size)
    if top + bottom + left + right == 0:
        return person if person.image.shape[:2] == size else person.resized(size)
    around = ((top, bottom), (left, right))
    padded = Person(
        image=np.pad(person.image, (*around, (0, 0)), mode="edge"),
        pose=_shifted(person.pose, top, bottom, left, right),
        label_map=None if person.label_map is None else np.pad(person.label_map, around),
        person_mask=None if person.person_mask is None else np.pad(person.person_mask, around),
        background=None
        if person.background is None
        else np.pad(person.background, (*around, (0, 0)), mode="edge"),
        name=person.name,
    )
    return padded.resized(size)


def fit_pose(pose: Pose, size: tuple[int, int]) -> Pose:
    """Fit a pose into a frame (H, W) as `fit_person` fits the person it belongs to."""
    if pose.image_size == tuple(size):
        return pose
    return _shifted(pose, *_padding(pose.image_size, size)).resized(size)


def unfit_picture(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Undo `fit_person` of a photo of `size` (H, W): cut its padding off what a model drew, and resize."""
    top, bottom, left, right = _padding(size, picture.shape[:2])
    across = picture.shape[1] / (size[1] + left + right)
    down = picture.shape[0] / (size[0] + top + bottom)
    inside = (left * across, top * down, (left + size[1]) * across, (top + size[0]) * down)
    resized = Image.fromarray(picture).resize((size[1], size[0]), Image.Resampling.BICUBIC, box=inside)
    return np.asarray(resized)


def _padding(old: tuple[int, int], new: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return what to add at (top, bottom, left, right) of `old` to give it the proportions of `new`."""
    (height, width), wanted = old, new[1] / new[0]
    if 1 / STRETCH_LIMIT <= wanted * height / width <= STRETCH_LIMIT:
        return 0, 0, 0, 0
    across = max(0, round(height * wanted) - width)
    down = max(0, round(width / wanted) - height)
    return down // 2, down - down // 2, across // 2, across - across // 2


def _shifted(pose: Pose, top: int, bottom: int, left: int, right: int) -> Pose:
    height, width = pose.image_size
    offset = np.array([left, top], np.float32)
    return Pose(pose.keypoints + offset, pose.visible, (height + top + bottom, width + left + right))


def _checked_pose(source: Person, target: Pose | Person) -> Pose:
    if not isinstance(source, Person):
        raise ValueError(f"the source must be a Person; got {type(source).__name__}.")
    if not isinstance(target, Pose | Person):
        raise ValueError(f"the target must be a Pose or a Person; got {type(target).__name__}.")
    pose = target.pose if isinstance(target, Person) else target
    if not pose.visible.any():
        raise ValueError("the target pose has no visible joint, so there is no pose to draw.")
    if not source.pose.visible.any():
        raise ValueError("the source person has no visible joint; give the picture's keypoints first.")
    return pose


def _encode(
    sources: list[Person], targets: list[Pose], size: tuple[int, int], encoding: PoseEncoding
) -> PairBatch:
    """Encode by the common road; the target's picture is a blank one, so no model can peek."""
    blank = np.zeros((*size, 3), np.uint8)
    pairs = [
        Pair(source, Person(blank, pose), source.name) for source, pose in zip(sources, targets, strict=True)
    ]
    return collate([encode_pair(pair, size, encoding) for pair in pairs])


def _backgrounds(sources: Sequence[Person], device: torch.device) -> Tensor | None:
    """Return the sources' clean backgrounds (B, 3, H, W) in [-1, 1], or None unless all are known."""
    if any(source.background is None for source in sources):
        return None
    return uint8_to_signed(torch.from_numpy(np.stack([source.background for source in sources]))).to(device)


def _pictures(tensors: Mapping[str, Any]) -> dict[str, list | None]:
    """Turn the model's named tensors into uint8 pictures; None for the ones it does not have."""

    def drawn_by(images: Tensor) -> list[np.ndarray]:
        return list(np.asarray(signed_to_uint8(images.float().cpu())))

    pictures: dict[str, list | None] = {}
    for name in ("image", "coarse", "refined", "foreground", "background"):
        pictures[name] = drawn_by(tensors[name]) if name in tensors else None
    for name in SERIES:
        series = [drawn_by(images) for images in tensors.get(name, ())]
        pictures[name] = [*zip(*series, strict=True)] or None
    difference = tensors.get("difference_map")
    drawn = None if difference is None else [difference_picture(d) for d in difference.float().cpu().numpy()]
    parsing = tensors.get("parsing")
    labels = None if parsing is None else list(parsing.argmax(dim=1).to(torch.uint8).cpu().numpy())
    return {**pictures, "difference_map": drawn, "label_map": labels}


def _image_size(model: nn.Module) -> tuple[int, int] | None:
    size = getattr(getattr(model, "config", None), "image_size", None) or getattr(model, "image_size", None)
    return None if size is None else (int(size[0]), int(size[1]))
