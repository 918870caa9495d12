"""The papers' own numbers, from `papers.json`, each with its paper, table and row."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("papers.json")
PROTOCOLS = {("mrnet", "bbc-pose"): "mrnet-bbc", ("mrnet", "penn-action"): "mrnet-penn"}  # else the paper's
READERS = {"market1501": "market-1501", "deepfashion-176": "deepfashion"}  # whose names are not the papers'
SIZES = {  # (H, W) of the pictures that the papers drew, where they say so
    "deepfashion": (256, 256),
    "deepfashion-backgrounds": (256, 256),
    "market-1501": (128, 64),
    "penn-action": (128, 128),
    "bbc-pose": (128, 128),
}
STUDY = (  # what only people can tell
    "r2g", "g2r", "preferred_mean", "preferred_variance",
    "judged_sharp", "judged_authentic", "judged_accurate",
)  # fmt: skip


@dataclass(frozen=True)
class PublishedTable:
    """The part of a paper's table that belongs to one dataset."""

    paper: str  # "pg2", "spt", "mrnet" or "progressive"
    citation: str
    table: str
    dataset: str
    rows: Mapping[str, Mapping[str, float]]  # the paper's row -> metric -> value
    ours: Mapping[str, str]  # row of a table of ours -> the paper's row of the same method

    @property
    def is_study(self) -> bool:
        """Whether people were asked."""
        return any(name in STUDY for row in self.rows.values() for name in row)


@dataclass(frozen=True)
class PublishedRow:
    """One method's published numbers, and where they stand."""

    values: Mapping[str, float]  # metric, named as in `pgt.metrics` -> value
    source: str
    dataset: str
    protocol: str  # the name of the paper's in `pgt.protocols`

    def differences(self, facts: Mapping[str, Any], num_pairs: int | None) -> dict[str, list[str]]:
        """Say in what an evaluation differs from the paper's; what the paper leaves open is not compared.

        Args:
            facts: of an `EvaluationResult`.
            num_pairs: on how many the paper's numbers stand; None: it does not say.

        Returns:
            "data", "split", "size", "protocol" or "pairs" -> the paper's and ours.
        """
        data, size = facts["data"], SIZES.get(self.dataset)
        first = next(f"{name} {value}" for name, value in data.items())  # such as "people synthetic"
        compared = {
            "data": (self.dataset, dataset_of(data["dataset"]) if "dataset" in data else first),
            "split": ("test", data.get("split")),
            "size": (size and _sides(size), _sides(facts["image_size"])),
            "protocol": (self.protocol, facts["protocol"]["name"]),
            "pairs": (num_pairs and str(num_pairs), str(data["pairs"])),
        }
        return {name: [a, b] for name, (a, b) in compared.items() if None not in (a, b) and a != b}


@lru_cache(maxsize=1)
def published_tables() -> tuple[PublishedTable, ...]:
    """Read all tables, paper by paper."""
    papers = json.loads(FILE.read_text(encoding="utf-8"))
    return tuple(
        PublishedTable(paper, content["citation"], **table)
        for paper, content in papers.items()
        for table in content["tables"]
    )


def dataset_of(reader: str) -> str:
    """Name a reader's dataset as the papers' tables do."""
    return READERS.get(reader, reader)


def published_datasets() -> tuple[str, ...]:
    """Name the datasets that any table is about."""
    return tuple(dict.fromkeys(table.dataset for table in published_tables()))


def published_rows(dataset: str) -> dict[str, PublishedRow]:
    """Return what each method's own paper reports on a dataset, by the rows of our tables, "PG2 refined" etc.

    Raises:
        ValueError: no table is about that dataset.
    """
    if dataset not in published_datasets():
        raise ValueError(
            f"no paper's table is about {dataset!r}; there are {', '.join(published_datasets())}."
        )
    found: dict[str, PublishedRow] = {}
    for table in published_tables():
        for ours, row in table.ours.items() if table.dataset == dataset and not table.is_study else ():
            found.setdefault(ours, _row(table, row))
    return found


def published_studies(dataset: str, metric: str) -> dict[str, PublishedRow]:
    """Return what the papers' user studies on a dataset found, by our names of the methods or else by theirs.

    Args:
        dataset: as for `published_rows`.
        metric: what a study must have measured, such as "r2g" or "preferred_mean".

    Raises:
        ValueError: as `published_rows`.
    """
    published_rows(dataset)
    found: dict[str, PublishedRow] = {}
    for table in published_tables():
        if table.dataset != dataset or not table.is_study:
            continue
        names = {row: ours for ours, row in table.ours.items()}
        for row, values in table.rows.items():
            if metric in values:
                found.setdefault(names.get(row, row), _row(table, row))
    return found


def _row(table: PublishedTable, row: str) -> PublishedRow:
    source = f"{table.citation}, {table.table}, {table.dataset}, row {row!r}"
    protocol = PROTOCOLS.get((table.paper, table.dataset), table.paper)
    return PublishedRow(table.rows[row], source, table.dataset, protocol)


def _sides(size: Sequence[int]) -> str:
    return "x".join(map(str, size))
