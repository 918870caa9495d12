"""What the fuzz tests share: ways to break files and values, and what may come of it."""

import math
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("PGT_FUZZ_EXAMPLES", "12"))
few = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="PGT_FUZZ_EXAMPLES" not in os.environ,  # every run of the suite tries the same
    database=None,
    suppress_health_check=list(HealthCheck),
)
Damage = Callable[[Path], None]


@contextmanager
def one_sentence(*names: str) -> Iterator[None]:
    """Let through nothing but errors of one sentence; it must hold one of the names, if any are given."""
    try:
        yield
    except (ValueError, OSError) as error:
        check_sentence(error, *names)


def check_sentence(error: Exception, *names: str) -> None:
    """Fail unless an error is fit for a user's eyes."""
    said = str(error)
    assert not isinstance(error, UnicodeError | JSONDecodeError), repr(error)
    assert said.strip(), repr(error)
    assert "\n" not in said, said
    assert not names or any(name in said for name in names), said


# Files --------------------------------------------------------------------------------------------------


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """Return a grey PNG that claims a size, with any compressed data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    body = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def npy(shape: str, dtype: str = "<f8") -> bytes:
    """Return a NumPy file that claims a shape, without data."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


HOSTILE = {  # contents that never belong where they are put
    "nothing": b"",
    "zeros": b"\0" * 300,
    "no UTF-8": b"\xff\xfe\xfa" * 100,
    "deep JSON": b"[" * 50_000,
    "deep object": b'{"a":' * 50_000,
    "long number": b'{"keypoints": ' + b"9" * 5000 + b"}",
    "other JSON": b'{"people": 3, "images": {}, "annotations": 5}',
    "bomb": png(200_000, 200_000, zlib.compress(b"\0" * 10_000)),
    "large but short": png(7000, 9000, zlib.compress(b"\0" * 10_000)),
    "broken GIF": b"GIF89a\xff\xff\xff\xff\x80\0\0",
    "program": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 128\n%%EndComments\nquit\n",
    "huge array": npy("(99999999999, 9)"),
    "negative array": npy("(-5, 9)"),
    "array of objects": npy("(3,)", "|O"),
    "spaces": b"name:keypoints_y:keypoints_x\n" + b" " * 60_000 + b":\n",
    "long field": b"from,to\n" + b"a" * 200_000 + b",b\n",
    "quote": b'from,to\n"a,b\n',
}


def cut(share: float) -> Damage:
    """Keep the beginning of a file."""

    def damage(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])

    return damage


def flip(places: Sequence[tuple[float, int]]) -> Damage:
    """Change some bytes: (where, as a share of the length; the new byte)."""

    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        for where, byte in places if content else ():
            content[min(int(where * len(content)), len(content) - 1)] = byte
        path.write_bytes(content)

    return damage


def put(content: bytes) -> Damage:
    """Replace a file's content."""

    def damage(path: Path) -> None:
        path.write_bytes(content)

    return damage


def become(kind: str) -> Damage:
    """Put a thing of another kind in the file's place."""

    def damage(path: Path) -> None:
        path.unlink()
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind != "gone":
            path.symlink_to(kind)

    return damage


SHARE = st.floats(0, 1, exclude_max=True)
DAMAGE = st.one_of(
    st.builds(cut, SHARE),
    st.builds(flip, st.lists(st.tuples(SHARE, st.integers(0, 255)), min_size=1, max_size=12)),
    st.builds(put, st.sampled_from(list(HOSTILE.values()))),
    st.builds(put, st.binary(max_size=200)),
    st.builds(become, st.sampled_from(["folder", "pipe", "gone", "/etc/hostname", "/nowhere", "."])),
)

# Values -------------------------------------------------------------------------------------------------

ODD_NUMBERS = (math.nan, math.inf, -math.inf, 1e300, -1e300, 1e39, 1e6, 10**30, 10**400, -1, 0, 0.5, 2**63)
ODD = st.sampled_from(
    [
        *ODD_NUMBERS,
        None,
        True,
        "",
        "x",
        "../../x",
        "/x",
        "a\nb",
        "\0",
        "\ud800",
        [],
        {},
        [[]],
        [1, 2],
        ["x"] * 3,
    ]
)


@st.composite
def changed(draw: st.DrawFn, value: object) -> object:
    """Put something odd into some place of a JSON value."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 9)):
            return {name: one for name, one in value.items() if name != key}
        return {**value, key: draw(changed(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        place = draw(st.integers(0, len(value) - 1))
        if not draw(st.integers(0, 9)):
            return value[:place] + value[place + 1 :]
        return [*value[:place], draw(changed(value[place])), *value[place + 1 :]]
    return draw(ODD)
