"""What the columns of a table hold, and the values of a frame as such.

Missing is NULL, NaN and infinity too, as they are empty in files.
"""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from segkit.io.write.cells import as_text, finite


class Kind(StrEnum):
    """What a column holds: `integer` of 64 bits, `number` a float, `decimal` exact, `moment` with a zone or without."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "moment"
    ZONED = "zoned"


_LARGE = (pl.UInt64, pl.Int128, pl.UInt128)
"""Whole numbers that 64 bits do not hold."""


def kind_of(dtype: pl.DataType) -> Kind:
    """The kind of a column; what databases have no type for, such as a list, is text."""
    if dtype.is_integer():
        return Kind.DECIMAL if dtype in _LARGE else Kind.INTEGER
    if isinstance(dtype, pl.Datetime):
        return Kind.ZONED if dtype.time_zone else Kind.MOMENT
    if dtype.is_decimal():
        return Kind.DECIMAL
    if dtype.is_float():
        return Kind.NUMBER
    return {pl.Boolean: Kind.BOOLEAN, pl.Date: Kind.DATE}.get(dtype.base_type(), Kind.TEXT)


def value(name: str, dtype: pl.DataType, as_: Kind) -> pl.Expr:
    """The column as values of its own kind, or as text: then what stands in the cell of a CSV file."""
    column = pl.col(name)
    if as_ is Kind.TEXT:
        return as_text(column, dtype).alias(name)
    if dtype.is_float():
        return finite(column).cast(pl.Float64)
    if dtype.is_decimal():
        return column
    if dtype.is_integer():
        return column.cast(pl.Decimal(38, 0) if dtype in _LARGE else pl.Int64)
    if isinstance(dtype, pl.Datetime):
        return column.cast(pl.Datetime("us", dtype.time_zone))
    return column
