"""A training step at 1024x1024 fits a GPU of 12 GiB: counted on tensors that have sizes but no memory."""

import weakref

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pgt.config import PRESETS
from pgt.data.descriptors import descriptor_centers
from pgt.layers.features import VGG16_TAPS, VGGPyramid
from pgt.layers.local_descriptors import crop_regions, region_size
from pgt.layers.local_discriminators import LocalDiscriminator
from pgt.layers.perceptual import PerceptualLayers
from pgt.models.progressive import Autoencoder
from pgt.training.local_errors import perceptual_errors

SIZE, GIBIBYTE = (1024, 1024), 2**30


class LiveBytes(TorchDispatchMode):
    """Follow how many bytes tensors on the device "meta" would hold, and the most that they ever held."""

    def __init__(self) -> None:
        super().__init__()
        self.live: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and tensor.device.type == "meta":
                storage = tensor.untyped_storage()
                if storage._cdata not in self.live:
                    self.live[storage._cdata] = storage.nbytes()
                    weakref.finalize(storage, self.live.pop, storage._cdata)
                    self.peak = max(self.peak, sum(self.live.values()))
        return result


def test_the_counter_counts_what_is_alive():
    with LiveBytes() as count:
        kept = torch.empty(100, device="meta") + 1  # two of 400 bytes for a moment
        more = torch.empty(300, device="meta")
        view = more[:10]
        assert sum(count.live.values()) == 1600
        del kept, more
        assert sum(count.live.values()) == 1200  # the view keeps all of it
        del view
    assert not count.live
    assert count.peak == 1600


@pytest.mark.slow
def test_a_step_at_1024_with_44_regions_stays_under_12_gibibytes():
    """The paper's widths, batch 1, float32; VGG-16 on picture and regions, D on regions, Adam's state."""
    vgg16 = pytest.importorskip("torchvision").models.vgg16
    config = PRESETS["progressive-human36m"]
    keypoints = torch.rand(1, 18, 2, generator=torch.Generator().manual_seed(0)) * 1023
    centers, valid = descriptor_centers(keypoints, torch.ones(1, 18).bool(), config.descriptors[-1], SIZE)
    assert valid.all()
    with torch.device("meta"), LiveBytes() as count:
        features = PerceptualLayers.of_vgg(VGGPyramid(vgg16(weights=None).features, VGG16_TAPS))
        net, judge = Autoencoder(config), LocalDiscriminator(region_size(SIZE), 1)
        optimizer = torch.optim.Adam([*net.parameters(), *judge.parameters()], foreach=False)
        for _ in range(2):  # the second step has the state of the first
            source, target = torch.empty(2, 1, 3, *SIZE)
            generated, _ = net(source, [torch.empty(1, 18, 32, 32)])
            pairs = [(generated, target)]
            pairs.append(tuple(crop_regions(one, centers, valid) for one in pairs[0]))
            errors = [perceptual_errors(features, *pair, "l2") for pair in pairs]
            assert [len(one) for one in errors] == [1, 44]
            (torch.cat(errors).sum() + judge(*pairs[1]).sum()).backward()
            optimizer.step()
            optimizer.zero_grad()
            del generated, pairs, errors
    assert 3 * GIBIBYTE < count.peak < 12 * GIBIBYTE
