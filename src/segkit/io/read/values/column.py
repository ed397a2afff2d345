"""What is known of one column: its type, and how its texts become values."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import polars as pl

from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.io.read.values.texts import NULL_TEXTS

NO_VALUE = (*NULL_TEXTS, "NA", "N/A", "n/a", "nan", "NaN", "None", "none", "null", "-")
"""Texts that stand for a missing value in number, date and boolean columns."""


class ColumnType(StrEnum):
    """What the values of a column are."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    LIST = "list"
    OTHER = "other"


NUMERIC = (ColumnType.INTEGER, ColumnType.NUMBER)


class NumberStyle(NamedTuple):
    """How the numbers of a text column are written."""

    decimal: str = "."
    thousands: str | None = None
    """The one accepted group mark, `""` for none; None: the other mark, spaces and apostrophes."""
    plain: bool = True
    """No currency, group marks, spaces or exponents in the sample: one cast reads them."""
    long: bool = True
    """Some value of the sample may have more than the 10 decimals of money."""
    guessed: str = ""
    """A value that reads both ways, such as `1.234`, where nothing settles which."""
    decided: bool = True
    """Some value settles whether a mark before three digits is decimal."""
    percent: str | None = None
    """What `12 %` is: 12 (`keep`) or 0.12 (`divide`); None: no number."""
    any_code: bool = False
    """Any three capital letters around a number are a currency."""
    currencies: tuple[str, ...] = ()
    """The different currencies of the values."""


class DateStyle(NamedTuple):
    """How the dates of a text column are written."""

    order: str = "ymd"
    """`ymd`, `dmy`, `mdy`, `compact` (19970101), `named`, `month_named`, or `ambiguous` (day or month first)."""
    format: str | None = None
    """The one format of all sampled values; None: they vary within the order."""
    zoned: bool = False
    """Some value has a time zone."""
    formats: tuple[str, ...] = ()
    """Those that the rule file gave, in the order in which they are tried."""
    example: str = ""
    """The first value that reads differently day first and month first."""

    @property
    def how(self) -> str:
        """In words, for what was detected."""
        return f"date {' or '.join(self.formats) or self.format or self.order.replace('_', ' ')}"

    @property
    def given(self) -> bool:
        """The rule file gave formats."""
        return bool(self.formats)


class Column(NamedTuple):
    """One column of a table: its type, and how its texts become values."""

    name: str
    type: ColumnType
    mixed: bool = False
    blank: bool = False
    """No value was found, so nothing speaks against any type."""
    gaps: bool = False
    """Some sampled field is empty."""
    how: str = ""
    dtype: pl.DataType = pl.String()
    forced: bool = False
    """The rule file names the type."""
    number: NumberStyle = NumberStyle()
    date: DateStyle = DateStyle()
    padded: bool = False
    """Some value has white space around it."""
    nulls: tuple[str, ...] = NULL_TEXTS
    """Texts that stand for a missing value here, beside the empty one."""
    given_nulls: bool = False
    """The rule file gave some of `nulls`, so that a number such as `-1` may be among them."""
    settled: bool = False
    """What is known of the column rests on all rows."""
    true_values: tuple[str, ...] = ()
    false_values: tuple[str, ...] = ()
    """Words for true and false that the rule file adds."""
    ticks: bool = False
    """Fields are ticked or empty."""
    examples: tuple[str, ...] = ()
    """The first values of a text column."""
    timezone: str = "UTC"
    """In which zoned timestamps become dates."""

    @property
    def is_text(self) -> bool:
        """The column comes as text."""
        return self.dtype == pl.String

    def same_as(self, other: Column) -> bool:
        """Whether both give the same values, whatever they rest on."""
        return self._replace(settled=True, examples=()) == other._replace(settled=True, examples=())


def _held(dtype: pl.DataType) -> str:
    """What a column of such a type holds, in words."""
    words = {pl.Struct: "records", pl.Duration: "lengths of time", pl.Time: "times of day", pl.Binary: "binary data"}
    words |= {pl.List: "lists", pl.Array: "lists"}
    return next((word for kind, word in words.items() if isinstance(dtype, kind)), "values of an unknown type")


def no_reading(column: Column, to: ColumnType) -> DataError:
    """The error for a type that holds no such values."""
    return DataError(
        Diagnostic(
            f"column `{column.name}` holds {_held(column.dtype)}, which no rule can read",
            hint="name another column, or make it text, a number or a date in the file",
        ),
    )
