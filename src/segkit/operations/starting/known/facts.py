"""What stands in the files, once the roles of their columns are known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from segkit.diagnostics import Diagnostic
from segkit.results.columns import KnownColumn, KnownTable


@dataclass(frozen=True)
class Upper:
    """The upper quartile of a column of numbers: `rows` of the `filled` ones have it or more; `distinct` differ.

    `like_ids`: nearly all differ, and are whole numbers of one length, as numbers of accounts are.
    """

    value: float
    rows: int
    filled: int
    distinct: int
    like_ids: bool


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What stands in the tables: columns with their values, upper quartiles, the day that is now."""

    tables: Mapping[str, KnownTable]
    uppers: Mapping[str, Upper]
    """Column of the customer file -> its upper quartile."""
    births: tuple[str, ...]
    """Columns of the customer file with the days on which people were born."""
    as_of: dt.date | None
    """The last day of the events; without events, that of the customers."""
    unclear: Mapping[str, Mapping[str, str]]
    """Table -> columns of dates of which no value settles whether day or month is first -> the mark between these."""
    notes: tuple[Diagnostic, ...]

    def columns(self, table: str) -> Iterator[KnownColumn]:
        """The columns of a table whose values could be looked at."""
        return (column for column in self.tables[table].columns if column.values)


A_LIFE = 25 * 365
"""Days between the first and the last of a column that are more than those of a firm."""


def spans_lives(column: KnownColumn) -> bool:
    """Whether days lie so far apart that they are those on which people were born, whatever the column is called."""
    values = column.values
    if values is None or not isinstance(values.lowest, dt.date) or not isinstance(values.highest, dt.date):
        return False
    return (values.highest - values.lowest).days >= A_LIFE
