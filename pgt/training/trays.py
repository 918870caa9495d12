"""Shared memory in which loader processes hand batches over, used again and again.

Fresh memory costs a page fault for every few KiB, in the process that fills it and in the one that reads it,
and each piece a socket to pass it through: more than to copy a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

MOST = 8  # trays of a process: those in the DataLoader's queues, and some to spare
FREE, TAKEN = 0, 1
HEAD = 64  # bytes before the batch; the first says whether the tray is taken. Numbers must lie aligned


@dataclass
class Tray:
    """A batch on its way.

    Attributes:
        process, number: of whose trays it is which; number -1: not to be used again.
        size: bytes of the batch.
        memory: uint8, at least `HEAD` + `size` bytes; None if the other side has seen this tray before.
    """

    process: int
    number: int
    size: int
    memory: Tensor | None


@dataclass
class Trays:
    """Those of one process, which fills them."""

    _memories: list[Tensor] = field(default_factory=list)

    def fill(self, parts: Sequence[Tensor], process: int) -> Tray:
        """Lay uint8 tensors of one dimension down, one after the other."""
        size = sum(len(part) for part in parts)
        for number, memory in enumerate(self._memories):
            if memory[0] == FREE and HEAD + size <= len(memory):
                tray, known = Tray(process, number, size, memory), True
                break
        else:
            number = len(self._memories) if len(self._memories) < MOST else -1
            memory, known = torch.empty(HEAD + size, dtype=torch.uint8).share_memory_(), False
            tray = Tray(process, number, size, memory)
            if number >= 0:
                self._memories.append(memory)
        torch.cat(list(parts), out=memory[HEAD : HEAD + size])
        memory[0] = TAKEN
        if known:
            tray.memory = None
        return tray


@dataclass
class Received:
    """The trays of all loader processes, as seen by the one that empties them."""

    _memories: dict[tuple[int, int], Tensor] = field(default_factory=dict)

    def empty(self, tray: Tray, *, pinned: bool = False) -> Tensor:
        """Copy a batch out of its tray, which may be filled again from now on.

        Args:
            tray: in the order in which its process has filled them.
            pinned: whether the copy is to lie in page-locked memory, for a GPU to fetch.

        Returns:
            uint8, of the size of the batch.
        """
        memory, place = tray.memory, (tray.process, tray.number)
        if memory is None:
            memory = self._memories[place]
        elif tray.number >= 0:
            self._memories[place] = memory
        batch = torch.empty(tray.size, dtype=torch.uint8, pin_memory=pinned)
        batch.copy_(memory[HEAD : HEAD + tray.size])
        memory[0] = FREE
        return batch
