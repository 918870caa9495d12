"""Pose-guided person image generation: synthetic people, four published approaches, and their tools."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> the module that defines it. Imported when first touched, so that `import pgt` is quick.
_HOMES = {
    "PRESETS": "pgt.config",
    "Pair": "pgt.data.person",
    "Person": "pgt.data.person",
    "Pose": "pgt.data.pose",
    "Predictor": "pgt.predictor",
    "load": "pgt.checkpoint",
}
__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pgt' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
