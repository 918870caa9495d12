"""The faster number format: chosen by measuring, float32 unless bfloat16 is clearly faster."""

import pytest
import torch

from pgt.training import precision


@pytest.fixture(autouse=True)
def _forget():
    precision.faster_precision.cache_clear()
    yield
    precision.faster_precision.cache_clear()


@pytest.mark.parametrize(("bfloat16", "chosen"), [(0.2, "bf16"), (0.79, "bf16"), (0.81, "no"), (3.0, "no")])
def test_bfloat16_must_save_a_fifth_of_the_time(monkeypatch, bfloat16, chosen):
    seconds = {torch.float32: 1.0, torch.bfloat16: bfloat16}
    monkeypatch.setattr(precision, "_seconds", lambda dtype, device: seconds[dtype])
    assert precision.faster_precision() == chosen


def test_it_measures_once(monkeypatch):
    asked = []
    monkeypatch.setattr(precision, "_seconds", lambda dtype, device: asked.append(dtype) or 1.0)
    assert precision.faster_precision() == precision.faster_precision() == "no"
    assert asked == [torch.float32, torch.bfloat16]


def test_a_real_measurement_takes_time_and_names_a_precision_of_fit():
    assert precision._seconds(torch.float32, "cpu") > 0
    assert precision.faster_precision() in {"no", "bf16"}
