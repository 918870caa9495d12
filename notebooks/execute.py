"""Execute the notebooks in place, keep their outputs, and write the measured time into each header.

    python notebooks/execute.py            # all of them
    python notebooks/execute.py 02         # those whose name starts with 02

The header's badges are made from `pgt.config.PUBLIC_HOME`; while it is empty there are none.
"""

import argparse
import base64
import io
import os
import platform
import re
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

from pgt.config import PUBLIC_HOME

HERE = Path(__file__).parent
TIME_LINE = re.compile(r"^\*Time: .*\*$", re.MULTILINE)
BADGE_LINE = re.compile(r"^\[!\[Open in Colab\].*\n\n", re.MULTILINE)
OUTPUT_LIMIT = 2_500_000  # bytes a notebook may weigh with its pictures


def execute(notebook: nbformat.NotebookNode, timeout: int = 600) -> float:
    """Run every cell from top to bottom in a fresh kernel, in place; return the seconds it took."""
    started = time.perf_counter()
    NotebookClient(notebook, timeout=timeout, resources={"metadata": {"path": str(HERE)}}).execute()
    return time.perf_counter() - started


def badge(name: str) -> str:
    """Return the Colab badge of a notebook, or nothing while the project has no public home."""
    if not PUBLIC_HOME:
        return ""
    path = f"{PUBLIC_HOME.removeprefix('https://github.com/')}/blob/main/notebooks/{name}"
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open in Colab]({image})](https://colab.research.google.com/github/{path})\n\n"


def stamp(notebook: nbformat.NotebookNode, name: str, seconds: float) -> None:
    """Write the measured time and the badge into the header cell."""
    machine = f"{os.cpu_count()} {platform.machine()} CPU cores"
    line = f"*Time: {seconds:.0f} s from top to bottom on {machine}, measured.*"
    header = BADGE_LINE.sub("", notebook.cells[0].source)
    notebook.cells[0].source = badge(name) + TIME_LINE.sub(line, header)


def clean(notebook: nbformat.NotebookNode) -> None:
    """Drop what changes from run to run, widget state and execution times; store pictures in fewer bytes."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", ()):
                output.data["image/png"] = smaller(output.data["image/png"])


def smaller(picture: str) -> str:
    """Compress a PNG in base64 harder; no pixel changes."""
    content = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(picture))).save(content, "PNG", optimize=True)
    return min(picture, base64.b64encode(content.getvalue()).decode(), key=len)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prefix", nargs="*", default=[""], help="names to run start with one of these")
    prefixes = tuple(parser.parse_args().prefix)
    for path in sorted(HERE.glob("[0-9][0-9]_*.ipynb")):
        if not path.name.startswith(prefixes):
            continue
        notebook = nbformat.read(path, as_version=4)
        seconds = execute(notebook)
        stamp(notebook, path.name, seconds)
        clean(notebook)
        nbformat.write(notebook, path)
        weight = path.stat().st_size
        assert weight < OUTPUT_LIMIT, f"{path.name} weighs {weight / 1e6:.1f} MB: make its pictures smaller"
        print(f"{path.name}: {seconds:.0f} s, {weight / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
