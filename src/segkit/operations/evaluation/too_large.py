"""Which SQL of a rule file made a number that is too large: a slow second look, after a run has failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from segkit.columns.bucket import StepFailed
from segkit.columns.compute import compute
from segkit.columns.plan.mentions import sql_texts
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.read_lookup import LookupFailed
from segkit.columns.tables.view import View
from segkit.criteria.sql.expressions import is_too_large, sql_expression
from segkit.criteria.sql.parse import sql_columns
from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.rules.findings import KeyPath
from segkit.rules.tables import sources_of
from segkit.rules.text.loader import Loaded

HINT = "whole numbers go up to 9,223,372,036,854,775,807; `* 1.0` or TRY_CAST(... AS DOUBLE) computes with others"


def too_large(loaded: Loaded, plan: Plan | None, error: Exception) -> DataError | None:
    """The error with the place of the SQL, if a number did not fit."""
    failure = error.reason if isinstance(error, LookupFailed) else error
    if not (isinstance(failure, pl.exceptions.PolarsError) and is_too_large(failure)):
        return None
    views = {error.view.name: error.view} if isinstance(error, LookupFailed) else plan.views if plan else {}
    path = next(_derived(loaded, views), None) or (_of_step(loaded, plan) if plan else None)
    if path is None:
        return DataError(Diagnostic("a computed number is too large", hint="look for it in `sql` and `derive`"))
    return DataError(Diagnostic("a computed number is too large", loaded.source.at(*path), HINT))


def _derived(loaded: Loaded, views: Mapping[str, View]) -> Iterator[KeyPath]:
    """The derived columns that cannot be computed although all can that they are derived from."""
    for name, source, path in sources_of(loaded.rules):
        if name not in views:
            continue
        there = views[name].frame.collect_schema().names()
        failing = {column for column in source.derive if column in there and _fails(views[name].frame, column)}
        first = (c for c in source.derive if c in failing and not failing & sql_columns(source.derive[c]))
        yield from ((*path, "derive", column) for column in first)


def _fails(frame: pl.LazyFrame, value: str | pl.Expr) -> bool:
    try:
        frame.select(value).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return True
    return False


def _of_step(loaded: Loaded, plan: Plan) -> KeyPath | None:
    """The SQL of a column of the customers that cannot be computed."""
    try:
        compute(plan, one_by_one=True)
    except StepFailed as failed:
        for path, _, text in sql_texts(loaded.rules):
            if path[: len(failed.path)] == failed.path:
                value = sql_expression(text, plan.schema, plan.context.as_of)
                if _fails(failed.frame, value):
                    return path
        return failed.path
    except pl.exceptions.PolarsError:
        return None
    return None
