"""What the tests of the demo share: untrained networks of all approaches, people, one sentence."""

import sys
from dataclasses import replace
from pathlib import Path

import torch

from pgt.config import PRESETS
from pgt.models.mrnet import MRNetGenerator
from pgt.models.part_warp import PartWarp
from pgt.models.pg2 import PG2Generator
from pgt.models.progressive import ProgressiveGenerator
from pgt.models.spt import SPTGenerator
from pgt.predictor import Predictor
from tests.models.tiny_mrnet import TINY_MRNET
from tests.models.tiny_spt import TINY_SPT

sys.path.insert(0, str(Path(__file__).parents[1] / "demo"))

SIZE = (64, 64)
DRESS, SKIRT_WEARER, LONG_SLEEVES, T_SHIRT, TROUSERS = 19, 39, 41, 0, 31  # numbers of people


def make_pg2() -> PG2Generator:
    """Return an untrained PG2 of the tests' frame."""
    small = {"base_channels": 4, "discriminator_channels": 4, "bottleneck_features": 8}
    return PG2Generator.from_config(replace(PRESETS["pg2-tiny"], image_size=SIZE, **small))


def make_spt(**changes) -> SPTGenerator:
    """Return an untrained SPT of the tests' frame, always with the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SPTGenerator.from_config(replace(TINY_SPT, image_size=SIZE, **changes)).eval()


def make_mrnet(size: tuple[int, int] = SIZE, rounds: int = 2) -> MRNetGenerator:
    """Return an untrained MR-Net that is trained to refine `rounds` times, always with the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MRNetGenerator.from_config(replace(TINY_MRNET, image_size=size, num_rounds=rounds)).eval()


def make_progressive(size: tuple[int, int] = SIZE) -> ProgressiveGenerator:
    """Return an untrained Progressive of three levels, always with the same weights."""
    preset = PRESETS["progressive-tiny"]
    sizes = [(size[0] // step, size[1] // step) for step in (4, 2, 1)]
    stages = [replace(stage, image_size=s) for stage, s in zip(preset.stages[:3], sizes, strict=True)]
    config = replace(
        preset, image_size=size, widths=(8, 8, 6, 6, 4), descriptors=(18, 18, 18), stages=tuple(stages)
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ProgressiveGenerator.from_config(config).eval()


def make_studio():
    """Return a studio over an untrained PG2 and an untrained SPT."""
    from studio import Studio

    spt = Predictor(make_spt(), name="tiny-spt")
    return Studio(Predictor(make_pg2(), name="tiny"), Predictor(PartWarp()), others=[spt])


def make_full_studio(size: tuple[int, int] = SIZE):
    """Return a studio over untrained networks of all four approaches."""
    from studio import Studio

    small = make_studio() if size == SIZE else make_large_studio()
    mrnet = Predictor(make_mrnet(size), name="untrained-mrnet")
    progressive = Predictor(make_progressive(size), name="untrained-progressive")
    return Studio(small.predictor, small.baseline, others=[small.spt, mrnet, progressive])


def make_large_studio():
    """Return a studio over small untrained networks of the real frame: in the browser the page is tested."""
    from studio import Studio

    config = replace(PRESETS["pg2-synthetic-128"], base_channels=4, bottleneck_features=8)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pg2 = Predictor(PG2Generator.from_config(config), name="untrained")
        spt = SPTGenerator.from_config(replace(TINY_SPT, image_size=(128, 128)))
    return Studio(pg2, Predictor(PartWarp()), others=[Predictor(spt, name="untrained-spt")])


def one_sentence_of(caught) -> str:
    """Return what a visitor is told; it must be one sentence and no traceback."""
    message = str(caught.value.message)
    assert message.endswith(".")
    assert "\n" not in message
    assert not caught.value.print_exception  # the server's log is spared as well
    return message
