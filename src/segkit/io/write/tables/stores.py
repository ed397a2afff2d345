"""Tables of databases as a place for lists: what is asked of each kind of database, and what does not fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import polars as pl

from segkit.diagnostics import Diagnostic
from segkit.errors import WriteError
from segkit.io.write.cells import without_nul
from segkit.io.write.tables.kinds import Kind, value
from segkit.rules.model.table_name import TableName, quoted
from segkit.words import listed, nearest

SHOWN = 5


class Column(NamedTuple):
    """A column of a table: its type as the database calls it, and what it takes: kind -> as what it is handed over.

    `needed` says that a row cannot be without it, `numbers` that it makes numbers of texts.
    """

    type: str
    takes: Mapping[Kind, Kind]
    needed: bool = False
    numbers: bool = False


class Old(NamedTuple):
    """The rows that go: those with one of these labels in a column, and of days after one alone where there is one."""

    column: str
    labels: Sequence[str]
    after: dt.date | None = None


class Load(NamedTuple):
    """What a run does to a table: its columns, which rows go, and the frame of those that come, None for none.

    Of the labels in `spared` no row may be there. Where changes are appended, `adds_up` has how many are in each list
    by those that are there: list -> number.
    """

    table: TableName
    kinds: Mapping[str, Kind]
    old: Old
    rows: pl.LazyFrame | None
    spared: Sequence[str] = ()
    adds_up: Mapping[str, int] | None = None


class Waiting(NamedTuple):
    """Whether a table that another program holds is waited for, and who is told of that."""

    wait: bool
    told: Callable[[str], None]


class Open(Protocol):
    """A transaction: nothing of it is seen before `commit`, and without it, all is as it was."""

    def write(self, loads: Sequence[Load]) -> None:
        """Make the tables that are not there, take rows away, and put rows in."""

    def commit(self) -> None:
        """Make it true."""


class Store(Protocol):
    """A database, and what it says of its tables; whatever it refuses is a `WriteError` without any secret."""

    @property
    def address(self) -> str:
        """Where it is, without user, password and query."""

    def look(self, tables: Sequence[TableName]) -> Mapping[TableName, Mapping[str, Column] | None]:
        """The columns of each table, None for one that is not there and can be made."""

    def labels(self, table: TableName, old: Old) -> list[str]:
        """The labels of `old` that have rows; none where there is no such table, or somebody holds it."""

    def spelling(self, name: str) -> str:
        """What tells a column from others: where capitals do not count, its name in small letters."""

    def made(self, kind: Kind) -> Column:
        """A column of a table that is made."""

    def transaction(self, waiting: Waiting) -> AbstractContextManager[Open]:
        """A transaction, which is taken back where the block ends before it is committed."""


PLAIN = r"^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)\.[0-9]*[1-9])$"
"""A number as a text that no other text is: a column of numbers gives it back so."""


def require_done(table: TableName, rows: int, expected: int) -> None:
    """`WriteError` where a table has not as many rows of these labels as it was told to have."""
    if rows != expected:
        message = f"`{table}` has {rows:,} rows of these segments where it was told to have {expected:,}"
        hint = "a trigger, rule, policy or constraint of the table takes or keeps rows; nothing was written"
        raise WriteError.of(message, hint=hint)


def rows_of_others(table: TableName, labels: Sequence[str], what: str = "this run would remove") -> Diagnostic:
    """That rows with these labels go which are not of the last run; `what` is who removes them."""
    more = len(labels) - SHOWN
    names = listed(labels[:SHOWN], "," if more > 0 else "and") + (f" and {more:,} more" if more > 0 else "")
    message = f"{what} rows from `{table}` that the last run of this directory has not written, of {names}"
    hint = "another rule file writes them, or the directory is new: name the segments otherwise or another `table`"
    return Diagnostic(message, hint=f"{hint}, or remove the rows with `--replace`")


def require_spared(load: Load, found: Sequence[str]) -> None:
    """`WriteError` where there are rows with labels that the last run has not written."""
    if found:
        raise WriteError(rows_of_others(load.table, found))


def require_sums(table: TableName, found: Mapping[str, int], expected: Mapping[str, int]) -> None:
    """`WriteError` where what was appended to a table does not add up to the lists of the last run."""
    for name in dict.fromkeys([*expected, *found]):
        there, last = found.get(name, 0), expected.get(name, 0)
        if there != last:
            message = f"the changes in `{table}` add up to {there:,} in `{name}`, and the last run has {last:,}"
            hint = (
                "name the `directory` of the run that last wrote there; or begin anew: a new table and a new directory"
            )
            raise WriteError.of(message, hint=hint)


def handed(rows: pl.LazyFrame, columns: Mapping[str, Column], kinds: Mapping[str, Kind]) -> pl.LazyFrame:
    """The rows as the columns of a table take them, in the order of `kinds`; `WriteError` for what none takes."""
    schema = rows.collect_schema()
    fine = [
        name for name in kinds if schema[name] == pl.Datetime("ns") and columns[name].takes[kinds[name]] != Kind.TEXT
    ]

    def looked_at(some: pl.DataFrame) -> pl.DataFrame:
        cut = some.select(pl.col(name).dt.nanosecond() % 1_000 != 0 for name in fine)
        for name in (column.name for column in cut if column.any()):
            hint = "take it out of `columns`, or write files"
            raise WriteError.of(f"a value of `{name}` has nanoseconds, which a table does not hold", hint=hint)
        return some

    rows = rows.map_batches(looked_at, streamable=True, validate_output_schema=False) if fine else rows
    return without_nul(
        rows.select(value(name, schema[name], columns[name].takes[kind]) for name, kind in kinds.items())
    )


def require_fit(store: Store, table: TableName, there: Mapping[str, Column] | None, kinds: Mapping[str, Kind]) -> None:
    """`WriteError` with what a table does not take of the columns of a run, and how it would."""
    by_spelling: dict[str, str] = {}
    for name in kinds:
        other = by_spelling.setdefault(store.spelling(name), name)
        if other != name:
            hint = "give one of them another name: `rename`, or choose `columns`"
            raise WriteError.of(f"`{other}` and `{name}` are one column in a table of SQLite", hint=hint)
    if there is None:
        return
    known = {store.spelling(name): column for name, column in there.items()}
    found = {name: known.get(store.spelling(name)) for name in kinds}
    absent = [name for name, column in found.items() if column is None]
    said = [f"it has no column {listed(absent[:SHOWN])}"] if absent else []
    said += [
        f"`{name}` is {column.type} there, and {store.made(kinds[name]).type} here"
        for name, column in found.items()
        if column and kinds[name] not in column.takes
    ]
    needed = [name for name, column in there.items() if column.needed and store.spelling(name) not in by_spelling]
    said += [f"`{name}` may not be missing there, and is not written" for name in needed]
    if said:
        hint = "change the table, choose other `columns`, or name another table"
        if absent:
            sql = f"alter table {table.sql} add column {quoted(absent[0])} {store.made(kinds[absent[0]]).type}"
            hint = nearest(absent[0], there) or f"`{sql}` adds it"
        raise WriteError.of(f"the table `{table}` does not fit: {'; '.join(said[:SHOWN])}", hint=hint)
