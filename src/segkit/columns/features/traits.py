"""Traits on the customer's own columns: dates, bands and SQL of one row; quantiles and means over all customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import partial

import polars as pl

from segkit.columns.features.groups import means, means_again, quantiles, quantiles_again
from segkit.columns.features.steps import CutStep, Fitted, Told
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes, literal
from segkit.criteria.sql.expressions import sql_expression
from segkit.criteria.sql.parse import sql_columns
from segkit.rules.model.computed.traits import Bands, Trait


def cut_of_trait(name: str, trait: Trait) -> CutStep | None:
    """The step for bands by quantiles, or for a mean; None for any other trait."""
    if trait.mean_of:
        of, per = trait.mean_of, trait.per
        return _cut(name, {of, *per}, pl.Float64(), partial(means, of, per, name), partial(means_again, of, per, name))
    bands = trait.bands
    if bands and bands.quantiles:
        dtype = pl.String() if bands.labels else pl.Int64()
        fit, again = partial(quantiles, bands, name), partial(quantiles_again, bands, name)
        return _cut(name, {bands.of, *bands.per}, dtype, fit, again)
    return None


def _cut(
    name: str,
    needs: AbstractSet[str],
    dtype: pl.DataType,
    fit: Callable[[pl.DataFrame], Fitted],
    again: Callable[[Told, Dtypes], Fitted | None],
) -> CutStep:
    return CutStep(
        names=(name,), needs=frozenset(needs), types={name: dtype}, fit=fit, again=again, path=("trait", name)
    )


def row_needs(trait: Trait) -> frozenset[str]:
    """The columns that a row-wise trait reads."""
    if trait.sql is not None:
        return sql_columns(trait.sql)
    column = trait.years_since or trait.days_since or (trait.bands.of if trait.bands else None)
    return frozenset() if column is None else frozenset({column})


def row_expression(trait: Trait, schema: Dtypes, context: Context) -> pl.Expr:
    """The expression of a row-wise trait over columns of `schema`."""
    if trait.sql is not None:
        return sql_expression(trait.sql, schema, context.as_of)
    if trait.bands:
        return _band(trait.bands, schema[trait.bands.of])
    if trait.days_since:
        return (pl.lit(context.as_of) - pl.col(trait.days_since)).dt.total_days()
    assert trait.years_since is not None, "a trait is of one kind"
    return full_years(pl.col(trait.years_since), context.as_of)


def full_years(since: pl.Expr, as_of: dt.date) -> pl.Expr:
    """The number of birthdays by `as_of`; one on 29 February is on 1 March in years without that day."""
    day = since.dt.month().cast(pl.Int64) * 100 + since.dt.day().cast(pl.Int64)
    had = day <= as_of.month * 100 + as_of.day
    return pl.lit(as_of.year, pl.Int64) - since.dt.year().cast(pl.Int64) - pl.when(had).then(0).otherwise(1)


def _band(bands: Bands, dtype: pl.DataType) -> pl.Expr:
    """The label before the first edge that the value is below, or the last label."""
    assert bands.edges is not None and bands.labels is not None, "bands without edges are a cut"
    value = pl.col(bands.of)
    below = [
        pl.when(value < literal(edge, dtype)).then(pl.lit(label))
        for edge, label in zip(bands.edges, bands.labels, strict=False)
    ]
    return pl.coalesce(*below, pl.when(value.is_not_null()).then(pl.lit(bands.labels[-1])))
