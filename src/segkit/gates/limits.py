"""At most so many customers: the first of each group, by a column or by key."""

from __future__ import annotations

import math
from fractions import Fraction

import polars as pl

from segkit.columns.helpers import COUNT, KEY, RANK, ROW
from segkit.gates.rows import spread
from segkit.rules.model.permissions import Limit


def within(limit: Limit, customers: pl.DataFrame, reach: pl.Series) -> pl.Series:
    """Who of those that reach the limit is among the first of their group; one Boolean a customer."""
    order = [*([limit.by] if limit.by else []), KEY]
    falls = [*([limit.falls] if limit.by else []), limit.falls and not limit.by]
    rows = customers.lazy().select(*dict.fromkeys([*order, *limit.per])).with_row_index(ROW).filter(reach)
    rank, size = pl.int_range(pl.len()), pl.len()
    if limit.per:
        rank, size = rank.over(limit.per), size.over(limit.per)
    ranked = rows.sort(order, descending=falls, nulls_last=True).select(ROW, rank.alias(RANK), size.alias(COUNT))
    kept = _first(limit, ranked.collect())
    return spread(kept, True, len(customers), False)


def _first(limit: Limit, ranked: pl.DataFrame) -> pl.Series:
    """The rows that pass, of those that have a rank in a group of this size."""
    if limit.count is not None:
        return ranked.filter(pl.col(RANK) < limit.count)[ROW]
    share = Fraction(str(limit.percent)) / 100
    sizes = ranked[COUNT].unique().to_list()
    most = [math.ceil(size * share) for size in sizes]
    return ranked.filter(pl.col(RANK) < pl.col(COUNT).replace_strict(sizes, most, return_dtype=pl.Int64))[ROW]
