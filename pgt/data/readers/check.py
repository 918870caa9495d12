"""What a look through a dataset finds: counts, joints that are missing, and pictures that cannot be used."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pgt.data.person import Person
from pgt.data.pose import JOINTS
from pgt.data.readers.people import People, WrongSizeError, some
from pgt.data.readers.pictures import PictureFolder

TELLING = 3  # joints: fewer that lie outside a picture say nothing about its size
_MAPS = {  # a field of a person -> what a note says of those who lack it, where others have it
    "label_map": "label map, which pgt train spt needs of everybody",
    "person_mask": "person mask, and whole batches with them in go without",
}


@dataclass(frozen=True)
class Report:
    """What was found in one split.

    Attributes:
        split: its name.
        counts: what there is of it, by name.
        missing: per joint, the share of people who lack it, or None without people.
        notes: oddities that a training can live with.
        faults: what makes it fail.
        shown: some people, or pictures without people, for a contact sheet.
        facts: what else is worth knowing, such as the frame rate of a video.
    """

    split: str
    counts: dict[str, int]
    missing: np.ndarray | None
    notes: tuple[str, ...]
    faults: tuple[str, ...]
    shown: tuple[Person | np.ndarray, ...]
    facts: tuple[str, ...] = ()


def check_people(people: People, split: str, *, limit: int | None = None, show: int = 0) -> Report:
    """Look through the people of a split.

    Args:
        people: they.
        split: its name.
        limit: read at most so many people, evenly spread; None for all. Joints are counted of everybody.
        show: how many people to return: sources and targets of pairs in turn, or single people where nobody
            pairs up.
    """
    chosen = spread(range(len(people.names)), limit)
    unreadable, wrong_size, sizes = [], [], {}
    mapped: dict[str, dict[str, bool]] = {kind: {} for kind in _MAPS}  # who of those read has such a map
    for number in chosen:
        try:
            whole = people.whole(number)
            sizes[number] = whole.image_size
            person = people.finished(whole, number)
        except WrongSizeError as error:
            wrong_size.append(str(error))
        except (ValueError, OSError) as error:
            unreadable.append(str(error))
        else:
            for kind, there in mapped.items():
                there[person.name] = getattr(person, kind) is not None
    counts = {
        "pictures": len(set(people.paths)),
        "people": len(people.names),
        "identities": len({one for one in people.identities if one is not None}),
        "pairs": len(people),
        "read": len(chosen),
    }
    counts |= {
        f"with {kind.replace('_', ' ')}": sum(there.values())
        for kind, there in mapped.items()
        if any(there.values())
    }
    notes, misplaced = _pose_findings(people, sizes)
    faults = _faults("cannot be used", unreadable) + _faults("are of a wrong size", wrong_size)
    return Report(
        split,
        counts,
        1 - people.visible.mean(axis=0) if len(people.names) else None,
        (*people.notes, *notes, *_map_notes(mapped)),
        (*faults, *misplaced),
        tuple(_shown(people, show)),
    )


def check_pictures(pictures: PictureFolder, *, limit: int | None = None, show: int = 0) -> Report:
    """Look through pictures without people; arguments as of `check_people`."""
    chosen, bad, shown = spread(range(len(pictures)), limit), [], []
    wanted = set(spread(chosen, show))
    for number in chosen:
        try:
            picture = pictures[number]
            shown += [picture] if number in wanted else []
        except ValueError as error:
            bad.append(str(error))
    counts = {"pictures": len(pictures), "read": len(chosen)}
    return Report("all", counts, None, (), tuple(_faults("cannot be used", bad)), tuple(shown))


def shared_identities(splits: dict[str, People]) -> list[str]:
    """Say which identities stand in two splits, one sentence for each two splits."""
    names = list(splits)
    members = {name: {one for one in splits[name].identities if one is not None} for name in names}
    sentences = []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            both = sorted(members[first] & members[second])
            if both:
                sentences.append(f"{len(both)} identities are in both {first} and {second}: {some(both)}.")
    return sentences


def spread(items: Sequence[int], count: int | None) -> list[int]:
    """Take at most `count` of some numbers, evenly spaced; None for all."""
    if count is None or count >= len(items):
        return list(items)
    return [items[place * len(items) // count] for place in range(count)]


def _faults(what: str, messages: list[str]) -> list[str]:
    messages = list(dict.fromkeys(messages))  # a picture of several people says the same for each
    return [f"pictures that {what}: {len(messages)}; the first: {messages[0]}"] if messages else []


def outside(points: np.ndarray, visible: np.ndarray, size: tuple[float, float]) -> np.ndarray:
    """Say which visible joints lie beyond the edges of their picture.

    Args:
        points: (..., 2), (x, y) in pixels.
        visible: (...) bool.
        size: (H, W) of the picture.

    Returns:
        bool (...).
    """
    beyond = (points < -0.5) | (points > np.array([size[1], size[0]]) - 0.5)
    return visible & beyond.any(axis=-1)


def _pose_findings(people: People, sizes: dict[int, tuple[int, int]]) -> tuple[list[str], list[str]]:
    """Return notes and faults on joints; of a picture that was not read, the size may be unknown."""
    nobody, some_out, most_out = [], [], []
    for number, (points, seen) in enumerate(zip(people.keypoints, people.visible, strict=True)):
        size = sizes.get(number) or people.size_of(number) or (np.inf, np.inf)
        out, count = outside(points, seen, size).sum(), seen.sum()
        if not count:
            nobody.append(people.names[number])
        elif count >= TELLING and out > count / 2:
            most_out.append(people.names[number])
        elif out:
            some_out.append(people.names[number])
    notes = [f"{len(nobody)} people have no joint at all: {some(nobody)}."] if nobody else []
    if some_out:
        notes.append(f"{len(some_out)} people have a joint outside the picture: {some(some_out)}.")
    if not most_out:
        return notes, []
    fault = f"{len(most_out)} people have most joints outside the picture, as if it were of another size"
    return notes, [f"{fault} than their joints: {some(most_out)}."]


def _map_notes(mapped: dict[str, dict[str, bool]]) -> list[str]:
    notes = []
    for kind, there in mapped.items():
        without = [name for name, has_it in there.items() if not has_it]
        if 0 < len(without) < len(there):
            notes.append(f"{len(without)} people have no {_MAPS[kind]}: {some(without)}.")
    return notes


def _shown(people: People, count: int) -> list[Person]:
    numbers: list[int] = []
    for index in spread(range(len(people)), count // 2):
        numbers += people.pair(index)
    if not numbers:
        numbers = spread(range(len(people.names)), count)
    shown = []
    for number in numbers:
        try:
            shown.append(people.read(number))
        except (ValueError, OSError):
            continue  # already among the faults
    return shown


def missing_text(missing: np.ndarray) -> str:
    """Write who lacks what, for example "nose 12 %"; left and right of a joint together."""
    sides: dict[str, list[float]] = {}
    for name, share in zip(JOINTS, missing, strict=True):
        sides.setdefault(name.removeprefix("left_").removeprefix("right_"), []).append(float(share))
    return ", ".join(f"{name} {100 * np.mean(shares):.1f} %" for name, shares in sides.items())
