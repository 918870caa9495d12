"""The same numbers give the same pictures, on every machine and for ever.

python -m tests.synthetic.test_reference    # draws the reference anew, after a deliberate change of looks
"""

from pathlib import Path

import numpy as np
from PIL import Image

from pgt.synthetic.people import SyntheticPeople, parameters_hash

REFERENCE = Path(__file__).parent / "reference.png"
PEOPLE = [
    ("plain", "train", 0, 0),
    ("street", "train", 3, 1),
    ("non_iconic", "val", 5, 0),
    ("mixed", "test", 8, 2),
]
HASHES = ["8a3559c58d3f455d", "44aadce10d19019c", "305866625a3ae860", "3bf02e132ec10a98"]


def rendered() -> np.ndarray:
    """Draw the reference's people side by side, uint8 (64, 64 * 4, 3)."""
    pictures = [SyntheticPeople(split, (64, 64), scene).person(i, k).image for scene, split, i, k in PEOPLE]
    return np.concatenate(pictures, axis=1)


def test_pixels_stay_within_2_of_255() -> None:
    reference = np.asarray(Image.open(REFERENCE)).astype(int)
    assert np.abs(rendered() - reference).max() <= 2


def test_parameters_are_the_same_to_six_decimals() -> None:
    for (scene, split, i, k), expected in zip(PEOPLE, HASHES, strict=True):
        assert parameters_hash(SyntheticPeople(split, (64, 64), scene).spec(i, k))[:16] == expected


if __name__ == "__main__":
    Image.fromarray(rendered()).save(REFERENCE, optimize=True)
    for scene, split, i, k in PEOPLE:
        print(parameters_hash(SyntheticPeople(split, (64, 64), scene).spec(i, k))[:16])
