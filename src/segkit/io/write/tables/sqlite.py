"""Lists in a table of a SQLite file.

Dates and decimals are text: a column of numbers holds 15 digits of a decimal, and text holds all.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import polars as pl

from segkit.errors import WriteError
from segkit.io.databases import sqlite
from segkit.io.databases.refused import Refused
from segkit.io.write.tables.kinds import Kind
from segkit.io.write.tables.stores import PLAIN, Column, Load, Old, Open, Waiting, handed, require_done, require_spared
from segkit.rules.model.table_name import TableName, quoted

PAUSE = 0.1
"""Seconds between two tries where another program writes."""
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_AS_TEXT = dict.fromkeys(Kind, Kind.TEXT)
_AS_IT_IS = _AS_TEXT | {kind: kind for kind in (Kind.INTEGER, Kind.BOOLEAN, Kind.NUMBER)}
_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_DIGITS = 15
"""The digits of a decimal that SQLite keeps in a number."""
_MADE = {Kind.INTEGER: "INTEGER", Kind.BOOLEAN: "INTEGER", Kind.NUMBER: "REAL"}
"""Kind -> the type of a column that is made; all others are text."""


class SqliteFile:
    """A SQLite file; `mode` gives the permissions of one that is made."""

    def __init__(self, path: Path, mode: int | None = None) -> None:
        self.path, self._mode = path, mode

    @property
    def address(self) -> str:
        """Where it is."""
        return f"sqlite:{self.path}"

    def look(self, tables: Sequence[TableName]) -> Mapping[TableName, Mapping[str, Column] | None]:
        """The columns of each table, None for one that is not there; the file is not made."""
        if not self.path.exists():
            return dict.fromkeys(tables)
        with self.told(), closing(self._connected(writes=False)) as connection:
            return {table: _columns(connection, table) for table in tables}

    def labels(self, table: TableName, old: Old) -> list[str]:
        """The labels that have rows; none where there is no such table or column."""
        if not self.path.exists():
            return []
        with self.told(), closing(self._connected(writes=False)) as connection:
            columns = _columns(connection, table) or {}
            there = old.column.lower() in map(str.lower, columns)
            return _labels(connection, table, old) if there else []

    def spelling(self, name: str) -> str:
        """The name in small letters: capitals do not count."""
        return name.lower()

    def made(self, kind: Kind) -> Column:
        """A column of a table that is made."""
        return _column(_MADE.get(kind, "TEXT"))

    @contextmanager
    def transaction(self, waiting: Waiting) -> Iterator[Open]:
        """A transaction, which is taken back where the block ends before it is committed."""
        with self.told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._make()
            connection = self._connected(writes=True)
        with closing(connection):  # closing takes back what is not committed
            yield _Transaction(self, connection, waiting)

    def _make(self) -> None:
        """The file, for its owner alone where that is asked for before anything is in it."""
        if self._mode is None:
            self.path.touch()
        elif not self.path.exists():  # of one that is there, whoever has made it says who may read it
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
            self.path.chmod(self._mode)

    def _connected(self, *, writes: bool) -> sqlite3.Connection:
        connection = sqlite.connect(self.path, writes=writes)
        connection.execute("pragma busy_timeout = 0")  # who waits here could not be interrupted
        return connection

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what SQLite refuses inside the block into a WriteError."""
        try:
            yield
        except sqlite3.IntegrityError as error:  # its words name the constraint and its columns, and no value
            hint = "look at the constraints of the table; nothing was written"
            raise WriteError.of(f"`{self.address}` does not take the rows: {error}", hint=hint) from None
        except sqlite3.Error as error:
            refused = sqlite.refused(self.path, error)
            raise WriteError.of(refused.message, hint=refused.hint) from None
        except Refused as error:
            raise WriteError.of(error.message, hint=error.hint) from None
        except OSError as error:
            raise WriteError.of(f"cannot write to `{self.address}`: {error.strerror}") from error


