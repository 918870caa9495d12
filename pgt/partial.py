"""An evaluation that was stopped goes on: what it has measured so far lies in one file beside its results.

It is continued only by an evaluation of the same key: a digest of everything that the numbers depend on.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from pgt.files import replace_bytes

ENDING = ".partial"


class Partial:
    """What a stopped evaluation left, and the place for what this one has measured.

    Args:
        path: of the file; None: nothing is kept.
        settings: all that the numbers depend on besides the pictures, as JSON values.
    """

    def __init__(self, path: str | Path | None, settings: Mapping[str, object]) -> None:
        self._path = None if path is None else Path(path)
        self._key = hashlib.sha256(json.dumps(dict(settings), sort_keys=True).encode()).hexdigest()

    def read(self) -> dict | None:
        """Return the state that was kept under the same key; None where there is none, or a damaged one."""
        if self._path is None or not self._path.is_file():
            return None
        try:
            content = torch.load(self._path, map_location="cpu", weights_only=True)
        except Exception:  # damaged bytes make it raise nearly anything; the evaluation begins again
            return None
        return content["state"] if isinstance(content, dict) and content.get("key") == self._key else None

    def write(self, state: Mapping[str, object]) -> None:
        """Replace what is kept: plain values and tensors.

        Raises:
            OSError: it cannot be written, with the file's name; what was kept before stays.
        """
        if self._path is None:
            return
        content = io.BytesIO()
        torch.save({"key": self._key, "state": dict(state)}, content)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        replace_bytes(self._path, content.getbuffer())


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
