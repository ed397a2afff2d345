"""The typed value of a column, and where a text is there that is none."""

from __future__ import annotations

import polars as pl

from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.io.read.values import dates, numbers
from segkit.io.read.values.column import NO_VALUE, Column, ColumnType

TRUE = ("true", "t", "yes", "y", "oui", "o", "ja", "j", "si", "sí", "1")
FALSE = ("false", "f", "no", "n", "non", "nein", "0")
_BLANKS = (*(" " * n for n in range(33)), "\t", "\xa0")
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)


def value(column: Column, to: ColumnType, *, money: bool = False, trusting: bool = False) -> pl.Expr:
    """The value as Int64, Float64, Decimal, Date, Boolean or String; null where it is missing or cannot be read.

    `trusting` is for who also looks where a value is `suspect`.
    """
    if column.is_text:
        return _from_text(column, to, money=money, trusting=trusting).alias(column.name)
    return _from_typed(column, to, money=money).alias(column.name)


def bad(column: Column, to: ColumnType, *, money: bool = False) -> pl.Expr | None:
    """Where there is something that `value` cannot read; None where that cannot happen."""
    raw = pl.col(column.name)
    if to in (ColumnType.TEXT, ColumnType.LIST):
        return None
    unread = raw.is_not_null() & value(column, to, money=money).is_null()
    if column.is_text:
        unread = unread & ~_missing(column, NO_VALUE)
        if _may_be_code(column, to, money=money):
            unread = unread | numbers.has_leading_zero(column)
    elif column.dtype.is_float():
        unread = unread & raw.is_not_nan()
    elif isinstance(column.dtype, pl.Decimal) and column.dtype.scale <= numbers.MONEY.scale:
        return None
    elif column.dtype.is_decimal() and money:
        unread = unread | (raw.cast(numbers.MONEY, strict=False).cast(column.dtype, strict=False) != raw)
    elif not _can_fail(column.dtype, to):
        return None
    return unread.alias(column.name)


def suspect(column: Column, to: ColumnType, *, money: bool = False) -> pl.Expr | None:
    """Where a value needs the second look of `bad` although `value` reads it: a guessed number such as `01234`, money
    that a trusting reader may have rounded.
    """
    if not column.is_text:
        return None
    if money and numbers.may_trust(column):
        return numbers.long(pl.col(column.name))
    return numbers.has_leading_zero(column) if _may_be_code(column, to, money=money) else None


def _may_be_code(column: Column, to: ColumnType, *, money: bool) -> bool:
    return to in _NUMBERS and not column.forced and not money


def key(column: Column) -> pl.Expr:
    """The column as a key: trimmed text, whole numbers of typed sources without a fraction, null where empty."""
    return known_key(column, trimmed(column)).alias(column.name)


def trimmed(column: Column) -> pl.Expr:
    """The first half of `key`, for large tables: in one expression Polars would trim twice (0.15 s on 10 M rows)."""
    return _as_text(column).str.strip_chars()


def known_key(column: Column, text: pl.Expr) -> pl.Expr:
    """The second half of `key`: null where the trimmed text is empty or stands for a missing value."""
    # Not `replace`: it takes 250 MB more on 10 M rows.
    return pl.when(~text.is_in(["", *column.nulls])).then(text) if column.nulls else pl.when(text != "").then(text)


def _from_text(column: Column, to: ColumnType, *, money: bool, trusting: bool) -> pl.Expr:
    raw = pl.col(column.name)
    if to is ColumnType.TEXT:
        if column.padded:
            return pl.when(~_missing(column, column.nulls)).then(raw)
        return pl.when(~raw.is_in([*_BLANKS, *column.nulls])).then(raw)
    if to is ColumnType.DATE:
        made = dates.read(column)
    elif to is ColumnType.BOOLEAN:
        made = _words(raw)
    elif to in _NUMBERS:
        made = numbers.read(column, to, money=money, trusting=trusting)
    else:
        raise _no_reading(column, to)
    # Only given texts may read as values; those that were detected (`NULL`) never do.
    return pl.when(~raw.is_in(column.nulls)).then(made) if column.given_nulls else made