class _Transaction:
    def __init__(self, file: SqliteFile, connection: sqlite3.Connection, waiting: Waiting) -> None:
        self._file, self._connection, self._waiting = file, connection, waiting

    def write(self, loads: Sequence[Load]) -> None:
        """Make the tables that are not there, take rows away, and put rows in."""
        with self._file.told():
            self._patiently("begin immediate")
            for load in loads:
                there = _columns(self._connection, load.table)
                if there is None and load.rows is not None:
                    there = {name: self._file.made(kind) for name, kind in load.kinds.items()}
                    columns = ", ".join(f"{quoted(name)} {column.type}" for name, column in there.items())
                    self._connection.execute(f"create table {load.table.sql} ({columns})")
                if there is not None:
                    self._replace(load, {name.lower(): column for name, column in there.items()})

    def _replace(self, load: Load, there: Mapping[str, Column]) -> None:
        if load.spared:
            require_spared(load, _labels(self._connection, load.table, Old(load.old.column, load.spared)))
        where = _goes(load.old)
        others = f"select count(*) from {load.table.sql} where not ({where}) or {quoted(load.old.column)} is null"
        spared = self._connection.execute(others, load.old.labels).fetchone()[0]
        self._connection.execute(f"delete from {load.table.sql} where {where}", load.old.labels)
        count = f"select count(*) from {load.table.sql} where {where}"
        require_done(load.table, self._connection.execute(count, load.old.labels).fetchone()[0], 0)
        if load.rows is None:
            return
        names, marks = ", ".join(map(quoted, load.kinds)), ", ".join("?" * len(load.kinds))
        insert = f"insert into {load.table.sql} ({names}) values ({marks})"
        there = {name: there[name.lower()] for name in load.kinds}
        rows = 0
        for batch in handed(load.rows, there, load.kinds).collect_batches(maintain_order=True):
            _require_kept(batch, there, load)
            self._connection.executemany(insert, batch.iter_rows())
            rows += len(batch)
        require_done(load.table, self._connection.execute(count, load.old.labels).fetchone()[0], rows)
        left = self._connection.execute(others, load.old.labels).fetchone()[0]
        if left != spared:
            message = f"`{load.table}` would lose rows of others: {spared - left:,} of {spared:,}"
            hint = "a trigger, or `on conflict replace`, takes them; nothing was written"
            raise WriteError.of(message, hint=hint)

    def commit(self) -> None:
        """Make it true, once no other program reads the file."""
        with self._file.told():
            self._patiently("commit")

    def _patiently(self, statement: str) -> None:
        """Run the statement, again and again while another program has the file."""
        waits = False
        while not _runs(lambda: self._connection.execute(statement)):
            if not self._waiting.wait:
                hint = "wait for it to end, or leave `--no-wait` out"
                raise WriteError.of(f"another program uses `{self._file.address}`", hint=hint)
            if not waits:
                self._waiting.told(f"waiting for another program that uses {self._file.address}")
            waits = True
            time.sleep(PAUSE)


def _runs(statement: Callable[[], object]) -> bool:
    """Whether the statement went through; False where another program has the file."""
    try:
        statement()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in _BUSY:
            return False
        raise
    return True


def _goes(old: Old) -> str:
    """A condition on the rows that go, with a mark for each label, also where a column does not look at capitals."""
    return f"{quoted(old.column)} collate binary in ({', '.join('?' * len(old.labels))})"


def _labels(connection: sqlite3.Connection, table: TableName, old: Old) -> list[str]:
    """The labels that have rows in a table that is there."""
    sql = f"select distinct {quoted(old.column)} from {table.sql} where {_goes(old)} order by 1"
    return [row[0] for row in connection.execute(sql, old.labels)]


def _columns(connection: sqlite3.Connection, table: TableName) -> Mapping[str, Column] | None:
    found = connection.execute("select type from sqlite_schema where lower(name) = lower(?)", [table.name]).fetchone()
    if found is None:
        return None
    if found[0] != "table":
        raise WriteError.of(f"`{table}` is no table, but of the kind `{found[0]}`", hint="name a table")
    rows = connection.execute('select name, type, "notnull", dflt_value, pk from pragma_table_info(?)', [table.name])
    return {
        name: _column(
            type_,
            needed=bool(not_null) and default is None and not (key and type_.upper() == "INTEGER"),
        )
        for name, type_, not_null, default, key in rows
    }


def _column(declared: str, *, needed: bool = False) -> Column:
    """A column of a type: one of texts takes all as text, others make numbers of texts that look so."""
    type_ = declared.upper()
    if "INT" not in type_ and any(word in type_ for word in ("CHAR", "CLOB", "TEXT")):
        return Column(declared, _AS_TEXT, needed)
    plain = not type_ or ("BLOB" in type_ and "INT" not in type_)
    return Column(declared or "without a type", _AS_IT_IS, needed, numbers=not plain)


def _require_kept(batch: pl.DataFrame, there: Mapping[str, Column], load: Load) -> None:
    """`WriteError` for a text that a column would make another number of, such as `00042`."""
    for name, dtype in batch.schema.items():
        column = there[name]
        if not column.numbers or not (dtype == pl.String or (dtype == pl.Int64 and "INT" not in column.type.upper())):
            continue
        value = pl.col(name)
        changes = value.abs() > 2**53
        if dtype == pl.String:
            many = value.str.count_matches(r"\d") > _DIGITS
            changes = value.str.contains(_NUMBER) & (~value.str.contains(PLAIN) | many)
        if batch.select(changes.any()).item():
            hint = "change the type of the column, take it out of `columns`, or name another table"
            message = f"a value of `{name}` does not fit into `{column.type}` of `{load.table}`; nothing was written"
            raise WriteError.of(message, hint=hint)
