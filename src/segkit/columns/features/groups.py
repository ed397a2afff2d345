"""Cuts within groups: shares, quantiles and means of customers who have the same values in some columns.

A missing value makes a group, too. Without such columns, all customers are one group. What is found for each group is a
row of a small table; a customer finds that row by the columns that make the groups.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial, reduce
from typing import Any, NamedTuple

import polars as pl

from segkit.columns.features.rfm.cuts import exact, in_type, positions
from segkit.columns.features.steps import Told
from segkit.columns.helpers import COUNT, GROUP, VALUES
from segkit.columns.money import as_money, nearest_mean
from segkit.criteria.conditions import COMPARISONS
from segkit.criteria.context import ShareOfAll
from segkit.criteria.kinds import Dtypes
from segkit.results.parts import Threshold
from segkit.rules.model.computed.traits import Bands

MOST_SHOWN = 20
"""The most groups whose cuts the summary shows: those with most customers."""


class ByGroup(NamedTuple):
    """Columns that look at what was found for the group of a customer.

    `groups` has the columns `per`, and the place of each group under `GROUP`, which `columns` look up.
    """

    per: tuple[str, ...]
    groups: pl.DataFrame
    columns: Sequence[pl.Expr]
    told: Sequence[Threshold]

    def add(self, customers: pl.LazyFrame) -> pl.LazyFrame:
        """The customers with these columns."""
        if not self.per:
            return customers.with_columns(self.columns)
        groups = self.groups.lazy()
        placed = customers.join(groups, on=self.per, how="left", nulls_equal=True, maintain_order="left")
        return placed.with_columns(self.columns).drop(GROUP)


def shares(share: ShareOfAll, name: str, customers: pl.DataFrame) -> ByGroup:
    """Who is among the highest or lowest of his group, by the value at rank ceil(percent * N / 100)."""
    per = share.per
    groups = _ranked(customers, share.column, per, falls=share.is_top)
    part = Fraction(share.percent) / 100
    at = _at_rank(groups, lambda size: math.ceil(size * part) - 1)
    among = _among(share, groups.select(at).to_series(), per)
    label = f"{share.column} ({'top' if share.is_top else 'bottom'} {share.percent} %{_said(per)})"
    cut = Threshold(label, (), inclusive=True, id=_id_of_share(share), falls=not share.is_top)
    return _by_group(groups, per, among.alias(name), cut, [at])


def shares_again(share: ShareOfAll, name: str, told: Told, schema: Dtypes) -> ByGroup | None:
    """The same, made of what an earlier run has told; None where it has not told it all."""
    kept = _kept(told, _id_of_share(share), share.per, 1, schema[share.column], schema)
    return None if kept is None else kept.with_column(_among(share, kept.values[0], kept.per).alias(name))


def _among(share: ShareOfAll, edges: pl.Series, per: Sequence[str]) -> pl.Expr:
    reaches: pl.Expr = COMPARISONS["min" if share.is_top else "max"](pl.col(share.column), _of_group(edges, per))
    return reaches.fill_null(False)


def _id_of_share(share: ShareOfAll) -> str:
    rank = f"{'top' if share.is_top else 'bottom'}_percent"
    return _id(rank, f"{share.percent}", share.column, *share.per)


def quantiles(bands: Bands, name: str, customers: pl.DataFrame) -> ByGroup:
    """The band (rank - 1) * n div N + 1 of each value, where rank is the lowest of equal values among N.

    A value is in band k + 1 or above where it is beyond that of rank ceil(k * N / n): as many are before it then.
    """
    assert bands.quantiles is not None, "edges are no cut"
    per, count = bands.per, bands.quantiles
    groups = _ranked(customers, bands.of, per)
    cuts = [_at_rank(groups, partial(_last_below, count, k)) for k in range(1, count)]
    found = groups.select(cut.alias(str(k)) for k, cut in enumerate(cuts))
    label = f"{name} ({count} quantiles of {bands.of}{_said(per)})"
    cut = Threshold(label, (), inclusive=False, id=_id_of_quantiles(bands))
    return _by_group(groups, per, _band(bands, found.get_columns(), per).alias(name), cut, cuts)


def quantiles_again(bands: Bands, name: str, told: Told, schema: Dtypes) -> ByGroup | None:
    """The same, made of what an earlier run has told; None where it has not told it all."""
    assert bands.quantiles is not None, "edges are no cut"
    kept = _kept(told, _id_of_quantiles(bands), bands.per, bands.quantiles - 1, schema[bands.of], schema)
    return None if kept is None else kept.with_column(_band(bands, kept.values, kept.per).alias(name))


def _band(bands: Bands, cuts: Sequence[pl.Series], per: Sequence[str]) -> pl.Expr:
    value = pl.col(bands.of)
    # One after the other: all at once would take as many columns as there are cuts.
    passed = [(value > _of_group(cut, per)).cast(pl.Int64) for cut in cuts]
    number = reduce(operator.add, passed)
    band = pl.lit(pl.Series(bands.labels)).gather(number) if bands.labels else number + 1
    return pl.when(value.is_not_null()).then(band)


def _id_of_quantiles(bands: Bands) -> str:
    return _id("quantiles", f"{bands.quantiles}", bands.of, *bands.per)


def _last_below(count: int, band: int, size: int) -> int:
    """The place of the last one of so many values who is in `band` or below, when they make `count` bands."""
    return positions(size, count, "low")[band - 1]


def means(of: str, per: tuple[str, ...], name: str, customers: pl.DataFrame) -> ByGroup:
    """The mean of each group, of values rounded to ten decimals: sums of decimals are the same in any order."""
    value = as_money(pl.col(of), customers.schema[of])
    rows = customers.lazy().select(*map(_plain(customers), per), value.alias(VALUES)).drop_nulls(VALUES)
    found = [pl.col(VALUES).sum(), pl.len().alias(COUNT)]
    groups = rows.group_by(per).agg(found).sort(per, nulls_last=True) if per else rows.select(found)
    mean = pl.when(pl.col(COUNT) > 0).then(nearest_mean(pl.col(VALUES), pl.col(COUNT)))
    of_groups = groups.collect()
    column = _of_group(of_groups.select(mean).to_series(), per).alias(name)
    label = f"{name} (mean of {of}{_said(per)})"
    cut = Threshold(label, (), inclusive=False, id=_id("mean", of, *per), mean=True)
    return _by_group(of_groups, per, column, cut, [mean])


def means_again(of: str, per: tuple[str, ...], name: str, told: Told, schema: Dtypes) -> ByGroup | None:
    """The same, made of what an earlier run has told; None where it has not told it all."""
    kept = _kept(told, _id("mean", of, *per), per, 1, schema[name], schema)
    return None if kept is None else kept.with_column(_of_group(kept.values[0], kept.per).alias(name))


class _Kept(NamedTuple):
    """What a run has told of the groups of a cut: their columns and places, and each of the values in these places."""

    per: tuple[str, ...]
    groups: pl.DataFrame
    values: Sequence[pl.Series]

    def with_column(self, column: pl.Expr) -> ByGroup:
        return ByGroup(self.per, self.groups, [column], ())


def _kept(told: Told, id_: str, per: tuple[str, ...], count: int, dtype: pl.DataType, schema: Dtypes) -> _Kept | None:
    """The groups with this many values each; None where not all were told, or not so that they can be read again."""
    alike = (one for one in told if isinstance(one, Threshold) and one.id == id_)
    of_cut = list({tuple(one.within.items()): one for one in alike}.values())  # two columns may have the same cuts
    all_told = bool(of_cut) and len(of_cut) == (of_cut[0].groups or 1)
    if not all_told or any(len(one.values) != count for one in of_cut) or not all(readable(schema[c]) for c in per):
        return None
    groups = pl.DataFrame([of_texts([one.within[c] for one in of_cut], schema[c]).alias(c) for c in per])
    values = [pl.Series(in_type([one.values[k] for one in of_cut], dtype), dtype=dtype) for k in range(count)]
    return _Kept(per, groups.with_row_index(GROUP), values)


def readable(dtype: pl.DataType) -> bool:
    """Whether `of_texts` makes values of this type."""
    return dtype.is_numeric() or dtype in (pl.String, pl.Boolean, pl.Date)


def of_texts(texts: Sequence[int | str | None], dtype: pl.DataType) -> pl.Series:
    """The values of a column of this type, of which these texts were made."""
    values = pl.Series([None if text is None else str(text) for text in texts], dtype=pl.String)
    if dtype == pl.Date:
        return values.str.to_date("%Y-%m-%d")
    return values == "true" if dtype == pl.Boolean else values.cast(dtype)


def _id(*parts: str) -> str:
    """The name of a cut: what it is, of which column, and the columns that make its groups."""
    return ":".join(parts)


def _said(per: Sequence[str]) -> str:
    return f" per {', '.join(per)}" if per else ""


def _plain(customers: pl.DataFrame) -> Callable[[str], pl.Expr]:
    """A column under its name; of -0.0 and 0.0, which are equal, the latter, whichever came first."""
    return lambda name: pl.col(name) + 0.0 if customers.schema[name].is_float() else pl.col(name)


def _ranked(customers: pl.DataFrame, of: str, per: Sequence[str], *, falls: bool = False) -> pl.DataFrame:
    """One row a group in which somebody has a value: these values in order of rank as `VALUES`, `COUNT` of them."""
    plain = _plain(customers)
    rows = customers.lazy().select(*map(plain, per), plain(of).alias(VALUES)).drop_nulls(VALUES)
    rows = rows.sort(VALUES, descending=falls)  # rows of a group keep their order
    groups = rows.group_by(per).agg(VALUES).sort(per, nulls_last=True) if per else rows.select(pl.all().implode())
    return groups.with_columns(pl.col(VALUES).list.len().alias(COUNT)).collect()


def _at_rank(groups: pl.DataFrame, place: Callable[[int], int]) -> pl.Expr:
    """The value at a place (from 0) that the size of a group decides; missing where there is no such place."""
    sizes = groups[COUNT].unique().to_list()
    places = [place(size) if size else -1 for size in sizes]
    known = [at if at >= 0 else None for at in places]
    at = pl.col(COUNT).replace_strict(sizes, known, return_dtype=pl.Int64)
    return pl.col(VALUES).list.get(at, null_on_oob=True)


def _of_group(found: pl.Series, per: Sequence[str]) -> pl.Expr:
    """What was found for the group of each customer, given what was found for each group."""
    return pl.lit(found).gather(pl.col(GROUP)) if per else pl.lit(found).first()


def _by_group(
    groups: pl.DataFrame, per: tuple[str, ...], column: pl.Expr, cut: Threshold, cuts: Sequence[pl.Expr]
) -> ByGroup:
    told = list(_told(groups, per, cut, cuts))
    return ByGroup(per, groups.select(per).with_row_index(GROUP), [column], told)


def _told(groups: pl.DataFrame, per: Sequence[str], cut: Threshold, cuts: Sequence[pl.Expr]) -> Sequence[Threshold]:
    """The cut as results show it, with its values in each of the largest groups, in the order of the groups."""
    shown = groups.with_row_index(GROUP).filter(pl.col(COUNT) > 0)
    shown = shown.sort(COUNT, GROUP, descending=[True, False]).head(MOST_SHOWN).sort(GROUP)
    values = shown.select(value.alias(str(k)) for k, value in enumerate(cuts)).rows()
    names = shown.select(per).rows() if per else [()]
    size = len(groups) if per else 0
    told = [
        cut._replace(
            values=tuple(exact(value) for value in row if value is not None),
            within=dict(zip(per, map(_text, name), strict=True)),
            groups=size,
            customers=count,
        )
        for name, row, count in zip(names, values, shown[COUNT], strict=False)
    ]
    told = [one for one in told if one.values]
    in_force = size and groups.select(cuts[0].is_not_null().any()).item()
    return told or ([cut._replace(groups=size)] if in_force else [])


def _text(value: Any) -> str | None:
    """A value of a column that makes groups, as results show it; None where it is missing."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float, Decimal)):
        return f"{exact(value):f}"
    return None if value is None else str(value)
