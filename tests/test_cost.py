"""Costs counted without a GPU: what the backward pass keeps, operations, and what several processes share."""

import pytest
import torch
from torch import nn

from benchmarks.cost import counted, gibibytes


def test_kept_bytes_are_those_of_the_input_once_and_end_with_the_backward_pass():
    layer, x = nn.Linear(4, 8, bias=False), torch.ones(2, 4)
    with counted([layer]) as (operations, held):
        loss = layer(x).sum() + layer(x).sum()  # both need the same input; weights are counted elsewhere
        assert held.bytes == x.nbytes
        loss.backward()
    del loss
    assert held.bytes == 0
    assert held.peak == x.nbytes
    forward = 2 * 2 * (2 * 4 * 8)  # a multiplication and an addition, two calls
    assert operations.get_total_flops() == 2 * forward  # backward: the gradient of the weight alone


def test_processes_share_samples_but_not_weights():
    row = {"bytes_of_weights": 2**30, "bytes_a_sample": 2**28, "batch": 16}
    assert [gibibytes(row, processes) for processes in (1, 4)] == pytest.approx([5, 2])
