"""`columns`: what conditions can be written on, and with `values`, what stands there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import SecondLook
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes, kind_of
from segkit.diagnostics import Diagnostic, Severity
from segkit.io.read import ColumnType, Table, Workspace
from segkit.io.write import FORMATS
from segkit.operations.column_facts.figures import COUNTED, Figures, figures
from segkit.operations.column_facts.uses import Users, origin_of, section, sources_of_column, users_of
from segkit.operations.evaluation.diagnose import placed, refuse
from segkit.operations.evaluation.evaluate import without_data
from segkit.operations.evaluation.open_sources import open_tables
from segkit.operations.evaluation.open_zones import open_zones
from segkit.operations.evaluation.settle import settle, settle_types
from segkit.operations.lists.protection import protection
from segkit.operations.personal.shapes import usual_shapes
from segkit.operations.progress import Progress, silent
from segkit.results import ColumnsResult, ColumnValues, KnownColumn, KnownTable
from segkit.rules.check.families import computed_columns
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS, lookup_table, sources_of
from segkit.rules.text.loader import Loaded, Overrides, load_rules


def columns(
    rules: Path, *, values: bool = False, as_of: dt.date | None = None, progress: Progress = silent
) -> ColumnsResult:
    """Every column of every table, and who uses it; with `values`, all rows are read, and all columns computed.

    Raises `RuleError` and `DataError`.
    """
    loaded = load_rules(rules, formats=FORMATS, overrides=Overrides(as_of=as_of))
    return columns_of(loaded, values=values, progress=progress)


def columns_of(loaded: Loaded, *, values: bool, progress: Progress) -> ColumnsResult:
    """The columns of rules that are loaded."""
    refuse(without_data(loaded))
    with Workspace() as ws:
        progress("opening files")
        tables = {name: _beyond_the_sample(table) for name, table in open_tables(loaded, ws).items()}
        zones, unknown = open_zones(loaded, ws)
        refuse(placed(loaded, finding) for finding in unknown)
        context = Context(loaded.rules.today(), zones=zones.areas, also=_readable(loaded.rules, tables))
        seen = _seen(loaded, tables, context, ws, progress) if values else None
        plan = seen.plan if seen else settle_types(loaded, tables, context)
        users = users_of(plan)
        return ColumnsResult(
            path=loaded.source.path,
            as_of=context.as_of,
            tables=tuple(_table(name, plan, tables[name], users, seen) for name in plan.origins),
            notes=tuple(note for name in _opened(loaded.rules) for note in _unclear_dates(name, tables[name])),
        )


def _opened(rules: RuleFile) -> list[str]:
    """The tables that have files of their own."""
    return [name for name, _, _ in sources_of(rules) if name != CUSTOMERS or not rules.customers.from_]


def _beyond_the_sample(table: Table) -> Table:
    """The table with what all rows say of columns of which a sample says nothing: blank ones, days like 01/02/2024."""
    return table.settle(
        name for name, c in table.columns.items() if c.is_text and (c.blank or _is_unclear(table, name))
    )


def _is_unclear(table: Table, name: str) -> bool:
    return table.reads_both_ways(name, None)


def _unclear_dates(name: str, table: Table) -> Iterator[Diagnostic]:
    """A note for each column of dates that cannot be read; unlike the error of `apply`, it quotes no value."""
    for column in table.columns:
        if _is_unclear(table, column):
            message = f"no value of column `{column}` of `{name}` settles whether its dates are day or month first"
            hint = f'say how they are written: `date_format.{column} = "%d/%m/%Y"`'
            yield Diagnostic(message, table.place, hint, Severity.NOTE)


def _readable(rules: RuleFile, tables: Mapping[str, Table]) -> Mapping[str, frozenset[str]]:
    """The columns of each table, but for those that no rule can read."""
    readable: dict[str, set[str]] = {}
    for name, spec, _ in sources_of(rules):
        of_file = {c for c, column in tables[name].columns.items() if column.type is not ColumnType.OTHER}
        readable[name] = {c for c in of_file if not _is_unclear(tables[name], c)} | spec.derive.keys()
    if origin := rules.customers.from_:
        taken = readable[origin] & set(rules.customers.columns)
        readable[CUSTOMERS] = {rules.customers.key, *taken, *rules.customers.derive}
    for name, lookup in rules.lookup.items():
        own = readable[lookup_table(name)]
        readable[lookup.into] |= own & set(lookup.columns) if lookup.columns else own - set(lookup.on.values())
    readable[CUSTOMERS] |= {*rules.trait, *computed_columns(rules)}
    return {name: frozenset(of_table) for name, of_table in readable.items()}


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
    personal = _personal(plan, dtypes, read)
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


def _personal(plan: Plan, dtypes: Mapping[str, Dtypes], read: Mapping[str, Figures]) -> dict[tuple[str, str], str]:
    """(Table, column) -> its kind of personal data: its own, or that of a column which it is made of."""
    rules = plan.rules
    known = {(table, c): kind for table in dtypes for c in dtypes[table] if (kind := read[table].personal(c))}
    known |= {place: known.get(place, "key") for place in _keys(rules)}
    known |= {
        (CUSTOMERS, c): "other"
        for c in dtypes[CUSTOMERS]
        if protection(rules.output, c) and (CUSTOMERS, c) not in known
    }
    sources = {
        (table, c): sources_of_column(rules, table, c, plan.origins[table][c])
        for table in dtypes
        for c in dtypes[table]
    }
    more = True
    while more:
        more = False
        for (table, column), of_column in sources.items():
            kinds = [known[one] for one in of_column if one in known and _tells(dtypes, one, dtypes[table][column])]
            if kinds and (table, column) not in known:
                known[table, column], more = kinds[0], True
    return known


def _tells(dtypes: Mapping[str, Dtypes], source: tuple[str, str], dtype: pl.DataType) -> bool:
    """Whether a value of this type still tells the value of a personal column that it is made of: an age does not."""
    there = dtypes[source[0]].get(source[1])
    kind = kind_of(dtype)
    return kind != "boolean" and (kind != "number" or (there is not None and kind_of(there) == "number"))


def _keys(rules: RuleFile) -> set[tuple[str, str]]:
    """The columns with the key of the customer."""
    keys = {(CUSTOMERS, rules.customers.key)}
    keys |= {(name, events.key or rules.customers.key) for name, events in rules.events.items()}
    for name, lookup in rules.lookup.items():
        keys |= {(lookup_table(name), there) for here, there in lookup.on.items() if (lookup.into, here) in keys}
    return keys


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
        all_values=table.startswith(lookup_table("")),
    )


def _type(plan: Plan, name: str, table: Table, column: str) -> str:
    """The kind of the values as rules see them; that of the file where no rule can read them."""
    views = {**plan.lookup_views, **plan.views}
    schema = plan.schema if name == CUSTOMERS else views[name].schema if name in views else {}
    if column in schema and (column in plan.context.also[name] or column not in table.columns):
        return kind_of(schema[column])
    kind = table.columns[column].type
    return ColumnType.NUMBER if kind is ColumnType.INTEGER else kind
