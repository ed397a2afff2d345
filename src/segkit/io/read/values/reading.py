"""The value of a column as a type, and where there is something that has none."""

from __future__ import annotations

import polars as pl

from segkit.io.read.values import numbers, of_text, of_typed, texts
from segkit.io.read.values.column import NO_VALUE, NUMERIC, Column, ColumnType
from segkit.io.read.values.texts import NULL_KEYS


def value(column: Column, to: ColumnType, *, money: bool = False, trusting: bool = False) -> pl.Expr:
    """The value as Int64, Float64, Decimal, Date, Boolean or String; null where it is missing or cannot be read.

    `trusting` is for who also looks where a value is `suspect`.
    """
    if column.is_text:
        return of_text.value(column, to, money=money, trusting=trusting).alias(column.name)
    return of_typed.value(column, to, money=money).alias(column.name)


def bad(column: Column, to: ColumnType, *, money: bool = False) -> pl.Expr | None:
    """Where there is something that `value` cannot read; None where that cannot happen."""
    raw = pl.col(column.name)
    if to in (ColumnType.TEXT, ColumnType.LIST):
        return None
    unread = raw.is_not_null() & value(column, to, money=money).is_null()
    if column.is_text:
        unread = unread & ~of_text.missing(column, NO_VALUE)
        if _may_be_code(column, to, money=money):
            unread = unread | numbers.has_leading_zero(column)
    elif column.dtype.is_float():
        unread = unread & raw.is_not_nan()
    elif numbers.is_money(column.dtype):
        return None
    elif column.dtype.is_decimal() and money:
        unread = unread | _rounded(column)
    elif not of_typed.can_fail(column.dtype, to):
        return None
    return unread.alias(column.name)


def suspect(column: Column, to: ColumnType, *, money: bool = False) -> pl.Expr | None:
    """Where a value needs the second look of `bad` although `value` reads it.

    That is a guessed number such as `01234`, or money that a reader may have rounded.
    """
    if not column.is_text:
        return _rounded(column) if money and column.dtype.is_decimal() and not numbers.is_money(column.dtype) else None
    if money and numbers.may_trust(column):
        return numbers.long(pl.col(column.name))
    return numbers.has_leading_zero(column) if _may_be_code(column, to, money=money) else None


def _rounded(column: Column) -> pl.Expr:
    """Where a decimal has more decimals than money."""
    raw = pl.col(column.name)
    return raw.cast(numbers.MONEY, strict=False).cast(column.dtype, strict=False) != raw


def _may_be_code(column: Column, to: ColumnType, *, money: bool) -> bool:
    return to in NUMERIC and not column.forced and not money


def key(column: Column, *, care: bool = False) -> pl.Expr:
    """The column as a key: trimmed text, whole numbers of typed sources without a fraction, null where empty.

    With `care`, also without what spreadsheets put around keys, which takes long.
    """
    return known_key(column, trimmed(column, care=care)).alias(column.name)


def trimmed(column: Column, *, care: bool = False) -> pl.Expr:
    """The first half of `key`, for large tables: in one expression Polars would trim twice (0.15 s on 10 M rows)."""
    text = of_typed.as_text(column)
    return texts.clean_key(text) if care else texts.trimmed(text)


def known_key(column: Column, text: pl.Expr) -> pl.Expr:
    """The second half of `key`: null where the trimmed text is empty or stands for a missing value."""
    # Not `replace`: it takes 250 MB more on 10 M rows.
    nulls = (*column.nulls, *NULL_KEYS) if column.nulls else ()
    return pl.when(~text.is_in(["", *nulls])).then(text) if nulls else pl.when(text != "").then(text)


def unsettled(column: Column, to: ColumnType, *, money: bool = False) -> pl.Expr | None:
    """Where a value may show something that the sample did not, so that all values have to be looked at.

    That is white space around a text, another currency, or a mark in a number where no value settles which mark is
    decimal. None where all is known.
    """
    raw = pl.col(column.name)
    if column.settled or not column.is_text:
        return None
    if to in (ColumnType.TEXT, ColumnType.LIST):
        return None if column.padded else texts.is_padded(raw)
    if to in NUMERIC or money:
        return numbers.unsettled(column)
    return None
