"""What participants answer: two CSV files that any number of them, and of programs, may append to at once.

A line is written by one call, under a lock, and is on the disk before its writer goes on. A line that a crash
has cut off is closed by the next writer, and left out by readers.
"""

import csv
import io
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgt.studies.plan import ANSWERS, Plan

try:
    import fcntl
except ImportError:  # Windows: several programs at once are not kept apart there, several threads are
    fcntl = None

ANSWERS_FILE, PARTICIPANTS_FILE = "answers.csv", "participants.csv"
HEAD = (
    "time", "participant", "session", "trial", "practice", "method", "truth", "answer", "milliseconds",
)  # fmt: skip
NAME = re.compile(r"\w[\w .@-]{0,39}")
LONGEST = 24 * 3_600_000  # milliseconds of one answer
_lock = threading.Lock()


@dataclass(frozen=True)
class Answer:
    """One answer to one trial."""

    participant: str
    session: int
    trial: int  # its place in the session, from 0
    practice: bool
    method: str
    truth: str
    answer: str
    milliseconds: int  # from when the picture was shown

    @property
    def is_right(self) -> bool:
        """Whether the answer is the truth; of a pair, whether ours was chosen."""
        return self.answer == self.truth


def checked_name(name: object) -> str:
    """Return a participant's name without blanks around it, or raise a ValueError of one sentence."""
    name = " ".join(name.split()) if isinstance(name, str) else ""
    if NAME.fullmatch(name) is None:
        raise ValueError(
            "A name has 1 to 40 letters, digits, blanks or . @ - and begins with a letter or digit."
        )
    return name


def session_of(folder: str | Path, name: str) -> int:
    """Return the number of a participant's session: as before, or the next one that nobody has."""
    path = Path(folder) / PARTICIPANTS_FILE
    name = checked_name(name)
    with _writing(path, ("participant", "session")) as append:
        known = [row[0] for row in _rows(path)[1:] if row]
        if name in known:
            return known.index(name)
        append([name, str(len(known))])
        return len(known)


def record(
    folder: str | Path, plan: Plan, name: str, session: int, trial: int, answer: str, ms: float
) -> Answer:
    """Check an answer and append it to the file.

    Raises:
        ValueError: one sentence, for an answer that no page of ours sends.
    """
    trials = plan.session(session)
    if not isinstance(trial, int) or isinstance(trial, bool) or not 0 <= trial < len(trials):
        raise ValueError(f"There is no picture {trial!r} in this session.")
    if answer not in ANSWERS[plan.kind]:
        raise ValueError(f"An answer is {' or '.join(ANSWERS[plan.kind])}, not {answer!r}.")
    if isinstance(ms, bool) or not isinstance(ms, int | float) or not 0 <= ms <= LONGEST:
        raise ValueError("The time of an answer must be a number of milliseconds.")
    one = trials[trial]
    made = Answer(checked_name(name), session, trial, one.practice, one.method, one.truth, answer, round(ms))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    cells = (
        now,
        made.participant,
        session,
        trial,
        int(made.practice),
        made.method,
        made.truth,
        answer,
        made.milliseconds,
    )
    with _writing(Path(folder) / ANSWERS_FILE, HEAD) as append:
        append([str(cell) for cell in cells])
    return made


def read_answers(folder: str | Path, plan: Plan) -> tuple[list[Answer], list[str]]:
    """Read all answers, one for each participant and trial: of several, the first.

    Returns:
        The answers, and a sentence about each line that is none.
    """
    path, kept, faults = Path(folder) / ANSWERS_FILE, {}, []
    for number, row in enumerate(_rows(path)[1:], start=2):
        try:
            one = _answer(row, plan)
        except ValueError as error:
            faults.append(f"line {number} of {ANSWERS_FILE} was left out: {error}.")
            continue
        kept.setdefault((one.participant, one.trial), one)
    return list(kept.values()), faults


def answered(folder: str | Path, plan: Plan, name: str) -> set[int]:
    """Return which trials a participant has answered."""
    return {one.trial for one in read_answers(folder, plan)[0] if one.participant == name}


def _answer(row: Sequence[str], plan: Plan) -> Answer:
    """Read one line, and check that the plan asked this."""
    if len(row) != len(HEAD):
        raise ValueError(f"it has {len(row)} cells instead of {len(HEAD)}")
    cells = dict(zip(HEAD, row, strict=True))
    numbers = [cells[name] for name in ("session", "trial", "milliseconds")]
    if not all(text.isdecimal() for text in numbers):
        raise ValueError("session, trial and milliseconds must be whole numbers")
    session, trial, milliseconds = map(int, numbers)
    trials = plan.session(session)
    if trial >= len(trials) or NAME.fullmatch(cells["participant"]) is None:
        raise ValueError("the plan has no such trial or participant")
    one = trials[trial]
    expected = (str(int(one.practice)), one.method, one.truth)
    if expected != (cells["practice"], cells["method"], cells["truth"]):
        raise ValueError("the plan asks something else there")
    if cells["answer"] not in ANSWERS[plan.kind]:
        raise ValueError(f"{cells['answer']!r} is no answer")
    return Answer(
        cells["participant"],
        session,
        trial,
        one.practice,
        one.method,
        one.truth,
        cells["answer"],
        milliseconds,
    )


def _rows(path: Path) -> list[list[str]]:
    """Return the cells of a file's lines; of a file that is not there, none."""
    if not path.is_file():
        return []
    text = path.read_bytes().decode("utf-8", errors="replace").replace("\0", "�")
    return [next(csv.reader([line]), []) for line in text.splitlines()]


@contextmanager
def _writing(path: Path, head: Sequence[str]) -> Iterator:
    """Open a CSV file for appending, alone; what is given appends one row."""
    with _lock, path.open("ab+") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed

        def append(cells: Sequence[str]) -> None:
            size = file.seek(0, os.SEEK_END)
            start = b"" if size else _line(head)
            if size:
                file.seek(-1, os.SEEK_END)
                start = b"" if file.read(1) == b"\n" else b"\n"  # somebody was cut off
            file.write(start + _line(cells))
            file.flush()
            os.fsync(file.fileno())

        yield append


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
