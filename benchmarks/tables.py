"""Measured tables on their way into files: `results/` keeps them, the README shows them."""

import json
import re
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"


def block(text: str, name: str) -> re.Match:
    """Find what stands between `<!-- name ... -->` and `<!-- /name -->`.

    Raises:
        ValueError: there is no such block.
    """
    found = re.search(rf"(<!-- {name}\b[^>]*-->\n)(.*?)(<!-- /{name} -->)", text, re.DOTALL)
    if found is None:
        raise ValueError(f"there is no block {name!r} between two comments.")
    return found


def keep(name: str, content: object, markdown: str) -> None:
    """Write `results/name.json` and `results/name.md`, and the table into the README's block of that name."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    (RESULTS / f"{name}.md").write_text(markdown.strip() + "\n")
    text = README.read_text()
    found = block(text, name)
    README.write_text(text[: found.start(2)] + markdown.strip() + "\n" + text[found.end(2) :])
