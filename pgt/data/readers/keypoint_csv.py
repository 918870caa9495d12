"""The keypoint CSV and pairs CSV of the pose-transfer repositories.

Keypoints: header `name:keypoints_y:keypoints_x`, rows `NAME: [18 ints]: [18 ints]`: y first, pixels of the
image, -1 in both lists for a missing joint. Joints are in OpenPose's order. (The code these files come from
calls entries 14 to 17 Leye, Reye, Lear, Rear; in the files themselves the first of each two is the person's
right one, as in OpenPose: on people who face the camera it lies on the right shoulder's side of the image.)
Lists of 13 or 7 are read too, as Penn Action's and BBC-Pose's joints in the orders of `pgt.data.joint_sets`.
Pairs: header `from,to`, rows of two image names.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from pgt.data.joint_sets import JOINT_SETS
from pgt.data.pose import MAX_COORDINATE, NUM_JOINTS
from pgt.files import first_line, read_text, replace_bytes

HEADER = "name:keypoints_y:keypoints_x"
PAIRS_HEADER = ["from", "to"]
MISSING = -1
MAX_ROW = 10_000  # characters; an honest row has a tenth of them

# Names may hold colons themselves: the two lists are what a row ends with.
_ROW = re.compile(r"(?P<name>.*?)\s*:\s*(?P<y>\[[^\[\]]*\])\s*:\s*(?P<x>\[[^\[\]]*\])\s*")
_SETS = {len(joint_set): joint_set for joint_set in JOINT_SETS.values()}
_SWAP_FACE = [*range(14), 15, 14, 17, 16]

Joints = tuple[np.ndarray, np.ndarray]


def read_keypoint_csv(path: str | Path, *, mirrored_faces: bool = False) -> dict[str, Joints]:
    """Read a keypoint CSV.

    Args:
        path: the file.
        mirrored_faces: swap the eyes and the ears, for a file that really stores the left ones first. The
            public DeepFashion and Market-1501 files do not, whatever the names in their code say.

    Returns:
        name -> keypoints (18, 2) float32 (x, y) in pixels, 0 where missing, and visible (18,) bool. Joints
        outside the image are kept; a row may have no visible joint at all.

    Raises:
        ValueError: file, line number, and what is wrong there.
    """
    people: dict[str, Joints] = {}
    header, *lines = read_text(path).split("\n")
    if header.strip() != HEADER:
        raise ValueError(f'{path}, line 1: the header must be "{HEADER}", not "{header.strip()[:80]}".')
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        try:
            name, joints = _parse_row(line)
            if name in people:
                raise ValueError(f'"{name[:80]}" appears a second time')
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {first_line(error)}.") from None
        people[name] = tuple(values[_SWAP_FACE] for values in joints) if mirrored_faces else joints
    return people


def _parse_row(line: str) -> tuple[str, Joints]:
    match = _ROW.fullmatch(line) if len(line) <= MAX_ROW else None
    if match is None or not match["name"]:
        raise ValueError(f'expected "NAME: [18 y]: [18 x]", but found "{line.strip()[:80]}"')
    columns = []
    for axis in "xy":
        try:
            values = json.loads(match[axis])
        except (ValueError, RecursionError):
            raise ValueError(f"the {axis} values are not a list of numbers: {match[axis][:80]}") from None
        if len(values) not in _SETS:
            others = " or ".join(str(count) for count in _SETS if count != NUM_JOINTS)
            needed = f"{NUM_JOINTS} {axis} values are needed ({others} in other sets of joints)"
            raise ValueError(f"{needed}, but there are {len(values)}")
        for value in values:
            # `value == value` is False for NaN, which json reads too.
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not abs(value) <= MAX_COORDINATE
            ):
                raise ValueError(f"{value!r} among the {axis} values is not a pixel position")
        columns.append(values)
    if len(columns[0]) != len(columns[1]):
        raise ValueError(f"there are {len(columns[0])} x values, but {len(columns[1])} y values")
    keypoints = np.array(columns, dtype=np.float32).T.copy()
    visible = (keypoints != MISSING).all(axis=1)
    keypoints, visible = _SETS[len(keypoints)].to_openpose18(keypoints, visible)
    keypoints[~visible] = 0
    return match["name"], (keypoints, visible)


def write_keypoint_csv(path: str | Path, people: Mapping[str, Joints]) -> None:
    """Write a keypoint CSV that `read_keypoint_csv` reads back.

    Args:
        path: the file; overwritten.
        people: name -> keypoints (18, 2) (x, y) and visible (18,). Coordinates are rounded to whole pixels,
            as the format has them; one that would round to the sentinel -1 becomes 0.

    Raises:
        ValueError: a name with a line break, or empty.
    """
    lines = [HEADER]
    for name, (keypoints, visible) in people.items():
        if not name or name != name.strip() or "\n" in name or "\r" in name:
            raise ValueError(f"{name!r} cannot be a name in a keypoint CSV.")
        pixels = np.floor(np.asarray(keypoints, dtype=np.float64) + 0.5).astype(np.int64)
        pixels = np.where(pixels == MISSING, 0, pixels)
        pixels[~np.asarray(visible, dtype=bool)] = MISSING
        lines.append(f"{name}: {pixels[:, 1].tolist()}: {pixels[:, 0].tolist()}")
    replace_bytes(path, ("\n".join(lines) + "\n").encode())


def read_pairs_csv(path: str | Path) -> list[tuple[str, str]]:
    """Read (source, target) image names.

    Raises:
        ValueError: file, line number, and what is wrong there.
    """
    rows = csv.reader(io.StringIO(read_text(path)))
    try:
        header = next(rows, [])
        if header[-2:] != PAIRS_HEADER:  # an index column may come first
            raise ValueError(f'the header must be "from,to", not "{",".join(header)[:80]}"')
        pairs = []
        for row in filter(None, rows):
            if len(row) != len(header) or not all(row[-2:]):
                raise ValueError(f'expected two names, but found "{",".join(row)[:80]}"')
            pairs.append((row[-2], row[-1]))
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path}, line {max(1, rows.line_num)}: {first_line(error)}.") from None
    return pairs


def write_pairs_csv(path: str | Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Write (source, target) image names; the file is overwritten."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PAIRS_HEADER)
    writer.writerows(pairs)
    replace_bytes(path, text.getvalue().encode())
