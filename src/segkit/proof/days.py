"""The days on which a claim must hold where the rule file does not say for which day it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal

from segkit.proof.variables.columns import bases
from segkit.proof.variables.values import numbers_of, operands
from segkit.rules.model.base import Duration
from segkit.rules.model.file import RuleFile
from segkit.rules.walk import blocks, conditions, event_conditions, windows

AHEAD = (1, 28, 29, 31, 59, 60, 89, 90, 91, 92, 181, 365, 366)
MOST_DATES = 60
"""The most days that dates of the file give; with more of them, nothing that depends on the day is claimed."""


def later_days(rules: RuleFile, today: dt.date) -> list[dt.date] | None:
    """Days with months of all lengths, years with and without a leap day, and those at which dates of the file meet.

    None where those would be too many.
    """
    met = {day for day in _meetings(rules) if day > today}
    if len(met) > MOST_DATES:
        return None
    days = {today + dt.timedelta(days=number) for number in AHEAD}
    leap = today.year // 4 * 4 + 4
    while leap % 100 == 0 and leap % 400:
        leap += 4
    days |= {dt.date(leap, 2, 29), dt.date(today.year + 1, 3, 1), dt.date(today.year + 1, 5, 31)}
    return sorted(days | met | {dt.date(today.year + 30, 7, 15)})


def _meetings(rules: RuleFile) -> Iterator[dt.date]:
    """The days on which what is counted back from the day of the run reaches a date of the file, and those beside."""
    dates, lengths = set(), {Duration(0, "day"), *_counted(rules)}
    for point in _points(rules):
        if isinstance(point, Duration):
            lengths.add(point)
        elif isinstance(point, dt.date):
            dates.add(point)
    for date in dates:
        for length in lengths:
            for day in (length.before(date), length.after(date)):
                if dt.date(1900, 1, 1) < day < dt.date(2900, 1, 1):
                    yield from (day + dt.timedelta(days=n) for n in (-1, 0, 1))


def _points(rules: RuleFile) -> Iterator[object]:
    for _, condition in conditions(rules):
        yield from (value for _, value in operands(condition))
    for _, window in windows(rules):
        yield from (window.within, window.since, window.before, *(window.between or ()))


def _counted(rules: RuleFile) -> Iterator[Duration]:
    """Numbers of years and days that are compared with what is counted up to the day of the run."""
    of_years = {name for name, trait in rules.trait.items() if trait.years_since}
    known = bases(rules)
    for _, block in blocks(rules):
        for _, column, condition in block.criteria():
            yield from _lengths(numbers_of([condition]), "year" if column in of_years else "day")
    for name, base in known.items():
        trait = rules.trait.get(name)
        if trait and trait.bands and trait.bands.edges:
            yield from _lengths(map(Decimal, trait.bands.edges), "year" if base in of_years else "day")
    for _, event_condition in event_conditions(rules):
        if event_condition.measure.startswith("days_since"):
            yield from _lengths(map(Decimal, event_condition.result.values()), "day")


def _lengths(numbers: Iterable[Decimal], unit: str) -> Iterator[Duration]:
    for number in numbers:
        whole = int(number // 1)
        if 0 <= whole < 100_000:
            yield from (Duration(whole, unit), Duration(whole + 1, unit))
