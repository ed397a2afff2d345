"""Lists in a table of PostgreSQL.

Rows go to a temporary table first, and from there into that of the user: a value that does not come back from the type
of its column as it went in, such as a text cut or a number rounded, is refused before a row is touched.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl

from segkit.errors import WriteError
from segkit.io.databases import postgresql
from segkit.io.databases.refused import Reason, Refused, meant
from segkit.io.databases.stopping import interruptible
from segkit.io.write.tables.kinds import Kind
from segkit.io.write.tables.stores import (
    PLAIN,
    Column,
    Load,
    Old,
    Open,
    Waiting,
    handed,
    require_done,
    require_spared,
    require_sums,
)
from segkit.rules.model.table_name import AS_OF, CHANGE, LIST, TableName, quoted

HELD, STOPPED = "55P03", "57014"
"""The codes of a lock that somebody else has, and of a statement that was stopped."""
FIRST_TRY, NEXT_TRIES = "50ms", "1s"
"""How long one try to lock a table takes; between two, the process can be interrupted."""
_NOTHING = "nothing was written"
_WRITING = (
    Reason(
        STOPPED, "has stopped the run: it took too long", "look at `statement_timeout` of the server or of its user"
    ),
    Reason("25006", "takes no rows: it is a standby, or is only read", "name the server that is written to"),
    Reason("42501", "does not let this user write there", "ask whoever runs the server for the rights to it"),
    Reason("^22", "has a column that does not take a value of its rows", "look at the types of its columns"),
    Reason("^23", "does not take the rows, because of a rule of the table", "look at its constraints and triggers"),
    Reason("P0001", "does not take the rows: a trigger refuses them", "look at its triggers"),
    Reason("40P01|40001", "is written to by others at the same time", "run this again"),
)
"""What codes of PostgreSQL mean to those who write."""
_MADE = {
    Kind.TEXT: "text",
    Kind.INTEGER: "bigint",
    Kind.DECIMAL: "numeric",
    Kind.NUMBER: "double precision",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.MOMENT: "timestamp without time zone",
    Kind.ZONED: "timestamp with time zone",
}
_AS_TEXT = dict.fromkeys(Kind, Kind.TEXT)
_TEXT = {Kind.TEXT: Kind.TEXT}
_NUMERIC = {Kind.TEXT: Kind.TEXT, Kind.DECIMAL: Kind.TEXT, Kind.NUMBER: Kind.TEXT, Kind.INTEGER: Kind.INTEGER}
"""Decimals are handed over as text, so that 19.99 does not become 19.9900000000."""
_FLOAT = {**_NUMERIC, Kind.NUMBER: Kind.NUMBER}
_NUMBERS = {
    **dict.fromkeys(("int2", "int4", "int8", "numeric"), _NUMERIC),
    **dict.fromkeys(("float4", "float8"), _FLOAT),
}
_TAKES = {
    **_NUMBERS,
    **dict.fromkeys(("text", "varchar", "bpchar", "citext"), _AS_TEXT),
    **dict.fromkeys(("uuid", "json", "jsonb"), _TEXT),
    "bool": {Kind.BOOLEAN: Kind.BOOLEAN} | _TEXT,
    "date": {Kind.DATE: Kind.DATE} | _TEXT,
    "timestamp": {Kind.MOMENT: Kind.MOMENT, Kind.DATE: Kind.DATE} | _TEXT,
    "timestamptz": {Kind.ZONED: Kind.ZONED},
}
"""Type of a column -> what it takes, and as what it is handed over.

