"""What `segkit cluster` finds: personas, how their number was chosen, and the rules that say who is in which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from segkit.diagnostics import Diagnostic

STABLE = 0.8
"""From this stability on, two halves of the customers make the same personas."""
SMALLEST = 5
"""A persona of a smaller share of the customers, in percent, is no persona."""
ChosenBy: TypeAlias = Literal["largest-stable", "most-stable", "given"]


WHY: Mapping[ChosenBy, str] = {
    "largest-stable": f"chosen: the most that are stable ({STABLE} or more), none under {SMALLEST} %",
    "most-stable": "chosen: the most stable; none of them holds",
    "given": "given",
}
"""Why a number of personas was taken, in words."""


class TriedK(NamedTuple):
    """A number of clusters: the share of the smallest one, in percent, and how stable they are.

    `stability` is the adjusted Rand index between what two halves of the customers make of all: 1 is the same, 0 is
    chance. Halves are drawn several times: it is the mean less a standard deviation.
    """

    k: int
    smallest: float
    stability: float

    @property
    def holds(self) -> bool:
        """Whether it is stable, and none of its personas is small."""
        return self.stability >= STABLE and self.smallest >= SMALLEST


class ClusteredColumn(NamedTuple):
    """A column that personas are made of: the family of its conditions, its median, and how many customers lack it.

    `logarithm` says that not the values were compared, but how many times larger one is than another.
    """

    name: str
    family: str
    median: float
    missing: int
    logarithm: bool


class Persona(NamedTuple):
    """A cluster: its size, its medians by column, and the columns by which it stands out, the farthest first.

    `deviations` are the means of the columns in standard deviations of all, as they were compared. `by_rules` is how
    many customers the rules put here, `agree` how many of these the clusters do, too.
    """

    name: str
    customers: int
    share: float
    medians: Mapping[str, float]
    deviations: Mapping[str, float]
    stands_out: tuple[str, ...]
    by_rules: int
    agree: int


class Bounds(NamedTuple):
    """A range of a column: `least` <= value < `below`; None where a side is open."""

    least: Decimal | None = None
    below: Decimal | None = None


class Rule(NamedTuple):
    """A leaf of the tree: the customers whose columns are within these bounds are of the persona."""

    persona: str
    bounds: Mapping[str, Bounds]
    customers: int
    agree: int


class ClusterResult(NamedTuple):
    """The personas, by size, and the rules; `agree` of the clustered `customers` have the same persona by both.

    `left_out` lack one of the columns. `tried_on` is how many customers the numbers in `tried` are of.
    """

    as_of: dt.date
    seed: int
    customers: int
    left_out: int
    columns: tuple[ClusteredColumn, ...]
    tried: tuple[TriedK, ...]
    tried_on: int
    k: int
    chosen_by: ChosenBy
    personas: tuple[Persona, ...]
    rules: tuple[Rule, ...]
    agree: int
    path: str | None
    rules_path: str | None
    warnings: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...]
    elapsed_seconds: float

    @property
    def accuracy(self) -> float:
        """The share of the clustered customers whom the rules put into their persona, in percent."""
        return 100 * self.agree / self.customers

    def stands_out(self, persona: Persona) -> list[str]:
        """What it stands out by, its median against that of all: `frequency 10 against 2`."""
        of_all = {column.name: column.median for column in self.columns}
        return stands_out_by(persona.stands_out, persona.medians, of_all)


def stands_out_by(columns: Iterable[str], medians: Mapping[str, float], of_all: Mapping[str, float]) -> list[str]:
    """The medians in these columns against those of all: `frequency 10 against 2`."""
    return [f"{one} {shown(medians[one])} against {shown(of_all[one])}" for one in columns]


def shown(value: float) -> str:
    """A median as people read it: 3,710, 51, 2.5, 0.031."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 1 or not value else f"{value:.2g}"
