"""A tiny SPT with any weights, and people of another size than its frame."""

from dataclasses import replace

import pytest
import torch

from pgt.models.spt import SPTGenerator
from pgt.synthetic.people import SyntheticPeople
from tests.models.tiny_spt import TINY_SPT

FRAME = (32, 24)


@pytest.fixture
def make_generator():
    """Return a maker of untrained generators with always the same weights; it takes changes of the config."""

    def make(**changes) -> SPTGenerator:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return SPTGenerator.from_config(replace(TINY_SPT, image_size=FRAME, **changes)).eval()

    return make


@pytest.fixture
def generator(make_generator):
    return make_generator()


@pytest.fixture(scope="session")
def synthetic():
    """Return people who stand in a studio, 96 pixels high."""
    return SyntheticPeople("test", (96, 64), "plain", num_identities=16)


@pytest.fixture(scope="session")
def people(synthetic):
    """Return two people in pictures of 96x64: other proportions than the frame's."""
    return synthetic.render([(2, 0), (4, 0)])