A text, as what no rule reads in a text file is, may be handed to a column of numbers or days: where all of its values
come back as they went in. So two rule files fill one table, whatever each of them reads.
"""


class PostgresDatabase:
    """A database of a server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __repr__(self) -> str:
        return f"PostgresDatabase({self.address!r})"

    @property
    def address(self) -> str:
        """Where it is, without user, password and query."""
        return postgresql.shown(self._url)

    def look(self, tables: Sequence[TableName]) -> Mapping[TableName, Mapping[str, Column] | None]:
        """The columns of each table, None for one that is not there and can be made."""
        with self.told(), self._connected() as connection:
            return {table: self._columns(connection, table) for table in tables}

    def labels(self, table: TableName, old: Old) -> list[str]:
        """The labels that have rows; none where there is no such table or column, or somebody holds the table."""
        with self.told(), self._connected() as connection, connection.cursor() as cursor:
            found = self._asked(connection, _TABLE.format(name=_literal(table.name), place=_place(table)))
            columns = self._asked(connection, _COLUMNS.format(oid=found[0]["oid"])) if found else []
            if old.column not in [row["name"] for row in columns]:
                return []
            try:
                with self.asking():
                    cursor.execute(f"set local lock_timeout = '{FIRST_TRY}'")
                    cursor.execute(f"lock table {table.sql} in access share mode")
            except Held:
                return []  # who waits for it asks again
            return self.labels_in(connection, table, old)

    def spelling(self, name: str) -> str:
        """The name: capitals count."""
        return name

    def made(self, kind: Kind) -> Column:
        """A column of a table that is made."""
        return Column(_MADE[kind], {kind: Kind.TEXT if kind is Kind.DECIMAL else kind})

    @contextmanager
    def transaction(self, waiting: Waiting) -> Iterator[Open]:
        """A transaction, which is taken back where the block ends before it is committed."""
        with self._connected() as connection:  # closing takes back what is not committed
            yield _Transaction(self, connection, waiting)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        with self.told():
            connection = postgresql.connect(self._url)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what the server refuses inside the block into a WriteError of our own words."""
        try:
            yield
        except Refused as error:
            raise WriteError.of(error.message, hint=error.hint) from None

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Turn an error of the driver into `Refused`, and into `Held` where somebody else has the lock."""
        import adbc_driver_manager

        try:
            yield
        except adbc_driver_manager.Error as error:
            if error.sqlstate == STOPPED and "user request" in str(error):
                raise KeyboardInterrupt from None  # the driver has taken Ctrl-C, and stopped the server
            raise self.refused(error) from None

    def refused(self, error: Any) -> Refused:
        """What an error of the driver means to those who write."""
        state = error.sqlstate or ""
        if state == HELD:
            return Held(f"`{self.address}`: the table is held by somebody else")
        reason = meant(state, _WRITING) if state else None
        if reason is None:
            return postgresql.refused(self._url, error)
        told = {name.decode() if isinstance(name, bytes) else name: text for name, text in error.details or ()}
        of = told.get("PG_DIAG_CONSTRAINT_NAME") or told.get("PG_DIAG_COLUMN_NAME") or b""
        named = f" (`{of.decode('utf-8', 'replace')}`)" if of else ""
        return Refused(f"`{self.address}` {reason.says}{named}; {_NOTHING}", reason.hint)

    def _columns(self, connection: Any, table: TableName) -> Mapping[str, Column] | None:
        found = self._asked(connection, _TABLE.format(name=_literal(table.name), place=_place(table)))
        if not found:
            self._require_free(connection, table)
            return None
        of = found[0]
        if of["kind"] not in ("r", "p"):
            raise WriteError.of(f"`{table}` in `{self.address}` is no table", hint="name a table, not a view on one")
        if not of["may"]:
            hint = f"`grant select, insert, delete on {table.sql} to` this user"
            raise WriteError.of(f"`{self.address}` does not let this user write to `{table}`", hint=hint)
        return {
            row["name"]: Column(
                f"{row['type']}{' (generated)' if row['generated'] else ''}",
                {} if row["generated"] else _TEXT if row["enum"] else _TAKES.get(row["base"], {}),
                needed=row["needed"],
                numbers=row["base"] in _NUMBERS,
            )
            for row in self._asked(connection, _COLUMNS.format(oid=of["oid"]))
        }

    def has(self, connection: Any, table: TableName) -> bool:
        """Whether there is a table, or something else, of this name."""
        return bool(self._asked(connection, _TABLE.format(name=_literal(table.name), place=_place(table))))

    def _require_free(self, connection: Any, table: TableName) -> None:
        """`WriteError` where a table of this name cannot be made, or is there in other capitals."""
        schema = _literal(table.schema) if table.schema else "current_schema()"
        (may,) = self._asked(connection, _SCHEMA.format(schema=schema))
        if may["may"] is None:
            hint = f"`create schema {quoted(table.schema or '')}` makes it; capitals count"
            raise WriteError.of(f"`{self.address}` has no schema `{table.schema}`", hint=hint)
        near = self._asked(connection, _ALIKE.format(name=_literal(table.name), schema=schema))
        if near:
            other = TableName(table.schema, near[0]["name"])
            hint = f'capitals count: write `table = "{other}"`, or make `{table}` first'
            raise WriteError.of(f"`{self.address}` has no table `{table}`, but `{other}`", hint=hint)
        if not may["may"]:
            hint = "ask whoever runs the server to make it, or for the right to"
            raise WriteError.of(f"`{self.address}` does not let this user make the table `{table}`", hint=hint)

    def _asked(self, connection: Any, sql: str) -> list[dict[str, Any]]:
        return postgresql.run(connection, self._url, sql).to_dicts()

    def columns(self, connection: Any, table: TableName) -> Mapping[str, Column]:
        """The columns of a table that is there."""
        return self._columns(connection, table) or {}

    def labels_in(self, connection: Any, table: TableName, old: Old) -> list[str]:
        """The labels that have rows in a table that is there."""
        label = f"{quoted(old.column)}::text"
        sql = f"select distinct {label} as label from {table.sql} where {_goes(old)} order by 1"
        return [row["label"] for row in self._asked(connection, sql)]

    def asked(self, connection: Any, sql: str) -> list[dict[str, Any]]:
        """The rows that answer a question."""
        return self._asked(connection, sql)


