"""How far a customer is from a condition, where that is a number or a day: for the order of near misses alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from segkit.columns.features.blocks import result_of, told_of
from segkit.criteria.kinds import Dtypes
from segkit.criteria.places import distance
from segkit.criteria.tree import Leaf, On
from segkit.rules.model.base import Duration
from segkit.rules.model.blocks import EventCondition, Near
from segkit.rules.model.conditions import Condition, Share
from segkit.rules.model.sources import Customers


def gap(leaf: Leaf, schema: Dtypes, as_of: dt.date, customers: Customers, *, negated: bool) -> pl.Expr:
    """The distance of the value from the nearest bound; missing where there is no value, or no such distance.

    `negated` says that the condition keeps those out for whom it holds.
    """
    match leaf.asked:
        case On(column=column, condition=condition):
            return _from(
                pl.col(column), schema[column], list(_bounds(condition, as_of)), _of_shares(condition, negated)
            )
        case EventCondition() as asked:
            measure = (result_of(asked) or told_of(asked)[0]).name
            bounds = list(_numbers((asked.result or {"min": 1}).values(), as_of))
            return _from(pl.col(measure), schema[measure], bounds, 0)
        case Near(km=km) as near if customers.latitude and customers.longitude:
            place = [pl.col(name).cast(pl.Float64) for name in (customers.latitude, customers.longitude)]
            return (distance(near, *place) - float(km)).abs()
    return pl.lit(None, pl.Float64)


def _of_shares(condition: Condition, negated: bool) -> int:
    """-1 where the highest values are nearest to the share of all that is asked for, 1 where the lowest are, else 0."""
    asked = {name for name, _ in condition.operators()}
    highest = "top_percent" in asked
    of_groups = any(share.per for _, share in condition.operators() if isinstance(share, Share))
    if of_groups or not asked & {"top_percent", "bottom_percent"}:
        return 0
    return -1 if highest is not negated else 1


def _from(value: pl.Expr, dtype: pl.DataType, bounds: list[Any], of_shares: int) -> pl.Expr:
    if of_shares and not bounds and dtype.is_numeric():
        return value.cast(pl.Float64) * of_shares  # the bound is among the customers
    if dtype == pl.Date:
        days = [(value - pl.lit(bound, pl.Date)).dt.total_days() for bound in bounds if isinstance(bound, dt.date)]
        return _least(days)
    if dtype.is_numeric():
        numbers = [bound for bound in bounds if isinstance(bound, (int, Decimal, float))]
        return _least([value.cast(pl.Float64) - float(bound) for bound in numbers])
    return pl.lit(None, pl.Float64)


def _least(differences: list[pl.Expr]) -> pl.Expr:
    if not differences:
        return pl.lit(None, pl.Float64)
    return pl.min_horizontal([difference.abs().cast(pl.Float64) for difference in differences])


def _bounds(condition: Condition, as_of: dt.date) -> Iterator[Any]:
    """The numbers and days that operators ask for; of a length of time, the days on which it begins and ends."""
    for name, operand in condition.operators():
        if name in ("top_percent", "bottom_percent", "anniversary_within"):
            continue
        if isinstance(operand, Duration):
            end = operand.after(as_of) if name == "within_next" else operand.before(as_of)
            yield from [end] if name == "older_than" else [end, as_of]
        else:
            yield from _numbers([operand], as_of)


def _numbers(operands: Any, as_of: dt.date) -> Iterator[Any]:
    """The numbers and days among operands; a length of time ends on a day."""
    for operand in operands:
        if isinstance(operand, tuple):
            yield from _numbers(operand, as_of)
        elif isinstance(operand, Duration):
            yield operand.before(as_of)
        elif isinstance(operand, (int, Decimal, float, dt.date)) and not isinstance(operand, bool):
            yield operand
