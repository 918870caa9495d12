"""From a dataset of pairs to batches on the training device.

Whoever reads the pairs (this process, or those that `num_workers` starts) hands them over as bytes; the
device turns whole batches into numbers. What is left to do for each picture is to decode it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pgt.data.pairs import PairDataset
from pgt.data.person import Pair, PairBatch, Stacked, encode_stacked, stack_people, stack_scenes
from pgt.data.pose import PoseEncoding


@dataclass
class OrderedPairs(Dataset):
    """A dataset addressed by (index, mirrored), as `BatchOrder` gives them."""

    dataset: PairDataset

    def __getitem__(self, key: tuple[int, bool]) -> Pair:
        index, mirrored = key
        pair = self.dataset[index]
        return pair.flipped() if mirrored else pair


@dataclass(eq=False)
class StackedPairs:
    """A batch in bytes: a quarter of what a `PairBatch` weighs, on its way to the training device."""

    source: Stacked
    target: Stacked
    scene: Tensor | None  # (B, H, W, 3) uint8
    names: tuple[str, ...]
    encoding: PoseEncoding

    def pin_memory(self) -> "StackedPairs":
        """Return the batch in page-locked memory (called by a DataLoader with `pin_memory=True`)."""
        return self._each(Tensor.pin_memory)

    def encoded(self, device: torch.device) -> PairBatch:
        """Bring the batch to a device and turn it into network input there."""
        there = self._each(lambda tensor: tensor.to(device, non_blocking=True))
        return encode_stacked(there.source, there.target, there.scene, there.names, there.encoding)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "StackedPairs":
        def changed(values: Stacked) -> Stacked:
            return {name: None if value is None else change(value) for name, value in values.items()}

        scene = None if self.scene is None else change(self.scene)
        return replace(self, source=changed(self.source), target=changed(self.target), scene=scene)


@dataclass(frozen=True)
class Stacking:
    """Joins pairs into a batch: the `collate_fn` of a DataLoader.

    Attributes:
        image_size: (H, W) that pictures are stretched to.
        encoding: how heat maps are drawn, later, on the training device.
    """

    image_size: tuple[int, int]
    encoding: PoseEncoding

    def __call__(self, pairs: Sequence[Pair]) -> StackedPairs:
        source, target = (
            stack_people([getattr(pair, side) for pair in pairs], self.image_size)
            for side in ("source", "target")
        )
        names = tuple(pair.name for pair in pairs)
        return StackedPairs(source, target, stack_scenes(pairs, self.image_size), names, self.encoding)


def load_batches(
    dataset: PairDataset,
    keys: Iterable[Sequence[tuple[int, bool]]],
    image_size: tuple[int, int],
    encoding: PoseEncoding,
    device: torch.device,
    *,
    num_workers: int = 0,
) -> Iterator[PairBatch]:
    """Yield the batches that `keys` name, on a device; the next ones are being read meanwhile.

    Args:
        dataset: of pairs.
        keys: for each batch, (index of the pair, mirrored) of each of its pairs.
        image_size: (H, W) of the batches.
        encoding: of the poses.
        device: where to.
        num_workers: processes that read and decode; 0: this one, when a batch is asked for.
    """
    loader = DataLoader(
        OrderedPairs(dataset),
        batch_sampler=keys,
        collate_fn=Stacking(image_size, encoding),
        num_workers=num_workers,
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),  # the loader's own draw must not touch the step's random numbers
    )
    for stacked in loader:
        yield on_device(stacked.encoded(device), device)


def on_device(batch: PairBatch, device: torch.device) -> PairBatch:
    """Bring a batch to a device, its pictures stored pixel by pixel: convolutions run fastest on that.

    Shapes stay (B, 3, H, W); only the order in memory changes (`torch.channels_last`).
    """
    batch = batch.to(device, non_blocking=True)
    source, target = (
        one.contiguous(memory_format=torch.channels_last) for one in (batch.source, batch.target)
    )
    return replace(batch, source=source, target=target)
