"""An evaluation that was stopped goes on: what it has measured so far lies in one file beside its results.

It is continued only by an evaluation of the same key: a digest of everything that the numbers depend on.
"""

import hashlib
import io
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pgt.files import replace_bytes

ENDING = ".partial"
SECONDS = 60  # between two writings: with Inception's features a state grows to a gigabyte


class Partial:
    """What a stopped evaluation left, and the place for what this one has measured; a context.

    A state that is kept is written at the latest when the context ends, be it by Ctrl-C or an error. Who is
    killed loses what was kept since the last writing: the work of `SECONDS`, and the batch after them.

    Args:
        path: of the file; None: nothing is kept.
        settings: all that the numbers depend on besides the pictures, as JSON values.
    """

    def __init__(self, path: str | Path | None, settings: Mapping[str, object]) -> None:
        self._path = None if path is None else Path(path)
        self._key = hashlib.sha256(json.dumps(dict(settings), sort_keys=True).encode()).hexdigest()
        self._unwritten: Mapping[str, object] | None = None
        self._written = time.monotonic()

    def __enter__(self) -> "Partial":
        return self

    def __exit__(self, *_: object) -> None:
        if self._unwritten is not None:
            self._write(self._unwritten)

    def read(self) -> dict | None:
        """Return the state that was kept under the same key; None where there is none, or a damaged one."""
        if self._path is None or not self._path.is_file():
            return None
        try:
            content = torch.load(self._path, map_location="cpu", weights_only=True)
        except Exception:  # damaged bytes make it raise nearly anything; the evaluation begins again
            return None
        return content["state"] if isinstance(content, dict) and content.get("key") == self._key else None

    def keep(self, state: Mapping[str, object]) -> None:
        """Put a state, plain values and lists of tensors, in place of the one before.

        Raises:
            OSError: it cannot be written, with the file's name; what was written before stays.
        """
        if self._path is None:
            return
        self._unwritten = state
        if time.monotonic() - self._written >= SECONDS:
            self._write(state)

    def _write(self, state: Mapping[str, object]) -> None:
        content = io.BytesIO()
        torch.save({"key": self._key, "state": _joined(state)}, content)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        replace_bytes(self._path, content.getbuffer())
        self._unwritten, self._written = None, time.monotonic()


def _joined(value: Any) -> Any:
    """Join each list of tensors, batch by batch, into one tensor: many little ones take long to write."""
    if isinstance(value, Mapping):
        return {name: _joined(entry) for name, entry in value.items()}
    is_batches = isinstance(value, list) and value and all(isinstance(entry, Tensor) for entry in value)
    return [torch.cat(value)] if is_batches else value


def beside(path: str | Path) -> Path:
    """Return where the unfinished part of a results file lies."""
    path = Path(path)
    return path.with_name(path.name + ENDING)


def fingerprint(network: nn.Module | None) -> str:
    """Return a digest of a network: its class, its settings and every weight."""
    digest = hashlib.sha256(f"{type(network).__module__}.{type(network).__qualname__}".encode())
    if network is None:
        return digest.hexdigest()
    plain = {k: v for k, v in vars(network).items() if isinstance(v, str | int | float | tuple | None)}
    digest.update(repr((sorted(plain.items(), key=str), getattr(network, "config", None))).encode())
    for name, values in network.state_dict().items():
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def sources() -> str:
    """Return a digest of this library's own code and of the weights that it brings along."""
    digest, root = hashlib.sha256(), Path(__file__).parent
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.safetensors")]):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()
