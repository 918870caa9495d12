"""Files that are written whole or not at all, and text that is read with a clear word on what is wrong."""

import json
import os
import uuid
from pathlib import Path


def replace_bytes(path: str | Path, *parts: bytes | memoryview) -> None:
    """Write a file so that others see the old content or the new, never a part.

    Args:
        path: of the file, in a folder that exists.
        parts: of the content, one after the other.

    Raises:
        OSError: it cannot be written, with the file's name; nothing is left behind.
    """
    path = Path(path)
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(aside, "wb") as file:
            for part in parts:
                file.write(part)
            flush(file)
        os.replace(aside, path)
    except OSError as error:
        raise naming(error, path) from None
    finally:
        aside.unlink(missing_ok=True)


def flush(file) -> None:
    """Bring what was written to an open file onto the disk."""
    file.flush()
    os.fsync(file.fileno())


def naming(error: OSError, path: str | Path) -> OSError:
    """Return an error that says which file it is about: a full disk does not say it by itself."""
    if error.errno is None:
        return error
    return type(error)(error.errno, error.strerror or os.strerror(error.errno), str(path))


def read_text(path: str | Path) -> str:
    """Read a text file in UTF-8, with or without a byte order mark.

    Raises:
        ValueError: one sentence with the file's name: it is no text.
        OSError: no such file, or one that may not be read.
    """
    if Path(path).is_fifo():  # it might never end
        raise ValueError(f"{path} is a pipe, not a file.")
    content = Path(path).read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8 (byte {error.start}).") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: str | Path) -> object:
    """Read a JSON file.

    Raises:
        ValueError: one sentence with the file's name: it is no text or no JSON.
        OSError: as `read_text`.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not readable JSON ({error}).") from None


def first_line(error: BaseException) -> str:
    """Return what an error says, without line breaks or a full stop, for use in a sentence; else its name."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else error
    lines = str(said).strip().splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__
