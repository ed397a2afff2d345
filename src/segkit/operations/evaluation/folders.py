"""Which folders of a source its `where` keeps."""

from __future__ import annotations

import polars as pl

from segkit.columns.tables.view import all_hold
from segkit.criteria.conditions import misfits
from segkit.criteria.context import ANY_DAY, Context
from segkit.rules.model.conditions import Condition, Conditions

_BEYOND = frozenset(
    {"within", "not_within", "older_than", "within_next", "anniversary_within", "top_percent", "bottom_percent"}
)
"""Operators that look at more than the value: which day it is, or all customers."""


def kept_folders(values: pl.DataFrame, conditions: Conditions) -> pl.Series:
    """Whether the conditions may hold in each row; one that does not fit its column is told elsewhere."""
    able = {name: one for name, one in conditions.items() if _is_able(name, one, values.schema[name])}
    if not able:
        return pl.repeat(value=True, n=values.height, eager=True)
    return values.select(all_hold(able, values.schema, Context(ANY_DAY))).to_series()


def _is_able(name: str, condition: Condition, dtype: pl.DataType) -> bool:
    return not any(misfits(name, dtype, condition)) and not _BEYOND & {key for key, _ in condition.operators()}
