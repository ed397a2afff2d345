"""What `segkit columns` knows of tables."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from segkit.diagnostics import Diagnostic


class FrequentValue(NamedTuple):
    """A value of a column, and how many rows have it."""

    value: str | bool
    rows: int


class ColumnValues(NamedTuple):
    """What stands in a column, in all rows of its table.

    `filled` rows have a value; `unreadable` have something that is no value of the column's type. `personal` is the
    kind of personal data: of such a column neither `lowest` nor `highest` nor `frequent` are given, but `shape`, what
    most values look like. So it is where no two rows have one value. `distinct` is of texts, lists, and true and false.
    """

    filled: int
    unreadable: int = 0
    personal: str | None = None
    distinct: int | None = None
    lowest: float | Decimal | dt.date | None = None
    highest: float | Decimal | dt.date | None = None
    frequent: tuple[FrequentValue, ...] = ()
    shape: str | None = None


class KnownColumn(NamedTuple):
    """A column that conditions can be written on.

    `origin` is `file`, `events` (of customers that are made of these), `lookup`, `derive`, or the section that computes
    it; `section` is where that stands in the rule file. `used_by` are sections and keys of the rule file.
    """

    name: str
    type: str
    origin: str
    section: str
    used_by: tuple[str, ...]
    values: ColumnValues | None = None


class KnownTable(NamedTuple):
    """A table of a rule file with its columns; `rows` are those that count, None where they were not counted."""

    name: str
    paths: tuple[str, ...]
    rows: int | None
    columns: tuple[KnownColumn, ...]


class ColumnsResult(NamedTuple):
    """What conditions can be written on."""

    path: str
    as_of: dt.date
    tables: tuple[KnownTable, ...]
    notes: tuple[Diagnostic, ...]
