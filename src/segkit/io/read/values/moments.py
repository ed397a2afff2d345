"""The timestamps of date columns, where SQL asks for the time of day."""

from __future__ import annotations

import re

import polars as pl

from segkit.io.read.values import dates
from segkit.io.read.values.column import Column, DateStyle

_TIME = r"(?:T|\s)\s*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})([.,][0-9]+)?)?\s*([AaPp]?)"
_OFFSET = r":[0-9]{2}.*?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)$"
_OF_TIME = re.compile(r"%-?[HIklMSTRrpfsXc+.3-9]")


def has_time(column: Column) -> bool:
    """Whether the values may have a time of day."""
    if not column.is_text:
        return isinstance(column.dtype, pl.Datetime)
    style = column.date
    return style.order != "compact" and (style.format is None or bool(_OF_TIME.search(style.format)))


def read(column: Column) -> pl.Expr:
    """The timestamp of a date column; zoned ones in the column's time zone, naive ones as they stand."""
    if not column.is_text:
        raw = pl.col(column.name)
        zoned = isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone
        moment = raw.dt.convert_time_zone(column.timezone) if zoned else raw
        return moment.dt.cast_time_unit("us")
    text = pl.col(column.name).str.strip_chars()
    if column.date.given and column.date.format:
        return _by_format(text, column.date.format, column.timezone)
    # The day as it is written, to which the time is added: so every layout of days has its time.
    day = dates.read(column._replace(date=_naive(column)))
    naive = day.cast(pl.Datetime("us")) + _time_of_day(text)
    if not column.date.zoned:
        return naive
    as_utc = (naive - _offset(text)).dt.replace_time_zone("UTC").dt.convert_time_zone(column.timezone)
    as_it_stands = naive.dt.replace_time_zone(column.timezone, ambiguous="earliest", non_existent="null")
    return pl.when(text.str.contains(_OFFSET)).then(as_utc).otherwise(as_it_stands)


def _naive(column: Column) -> DateStyle:
    style = column.date
    if style.format is None:
        return style._replace(zoned=False)
    # A detected format with a time: its day alone reads the same by shape.
    return style._replace(zoned=False, format=None)


def _by_format(text: pl.Expr, layout: str, timezone: str) -> pl.Expr:
    moment = text.str.to_datetime(layout, time_unit="us", strict=False)
    zoned = re.search(r"%(?:z|:z|#z|\+)", layout)
    return moment.dt.convert_time_zone(timezone) if zoned else moment


def _time_of_day(text: pl.Expr) -> pl.Expr:
    """The time as a length from midnight; nothing for days alone."""
    hour, minute, second = (text.str.extract(_TIME, i).cast(pl.Int64).fill_null(0) for i in (1, 2, 3))
    half = text.str.extract(_TIME, 5).str.to_lowercase()
    # 12 AM is midnight, 12 PM noon; 24:00 is midnight.
    of_half = hour % 12 + pl.when(half == "p").then(12).otherwise(0)
    of_day = pl.when(half.is_in(["a", "p"])).then(of_half).otherwise(hour % 24)
    fraction = text.str.extract(_TIME, 4).str.replace(",", ".", literal=True).cast(pl.Float64).fill_null(0)
    micros = (fraction * 1e6).round(0).cast(pl.Int64)
    return pl.duration(hours=of_day, minutes=minute, seconds=second, microseconds=micros, time_unit="us")


def _offset(text: pl.Expr) -> pl.Expr:
    """How far the written time is ahead of UTC."""
    zone = text.str.extract(_OFFSET, 1)
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    hours, minutes = (zone.str.extract(r"^[+-]([0-9]{2}):?([0-9]{2})?$", i).cast(pl.Int64).fill_null(0) for i in (1, 2))
    return pl.duration(minutes=sign * (hours * 60 + minutes), time_unit="us")
