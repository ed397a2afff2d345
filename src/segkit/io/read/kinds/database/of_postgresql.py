"""The rows of PostgreSQL, in batches of Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from segkit.io.databases.names import qualified
from segkit.io.databases.postgresql import execute, run, shown, stream_refused
from segkit.io.publish.errors import error_number
from segkit.io.read.kinds.database.asked import Asked, Brought, no_table, require_own_names
from segkit.rules.model.table_name import quoted

_AS_THEY_ARE = {"boolean", "smallint", "integer", "bigint", "double precision", "date"}
_AS_THEY_ARE |= {"timestamp without time zone", "timestamp with time zone"}
_TEXTS = {"text", "character varying"}
_ENUM = "enum"
_LISTS = {f"{name}[]" for name in (*_AS_THEY_ARE, *_TEXTS, "numeric", "uuid", "character", "real", _ENUM)}
_BEGIN = "set transaction isolation level repeatable read, read only"
_KINDS = """
with recursive kind (asked, oid, list) as (
  select oid, oid, false from pg_catalog.pg_type where oid in ({oids})
  union all
  select k.asked, case t.typtype when 'd' then t.typbasetype else t.typelem end, k.list or t.typtype <> 'd'
  from kind k join pg_catalog.pg_type t on t.oid = k.oid
  where t.typtype = 'd' or (t.typcategory = 'A' and t.typelem <> 0)
)
select k.asked::bigint as asked,
  case t.typtype when 'e' then 'enum' else format_type(t.oid, null) end
  || case when k.list then '[]' else '' end as name
from kind k join pg_catalog.pg_type t on t.oid = k.oid
where t.typtype <> 'd' and (t.typcategory <> 'A' or t.typelem = 0)"""
"""What types are made of: a domain is what it is over, and of an array it counts what is in it."""
_TABLES = """
select case when n.nspname = any (current_schemas(false)) then c.relname::text
  else n.nspname::text || '.' || c.relname::text end as name
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'v', 'm', 'f', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by 1 limit 1000"""


def begin(connection: Any, address: str) -> None:
    """Begin the one transaction in which all is read that a run reads of a server."""
    run(connection, address, _BEGIN)
    run(connection, address, "set local datestyle = 'ISO'")
    run(connection, address, "set local intervalstyle = 'postgres'")
    run(connection, address, "set local bytea_output = 'hex'")
    run(connection, address, "set local extra_float_digits = 1")


def spool(connection: Any, address: str, asked: Asked, to: Path) -> Brought:
    """Write the rows to a Parquet file. Raises `Refused`."""
    run(connection, address, f"set local statement_timeout = '{asked.seconds}s'")
    hides_rows = bool(asked.table) and _hides_rows(connection, address, asked.table or "")
    types = _types(connection, address, asked)
    with connection.cursor() as cursor:
        execute(cursor, address, _sql(asked, types), query=asked.query)
        try:
            pl.scan_arrow_c_stream(cursor.fetch_arrow()).sink_parquet(to)
        except pl.exceptions.PolarsError as error:
            if error_number(error):
                raise
            raise stream_refused(address, error) from None
    numbers = frozenset(name for name, kind in types.items() if kind in ("numeric", "money"))
    return Brought(numbers, hides_rows)


def _hides_rows(connection: Any, address: str, table: str) -> bool:
    """Whether a table, which must be there, has policies that say which rows this user sees."""
    name = qualified(table).replace("'", "''")
    asked = f"select row_security_active(to_regclass('{name}')) as active where to_regclass('{name}') is not null"
    found = run(connection, address, asked)["active"].to_list()
    if not found:
        raise no_table(shown(address), table, run(connection, address, _TABLES)["name"])
    return bool(found[0])


def _types(connection: Any, address: str, asked: Asked) -> Mapping[str, str]:
    """Column -> the name of its type; for that, nothing of the rows is computed."""
    none = f"from (values (1)) as one (one) left join {asked.rows} as x on false"
    names = f"select json_object_keys(row_to_json(q)) as name from (select x.* {none}) as q"
    found = run(connection, address, names, query=asked.query)["name"].to_list()
    require_own_names(found)
    types = ", ".join(f'pg_typeof(x.{quoted(name)})::oid::bigint as "{place}"' for place, name in enumerate(found))
    row = run(connection, address, f"select {types} {none}", query=asked.query).row(0)
    kinds = dict(run(connection, address, _KINDS.format(oids=", ".join(map(str, row)))).rows())
    return _without_tables(connection, address, asked, {n: kinds[oid] for n, oid in zip(found, row, strict=True)})


def _without_tables(connection: Any, address: str, asked: Asked, types: Mapping[str, str]) -> Mapping[str, str]:
    """The types, with another one for arrays that have rows and columns: as lists, these would be run together."""
    lists = [name for name, kind in types.items() if kind in _LISTS]
    if not lists:
        return types
    facts = ", ".join(f'bool_or(array_ndims(q.{quoted(name)}) > 1) as "{at}"' for at, name in enumerate(lists))
    found = run(connection, address, f"select {facts} from {asked.rows} as q", query=asked.query).row(0)
    return {**types, **{name: "table of values" for name, is_one in zip(lists, found, strict=True) if is_one}}


def _sql(asked: Asked, types: Mapping[str, str]) -> str:
    """The statement: columns of types that Arrow has not are texts, and rows have an order that is always the same."""
    columns = ", ".join(f"{_value(name, kind)} as {quoted(name)}" for name, kind in types.items())
    sql = f"select {columns} from {asked.rows} as q"
    if asked.query and asked.is_ordered:
        return sql
    order = [_order(name, types[name]) for name in asked.order(list(types))]
    # 1.0 and 1.00 are one number, and two texts.
    order += [_order(name, "") for name, kind in types.items() if kind == "numeric"]
    return f"{sql} order by {', '.join(order)}"


def _value(name: str, kind: str) -> str:
    column = f"q.{quoted(name)}"
    if kind in _AS_THEY_ARE or kind in _TEXTS:
        return column
    if kind == "real":  # its shortest digits: 0.1, and not 0.10000000149
        return f"{column}::text::double precision"
    if kind == "money":
        return f"{column}::numeric::text"
    if kind in _LISTS:
        return f"{column}::text[]"
    if kind == "character":  # without the blanks that fill it up
        return f"{column}::text"
    # As the type itself writes it: `::text` has 10.0.0.1/32 for 10.0.0.1.
    return f"case when not {column} is null then format('%s', {column}) end"


def _order(name: str, kind: str) -> str:
    column = f"q.{quoted(name)}"
    if kind in _TEXTS:
        return f'{column} collate "C" nulls first'
    ordered = kind in _AS_THEY_ARE or kind in ("numeric", "real", "money")
    return f"{column} nulls first" if ordered else f'{column}::text collate "C" nulls first'
