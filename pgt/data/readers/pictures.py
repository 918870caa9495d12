"""One picture; and a folder of pictures without people, at any depth: Places2, or one's own."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from pgt.files import first_line

MAX_PIXELS = 64_000_000  # a picture beyond this is refused before it is decoded
PROGRAMS = ("EPS",)  # formats for which Pillow would start another program
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


class PictureFolder:
    """The pictures below a folder, in the order of their paths; each is read when asked for.

    Args:
        root: the folder.

    Raises:
        FileNotFoundError: no such folder, or no picture in it.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise FileNotFoundError(f"There is no folder {self.root}.")
        self.paths = sorted(path for path in self.root.rglob("*") if path.suffix.lower() in SUFFIXES)
        if not self.paths:
            raise FileNotFoundError(f"There is no picture ({', '.join(SUFFIXES)}) below {self.root}.")

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> np.ndarray:
        """Read picture number `index`, (H, W, 3) uint8 RGB.

        Raises:
            ValueError: the file is no picture.
        """
        return read_picture(self.paths[index])


def read_picture(path: str | Path) -> np.ndarray:
    """Read a picture, (H, W, 3) uint8 RGB.

    Raises:
        ValueError: one sentence with the file's name: it is no picture, damaged, or has more than 64
            megapixels.
    """
    with opened_picture(path, "a picture") as picture:
        return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"))


@contextmanager
def opened_picture(path: str | Path, what: str) -> Iterator[Image.Image]:
    """Open a picture that is small enough, and let the caller decode it.

    Args:
        path: the file.
        what: it should be, for the message: "a picture".

    Raises:
        ValueError: one sentence with the file's name; whatever goes wrong inside, too.
    """
    try:
        if not os.path.isfile(path):  # a pipe would never end
            raise ValueError("there is no such file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of oddities, and of sizes: our own limit is stricter
            with Image.open(path) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise ValueError(f"it has more than {MAX_PIXELS // 10**6} megapixels")
                if picture.format in PROGRAMS:
                    raise ValueError(f"{picture.format} is a program rather than a picture")
                yield picture
    except Image.UnidentifiedImageError:
        raise ValueError(f"{path} cannot be read as {what} (it is of no known format).") from None
    except Exception as error:  # damaged bytes make decoders raise nearly anything
        raise ValueError(f"{path} cannot be read as {what} ({first_line(error)}).") from None