class Held(Refused):
    """Somebody else has the lock."""


class _Transaction:
    def __init__(self, database: PostgresDatabase, connection: Any, waiting: Waiting) -> None:
        self._database, self._connection, self._waiting = database, connection, waiting
        self._stopped = threading.Event()

    def write(self, loads: Sequence[Load]) -> None:
        """Make the tables that are not there, take rows away, and put rows in."""
        with self._database.told(), self._connection.cursor() as cursor:

            def stop() -> None:
                self._stopped.set()
                cursor.adbc_cancel()

            interruptible(lambda: self._write(cursor, loads), stop)

    def _write(self, cursor: Any, loads: Sequence[Load]) -> None:
        with self._database.told():
            self._hold(cursor, loads)
            for number, load in enumerate(loads):
                if load.rows is None and not self._database.has(self._connection, load.table):
                    continue  # nobody was held out but in a table that is gone
                there = self._database.columns(self._connection, load.table)
                if load.spared:
                    spared = Old(load.old.column, load.spared)
                    require_spared(load, self._database.labels_in(self._connection, load.table, spared))
                stage = f"segkit_rows_{number}"
                rows = self._staged(cursor, handed(load.rows, there, load.kinds), stage) if load.rows is not None else 0
                if rows:
                    self._require_kept(cursor, load, there, stage)
                self._run(cursor, f"delete from {load.table.sql} where {_goes(load.old)}")
                require_done(load.table, self._rows(load, load.old), 0)
                if load.adds_up is not None:
                    require_sums(load.table, self._sums(load), load.adds_up)
                labelled = load.old._replace(after=None)
                before = self._rows(load, labelled)
                if rows:
                    names = ", ".join(map(quoted, load.kinds))
                    values = ", ".join(f"{quoted(name)}::{there[name].type}" for name in load.kinds)
                    self._run(cursor, f"insert into {load.table.sql} ({names}) select {values} from {stage}")
                require_done(load.table, self._rows(load, labelled), before + rows)

    def _rows(self, load: Load, old: Old) -> int:
        """How many rows there are of those that `old` means."""
        sql = f"select count(*) as rows from {load.table.sql} where {_goes(old)}"
        return int(self._database.asked(self._connection, sql)[0]["rows"])

    def _sums(self, load: Load) -> dict[str, int]:
        """How many are in each list by the changes that are there."""
        sign = f"case {quoted(CHANGE)} when 'entered' then 1 else -1 end"
        where = _goes(load.old._replace(after=None))
        sql = f"select {quoted(LIST)} as list, sum({sign}) as members from {load.table.sql} where {where} group by 1"
        return {row["list"]: int(row["members"]) for row in self._database.asked(self._connection, sql)}

    def _run(self, cursor: Any, sql: str) -> None:
        """A statement that gives no rows."""
        with self._going_on():
            cursor.execute(sql)

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        """What is asked of the server inside the block, unless somebody has pressed Ctrl-C."""
        if self._stopped.is_set():
            raise KeyboardInterrupt
        with self._database.asking():
            yield

    def _hold(self, cursor: Any, loads: Sequence[Load]) -> None:
        """Make the tables that are not there, and hold all against others who write; readers go on reading."""
        within, told = FIRST_TRY, False
        while True:
            try:
                # A snapshot that is older than the lock would not see what was written before it.
                self._connection.rollback()
                self._run(cursor, "set transaction isolation level read committed")
                self._run(cursor, f"set local lock_timeout = '{within}'")
                for load in loads:
                    if self._is_there(cursor, load):
                        self._run(cursor, f"lock table {load.table.sql} in share row exclusive mode")
                self._run(cursor, "set local lock_timeout = 0")
            except Held:
                self._connection.rollback()
            else:
                return
            name = f"`{loads[0].table}` in `{self._database.address}`"
            if not self._waiting.wait:
                hint = "wait for it to end, or leave `--no-wait` out"
                raise WriteError.of(f"somebody else writes to {name}, or holds it", hint=hint)
            if not told:
                self._waiting.told(f"waiting for {name}, which somebody else holds")
            within, told = NEXT_TRIES, True

    def _is_there(self, cursor: Any, load: Load) -> bool:
        """Whether the table is there, by now at the latest where rows come."""
        if load.rows is None and not self._database.has(self._connection, load.table):
            return False
        if self._database.columns(self._connection, load.table):
            return True
        # Two runs that make one table at once would fail: the second waits here until the first is done.
        # Not as a query: the driver tells of one that failed only where its rows are asked for.
        lock = f"begin perform pg_advisory_xact_lock(hashtext({_literal(load.table.sql)})); end"
        self._run(cursor, f"do {_literal(lock)}")
        columns = ", ".join(f"{quoted(name)} {_MADE[kind]}" for name, kind in load.kinds.items())
        self._run(cursor, f"create table if not exists {load.table.sql} ({columns})")
        return True

    def _staged(self, cursor: Any, rows: pl.LazyFrame, stage: str) -> int:
        """Put the rows into a temporary table, which is made with the first of them; how many there are."""
        mode, number = "create", 0
        for batch in rows.collect_batches(maintain_order=True):
            with self._going_on():
                cursor.adbc_ingest(stage, batch, mode=mode, temporary=True)
            mode = "append"
            number += len(batch)
        return number

    def _require_kept(self, cursor: Any, load: Load, there: Mapping[str, Column], stage: str) -> None:
        """`WriteError` for a value that would not come back from its column as it went in."""
        for at, (name, kind) in enumerate(load.kinds.items()):
            column = there[name]
            lost = _lost(name, kind, column)
            if lost is None:
                continue
            # By way of a table, since an error that comes while rows are read has no code.
            one = f"{stage}_{at}"
            self._run(cursor, f"create temporary table {one} as select 1 from {stage} where {lost} limit 1")
            if self._database.asked(self._connection, f"select 1 as lost from {one}"):
                hint = "change the type of the column, take it out of `columns`, or name another table"
                message = f"a value of `{name}` does not fit into `{column.type}` of `{load.table}`; {_NOTHING}"
                raise WriteError.of(message, hint=hint)

    def commit(self) -> None:
        """Make it true."""
        with self._database.told(), self._database.asking():
            self._connection.commit()


