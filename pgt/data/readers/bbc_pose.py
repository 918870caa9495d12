"""BBC-Pose (Charles et al., Automatic and Efficient Human Pose Estimation for Sign Language Videos, 2014).

root/
  1/ ... 20/          one folder per video, frames N.jpg
  code/bbcpose.mat    a struct array with one entry per video: videoName, type (train, val or test), source,
                      train_frames (1, N) and train_joints (2, 7, N); where frames were marked by hand,
                      test_frames and test_joints
  masks/1/1.png       optional, not the owners': where the person is on a frame, anything above 0

Joints are the 7 of `pgt.data.joint_sets`. Source and target are two frames of one video, as in MR-Net (Xu et
al., TIP 2020), whose own split of the frames is unpublished; this is the owners' split, by video.
"""

from functools import partial
from pathlib import Path

import numpy as np

from pgt.data.joint_sets import JOINT_SETS
from pgt.data.readers.frames import add_mask, load_mat, to_openpose18
from pgt.data.readers.people import People, Source, some
from pgt.files import first_line

SOURCE = Source(
    "BBC-Pose",
    "the Visual Geometry Group of the University of Oxford (https://www.robots.ox.ac.uk/~vgg/data/pose/)",
)
SPLITS = ("train", "val", "test")
JOINTS = JOINT_SETS["bbc-pose-7"]
MAX_FRAME = 10**9


def bbc_pose(root: str | Path, split: str = "train") -> People:
    """Find the annotated frames of a split's videos.

    Of a video for testing, the frames marked by hand are taken; where it has none, those found by the owners'
    tracker, which the other videos have alone.

    Raises:
        FileNotFoundError: one sentence: what the folder lacks, and who publishes it.
        ValueError: an annotation that cannot be read.
        ImportError: SciPy is not installed.
    """
    root = SOURCE.check_folder(root)
    places = (root / "code" / "bbcpose.mat", root / "bbcpose.mat")
    annotation = next((path for path in places if path.is_file()), None)
    if annotation is None:
        raise SOURCE.missing(root, "there is no code/bbcpose.mat in it")
    names, paths, notes = [], [], []
    keypoints, visible = [np.zeros((0, 18, 2))], [np.zeros((0, 18))]
    for video, entry in enumerate(_videos(annotation), start=1):
        if _text(entry["type"]) != split:
            continue
        try:
            frames, points = _joints(entry)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"{annotation}, video {video}: {first_line(error)}.") from None
        there = np.array([(root / str(video) / f"{number}.jpg").is_file() for number in frames], bool)
        if not there.all():
            gone = [f"{number}.jpg" for number in frames[~there]]
            notes.append(f"Video {video} lacks {len(gone)} of its {len(frames)} frames: {some(gone)}.")
        names += [f"{video}/{number}" for number in frames[there]]
        paths += [root / str(video) / f"{number}.jpg" for number in frames[there]]
        # A joint at 0, 0 or below is out of sight: MATLAB counts pixels from 1.
        joints = to_openpose18(JOINTS, points[there], (points[there] > 0).all(axis=-1))
        keypoints.append(joints[0])
        visible.append(joints[1])
    if not names:
        raise SOURCE.missing(root, f"no frame of the split {split} is there")
    joints = np.concatenate(keypoints), np.concatenate(visible)
    return People(
        names,
        paths,
        joints,
        [name.split("/")[0] for name in names],
        finish=partial(add_mask, root / "masks") if (root / "masks").is_dir() else None,
        notes=notes,
    )


def _videos(path: Path) -> list[np.void]:
    videos = load_mat(path).get("bbcpose")
    fields = () if videos is None else videos.dtype.names or ()
    missing = [name for name in ("type", "train_frames", "train_joints") if name not in fields]
    if missing:
        raise ValueError(f'{path} holds no struct array "bbcpose" with the fields {", ".join(missing)}.')
    return list(videos.ravel())


def _joints(entry: np.void) -> tuple[np.ndarray, np.ndarray]:
    """Return the frame numbers (N,) and joints (N, 7, 2) of a video."""
    marked = {"test_frames", "test_joints"} <= set(entry.dtype.names)
    by_hand = marked and np.size(entry["test_frames"]) and np.size(entry["test_joints"])
    kind = "test" if by_hand and _text(entry["type"]) == "test" else "train"
    frames, points = (np.real(entry[f"{kind}_{what}"]).astype(np.float64) for what in ("frames", "joints"))
    if not (np.abs(frames) <= MAX_FRAME).all():
        raise ValueError(f"{kind}_frames holds something that is no number of a frame")
    frames = frames.astype(np.int64).ravel()
    points = points[..., None] if points.ndim == 2 else points  # MATLAB drops a last dimension of 1
    if points.shape != (2, len(JOINTS), len(frames)):
        raise ValueError(f"{kind}_joints must be (2, {len(JOINTS)}, {len(frames)}), not {points.shape}")
    return frames, points.transpose(2, 1, 0)


def _text(value: np.ndarray) -> str:
    return str(np.asarray(value).ravel()[0]) if np.asarray(value).size else ""
