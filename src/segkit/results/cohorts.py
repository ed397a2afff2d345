"""What `segkit cohorts` found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from segkit.diagnostics import Diagnostic
from segkit.results.parts import TableCounts


class CohortCell(NamedTuple):
    """A cohort in one period, 0 being that of the first event.

    `customers` have an event then, `percent` of the cohort; `revenue` is None where no amount is known. The period is
    `open` where it is not over on the day of the analysis, so that more may come.
    """

    period: int
    customers: int
    percent: float
    revenue: Decimal | None
    open: bool


class Cohort(NamedTuple):
    """The customers whose first event was in the period `name`, and a cell for each period since."""

    name: str
    customers: int
    cells: tuple[CohortCell, ...]


class CohortsResult(NamedTuple):
    """An analysis of cohorts: `by` is what a period is, `show` the figure of tables and files.

    `customers` are in a cohort, `without_events` in none. `table` is the event table of a rule file, None for a file of
    events. `segment` is who is looked at, where that is not everybody. `open_period` is the period that is not over.
    `guesses` is option -> column; `rows_are_orders` says that no column tells which rows are one order. `path` is the
    file that was written.
    """

    as_of: dt.date
    by: str
    show: str
    table: str | None
    segment: str | None
    customers: int
    events: int
    without_events: int
    open_period: str | None
    cohorts: tuple[Cohort, ...]
    guesses: Mapping[str, str]
    rows_are_orders: bool
    tables: tuple[TableCounts, ...]
    warnings: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...]
    elapsed_seconds: float
    path: str | None = None
