"""`import pgt` and `pgt --help` stay quick: heavy libraries are imported where they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

import pgt

ROOT = Path(__file__).parents[1]
HEAVY = {
    "torchvision",
    "gradio",
    "matplotlib",
    "torchmetrics",
    "transformers",
    "accelerate",
    "scipy",
    "skimage",
    "av",
}


def loaded_after(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the top-level modules it has imported."""
    code += "\nimport sys; print(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_import_pgt_imports_nothing_heavy_not_even_torch():
    assert not loaded_after("import pgt") & (HEAVY | {"torch", "numpy"})


def test_the_public_names_import_nothing_heavy():
    names = [name for name in pgt.__all__ if name != "__version__"]
    assert not loaded_after("import pgt\n" + "\n".join(f"pgt.{name}" for name in names)) & HEAVY


def test_library_modules_import_nothing_heavy():
    modules = [
        "pgt.training.engine",
        "pgt.training.pg2",
        "pgt.commands",
        "pgt.photos",
        "pgt.plot",
        "pgt.metrics",
        "pgt.data.readers.video",
    ]
    assert not loaded_after("\n".join(f"import {name}" for name in modules)) & HEAVY


def test_help_does_not_wait_for_torch():
    code = "from pgt.__main__ import main\ntry:\n    main(['train', '--help'])\nexcept SystemExit:\n    pass"
    assert "torch" not in loaded_after(code)


def test_public_names_are_there_and_others_are_not():
    assert {"Person", "Pair", "Pose", "load", "Predictor", "PRESETS", "__version__"} <= set(dir(pgt))
    assert pgt.PRESETS["pg2-tiny"].image_size == (64, 64)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pgt.nothing  # noqa: B018
