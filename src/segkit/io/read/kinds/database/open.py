"""Opens what a section of the rule file reads of a database: once a run, into a Parquet file of the workspace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from segkit.addresses import database_of
from segkit.errors import DataError
from segkit.io.databases import duck, postgresql, sqlite
from segkit.io.databases.refused import Refused
from segkit.io.read.kinds import typed
from segkit.io.read.kinds.database import of_duckdb, of_postgresql, of_sqlite
from segkit.io.read.kinds.database.asked import Asked
from segkit.io.read.kinds.database.exact import made_exact
from segkit.io.read.label import Label
from segkit.io.read.opened import Opened
from segkit.io.read.problems import problem
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Source

KEYS = frozenset({"table", "query", "timeout"})
"""The keys of a source that say what of a database is read."""
_Spool = Callable[[Any, Asked, Path], frozenset[str]]


def open_postgresql(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a table or a query of a server; `path` is none."""
    database = database_of(str(spec.path))
    assert database is not None, "its address told that it is a database"
    address = database.place

    def connect() -> Any:
        connection = postgresql.connect(address)
        of_postgresql.begin(connection, address)
        return connection

    def spool(connection: Any, asked: Asked, to: Path) -> frozenset[str]:
        return of_postgresql.spool(connection, address, asked, to)

    return _opened(ws, spec, label, address, connect, spool)


def open_sqlite(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a table or a query of an SQLite file."""

    def spool(connection: Any, asked: Asked, to: Path) -> frozenset[str]:
        return of_sqlite.spool(ws, connection, path, asked, to)

    return _opened(ws, spec, label, str(path.resolve()), lambda: sqlite.connect(path), spool)


def open_duckdb(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a table or a query of a DuckDB file."""

    def spool(connection: Any, asked: Asked, to: Path) -> frozenset[str]:
        return of_duckdb.spool(connection, path, asked, to)

    return _opened(ws, spec, label, str(path.resolve()), lambda: duck.connect(path, ws.new_file("")), spool)


def _opened(
    ws: Workspace, spec: Source, label: Label, address: str, connect: Callable[[], Any], spool: _Spool
) -> Opened:
    """The rows in the workspace, where another section may have brought them; what failed once fails again."""
    asked = Asked.by(spec)
    label = replace(label, within=asked.within)
    name = (address, asked.table, asked.query)
    if name not in ws.spooled:
        ws.spooled[name] = _spooled(ws, label, address, asked, connect, spool)
    found = ws.spooled[name]
    if isinstance(found, DataError):
        raise found
    rows, numbers = found
    opened = typed.open_parquet(ws, spec, label, rows)
    frame, types = made_exact(rows, numbers)
    return opened._replace(frame=frame, types=types)


def _spooled(
    ws: Workspace, label: Label, address: str, asked: Asked, connect: Callable[[], Any], spool: _Spool
) -> tuple[Path, frozenset[str]] | DataError:
    rows = ws.new_file(".parquet")
    try:
        if address not in ws.connections:
            ws.connections[address] = connect()
        numbers = spool(ws.connections[address], asked, rows)
    except Refused as refused:
        # After an error a transaction gives nothing more.
        if address in ws.connections:
            ws.connections.pop(address).close()
        return problem(label, refused.message, hint=refused.hint)
    ws.on_open(rows)
    return rows, numbers
