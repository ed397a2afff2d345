"""Whether columns are of the types that are asked of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

import polars as pl

from segkit import codes
from segkit.columns.features.steps import type_of
from segkit.columns.plan.mentions import Mention
from segkit.criteria.conditions import misfits, types_hint
from segkit.criteria.context import ANY_DAY
from segkit.criteria.kinds import Dtypes, Kind, article, kind_of
from segkit.criteria.sql.expressions import usable_sql
from segkit.criteria.sql.parse import SqlProblem, sql_columns
from segkit.io.read import Table
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


def column_misfits(
    mentions: Iterable[Mention], schema: Dtypes, computed: Container[str] = frozenset(), table: Table | None = None
) -> Iterable[Finding]:
    """Where a column of `table` is not of the type that is asked of it; `computed` are those that no file has."""
    for mention in mentions:
        dtype = schema.get(mention.column)
        if dtype is None:
            continue
        examples = table.columns[mention.column].examples if table and mention.column in table.columns else ()
        if mention.condition and not mention.family:
            for operator, _ in mention.condition.operators():
                if operator in ("top_percent", "bottom_percent"):
                    key = mention.path[-2]
                    message = f"`{operator}` ranks all customers, so `{key}`, which looks at one row, cannot use it"
                    yield Finding(
                        (*mention.path, operator), message, "make it a condition of a segment", code=codes.COLUMN_TYPE
                    )
        if mention.path[-1] in ONE_VALUE and kind_of(dtype) == "list":
            message = f"`{mention.path[-1]}` needs one value a customer, but `{mention.column}` is a list"
            yield Finding(mention.path, message, code=codes.COLUMN_TYPE)
        if mention.condition:
            for operator, message, hint in misfits(
                mention.column,
                dtype,
                mention.condition,
                computed=mention.column in computed,
                examples=examples,
                others=schema if mention.family else (),
            ):
                yield Finding((*mention.path, operator), message, hint, code=codes.COLUMN_TYPE)
        wanted = KINDS_OF_ROLE.get(mention.role)
        if wanted and kind_of(dtype) not in wanted:
            key = mention.path[-1]
            asked = " or ".join(article(kind) for kind in wanted)
            message = f"`{key}` asks for {asked}, but column `{mention.column}` is {article(kind_of(dtype))}"
            yield Finding(
                mention.path,
                message,
                types_hint(
                    mention.column, kind_of(dtype), wanted, computed=mention.column in computed, examples=examples
                ),
                code=codes.COLUMN_TYPE,
            )


def sql_misfits(rules: RuleFile, schema: Dtypes) -> Iterable[Finding]:
    """Where the `sql` of a block cannot be computed, or is not true or false."""
    for path, block in blocks(rules):
        if block.sql is None or not sql_columns(block.sql) <= schema.keys():
            continue
        problem, dtype = sql_type(block.sql, schema)
        if problem:
            yield Finding((*path, "sql"), *problem, code=codes.BAD_SQL)
        elif dtype is not None and kind_of(dtype) != "boolean":
            yield Finding(
                (*path, "sql"), f"the SQL is {article(kind_of(dtype))}, not true or false", code=codes.BAD_SQL
            )


def sql_type(text: str, schema: Dtypes) -> tuple[tuple[str, str | None] | None, pl.DataType | None]:
    """What is wrong with the SQL (message, hint) and its type, over columns of `schema`; one of the two is None."""
    try:
        expression = usable_sql(text, schema, ANY_DAY)
    except SqlProblem as problem:
        return (str(problem), problem.hint), None
    return None, type_of(expression, schema)
