"""The folder of a training run on disk; every write in it survives being killed half-way.

config.json      what was asked for: decides whether a later start continues this run or is refused
log.jsonl        one line per logged step; no clock times in it, so that two equal runs have equal logs
sessions.jsonl   one line per start of the program: device, first and last saved step, seconds
samples/*.png    pictures of the sample pairs
state/           everything needed to continue
generator/       the deployable model, ready for `pgt.load`, with the facts of its card as card.json
"""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pgt.files import first_line, flush, naming, read_json, replace_bytes


class RunFolder:
    """Read and write one run.

    Args:
        path: the folder; made when missing.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.generator = self.path / "generator"
        self._state = self.path / "state" / "state.pt"
        self._log = self.path / "log.jsonl"
        self._earlier_sessions: bytes | None = None

    def claim(self, description: Mapping[str, object]) -> None:
        """Make the folder, or check that the run in it is the one described.

        What the folder has no record of (one of an earlier version) is not compared.

        Raises:
            ValueError: the folder holds a run that was started with other settings.
        """
        path = self.path / "config.json"
        wanted = json.loads(json.dumps(description))  # tuples become lists, as they do in the file
        if not path.exists():
            (self.path / "samples").mkdir(parents=True, exist_ok=True)
            self._state.parent.mkdir(exist_ok=True)
            replace_bytes(path, json.dumps(wanted, indent=2).encode())
            return
        found = read_json(path)
        changes = _differences(found, {key: value for key, value in wanted.items() if key in found})
        if changes:
            raise ValueError(
                f"{self.path} holds a run with other settings ({changes[0]}): choose another run folder."
            )

    def has_state(self) -> bool:
        """Say whether the run has saved something to continue from."""
        return self._state.exists()

    def save_state(self, state: Mapping[str, object]) -> None:
        """Replace the stored state; the previous one stays until the new one is complete on disk.

        Raises:
            OSError: it cannot be written, with the file's name; the previous one is still there.
        """
        temporary = self._state.with_suffix(".new")
        try:
            with temporary.open("wb") as file:
                torch.save(dict(state), file)
                flush(file)
            os.replace(temporary, self._state)
        except (OSError, RuntimeError) as error:  # torch wraps what the disk says
            temporary.unlink(missing_ok=True)
            raise _disk_error(error, self._state) from None
        _flush_folder(self._state.parent)

    def load_state(self) -> dict | None:
        """Return the stored state with its tensors on the CPU, or None where the run has not saved yet.

        Raises:
            ValueError: the file is damaged.
        """
        if not self.has_state():
            return None
        try:
            return torch.load(self._state, map_location="cpu", weights_only=True)
        except Exception as error:  # damaged bytes make it raise nearly anything
            raise ValueError(
                f"{self._state} is damaged ({first_line(error)}); remove the run folder to begin again."
            ) from None

    def log(self, line: Mapping[str, object]) -> None:
        """Append a line to the log."""
        _append_line(self._log, line)

    def note_session(self, line: Mapping[str, object]) -> None:
        """Write the line of the running session, in place of what this object wrote of it before."""
        path = self.path / "sessions.jsonl"
        if self._earlier_sessions is None:
            self._earlier_sessions = path.read_bytes() if path.exists() else b""
        replace_bytes(path, self._earlier_sessions + json.dumps(line).encode() + b"\n")

    def truncate_log(self, step: int) -> None:
        """Drop what was logged after `step`, and a last line that was cut in the middle."""
        if not self._log.exists():
            return
        lines = self._log.read_text().splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        replace_bytes(self._log, "".join(kept).encode())

    def save_picture(self, name: str, picture: np.ndarray) -> None:
        """Write a uint8 (H, W, 3) picture into samples/."""
        content = io.BytesIO()
        Image.fromarray(picture).save(content, "PNG")
        replace_bytes(self.path / "samples" / f"{name}.png", content.getbuffer())


def _append_line(path: Path, line: Mapping[str, object]) -> None:
    try:
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")
    except OSError as error:
        raise naming(error, path) from None


def _disk_error(error: Exception, path: Path) -> OSError:
    """Find what the disk said behind an error of `torch.save`."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__context__
    return OSError(f"{path} cannot be written.") if cause is None else naming(cause, path)


def _flush_folder(path: Path) -> None:
    """Make a rename durable; a no-op where folders cannot be opened (Windows)."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(path, os.O_DIRECTORY)
        os.fsync(handle)
        os.close(handle)


def _differences(found: object, wanted: object, name: str = "") -> list[str]:
    """Name the leaves in which two JSON values differ."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = sorted(found.keys() | wanted.keys())
        prefix = f"{name}." if name else ""
        return [d for key in keys for d in _differences(found.get(key), wanted.get(key), prefix + key)]
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        numbered = enumerate(zip(found, wanted, strict=True))
        return [d for i, (old, new) in numbered for d in _differences(old, new, f"{name}[{i}]")]
    return [] if found == wanted else [f"{name} was {found!r}, now {wanted!r}"]
