"""The reader of plain pictures."""

import numpy as np
import pytest
from PIL import Image

from pgt.data.readers.pictures import PictureFolder


def test_pictures_at_any_depth_come_in_the_order_of_their_paths(tmp_path):
    for place, value in (("b.png", 2), ("a/z.JPG", 1), ("c/d/e.webp", 3)):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((5, 7), 10 * value, np.uint8)).save(path)
    (tmp_path / "notes.txt").write_text("no picture")

    pictures = PictureFolder(tmp_path)

    assert [path.name for path in pictures.paths] == ["z.JPG", "b.png", "e.webp"]
    assert all(pictures[i].shape == (5, 7, 3) for i in range(3))
    assert [round(pictures[i].mean() / 10) for i in range(3)] == [1, 2, 3]


def test_what_is_missing_or_broken_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        PictureFolder(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="no picture"):
        PictureFolder(tmp_path)
    (tmp_path / "bad.png").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"bad\.png cannot be read"):
        PictureFolder(tmp_path)[0]
