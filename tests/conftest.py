"""Shared fixtures: real pictures where the machine has them, and a tiny PG2 checkpoint."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]


def pytest_configure() -> None:
    """Share the cores among the processes of `pytest -n`: each taking all of them is slower."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    if workers > 1:
        threads = max(1, (os.cpu_count() or 1) // workers)
        torch.set_num_threads(threads)
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # of the programs that tests start


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give slow tests more time than the five minutes after which any other test counts as hanging."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real photographs and annotations, or skip the test."""
    folder = Path(os.environ.get("PGT_REAL_DATA", ROOT.parent / "shared" / "real"))
    if not folder.is_dir():
        pytest.skip(f"no real pictures at {folder}; set PGT_REAL_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def tiny_config():
    """Return the smallest PG2 that has every part; twice as high as wide, for H and W are easily swapped."""
    from pgt.config import PRESETS

    tiny, size = PRESETS["pg2-tiny"], (64, 32)
    stages = tuple(replace(stage, image_size=size) for stage in tiny.stages)
    small = {"base_channels": 4, "discriminator_channels": 4, "bottleneck_features": 8}
    return replace(tiny, image_size=size, stages=stages, **small)


@pytest.fixture
def tiny_generator(tiny_config):
    """Return an untrained PG2 generator, always with the same weights."""
    from pgt.models.pg2 import PG2Generator

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PG2Generator.from_config(tiny_config).eval()


@pytest.fixture
def tiny_checkpoint(tiny_generator, tmp_path) -> Path:
    """Return a folder in which the tiny generator is saved."""
    from pgt.checkpoint import save

    return save(tiny_generator, tmp_path / "tiny-pg2")


# The demo in a browser; each file of tests has its own `studio` -------------------------------------------


@pytest.fixture(scope="module")
def address(studio) -> Iterator[str]:
    """Serve a demo over the studio of the tests' file; give its address."""
    from tests.demo_visit import served

    with served(studio) as local:
        yield local


@pytest.fixture(scope="module")
def browser():
    """Start a Chromium."""
    from tests.demo_visit import running_chromium

    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def visit(browser, address):
    """Open the page in a wide window of its own."""
    from tests.demo_visit import WIDE, visiting

    with visiting(browser, address, WIDE) as opened:
        yield opened


@pytest.fixture
def phone(browser, address):
    """Open the page on a phone."""
    from tests.demo_visit import PHONE, visiting

    with visiting(browser, address, PHONE) as opened:
        yield opened
