"""Tiny folders in the official layouts of the public datasets."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from pgt.data.readers.keypoint_csv import Joints, write_keypoint_csv


def picture(path: Path, size: tuple[int, int], value: int = 128) -> Path:
    """Write a picture of one grey, (H, W)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size, 3), value, np.uint8)).save(path)
    return path


def mask(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Write a single-channel PNG, (H, W), that is 3 in its middle and 0 around; return it."""
    values = np.zeros(size, np.uint8)
    values[size[0] // 4 : -size[0] // 4, size[1] // 4 : -size[1] // 4] = 3
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return values


def joints(size: tuple[int, int], seed: int = 0, missing: tuple[int, ...] = ()) -> Joints:
    """Draw whole-pixel joints inside a picture, but for some that are missing."""
    points = np.random.default_rng(seed).integers(1, [size[1] - 1, size[0] - 1], (18, 2)).astype(np.float32)
    visible = ~np.isin(np.arange(18), missing)
    return points * visible[:, None], visible


MARKET = {
    "bounding_box_train": ["0002_c1s1_000451_03.jpg", "0002_c2s1_000451_01.jpg", "0007_c3s3_077419_03.jpg"],
    "bounding_box_test": [
        "-1_c1s1_000401_03.jpg",
        "0000_c1s1_000151_01.jpg",
        "0000_c2s1_000151_01.jpg",
        "0001_c1s1_001051_03.jpg",
        "0001_c2s1_000301_01.jpg",
        "0001_c3s1_000551_01.jpg",
    ],
}


def market1501(root: Path) -> Path:
    """Make Market-1501; 0001_c3 lacks a hip, 0007 every joint."""
    for folder, names in MARKET.items():
        rows = {}
        for number, name in enumerate(names):
            picture(root / folder / name, (128, 64), 10 * number)
            missing = (8,) if "c3s1" in name else tuple(range(18)) if "0007" in name else ()
            rows[name] = joints((128, 64), number, missing)
        write_keypoint_csv(root / f"market-annotation-{folder.removeprefix('bounding_box_')}.csv", rows)
    return root


ITEMS = {  # as unpacked, and which split the owners' list puts them in
    "WOMEN/Blouses_Shirts/id_00000001/02_1_front.jpg": "train",
    "WOMEN/Blouses_Shirts/id_00000001/02_4_full.jpg": "train",
    "WOMEN/Blouses_Shirts/id_00000001/03_1_front.jpg": "train",
    "MEN/Denim/id_00000080/01_1_front.jpg": "query",
    "MEN/Denim/id_00000080/01_7_additional.jpg": "gallery",
}


def flat(name: str, prefix: str = "fashion", keep: bool = True) -> str:
    """Flatten a name as PATN does ("fashion", underscores of the category kept), or as the older lists."""
    who, category, item, view = name.split("/")
    colour, _, side = view.partition("_")
    category = category if keep else category.replace("_", "")
    return f"{prefix}{who}{category}{item.replace('_', '')}{colour}_{side.replace('_', '', 1)}"


def in_shop(root: Path, *, narrow: bool = False) -> Path:
    """Make DeepFashion In-shop as unpacked, with the public lists of one frame."""
    resize, size = ("-resize", (256, 176)) if narrow else ("", (256, 256))
    for number, name in enumerate(ITEMS):
        picture(root / "img" / name, (256, 256), 20 * number)
    for split in ("train", "test"):
        names = [name for name, part in ITEMS.items() if (part == "train") == (split == "train")]
        rows = {flat(name, "fasion", False): joints(size, number) for number, name in enumerate(names)}
        write_keypoint_csv(root / f"fasion{resize}-annotation-{split}.csv", rows)
    lines = [str(len(ITEMS)), "image_name item_id evaluation_status"]
    lines += [f"img/{name}   {name.split('/')[2]}   {split}" for name, split in ITEMS.items()]
    (root / "Eval").mkdir()
    (root / "Eval" / "list_eval_partition.txt").write_text("\n".join(lines) + "\n")
    return root


PENN_SIZE = (27, 48)


def penn_action(root: Path, trained: tuple[int, ...] = (1, -1, 1), frames: int = 3) -> Path:
    """Make Penn Action: joint j of video v is at (10 + j, 5 + v) in MATLAB's pixels; the head is unseen."""
    (root / "labels").mkdir(parents=True)
    for video, train in enumerate(trained, start=1):
        shape = (frames, 13)
        visible = np.ones(shape)
        visible[:, 0] = 0
        x = np.where(visible > 0, 10.0 + np.arange(13), 1.0)
        y = np.where(visible > 0, 5.0 + video, 1.0)
        dimensions = np.array([[*PENN_SIZE, frames]], np.uint16)
        box = np.tile([3.0, 4.0, 20.0, 22.0], (frames, 1))
        label = {"action": "squat", "pose": "front", "train": train, "nframes": frames, "bbox": box}
        label |= {"x": x, "y": y, "visibility": visible, "dimensions": dimensions}
        savemat(root / "labels" / f"{video:04d}.mat", label)
        for frame in range(1, frames + 1):
            picture(root / "frames" / f"{video:04d}" / f"{frame:06d}.jpg", PENN_SIZE, 40 * video)
    return root


def bbc_pose(root: Path) -> Path:
    """Make BBC-Pose with 3 of 20 videos; joint j of frame f is at (20 + j, f) in MATLAB's pixels."""
    fields = ("videoName", "type", "source", "train_frames", "train_joints", "test_frames", "test_joints")
    videos = np.zeros((1, 3), dtype=[(name, object) for name in fields])
    for video, split in enumerate(("train", "val", "test")):
        numbers = np.array([[3, 7, 8]], np.uint16) + video
        points = np.stack(
            [np.tile(20.0 + np.arange(7)[:, None], (1, 3)), np.tile(numbers.astype(float), (7, 1))]
        )
        by_hand = split == "test"
        videos[0, video] = (
            f"film {video}", split, "tracker", numbers, points,
            numbers[:, :2] if by_hand else np.zeros((0, 0)),
            points[:, :, :2] + 1 if by_hand else np.zeros((0, 0)),
        )  # fmt: skip
        for number in numbers.ravel():
            picture(root / str(video + 1) / f"{number}.jpg", (40, 60), 30)
    (root / "code").mkdir()
    savemat(root / "code" / "bbcpose.mat", {"bbcpose": videos})
    return root
