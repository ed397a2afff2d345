"""At most so many customers: the first of each group, by a column or by key."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from segkit.columns.hidden import COUNT, KEY, ROW
from segkit.rules.gates import Limit


def within(limit: Limit, customers: pl.DataFrame, reach: pl.Series) -> pl.Series:
    """Who of those that reach the limit is among the first of their group; one Boolean a customer."""
    order = [*([limit.by] if limit.by else []), KEY]
    falls = [*([limit.falls] if limit.by else []), limit.falls and not limit.by]
    rows = customers.lazy().select(*dict.fromkeys([*order, *limit.per])).with_row_index(ROW).filter(reach)
    rank, size = pl.int_range(pl.len()), pl.len()
    if limit.per:
        rank, size = rank.over(limit.per), size.over(limit.per)
    first = (
        rows.sort(order, descending=falls, nulls_last=True)
        .filter(rank < _most(limit, size))
        .select(ROW, pl.lit(True).alias(COUNT))
    )
    kept = first.collect()[ROW]
    mask = pl.Series([False]).new_from_index(0, len(customers))
    return mask.scatter(kept, True) if len(kept) else mask


def _most(limit: Limit, size: pl.Expr) -> pl.Expr:
    """How many of a group pass; a share is rounded up."""
    if limit.count is not None:
        return pl.lit(limit.count, pl.Int64)
    share = Decimal(str(limit.percent)) / 100
    upper, lower = share.as_integer_ratio()
    return (size.cast(pl.Int64) * upper + lower - 1) // lower
