"""The value of a column whose source has types of its own."""

from __future__ import annotations

import polars as pl

from segkit.io.read.values import dates, numbers, texts
from segkit.io.read.values.column import Column, ColumnType, no_reading
from segkit.io.read.values.vocabulary import booleans


def value(column: Column, to: ColumnType, *, money: bool) -> pl.Expr:
    """Null where it is missing, or cannot be this type."""
    raw, dtype = pl.col(column.name), column.dtype
    if to is ColumnType.LIST and isinstance(dtype, (pl.List, pl.Array)):
        # A list without a value is missing, as the empty text is that makes one.
        values = raw.cast(pl.List(pl.String)).list.eval(texts.trimmed(pl.element()))
        return pl.when(values.list.drop_nulls().list.len() > 0).then(values)
    if column.type in (ColumnType.OTHER, ColumnType.LIST) or to in (ColumnType.OTHER, ColumnType.LIST):
        raise no_reading(column, to)
    if to is ColumnType.TEXT:
        text = as_text(column)
        return text if dtype.is_numeric() else pl.when(text != "").then(text)
    if to is ColumnType.DATE:
        return _typed_date(column)
    if to is ColumnType.BOOLEAN:
        if dtype == pl.Boolean:
            return raw
        return booleans.read(as_text(column), column.true_values, column.false_values)
    return _typed_number(column, to, money=money)


def _typed_number(column: Column, to: ColumnType, *, money: bool) -> pl.Expr:
    raw, dtype = pl.col(column.name), column.dtype
    if not (dtype.is_numeric() or dtype == pl.Boolean):
        raise no_reading(column, to)
    if money:
        return numbers.from_float(raw.cast(pl.Float64)) if dtype.is_float() else raw.cast(numbers.MONEY, strict=False)
    if dtype.is_decimal():
        return raw
    if dtype.is_float():
        number = raw.cast(pl.Float64)
        return pl.when(number.is_finite()).then(number)
    return raw.cast(pl.Int64, strict=False)


def _typed_date(column: Column) -> pl.Expr:
    raw, dtype = pl.col(column.name), column.dtype
    if dtype == pl.Date:
        return raw
    if isinstance(dtype, pl.Datetime):
        moment = raw.dt.convert_time_zone(column.timezone) if dtype.time_zone else raw
        return moment.dt.date()
    if dtype.is_numeric() and column.date.given:
        return dates.from_serial(raw.cast(pl.Float64), column.date.formats[0], column.timezone)
    if dtype.is_numeric():
        return as_text(column).str.to_date("%Y%m%d", strict=False)
    raise no_reading(column, ColumnType.DATE)


def as_text(column: Column) -> pl.Expr:
    """The value as text; 17850.0 of a typed source is 17850."""
    raw, dtype = pl.col(column.name), column.dtype
    if dtype.is_float():
        number = pl.when(raw.is_not_nan()).then(raw)
        whole = pl.when(number == number.floor()).then(number).cast(pl.Int64, strict=False)
        return whole.cast(pl.String).fill_null(number.cast(pl.String))
    if dtype.is_decimal():
        return raw.cast(pl.String).str.replace(r"(\.\d*?)0+$", "${1}").str.strip_chars_end(".")
    if dtype == pl.Time:
        return raw.dt.to_string("%H:%M:%S%.f")  # a cast leaves out the fraction
    if dtype.is_nested() or dtype == pl.Binary:
        raise no_reading(column, ColumnType.TEXT)
    return raw.cast(pl.String)


def can_fail(dtype: pl.DataType, to: ColumnType) -> bool:
    """Whether a value of this typed source may have no reading as `to`."""
    if to is ColumnType.DATE:
        return not dtype.is_temporal()
    if to is ColumnType.BOOLEAN:
        return dtype != pl.Boolean
    return to is not ColumnType.TEXT and dtype in (pl.UInt64, pl.Int128, pl.UInt128)
