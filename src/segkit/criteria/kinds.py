"""What kind of values a column holds, and which values a rule may compare them with."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import polars as pl

Kind = Literal["text", "number", "date", "boolean", "list", "other"]
Dtypes: TypeAlias = dict[str, pl.DataType]
"""Column -> the Polars type of its values."""


def kind_of(dtype: pl.DataType) -> Kind:
    """The kind of values that a Polars type holds."""
    if dtype.is_numeric():
        return "number"
    if dtype == pl.String:
        return "text"
    if dtype == pl.Date:
        return "date"
    if dtype == pl.Boolean:
        return "boolean"
    return "list" if isinstance(dtype, pl.List) else "other"


def kind_of_value(value: Any) -> Kind:
    """The kind of a value of the rule file."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, Decimal)):
        return "number"
    return "date" if isinstance(value, dt.date) else "text"


def literal(value: Any, dtype: pl.DataType) -> Any:
    """The value as a column of `dtype` compares with it: a float column with the nearest float."""
    if isinstance(value, Decimal):
        return float(value) if dtype.is_float() else decimal(value)
    return value


def decimal(value: Decimal) -> pl.Expr:
    """The number as a decimal of its own scale; made from text, since Polars would load numpy otherwise (0.08 s)."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "numbers of rule files are finite"
    return pl.lit(f"{value:f}").cast(pl.Decimal(38, max(0, -exponent)))


def article(kind: Kind) -> str:
    """The kind as a message names it."""
    return {"text": "text", "boolean": "true or false", "other": "of a type segkit does not compare"}.get(
        kind, f"a {kind}"
    )


def read_by(expression: pl.Expr, schema: Dtypes) -> dict[str, pl.DataType]:
    """The columns of `schema` that the expression reads; a wide table has many that it does not."""
    return {name: schema[name] for name in expression.meta.root_names() if name in schema}
