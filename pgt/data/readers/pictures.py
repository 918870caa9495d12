"""One picture; and a folder of pictures without people, at any depth: Places2, or one's own."""

from pathlib import Path

import numpy as np
from PIL import Image

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
        ValueError: one sentence with the file's name: it is no picture, or damaged.
    """
    try:
        with Image.open(path) as picture:
            return np.array(picture.convert("RGB"))
    except Exception as error:  # damaged bytes make decoders raise nearly anything
        reason = str(error) or type(error).__name__
        raise ValueError(f"{path} cannot be read as a picture ({reason}).") from None
