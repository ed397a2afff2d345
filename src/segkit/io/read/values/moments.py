"""The timestamps of date columns, where SQL asks for the time of day."""

from __future__ import annotations

import polars as pl

from segkit.io.read.values import dates
from segkit.io.read.values.column import Column
from segkit.io.read.values.texts import trimmed


def has_time(column: Column) -> bool:
    """Whether the values may have a time of day."""
    if not column.is_text:
        return isinstance(column.dtype, pl.Datetime)
    style = column.date
    layouts = style.formats or ([style.format] if style.format else [])
    return style.order != "compact" and (not layouts or any(map(dates.may_have_time, layouts)))


def read(column: Column) -> pl.Expr:
    """The timestamp of a date column; zoned ones in the column's time zone, naive ones as they stand."""
    if not column.is_text:
        raw = pl.col(column.name)
        zoned = isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone
        moment = raw.dt.convert_time_zone(column.timezone) if zoned else raw
        return moment.dt.cast_time_unit("us")
    text = trimmed(pl.col(column.name))
    if column.date.given:
        moments = (dates.moment_by_format(text, layout, column.timezone) for layout in column.date.formats)
        return pl.coalesce(pl.when(moment.dt.date() >= dates.EARLIEST).then(moment) for moment in moments)
    # The time is added to the day as it is written: so every layout of days has its time.
    naive = dates.local_time(text, dates.day_of(text, column.date.order))
    if not column.date.zoned:
        return naive
    as_utc = (naive - dates.offset(text)).dt.replace_time_zone("UTC").dt.convert_time_zone(column.timezone)
    return pl.when(text.str.contains(dates.ZONED)).then(as_utc).otherwise(dates.in_zone(naive, column.timezone))


def unsettled(column: Column) -> pl.Expr | None:
    """Where a timestamp has a zone, though no value of the sample had one; None where that is known."""
    if column.settled or not column.is_text or column.date.zoned or column.date.given:
        return None
    return pl.col(column.name).str.contains(dates.ZONED)
