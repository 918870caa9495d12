"""Places2, as Places365 (Zhou et al., Places: A 10 Million Image Database for Scene Recognition, TPAMI 2017).

root/
  val_256/Places365_val_00000001.jpg     36,500 pictures for validation, at any depth; or val_large

SPT (Song et al., TPAMI 2021) learns backgrounds from them. They are pictures without joints: see `pictures`.
"""

import re
from pathlib import Path

from pgt.data.readers.people import Source
from pgt.data.readers.pictures import PictureFolder

SOURCE = Source(
    "Places2",
    "the Computer Science and Artificial Intelligence Laboratory of MIT (http://places2.csail.mit.edu/)",
)
_NAME = re.compile(r"Places365_val_\d{8}\.jpg")


def places2(root: str | Path) -> PictureFolder:
    """Find the pictures of the validation set.

    Raises:
        FileNotFoundError: one sentence: what the folder lacks, and who publishes it.
    """
    root = SOURCE.check_folder(root)
    if not any(_NAME.fullmatch(path.name) for path in root.rglob("*.jpg")):
        raise SOURCE.missing(root, "there is no Places365_val_NNNNNNNN.jpg in it")
    return PictureFolder(root)
