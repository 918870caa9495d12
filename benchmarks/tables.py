"""Measured tables on their way into files: `results/` keeps them, the READMEs here and at the top show them.

python -m benchmarks.tables    writes the README's badges from the two addresses in `pgt.config`
"""

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

import torch

from pgt.config import HUB_NAMESPACE, PUBLIC_HOME

RESULTS = Path(__file__).parent / "results"
COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
README = Path(__file__).parents[1] / "README.md"
PAGES = (README, Path(__file__).with_name("README.md"))


def circumstances() -> dict[str, object]:
    """Say where, with what and when something is being measured."""
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def badges(home: str = PUBLIC_HOME, namespace: str = HUB_NAMESPACE) -> str:
    """Return the README's badges: one for each address that has been decided, so none at present."""
    lines = []
    if home:
        colab = home.replace("https://github.com/", "https://colab.research.google.com/github/")
        colab = f"{colab}/blob/main/notebooks/00_tour.ipynb"
        lines.append(f"[![Open in Colab]({COLAB_BADGE})]({colab})")
    if namespace:
        lines.append(f"[weights on the Hub](https://huggingface.co/{namespace})")
    return "".join(line + "\n" for line in lines)


def block(text: str, name: str) -> re.Match:
    """Find what stands between `<!-- name ... -->` and `<!-- /name -->`.

    Raises:
        ValueError: there is no such block.
    """
    found = re.search(rf"(<!-- {name}(?::[^>]*)? -->\n)(.*?)(<!-- /{name} -->)", text, re.DOTALL)
    if found is None:
        raise ValueError(f"there is no block {name!r} between two comments.")
    return found


def keep(name: str, content: object, markdown: str, short: str = "") -> None:
    """Write `results/name.json` and `results/name.md`, and the table into every page that has such a block.

    Args:
        name: of the block.
        content: everything measured, as JSON values.
        markdown: the table.
        short: what of it belongs on a page with little room, into blocks `name-short`.

    Raises:
        ValueError: no page has such a block.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    _onto_pages(name, markdown)
    if short:
        _onto_pages(f"{name}-short", short)


def _onto_pages(name: str, markdown: str) -> None:
    (RESULTS / f"{name}.md").write_text(markdown.strip() + "\n")
    pages = [page for page in PAGES if name in blocks(page.read_text())]
    if not pages:
        raise ValueError(f"no page has a block {name!r} between two comments.")
    for page in pages:
        fill(page, name, markdown.strip() + "\n")


def blocks(text: str) -> list[str]:
    """Name the blocks of a page."""
    return re.findall(r"<!-- /([\w-]+) -->", text)


def fill(page: Path, name: str, content: str) -> None:
    """Replace a block of a page."""
    text = page.read_text()
    found = block(text, name)
    page.write_text(text[: found.start(2)] + content + text[found.end(2) :])


if __name__ == "__main__":
    fill(README, "badges", badges())
