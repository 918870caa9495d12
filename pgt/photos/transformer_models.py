"""Joints by ViTPose and labels by a parser of clothes, through Hugging Face's transformers (extra `photos`).

ViTPose (Xu et al., NeurIPS 2022) looks at one box at a time; a detector of objects, RT-DETR (Zhao et al.,
CVPR 2024), finds the boxes. The parser is a SegFormer (Xie et al., NeurIPS 2021). Its weights descend from
NVIDIA's, whose own licence forbids commercial use, whatever their card says: read both before using them.
The constants name what is downloaded when first used; any model of the same kind may be named instead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from pgt.data.extras import install
from pgt.data.parsing import ATR18_TO_10, LIP20_TO_10, merge
from pgt.data.pose import Pose, coco17_to_openpose18
from pgt.photos.detectors import ADVICE, PERSON_SCORE, DetectedPerson, DetectorUnavailableError

PERSON_DETECTOR = "PekingU/rtdetr_r50vd_coco_o365"
VITPOSE = "usyd-community/vitpose-base-simple"
CLOTHES_PARSER = "mattmdjaga/segformer_b2_clothes"
JOINT_PROBABILITY = 0.3  # height of a peak in ViTPose's maps above which a joint counts as seen
MERGES = {18: ATR18_TO_10, 20: LIP20_TO_10}  # by the number of classes that a parser knows

Parser = Callable[[np.ndarray], np.ndarray]  # from a picture uint8 (H, W, 3) to the ten labels uint8 (H, W)


@dataclass(frozen=True, eq=False)
class ViTPose:
    """Finds people and their joints; a `Detector`.

    Attributes:
        people: a `...ForObjectDetection` of transformers with a class "person", and its image processor.
        joints: a `VitPoseForPoseEstimation` of COCO's 17 points, and its image processor.
    """

    people: tuple[nn.Module, Any]
    joints: tuple[nn.Module, Any]

    def __call__(self, image: np.ndarray) -> list[DetectedPerson]:
        """Find everyone in a picture uint8 (H, W, 3) of whom the detector is sure by 0.7."""
        picture = Image.fromarray(image)
        boxes, scores = self._boxes(picture)
        if not len(boxes):
            return []
        poses = self._poses(picture, boxes)
        return [DetectedPerson(*found) for found in zip(boxes, scores.tolist(), poses, strict=True)]

    @torch.inference_mode()
    def _boxes(self, picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes (N, 4) as x1, y1, x2, y2, inside the picture, and scores (N,)."""
        network, processor = self.people
        output = network(**processor(images=picture, return_tensors="pt"))
        size = (picture.height, picture.width)
        post_process = processor.post_process_object_detection
        found = post_process(output, threshold=PERSON_SCORE, target_sizes=[size])[0]
        person = [label for label, name in network.config.id2label.items() if name == "person"]
        boxes = found["boxes"].float().numpy().clip(0, [*size[::-1], *size[::-1]])
        kept = np.isin(found["labels"].numpy(), person) & (boxes[:, 2:] - boxes[:, :2] >= 1).all(axis=1)
        return boxes[kept], found["scores"].float().numpy()[kept]

    @torch.inference_mode()
    def _poses(self, picture: Image.Image, boxes: np.ndarray) -> list[Pose]:
        network, processor = self.joints
        wanted = [np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)]  # x, y, width, height
        output = network(**processor(picture, boxes=wanted, return_tensors="pt"))
        people = processor.post_process_pose_estimation(output, boxes=wanted)[0]
        poses = []
        for person in people:
            seen = person["scores"].numpy() > JOINT_PROBABILITY
            keypoints, visible = coco17_to_openpose18(person["keypoints"].numpy(), seen)
            poses.append(Pose(keypoints, visible, (picture.height, picture.width)))
        return poses


@dataclass(frozen=True, eq=False)
class ClothesParser:
    """Labels the pixels of one person; a `Parser`.

    Attributes:
        network: a `...ForSemanticSegmentation` of transformers.
        processor: its image processor.
        table: of `pgt.data.parsing`: what the network's classes become.
    """

    network: nn.Module
    processor: Any
    table: tuple[int, ...] = ATR18_TO_10

    @torch.inference_mode()
    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Label a picture uint8 (H, W, 3): uint8 (H, W) of the ten labels."""
        output = self.network(**self.processor(Image.fromarray(image), return_tensors="pt"))
        size = image.shape[:2]
        classes = self.processor.post_process_semantic_segmentation(output, target_sizes=[size])[0]
        return merge(classes.numpy(), self.table)


@lru_cache(maxsize=1)
def load_vitpose(name: str = VITPOSE, person_detector: str = PERSON_DETECTOR) -> ViTPose:
    """Load ViTPose and the detector of its boxes, by folder or Hub name.

    Raises:
        DetectorUnavailableError: one sentence: transformers, or one of the models, cannot be had.
    """
    people = _load("AutoModelForObjectDetection", person_detector, "ViTPose", ADVICE)
    return ViTPose(people, _load("VitPoseForPoseEstimation", name, "ViTPose", ADVICE))


@lru_cache(maxsize=1)
def load_clothes_parser(name: str = CLOTHES_PARSER) -> ClothesParser:
    """Load a parser of clothes with 18 classes (ATR's) or 20 (LIP's), by folder or Hub name.

    Raises:
        ValueError: it has another number of classes.
        DetectorUnavailableError: one sentence: transformers, or the model, cannot be had.
    """
    advice = "give the labels as a PNG or NPY file instead"
    network, processor = _load("AutoModelForSemanticSegmentation", name, "The parser of clothes", advice)
    count = network.config.num_labels
    if count not in MERGES:
        known = " or ".join(map(str, MERGES))
        raise ValueError(f"The parser {name} has {count} classes; ours are made of {known}.")
    return ClothesParser(network, processor, MERGES[count])


def _load(kind: str, name: str, what: str, advice: str) -> tuple[nn.Module, Any]:
    try:
        import transformers
    except (ImportError, RuntimeError):
        raise DetectorUnavailableError(
            f"{what} needs transformers, installed by {install('photos')}; {advice}."
        ) from None
    try:
        network = getattr(transformers, kind).from_pretrained(name)
        return network.eval(), transformers.AutoImageProcessor.from_pretrained(name)
    except (OSError, ValueError, RuntimeError, ImportError):  # absent, damaged, or a part of transformers is
        raise DetectorUnavailableError(f"{name} could not be downloaded or read; {advice}.") from None
