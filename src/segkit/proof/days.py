"""The days on which a claim must hold where the rule file does not say for which day it is: all of a whole cycle.

A claim depends on the day only by the order of the days that the rules look at: dates, and what is counted from the day
of the run. Days on which that order is the same are alike, so one of each kind stands for all of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import product
from typing import NamedTuple

import polars as pl

from segkit.proof.variables.columns import bases
from segkit.proof.variables.measures import SINCE
from segkit.proof.variables.values import numbers_of, operands
from segkit.rules.model.base import Duration
from segkit.rules.model.computed.lifecycle import LENGTHS
from segkit.rules.model.computed.traits import Trait
from segkit.rules.model.computed.value import Value
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import Measured
from segkit.rules.walk import blocks, event_conditions, measures

CYCLE = 146_097
"""Days of 400 years, after which months and leap years come again as they were."""
MOST_KINDS = 150
"""The most kinds of day; with more of them, nothing that depends on the day is claimed."""
MOST_PAIRS = 600
APART = 2
"""Days so far apart have another day between them; how many more there are makes no difference."""
MONTHS = {"month": 1, "quarter": 3, "year": 12}
LENGTH_OF_MONTH = 30.436875
CLIPPED = 9.0
"""More than any number of months may be longer or shorter than as many mean months, and than what lies near that."""


class Point(NamedTuple):
    """A day counted from that of the run, by months or by days; those before it are negative."""

    number: int
    is_months: bool = False

    def on(self, days: pl.Expr) -> pl.Expr:
        """Where it lies, for each day of a run."""
        return days.dt.offset_by(f"{self.number}mo") if self.is_months else days + pl.duration(days=self.number)


TODAY = Point(0)


class Calendar:
    """All days from one on that differ for a rule file, each with how far apart what it looks at is then."""

    def __init__(self, rules: RuleFile, today: dt.date) -> None:
        pairs = _pairs(rules)
        self.kinds: pl.DataFrame | None = None
        if pairs is not None and len(pairs) <= MOST_PAIRS:
            days = pl.select(day=pl.date_range(today, today + dt.timedelta(days=CYCLE)))
            apart = days.select("day", *(_apart(*pair).alias(repr(pair)) for pair in pairs))
            self.kinds = apart.unique(apart.columns[1:], keep="first", maintain_order=True) if pairs else apart.head(1)

    def later_days(self, rules: RuleFile) -> list[dt.date] | None:
        """One day of each kind that comes within 400 years, the first of its kind; None where those are too many.

        Days of the kind that the first has are left out. The rules are those of the calendar, or a part of them.
        """
        pairs = _pairs(rules)
        if pairs is None or self.kinds is None:
            return None
        columns = [repr(pair) for pair in pairs]
        kinds = self.kinds.unique(columns, keep="first", maintain_order=True) if columns else self.kinds.head(1)
        firsts: list[dt.date] = kinds.get_column("day").to_list()
        return firsts[1:] if len(firsts) <= MOST_KINDS else None


def later_days(rules: RuleFile, today: dt.date) -> list[dt.date] | None:
    """One day of each kind that comes within 400 years, but for that of today; None where those are too many."""
    return Calendar(rules, today).later_days(rules)


Pair = tuple["Point", "Point | dt.date"]


def _pairs(rules: RuleFile) -> list[Pair] | None:
    """What may meet on some days and not on others; None where that is beyond what can be counted with."""
    points, dates = sorted(_points(rules)), sorted(_dates(rules))
    if any(abs(point.number) * (LENGTH_OF_MONTH if point.is_months else 1) > 2 * CYCLE for point in points):
        return None
    months = [point for point in points if point.is_months]
    return [*(pair for pair in product(months, points) if _may_meet(*pair)), *product(points, dates)]


def _apart(first: Point, second: Point | dt.date) -> pl.Expr:
    """How many days lie between them on each day, those that make no difference left out."""
    day = pl.col("day")
    gap = first.on(day) - (second.on(day) if isinstance(second, Point) else pl.lit(second))
    return gap.dt.total_days().clip(-APART, APART).cast(pl.Int8)


def _may_meet(months: Point, other: Point) -> bool:
    """Whether a number of months and one of days may be the same day, or beside each other."""
    return not other.is_months and abs(months.number * LENGTH_OF_MONTH - other.number) < CLIPPED


def _points(rules: RuleFile) -> set[Point]:
    """The days counted from that of the run that anything is compared with."""
    found = {TODAY}
    for length, ahead in _lengths(rules):
        months = MONTHS.get(length.unit)
        number = length.number * (months or (7 if length.unit == "week" else 1))
        found.add(Point(number if ahead else -number, months is not None and number > 0))
    return found


def _lengths(rules: RuleFile) -> Iterator[tuple[Duration, bool]]:
    """What is counted from the day of the run, and whether ahead."""
    for value in _compared(rules):
        if isinstance(value, Duration):
            # Both ways for each: a length is counted back by most operators, and ahead by some.
            yield from ((value, ahead) for ahead in (False, True))
    for window in _windows(rules):
        ends = (window.within, window.since, window.before, *(window.between or ()))
        yield from ((end, False) for end in ends if isinstance(end, Duration))
    if rules.lifecycle and rules.lifecycle.events:
        yield from ((getattr(rules.lifecycle, key), False) for key in LENGTHS)
    yield from _counted(rules)


def _dates(rules: RuleFile) -> set[dt.date]:
    found = {value for value in _compared(rules) if isinstance(value, dt.date)}
    for window in _windows(rules):
        ends = (window.since, window.before, *(window.between or ()))
        found |= {end for end in ends if isinstance(end, dt.date)}
    return found


def _compared(rules: RuleFile) -> Iterator[object]:
    """Whatever columns of customers, and of events that are measured, are compared with."""
    for _, block in blocks(rules):
        yield from (value for _, _, condition in block.criteria() for _, value in operands(condition))
    for window in _windows(rules):
        yield from (value for condition in window.where.values() for _, value in operands(condition))


def _windows(rules: RuleFile) -> Iterator[Measured | Value]:
    yield from (measured for _, measured in measures(rules))
    if rules.value:
        yield rules.value


def _counted(rules: RuleFile) -> Iterator[tuple[Duration, bool]]:
    """Numbers of years and days that are compared with what is counted up to the day of the run."""
    units = {name: "year" if trait.years_since else "day" for name, trait in rules.trait.items() if _counts(trait)}
    known = bases(rules)
    for _, block in blocks(rules):
        for _, column, condition in block.criteria():
            if column in units:
                yield from _numbers(numbers_of([condition]), units[column])
    for name, base in known.items():
        trait = rules.trait.get(name)
        if base in units and trait and trait.bands and trait.bands.edges:
            yield from _numbers(map(Decimal, trait.bands.edges), units[base])
    for _, event_condition in event_conditions(rules):
        if event_condition.measure in SINCE:
            yield from _numbers(map(Decimal, event_condition.result.values()), "day")


def _counts(trait: Trait) -> bool:
    return bool(trait.years_since or trait.days_since or trait.measure in SINCE)


def _numbers(numbers: Iterable[Decimal], unit: str) -> Iterator[tuple[Duration, bool]]:
    """The days on which such a number begins to be full, and on which it has been for one more."""
    for number in numbers:
        for whole in (int(number // 1), int(number // 1) + 1):
            yield Duration(abs(whole), unit), whole < 0
