"""Whether columns are of the types that are asked of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from segkit.columns.features.steps import type_of
from segkit.columns.plan.mentions import Mention
from segkit.criteria.conditions import misfits, types_hint
from segkit.criteria.kinds import Dtypes, Kind, article, kind_of
from segkit.criteria.sql import differences, parse_sql, sql_columns
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile
from segkit.rules.walk import blocks

KINDS_OF_ROLE: Mapping[str, tuple[Kind, ...]] = {
    "number": ("number",),
    "measure": ("number", "date"),
    "date": ("date",),
    "list": ("text", "list"),
}
ONE_VALUE = frozenset({"each", "by", "per", "suppress_on"})
"""Keys that name a column with one value a customer."""


def column_misfits(mentions: Iterable[Mention], schema: Dtypes) -> Iterable[Finding]:
    """Where a column is not of the type that is asked of it."""
    for mention in mentions:
        dtype = schema.get(mention.column)
        if dtype is None:
            continue
        if mention.condition and not mention.family:
            for operator, _ in mention.condition.operators():
                if operator in ("top_percent", "bottom_percent"):
                    key = mention.path[-2]
                    message = f"`{operator}` ranks all customers, so `{key}`, which looks at one row, cannot use it"
                    yield Finding((*mention.path, operator), message, "make it a condition of a segment")
        if mention.path[-1] in ONE_VALUE and kind_of(dtype) == "list":
            message = f"`{mention.path[-1]}` needs one value a customer, but `{mention.column}` is a list"
            yield Finding(mention.path, message)
        if mention.condition:
            for operator, message, hint in misfits(mention.column, dtype, mention.condition):
                yield Finding((*mention.path, operator), message, hint)
        wanted = KINDS_OF_ROLE.get(mention.role)
        if wanted and kind_of(dtype) not in wanted:
            key = mention.path[-1]
            asked = " or ".join(article(kind) for kind in wanted)
            message = f"`{key}` asks for {asked}, but column `{mention.column}` is {article(kind_of(dtype))}"
            yield Finding(mention.path, message, types_hint(mention.column, kind_of(dtype), wanted))


def sql_misfits(rules: RuleFile, schema: Dtypes) -> Iterable[Finding]:
    """Where the `sql` of a block cannot be computed, or is not true or false."""
    for path, block in blocks(rules):
        if block.sql is None or not sql_columns(block.sql) <= schema.keys():
            continue
        problem, dtype = sql_type(block.sql, schema)
        if problem:
            yield Finding((*path, "sql"), *problem)
        elif dtype is not None and kind_of(dtype) != "boolean":
            yield Finding((*path, "sql"), f"the SQL is {article(kind_of(dtype))}, not true or false")


def sql_type(text: str, schema: Dtypes) -> tuple[tuple[str, str | None] | None, pl.DataType | None]:
    """What is wrong with the SQL (message, hint) and its type, over columns of `schema`; one of the two is None."""
    expression = parse_sql(text, dt.date.min)
    try:
        durations = [type_of(part, schema) for part in (expression, *differences(expression))]
        if any(isinstance(dtype, pl.Duration) for dtype in durations):
            hint = "take the days from `[trait.NAME] days_since`, or compare dates: d + INTERVAL '30 days' > as_of"
            return ("a length of time, such as the difference of two dates, is not a number", hint), None
        # A fault that only shows when the SQL runs, such as a bad regular expression, shows on one row.
        _one_row(schema).select(expression.alias("value"))
        return None, type_of(expression, schema)
    except pl.exceptions.PolarsError as error:
        return (f"cannot use the SQL: {reason_of(error)}", None), None


def _one_row(schema: Dtypes) -> pl.DataFrame:
    values: dict[Kind, Any] = {"text": "", "number": 1, "date": dt.date(2000, 1, 1), "boolean": True, "list": []}
    row = {name: [values.get(kind_of(dtype))] for name, dtype in schema.items()}
    return pl.DataFrame(row, schema=schema)


def reason_of(error: pl.exceptions.PolarsError) -> str:
    """The first line of what Polars says."""
    return str(error).strip().splitlines()[0]
