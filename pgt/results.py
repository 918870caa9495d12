"""Tables of means, in Markdown, LaTeX and JSON, beside the papers' own numbers where these are wanted."""

import contextlib
import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from pgt.files import replace_bytes

# column of the table -> title, decimals, which way is better
COLUMNS = {
    "ssim": ("SSIM ↑", 3),
    "ms_ssim": ("MS-SSIM ↑", 3),
    "local_ssim": ("local-SSIM ↑", 3),
    "mask_ssim": ("mask-SSIM ↑", 3),
    "foreground_ssim": ("foreground SSIM ↑", 3),
    "foreground_l1": ("foreground L1 ↓", 4),
    "background_l1": ("background L1 ↓", 4),
    "psnr": ("PSNR, dB ↑", 2),
    "l1": ("L1 ↓", 4),
    "lpips": ("LPIPS ↓", 3),
    "fid": ("FID ↓", 2),
    "kid": ("KID ↓", 4),
    "is": ("IS ↑", 3),
    "mask_is": ("mask-IS ↑", 3),
    "detection": ("detection ↑", 3),
    "pckh": ("PCKh@0.5 ↑", 3),
    "sharpness": ("sharpness → 1", 2),
    "map_accuracy": ("map accuracy ↑", 3),
    "map_iou": ("map mIoU ↑", 3),
    "milliseconds": ("ms a picture", 0),
}
MAX_COLUMNS = 12  # of a table whose columns nobody chose
SPARE = ("ms_ssim", "map_accuracy", "l1", "local_ssim")  # left out of a wider one, in this order
LATEX = {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "→": r"$\to$", "∞": r"$\infty$"} | {
    mark: f"\\{mark}" for mark in "&%_#$"
}

Published = Mapping[str, Mapping[str, float]]  # row -> column -> the paper's number


@dataclass(frozen=True)
class EvaluationResult:
    """A table of means, with its spread and its circumstances."""

    means: dict[str, dict[str, float]]  # row -> column -> mean over the pairs
    standard_errors: dict[str, dict[str, float]]  # the same of the means
    protocol: dict[str, dict[str, str | float | int]]  # column -> how it is measured
    facts: dict[str, object] = field(default_factory=dict)  # data, machine, versions, date, seconds

    def to_markdown(self, columns: Sequence[str] | None = None, *, published: Published | None = None) -> str:
        """Write the means as a Markdown table; columns without any number are left out.

        Without `columns`, a table of more than 12 is made narrower; `means` always has all. A column that was
        asked for but could not be measured ("missing" in `facts`) stays, blank.

        Args:
            columns: of `means`, in this order.
            published: numbers of papers; each of their columns is shown twice, "paper" and "ours".
        """
        return markdown_table(self._cells(columns, published))

    def to_latex(self, columns: Sequence[str] | None = None, *, published: Published | None = None) -> str:
        """Write the same as a LaTeX tabular, for the package booktabs."""
        return latex_table(self._cells(columns, published))

    def _cells(self, columns: Sequence[str] | None, published: Published | None) -> list[list[str]]:
        """Return the table as text: the head first, then a line for each row."""
        beside = {row: values for row, values in (published or {}).items() if row in self.means}
        printed = {column for values in beside.values() for column in values}
        known = {column for row in self.means.values() for column in row} | set(self.facts.get("missing", ()))
        shown = [column for column in (columns or COLUMNS) if column in known | printed]
        for column in SPARE if columns is None else ():
            if len(shown) > MAX_COLUMNS and column in shown and column not in printed:
                shown.remove(column)
        whose = [(column, side) for column in shown for side in _sides(column in printed)]
        head = ["method", *(f"{COLUMNS[column][0]}{f', {side}' if side else ''}" for column, side in whose)]
        rows = [
            [name, *(_number(beside.get(name, {}) if side == "paper" else row, c) for c, side in whose)]
            for name, row in self.means.items()
        ]
        return [head, *rows]

    def to_json(self) -> str:
        """Write everything by `as_json`."""
        content = {"facts": self.facts, "protocol": self.protocol}
        return as_json(content | {"means": self.means, "standard_errors": self.standard_errors})

    def save(self, path: str | Path) -> None:
        """Write the JSON to a file, making its folder; the file is complete or not there at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_bytes(path, self.to_json().encode())

    def __str__(self) -> str:
        return self.to_markdown()


def markdown_table(lines: Sequence[Sequence[str]]) -> str:
    """Write cells, the head first, as a Markdown table; all columns but the first are aligned right."""
    head, *rows = lines
    ruled = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in ruled)


def latex_table(lines: Sequence[Sequence[str]]) -> str:
    """Write the same as a LaTeX tabular, for the package booktabs."""
    head, *rows = [[_escaped(cell) for cell in line] for line in lines]
    written = [rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}", r"\toprule"]
    written += [" & ".join(head) + r" \\", r"\midrule", *(" & ".join(row) + r" \\" for row in rows)]
    return "\n".join([*written, r"\bottomrule", r"\end{tabular}"])


def _sides(is_published: bool) -> tuple[str, ...]:
    return ("paper", "ours") if is_published else ("",)


def _escaped(text: str) -> str:
    return "".join(LATEX.get(mark, mark) for mark in text)


def _number(row: Mapping[str, float], column: str) -> str:
    value = row.get(column, math.nan)
    return "" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.{COLUMNS[column][1]}f}"


def as_json(content: object) -> str:
    """Write plain data as JSON; a number that is not finite becomes null."""
    return json.dumps(_finite(content), indent=2) + "\n"


def _finite(value: object) -> object:
    """Replace numbers that JSON does not have by None."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def circumstances(seconds: float) -> dict[str, object]:
    """Return when, where and with what the numbers were measured."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(seconds, 1),
        "commit": _commit(),
        "torch": torch.__version__,
        "versions": versions(),
        "threads": torch.get_num_threads(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def versions() -> dict[str, str]:
    """Return the versions of what computes the numbers, as far as it is installed."""
    found = {"python": platform.python_version()}
    for name in ("pgt", "torch", "numpy", "pillow", "torchvision", "torchmetrics", "torch-fidelity"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _commit() -> str | None:
    """Return the commit of the working copy this file belongs to, "+" appended if it has changes."""
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
