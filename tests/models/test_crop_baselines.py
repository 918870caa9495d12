"""Union-crop and crop-inpaint: what is cut, what is put back where, and what stays."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pgt.data.person import Person, signed_to_uint8
from pgt.data.pose import Pose, PoseEncoding
from pgt.models.crop_baselines import KINDS, CropBaseline, cut, paste, to_frame
from pgt.models.spt import SPTGenerator
from pgt.predictor import Predictor
from tests.models.tiny_spt import TINY_SPT

SIZE, FRAME = (48, 64), (16, 16)


class Watching(nn.Module):
    """A generator that gives back its source and keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.config, self.pose_encoding = SimpleNamespace(image_size=FRAME), PoseEncoding(radius=1.0)

    def forward(
        self, source: Tensor, source_keypoints: Tensor, target_keypoints: Tensor, target_pose: Tensor
    ):
        self.source, self.source_keypoints, self.target_keypoints = source, source_keypoints, target_keypoints
        self.target_pose = target_pose
        return SimpleNamespace(generated=source)


@pytest.fixture
def people() -> dict[str, Tensor]:
    """Two people of 8x16 pixels, who are to go to the right."""
    random = torch.Generator().manual_seed(0)
    at = torch.rand(2, 18, 2, generator=random) * torch.tensor([7.0, 15.0])
    at[:, 0], at[:, 1] = 0.0, torch.tensor([7.0, 15.0])
    mask = torch.zeros(2, 1, *SIZE)
    mask[:, :, 20:36, 6:14] = 1
    return {
        "source": torch.rand(2, 3, *SIZE, generator=random) * 2 - 1,
        "source_keypoints": at + torch.tensor([6.0, 20.0]),
        "source_visible": torch.ones(2, 18, dtype=torch.bool),
        "target_keypoints": at + torch.tensor([40.0, 10.0]),
        "target_visible": torch.ones(2, 18, dtype=torch.bool),
        "source_person_mask": mask,
    }


def test_union_crop_leaves_everything_outside_the_union_as_it_is(people):
    drawn = CropBaseline(Watching(), "union-crop")(**people)
    assert torch.equal(drawn.source_boxes, drawn.target_boxes)
    for picture, source, (x1, y1, x2, y2) in zip(
        drawn.generated, people["source"], drawn.target_boxes.tolist(), strict=True
    ):
        assert x1 <= 6
        assert x2 >= 48
        assert y1 <= 10
        assert y2 >= 36
        outside = torch.ones(SIZE, dtype=torch.bool)
        outside[y1:y2, x1:x2] = False
        assert outside.any()
        assert torch.equal(picture[:, outside], source[:, outside])
        assert not torch.equal(picture, source)


def test_crop_inpaint_moves_the_cut_and_fills_where_it_was(people):
    model = Watching()
    people["source"][:] = -1
    people["source"][:, :, 20:36, 6:14] = 1
    drawn = CropBaseline(model, "crop-inpaint")(**people)
    assert (drawn.source_boxes[:, [0, 2]] < drawn.target_boxes[:, [0, 2]]).all()
    torch.testing.assert_close(drawn.generated[:, :, 20:36, 6:14], torch.full((2, 3, 16, 8), -1.0))
    for picture, patch, (x1, y1, x2, y2) in zip(
        drawn.generated, drawn.patch, drawn.target_boxes.tolist(), strict=True
    ):
        whole = torch.tensor([[0, 0, 16, 16]])
        assert torch.equal(picture[:, y1:y2, x1:x2], cut(patch[None], whole, (y2 - y1, x2 - x1))[0])
    assert drawn.generated[:, :, 10:26, 40:48].amax() > 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_joints_are_cut_along(people, kind):
    """A dot in the picture is where the joint is, before and after."""
    model = Watching()
    people["source"] = torch.full((2, 3, *SIZE), -1.0)
    x, y = people["source_keypoints"][:, 5].round().long().unbind(dim=1)
    people["source"][torch.arange(2), :, y, x] = 1
    drawn = CropBaseline(model, kind)(**people)
    assert drawn.patch.shape == (2, 3, *FRAME)
    for person in range(2):
        brightest = model.source[person].sum(dim=0).flatten().argmax().item()
        found = torch.tensor([brightest % 16, brightest // 16])
        assert (found - model.source_keypoints[person, 5]).abs().max() <= 1
    inside = (model.target_keypoints >= -0.5) & (model.target_keypoints <= 15.5)
    assert inside.all()
    assert model.target_pose.amax() == 1


def test_to_frame_equals_the_definition():
    points, box = torch.tensor([[[10.0, 20.0], [13.0, 23.0]]]), torch.tensor([[10, 20, 14, 28]])
    found = to_frame(points, box, (16, 16))
    torch.testing.assert_close(found, torch.tensor([[[1.5, 0.5], [13.5, 6.5]]]))


def test_cutting_everything_and_putting_it_back_changes_nothing():
    image, whole = torch.rand(2, 3, *SIZE), torch.tensor([[0, 0, 64, 48]] * 2)
    assert torch.equal(cut(image, whole, SIZE), image)
    assert torch.equal(paste(image, torch.zeros_like(image), whole), image)


@pytest.mark.parametrize("kind", KINDS)
def test_pg2_and_spt_draw_in_it(people, kind, tiny_generator):
    labels = torch.where(people["source_person_mask"][:, 0] > 0, 3, 0)
    for model in (tiny_generator, SPTGenerator.from_config(TINY_SPT).eval()):
        drawn = CropBaseline(model, kind)(**people, source_label_map=labels)
        assert drawn.generated.shape == (2, 3, *SIZE)
        assert drawn.patch.shape == (2, 3, *model.config.image_size)


@pytest.mark.parametrize("kind", KINDS)
def test_the_predictor_feeds_it(people, kind, tiny_generator):
    person = Person(
        signed_to_uint8(people["source"][0]).numpy(),
        Pose(people["source_keypoints"][0].numpy(), np.ones(18, bool), SIZE),
        person_mask=people["source_person_mask"][0, 0].numpy() > 0,
    )
    target = Pose(people["target_keypoints"][0].numpy(), np.ones(18, bool), SIZE)
    baseline = CropBaseline(tiny_generator, kind)
    drawn = Predictor(baseline).generate(person, target).image
    with torch.inference_mode():
        expected = signed_to_uint8(baseline(**{k: one[:1] for k, one in people.items()}).generated[0]).numpy()
    assert np.abs(drawn.astype(int) - expected).max() <= 1  # the source was rounded to bytes


@pytest.mark.parametrize("kind", KINDS)
def test_without_mask_and_without_joints_there_is_a_picture(people, kind):
    people |= {"source_person_mask": None, "source_visible": torch.zeros(2, 18, dtype=torch.bool)}
    assert CropBaseline(Watching(), kind)(**people).generated.isfinite().all()


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="got 'crop'"):
        CropBaseline(Watching(), "crop")
