"""Measured tables on their way into files: `results/` keeps them, the README shows them.

python -m benchmarks.tables    writes the README's badges from the two addresses in `pgt.config`
"""

import json
import re
from pathlib import Path

from pgt.config import HUB_NAMESPACE, PUBLIC_HOME

RESULTS = Path(__file__).parent / "results"
COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
README = Path(__file__).parents[1] / "README.md"


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
    found = re.search(rf"(<!-- {name}\b[^>]*-->\n)(.*?)(<!-- /{name} -->)", text, re.DOTALL)
    if found is None:
        raise ValueError(f"there is no block {name!r} between two comments.")
    return found


def keep(name: str, content: object, markdown: str) -> None:
    """Write `results/name.json` and `results/name.md`, and the table into the README's block of that name."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    (RESULTS / f"{name}.md").write_text(markdown.strip() + "\n")
    into_readme(name, markdown.strip() + "\n")


def into_readme(name: str, content: str) -> None:
    """Replace a block of the README."""
    text = README.read_text()
    found = block(text, name)
    README.write_text(text[: found.start(2)] + content + text[found.end(2) :])


if __name__ == "__main__":
    into_readme("badges", badges())
