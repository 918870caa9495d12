"""The demo says on the page which of several people on a photo it took."""

import numpy as np
import pytest
from PIL import Image

from pgt import photos
from pgt.photos import DetectedPerson

pytest.importorskip("gradio")
from tests.demo_tiny import make_studio


def test_which_of_several_people_was_taken_is_said_on_the_page(tmp_path, monkeypatch):
    studio, said = make_studio(), []
    studio.tell = said.append
    somebody = studio.synthetic(3).person
    height, width = somebody.image_size
    boxes = [np.array([left, 0, left + width // 2, height], np.float32) for left in (0, width // 3)]
    people = [DetectedPerson(box, 0.9, somebody.pose) for box in boxes]
    monkeypatch.setattr(photos.detectors, "detect_people", lambda image: people)
    Image.fromarray(somebody.image).save(tmp_path / "photo.png")
    assert studio.photo(tmp_path / "photo.png").person.visible.any()
    assert len(said) == 1
    assert said[0].startswith("2 people were found in the photo; number 2 from the left was taken")
