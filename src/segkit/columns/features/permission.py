"""What decides whether a customer may be written, as columns: consent, suppression lists, contact pressure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from segkit import codes
from segkit.columns import helpers
from segkit.columns.features.steps import MeasureStep, RowStep, Step, hidden_measure, measured
from segkit.columns.helpers import KEY
from segkit.columns.tables.build import as_key, lookup_view
from segkit.columns.tables.view import Reads, View, all_hold
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes
from segkit.io.read import Table
from segkit.io.read.values.texts import normal_key, trimmed
from segkit.rules import walk
from segkit.rules.findings import Finding, KeyPath, Misfits
from segkit.rules.model.file import RuleFile
from segkit.rules.model.permissions import Cap, Permission
from segkit.rules.model.sources import Lookup, Spelling
from segkit.rules.tables import suppression_table
from segkit.words import listed

CONSENT, SUPPRESSED, FREQUENCY_CAP = "consent", "suppressed", "frequency_cap"


class Suppression(NamedTuple):
    """The lists that were read: their values by (path, column), and what a run reports of them.

    `values` are folded, and keys of customers in the form in which keys are compared; `written` are folded alone.
    """

    values: Mapping[tuple[str, str], pl.Series]
    written: Mapping[tuple[str, str], pl.Series]
    views: Mapping[str, View]
    counts: Mapping[str, pl.DataFrame]


def suppression_lists(rules: RuleFile) -> dict[tuple[str, str], KeyPath]:
    """Each list once, as (path, column that is compared), with the place that names it first."""
    lists: dict[tuple[str, str], KeyPath] = {}
    for path, _, permission in walk.permissions(rules):
        for position, file in enumerate(permission.suppress):
            column = permission.suppress_on or rules.customers.key
            lists.setdefault((file, column), (*path, "suppress", position))
    return lists


def read_suppression(rules: RuleFile, tables: Mapping[str, Table], context: Context) -> Suppression:
    """The values of each suppression list, trimmed and in lower case; `Misfits` where one lacks the column."""
    values: dict[tuple[str, str], pl.Series] = {}
    written: dict[tuple[str, str], pl.Series] = {}
    views: dict[str, View] = {}
    counts: dict[str, pl.DataFrame] = {}
    wrong: list[Finding] = []
    for (file, column), path in suppression_lists(rules).items():
        name = suppression_table(file)
        table = tables[name]
        if column not in table.columns:
            there = listed(list(table.columns)[:5], ",")
            hint = f"it has {there}: name the one that is compared `{column}` in its first line"
            wrong.append(Finding(path, f"`{file}` has no column `{column}`", hint, code=codes.UNKNOWN_COLUMN))
            continue
        spec = Lookup.model_construct(path=file, on={column: column})
        view = lookup_view(name, spec, table, Reads(keys=frozenset({column})), context)
        rows, counted = view.sort_out(view.rows(()).collect())
        once = rows.select(folded(pl.col(KEY)).unique())
        written[file, column] = once.to_series()
        values[file, column] = once.select(normal_key(pl.first(), spellings_of(rules, column)).unique()).to_series()
        views.setdefault(name, view)
        counts.setdefault(name, counted)
    if wrong:
        raise Misfits(wrong)
    return Suppression(values, written, views, counts)


def spellings_of(rules: RuleFile, column: str) -> Sequence[Spelling]:
    """What values of a column that lists are compared by may differ in: something for the key alone."""
    return rules.customers.normalise_keys or () if column == rules.customers.key else ()


def folded(text: pl.Expr) -> pl.Expr:
    """The text as lists compare it: trimmed, in lower case."""
    return trimmed(text).str.to_lowercase()


def permission_columns(rules: RuleFile) -> list[str]:
    """The helper columns of permissions, for each channel and for all of them (the empty name), and of each list."""
    columns = []
    for _, channel, permission in walk.permissions(rules):
        columns += [helpers.permission(CONSENT, channel)] * bool(permission.require)
        columns += [helpers.permission(SUPPRESSED, channel)] * bool(permission.suppress)
    columns += [capped_column(path) for path, _ in walk.caps(rules)]
    return [*columns, *(helpers.listed(file, column) for file, column in suppression_lists(rules))]


def permission_steps(rules: RuleFile, context: Context) -> Iterator[Step]:
    """The steps for who consents, and who gets too many messages."""
    for path, channel, permission in walk.permissions(rules):
        if permission.require:
            yield _consents(path, channel, permission, context)
    for path, cap in walk.caps(rules):
        yield from _capped(path, cap)


def suppression_steps(rules: RuleFile, lists: Suppression, customers: Table) -> Iterator[Step]:
    """The steps for who is on each of the lists that were read, and whom they suppress."""
    for (file, column), path in suppression_lists(rules).items():
        yield _listed(file, column, path, lists, rules, customers)
    for path, channel, permission in walk.permissions(rules):
        if permission.suppress:
            yield _suppressed(path, channel, permission, rules.customers.key)


def capped_column(path: KeyPath) -> str:
    """The column that says who has had as many messages as the cap at this path allows."""
    return helpers.permission(FREQUENCY_CAP, _channel(path))


def _channel(path: KeyPath) -> str:
    return str(path[-1]) if len(path) > 1 else ""


def _consents(path: KeyPath, channel: str, permission: Permission, context: Context) -> RowStep:
    def build(schema: Dtypes) -> pl.Expr:
        return all_hold(permission.require, schema, context)

    return RowStep(helpers.permission(CONSENT, channel), frozenset(permission.require), build, (*path, "require"))


def _listed(file: str, column: str, path: KeyPath, lists: Suppression, rules: RuleFile, customers: Table) -> RowStep:
    """The step for whose value is on a list.

    A column of the file is compared as its text, whatever type other rules read it as; the key in the form in which
    keys are compared.
    """
    forms, values = spellings_of(rules, column), lists.values[file, column].implode()
    source = helpers.text_of(column) if column in customers.columns and column != rules.customers.key else column

    def build(schema: Dtypes) -> pl.Expr:
        return normal_key(folded(as_key(pl.col(source), schema[source])), forms).is_in(values).fill_null(False)

    return RowStep(
        name=helpers.listed(file, column),
        needs=frozenset({source}),
        build=build,
        path=path,
        dtype=lambda _: pl.Boolean(),
    )


def _suppressed(path: KeyPath, channel: str, permission: Permission, key: str) -> RowStep:
    names = [helpers.listed(file, permission.suppress_on or key) for file in permission.suppress]

    def build(_: Dtypes) -> pl.Expr:
        return pl.any_horizontal(names)

    return RowStep(helpers.permission(SUPPRESSED, channel), frozenset(names), build, (*path, "suppress"))


def _capped(path: KeyPath, cap: Cap) -> Iterator[Step]:
    measure = hidden_measure(measured(cap, "count"))

    def build(_: Dtypes) -> pl.Expr:
        return pl.col(measure.name) >= cap.max

    yield MeasureStep(measure, path)
    yield RowStep(capped_column(path), frozenset({measure.name}), build, (*path, "max"))
