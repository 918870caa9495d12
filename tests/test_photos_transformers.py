"""ViTPose and a parser of clothes: transformers on random weights, and what becomes of its results."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pgt import photos
from pgt.data.parsing import ATR18_TO_10, LIP20_TO_10
from pgt.photos import transformer_models
from pgt.photos.transformer_models import ClothesParser, ViTPose

SIZE = (120, 160)  # of a photo
IMAGE = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def transformers():
    return pytest.importorskip("transformers", reason="the extra `photos` is not installed")


@pytest.fixture(scope="module")
def vitpose(transformers):
    """A ViTPose and an RT-DETR of a few random weights, with their real image processors."""
    torch.manual_seed(0)
    backbone = transformers.VitPoseBackboneConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, out_indices=[1]
    )
    joints = transformers.VitPoseForPoseEstimation(
        transformers.VitPoseConfig(backbone_config=backbone, num_labels=17)
    )
    layers = {"encoder_layers": 1, "decoder_layers": 1, "num_queries": 10, "num_denoising": 0}
    widths = {"d_model": 32, "encoder_hidden_dim": 32, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    channels = {"encoder_in_channels": [16, 16, 16], "decoder_in_channels": [32, 32, 32]}
    resnet = transformers.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 16, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    settings = {**layers, **widths, **heads, **channels, "backbone_config": resnet}
    names = {"id2label": {0: "person", 1: "dog"}, "label2id": {"person": 0, "dog": 1}}
    people = transformers.RTDetrForObjectDetection(transformers.RTDetrConfig(**settings, **names))
    return ViTPose(
        (people.eval(), transformers.RTDetrImageProcessor()),
        (joints.eval(), transformers.VitPoseImageProcessor()),
    )


def test_random_vitpose_gives_people_in_the_photos_frame(vitpose, monkeypatch):
    monkeypatch.setattr(transformer_models, "PERSON_SCORE", 0.0)
    people = vitpose(IMAGE)
    assert 0 < len(people) <= 10
    for person in people:
        x1, y1, x2, y2 = person.box
        assert 0 <= x1 < x2 <= SIZE[1]
        assert 0 <= y1 < y2 <= SIZE[0]
        assert person.pose.image_size == SIZE
        assert 0 <= person.score <= 1


def test_nobody_found_means_nobody_to_look_at(vitpose, monkeypatch):
    monkeypatch.setattr(transformer_models, "PERSON_SCORE", 1.1)
    assert vitpose(IMAGE) == []


def test_peaks_of_vitpose_come_out_where_they_are_in_the_photo(vitpose, monkeypatch):
    """A box of 60 x 80 in the middle is seen 1.25 times larger, in maps of 64 x 48."""
    box = np.array([[50.0, 20.0, 110.0, 100.0]], np.float32)
    monkeypatch.setattr(ViTPose, "_boxes", lambda self, picture: (box, np.array([0.9])))
    ys, xs = torch.meshgrid(torch.arange(64.0), torch.arange(48.0), indexing="ij")
    peaks = torch.stack([torch.linspace(10, 37, 17), torch.linspace(12, 51, 17)], dim=1)
    maps = torch.exp(-((xs - peaks[:, :1, None]) ** 2 + (ys - peaks[:, 1:, None]) ** 2) / 8)
    maps[9] *= 0.2  # the left wrist is hardly there
    joints = (lambda pixel_values: SimpleNamespace(heatmaps=maps[None]), vitpose.joints[1])
    (person,) = ViTPose(vitpose.people, joints)(IMAGE)
    shown, middle = np.array([75.0, 100.0]), np.array([80.0, 60.0])
    wanted = middle - shown / 2 + peaks.numpy() / [47, 63] * shown
    for ours, cocos in ((0, 0), (2, 6), (6, 7), (13, 15), (17, 3)):
        np.testing.assert_allclose(person.pose.keypoints[ours], wanted[cocos], atol=0.5)
    np.testing.assert_allclose(person.pose.keypoints[1], (wanted[5] + wanted[6]) / 2, atol=0.5)  # the neck
    assert not person.pose.visible[7]
    assert person.pose.visible.sum() == 17


@pytest.mark.parametrize(("count", "table"), [(18, ATR18_TO_10), (20, LIP20_TO_10)])
def test_a_parsers_classes_become_our_labels(transformers, tmp_path, count, table):
    settings = {"depths": [1] * 4, "hidden_sizes": [8] * 4, "decoder_hidden_size": 8, "num_labels": count}
    network = transformers.SegformerForSemanticSegmentation(transformers.SegformerConfig(**settings))
    network.save_pretrained(tmp_path)
    processor = transformers.SegformerImageProcessor(size={"height": 64, "width": 64})
    processor.save_pretrained(tmp_path)
    parser = transformer_models.load_clothes_parser(str(tmp_path))
    assert parser.table == table
    labels = parser(IMAGE)
    assert labels.shape == SIZE
    assert labels.dtype == np.uint8
    assert labels.max() <= 9


def test_every_class_of_a_parser_lands_on_its_label():
    """Class i fills column i of what the network says; the label of the column is the merge's."""
    classes = torch.arange(18).repeat(4, 1)
    processor = SimpleNamespace(post_process_semantic_segmentation=lambda output, target_sizes: [classes])
    parser = ClothesParser(lambda **_: None, _Processor(processor), ATR18_TO_10)
    np.testing.assert_array_equal(parser(np.zeros((4, 18, 3), np.uint8))[0], ATR18_TO_10)


class _Processor:
    def __init__(self, part):
        self.post_process_semantic_segmentation = part.post_process_semantic_segmentation

    def __call__(self, picture, return_tensors):
        return {}


def test_a_parser_of_other_classes_is_refused(monkeypatch):
    network = SimpleNamespace(config=SimpleNamespace(num_labels=150))
    monkeypatch.setattr(transformer_models, "_load", lambda *_: (network, None))
    transformer_models.load_clothes_parser.cache_clear()
    with pytest.raises(ValueError, match="has 150 classes; ours are made of 18 or 20"):
        transformer_models.load_clothes_parser("somebody/scenes")


@pytest.mark.parametrize("load", [photos.load_vitpose, photos.load_clothes_parser])
def test_without_transformers_one_sentence_says_how_to_get_it(monkeypatch, load):
    monkeypatch.setitem(sys.modules, "transformers", None)
    load.cache_clear()
    with pytest.raises(
        photos.DetectorUnavailableError,
        match=r'pip install -e "\.\[photos\]" in the folder of this repository; give the',
    ):
        load()


@pytest.mark.parametrize("load", [photos.load_vitpose, photos.load_clothes_parser])
def test_weights_that_cannot_be_had_give_one_sentence(transformers, tmp_path, load):
    load.cache_clear()
    with pytest.raises(photos.DetectorUnavailableError, match="could not be downloaded or read; give the"):
        load(*[str(tmp_path / "nothing")] * (2 if load is photos.load_vitpose else 1))
