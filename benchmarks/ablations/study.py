"""What ablations are made of: variants, how much is done with them, tables of scores, and claims."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pgt.config import Config

KINDS = ("better", "not worse", "same", "below")
Paper = Mapping[str, Mapping[str, Mapping[str, float]]]  # table -> row -> column -> number


class Variant(Protocol):
    """One configuration: what it is called, what it continues, and what it is trained by."""

    @property
    def name(self) -> str:
        """Of its results."""

    @property
    def parent(self) -> str | None:
        """The variant whose run it continues."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Trained after the parent's; none: the parent's weights, used otherwise."""

    def config(self, steps_scale: float = 1.0) -> Config:
        """Return its settings, all stages since the beginning of its run included."""


@dataclass(frozen=True)
class Effort:
    """How much is done; results of different efforts are never mixed.

    Args:
        steps_scale: multiplies the steps of all stages.
        identities: people to train on, each in several pictures.
        pairs: of unseen people, to score on.
    """

    steps_scale: float = 1.0
    identities: int = 1000
    pairs: int = 300


@dataclass(frozen=True)
class Experiment:
    """One table of scores.

    Args:
        name: what `--only` calls it.
        title: of the table.
        rows: label -> variant.
        columns: which scores.
        tables: of the paper, to be shown beside it.
    """

    name: str
    title: str
    rows: Mapping[str, str]
    columns: Sequence[str]
    tables: Sequence[str] = ()


@dataclass(frozen=True)
class Claim:
    """One sentence of a paper, made measurable.

    Args:
        source: table, figure or section.
        text: the claim.
        paper: the paper's rows, from worse to better, and a column, of its `tables`; or, where it shows
            pictures or curves alone, what it says of them.
        score: which of the study's scores decides.
        ours: the variant that the claim is about.
        rival: what it is compared with; none for "below".
        kind: "better" or "not worse" than the rival, the "same" as it, or "below" a bound.
        yardstick: two variants; half of what the second gains on the first is what "not worse" and "same"
            allow.
        bound: of "below".
        tables: where the paper's rows stand; in `source` by default.
    """

    source: str
    text: str
    paper: tuple[str, ...] | str
    score: str
    ours: str
    rival: str = ""
    kind: str = "better"
    yardstick: tuple[str, str] | None = None
    bound: float = math.nan
    tables: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS or (self.kind in ("same", "not worse")) != (self.yardstick is not None):
            raise ValueError(f"a claim is one of {KINDS}, with a yardstick for two of them: {self}")


@dataclass(frozen=True)
class Study:
    """The ablations of one approach.

    Args:
        name: of the folder of its results, and the first word of its table of claims.
        command: the module that makes them.
        variants: by name, parents before their children.
        experiments: tables of scores, in their order.
        claims: in the order of the paper.
        paper: its numbers.
        scores: score -> title, decimals, the goal: "more", "less" or "one".
        size: (H, W) of the pictures.
        effort: unless told otherwise.
    """

    name: str
    command: str
    variants: Mapping[str, Variant]
    experiments: tuple[Experiment, ...]
    claims: tuple[Claim, ...]
    paper: Paper
    scores: Mapping[str, tuple[str, int, str]]
    size: tuple[int, int]
    effort: Effort = Effort()

    def chosen(self, names: Sequence[str] | None) -> list[str]:
        """Return the variants of some experiments, or those of such names; all for none.

        Raises:
            ValueError: a name of neither.
        """
        experiments = {one.name: [*one.rows.values()] for one in self.experiments}
        variants: list[str] = []
        for name in names or experiments:
            if name not in experiments and name not in self.variants:
                known = ", ".join([*experiments, *self.variants])
                raise ValueError(f"there is no experiment or variant {name!r}; there are {known}.")
            variants += experiments.get(name, [name])
        return [*dict.fromkeys(variants)]

    def with_parents(self, names: Iterable[str]) -> list[Variant]:
        """Return the variants of some names and all that they continue, parents first.

        Raises:
            KeyError: there is no such variant.
        """
        needed = {one.name for name in names for one in lineage(self.variants[name], self.variants)}
        return [variant for name, variant in self.variants.items() if name in needed]


def lineage(variant: Variant, variants: Mapping[str, Variant]) -> tuple[Variant, ...]:
    """Return the runs that a variant stands on, first one first, and itself."""
    before = lineage(variants[variant.parent], variants) if variant.parent else ()
    return (*before, variant)


def papers_words(claim: Claim, paper: Paper) -> str:
    """Return what the paper has: numbers of its tables, or its words on a figure."""
    if isinstance(claim.paper, str):
        return claim.paper
    *rows, column = claim.paper
    parts = []
    for table in claim.tables or (claim.source,):
        numbers = " → ".join(papers_number(column, paper[table][row][column]) for row in rows)
        data = table.partition(", ")[2] or table  # the claim's source has named the table
        parts.append(numbers + (f" ({data})" if claim.tables else ""))
    return f"{column} " + ", ".join(parts)


def papers_number(column: str, number: float) -> str:
    """Write a number with the decimals that the papers' tables have."""
    return f"{number:.{2 if column.endswith('%') else 3}f}"
