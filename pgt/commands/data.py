"""`pgt data check`: what is in a dataset, what is missing, and what its people look like."""

import argparse
from collections.abc import Iterator

import numpy as np

from pgt.commands.common import SYNTHETIC, check_suffix, write_picture
from pgt.data.person import Person
from pgt.data.readers.catalogue import PICTURES, READERS, open_people
from pgt.data.readers.check import (
    Report,
    check_people,
    check_pictures,
    missing_text,
    shared_identities,
)
from pgt.data.readers.people import People
from pgt.data.readers.video_check import check_video
from pgt.plot import draw_skeleton, grid

VIDEO = "video"  # a file and a keypoint CSV in place of a folder
COLUMNS, ROWS = 8, 2  # people of each split on the contact sheet
SYNTHETIC_PEOPLE, POSES = 12, 2  # rendered of each split
CELL_HEIGHT = 192  # pixels


def data(arguments: argparse.Namespace) -> int:
    """Look through a dataset and print what was found; 1 if a training would fail on it."""
    if arguments.out:
        check_suffix(arguments.out)
    _check_words(arguments)
    reports, shared = _reports(arguments)
    for report in reports:
        print(_text(report))
    for sentence in shared:
        print(f"fault: {sentence}")
    if arguments.out:
        write_picture(arguments.out, contact_sheet(reports))
    return int(bool(shared) or any(report.faults for report in reports))


def _check_words(arguments: argparse.Namespace) -> None:
    """Refuse arguments that do not go together, before anything is read."""
    name, is_video = arguments.name, arguments.name == VIDEO
    if (arguments.path is None) != (name == SYNTHETIC):
        thing = "file" if is_video else "folder"
        needed = "needs no folder" if arguments.path else f"needs a {thing}"
        raise ValueError(f"pgt data check {name} {needed}.")
    if is_video and not arguments.keypoints:
        raise ValueError("pgt data check video needs --keypoints: a CSV with the joints of every frame.")
    if is_video and (arguments.split or arguments.read):
        raise ValueError("pgt data check video looks at all frames: it takes neither --split nor --read.")
    if arguments.keypoints and not is_video:
        raise ValueError(f"--keypoints belongs to a video; pgt data check {name} finds the joints itself.")


def _reports(arguments: argparse.Namespace) -> tuple[list[Report], list[str]]:
    show = COLUMNS * ROWS if arguments.out else 0
    if arguments.name == VIDEO:
        return [check_video(arguments.path, arguments.keypoints, show=show)], []
    if arguments.name in PICTURES:
        pictures = PICTURES[arguments.name](arguments.path)
        return [check_pictures(pictures, limit=arguments.read, show=show)], []
    splits = dict(_splits(arguments))
    reports = [
        check_people(people, split, limit=arguments.read, show=show) for split, people in splits.items()
    ]
    # Of Human3.6M as Progressive splits it, by action, nothing else is to be expected.
    return reports, [] if arguments.name == "human3.6m" else shared_identities(splits)


def _splits(arguments: argparse.Namespace) -> Iterator[tuple[str, People]]:
    """Open all splits that are there, or the one that is asked for; say which are not."""
    if arguments.name == SYNTHETIC:
        for split in (arguments.split,) if arguments.split else ("train", "val", "test"):
            yield split, _synthetic(split)
        return
    splits = READERS[arguments.name].splits
    if arguments.split or len(splits) == 1:
        split = arguments.split or splits[0]
        yield split, open_people(arguments.name, arguments.path, split)
        return
    absent = []
    for split in splits:
        try:
            people = open_people(arguments.name, arguments.path, split)
        except FileNotFoundError as error:
            absent.append((split, error))
        else:
            yield split, people
    if len(absent) == len(splits):
        raise absent[0][1]
    for split, error in absent:
        print(f"{split}: not there. {error}")


def _synthetic(split: str) -> People:
    """Render a few people of a split."""
    from pgt.synthetic.people import SyntheticPeople

    people = SyntheticPeople(split, scene="mixed", num_identities=SYNTHETIC_PEOPLE, poses_per_identity=POSES)
    numbers = [(identity, pose) for identity in range(SYNTHETIC_PEOPLE) for pose in range(POSES)]
    shown = people.render(numbers)
    names = [f"{split} {identity}, pose {pose}" for identity, pose in numbers]
    return People(
        names,
        names,  # nothing of them is on disk
        (np.stack([one.keypoints for one in shown]), np.stack([one.visible for one in shown])),
        [f"{split} {identity}" for identity, _ in numbers],
        sizes=shown[0].image_size,
        look=lambda number: shown[number].image,
    )


def _text(report: Report) -> str:
    counts = ", ".join(f"{count:,} {what}" for what, count in report.counts.items())
    lines = [f"{report.split}: {counts}"]
    if report.facts:
        lines.append(f"  {', '.join(report.facts)}")
    if report.missing is not None:
        lines.append(f"  joints missing: {missing_text(report.missing)}")
    lines += [f"  note: {note}" for note in report.notes] + [f"  fault: {fault}" for fault in report.faults]
    return "\n".join(lines)


def contact_sheet(reports: list[Report]) -> np.ndarray:
    """Show people of each split with their skeletons: uint8 (H, W, 3).

    Raises:
        ValueError: nobody could be read.
    """
    rows, titles, shapes = [], [], []
    for report in reports:
        cells = [_drawn(one) for one in report.shown]
        shapes += [cell.shape[:2] for cell in cells]
        for first in range(0, len(cells), COLUMNS):
            rows.append(cells[first : first + COLUMNS])
            titles.append(report.split if first == 0 else "")
    if not rows:
        raise ValueError("There is no picture for a contact sheet.")
    width = round(CELL_HEIGHT * float(np.median([w / h for h, w in shapes])))
    return grid(rows, row_titles=titles, cell_size=(CELL_HEIGHT, width))


def _drawn(one: Person | np.ndarray) -> np.ndarray:
    return draw_skeleton(one.image, one.pose, opacity=0.8) if isinstance(one, Person) else one
