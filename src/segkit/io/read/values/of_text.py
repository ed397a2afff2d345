"""The value of a column that comes as text."""

from __future__ import annotations

import polars as pl

from segkit.io.read.values import dates, numbers, texts
from segkit.io.read.values.column import NUMERIC, Column, ColumnType, no_reading
from segkit.io.read.values.vocabulary import booleans

_BLANKS = (*(" " * n for n in range(33)), "\t", "\xa0")


def value(column: Column, to: ColumnType, *, money: bool, trusting: bool) -> pl.Expr:
    """Null where it is missing or cannot be read."""
    raw = pl.col(column.name)
    if to is ColumnType.TEXT:
        text = texts.trimmed(raw) if column.padded else raw
        return pl.when(~text.is_in(["", *column.nulls])).then(text)
    if to is ColumnType.DATE:
        made = dates.read(column)
    elif to is ColumnType.BOOLEAN:
        if column.ticks:
            return booleans.ticked(raw)
        made = booleans.read(raw, column.true_values, column.false_values)
    elif to in NUMERIC:
        made = numbers.read(column, to, money=money, trusting=trusting)
    else:
        raise no_reading(column, to)
    # Only given texts may read as values; those that were detected (`NULL`) never do.
    return pl.when(~texts.trimmed(raw).is_in(column.nulls)).then(made) if column.given_nulls else made


def missing(column: Column, others: tuple[str, ...]) -> pl.Expr:
    """Blank, or one of the texts; `is_in` costs a tenth of trimming, which only padded columns need."""
    raw = pl.col(column.name)
    text = texts.trimmed(raw) if column.padded or column.given_nulls else raw
    return text.is_in([*_BLANKS, *(others if column.nulls else ()), *column.nulls])
