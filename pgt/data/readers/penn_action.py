"""Penn Action (Zhang, Zhu and Derpanis, From Actemes to Action, ICCV 2013).

root/
  frames/0001/000001.jpg   the frames of 2,326 videos, from 1
  labels/0001.mat          action, pose, train (1 or -1), nframes, dimensions (H, W, frames), and per frame
                           x, y and visibility of 13 joints (see `pgt.data.joint_sets`), and bbox, (x1, y1,
                           x2, y2)
  masks/0001/000001.png    optional, not the owners': where the person is on a frame, anything above 0

Source and target are two frames of one video, as in MR-Net (Xu et al., TIP 2020); its own selection of pairs
is unpublished. A video is in the split its label names, so no video is in two.
"""

from functools import partial
from pathlib import Path

import numpy as np

from pgt.data.joint_sets import JOINT_SETS
from pgt.data.pose import MAX_COORDINATE
from pgt.data.readers.frames import MATLAB_ORIGIN, add_mask, load_mat, to_openpose18
from pgt.data.readers.keypoint_csv import Joints
from pgt.data.readers.people import People, Source, some

SOURCE = Source("Penn Action", "the University of Pennsylvania (http://dreamdragon.github.io/PennAction/)")
SPLITS = ("train", "test")
JOINTS = JOINT_SETS["penn-action-13"]


def penn_action(root: str | Path, split: str = "train") -> People:
    """Find the frames of a split's videos that show a joint.

    Raises:
        FileNotFoundError: one sentence: what the folder lacks, and who publishes it.
        ValueError: a label that cannot be read, named.
        ImportError: SciPy is not installed.
    """
    root = SOURCE.check_folder(root)
    for folder in ("frames", "labels"):
        if not (root / folder).is_dir():
            raise SOURCE.missing(root, f"there is no folder {folder} in it")
    labels = sorted((root / "labels").glob("*.mat"))
    if not labels:
        raise SOURCE.missing(root, "there is no label NNNN.mat in its folder labels")
    names, paths, sizes, notes = [], [], [], []
    keypoints, visible = [np.zeros((0, 18, 2))], [np.zeros((0, 18))]
    for path in labels:
        in_train, size, (points, seen) = read_label(path)
        if in_train != (split == "train"):
            continue
        frames = [root / "frames" / path.stem / f"{number:06d}.jpg" for number in range(1, len(points) + 1)]
        kept = np.array([frame.is_file() for frame in frames], bool)
        if not kept.all():
            gone = [frame.name for frame, there in zip(frames, kept, strict=True) if not there]
            notes.append(f"Video {path.stem} lacks {len(gone)} of its {len(frames)} frames: {some(gone)}.")
        chosen = np.flatnonzero(kept & seen.any(axis=1))
        names += [f"{path.stem}/{frames[number].stem}" for number in chosen]
        paths += [frames[number] for number in chosen]
        sizes += [size] * len(chosen)
        keypoints.append(points[chosen])
        visible.append(seen[chosen])
    if not names:
        raise SOURCE.missing(root, f"no frame of the split {split} is there and shows a joint")
    joints = np.concatenate(keypoints), np.concatenate(visible)
    return People(
        names,
        paths,
        joints,
        [name.split("/")[0] for name in names],
        sizes=sizes,
        finish=partial(add_mask, root / "masks") if (root / "masks").is_dir() else None,
        notes=notes,
    )


def read_label(path: str | Path) -> tuple[bool, tuple[int, int], Joints]:
    """Read the label of a video.

    Returns:
        Whether it is for training; (H, W) of its frames; and keypoints (N, 18, 2) in pixels and visible
        (N, 18) of its N frames. A joint that is not visible comes without a position, though the file may
        guess one.

    Raises:
        ValueError: the file's name and what is wrong with it.
    """
    content = load_mat(path)
    x, y, visible, train, dimensions = (
        _field(path, content, name) for name in ("x", "y", "visibility", "train", "dimensions")
    )
    if x.ndim != 2 or x.shape[1] != len(JOINTS) or not x.shape == y.shape == visible.shape:
        raise ValueError(
            f"{path}: x, y and visibility must be (frames, {len(JOINTS)}), "
            f"not {x.shape}, {y.shape} and {visible.shape}."
        )
    if train.size != 1 or dimensions.size < 2 or not (np.abs(dimensions) <= MAX_COORDINATE).all():
        raise ValueError(f"{path}: train must be 1 or -1, and dimensions height, width and frames.")
    height, width = (int(side) for side in dimensions.ravel()[:2])
    return bool(train.item() > 0), (height, width), to_openpose18(JOINTS, np.stack([x, y], axis=-1), visible)


def read_boxes(path: str | Path) -> np.ndarray:
    """Read the boxes around the person of a video, (N, 4) float32 (x1, y1, x2, y2) in pixels.

    Raises:
        ValueError: the file's name and what is wrong with it.
    """
    boxes = _field(path, load_mat(path), "bbox")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{path}: bbox must be (frames, 4), not {boxes.shape}.")
    return (boxes - MATLAB_ORIGIN).astype(np.float32)


def _field(path: str | Path, content: dict[str, np.ndarray], name: str) -> np.ndarray:
    values = content.get(name)
    if values is None or not np.issubdtype(np.asarray(values).dtype, np.number):
        raise ValueError(f'{path} holds no numbers "{name}", as a label of Penn Action does.')
    return np.real(values).astype(np.float64)  # the files mix uint8, uint16 and double
