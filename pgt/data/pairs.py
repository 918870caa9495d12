"""Datasets of pairs, and a cache of people on disk.

A cache is one folder per set of parameters:

    folder/<hash of the parameters>/
      index.json           format, parameters, image size, identities, poses, people per shard, fields
      shard_00000.npy      a structured array, one record per person, then its CRC-32 (4 bytes, little-endian)
      shard_00000.lock     while a process is making that shard

Person number p is pose p % poses_per_identity of identity p // poses_per_identity. Shards appear whole or
not at all (written aside, then renamed), so a filling may be stopped at any moment and shared by any number
of processes.
"""

import hashlib
import io
import json
import os
import socket
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from pgt.data.person import Pair, Person
from pgt.data.pose import NUM_JOINTS, Pose
from pgt.files import naming, replace_bytes

FORMAT = 1
STALE_SECONDS = 600  # a lock this old, or of a process that is gone, is nobody's
WRITING_SECONDS = 10  # an empty lock this old was never finished
MAX_OPEN_SHARDS = 256  # each open shard holds a file descriptor
FIELDS = ("label_map", "person_mask", "background")  # of a Person, what a cache may leave out

Render = Callable[[Sequence[tuple[int, int]]], Sequence[Person]]


class PairDataset(Protocol):
    """What training and evaluation take: any sequence of pairs."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Pair: ...


class CachedPeople:
    """People rendered once, kept on disk, and read back as pairs; a `PairDataset`.

    All ordered pairs of different poses of one identity are its items, so N identities in K poses are
    N * K * (K - 1) pairs. A person that is not on disk yet is rendered, with the rest of its shard, when
    asked for.

    Args:
        folder: where caches live; this one gets a folder of its own in it, named by the hash of its
            parameters.
        render: makes the people for a list of (identity, pose number); the same for the same numbers.
        parameters: everything that `render` depends on, as JSON values; other parameters, other cache.
        num_identities: N.
        poses_per_identity: K.
        image_size: (H, W) that people are stored in.
        keep: which of "label_map", "person_mask", "background" to store.
        people_per_shard: people per file.

    Raises:
        ValueError: parameters that are not JSON, counts below 1, or a folder that another format wrote.
    """

    def __init__(
        self,
        folder: str | Path,
        render: Render,
        parameters: Mapping[str, object],
        *,
        num_identities: int,
        poses_per_identity: int,
        image_size: tuple[int, int],
        keep: Sequence[str] = ("label_map", "person_mask"),
        people_per_shard: int = 128,
    ) -> None:
        if min(num_identities, poses_per_identity, people_per_shard, *image_size) < 1:
            raise ValueError("A cache needs at least one identity, pose, pixel and person per shard.")
        if not set(keep) <= set(FIELDS):
            raise ValueError(f"A cache can keep {', '.join(FIELDS)}, but was asked for {', '.join(keep)}.")
        self.num_identities, self.poses_per_identity = num_identities, poses_per_identity
        self.image_size, self.people_per_shard = tuple(image_size), people_per_shard
        self.parameters = dict(parameters)
        self._render = render
        self._dtype = _record_dtype(self.image_size, keep)
        self._open: dict[int, np.ndarray] = {}
        self._checked: set[int] = set()

        index = {
            "format": FORMAT,
            "parameters": dict(parameters),
            "image_size": list(image_size),
            "num_identities": num_identities,
            "poses_per_identity": poses_per_identity,
            "people_per_shard": people_per_shard,
            "fields": [name for name in FIELDS if name in keep],
        }
        try:
            text = json.dumps(index, sort_keys=True, indent=1, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"The parameters of a cache must be JSON values ({error}).") from None
        self.folder = Path(folder) / hashlib.sha256(text.encode()).hexdigest()[:16]
        self._claim_folder(text)

    def _claim_folder(self, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "index.json"
        if not path.exists():
            replace_bytes(path, text.encode())
        elif path.read_text() != text:
            raise ValueError(f"{path} does not belong to this cache; remove its folder or choose another.")

    @property
    def num_people(self) -> int:
        """How many people the cache holds when full."""
        return self.num_identities * self.poses_per_identity

    @property
    def num_shards(self) -> int:
        """How many files hold them."""
        return -(-self.num_people // self.people_per_shard)

    def __len__(self) -> int:
        return self.num_people * (self.poses_per_identity - 1)

    def __getitem__(self, index: int) -> Pair:
        if not -len(self) <= index < len(self):
            raise IndexError(f"Pair {index} of a cache of {len(self)} pairs.")
        person, other = divmod(index % len(self), self.poses_per_identity - 1)
        identity, source = divmod(person, self.poses_per_identity)
        target = other + (other >= source)  # every pose but the source's own
        name = f"{identity}_{source}_to_{target}"
        return Pair(self.person(identity, source), self.person(identity, target), name)

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_open": {}}  # a copy in another process opens the files itself

    def person(self, identity: int, pose: int) -> Person:
        """Return one person, rendering its shard where it is missing or damaged."""
        if not (0 <= identity < self.num_identities and 0 <= pose < self.poses_per_identity):
            raise IndexError(
                f"There is no pose {pose} of identity {identity}; there are "
                f"{self.num_identities} identities in {self.poses_per_identity} poses."
            )
        number = identity * self.poses_per_identity + pose
        shard, place = divmod(number, self.people_per_shard)
        return _from_record(self._shard(shard)[place], f"{identity}_{pose}")

    def fill(self, *, progress: bool = True) -> None:
        """Render everything that is missing; several processes may do so at once, and any may be stopped.

        Args:
            progress: show a bar.
        """
        from tqdm.auto import tqdm

        self._sweep()
        missing = [shard for shard in range(self.num_shards) if not self._is_there(shard)]
        done = self.num_people - sum(self._count(shard) for shard in missing)
        with tqdm(
            total=self.num_people, initial=done, unit="people", desc="Rendering people", disable=not progress
        ) as bar:
            while missing:
                waiting = []
                for shard in missing:
                    if self._make(shard):
                        bar.update(self._count(shard))
                    else:
                        waiting.append(shard)
                if len(waiting) == len(missing):
                    time.sleep(0.2)  # the rest is in the hands of other processes
                missing = waiting

    def _sweep(self) -> None:
        """Remove what killed processes left half written."""
        for path in self.folder.glob("*.tmp"):
            if _age(path) > STALE_SECONDS:
                path.unlink(missing_ok=True)

    def _path(self, shard: int) -> Path:
        return self.folder / f"shard_{shard:05d}.npy"

    def _count(self, shard: int) -> int:
        return min(self.people_per_shard, self.num_people - shard * self.people_per_shard)

    def _is_there(self, shard: int) -> bool:
        """Say whether the file exists in full size; whether its bytes are right is checked on opening."""
        path = self._path(shard)
        return path.exists() and path.stat().st_size > self._count(shard) * self._dtype.itemsize + 4

    def _shard(self, shard: int) -> np.ndarray:
        """Return the records of a shard, memory-mapped, rendering it where it is missing or damaged."""
        if shard not in self._open:
            while not self._is_there(shard):
                if not self._make(shard):
                    time.sleep(0.05)
            if len(self._open) >= MAX_OPEN_SHARDS:
                del self._open[next(iter(self._open))]
            if shard not in self._checked and not _is_intact(self._path(shard)):
                self._path(shard).unlink(missing_ok=True)
                return self._shard(shard)
            self._checked.add(shard)
            records = np.load(self._path(shard), mmap_mode="r", allow_pickle=False)
            self._open[shard] = records.view(np.ndarray)  # a plain view: indexing a memmap costs much more
        return self._open[shard]

    def _make(self, shard: int) -> bool:
        """Render a shard unless another process is at it; say whether it is there now."""
        with _lock(self._path(shard).with_suffix(".lock")) as ours:
            if ours and not self._is_there(shard):
                first = shard * self.people_per_shard
                numbers = range(first, first + self._count(shard))
                people = self._render([divmod(number, self.poses_per_identity) for number in numbers])
                records = np.zeros(len(numbers), self._dtype)
                for record, person in zip(records, people, strict=True):
                    _to_record(person.resized(self.image_size), record)
                buffer = io.BytesIO()
                np.save(buffer, records)
                content = buffer.getbuffer()
                replace_bytes(self._path(shard), content, zlib.crc32(content).to_bytes(4, "little"))
        return self._is_there(shard)


def _record_dtype(size: tuple[int, int], keep: Sequence[str]) -> np.dtype:
    shapes = {"label_map": size, "person_mask": size, "background": (*size, 3)}
    kept = [(name, "u1", shapes[name]) for name in FIELDS if name in keep]
    # `known` has a bit per field of FIELDS: 1 where that person has it.
    joints = [("keypoints", "<f4", (NUM_JOINTS, 2)), ("visible", "?", (NUM_JOINTS,)), ("known", "u1")]
    return np.dtype([("image", "u1", (*size, 3)), *kept, *joints])


def _to_record(person: Person, record: np.void) -> None:
    record["image"], record["keypoints"], record["visible"] = person.image, person.keypoints, person.visible
    for bit, name in enumerate(FIELDS):
        values = getattr(person, name)
        if name in record.dtype.names and values is not None:
            record[name] = values
            record["known"] |= 1 << bit


def _from_record(record: np.void, name: str) -> Person:
    maps = {field: record[field].copy() for bit, field in enumerate(FIELDS) if record["known"] & (1 << bit)}
    if "person_mask" in maps:
        maps["person_mask"] = maps["person_mask"].view(bool)
    image = record["image"].copy()
    return Person(image, Pose(record["keypoints"], record["visible"], image.shape[:2]), **maps, name=name)


def _is_intact(path: Path) -> bool:
    try:
        content = memoryview(path.read_bytes())
    except FileNotFoundError:
        return False
    return zlib.crc32(content[:-4]).to_bytes(4, "little") == content[-4:]


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Try to be the only process at work on something; yields whether we are.

    Two processes can both take over one stale lock at the same moment. They then do the same work twice,
    which is harmless since files appear whole and with the same content.
    """
    if path.exists() and _is_stale(path):
        path.unlink(missing_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        yield False
        return
    try:
        try:
            os.write(descriptor, f"{socket.gethostname()} {os.getpid()}".encode())
        except OSError as error:
            raise naming(error, path) from None
        finally:
            os.close(descriptor)
        yield True
    finally:
        path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_stale(path: Path) -> bool:
    if _age(path) > STALE_SECONDS:
        return True
    try:
        host, pid = path.read_text().split()
    except FileNotFoundError:
        return False  # just released
    except ValueError:
        return _age(path) > WRITING_SECONDS  # just being written, or a kill or a full disk came between
    if host != socket.gethostname() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)  # signal 0 only asks whether the process exists
    except ProcessLookupError:
        return True
    except (PermissionError, ValueError):
        pass
    return False
