"""Dates with two digits of a year that lie after the day of the run: birthdays of 1964 that read as 2064."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import View
from segkit.criteria.sql.parse import sql_columns
from segkit.diagnostics import Diagnostic
from segkit.io.read import ColumnType
from segkit.operations.evaluation.diagnose import about_table
from segkit.rules.model.sources import Events
from segkit.words import plural

AHEAD = 20
"""Years from which on a date to come is hardly meant; contracts run for less."""
MENDS = "INTERVAL '100 years'"


def two_digit_years(plan: Plan) -> list[Diagnostic]:
    """A warning for each column of customers and lookups with such dates; events after `as_of` are counted anyway."""
    views = [*plan.lookup_views.values(), *plan.views.values()]
    return [told for view in views if not isinstance(view.spec, Events) for told in _of_view(plan, view)]


def _of_view(plan: Plan, view: View) -> Iterator[Diagnostic]:
    table = view.table
    for name in sorted(view.reads.values & table.columns.keys()):
        column = table.columns[name]
        mended = any(MENDS in text and name in sql_columns(text) for text in view.spec.derive.values())
        if mended or column.type is not ColumnType.DATE or not any("%y" in layout for layout in column.date.formats):
            continue
        far = pl.lit(plan.context.as_of).dt.offset_by(f"{AHEAD}y")
        late = table.frame.select((table.value(name) > far).sum())
        if count := int(late.collect().item() or 0):
            what = f"{plural(count, 'date')} of `{name}` {'lies' if count == 1 else 'lie'} {AHEAD} years after `as_of`"
            sql = name if name.isidentifier() else f'\\"{name}\\"'
            past = f"CASE WHEN {sql} > as_of THEN {sql} - {MENDS} ELSE {sql} END"
            hint = f'if they are of the last century: `derive = {{ past = "{past}" }}`'
            yield about_table(f"{what}, or more: two digits of a year up to 68 are 2000 to 2068", table, hint)
