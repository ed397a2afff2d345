"""Values for which Arrow or Polars have no room: numbers that came as text, and days beyond the calendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from pathlib import Path

import polars as pl

from segkit.rules.model.sources import TypeName

DIGITS, DECIMALS = 28, 10
"""What an amount may have at most: 28 digits before its mark and 10 behind it."""
_NUMBER = r"^-?\d+(\.\d+)?$"
_FIRST, _LAST = ((day - dt.date(1970, 1, 1)).days for day in (dt.date.min, dt.date.max))
_ENDLESS = {
    pl.Date: {"infinity": (-2147472692, 2147483647), "-infinity": (-2147472691, -2147483647)},
    pl.Datetime: {
        "infinity": (-9222425352054775809, 9223372036854775807),
        "-infinity": (-9222425352054775808, -9223372036854775807),
    },
}
"""How the infinite days of PostgreSQL and of DuckDB come: their drivers count on beyond the last number."""


def made_exact(spool: Path, numbers: Collection[str]) -> tuple[pl.LazyFrame, dict[str, TypeName]]:
    """The rows, with decimals for `numbers`, and the types of columns that are text because of some values.

    These are values that are no number or are too long, and days beyond the calendar.
    """
    frame = pl.scan_parquet(spool, glob=False)
    schema = frame.collect_schema()
    days = [name for name, dtype in schema.items() if dtype.base_type() in _ENDLESS]
    facts = [*_facts_of_numbers(numbers), *(_odd(name, schema[name]).any().alias(f"odd {name}") for name in days)]
    if not facts:
        return frame, {}
    found = frame.select(facts).collect(engine="streaming").row(0, named=True)
    decimals = {name: found[f"decimals {name}"] or 0 for name in numbers}
    fits = {
        name: found[f"plain {name}"] and (found[f"digits {name}"] or 0) <= DIGITS and decimals[name] <= DECIMALS
        for name in numbers
    }
    odd = [name for name in days if found[f"odd {name}"]]
    types: dict[str, TypeName] = dict.fromkeys(odd, "date")
    types |= {name: "number" for name in numbers if not fits[name]}
    as_numbers = (pl.col(name).cast(pl.Decimal(38, decimals[name])) for name in numbers if fits[name])
    return frame.with_columns(*as_numbers, *(_as_text(name, schema[name]) for name in odd)), types


def _facts_of_numbers(names: Collection[str]) -> Iterator[pl.Expr]:
    for name in names:
        value = pl.col(name)
        whole = value.str.strip_prefix("-").str.find(".", literal=True)
        yield value.str.contains(_NUMBER).all().alias(f"plain {name}")
        yield whole.fill_null(value.str.len_bytes()).max().alias(f"digits {name}")
        yield (value.str.strip_prefix("-").str.len_bytes() - whole - 1).max().alias(f"decimals {name}")


def _odd(name: str, dtype: pl.DataType) -> pl.Expr:
    return ~_in_calendar(name, dtype)


def _in_calendar(name: str, dtype: pl.DataType) -> pl.Expr:
    """Whether it is in the years that dates of all kinds have, 1 to 9999; missing where it is missing."""
    per_day = 86_400 * {"ms": 10**3, "us": 10**6, "ns": 10**9}[dtype.time_unit] if isinstance(dtype, pl.Datetime) else 1
    return pl.col(name).to_physical().is_between(_FIRST * per_day, (_LAST + 1) * per_day - 1)


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    value, zoned = pl.col(name), isinstance(dtype, pl.Datetime) and dtype.time_zone
    layout = "%Y-%m-%d" if dtype == pl.Date else f"%Y-%m-%dT%H:%M:%S%.f{'%:z' if zoned else ''}"
    inside = _in_calendar(name, dtype)
    text = pl.when(inside).then(value).dt.to_string(layout)
    for word, numbers in _ENDLESS[dtype.base_type()].items():
        text = pl.when(value.to_physical().is_in(numbers)).then(pl.lit(word)).otherwise(text)
    return text.fill_null(pl.when(value.is_not_null()).then(pl.lit("a day beyond the years 1 to 9999"))).alias(name)
