"""Pseudo-labels on disk: written block by block, continued after a kill, read back as pairs.

An index is a text file of JSON lines. The first says what was searched:

    {"format": 1, "num_people": 4000, "image_size": [128, 128], "checksum": 912..., "options": {...}, ...}

and the others hold one source each, in order; distance is Eq. 1, parts is n:

    {"source": 0, "target": 2917, "distance": 0.298211, "parts": 10, "names": ["0_0", "364_5"]}
    {"source": 1, "target": null, "distance": null, "parts": 0, "names": ["0_1", null]}

Until it is whole it is called NAME.partial; a search with the same first line goes on where that ends.
"""

import json
import os
import sys
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pgt.data.body_parts import NUM_PARTS
from pgt.data.part_descriptors import LabelledPeople
from pgt.data.pseudo_labels import NOBODY, QUERIES_AT_ONCE, Matches, PseudoLabelSearch
from pgt.files import flush, naming, read_text

FORMAT = 1
_BLOCK = QUERIES_AT_ONCE  # sources between two saves


@dataclass(frozen=True, eq=False)
class PseudoLabels:
    """An index that has been read.

    Args:
        target: (M,) int64, the pseudo-label of each person; -1 where there is none.
        distance: (M,) float64; NaN where there is none.
        num_parts: (M,) int64.
        facts: the first line.
    """

    target: np.ndarray
    distance: np.ndarray
    num_parts: np.ndarray
    facts: Mapping[str, object]

    def __len__(self) -> int:
        return int((self.target != NOBODY).sum())

    @property
    def pairs(self) -> np.ndarray:
        """(P, 2) int64, the numbers of source and target, for every person who has a pseudo-label."""
        source = np.flatnonzero(self.target != NOBODY)
        return np.stack([source, self.target[source]], axis=1)

    @classmethod
    def read(cls, path: str | Path) -> "PseudoLabels":
        """Read a finished index.

        Raises:
            FileNotFoundError: there is none.
            ValueError: the file is no whole index; says what is wrong in which line.
        """
        lines = read_text(path).splitlines()
        facts = _parse(lines[0] if lines else "", path, 1)
        if facts.get("format") != FORMAT or not isinstance(facts.get("num_people"), int):
            raise ValueError(f"{path} is no index of pseudo-labels of format {FORMAT}.")
        rows = [_parse(line, path, number) for number, line in enumerate(lines[1:], start=2)]
        if len(rows) != facts["num_people"]:
            raise ValueError(f"{path} has {len(rows)} of its {facts['num_people']} people.")
        for number, row in enumerate(rows):
            target = row.get("target", "")
            known = target is None or (type(target) is int and 0 <= target < len(rows))
            known &= _is_distance(row.get("distance", "")) and type(row.get("parts")) is int
            if row.get("source") != number or not known or not 0 <= row["parts"] <= NUM_PARTS:
                raise ValueError(f"{path}, line {number + 2}: not the pseudo-label of person {number}.")
        return cls(
            np.array([NOBODY if row["target"] is None else row["target"] for row in rows], np.int64),
            np.array([np.nan if row["distance"] is None else row["distance"] for row in rows], np.float64),
            np.array([row["parts"] for row in rows], np.int64),
            facts,
        )


def _is_distance(value: object) -> bool:
    """Say whether a value is a finite number of whatever JSON holds, or None."""
    return value is None or (type(value) in (int, float) and abs(value) <= sys.float_info.max)


def _parse(line: str, path: str | Path, number: int) -> dict:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{path}, line {number}: not a JSON object.")
    return content


def write_index(
    path: str | Path,
    search: PseudoLabelSearch,
    facts: Mapping[str, object] | None = None,
    *,
    progress: bool = False,
) -> PseudoLabels:
    """Find everyone's pseudo-label and write them down; continue where an earlier call was stopped.

    One process at a time; the file appears under its name when it is whole.

    Args:
        path: of the index.
        search: among whom, and how.
        facts: what else to note in the first line, as JSON values.
        progress: show a bar.

    Raises:
        ValueError: `path` holds (part of) an index of other people or options.
    """
    from tqdm.auto import tqdm

    path, people = Path(path), search.people
    header = {
        "format": FORMAT,
        "num_people": len(people),
        "image_size": list(people.image_size),
        "checksum": _checksum(people),
        "options": asdict(search.options),
        **(facts or {}),
    }
    if path.exists():
        labels = PseudoLabels.read(path)
        _check_same(path, labels.facts, header)
        return labels
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    done = _continue(partial, header)
    with tqdm(total=len(people), initial=done, unit="people", desc="Searching", disable=not progress) as bar:
        for first in range(done, len(people), _BLOCK):
            queries = np.arange(first, min(first + _BLOCK, len(people)))
            _append(partial, _lines(people, queries, search.find(queries)))
            bar.update(len(queries))
    os.replace(partial, path)
    return PseudoLabels.read(path)


def _append(partial: Path, lines: str) -> None:
    try:
        with open(partial, "a", encoding="utf-8") as file:
            file.write(lines)
            flush(file)
    except OSError as error:
        raise naming(error, partial) from None


def _continue(partial: Path, header: dict) -> int:
    """Cut a partial index after its last whole block, or begin one; return how many people it holds."""
    first = json.dumps(header) + "\n"
    lines = partial.read_bytes().splitlines(keepends=True) if partial.exists() else []
    whole = [line for line in lines if line.endswith(b"\n")]
    if whole:
        _check_same(partial, _parse(whole[0].decode(errors="replace"), partial, 1), json.loads(first))
    done = max(0, len(whole) - 1) // _BLOCK * _BLOCK
    kept = b"".join(whole[: done + 1]) if whole else first.encode()
    with open(partial, "ab") as file:  # cut in place: what is done is never at risk
        file.truncate(len(kept) if whole else 0)
        if not whole:
            file.write(kept)
    return done


def _check_same(path: Path, before: Mapping[str, object], now: Mapping[str, object]) -> None:
    flat = [{**facts, **facts.get("options", {}), "options": None} for facts in (dict(before), dict(now))]
    for name in sorted(flat[0].keys() | flat[1].keys()):
        old, new = flat[0].get(name), flat[1].get(name)
        if old != new:
            what = "the people are others" if name == "checksum" else f"{name} was {old}, now {new}"
            raise ValueError(f"{path} is of another search ({what}); remove it or choose another place.")


def _checksum(people: LabelledPeople) -> int:
    value = 0
    for array in (people.keypoints, people.visible, *people.label_maps):
        value = zlib.crc32(np.ascontiguousarray(array), value)
    if people.identities is not None:
        value = zlib.crc32(np.ascontiguousarray(people.identities), value)
    return value


def _lines(people: LabelledPeople, queries: np.ndarray, matches: Matches) -> str:
    lines = []
    for source, target, distance, parts in zip(
        queries.tolist(), *map(np.ndarray.tolist, matches), strict=True
    ):
        nobody = target == NOBODY
        row = {
            "source": source,
            "target": None if nobody else target,
            "distance": None if nobody else round(distance, 6),
            "parts": parts,
        }
        if people.names:
            row["names"] = [people.names[source], None if nobody else people.names[target]]
        lines.append(json.dumps(row) + "\n")
    return "".join(lines)
