"""`pgt data annotate`: the joints of the main person in every picture of a folder, or frame of a video.

They are written as the readers take them: keypoints.csv in a folder (`pgt.data.readers.folder`), CLIP.csv
beside CLIP.mp4 (`pgt.data.readers.video`). Where nobody is found, or only somebody tiny, all joints are
missing.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pgt.data.pose import NUM_JOINTS
from pgt.data.readers.keypoint_csv import Joints, read_keypoint_csv, write_keypoint_csv
from pgt.data.readers.people import some
from pgt.data.readers.pictures import SUFFIXES, read_picture
from pgt.data.readers.video import read_frames
from pgt.photos import Detector, DetectorUnavailableError, detectors, load_vitpose, main_person

SAVE_EVERY = 10.0  # seconds: what a kill may cost; each save writes all rows anew
FRAME_NAME = "{:06d}.png"
NOBODY: Joints = (np.zeros((NUM_JOINTS, 2), np.float32), np.zeros(NUM_JOINTS, bool))
Shots = Iterable[tuple[str, Callable[[], np.ndarray]]]  # name of a row, and what reads its picture


def annotate(arguments: argparse.Namespace) -> None:
    """Find joints, write them, and say where there was nobody."""
    path = Path(arguments.path)
    is_folder = path.is_dir()
    if not is_folder and not path.is_file():
        raise FileNotFoundError(f"There is no folder of pictures and no video {path}.")
    work = Annotation(
        Path(arguments.out or (path / "keypoints.csv" if is_folder else path.with_suffix(".csv")))
    )
    if not is_folder:
        work.check_frame_names()
    detector = _vitpose if arguments.detector == "vitpose" else detectors.detect_people
    try:
        work.run(_pictures(path) if is_folder else _frames(path), detector)
    except DetectorUnavailableError as error:
        reason = str(error).removesuffix(f"; {detectors.ADVICE}.")  # which is what is wanted here
        raise DetectorUnavailableError(f"{reason}; nothing was annotated.") from None
    print("\n  ".join(work.summary()))


@dataclass
class Annotation:
    """A keypoint CSV that grows; what it holds already stays.

    Args:
        out: the file, there or not.

    Attributes:
        rows: its rows, old and new.
        new: names of the new ones.
        crowded: names of new rows whose pictures show several people.
        unread: a sentence for each file that is no picture; it gets no row.
    """

    out: Path
    rows: dict[str, Joints] = field(init=False)
    new: list[str] = field(default_factory=list)
    crowded: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = read_keypoint_csv(self.out) if self.out.exists() else {}

    def check_frame_names(self) -> None:
        """Refuse to mix our names of frames with others, which may mean the same ones."""
        for name in self.rows:
            stem = Path(name).stem
            if not stem.isdecimal() or name != FRAME_NAME.format(int(stem)):
                raise ValueError(
                    f'{self.out} names a row "{name}", not as frames are named here; choose another --out.'
                )

    def run(self, shots: Shots, detector: Detector) -> None:
        """Look at everything that has no row yet; save now and then, and at the end or when stopped."""
        from tqdm.auto import tqdm

        saved = time.monotonic()
        try:
            for name, look in tqdm(shots, desc="Finding joints"):
                if name in self.rows:
                    continue
                try:
                    image = look()
                except ValueError as error:  # one damaged picture must not end the work on thousands
                    self.unread.append(str(error).rstrip("."))
                    continue
                self.rows[name] = self._joints(image, name, detector)
                self.new.append(name)
                if time.monotonic() - saved > SAVE_EVERY:
                    self._save()
                    saved = time.monotonic()
        finally:
            self._save()

    def _joints(self, image: np.ndarray, name: str, detector: Detector) -> Joints:
        people = detector(image)
        try:
            person = main_person(people, image.shape[:2], tell=lambda _: self.crowded.append(name))
        except ValueError:  # nobody, or somebody tiny
            return NOBODY
        return person.pose.keypoints, person.pose.visible

    def _save(self) -> None:
        """Write all rows in the order of their names, which is that of a video's frames, if any is new."""
        if self.new:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            write_keypoint_csv(self.out, dict(sorted(self.rows.items())))

    def summary(self) -> list[str]:
        """Say how many rows there are, and name those that deserve a look."""
        empty = [name for name, (_, visible) in sorted(self.rows.items()) if not visible.any()]
        lines = [f"{self.out}: {len(self.rows)} rows, {len(self.new)} of them new"]
        for what, names in (
            ("nobody, or only somebody tiny, in", empty),
            ("several people, the main one was taken, in", self.crowded),
            ("not a picture, so without a row,", self.unread),
        ):
            lines += [f"{what} {len(names)}: {some(names)}"] if names else []
        return lines


def _vitpose(image: np.ndarray) -> list[detectors.DetectedPerson]:
    return load_vitpose()(image)  # loaded once, and only if there is something to do


def _pictures(folder: Path) -> Shots:
    """List the pictures of a folder as `PeopleFolder` reads them: as stored, whatever their EXIF data say."""
    inside = folder / "images" if (folder / "images").is_dir() else folder
    paths = sorted(p for p in inside.iterdir() if p.suffix.lower() in SUFFIXES and p.name[0] != ".")
    if not paths:
        raise FileNotFoundError(f"There is no picture ({', '.join(SUFFIXES)}) in {inside}.")
    return [(path.name, lambda path=path: read_picture(path)) for path in paths]


def _frames(video: Path) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    for number, frame in enumerate(read_frames(video)):
        yield FRAME_NAME.format(number), lambda frame=frame: frame
