"""What `segkit evaluate` has found: what was written to whom, and what came of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from segkit.diagnostics import Diagnostic
from segkit.results import CONTROL, HELD_OUT, WRITTEN

CONVERSION, SPEND = "conversion", "spend"
REACHED = "reached"
"""Those whom a segment has reached, and who are not in the control group."""
ALL_SEGMENTS = "all segments"
"""Everybody whom some segment has reached, beside the control group."""
ARMS = {HELD_OUT: "held out", WRITTEN: "written", CONTROL: "control", REACHED: "all others"}
"""How arms without a name of their own are called."""


class ArmResult(NamedTuple):
    """Customers of a segment who got the same: those held out, all who were written, or those with one variant.

    `expected` is the share of the customers that was drawn for it, from 0 to 1; None where nobody has said. `revenue`
    is None for a table without an amount.
    """

    name: str
    expected: float | None
    customers: int
    buyers: int
    revenue: Decimal | None

    @property
    def conversion(self) -> float | None:
        """The share of buyers, from 0 to 1; None where nobody is in the arm."""
        return self.buyers / self.customers if self.customers else None

    @property
    def per_customer(self) -> float | None:
        """The mean of what was spent; None where nobody is in the arm."""
        return float(self.revenue) / self.customers if self.customers and self.revenue is not None else None


class Comparison(NamedTuple):
    """How an arm differs from another one by a metric: shares from 0 to 1, or money a customer.

    `low` to `high` is the interval of one comparison; `p` is the chance of as large a difference where there is none,
    and `p_adjusted` the same with all comparisons of the metric counted. `relative` is in percent of what the other arm
    has. `total` is the difference times the customers of the arm. What cannot be told is None.
    """

    arm: str
    against: str
    metric: str
    difference: float
    low: float | None
    high: float | None
    relative: float | None
    relative_low: float | None
    relative_high: float | None
    p: float | None
    p_adjusted: float | None
    significant: bool
    detectable: float | None
    total: float | None
    total_low: float | None
    total_high: float | None
    capped: Capped | None


class Capped(NamedTuple):
    """The difference of the means where what one customer has spent counts up to the value of the best of a hundred."""

    at: Decimal
    difference: float
    low: float | None
    high: float | None


class SegmentOutcome(NamedTuple):
    """The arms of a segment, and how they differ.

    `ratio_p` is the chance that a draw makes arms of these sizes. `written_elsewhere` are those of its held out who
    are in the list of another segment.
    """

    name: str
    arms: tuple[ArmResult, ...]
    comparisons: tuple[Comparison, ...]
    ratio_p: float | None
    written_elsewhere: int


class EvaluateResult(NamedTuple):
    """What came of a run from `start` to `until`, both included.

    `compared` is how many comparisons of a metric there are, those of segments that are not shown, too.
    """

    as_of: dt.date
    start: dt.date
    until: dt.date
    customers: int
    level: float
    compared: int
    segments: tuple[SegmentOutcome, ...]
    warnings: tuple[Diagnostic, ...]
