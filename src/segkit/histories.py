"""A line of the history that runs carry on, and what `segkit history` makes of the lines."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Line(NamedTuple):
    """A segment on the day of a run; None where nothing is known, or where fewer than `min_cell` customers are counted.

    `entered`, `left` and `stayed_percent` are since the last run of an earlier day. `buyers`, their share `conversion`
    (from 0 to 1), `revenue` and `per_customer` are of these customers, from the day after until the next run.
    """

    as_of: str
    segment: str
    customers: int | None
    entered: int | None = None
    left: int | None = None
    stayed_percent: float | None = None
    buyers: int | None = None
    conversion: float | None = None
    revenue: Decimal | None = None
    per_customer: float | None = None


class SegmentHistory(NamedTuple):
    """The lines of a segment, in the order of days, and what they come to."""

    name: str
    lines: tuple[Line, ...]

    @property
    def first(self) -> int | None:
        """How many customers it had first."""
        return next((line.customers for line in self.lines if line.customers is not None), None)

    @property
    def last(self) -> int | None:
        """How many customers it had last."""
        return next((line.customers for line in reversed(self.lines) if line.customers is not None), None)

    @property
    def stayed_percent(self) -> float | None:
        """The share of its customers that was still there in the next run, over all runs, in percent."""
        pairs = [
            (before.customers, line.stayed_percent)
            for before, line in zip(self.lines, self.lines[1:], strict=False)
            if before.customers and line.stayed_percent is not None
        ]
        customers = sum(size for size, _ in pairs)
        return sum(size * stayed for size, stayed in pairs) / customers if customers else None

    @property
    def buyers(self) -> int | None:
        """How many bought before the next run, of all runs together; a customer counts in each."""
        found = [line.buyers for line in self.lines if line.buyers is not None]
        return sum(found) if found else None

    @property
    def conversion(self) -> float | None:
        """Their share, from 0 to 1."""
        customers = sum(line.customers or 0 for line in self.lines if line.buyers is not None)
        return (self.buyers or 0) / customers if customers else None

    @property
    def per_customer(self) -> float | None:
        """What they spent, for each customer of these runs."""
        known = [line for line in self.lines if line.revenue is not None]
        customers = sum(line.customers or 0 for line in known)
        return float(sum((line.revenue or Decimal() for line in known), Decimal())) / customers if customers else None


class HistoryResult(NamedTuple):
    """The history of a run: its days, and those with another rule file than on the day before; the segments."""

    path: str
    days: tuple[str, ...]
    rules_changed: tuple[str, ...]
    segments: tuple[SegmentHistory, ...]


class Move(NamedTuple):
    """How many customers had one value of a column in the run before, and another one, or the same, in this run.

    No value is None. `customers` is None for fewer than `min_cell`.
    """

    column: str
    old: str | None
    new: str | None
    customers: int | None


class MovesResult(NamedTuple):
    """What the tracked columns of a run say: since which day, of how many customers, and who came and went.

    `since` is None for the first run. `fewest` are the customers that a number has at least.
    """

    path: str
    as_of: str
    since: str | None
    customers: int
    came: int
    gone: int
    fewest: int
    columns: tuple[str, ...]
    moves: tuple[Move, ...]