def _missing(column: Column, texts: tuple[str, ...]) -> pl.Expr:
    """Blank, or one of the texts; `is_in` costs a tenth of trimming, which only padded columns need."""
    raw = pl.col(column.name)
    text = raw.str.strip_chars() if column.padded else raw
    return text.is_in([*_BLANKS, *texts, *column.nulls])


def _from_typed(column: Column, to: ColumnType, *, money: bool) -> pl.Expr:
    raw, dtype = pl.col(column.name), column.dtype
    if to is ColumnType.LIST and isinstance(dtype, (pl.List, pl.Array)):
        # A list without a value is missing, as the empty text is that makes one.
        values = raw.cast(pl.List(pl.String))
        return pl.when(values.list.drop_nulls().list.len() > 0).then(values)
    if column.type in (ColumnType.OTHER, ColumnType.LIST) or to in (ColumnType.OTHER, ColumnType.LIST):
        raise _no_reading(column, to)
    if to is ColumnType.TEXT:
        return _as_text(column) if dtype.is_numeric() else pl.when(raw.cast(pl.String) != "").then(raw.cast(pl.String))
    if to is ColumnType.DATE:
        return _typed_date(column)
    if to is ColumnType.BOOLEAN:
        return raw if dtype == pl.Boolean else _words(_as_text(column))
    return _typed_number(column, to, money=money)


def _typed_number(column: Column, to: ColumnType, *, money: bool) -> pl.Expr:
    raw, dtype = pl.col(column.name), column.dtype
    if not (dtype.is_numeric() or dtype == pl.Boolean):
        raise _no_reading(column, to)
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
    if dtype.is_numeric():
        return _as_text(column).str.to_date("%Y%m%d", strict=False)
    raise _no_reading(column, ColumnType.DATE)


def _words(text: pl.Expr) -> pl.Expr:
    """What the text says; `true` and `false` without a copy of the column, which trimming and lower case take."""
    other = pl.when((text != "true") & (text != "false")).then(text).str.strip_chars().str.to_lowercase()
    meanings = {word: word in TRUE for word in (*TRUE, *FALSE)}
    meant = other.replace_strict(list(meanings), list(meanings.values()), default=None, return_dtype=pl.Boolean)
    return pl.when(text == "true").then(True).when(text == "false").then(False).otherwise(meant)


def _as_text(column: Column) -> pl.Expr:
    """The value as text; 17850.0 of a typed source is 17850."""
    raw, dtype = pl.col(column.name), column.dtype
    if dtype.is_float():
        number = pl.when(raw.is_not_nan()).then(raw)
        whole = pl.when(number == number.floor()).then(number).cast(pl.Int64, strict=False)
        return whole.cast(pl.String).fill_null(number.cast(pl.String))
    if dtype.is_decimal():
        return raw.cast(pl.String).str.replace(r"(\.\d*?)0+$", "${1}").str.strip_chars_end(".")
    if dtype.is_nested() or dtype == pl.Binary:
        raise _no_reading(column, ColumnType.TEXT)
    return raw.cast(pl.String)


def _can_fail(dtype: pl.DataType, to: ColumnType) -> bool:
    """Whether a value of this typed source may have no reading as `to`."""
    if to is ColumnType.DATE:
        return not dtype.is_temporal()
    if to is ColumnType.BOOLEAN:
        return dtype != pl.Boolean
    return to is not ColumnType.TEXT and dtype in (pl.UInt64, pl.Int128, pl.UInt128)


def _no_reading(column: Column, to: ColumnType) -> DataError:
    return DataError(
        Diagnostic(f"column `{column.name}` holds `{column.dtype}`, which cannot be read as {to}"),
    )
