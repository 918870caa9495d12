"""From a dataset of pairs to batches on the training device.

Whoever reads the pairs (this process, or those that `num_workers` starts) hands them over as bytes; the
device turns whole batches into numbers. What is left to do for each picture is to decode it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from pgt.data.pairs import PairDataset
from pgt.data.person import Pair, PairBatch, encode_stacked, stack_people, stack_scenes
from pgt.data.pose import PoseEncoding
from pgt.training.trays import Received, Tray, Trays


@dataclass
class OrderedPairs(Dataset):
    """A dataset addressed by (index, mirrored), as `BatchOrder` gives them."""

    dataset: PairDataset

    def __getitem__(self, key: tuple[int, bool]) -> Pair:
        index, mirrored = key
        pair = self.dataset[index]
        return pair.flipped() if mirrored else pair


@dataclass(frozen=True)
class _Place:
    """Where a tensor lies in the memory of its batch."""

    start: int  # bytes
    shape: torch.Size
    dtype: torch.dtype

    def read(self, memory: Tensor) -> Tensor:
        """Return the tensor; nothing is copied."""
        end = self.start + self.shape.numel() * self.dtype.itemsize
        return memory[self.start : end].view(self.dtype).view(self.shape)


@dataclass(eq=False)
class StackedPairs:
    """A batch in bytes: a quarter of what a `PairBatch` weighs, on its way to the training device.

    All its tensors lie in one piece of memory: one copy brings them all to the device.
    """

    memory: Tensor | Tray  # uint8; a tray comes from another process
    places: dict[str, _Place | None]  # None: nobody, or not everybody, has it
    names: tuple[str, ...]
    encoding: PoseEncoding

    def encoded(self, device: torch.device, received: Received | None = None) -> PairBatch:
        """Bring the batch to a device and turn it into network input there.

        Args:
            device: where to.
            received: the trays seen so far.
        """
        memory = self.memory
        if isinstance(memory, Tray):
            memory = (received or Received()).empty(memory, pinned=device.type == "cuda")
        memory = memory.to(device, non_blocking=True)
        tensors = {name: place and place.read(memory) for name, place in self.places.items()}
        source, target = (
            {name.removeprefix(side): tensor for name, tensor in tensors.items() if name.startswith(side)}
            for side in ("source ", "target ")
        )
        return encode_stacked(source, target, tensors["scene"], self.names, self.encoding)


@dataclass(frozen=True)
class Stacking:
    """Joins pairs into a batch: the `collate_fn` of a DataLoader.

    Attributes:
        image_size: (H, W) that pictures are stretched to.
        encoding: how heat maps are drawn, later, on the training device.
        trays: in which a loader process hands its batches over.
    """

    image_size: tuple[int, int]
    encoding: PoseEncoding
    trays: Trays = field(default_factory=Trays)

    def __call__(self, pairs: Sequence[Pair]) -> StackedPairs:
        tensors: dict[str, Tensor | None] = {"scene": stack_scenes(pairs, self.image_size)}
        for side in ("source", "target"):
            people = stack_people([getattr(pair, side) for pair in pairs], self.image_size)
            tensors |= {f"{side} {name}": tensor for name, tensor in people.items()}
        parts, places = _laid_out(tensors)
        worker = get_worker_info()
        memory = torch.cat(parts) if worker is None else self.trays.fill(parts, worker.id)
        return StackedPairs(memory, places, tuple(pair.name for pair in pairs), self.encoding)


def _laid_out(tensors: Mapping[str, Tensor | None]) -> tuple[list[Tensor], dict[str, _Place | None]]:
    """Return tensors as bytes, in the order in which they are to lie in memory, and the place of each."""
    there = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    places: dict[str, _Place | None] = dict.fromkeys(tensors)
    start = 0
    # Those of large numbers first: each must begin at a multiple of its numbers' size.
    order = sorted(there, key=lambda name: -there[name].dtype.itemsize)
    for name in order:
        places[name] = _Place(start, there[name].shape, there[name].dtype)
        start += there[name].nbytes
    return [there[name].view(-1).view(torch.uint8) for name in order], places


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
        generator=torch.Generator(),  # the loader's own draw must not touch the step's random numbers
    )
    received = Received()
    for stacked in loader:
        yield on_device(stacked.encoded(device, received), device)


def on_device(batch: PairBatch, device: torch.device) -> PairBatch:
    """Bring a batch to a device, its pictures stored pixel by pixel: convolutions run fastest on that.

    Shapes stay (B, 3, H, W); only the order in memory changes (`torch.channels_last`).
    """
    batch = batch.to(device, non_blocking=True)
    source, target = (
        one.contiguous(memory_format=torch.channels_last) for one in (batch.source, batch.target)
    )
    return replace(batch, source=source, target=target)
