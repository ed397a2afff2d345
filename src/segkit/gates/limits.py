"""At most so many customers: the first of each group, by a column or by key.

A limit is a cut: the last customer of each group who is within it tells whether any other one is. With very many
groups such a cut is as large as the customers themselves; then each one's rank is asked at once.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import polars as pl

from segkit.columns.helpers import COUNT, EDGE, EDGE_KEY, KEY, MOST, RANK, ROW
from segkit.gates.rows import spread
from segkit.rules.model.permissions import Limit

FEW = 1_000
"""Groups, of which a cut is small and quickly asked: measured on 1 M customers, where more of them are slower."""


class Within(NamedTuple):
    """Who is within a limit, one Boolean a customer, and the value of the last one who is.

    There is no such value where each group has its own, or keys alone decide.
    """

    passed: pl.Series
    last: Any = None


def within(limit: Limit, customers: pl.DataFrame, reach: pl.Series) -> Within:
    """Who of those that reach the limit is among the first of their group."""
    rows = reaching(limit, customers, reach)
    if _groups(limit, rows) <= FEW:
        return within_cut(limit, customers, reach, edges(limit, rows))
    return Within(spread(reach.arg_true().filter(ranked_within(limit, rows)), True, len(customers), False))


def within_cut(limit: Limit, customers: pl.DataFrame, reach: pl.Series, last: pl.DataFrame) -> Within:
    """Who of those that reach the limit is within it, where the last one of each group who is has been found."""
    passed = before(limit, reaching(limit, customers, reach), last)
    value = last[EDGE][0] if limit.by and not limit.per and len(last) else None
    return Within(spread(reach.arg_true().filter(passed), True, len(customers), False), value)


def reaching(limit: Limit, customers: pl.DataFrame, reach: pl.Series) -> pl.DataFrame:
    """Those who reach the limit, with what it looks at."""
    asked = list(dict.fromkeys([KEY, *([limit.by] if limit.by else []), *limit.per]))
    return customers.lazy().select(asked).filter(reach).collect()


def first_of(limit: Limit, reached: pl.DataFrame) -> pl.DataFrame:
    """Those of some customers who may be within the limit of all: the first of each group, unless it is a share."""
    return reached if limit.count is None else reached.filter(ranked_within(limit, reached))


def _groups(limit: Limit, reached: pl.DataFrame) -> int:
    """About how many groups there are at most; this tells how to ask, and never who is within."""
    if not limit.per:
        return 1
    if any(reached.schema[column].is_nested() for column in limit.per):
        return len(reached)
    return math.prod(reached.select(pl.col(limit.per).approx_n_unique()).row(0))


def ranked_within(limit: Limit, reached: pl.DataFrame) -> pl.Series:
    """Whether each customer is among the first of the group."""
    order = [*([limit.by] if limit.by else []), KEY]
    falls = [*([limit.falls] if limit.by else []), limit.falls and not limit.by]
    rows = reached.lazy().with_row_index(ROW).sort(order, descending=falls, nulls_last=True)
    rank, size = pl.int_range(pl.len()), pl.len()
    if limit.per:
        rank, size = rank.over(limit.per), size.over(limit.per)
    ranked = rows.select(ROW, rank.alias(RANK), size.alias(COUNT)).collect()
    first = ranked.filter(pl.col(RANK) < _most(limit, ranked[COUNT]))[ROW]
    return spread(first, True, len(reached), False)


def edges(limit: Limit, reached: pl.DataFrame) -> pl.DataFrame:
    """The last customer within the limit, of each group that has one: its columns `per`, value and key."""
    rank, size = pl.int_range(pl.len()), pl.len()
    if limit.per:
        rank, size = rank.over(limit.per), size.over(limit.per)
    rows = reached.with_columns(size.alias(COUNT), pl.lit(0).alias(RANK))
    rows = rows.with_columns(_most(limit, rows[COUNT]).alias(MOST))
    if limit.by:
        # Keys are slow to sort: only those of customers beside whom nothing but the key tells who is the last one.
        ranked = rows.sort(limit.by, descending=limit.falls, nulls_last=True).with_columns(rank.alias(RANK))
        last = ranked.filter(pl.col(RANK) + 1 == pl.col(MOST))
        alike = list(dict.fromkeys([*limit.per, limit.by]))
        rows = ranked.join(last, on=alike, how="semi", nulls_equal=True)
    first = pl.col(RANK).min().over(limit.per) if limit.per else pl.col(RANK).min()
    ordered = rows.sort(KEY, descending=limit.falls and not limit.by)
    last = ordered.filter(first + rank + 1 == pl.col(MOST))
    value = pl.col(limit.by) if limit.by else pl.lit(None)
    return last.select(*limit.per, value.alias(EDGE), pl.col(KEY).alias(EDGE_KEY))


def _most(limit: Limit, sizes: pl.Series) -> pl.Expr:
    """How many of a group of `COUNT` customers are within the limit."""
    if limit.count is not None:
        return pl.min_horizontal(COUNT, limit.count)
    share = Fraction(str(limit.percent)) / 100
    known = sizes.unique().to_list()
    return pl.col(COUNT).replace_strict(known, [math.ceil(size * share) for size in known], return_dtype=pl.Int64)


def before(limit: Limit, customers: pl.DataFrame, last: pl.DataFrame) -> pl.Series:
    """Whether each customer is the last one of the group who is within the limit, or before that one."""
    if limit.per:
        rows = customers.lazy().join(last.lazy(), on=limit.per, how="left", nulls_equal=True, maintain_order="left")
    else:
        edge = last.row(0) if len(last) else (None, None)
        rows = customers.lazy().with_columns(
            pl.lit(one, last.schema[name]).alias(name) for name, one in zip((EDGE, EDGE_KEY), edge, strict=True)
        )
    key, edge_key = pl.col(KEY), pl.col(EDGE_KEY)
    in_order = key >= edge_key if limit.falls and not limit.by else key <= edge_key
    if limit.by:
        value, edge_value = pl.col(limit.by), pl.col(EDGE)
        beyond = (value > edge_value if limit.falls else value < edge_value).fill_null(False)
        # Missing values come last.
        beyond |= edge_value.is_null() & edge_key.is_not_null() & value.is_not_null()
        in_order = beyond | (value.eq_missing(edge_value) & in_order)
    return rows.select(in_order.fill_null(False)).collect().to_series()
