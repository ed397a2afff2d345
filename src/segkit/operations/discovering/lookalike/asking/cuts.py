"""Where the values of a column are cut into a few ranges: each large enough, at numbers and days that people like."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal, localcontext
from math import ceil
from typing import Any, Literal

import polars as pl

RANGES = 5
"""How many ranges a column has, but for values that many have: with 8, the AUC on real data was no higher."""
STEPS = (Decimal(5), Decimal(2), Decimal(1))
"""Round numbers are multiples of these, times a power of ten."""
_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")
_LARGE = 2**63
"""From here on, a whole number is one that no column of whole numbers has."""
_DIGITS = 400
"""The digits of the widest sum of two floats."""


def cuts(values: pl.Series, least: int) -> list[Any]:
    """The values after which a new range begins, rising; `values` are numbers or days, none of them missing.

    About the same number of customers is in each range, never fewer than `least` around the place of a cut. A value
    that many have gets a range of its own. A cut moves to a round number where that moves no more than a quarter of
    `least` customers.
    """
    rising = values.sort()
    return [_round(rising, rows, least // 4) for rows in _sizes(rising, max(least, 1))]


def _sizes(rising: pl.Series, least: int) -> list[int]:
    """How many rows are up to each cut."""
    chosen: list[int] = []
    for number in range(1, RANGES):
        wanted = len(rising) * number / RANGES
        value = rising[ceil(wanted) - 1]
        below, up_to = (int(rising.search_sorted(value, side)) for side in _SIDES)
        # Below and above a value that many have; of others, the nearer side.
        near = sorted((up_to, below), key=lambda rows: abs(rows - wanted))
        for rows in near if up_to - below >= len(rising) / RANGES else near[:1]:
            if all(abs(rows - other) >= least for other in (0, len(rising), *chosen)):
                chosen.append(rows)
    return sorted(chosen)


def _round(rising: pl.Series, rows: int, most: int) -> Any:
    """A round value with so many `rows` up to it, or with no more than `most` rows more or fewer."""
    low, high = rising[max(rows - most, 1) - 1], rising[rows + most]
    return _round_day(low, high) if isinstance(low, dt.date) else _round_number(low, high)


def _round_day(low: dt.date, high: dt.date) -> dt.date:
    """The last day of a year, else of a month, from `low` up to the day before `high`; `low` where there is none."""
    if low.year < high.year:
        return dt.date(high.year - 1, 12, 31)
    first = high.replace(day=1)
    return first - dt.timedelta(days=1) if low < first else low


def _round_number(low: Any, high: Any) -> int | Decimal:
    """The roundest number from `low` to below `high`."""
    with localcontext() as exact:
        exact.prec = _DIGITS
        start, end = Decimal(str(low)), Decimal(str(high))
        if start <= 0 < end:
            return 0
        found = next(_multiples(start, end), start)
        is_small = abs(found) < _LARGE and found == found.to_integral_value()
        return int(found) if is_small else found.normalize()


def _multiples(start: Decimal, end: Decimal) -> Iterator[Decimal]:
    """The multiples of ever smaller round steps that are in the range, the roundest first."""
    highest = max(abs(start), abs(end)).adjusted() + 1
    lowest = (end - start).adjusted() - 1
    for power in range(highest, lowest - 1, -1):
        for step in STEPS:
            size = step.scaleb(power)
            multiple = (start / size).to_integral_value(ROUND_CEILING) * size
            if multiple < end:
                yield multiple
