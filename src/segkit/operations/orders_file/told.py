"""What is told of a file of orders: nothing names the rule file made of the options, which nobody has written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import polars as pl

from segkit.columns.helpers import KEY, as_it_came
from segkit.diagnostics import Diagnostic, Severity, without_notes
from segkit.errors import SegkitError
from segkit.operations.evaluation.diagnose import placed
from segkit.operations.evaluation.doubts.old_events import ended_long_ago, not_begun
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.operations.orders_file.columns import TABLE, Chosen
from segkit.rules.model.sources import Customers, Source
from segkit.rules.text.loader import Loaded
from segkit.rules.text.passwords import literal_passwords

RULES = "the options"
"""The name of the rule file that is made of the options."""
MANY = 0.1
"""The share of rows alike in customer and time from which they may be lines of orders."""


@contextmanager
def without_rule_file(which: str, *, where: bool = True) -> Iterator[None]:
    """Errors inside the block are told without the rule file made of the options.

    Where a hint names a key that only a rule file has, `which` says what such a file does for the command; `where` says
    that the command has `--where`.
    """
    try:
        yield
    except SegkitError as error:
        raise type(error)(*(_of_no_rule_file(d, which, where=where) for d in error.diagnostics)) from error


def warnings_of(evaluated: Evaluated, loaded: Loaded, columns: Chosen | None) -> tuple[Diagnostic, ...]:
    """What was found on the way, and about the events; of a rule file that people wrote, there are no `columns`."""
    plan, computed = evaluated.plan, evaluated.computed
    old = (placed(loaded, finding) for finding in (*ended_long_ago(plan, computed), *not_begun(plan, computed)))
    # No copy of options is kept, so that a password among them is no doubt.
    kept = {*map(loaded.source.placed, literal_passwords(loaded.source))} if loaded.source.path == RULES else set()
    found = (without_place(one) for one in (*without_notes(evaluated.warnings), *old) if one not in kept)
    return (*found, *(_lines(evaluated, columns) if columns else ()))


def _lines(evaluated: Evaluated, columns: Chosen) -> list[Diagnostic]:
    """A warning where many rows, each an order, have the customer and the time of another: they may be lines of one."""
    if not columns.rows_are_orders:
        return []
    rows = evaluated.plan.views[TABLE].kept().group_by(KEY, as_it_came(columns.chosen["time"])).len()
    counts = rows.select(pl.col("len").sum(), pl.col("len").filter(pl.col("len") > 1).sum().alias("alike"))
    total, alike = counts.collect(engine="streaming").row(0)
    if alike < 2 or alike < MANY * total:
        return []
    message = f"{alike:,} of {total:,} rows share customer and time with another row, and each counts as an order"
    hint = "if they are lines of orders, name the column with the number of the order: `--id`"
    return [Diagnostic(message, hint=hint, severity=Severity.WARNING)]


def without_place(diagnostic: Diagnostic) -> Diagnostic:
    """The diagnostic without its place in the rule file made of the options, which the user has not written."""
    place = diagnostic.location
    return replace(diagnostic, location=None) if place and place.path == RULES else diagnostic


def _of_no_rule_file(diagnostic: Diagnostic, which: str, *, where: bool) -> Diagnostic:
    """The error without its place; where its hint names a key of a source, with where that is written."""
    diagnostic = without_place(diagnostic)
    if where and "`sheet = " in (diagnostic.hint or ""):
        return replace(diagnostic, hint=(diagnostic.hint or "").replace("`sheet = ", "`--sheet "))
    if where and "`where." in (diagnostic.hint or ""):
        return replace(diagnostic, hint=f"{diagnostic.hint}, in a rule file; here `--where` says it in SQL")
    named = set(re.findall(r"`?\b([a-z_]+) = ", diagnostic.hint or "")) & {
        *Source.model_fields,
        *Customers.model_fields,
    }
    if not named:
        return diagnostic
    return replace(diagnostic, hint=f"{diagnostic.hint}; that is a key of a rule file, {which}")
