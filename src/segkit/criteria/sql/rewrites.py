"""What SQL functions mean, where Polars means something else by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from segkit.criteria.sql.parse import expression_of, tree_of
from segkit.io.read.values.numbers import in_rows
from segkit.io.read.values.vocabulary import booleans

NULL: Any = {"Literal": {"Scalar": {"Null": "Null"}}}
_LARGEST = 2.0**63
_TOO_LARGE = 2**64
_ISO = r"^\s*([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})(?:[T ].*)?$"


def made(build: Callable[..., pl.Expr], *parts: Any) -> Any:
    """The tree of what `build` makes of these trees."""
    return tree_of(build(*map(expression_of, parts)))


def cast(tree: Any, dtype: pl.DataType, *, strict: bool = False) -> Any:
    """The tree as another type; with `strict`, a value that does not fit ends the run."""
    return made(lambda value: value.cast(dtype, strict=strict), tree)


def power(base: pl.Expr, exponent: pl.Expr) -> pl.Expr:
    """The power of whole numbers, exact; what is too large, or is no whole number, does not fit 64 bits."""
    nearly = base.cast(pl.Float64).pow(exponent.cast(pl.Float64))
    fits = (exponent >= 0) & (nearly.abs() <= _LARGEST)
    known = base.is_not_null() & exponent.is_not_null()
    positive = pl.when(exponent >= 0).then(exponent)
    exact = base.cast(pl.Int128).pow(positive.cast(pl.UInt32, strict=False))
    return pl.when(~known).then(None).when(fits).then(exact).otherwise(pl.lit(_TOO_LARGE, pl.Int128)).cast(pl.Int64)


def large_product(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """The product of whole numbers beyond 64 bits; Polars looks whether decimals fit."""
    exact = pl.Decimal(38, 0)
    return (left.cast(exact) * right.cast(exact)).cast(pl.Int128)


def logarithm(value: pl.Expr, base: pl.Expr) -> pl.Expr:
    """The logarithm; exact for whole powers of the base: that of 1000 to the base 10 is 3."""
    nearly = value.cast(pl.Float64).log(base.cast(pl.Float64))
    whole = nearly.round(0)
    return pl.when(base.cast(pl.Float64).pow(whole) == value.cast(pl.Float64)).then(whole).otherwise(nearly)


def divisor(dividend: pl.Expr, by: pl.Expr) -> pl.Expr:
    """What a number is divided by, missing where it is zero, for which Polars would stop the run of decimals."""
    return in_rows(pl.when(by != 0).then(by), dividend)


def finite(value: pl.Expr) -> pl.Expr:
    """The value, missing where it is no number, such as the logarithm of -1."""
    return pl.when(value.is_finite()).then(value)


def number_text(value: pl.Expr) -> pl.Expr:
    """A decimal as text, without zeros at its end."""
    return value.cast(pl.String).str.replace(r"(\.[0-9]*?)0+$", "${1}").str.strip_chars_end(".")


def zero_or_one(truth: pl.Expr) -> pl.Expr:
    """1 for true, 0 for false."""
    return truth.cast(pl.Int64)


def trimmed(text: pl.Expr) -> pl.Expr:
    """The text without spaces around it."""
    return text.str.strip_chars()


def boolean(text: pl.Expr) -> pl.Expr:
    """True or false, as files say it."""
    return booleans.read(text)


def day(text: pl.Expr) -> pl.Expr:
    """The day of an ISO date or timestamp, missing for other texts."""
    return text.str.extract(_ISO, 1).str.to_date("%Y-%m-%d", strict=False)


def timestamp(text: pl.Expr) -> pl.Expr:
    """The timestamp of an ISO text, missing for other texts; a date alone is its midnight."""
    plain = text.str.strip_chars().str.replace("T", " ", literal=True)
    layouts = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
    read = [plain.str.to_datetime(layout, time_unit="us", strict=False) for layout in layouts]
    return pl.coalesce(*read, plain.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")))


def written_day(layout: str) -> Callable[[pl.Expr], pl.Expr]:
    """Reads texts of this layout as days, others as missing."""
    return lambda text: text.str.strip_chars().str.to_date(layout, strict=False)


def written_timestamp(layout: str) -> Callable[[pl.Expr], pl.Expr]:
    """Reads texts of this layout as timestamps, others as missing."""
    return lambda text: text.str.strip_chars().str.to_datetime(layout, time_unit="us", strict=False)


def epoch(moment: pl.Expr) -> pl.Expr:
    """The seconds since 1970."""
    micros = moment.dt.timestamp("us")
    return micros / in_rows(pl.lit(1e6), micros)


def place(text: pl.Expr, part: pl.Expr) -> pl.Expr:
    """The place of the first letter of a part in a text, 0 where it has none."""
    before = text.str.split(part).list.get(0, null_on_oob=True).str.len_chars().cast(pl.Int64)
    found = pl.when(part == "").then(1).when(text.str.contains(part, literal=True)).then(before + 1).otherwise(0)
    return pl.when(text.is_not_null() & part.is_not_null()).then(found)


def length(count: pl.Expr) -> pl.Expr:
    """A number of letters, at least 0."""
    return pl.when(count < 0).then(0).otherwise(count)


def part_of(text: pl.Expr, start: pl.Expr, count: pl.Expr) -> pl.Expr:
    """A part of a text; missing where its length is."""
    return pl.when(count.is_not_null()).then(text.str.slice(start, length(count)))
