"""What several results have: counts of tables, thresholds, fitted models, overlaps."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple


class Overlap(NamedTuple):
    """Customers who are in both segments: written in both after a run, members of both where a file is checked."""

    first: str
    second: str
    customers: int


class TableCounts(NamedTuple):
    """What became of the rows of one input table; every row left out has its reason."""

    name: str
    rows: int
    left_out: Mapping[str, int]
    detected: Mapping[str, str] = MappingProxyType({})
    paths: tuple[str, ...] = ()


class Threshold(NamedTuple):
    """The cuts in force for one column: scores rise by one at each, or a share of customers begins at the only one.

    `inclusive` tells whether the cut itself is on the upper side, `falls` whether low values are, as with recency. The
    cuts are for customers with the scores, or values of columns, in `within`, or for all where it is empty. `groups`
    counts the groups, shown or not. With `mean`, the value is the mean of the group. `id` is the same in every run, and
    `customers` says how many the cuts were made of, none where they were given. `rfm` is the name of the RFM table
    whose scores they give, "" for the one without a name; none where they give no scores.
    """

    column: str
    values: tuple[Decimal, ...]
    inclusive: bool
    id: str = ""
    keys: tuple[str, ...] = ()
    falls: bool = False
    within: Mapping[str, int | str | None] = {}
    groups: int = 0
    mean: bool = False
    customers: int | None = None
    rfm: str | None = None


class Count(NamedTuple):
    """Customers with one value of a column (none: missing), and their share of all in percent."""

    value: str | None
    customers: int
    share: float


class Distribution(NamedTuple):
    """How the customers divide among the values of a computed column; `kind` names the values: stage, grade."""

    column: str
    kind: str
    values: tuple[Count, ...]


class FittedModel(NamedTuple):
    """A model fitted to so many customers; `repeaters` counts those with orders on two days or more."""

    name: str
    parameters: Mapping[str, float]
    log_likelihood: float
    customers: int
    repeaters: int
