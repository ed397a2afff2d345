"""What `segkit rfm` found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from segkit.diagnostics import Diagnostic
from segkit.results.parts import TableCounts, Threshold


class RfmSegment(NamedTuple):
    """One RFM segment: its customers, its revenue, their shares in percent, and medians."""

    name: str
    customers: int
    share: float
    revenue: Decimal
    revenue_share: float | None
    recency_days: float
    frequency: float
    monetary: float


class RfmResult(NamedTuple):
    """An RFM analysis; `grid[r, f]` counts the customers with these scores; `guesses` is option -> column.

    `rows_are_orders` says that no column tells which rows are one order.
    `path`, `cutoffs` and `chart` are the files that were written.
    """

    as_of: dt.date
    customers: int
    events: int
    bins: int
    method: str
    ties: str
    map: str
    segments: tuple[RfmSegment, ...]
    thresholds: tuple[Threshold, ...]
    grid: Mapping[tuple[int, int], int]
    guesses: Mapping[str, str]
    tables: tuple[TableCounts, ...]
    warnings: tuple[Diagnostic, ...]
    elapsed_seconds: float
    rows_are_orders: bool = False
    path: str | None = None
    cutoffs: str | None = None
    chart: str | None = None
    notes: tuple[Diagnostic, ...] = ()
