"""Layouts of dates in SQL, tried before any row is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import polars as pl

from segkit.criteria.sql.parse import SqlProblem
from segkit.criteria.sql.parts import NO_TIME, Part

_MIDNIGHT = pl.lit(dt.datetime(2001, 1, 1))


def check_layout(layout: str, part: Part) -> None:
    """Raise `SqlProblem` for a layout that is none, or asks for a time of day that is not there."""
    moment_ = pl.lit(dt.datetime(2000, 1, 1), pl.Datetime("us", getattr(part.dtype, "time_zone", None)))
    if not _can_write(moment_, layout):
        raise SqlProblem(f"`{layout}` is no layout of a date", "such as '%Y-%m'")
    if part.kind == "date" and not _can_write(pl.lit(dt.date(2000, 1, 1)), layout):
        raise SqlProblem(f"`{layout}` asks for a time of day, and {part.shown} is a day here", NO_TIME)


def check_reading(layout: str, read: Callable[[pl.Expr], pl.Expr]) -> None:
    """Raise `SqlProblem` for a layout by which no text is a day."""
    if re.search(r"%(?:z|:z|#z|\+|Z)", layout):
        raise SqlProblem("SQL reads no time zones", "let the file have a column of them, which is read in `timezone`")
    written = pl.lit(dt.datetime(2001, 1, 1)).dt.strftime(layout) if _can_write(_MIDNIGHT, layout) else pl.lit("")
    try:
        is_read = pl.select(read(written)).item() is not None if layout else False
    except pl.exceptions.PolarsError:
        is_read = False
    if not is_read:
        raise SqlProblem(f"`{layout}` is no layout of a day", "such as '%d.%m.%Y'")


def _can_write(value: pl.Expr, layout: str) -> bool:
    try:
        pl.select(value.dt.strftime(layout))
    except pl.exceptions.PolarsError:
        return False
    return True
