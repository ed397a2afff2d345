"""Opens what a section of the rule file reads of a database: once a run, into a Parquet file of the workspace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from segkit.addresses import database_of
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import DataError
from segkit.io.databases import duck, postgresql, sqlite
from segkit.io.databases.refused import Refused
from segkit.io.databases.stopping import interruptible
from segkit.io.read.kinds import typed
from segkit.io.read.kinds.database import of_duckdb, of_postgresql, of_sqlite
from segkit.io.read.kinds.database.asked import Asked, Brought
from segkit.io.read.kinds.database.exact import made_exact
from segkit.io.read.kinds.mixed import NUMBER
from segkit.io.read.label import Label
from segkit.io.read.opened import Opened
from segkit.io.read.problems import problem
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Source

KEYS = frozenset({"table", "query", "timeout"})
"""The keys of a source that say what of a database is read."""


class _Database(NamedTuple):
    """A database: by which name connections to it are kept, and what is done with one."""

    name: str
    connect: Callable[[], Any]
    spool: Callable[[Any, Asked, Path], Brought]
    """Writes rows into a file."""
    stop: Callable[[Any], object]


def open_postgresql(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a table or a query of a server; `path` is none."""
    named = database_of(str(spec.path))
    assert named is not None, "its address told that it is a database"
    address = named.place

    def connect() -> Any:
        connection = postgresql.connect(address)
        of_postgresql.begin(connection, address)
        return connection

    def spool(connection: Any, asked: Asked, to: Path) -> Brought:
        return of_postgresql.spool(connection, address, asked, to)

    server = _Database(address, connect, spool, lambda connection: connection.adbc_cancel())
    return _opened(ws, spec, label, server)


def open_sqlite(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a table or a query of an SQLite file."""

    def spool(connection: Any, asked: Asked, to: Path) -> Brought:
        return of_sqlite.spool(ws, connection, path, asked, to)

    return _opened(ws, spec, label, _file(path, lambda: sqlite.connect(path), spool))


def open_duckdb(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a table or a query of a DuckDB file."""

    def spool(connection: Any, asked: Asked, to: Path) -> Brought:
        return of_duckdb.spool(connection, path, asked, to)

    return _opened(ws, spec, label, _file(path, lambda: duck.connect(path, ws.new_file("")), spool))


def _file(path: Path, connect: Callable[[], Any], spool: Callable[[Any, Asked, Path], Brought]) -> _Database:
    return _Database(str(path.resolve()), connect, spool, lambda connection: connection.interrupt())


def _opened(ws: Workspace, spec: Source, label: Label, database: _Database) -> Opened:
    """The rows in the workspace, where another section may have brought them; what failed once fails again."""
    asked = Asked.by(spec)
    label = replace(label, within=asked.within)
    name = (database.name, asked.table, asked.query)
    if name not in ws.spooled:
        ws.spooled[name] = _spooled(ws, label, database, asked)
    found = ws.spooled[name]
    if isinstance(found, DataError):
        raise found
    rows, brought = found
    opened = typed.open_parquet(ws, spec, label, rows)
    frame, types = made_exact(rows, brought.numbers)
    told = (_hidden(label, asked),) if brought.hides_rows else ()
    mixed = {name.removeprefix(NUMBER): name for name in opened.names if name.startswith(NUMBER)}
    names = tuple(name for name in opened.names if not name.startswith(NUMBER))
    return opened._replace(frame=frame, names=names, types=types, mixed=mixed, told=told)


def _hidden(label: Label, asked: Asked) -> Diagnostic:
    message = f"the server says which rows of `{asked.table}` this user sees: not all may be read"
    hint = "it has row level security; a user for whom `row_security_active` is false sees all"
    return Diagnostic(message, SourceLocation(str(label)), hint, Severity.NOTE)


def _spooled(ws: Workspace, label: Label, database: _Database, asked: Asked) -> tuple[Path, Brought] | DataError:
    rows, name = ws.new_file(".parquet"), database.name
    try:
        if name not in ws.connections:
            ws.connections[name] = database.connect()
        connection = ws.connections[name]
        brought = interruptible(lambda: database.spool(connection, asked, rows), lambda: database.stop(connection))
    except Refused as refused:
        if name in ws.connections:  # after an error, a transaction gives nothing more
            ws.connections.pop(name).close()
        return problem(label, refused.message, hint=refused.hint)
    ws.on_open(rows)
    return rows, brought
