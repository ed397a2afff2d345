"""Customers where there is no customer file: the keys of an event table, with the latest known values of columns."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segkit.columns.helpers import ID, KEY, ROW, TIME, as_it_came
from segkit.columns.tables.view import Reads, View
from segkit.io.read import Column, ColumnType, Table
from segkit.io.read.values.infer import typed
from segkit.rules.model.sources import Customers, Events
from segkit.rules.tables import CUSTOMERS


def named_customers(spec: Customers, origin: Table) -> Table:
    """The table of the customers as far as its names go: rows, and types of what is computed, come with the view."""
    columns = {name: origin.columns.get(name) or Column(name, ColumnType.OTHER) for name in _taken(spec)}
    return origin._replace(name=CUSTOMERS, columns={spec.key: Column(spec.key, ColumnType.TEXT), **columns})


def customers_of(spec: Customers, events: View, reads: Reads, *, fits: bool) -> Table:
    """One customer for each key among the events that are kept, in the order of the keys.

    Where events write the key in several ways that count as one, it is written in the form in which keys are compared:
    that of the first event could be another on another day, and with it who is drawn.

    `reads` is what rules read of the customers. Columns of the file have the value that came, others the one computed.
    Where conditions do not fit the columns that
    they are on, which is told later, all events are taken.
    """
    origin = events.table
    columns = {
        name: origin.columns.get(name) or typed(name, events.schema[name], origin.given) for name in _taken(spec)
    }
    table = origin._replace(name=CUSTOMERS, columns={spec.key: Column(spec.key, ColumnType.TEXT), **columns})
    values = [pl.col(as_it_came(n) if n in origin.columns else n).alias(n) for n in columns]
    has_id = isinstance(events.spec, Events) and events.spec.id
    id_ = pl.col(ID) if has_id else pl.lit(None, pl.String).alias(ID)
    frame = (
        (events.kept() if fits else events.frame)
        .select(KEY, TIME, id_, ROW, *values)
        .sort([TIME, ID, ROW], nulls_last=False)
        .with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW))
        .group_by(KEY)
        .agg(_latest_known(table, name, reads) for name in columns)
        .sort(KEY)
        .rename({KEY: spec.key})
    )
    return table._replace(frame=frame, has_repeats=False)


def _taken(spec: Customers) -> Sequence[str]:
    return [name for name in spec.columns if name != spec.key]


def _latest_known(table: Table, name: str, reads: Reads) -> pl.Expr:
    as_type, _ = reads.type_of(table, name)
    known = table.value(name, type=as_type).is_not_null()
    return pl.col(name).filter(known).sort_by(pl.col(ROW).filter(known)).last()
