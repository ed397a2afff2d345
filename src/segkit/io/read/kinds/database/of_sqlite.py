"""The rows of SQLite, where each value has a type of its own."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from segkit.io.databases.sqlite import refused
from segkit.io.databases.stopping import time_limit
from segkit.io.read.kinds.database.asked import Asked, Brought, no_table, require_names_kept, require_own_names
from segkit.io.read.kinds.mixed import NUMBER
from segkit.io.read.workspace import Workspace
from segkit.rules.model.table_name import parts_of, quoted

BATCH = 50_000
"""Rows that are in memory at once, as objects of Python."""
EXACT = 2**53
"""The largest whole number up to which a float tells them all apart."""
_TYPES: dict[type, pl.DataType] = {int: pl.Int64(), float: pl.Float64(), str: pl.String(), bytes: pl.Binary()}
"""The types of values that SQLite has -> what they are here."""


def spool(ws: Workspace, connection: sqlite3.Connection, path: Path, asked: Asked, to: Path) -> Brought:
    """Write the rows to a Parquet file. Raises `Refused`."""
    if not connection.in_transaction:
        connection.execute("begin")
    with time_limit(asked.seconds, connection.interrupt):
        try:
            if asked.table:
                _require_table(connection, path, asked.table)
            names = [one[0] for one in connection.execute(f"select * from {asked.rows} limit 0").description]
            require_own_names(names)
            if asked.query and any(re.search(r":\d+$", name) for name in names):
                # So SQLite calls the second of a name; only the query itself tells, and its first row is computed.
                require_names_kept([one[0] for one in connection.execute(asked.query).description], names)
            cursor = connection.execute(_sql(asked, names))
            pieces = []
            while rows := cursor.fetchmany(BATCH):
                pieces.append(ws.new_file(".parquet"))
                _piece(rows).write_parquet(pieces[-1])
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise refused(path, error, query=asked.query) from None
    _joined(pieces, names).sink_parquet(to)
    for piece in pieces:
        piece.unlink()
    return Brought()


def _sql(asked: Asked, names: Sequence[str]) -> str:
    """The statement; a query that says its order runs as it is, since SQLite may drop the order of an inner one."""
    if asked.query and asked.is_ordered:
        return asked.query
    order = ", ".join(f"{quoted(name)} collate binary" for name in asked.order(names))
    return f"select * from {asked.rows} order by {order}"


def _require_table(connection: sqlite3.Connection, path: Path, table: str) -> None:
    names = parts_of(table)
    schema = quoted(names[0]) if names[1:] else "main"
    found = connection.execute(f"select name from {schema}.sqlite_master where type in ('table', 'view') order by name")
    there = [name for (name,) in found]
    # SQLite takes names in any case.
    if names[-1].lower() not in (name.lower() for name in there):
        raise no_table(str(path), table, there)


def _piece(rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    """Some rows, with a column of its own for each type of each column."""
    columns: dict[str, pl.Series] = {}
    for place, values in enumerate(zip(*rows, strict=True)):
        kinds = set(map(type, values)) - {type(None)}
        for kind, dtype in _TYPES.items():
            # Values of one type are taken as they are; only mixed ones are looked at one by one.
            alone = (
                values
                if kinds == {kind}
                else [v if type(v) is kind else None for v in values]
                if kind in kinds
                else None
            )
            series = (
                pl.Series(alone, dtype=dtype)
                if alone is not None
                else pl.repeat(None, len(rows), dtype=dtype, eager=True)
            )
            columns[f"{place} {kind.__name__}"] = series
    return pl.DataFrame(columns)


def _joined(pieces: Sequence[Path], names: Sequence[str]) -> pl.LazyFrame:
    """All rows, each column with the one type that all its values have, or as text."""
    if not pieces:
        return pl.LazyFrame(schema=dict.fromkeys(names, pl.String))
    frame = pl.scan_parquet([*pieces], glob=False)
    columns = [f"{place} {kind.__name__}" for place in range(len(names)) for kind in _TYPES]
    whole = [pl.col(f"{place} int").min().abs().alias(f"{place} low") for place in range(len(names))]
    whole += [pl.col(f"{place} int").max().abs().alias(f"{place} high") for place in range(len(names))]
    found = frame.select(pl.col(columns).count(), *whole).collect(engine="streaming").row(0, named=True)
    kinds = [[kind for kind in _TYPES if found[f"{place} {kind.__name__}"]] for place in range(len(names))]
    # Which of its texts were numbers is told beside a column.
    mixed = [n for n, of in enumerate(kinds) if len(of) > 1 and (int in of or float in of)]
    numbers = [
        pl.any_horizontal(pl.col(f"{n} int", f"{n} float").is_not_null()).alias(f"{NUMBER}{names[n]}") for n in mixed
    ]
    return frame.select(*(_column(n, of, found).alias(names[n]) for n, of in enumerate(kinds)), *numbers)


def _column(place: int, kinds: Sequence[type], found: Mapping[str, int | None]) -> pl.Expr:
    if len(kinds) == 1 and kinds[0] is not bytes:
        return pl.col(f"{place} {kinds[0].__name__}")
    largest = max(found[f"{place} low"] or 0, found[f"{place} high"] or 0)
    if kinds == [int, float] and largest <= EXACT:
        return pl.coalesce(pl.col(f"{place} int").cast(pl.Float64), f"{place} float")
    return pl.coalesce(_text(pl.col(f"{place} {kind.__name__}"), kind) for kind in _TYPES)


def _text(value: pl.Expr, kind: type) -> pl.Expr:
    """A value as a text: 12 for 12.0, and bytes in hexadecimal digits, as PostgreSQL writes them."""
    if kind is bytes:
        return pl.when(value.is_not_null()).then(pl.lit("\\x") + value.bin.encode("hex"))
    if kind is float:
        whole = pl.when(value == value.floor()).then(value).cast(pl.Int64, strict=False)
        return whole.cast(pl.String).fill_null(value.cast(pl.String))
    return value.cast(pl.String)
