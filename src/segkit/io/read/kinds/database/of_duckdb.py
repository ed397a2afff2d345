"""The rows of DuckDB, in batches of Arrow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from segkit.io.databases.duck import refused
from segkit.io.databases.stopping import time_limit
from segkit.io.publish.errors import error_number
from segkit.io.read.kinds.database.asked import Asked, Brought, no_table, require_names_kept, require_own_names
from segkit.rules.model.table_name import parts_of, quoted

_AS_THEY_ARE = {
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "DOUBLE",
    "VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip
_LARGE = {"HUGEINT", "UHUGEINT"}
"""Whole numbers that Arrow cuts off without a word."""
_TABLES = """
select case when table_schema = current_schema() then table_name else table_schema || '.' || table_name end
from information_schema.tables order by 1 limit 1000"""


def spool(connection: Any, path: Path, asked: Asked, to: Path) -> Brought:
    """Write the rows to a Parquet file. Raises `Refused`."""
    import duckdb

    with time_limit(asked.seconds, connection.interrupt):
        try:
            if asked.table:
                _require_table(connection, path, asked.table)
            some = connection.sql(f"select * from {asked.rows} limit 0")
            require_own_names(some.columns)
            if asked.query:
                called = connection.sql(f"select column_name from (describe {asked.rows})").fetchall()
                require_names_kept([name for (name,) in called], some.columns)
            types = dict(zip(some.columns, map(str, some.types), strict=True))
            pl.scan_arrow_c_stream(connection.sql(_sql(asked, types))).sink_parquet(to)
        except duckdb.Error as error:
            raise refused(path, error, query=asked.query) from None
        except pl.exceptions.PolarsError as error:
            if error_number(error):
                raise
            raise refused(path, error, query=asked.query) from None
    return Brought(frozenset(name for name, kind in types.items() if kind in _LARGE))


def _require_table(connection: Any, path: Path, table: str) -> None:
    there = [name for (name,) in connection.sql(_TABLES).fetchall()]
    schema_and_name = [name.lower() for name in parts_of(table)]
    found = connection.sql(
        "select lower(table_catalog), lower(table_schema), lower(table_name) from information_schema.tables"
    )
    if not any(list(names)[-len(schema_and_name) :] == schema_and_name for names in found.fetchall()):
        raise no_table(str(path), table, there)


def _sql(asked: Asked, types: Mapping[str, str]) -> str:
    """The statement: columns of types that Polars has not are texts, and rows have an order that is always the same."""
    columns = ", ".join(f"{_value(name, kind)} as {quoted(name)}" for name, kind in types.items())
    sql = f"select {columns} from {asked.rows} as q"
    if asked.query and asked.is_ordered:
        return sql
    return f"{sql} order by {', '.join(f'q.{quoted(name)} nulls first' for name in asked.order(list(types)))}"


def _value(name: str, kind: str) -> str:
    column = f"q.{quoted(name)}"
    if kind in _AS_THEY_ARE or (kind.startswith("DECIMAL(") and not kind.endswith("]")):
        return column
    if kind == "FLOAT":  # its shortest digits: 0.1, and not 0.10000000149
        return f"{column}::varchar::double"
    if kind == "BLOB":
        return f"'\\x' || lower(hex({column}))"
    if re.fullmatch(r"[A-Z_ ]+(\(\d+,\d+\))?\[\d*\]", kind):
        return f"{column}::varchar[]"
    if re.match(r"STRUCT|MAP|UNION", kind) or kind.endswith("]"):
        return f"to_json({column})::varchar"
    return f"{column}::varchar"
