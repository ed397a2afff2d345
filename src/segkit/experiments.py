"""What `segkit evaluate` has found: what was written to whom, and what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

from segkit.diagnostics import Diagnostic
from segkit.results.terms import CONTROL, HELD_OUT, WRITTEN

CONVERSION, SPEND = "conversion", "spend"
REACHED = "reached"
"""Those whom a segment has reached, and who are not in the control group."""
ALL_SEGMENTS = "all segments"
"""Everybody whom some segment has reached, beside the control group."""
ARMS = {HELD_OUT: "held out", WRITTEN: "written", CONTROL: "control", REACHED: "all others"}
"""How arms without a name of their own are called."""
Kind = Literal["share", "mean"]
"""What a metric is of the customers of an arm: how many of them do something, or what each does on average."""

_CHANCES = ("p", "p_adjusted", "ratio_p")
_DIGITS = 6


def rounded(name: str, value: float) -> float:
    """A figure that is not exact as it goes out: six digits behind the point, of a chance six that are not 0."""
    return float(f"{value:.{_DIGITS}g}") if name in _CHANCES else round(value, _DIGITS)


class ArmFigure(NamedTuple):
    """What the customers of an arm did by a metric: how many of them did it, and for a mean, the sum of all."""

    metric: str
    customers: int
    total: Decimal | None


class ArmResult(NamedTuple):
    """Customers of a segment who got the same: those held out, all who were written, or those with one variant.

    `expected` is the share of the customers that was drawn for it, from 0 to 1; None where nobody has said. What
    `figures` have nothing of is None: there is no revenue for a table without an amount.
    """

    name: str
    expected: float | None
    customers: int
    figures: tuple[ArmFigure, ...]

    def figure(self, metric: str) -> ArmFigure | None:
        """What the arm did by a metric."""
        return next((one for one in self.figures if one.metric == metric), None)

    def share(self, metric: str) -> float | None:
        """The share of those who did it, from 0 to 1; None where nobody is in the arm."""
        found = self.figure(metric)
        return found.customers / self.customers if found and self.customers else None

    def mean(self, metric: str) -> float | None:
        """The mean of all customers of the arm; None where nobody is in it."""
        found = self.figure(metric)
        total = found.total if found else None
        return float(total) / self.customers if total is not None and self.customers else None

    @property
    def buyers(self) -> int | None:
        """How many have bought."""
        found = self.figure(CONVERSION) or self.figure(SPEND)
        return found.customers if found else None

    @property
    def revenue(self) -> Decimal | None:
        """What they have spent together."""
        found = self.figure(SPEND)
        return found.total if found else None


class Comparison(NamedTuple):
    """How an arm differs from another one by a metric: shares from 0 to 1, or what a customer does on average.

    `low` to `high` is the interval of one comparison; `p` is the chance of as large a difference where there is none,
    `statistic` the z or t that it is of (none of an exact test), and `p_adjusted` the same with all comparisons of the
    metric counted. `relative` is in percent of what the other arm has. `total` is the difference times the customers of
    the arm, and `after_cost` what is left of it once they are written to. Of means, `too_few` says that nothing is said
    since the smaller arm would have fewer than ten who did it, `variances` how often the variance of the arm has that
    of the other one. What cannot be told is None.
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
    statistic: float | None
    p: float | None
    p_adjusted: float | None
    significant: bool
    detectable: float | None
    total: float | None
    total_low: float | None
    total_high: float | None
    capped: Capped | None
    after_cost: AfterCost | None
    too_few: bool
    variances: float | None


class AfterCost(NamedTuple):
    """What is left of the money that an arm has brought in, and of its bounds."""

    total: float
    low: float
    high: float


class Cost(NamedTuple):
    """What it costs to write to a customer once, and what is left of the revenue, in percent."""

    per_contact: Decimal
    margin_percent: Decimal


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


class InAll(NamedTuple):
    """What the segments of an exclusive run have brought in together, beyond those held out, by a metric."""

    metric: str
    total: float
    low: float
    high: float


class EvaluateResult(NamedTuple):
    """What came of runs from `start` to `until`, both included, by `metrics`: name -> kind.

    `as_of` is the day of the last of the `runs`, and `customers` counts its customers. Of several runs, the days of a
    customer are those after the first run that had him.

    `in_all` has nothing where a customer may be in several segments. `compared` is how many comparisons of a metric
    there are, those of segments that are not shown, too. Of a test that segkit has not drawn, `left_out` says how many
    rows count in no group, by reason, `guesses` which columns of the orders were guessed; where there are no orders,
    there are no days.
    """

    as_of: dt.date
    runs: tuple[dt.date, ...]
    start: dt.date | None
    until: dt.date | None
    customers: int
    level: float
    metrics: Mapping[str, Kind]
    cost: Cost | None
    compared: int
    segments: tuple[SegmentOutcome, ...]
    in_all: tuple[InAll, ...]
    left_out: Mapping[str, int]
    guesses: Mapping[str, str]
    warnings: tuple[Diagnostic, ...]


class Detectable(NamedTuple):
    """The least difference of an arm from another one that would be seen with a chance of 80 % by a metric.

    `relative` is in percent of what all customers of the segment do. `too_few` as in a comparison.
    """

    arm: str
    against: str
    metric: str
    detectable: float | None
    relative: float | None
    too_few: bool


class PlannedSegment(NamedTuple):
    """What the customers of a segment did before the run, its arms (name -> customers), and what could be seen."""

    name: str
    customers: int
    figures: tuple[ArmFigure, ...]
    arms: Mapping[str, int]
    comparisons: tuple[Detectable, ...]


class PlanResult(NamedTuple):
    """How small a difference could be seen after a run, by what customers did from `start` to `until` before it."""

    as_of: dt.date
    start: dt.date
    until: dt.date
    customers: int
    level: float
    metrics: Mapping[str, Kind]
    segments: tuple[PlannedSegment, ...]
    warnings: tuple[Diagnostic, ...]
