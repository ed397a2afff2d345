"""What decides whether a customer may be written, as columns: consent, suppression lists, contact pressure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from segkit.columns.fit import Misfits
from segkit.columns.hidden import KEY, hidden
from segkit.columns.steps import MeasureStep, RowStep, Step, hidden_measure, measured
from segkit.columns.views import Reads, View, all_hold, as_key, lookup_view
from segkit.criteria.conditions import Context
from segkit.criteria.kinds import Schema
from segkit.io.read import Table
from segkit.rules import walk
from segkit.rules.findings import Finding, Path
from segkit.rules.gates import Cap, Permission
from segkit.rules.model import RuleFile
from segkit.rules.near import nearest
from segkit.rules.sources import Lookup

CONSENT, SUPPRESSED, FREQUENCY_CAP = "consent", "suppressed", "frequency_cap"


def suppression_table(path: str) -> str:
    """What the table of a suppression list is called among the tables."""
    return f"suppress.{path}"


@dataclass(frozen=True)
class Suppression:
    """The lists that were read: their values by (path, column), and what a run reports of them."""

    values: Mapping[tuple[str, str], pl.Series]
    views: Mapping[str, View]
    counts: Mapping[str, pl.DataFrame]


def read_suppression(rules: RuleFile, tables: Mapping[str, Table], context: Context) -> Suppression:
    """The values of each suppression list, trimmed and in lower case; `Misfits` where one lacks the column."""
    values: dict[tuple[str, str], pl.Series] = {}
    views: dict[str, View] = {}
    counts: dict[str, pl.DataFrame] = {}
    wrong: list[Finding] = []
    for path, _, permission in walk.permissions(rules):
        column = permission.suppress_on or rules.customers.key
        for position, file in enumerate(permission.suppress):
            name = suppression_table(file)
            table = tables[name]
            if column not in table.columns:
                hint = nearest(column, table.columns) or "the first line of the file names its columns"
                wrong.append(Finding((*path, "suppress", position), f"`{file}` has no column `{column}`", hint))
                continue
            spec = Lookup.model_construct(path=file, on={column: column})
            views[name] = lookup_view(name, spec, table, Reads(keys=frozenset({column})), context)
            rows, counts[name] = pl.collect_all([views[name].kept().select(_folded(pl.col(KEY))), views[name].counts()])
            values[file, column] = rows[KEY].unique()
    if wrong:
        raise Misfits(wrong)
    return Suppression(values, views, counts)


def _folded(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars().str.to_lowercase()


def permission_columns(rules: RuleFile) -> list[str]:
    """The helper columns of permissions: for each channel, and for all of them (the empty name)."""
    found = []
    for _, channel, permission in walk.permissions(rules):
        found += [hidden(CONSENT, channel)] * bool(permission.require)
        found += [hidden(SUPPRESSED, channel)] * bool(permission.suppress)
    return [*found, *(hidden(FREQUENCY_CAP, _channel(path)) for path, _ in walk.caps(rules))]


def permission_steps(rules: RuleFile, context: Context) -> Iterator[Step]:
    """Who consents, and who gets too much."""
    for path, channel, permission in walk.permissions(rules):
        if permission.require:
            yield _consents(path, channel, permission, context)
    for path, cap in walk.caps(rules):
        yield from _capped(path, cap)


def suppression_steps(rules: RuleFile, lists: Suppression) -> Iterator[Step]:
    """Who is on one of the lists that were read."""
    for path, channel, permission in walk.permissions(rules):
        if permission.suppress:
            yield _suppressed(path, channel, permission, rules.customers.key, lists)


def _channel(path: Path) -> str:
    return str(path[-1]) if len(path) > 1 else ""


def _consents(path: Path, channel: str, permission: Permission, context: Context) -> RowStep:
    def build(schema: Schema) -> pl.Expr:
        return all_hold(permission.require, schema, context)

    return RowStep(hidden(CONSENT, channel), frozenset(permission.require), build, (*path, "require"))


def _suppressed(path: Path, channel: str, permission: Permission, key: str, lists: Suppression) -> RowStep:
    column = permission.suppress_on or key
    values = pl.concat([lists.values[file, column] for file in permission.suppress]).implode()

    def build(schema: Schema) -> pl.Expr:
        return _folded(as_key(pl.col(column), schema[column])).is_in(values).fill_null(False)

    return RowStep(hidden(SUPPRESSED, channel), frozenset({column}), build, (*path, "suppress"))


def _capped(path: Path, cap: Cap) -> Iterator[Step]:
    measure = hidden_measure(measured(cap, "count"))

    def build(_: Schema) -> pl.Expr:
        return pl.col(measure.name) >= cap.max

    yield MeasureStep(measure, path)
    yield RowStep(hidden(FREQUENCY_CAP, _channel(path)), frozenset({measure.name}), build, (*path, "max"))
