"""The expression that SQL means over columns of known types."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import polars as pl

from segkit.criteria.kinds import Dtypes, kind_of, read_by
from segkit.criteria.readings import field_text, moment
from segkit.criteria.sql.parse import SqlProblem, columns_of, expression_of, parse_sql, sql_columns
from segkit.criteria.sql.parts import LENGTH_OF_TIME, WORDS
from segkit.criteria.sql.types import Typing


def sql_expression(text: str, schema: Dtypes, as_of: dt.date) -> pl.Expr:
    """The expression that `text` means over columns of `schema`; a timestamp becomes its day.

    Raises `SqlProblem` where types do not fit. `schema` may have further readings of columns.
    """
    known = {
        name: schema[name]
        for column in columns_of(parse_sql(text, as_of))
        for name in (column, field_text(column), moment(column))
        if name in schema
    }
    return _expression(text, tuple(known.items()), as_of)


def usable_sql(text: str, schema: Dtypes, as_of: dt.date) -> pl.Expr:
    """Like `sql_expression`, and tried on one row: for what only shows when the SQL runs, such as too large numbers."""
    expression = sql_expression(text, schema, as_of)
    try:
        _one_row(read_by(expression, schema)).select(expression.alias("value"))
    except pl.exceptions.PolarsError as error:
        if not is_too_large(error):
            raise SqlProblem("the SQL cannot be computed") from error
        if not sql_columns(text):  # the row that it was tried on is none of the file
            raise SqlProblem("the SQL makes a number that is too large") from error
    return expression


def is_too_large(error: pl.exceptions.PolarsError) -> bool:
    """Whether a run ended because a number of an expression did not fit."""
    return bool(re.search(r"overflow|conversion from `i128` to `i64` failed", str(error)))


def _one_row(schema: Dtypes) -> pl.DataFrame:
    values: dict[str, Any] = {"text": "", "number": 0, "date": dt.date(2000, 1, 1), "boolean": True, "list": []}
    row = {name: [values.get(kind_of(dtype))] for name, dtype in schema.items()}
    return pl.DataFrame(row, schema=schema)


@lru_cache(maxsize=1024)
def _expression(text: str, schema: Sequence[tuple[str, pl.DataType]], as_of: dt.date) -> pl.Expr:
    part = Typing(dict(schema)).part_of(parse_sql(text, as_of))
    if part.kind == "duration":
        raise SqlProblem(*LENGTH_OF_TIME)
    if part.kind == "other":
        raise SqlProblem(f"the SQL is {WORDS['other']}")
    value = expression_of(part.tree)
    if part.kind == "timestamp":
        return value.dt.date()
    return value.cast(pl.Int64) if part.dtype.is_integer() and part.dtype not in (pl.Int64, pl.Int128) else value
