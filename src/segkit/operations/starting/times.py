"""The day of an event, among the columns of dates."""

from __future__ import annotations

import polars as pl

from segkit.errors import DataError
from segkit.io.read import ColumnType, Table
from segkit.operations.orders_file.guess import ROLES, guess, simple
from segkit.operations.personal.kinds import kind_of, words_of
from segkit.operations.starting.known.facts import A_LIFE
from segkit.words import listed

COME_AGAIN = 5
"""Customers with several rows, who tell whether a day is that of the event or of the customer."""
OF_DAYS = frozenset({"date", "datum", "fecha", "day", "jour", "tag"})
"""Words in names of columns that promise days."""


def time_of(table: Table, key: str) -> tuple[str, str]:
    """The column with the day of the event, and why; `DataError` where none can have it."""
    days = [c.name for c in table.columns.values() if c.type is ColumnType.DATE and c.name != key]
    unread = [name for name in table.columns if name not in days and name != key and _promises(name)]
    about = {name: why for name, why in _of_customers(table, key, days).items() if len(days) > 1 or why == BIRTH}
    able = [name for name in days if name not in about] or [name for name in days if about[name] != BIRTH]
    if not able:
        raise DataError.of(f"no column of `{table.labels[0].path}` holds days{_but(about)}", hint=_hint(table, unread))
    others = [name for name in table.columns if name not in able]
    found = guess(table, "time", [key, *others]) or able[0]
    if simple(found) in ROLES["time"].names:
        return found, "named like the day of an event" if len(days) > 1 else "the only column of dates"
    why = "the only column of dates" if len(days) == 1 else f"the first of {len(days)} columns of dates, none named so"
    why = f"of {len(days)} columns of dates, the only one left" if len(able) == 1 < len(days) else why
    not_read = f"; {listed(unread)}: not read as days" if unread else ""
    return found, f"{why}{_but(about)}{not_read}"


BIRTH, OF_ONE, LIVES = "births", "one day for each customer", "more than a life long"


def _promises(name: str) -> bool:
    return simple(name) in ROLES["time"].names or not OF_DAYS.isdisjoint(words_of(name))


def _of_customers(table: Table, key: str, days: list[str]) -> dict[str, str]:
    """The columns of days that are those of customers and not of events, and what tells that."""
    told = {name: BIRTH for name in days if kind_of(name) == "birth date"}
    rest = [name for name in days if name not in told]
    if len(days) < 2 or not rest:
        return told
    values = table.frame.select(
        table.key(key).alias("\x1fkey"), *(table.value(name).cast(pl.Date).alias(name) for name in rest)
    )
    again = (
        values.filter(pl.col("\x1fkey").is_not_null())
        .group_by("\x1fkey")
        .agg(pl.len().alias("\x1flen"), pl.all().n_unique())
    )
    one, span = pl.collect_all(
        [
            again.filter(pl.col("\x1flen") > 1).select(pl.len().alias("\x1flen"), (pl.col(*rest) == 1).all()),
            values.select((pl.col(*rest).max() - pl.col(*rest).min()).dt.total_days()),
        ],
        engine="streaming",
    )
    known = one.item(0, "\x1flen") >= COME_AGAIN
    constant = [name for name in rest if known and one.item(0, name)]
    # Where all days of each customer are one, customers come once, with several lines.
    told |= dict.fromkeys(constant if len(constant) < len(rest) else [], OF_ONE)
    return told | {name: LIVES for name in rest if name not in told and (span.item(0, name) or 0) >= A_LIFE}


def _but(about: dict[str, str]) -> str:
    return "".join(f"; `{name}`: {why}" for name, why in about.items())


def _hint(table: Table, unread: list[str]) -> str:
    named = f"{listed(unread)}: not read as days such as 2024-03-31" if unread else "events have a day or a time"
    return table.one_column_hint() or table.no_header_hint() or named
