"""Weeks, months and quarters of the calendar, numbered without a gap: the next one is one more."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import polars as pl

By = Literal["week", "month", "quarter"]
_EPOCH = dt.date(1970, 1, 1).toordinal()


def number_of(day: dt.date, by: By) -> int:
    """The number of the period that a day is in; weeks are those of ISO 8601, from Monday to Sunday."""
    if by == "week":
        return (day.toordinal() - 1) // 7  # day 1 of the calendar is a Monday
    months = day.year * 12 + day.month - 1
    return months if by == "month" else months // 3


def numbers_of(days: pl.Expr, by: By) -> pl.Expr:
    """`number_of` for a column of dates."""
    if by == "week":
        return (days.cast(pl.Int32).cast(pl.Int64) + (_EPOCH - 1)) // 7
    months = days.dt.year().cast(pl.Int64) * 12 + days.dt.month().cast(pl.Int64) - 1
    return months if by == "month" else months // 3


def label_of(number: int, by: By) -> str:
    """The period as people write it: `2010-W48`, with the year of the ISO week, `2010-12`, `2010-Q4`."""
    if by == "week":
        year, week, _ = dt.date.fromordinal(7 * number + 1).isocalendar()
        return f"{year:04}-W{week:02}"
    year, place = divmod(number, 12 if by == "month" else 4)
    return f"{year:04}-{place + 1:02}" if by == "month" else f"{year:04}-Q{place + 1}"


def is_over(as_of: dt.date, by: By) -> bool:
    """Whether the period of `as_of` is over on that day: `as_of` counts, so on its last day it is."""
    if as_of == dt.date.max:
        return True
    return number_of(as_of + dt.timedelta(days=1), by) > number_of(as_of, by)
