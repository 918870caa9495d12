"""Protocols: what each looks at, and that the same pictures get other numbers by another one."""

import numpy as np
import pytest
import torch

from pgt import metrics
from pgt.data.person import Person
from pgt.data.pose import NUM_JOINTS, Pose
from pgt.protocols import PROTOCOLS, protocol_named
from pgt.truth import Truth, further_scores, score

SIZE = (64, 64)


def make_person(seed: int, size: tuple[int, int] = SIZE) -> Person:
    random = np.random.default_rng(seed)
    image = random.integers(0, 200, (*size, 3), dtype=np.uint8)
    keypoints = random.uniform(8, [size[1] - 9, size[0] - 9], (NUM_JOINTS, 2))
    mask = np.zeros(size, bool)
    mask[10:50, 20:40] = True
    return Person(image, Pose(keypoints, np.ones(NUM_JOINTS, bool), size), person_mask=mask)


@pytest.fixture
def truth() -> Truth:
    return Truth.of([make_person(seed) for seed in range(2)])


@pytest.fixture
def pictures() -> list[np.ndarray]:
    return [make_person(seed + 9).image for seed in range(2)]


def units(pictures: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).movedim(-1, 1) / 255


def test_white_columns_replace_the_outer_ones_and_nothing_else():
    images = torch.rand(1, 3, 256, 256)
    padded, cropped = PROTOCOLS["patn"].frame(images), PROTOCOLS["patn-176"].frame(images)
    assert cropped.shape == (1, 3, 256, 176)
    assert torch.equal(cropped, images[..., 40:216])
    assert padded.shape == images.shape
    assert torch.equal(padded[..., 40:216], cropped)
    assert (padded[..., :40] == 1).all()
    assert (padded[..., 216:] == 1).all()
    assert torch.equal(PROTOCOLS["patn"].frame(cropped), padded)  # pictures that come without them
    assert PROTOCOLS["pg2"].frame(images) is images


def test_a_frame_that_is_too_narrow_is_refused():
    with pytest.raises(ValueError, match="takes 88 columns of pictures 128 pixels high; these have only 64"):
        PROTOCOLS["patn"].frame(torch.rand(1, 3, 128, 64))


@pytest.mark.parametrize("name", ["patn", "patn-176"])
@pytest.mark.parametrize("width", [44, 64, 80])
def test_points_move_along_with_the_pictures(name, width):
    protocol, size = PROTOCOLS[name], (64, width)
    point = torch.tensor([[width // 2, 11]])
    picture = torch.zeros(1, 1, *size)
    picture[0, 0, 11, width // 2] = 1
    y, x = protocol.frame(picture, fill=0)[0, 0].nonzero()[0].tolist()
    assert protocol.move(point, size).tolist() == [[x, y]]


def test_joints_in_the_white_are_not_visible(truth):
    truth.keypoints[0, 0] = torch.tensor([3.0, 30.0])
    framed = truth.framed(PROTOCOLS["patn"])
    assert not framed.visible[0, 0]
    assert framed.visible[0, 1:].any()
    assert framed.mask[..., :10].max() == 0
    assert truth.framed(PROTOCOLS["pgt"]) is truth


def test_ssim_is_that_of_the_settings(truth, pictures):
    generated, scores = (
        units(pictures),
        {name: score(pictures, truth, protocol=PROTOCOLS[name]) for name in PROTOCOLS},
    )
    uniform = metrics.ssim(generated, truth.images, window="uniform")
    assert torch.allclose(scores["pg2"]["ssim"].values, uniform.values)
    own_range = metrics.ssim(generated, truth.images, data_range="generated")
    assert torch.allclose(scores["mrnet"]["ssim"].values, own_range.values)
    white = [
        torch.cat([torch.ones(2, 3, 64, 10), one[..., 10:54], torch.ones(2, 3, 64, 10)], -1)
        for one in (generated, truth.images)
    ]
    assert torch.allclose(scores["patn"]["ssim"].values, metrics.ssim(*white, data_range="generated").values)
    assert scores["patn"]["ssim"].mean > scores["patn-176"]["ssim"].mean + 0.1  # white equals white
    assert torch.equal(scores["pgt"]["ssim"].values, score(pictures, truth)["ssim"].values)


def test_mask_ssim_inside_the_box_sees_no_empty_surroundings(truth, pictures):
    whole, box = (
        score(pictures, truth, protocol=PROTOCOLS[name])["mask_ssim"] for name in ("mrnet", "mrnet-penn")
    )
    assert box.mean < whole.mean
    assert "box" in box.protocol["mask"]
    scores = further_scores(pictures, truth, PROTOCOLS["patn"])
    assert 0 < scores["ms_ssim"].mean < 1


def test_the_open_pose_mask_has_the_hole_of_the_released_codes():
    pose = make_person(0, (256, 256))
    points = pose.keypoints.copy()
    points[[2, 5, 11, 8]] = [[90, 70], [166, 70], [160, 170], [96, 170]]
    person = Person(pose.image, Pose(points, np.isin(np.arange(NUM_JOINTS), (2, 5, 11, 8)), (256, 256)))
    closed, hollow = (Truth.of([person], mask).mask[0, 0] for mask in ("pose", "open pose"))
    assert closed[120, 128] == 1
    assert hollow[120, 128] == 0
    assert (hollow <= closed).all()
    with pytest.raises(ValueError, match="'open pose'"):
        Truth.of([person], "box")


def test_every_protocol_says_where_it_is_from():
    for name, protocol in PROTOCOLS.items():
        assert protocol_named(name) is protocol
        assert protocol.as_dict()["name"] == name
        assert name == "pgt" or "20" in protocol.paper or "patn" in protocol.paper
    with pytest.raises(ValueError, match="no protocol 'pg3'; there are pgt, pg2"):
        protocol_named("pg3")


def test_mrnet_is_scored_by_pose_masks_on_market_1501_and_by_the_persons_own_elsewhere():
    assert PROTOCOLS["mrnet"].mask == "open pose"
    assert PROTOCOLS["mrnet-bbc"].mask is PROTOCOLS["mrnet-penn"].mask is None


def test_the_papers_numbers_of_pairs():
    assert PROTOCOLS["pg2"].num_pairs("market-1501") == 12_800
    assert PROTOCOLS["mrnet-penn"].num_pairs("penn-action") == 4_634
    assert PROTOCOLS["mrnet"].num_pairs("penn-action") is None
    assert PROTOCOLS["spt"].num_pairs(None) == 12_000  # of a folder that nobody has named
    assert PROTOCOLS["progressive"].num_pairs(None) is None  # the paper does not say
