"""Looks at every row of the files, once the roles of their columns are known."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

import polars as pl

from segkit.io.read import ColumnType, Table
from segkit.io.read.values.column import NUMERIC
from segkit.io.write import FORMATS
from segkit.operations.column_facts.readable import beyond_the_sample
from segkit.operations.columns import columns_of
from segkit.operations.orders_file.told import RULES
from segkit.operations.progress import Progress
from segkit.operations.starting.known.facts import Facts, Upper, spans_lives
from segkit.operations.starting.known.found import Found
from segkit.operations.starting.lines.sources import source_lines
from segkit.results.columns import ColumnsResult, KnownTable
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import load_rules_text

QUARTER = 0.75
A_YEAR = dt.timedelta(days=366)
MOST = 0.9
ID_LENGTH = 7
"""Digits that numbers of accounts have at least."""


def look(found: Found, progress: Progress) -> Facts:
    """Every row is read; `DataError` for what cannot be."""
    probe = ["version = 1", "", *source_lines(found), "[segment.all]", "everyone = true"]
    loaded = load_rules_text("\n".join(probe) + "\n", RULES, formats=FORMATS)
    result = columns_of(loaded, values=True, progress=progress)
    tables = {table.name: table for table in result.tables}
    uppers = _uppers(found.customers.table, found.customers.key) if found.customers.table else {}
    opened = {events.name: events.table for events in found.events}
    if found.customers.table:
        opened[CUSTOMERS] = found.customers.table
    as_of = _last_day(found, result)
    return Facts(
        tables=tables,
        uppers=uppers,
        births=_births(found.customers.table, tables[CUSTOMERS], as_of or result.as_of),
        as_of=as_of,
        unclear={name: _unclear(table) for name, table in opened.items()},
        notes=result.notes,
    )


def _unclear(opened: Table) -> Mapping[str, str]:
    table = beyond_the_sample(opened)
    columns = [column for name, column in table.columns.items() if table.reads_both_ways(name, None)]
    return {column.name: next(c for c in column.date.example if c in "-/.") for column in columns}


def _last_day(found: Found, result: ColumnsResult) -> dt.date | None:
    """The last day up to today: of the events, or else of the days of customers that are no birth dates."""
    times = {(events.name, events.time) for events in found.events}
    days = [
        column.values.highest
        for table in result.tables
        for column in table.columns
        if column.values
        and ((table.name, column.name) in times or (not times and column.type == "date" and not spans_lives(column)))
    ]
    return max((day for day in days if isinstance(day, dt.date) and day <= result.as_of), default=None)


def _births(opened: Table | None, known: KnownTable, as_of: dt.date) -> tuple[str, ...]:
    """Columns named like birth dates of which most are over a year ago: a next birthday is none."""
    columns = [c for c in known.columns if c.type == "date" and c.values and c.values.personal == "birth date"]
    if opened is None or not columns:
        return ()
    table = beyond_the_sample(opened)
    days = [table.value(column.name, type=ColumnType.DATE).cast(pl.Date).alias(column.name) for column in columns]
    median = table.frame.select(days).select(pl.all().median().cast(pl.Date)).collect().row(0, named=True)
    return tuple(name for name, day in median.items() if day is not None and day < as_of - A_YEAR)


def _uppers(opened: Table, key: str) -> Mapping[str, Upper]:
    table = beyond_the_sample(opened)
    numbers = [c.name for c in table.columns.values() if c.type in NUMERIC]
    if not numbers:
        return {}
    rows = table.frame.filter(table.key(key).is_not_null())
    values = rows.select(table.value(name, type=ColumnType.NUMBER).cast(pl.Float64).alias(name) for name in numbers)
    column = pl.all().drop_nans()
    found = pl.collect_all(
        [
            values.select(column.quantile(QUARTER, "higher")),
            values.select(column.count()),
            values.select(column.drop_nulls().n_unique()),
            values.select(_one_length(column)),
        ]
    )
    edges, filled, distinct, one_length = (frame.row(0, named=True) for frame in found)
    known = {name: edge for name, edge in edges.items() if edge is not None and math.isfinite(edge)}
    if not known:
        return {}
    counts = values.select((pl.col(name) >= edge).sum() for name, edge in known.items()).collect().row(0, named=True)
    own = {name: one_length[name] and distinct[name] >= MOST * filled[name] for name in known}
    return {name: Upper(known[name], counts[name], filled[name], distinct[name], own[name]) for name in known}


def _one_length(column: pl.Expr) -> pl.Expr:
    """Whether all are whole numbers with as many digits, and many of these, and not all are round."""
    low, high = column.min().log10().floor(), column.max().log10().floor()
    whole = (column.floor() == column).all() & (column % 10 != 0).any()
    return (whole & (low == high) & (low >= ID_LENGTH - 1)).fill_null(value=False)
