"""Opens the sources of a rule file."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress

import polars as pl

from segkit.columns.helpers import ID, KEY, ROW, TIME, as_it_came
from segkit.columns.plan.reads import money_columns
from segkit.columns.tables.build import further_readings
from segkit.columns.tables.view import Reads
from segkit.criteria.context import Context
from segkit.criteria.sql import SqlProblem, sql_columns
from segkit.criteria.sql_asks import columns_as_text, columns_with_time
from segkit.criteria.sql_types import sql_expression
from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.io.read import Column, ColumnType, Table, Workspace, open_table
from segkit.io.read.values.infer import typed
from segkit.rules import walk
from segkit.rules.model.file import RuleFile
from segkit.rules.model.sources import Events, Source
from segkit.rules.order import in_order
from segkit.rules.tables import CUSTOMERS, lookup_table, suppression_table
from segkit.rules.text.loader import Loaded


def open_tables(loaded: Loaded, ws: Workspace, context: Context) -> dict[str, Table]:
    """The tables by name: `customers`, event tables, `lookup.NAME`, `suppress.PATH`.

    Raises `DataError` with all that cannot be opened.
    """
    rules = loaded.rules
    tables: dict[str, Table] = {}
    wrong: list[Diagnostic] = []

    def open_(name: str, spec: Source, time_columns: Iterable[str] = ()) -> None:
        try:
            tables[name] = open_table(
                ws, name, spec, base=loaded.source.directory, timezone=rules.timezone, time_columns=tuple(time_columns)
            )
        except DataError as error:
            wrong.extend(error.diagnostics)

    if not rules.customers.from_:
        open_(CUSTOMERS, rules.customers)
    for name, events in rules.events.items():
        open_(name, events, [events.time])
    for name, lookup in rules.lookup.items():
        open_(lookup_table(name), lookup)
    for _, _, permission in walk.permissions(rules):
        for path in permission.suppress:
            if suppression_table(path) not in tables:
                open_(suppression_table(path), Source(path=path))
    if wrong:
        raise DataError(*dict.fromkeys(wrong))
    if rules.customers.from_:
        tables[CUSTOMERS] = _customers_of(rules, tables[rules.customers.from_], context)
    return tables


def _customers_of(rules: RuleFile, table: Table, context: Context) -> Table:
    """One customer for each key of an event table, with the latest known values, in the order of the keys."""
    assert rules.customers.from_ is not None
    spec, key = rules.events[rules.customers.from_], rules.customers.key
    with suppress(SqlProblem, pl.exceptions.PolarsError):  # the plan says what is wrong with the SQL
        table = _with_derived(table, spec, spec.key or key, rules.customers.columns, context)
    kept = [name for name in rules.customers.columns if name in table.columns]
    columns = {key: Column(key, ColumnType.TEXT), **{name: table.columns[name] for name in kept}}
    time = table.columns.get(spec.time)
    if time is None or not (time.type is ColumnType.DATE or time.blank) or (spec.key or key) not in table.columns:
        return table._replace(name=CUSTOMERS, columns=columns)  # the plan says what is wrong
    frame = (
        table.frame.with_row_index(ROW)
        .with_columns(*_roles(table, spec, key))
        .filter(pl.col(KEY).is_not_null(), pl.col(TIME) <= context.as_of)
        .sort([TIME, ID, ROW], nulls_last=False)
        .with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW))
        .group_by(KEY)
        .agg(_latest_known(table, name) for name in kept)
        .sort(KEY)
        .rename({KEY: key})
    )
    return table._replace(name=CUSTOMERS, frame=frame, columns=columns)


def _with_derived(table: Table, spec: Events, key: str, wanted: Collection[str], context: Context) -> Table:
    """The event table with the derived columns that the customers take, and with those that they are derived from."""
    needs = {name: sql_columns(text) for name, text in spec.derive.items()}
    chosen, todo = set(), [name for name in wanted if name in needs]
    while todo:
        chosen.add(name := todo.pop())
        todo += [other for other in needs[name] if other in needs and other not in chosen]
    read = {column for name in chosen for column in needs[name]} & table.columns.keys() - {key}
    if not chosen:
        return table
    texts = frozenset().union(*(columns_as_text(spec.derive[name]) for name in chosen))
    times = frozenset().union(*(columns_with_time(spec.derive[name]) for name in chosen))
    reads = Reads(text=texts, money=money_columns(spec), fields=texts, moments=times)
    further = further_readings(table, reads, key)
    as_came = [pl.col(name).alias(as_it_came(name)) for name in read]
    read_as = {name: reads.type_of(table, name) for name in read}
    values = [table.value(name, type=as_type, money=money).alias(name) for name, (as_type, money) in read_as.items()]
    frame = table.frame.with_columns(as_came).with_columns(*values, *further)
    for name in in_order({name: needs[name] for name in spec.derive if name in chosen}):
        value = sql_expression(spec.derive[name], frame.collect_schema(), context.as_of)
        frame = frame.with_columns(value.alias(name))
    frame = frame.with_columns(pl.col(as_it_came(name)).alias(name) for name in read)
    schema = frame.collect_schema()
    made = {name: typed(name, schema[name], table.given) for name in chosen}
    return table._replace(frame=frame, columns={**table.columns, **made})


def _roles(table: Table, spec: Events, key: str) -> list[pl.Expr]:
    id_ = table.key(spec.id) if spec.id in table.columns else pl.lit(None, pl.String)
    return [
        table.key(spec.key or key).alias(KEY),
        table.value(spec.time, type=ColumnType.DATE).alias(TIME),
        id_.alias(ID),
    ]


def _latest_known(table: Table, name: str) -> pl.Expr:
    known = table.value(name).is_not_null()
    return pl.col(name).filter(known).sort_by(pl.col(ROW).filter(known)).last()
