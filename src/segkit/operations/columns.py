"""`columns`: what conditions can be written on, and with `values`, what stands there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit import codes
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import SecondLook
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes, kind_of
from segkit.diagnostics import Severity
from segkit.errors import RuleError
from segkit.io.read import ColumnType, Table, Workspace
from segkit.io.write import FORMATS
from segkit.operations.column_facts.figures import COUNTED, Figures, figures
from segkit.operations.column_facts.personal_columns import is_one_each, personal_columns
from segkit.operations.column_facts.readable import beyond_the_sample, readable_columns, unclear_dates
from segkit.operations.column_facts.uses import Users, origin_of, section, users_of
from segkit.operations.evaluation.diagnose import placed, refuse
from segkit.operations.evaluation.evaluate import without_data
from segkit.operations.evaluation.open_sources import open_tables
from segkit.operations.evaluation.open_zones import open_zones
from segkit.operations.evaluation.settle import settle, settle_types
from segkit.operations.personal.shapes import usual_shapes
from segkit.operations.progress import Progress, silent
from segkit.results.columns import ColumnsResult, ColumnValues, KnownColumn, KnownTable
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS, lookup_table, sources_of
from segkit.rules.text.loader import Loaded, Overrides, load_rules


def columns(
    rules: Path, *, values: bool = False, as_of: dt.date | None = None, progress: Progress = silent
) -> ColumnsResult:
    """Every column of every table, and who uses it; with `values`, all rows are read, and all columns computed.

    Raises `RuleError` and `DataError`.
    """
    loaded = load_rules(rules, formats=FORMATS, overrides=Overrides(as_of=as_of), needs_segments=False)
    return columns_of(loaded, values=values, progress=progress)


def columns_of(loaded: Loaded, *, values: bool, progress: Progress) -> ColumnsResult:
    """The columns of rules that are loaded.

    A condition of a segment that does not fit the type of its column is a warning: here the type can be seen.
    """
    refuse(without_data(loaded))
    try:
        return _columns_of(loaded, loaded.rules, values=values, progress=progress)
    except RuleError as error:
        if any(one.code != codes.COLUMN_TYPE or not one.at.startswith("segment.") for one in error.diagnostics):
            raise
        known = loaded._replace(rules=loaded.rules.model_copy(update={"segment": {}}))
        found = _columns_of(known, loaded.rules, values=values, progress=progress)
        wrong = [replace(one, severity=Severity.WARNING) for one in error.diagnostics]
        return found._replace(notes=(*found.notes, *wrong))


def _columns_of(loaded: Loaded, using: RuleFile, *, values: bool, progress: Progress) -> ColumnsResult:
    """The columns of rules, as these or larger ones are `using` them."""
    with Workspace() as ws:
        tables = {name: beyond_the_sample(table) for name, table in open_tables(loaded, ws, progress).items()}
        zones, unknown = open_zones(loaded, ws)
        refuse(placed(loaded, finding) for finding in unknown)
        context = Context(loaded.rules.today(), zones=zones.areas, also=readable_columns(loaded.rules, tables))
        seen = _seen(loaded, tables, context, ws, progress) if values else None
        plan = seen.plan if seen else settle_types(loaded, tables, context)
        users = users_of(plan._replace(rules=using))
        return ColumnsResult(
            path=loaded.source.path,
            as_of=context.as_of,
            tables=tuple(_table(name, plan, tables[name], users, seen) for name in plan.origins),
            notes=tuple(note for name in _opened(loaded.rules) for note in unclear_dates(name, tables[name])),
        )


def _opened(rules: RuleFile) -> list[str]:
    """The tables that have files of their own."""
    return [name for name, _, _ in sources_of(rules) if name != CUSTOMERS or not rules.customers.from_]


class _Seen(NamedTuple):
    """What stands in the tables: by table the types of the columns that were looked at, and what was found."""

    plan: Plan
    dtypes: Mapping[str, Dtypes]
    figures: Mapping[str, Figures]
    personal: Mapping[tuple[str, str], str]
    shapes: Mapping[tuple[str, str], str | None]
    looks: Mapping[str, SecondLook]


def _seen(loaded: Loaded, tables: Mapping[str, Table], context: Context, ws: Workspace, progress: Progress) -> _Seen:
    settled = settle(loaded, tables, context, ws, progress)
    plan, frames = settled.plan, {CUSTOMERS: settled.computed.frame.lazy()}
    views = {name: view for name, view in {**plan.views, **plan.lookup_views}.items() if name in plan.origins}
    frames |= {name: view.kept() for name, view in views.items() if name != CUSTOMERS}
    dtypes = {name: _dtypes(plan, name) for name in frames}
    progress("counting values")
    found = pl.collect_all([figures(frame, dtypes[name]) for name, frame in frames.items()])
    read = {name: Figures(one, dtypes[name]) for name, one in zip(frames, found, strict=True)}
    personal = personal_columns(plan, dtypes, read)
    of_shapes: dict[tuple[str, str], str | None] = {}
    for table, frame in frames.items():
        asked = [
            c for c in dtypes[table] if (table, c) in personal or _none_is_frequent(dtypes[table][c], read[table], c)
        ]
        texts = {name: _as_text(name, dtypes[table][name]) for name in asked}
        of_shapes |= {(table, column): shape for column, shape in usual_shapes(frame, texts).items()}
    return _Seen(plan=plan, dtypes=dtypes, figures=read, personal=personal, shapes=of_shapes, looks=settled.looks)


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    return (pl.col(name).explode() if kind_of(dtype) == "list" else pl.col(name)).cast(pl.String)


def _dtypes(plan: Plan, table: str) -> Dtypes:
    """The types of the columns of a table whose values can be looked at."""
    schema = plan.schema if table == CUSTOMERS else plan.view(table).schema
    names = [name for name in plan.origins[table] if name in plan.context.also[table]]
    return {name: schema[name] for name in names if kind_of(schema[name]) != "other"}


def _none_is_frequent(dtype: pl.DataType, read: Figures, column: str) -> bool:
    return kind_of(dtype) in COUNTED and not read.frequent(column)


def _table(name: str, plan: Plan, table: Table, users: Users, seen: _Seen | None) -> KnownTable:
    return KnownTable(
        name=name,
        paths=tuple(label.path for label in table.labels),
        rows=seen.figures[name].rows if seen and name in seen.figures else None,
        columns=tuple(
            KnownColumn(
                name=column,
                type=_type(plan, name, table, column),
                origin=origin_of(plan.rules, name, path),
                section=section(path),
                used_by=users.get((name, column), ()),
                values=_values(name, column, seen) if seen else None,
            )
            for column, path in plan.origins[name].items()
        ),
    )


def _values(table: str, column: str, seen: _Seen) -> ColumnValues | None:
    if column not in seen.dtypes.get(table, {}):
        return None
    place, look = (table, column), seen.looks.get(table)
    return seen.figures[table].values(
        column,
        personal=seen.personal.get(place),
        shape=seen.shapes.get(place),
        unreadable=look.bad.get(column, 0) if look else 0,
        all_values=table.startswith(lookup_table("")) and not is_one_each(seen.plan.rules, table, seen.personal),
    )


def _type(plan: Plan, name: str, table: Table, column: str) -> str:
    """The kind of the values as rules see them; that of the file where no rule can read them."""
    views = {**plan.lookup_views, **plan.views}
    schema = plan.schema if name == CUSTOMERS else views[name].schema if name in views else {}
    if column in schema and (column in plan.context.also[name] or column not in table.columns):
        return kind_of(schema[column])
    kind = table.columns[column].type
    return ColumnType.NUMBER if kind is ColumnType.INTEGER else kind
