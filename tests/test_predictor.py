"""The one class that the demo, the notebooks and the CLI call."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pgt.checkpoint import save
from pgt.config import HumanParserConfig
from pgt.data.person import Pair as PairOfPeople
from pgt.data.person import Person, encode_pair, uint8_to_signed
from pgt.data.pose import NUM_JOINTS, Pose, PoseEncoding
from pgt.models.human_parser import HumanParser
from pgt.models.mrnet import MRNetGenerator
from pgt.models.part_warp import PartWarp
from pgt.models.progressive import ProgressiveGenerator
from pgt.models.spt import SPTGenerator
from pgt.predictor import Predictor, fit_person, fit_pose
from tests.models.tiny_mrnet import TINY_MRNET
from tests.models.tiny_spt import TINY_SPT
from tests.training.tiny_progressive import TINY as TINY_PROGRESSIVE

SIZE = (64, 32)


def make_pose(seed: int, size: tuple[int, int] = SIZE) -> Pose:
    generator = np.random.default_rng(seed)
    keypoints = generator.uniform(2, [size[1] - 3, size[0] - 3], (NUM_JOINTS, 2))
    return Pose(keypoints, np.ones(NUM_JOINTS, bool), size)


def make_person(seed: int, size: tuple[int, int] = SIZE) -> Person:
    image = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return Person(image, make_pose(seed, size), name=f"person {seed}")


class Echo(nn.Module):
    """Gives the source back; remembers what it was given."""

    image_size = SIZE
    pose_encoding = PoseEncoding("gaussian", sigma=2.0)

    def forward(
        self, source: Tensor, target_pose: Tensor, *, target_keypoints: Tensor | None = None
    ) -> Tensor:
        self.seen = source, target_pose, target_keypoints
        self.grad_enabled, self.inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        return source


@pytest.fixture
def predictor(tiny_generator) -> Predictor:
    return Predictor(tiny_generator)


def test_pg2_gives_every_intermediate_picture(predictor) -> None:
    prediction = predictor.generate(make_person(0), make_pose(1))
    for picture in (prediction.image, prediction.coarse, prediction.refined, prediction.difference_map):
        assert picture.shape == (*SIZE, 3)
        assert picture.dtype == np.uint8
    assert (prediction.image == prediction.refined).all()
    assert prediction.target_pose.shape == (NUM_JOINTS, *SIZE)
    assert prediction.pose_mask.shape == SIZE
    assert set(np.unique(prediction.pose_mask)) <= {0, 1}
    assert prediction.milliseconds > 0


def test_the_road_is_encode_pair(predictor) -> None:
    source, target = make_person(0), make_pose(1)
    blank = Person(np.zeros((*SIZE, 3), np.uint8), target)
    batch = encode_pair(PairOfPeople(source, blank), SIZE, predictor.pose_encoding)
    with torch.inference_mode():
        output = predictor.model(batch.source, batch.target_pose, source_pose=batch.source_pose)
    expected = ((output.refined[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).byte().numpy()
    assert np.abs(predictor.generate(source, target).image.astype(int) - expected).max() <= 1


def test_a_batch_equals_its_pairs_one_by_one(predictor) -> None:
    pairs = [(make_person(seed), make_pose(seed + 10)) for seed in range(3)]
    for (source, target), together in zip(pairs, predictor.generate_batch(pairs), strict=True):
        alone = predictor.generate(source, target)
        assert np.abs(together.image.astype(int) - alone.image).max() <= 1
        assert np.array_equal(together.target_pose, alone.target_pose)


def test_arguments_are_fed_by_name_in_evaluation_mode_without_gradients() -> None:
    model = Echo().train()
    source, target = make_person(0), make_pose(1)
    prediction = Predictor(model).generate(source, target)
    assert not model.training
    assert model.inference
    assert not model.grad_enabled
    given, heatmaps, keypoints = model.seen
    assert given.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(given[0], uint8_to_signed(source.image))
    assert torch.equal(keypoints[0], torch.from_numpy(target.keypoints))
    assert np.array_equal(heatmaps[0].numpy(), prediction.target_pose)
    assert (prediction.image == source.image).all()
    assert prediction.coarse is None
    assert prediction.difference_map is None


def test_the_targets_picture_is_never_looked_at() -> None:
    predictor = Predictor(PartWarp())
    source, target = make_person(0), make_person(1)
    black = Person(np.zeros_like(target.image), target.pose)
    assert (predictor.generate(source, target).image == predictor.generate(source, black).image).all()
    assert (predictor.generate(source, target).image == predictor.generate(source, target.pose).image).all()


def test_a_picture_of_the_same_proportions_is_scaled_with_its_joints() -> None:
    large = make_person(0, (128, 64))
    prediction = Predictor(Echo()).generate(large, make_pose(1, (128, 64)))
    assert (prediction.source.image == large.resized(SIZE).image).all()
    assert np.allclose(prediction.source.keypoints, large.pose.resized(SIZE).keypoints)
    assert prediction.target.image_size == SIZE


def test_other_proportions_are_padded_not_distorted() -> None:
    wide = make_person(0, (64, 64))
    fitted = fit_person(wide, SIZE)
    assert fitted.image.shape == (*SIZE, 3)
    scale = (fitted.keypoints[1] - fitted.keypoints[0]) / (wide.keypoints[1] - wide.keypoints[0])
    assert np.allclose(scale, 0.5, atol=1e-4)
    assert np.allclose(fit_pose(wide.pose, SIZE).keypoints, fitted.keypoints)
    assert (fitted.image[:15] == fitted.image[:1]).all()  # the first row of pixels, repeated
    tall = make_person(1, (200, 40))
    mask = np.ones((200, 40), bool)
    fitted = fit_person(Person(tall.image, tall.pose, mask.astype(np.uint8), mask, tall.image), SIZE)
    assert not fitted.person_mask[:, :5].any()
    assert fitted.label_map[30, 16] == 1
    assert fitted.background.shape == (*SIZE, 3)


def test_a_model_without_a_frame_works_in_the_sources() -> None:
    predictor = Predictor(PartWarp())
    assert predictor.generate(make_person(0, (40, 56)), make_pose(1, (40, 56))).image.shape == (40, 56, 3)
    with pytest.raises(ValueError, match="they differ"):
        predictor.generate_batch([(make_person(0), make_pose(1)), (make_person(0, (40, 56)), make_pose(1))])


def test_the_true_background_reaches_the_model_that_asks_for_it() -> None:
    source = make_person(0)
    sky = np.full_like(source.image, 7)
    known = Person(source.image, source.pose, background=sky)
    away = Pose(make_pose(1).keypoints + 500, np.ones(NUM_JOINTS, bool), SIZE)
    drawn = Predictor(PartWarp(true_background=True)).generate(known, away)
    assert (drawn.image == 7).all()
    assert not (Predictor(PartWarp()).generate(known, away).image == 7).all()


def test_load_knows_the_baseline_and_saved_models(tiny_checkpoint) -> None:
    assert isinstance(Predictor.load("part-warp").model, PartWarp)
    loaded = Predictor.load(tiny_checkpoint)
    assert loaded.image_size == SIZE
    assert loaded.num_parameters > 0
    assert loaded.generate(make_person(0), make_pose(1)).image.shape == (*SIZE, 3)


NOBODY = Pose(np.zeros((NUM_JOINTS, 2)), np.zeros(NUM_JOINTS, bool), SIZE)


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("photo.jpg", make_pose(1), "source must be a Person"),
        (make_person(0), np.zeros((18, 2)), "target must be a Pose or a Person"),
        (make_person(0), NOBODY, "target pose has no visible joint"),
        (Person(np.zeros((*SIZE, 3), np.uint8), NOBODY), make_pose(1), "source person has no visible joint"),
    ],
)
def test_refuses_in_one_sentence(source, target, sentence) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        Predictor(Echo()).generate(source, target)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="empty"):
        Predictor(Echo()).generate_batch([])


def test_a_market_photo_through_a_square_model(real_data) -> None:
    from PIL import Image

    folder = real_data / "market_photos"
    name, ys, xs = (folder / "keypoints.csv").read_text().splitlines()[1].split(":")
    keypoints = np.stack([json.loads(xs), json.loads(ys)], 1)
    image = np.asarray(Image.open(folder / name).convert("RGB"))
    person = Person(image, Pose(keypoints, (keypoints >= 0).all(1), image.shape[:2]))
    model = Echo()
    model.image_size = (128, 128)
    prediction = Predictor(model).generate(person, person)
    assert (prediction.image[:, 32:96] == image).all()
    assert np.allclose(prediction.target.keypoints[person.visible], keypoints[person.visible] + [32, 0])


@pytest.fixture
def spt() -> SPTGenerator:
    torch.manual_seed(0)
    return SPTGenerator.from_config(replace(TINY_SPT, image_size=SIZE))


def parsed(seed: int) -> Person:
    labels = np.random.default_rng(seed).integers(0, 10, SIZE, dtype=np.uint8)
    return replace(make_person(seed), label_map=labels)


def test_spt_gives_its_map_and_both_layers(spt) -> None:
    prediction = Predictor(spt).generate(parsed(0), make_pose(1))
    for picture in (prediction.image, prediction.foreground, prediction.background):
        assert picture.shape == (*SIZE, 3)
        assert picture.dtype == np.uint8
    assert prediction.label_map.shape == SIZE
    assert prediction.label_map.max() <= 9
    assert prediction.coarse is prediction.refined is prediction.difference_map is None
    person = prediction.label_map > 0
    assert (prediction.image[person] == prediction.foreground[person]).all()
    assert (prediction.image[~person] == prediction.background[~person]).all()


def test_a_source_without_labels_is_parsed_first_and_one_with_labels_is_not(spt, tmp_path, monkeypatch):
    torch.manual_seed(0)
    parser = HumanParser.from_config(HumanParserConfig(widths=(4, 6, 8)))
    monkeypatch.setattr("pgt.predictor.PARSER", str(save(parser, tmp_path / "parser")))
    bare, labelled = make_person(0), parsed(2)
    predictor = Predictor(spt)

    first, second = predictor.generate_batch([(bare, make_pose(1)), (labelled, make_pose(1))])

    expected = parser.find_labels(uint8_to_signed(bare.image)[None])[0].numpy()
    assert (first.source.label_map == expected).all()
    assert (second.source.label_map == labelled.label_map).all()
    again = predictor.generate(replace(bare, label_map=expected.astype(np.uint8)), make_pose(1))
    assert (again.image == first.image).all()


def test_a_model_that_reads_no_labels_does_not_wait_for_a_parser(predictor, monkeypatch):
    monkeypatch.setattr("pgt.predictor.PARSER", "no such weights")
    assert predictor.generate(make_person(0), make_pose(1)).source.label_map is None


def test_a_given_label_map_is_followed(spt) -> None:
    predictor, wanted = Predictor(spt), parsed(7).label_map
    prediction = predictor.generate(parsed(0), make_pose(1), label_map=wanted)
    assert (prediction.label_map == wanted).all()
    assert not (prediction.image == predictor.generate(parsed(0), make_pose(1)).image).all()


@pytest.mark.parametrize(
    "labels", [np.zeros((8, 8), np.uint8), np.full(SIZE, 10, np.uint8), np.full(SIZE, 0.5)]
)
def test_a_bad_label_map_gets_one_sentence(spt, labels) -> None:
    with pytest.raises(ValueError, match=r"labels 0 to 9 in the model's frame \(64, 32\)"):
        Predictor(spt).generate(parsed(0), make_pose(1), label_map=labels)


def test_a_model_without_maps_cannot_follow_one(predictor) -> None:
    with pytest.raises(ValueError, match="cannot follow one"):
        predictor.generate(make_person(0), make_pose(1), label_map=np.zeros(SIZE, np.uint8))


def test_mrnet_gives_as_many_rounds_as_it_is_told_to() -> None:
    predictor = Predictor(MRNetGenerator.from_config(TINY_MRNET))
    prediction = predictor.generate(make_person(0), make_pose(1))
    assert predictor.has_rounds
    assert len(prediction.refinements) == TINY_MRNET.num_rounds
    assert (prediction.refinements[-1] == prediction.image).all()
    longer = predictor.generate(make_person(0), make_pose(1), num_rounds=5)
    assert len(longer.refinements) == 5
    for early, same in zip(prediction.refinements, longer.refinements, strict=False):
        assert (early == same).all()
    assert prediction.background.shape == prediction.foreground.shape == (*SIZE, 3)


def test_a_model_without_rounds_has_no_number_of_them(predictor) -> None:
    with pytest.raises(ValueError, match="has no number of rounds to choose"):
        predictor.generate(make_person(0), make_pose(1), num_rounds=2)
    assert predictor.generate(make_person(0), make_pose(1)).refinements is None


def test_no_rounds_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="num_rounds must be at least 1"):
        Predictor(MRNetGenerator.from_config(TINY_MRNET)).generate(make_person(0), make_pose(1), num_rounds=0)


def test_progressive_shows_its_levels_coarse_to_fine() -> None:
    config = replace(TINY_PROGRESSIVE, readouts=True)
    prediction = Predictor(ProgressiveGenerator.from_config(config)).generate(make_person(0), make_pose(1))
    assert [picture.shape[:2] for picture in prediction.levels] == [(16, 8), (32, 16), (64, 32)]
    assert (prediction.levels[-1] == prediction.image).all()
