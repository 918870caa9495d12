"""Trays: shared memory that batches cross from loader processes in, used again once it is empty."""

import torch
import torch.multiprocessing as multiprocessing

from pgt.data.pose import PoseEncoding
from pgt.training.loading import load_batches
from pgt.training.trays import FREE, HEAD, MOST, Received, Trays
from tests.training.tiny import SIZE, TinyPairs


def parts(*numbers: int) -> list[torch.Tensor]:
    return [torch.tensor([number], dtype=torch.uint8) for number in numbers]


def test_a_tray_is_sent_once_and_filled_again_when_it_is_empty():
    trays, received = Trays(), Received()
    first = trays.fill(parts(1, 2), process=3)
    second = trays.fill(parts(3, 4), process=3)  # the first is still taken
    assert (first.number, second.number) == (0, 1)
    assert first.memory is not None
    assert received.empty(first).tolist() == [1, 2]
    third = trays.fill(parts(5, 6), process=3)
    assert (third.number, third.memory) == (0, None)
    batch = received.empty(third)
    assert received.empty(second).tolist() == [3, 4]
    trays.fill(parts(7, 8), process=3)
    assert batch.tolist() == [5, 6], "what was taken out is a copy"


def test_a_batch_may_be_smaller_than_its_tray_but_not_larger():
    trays, received = Trays(), Received()
    received.empty(trays.fill(parts(1, 2, 3), process=0))
    assert received.empty(small := trays.fill(parts(4), process=0)).tolist() == [4]
    assert (small.number, small.size, small.memory) == (0, 1, None)
    large = trays.fill(parts(1, 2, 3, 4), process=0)
    assert large.number == 1
    assert len(large.memory) == HEAD + 4


def test_nothing_taken_is_overwritten_however_many_wait():
    trays, received = Trays(), Received()
    waiting = [trays.fill(parts(number), process=0) for number in range(MOST + 3)]
    assert [tray.number for tray in waiting] == [*range(MOST), -1, -1, -1]
    assert [received.empty(tray).item() for tray in waiting] == list(range(MOST + 3))
    assert all(memory[0] == FREE for memory in trays._memories)


def test_trays_of_two_processes_are_told_apart():
    received, owners = Received(), (Trays(), Trays())
    for round_ in range(2):
        sent = [trays.fill(parts(10 * process + round_), process) for process, trays in enumerate(owners)]
        assert [received.empty(tray).item() for tray in sent] == [round_, 10 + round_]


def test_the_other_process_sees_that_a_tray_is_empty():
    queue, trays = multiprocessing.get_context("fork").SimpleQueue(), Trays()
    tray = trays.fill(parts(1), process=0)
    queue.put(tray)
    assert Received().empty(queue.get()).item() == 1
    assert tray.memory[0] == FREE


def test_batches_that_are_kept_stay_what_they_were():
    pairs, encoding, cpu = TinyPairs(), PoseEncoding(radius=1.0), torch.device("cpu")
    keys = [[(number % len(pairs), False), (number * 3 % len(pairs), True)] for number in range(40)]
    plain = list(load_batches(pairs, keys, SIZE, encoding, cpu))
    for workers in (1, 2):
        kept = list(load_batches(pairs, keys, SIZE, encoding, cpu, num_workers=workers))
        for ours, theirs in zip(kept, plain, strict=True):
            assert ours.names == theirs.names
            for name in ("source", "target", "source_keypoints", "target_visible", "target_pose"):
                assert torch.equal(getattr(ours, name), getattr(theirs, name)), name
