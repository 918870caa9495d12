"""The demo under load: the measurement itself, with few visitors and little time."""

import pytest

from benchmarks.visitors.measure import Log, _memory, _quantile, measure, run, to_markdown
from benchmarks.visitors.page import NotDoneError, RefusedError


def test_faults_and_refusals_are_told_apart():
    log = Log()

    def fail(error: Exception):
        raise error

    run(log, "good", lambda: 0.5)
    run(log, "full", lambda: fail(RefusedError("Queue is full.")))
    run(log, "bad", lambda: fail(NotDoneError("No.")))
    run(log, "wrong", lambda: fail(AssertionError("no picture")))
    assert [(one.errand, bool(one.fault), one.refused) for one in log.requests] == [
        ("good", False, False), ("full", True, True), ("bad", True, False), ("wrong", True, False),
    ]  # fmt: skip
    assert log.requests[0].seconds == 0.5


def test_memory_is_flat_if_the_last_quarter_is_like_the_second():
    flat = _memory(100.0, [(second, 200.0 + second / 10) for second in range(40)], 40.0)
    assert flat["flat"]
    assert flat["quarters"][3] == pytest.approx(203.45)
    assert not _memory(100.0, [(second, 200.0 + second) for second in range(40)], 40.0)["flat"]


def test_quantiles_are_values_that_occurred():
    assert _quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert _quantile([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert _quantile([7.0], 0.95) == 7.0
    assert _quantile([], 0.5) is None


@pytest.mark.slow
def test_two_visitors_are_all_served():
    pytest.importorskip("gradio", reason="the demo needs gradio")
    found = measure(2, 20.0, 0.0, pause=(0.1, 0.5))
    assert found["failed"] == 0, found["faults"]
    assert found["requests"] >= 6
    assert found["tracebacks"] == 0
    assert found["memory"]["start"] > 100
    text = to_markdown(found)
    assert text.startswith("| what visitors did |")
    assert "2 visitors at a time for 20 seconds" in text