def _lost(name: str, kind: Kind, column: Column) -> str | None:
    """A condition on values that a column would change; None where it takes them as they are."""
    value, handed_as = quoted(name), column.takes[kind]
    as_number = column.numbers and handed_as is Kind.TEXT
    own = _MADE[Kind.DECIMAL] if as_number else _MADE[handed_as]
    if column.type == own and not (as_number and kind is Kind.TEXT):
        return None
    changed = f"{value}::{column.type}::{own} is distinct from {value}::{own}"
    # Two texts that are one number, such as 1E5 and 100000, are two keys.
    return f"{changed} or {value} !~ {_literal(PLAIN)}" if as_number and kind is Kind.TEXT else changed


def _place(table: TableName) -> str:
    """A condition on the schema of a table."""
    return f"n.nspname = {_literal(table.schema)}" if table.schema else "pg_table_is_visible(c.oid)"


def _goes(old: Old) -> str:
    """A condition on the rows that go; as text, since `citext` takes capitals and small letters for the same."""
    labels = ", ".join(map(_literal, old.labels))
    later = f" and {quoted(AS_OF)} > date {_literal(old.after.isoformat())}" if old.after else ""
    return f"{quoted(old.column)}::text in ({labels}){later}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_TABLE = """
select c.oid::int8 as oid, c.relkind::text as kind, has_table_privilege(c.oid, 'insert')
  and has_table_privilege(c.oid, 'delete') and has_table_privilege(c.oid, 'select') as may
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = {name} and {place}
"""
_COLUMNS = """
select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
  coalesce(b.typname, t.typname)::text as base, coalesce(b.typtype, t.typtype) = 'e' as enum,
  a.attgenerated <> '' or a.attidentity = 'a' as generated,
  (a.attnotnull or t.typnotnull) and not a.atthasdef and a.attidentity = '' and t.typdefault is null as needed
from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_type b on b.oid = t.typbasetype
where a.attrelid = {oid} and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
_SCHEMA = """
select (select has_schema_privilege(n.oid, 'create') from pg_catalog.pg_namespace n where n.nspname = {schema}) as may
"""
_ALIKE = """
select c.relname::text as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where lower(c.relname) = lower({name}) and c.relname <> {name} and n.nspname = {schema} and c.relkind in ('r', 'p')
"""
