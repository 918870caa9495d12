"""The tables of `benchmarks.protocols`: ours beside other libraries, protocols on the same pictures."""

import pytest
import torch

from benchmarks.protocols import BLURRED, agreement, agreement_markdown, by_protocol, protocols_markdown
from pgt.data.person import Pair
from pgt.protocols import PROTOCOLS
from tests.test_protocols import make_person


def test_ours_are_theirs_to_1e_6_where_the_border_is_the_same():
    pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
    pytest.importorskip("skimage", reason="scikit-image is not installed")
    random = torch.Generator().manual_seed(0)
    target = torch.rand(1, 3, 176, 176, generator=random, dtype=torch.float64)
    generated = (target + 0.2 * torch.randn(target.shape, generator=random, dtype=torch.float64)).clamp(0, 1)
    rows = agreement(generated, target)
    differences = {(row["metric"], row["library"]): row["difference"] for row in rows}
    for (metric, library), difference in differences.items():
        if library == "scikit-image" or library.endswith("whole windows"):
            assert difference < 1e-6, metric
    assert differences["SSIM, gaussian, range 1", "torchmetrics, with its border"] > 1e-6
    assert len(agreement_markdown(rows).splitlines()) == len(rows) + 2


def test_every_protocol_has_a_line():
    pairs = [Pair(make_person(seed), make_person(seed + 5)) for seed in range(2)]
    results = by_protocol(pairs)
    lines = protocols_markdown(results).splitlines()
    assert [line.split("`")[1] for line in lines[2:]] == list(PROTOCOLS)
    assert BLURRED in lines[0]
