"""From a dataset of pairs to batches on the training device."""

from dataclasses import dataclass, replace

import torch
from torch.utils.data import Dataset

from pgt.data.pairs import PairDataset
from pgt.data.person import PairBatch, encode_pair
from pgt.data.pose import PoseEncoding


@dataclass
class EncodedPairs(Dataset):
    """A dataset as network input, addressed by (index, mirrored); each item is a batch of one.

    Attributes:
        dataset: of uint8 pairs.
        image_size: (H, W) of the tensors.
        encoding: how heat maps are drawn, later, on the training device.
    """

    dataset: PairDataset
    image_size: tuple[int, int]
    encoding: PoseEncoding

    def __getitem__(self, key: tuple[int, bool]) -> PairBatch:
        index, mirrored = key
        pair = self.dataset[index]
        return encode_pair(pair.flipped() if mirrored else pair, self.image_size, self.encoding)


def on_device(batch: PairBatch, device: torch.device) -> PairBatch:
    """Bring a batch to a device, its pictures stored pixel by pixel: convolutions run fastest on that.

    Shapes stay (B, 3, H, W); only the order in memory changes (`torch.channels_last`).
    """
    batch = batch.to(device, non_blocking=True)
    source, target = (
        one.contiguous(memory_format=torch.channels_last) for one in (batch.source, batch.target)
    )
    return replace(batch, source=source, target=target)
