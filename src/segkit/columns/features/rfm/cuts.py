"""Cuts: what turns the three values of RFM into scores.

A cut is a value and whether it belongs to the upper side; a score is 1 + the number of cuts that a value passes.
Quantiles are order statistics without interpolation, so that quantiles, cutoffs given by hand and saved ones are one
mechanism. Customers are cut all together, or nested: each group that shares the scores before is cut for itself. Then
the cuts are a table, keyed by these scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.criteria.kinds import Dtypes, decimal
from segkit.results.parts import Threshold
from segkit.rules.model.computed.cutoffs import FALLING, OPERATORS, MeasureCutoffs
from segkit.rules.model.computed.rfm import Rfm, rfm_column

RAW = {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary"}
SCORES = {"recency": "r_score", "frequency": "f_score", "monetary": "m_score"}
"""By measure: the columns with its value and its score in the table without a name."""

MOST_DIGITS = 18
"""The most digits of a given cut before the point, and after it: comparing it with money stays within 38 digits."""
Group = tuple[int, ...]
"""The scores shared by customers who are cut together; empty where all customers are."""


class Cut(NamedTuple):
    """The cuts of one group of customers, rising with the score; with `keys`, a cut is the pair of value and key.

    `customers` says how many there are in the group; none where the cuts are given.
    """

    values: tuple[Any, ...]
    keys: tuple[str, ...] = ()
    customers: int | None = None


class Cuts(NamedTuple):
    """The cuts of one measure of the RFM table `of`: of all customers together, or by the scores named `outer`.

    `dtype` is the type that values are compared in. A group that is not in the table has no cuts and scores 1.
    """

    measure: str
    table: Mapping[Group, Cut]
    inclusive: bool
    dtype: pl.DataType
    bins: int
    outer: tuple[str, ...] = ()
    of: str = ""

    @property
    def column(self) -> str:
        """The column with the values."""
        return rfm_column(self.of, RAW[self.measure])

    @property
    def falling(self) -> bool:
        """Whether low values score high, as with recency."""
        return self.measure in FALLING

    def score(self) -> pl.Expr:
        """1 + the number of cuts that the value passes; missing where the value is."""
        value = pl.col(self.column)
        value = value.cast(self.dtype) if self.dtype.is_float() else value
        most = max((len(cut.values) for cut in self.table.values()), default=0)
        passed = [self._passes(value, position).cast(pl.Int64) for position in range(most)]
        count = pl.sum_horizontal([pl.lit(0, pl.Int64), *passed])
        return pl.when(value.is_not_null()).then(1 + count).alias(rfm_column(self.of, SCORES[self.measure]))

    def _passes(self, value: pl.Expr, position: int) -> pl.Expr:
        cut = self._at({group: cut.values[position : position + 1] for group, cut in self.table.items()}, self.dtype)
        beyond: pl.Expr = value < cut if self.falling else value > cut
        if any(cut.keys for cut in self.table.values()):
            keys = {group: cut.keys[position : position + 1] for group, cut in self.table.items()}
            return beyond | (value.eq(cut) & (pl.col(KEY) >= self._at(keys, pl.String())))
        return beyond | value.eq(cut) if self.inclusive else beyond

    def _at(self, by_group: Mapping[Group, Sequence[Any]], dtype: pl.DataType) -> pl.Expr:
        """The one value of each group, in the rows of its customers; missing in groups that have none."""
        if not self.outer:
            value = by_group[()][0]
            return decimal(value).cast(dtype) if isinstance(value, Decimal) else pl.lit(value, dtype)
        # All groups in the order of their scores: a row's value is found by position, without a join.
        groups = product(range(1, self.bins + 1), repeat=len(self.outer))
        values = pl.Series([next(iter(by_group.get(group, ())), None) for group in groups], dtype=dtype)
        place = pl.lit(0, pl.Int64)
        for name in self.outer:
            place = place * self.bins + pl.col(name) - 1
        return pl.lit(values).gather(place)

    def thresholds(self) -> list[Threshold]:
        """The cuts as results show them, one threshold for each group; its values rise."""
        turned = slice(None, None, -1) if self.falling else slice(None)
        return [
            Threshold(
                column=self.column,
                values=tuple(map(exact, cut.values))[turned],
                inclusive=self.inclusive,
                id=_id(self.column),
                keys=cut.keys[turned],
                falls=self.falling,
                within=dict(zip(self.outer, group, strict=True)),
                groups=len(self.table) if self.outer else 0,
                customers=cut.customers,
                rfm=self.of,
            )
            for group, cut in self.table.items()
        ]


def exact(value: Any) -> Decimal:
    """The number with its own digits, and without zeros at its end."""
    text = f"{value if isinstance(value, Decimal) else Decimal(repr(value)):f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def fit(of: str, rfm: Rfm, customers: pl.DataFrame) -> list[Cuts]:
    """The cuts of the three measures of the table `of`, over customers that have all three.

    `customers` has the columns with the values, and the key.
    """
    if rfm.cutoffs:
        return [_given(of, m, getattr(rfm.cutoffs, m), rfm.bins, customers) for m in RAW]
    rows = customers.lazy()
    if rfm.method == "quantile":
        ranked = pl.collect_all([_ranked(of, rfm, measure, (), rows) for measure in RAW])
        return [_quantiles(of, rfm, measure, (), frame) for measure, frame in zip(RAW, ranked, strict=True)]
    fitted: list[Cuts] = []
    for measure in RAW:
        outer = tuple(rfm_column(of, SCORES[cuts.measure]) for cuts in fitted)
        fitted.append(_quantiles(of, rfm, measure, outer, _ranked(of, rfm, measure, outer, rows).collect()))
        rows = rows.with_columns(fitted[-1].score())
    return fitted


def kept(of: str, rfm: Rfm, told: Sequence[Threshold], schema: Dtypes) -> list[Cuts] | None:
    """The cuts of the table `of`, made of the thresholds that a run has told; None where some were not told.

    Those between customers with equal values are keys, which no run tells.
    """
    if rfm.cutoffs:
        return fit(
            of, rfm, pl.DataFrame(schema={rfm_column(of, name): schema[rfm_column(of, name)] for name in RAW.values()})
        )
    cuts: list[Cuts] = []
    for measure, raw in RAW.items():
        column = rfm_column(of, raw)
        outer = () if rfm.method == "quantile" else tuple(rfm_column(of, SCORES[cut.measure]) for cut in cuts)
        groups = [one for one in told if one.id == _id(column)]
        all_told = len(groups) == (groups[0].groups or 1) if groups else False
        if rfm.ties == "split" or not all_told or any(len(one.values) != rfm.bins - 1 for one in groups):
            return None
        dtype, falls = schema[column], measure in FALLING
        cuts.append(
            Cuts(
                measure=measure,
                table={
                    _group(one, outer): Cut(tuple(in_type(one.values[::-1] if falls else one.values, dtype)))
                    for one in groups
                },
                inclusive=rfm.ties == "high",
                dtype=dtype,
                bins=rfm.bins,
                outer=outer,
                of=of,
            )
        )
    return cuts


def _id(column: str) -> str:
    return f"rfm:{column}"


def _group(told: Threshold, outer: Sequence[str]) -> Group:
    return tuple(int(told.within[name] or 0) for name in outer)


def in_type(values: Sequence[Decimal], dtype: pl.DataType) -> list[Any]:
    """The numbers, which `exact` has made of values of a column of this type, as they were."""
    read = float if dtype.is_float() else int if dtype.is_integer() else Decimal
    return [read(value) for value in values]


def _ranked(of: str, rfm: Rfm, measure: str, outer: Sequence[str], rows: pl.LazyFrame) -> pl.LazyFrame:
    """One row a group, with its values in order of rank; equal values are in order of key where keys split them."""
    order = [rfm_column(of, RAW[measure]), *([KEY] if rfm.ties == "split" else [])]
    ranked = rows.select(*outer, *order).sort(order, descending=[measure in FALLING, False][: len(order)])
    # Rows of a group keep their order: to sort by the scores, too, takes twice as long.
    return ranked.group_by(outer).agg(order).sort(outer) if outer else ranked.select(pl.all().implode())


def _quantiles(of: str, rfm: Rfm, measure: str, outer: tuple[str, ...], ranked: pl.DataFrame) -> Cuts:
    name, table = rfm_column(of, RAW[measure]), {}
    for row, group in enumerate(ranked.select(outer).rows() if outer else [()]):
        values: pl.Series = ranked[name][row]
        at = positions(len(values), rfm.bins, rfm.ties)
        keys = tuple(ranked[KEY][row][at]) if rfm.ties == "split" else ()
        table[group] = Cut(tuple(values[at]), keys, len(values))
    dtype = ranked.schema[name]
    assert isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.DataType)
    return Cuts(
        measure=measure,
        table=table,
        inclusive=rfm.ties == "high",
        dtype=dtype.inner,
        bins=rfm.bins,
        outer=outer,
        of=of,
    )


def positions(size: int, bins: int, ties: str) -> list[int]:
    """Where the cuts stand among `size` ranked values, from 0.

    `low`: score k + 1 is for values beyond that of rank ceil(k N / bins). `high`: for those from rank k N // bins + 1
    on. `split`: for those with ceil(k N / bins) or more ranked before them.
    """
    steps = range(1, bins) if size else range(0)
    if ties == "high":
        return [k * size // bins for k in steps]
    before = [-(-k * size // bins) for k in steps]
    return [n for n in before if n < size] if ties == "split" else [n - 1 for n in before]


def _given(of: str, measure: str, cutoffs: MeasureCutoffs, bins: int, customers: pl.DataFrame) -> Cuts:
    """The cuts that the rule file or a file of saved cutoffs gives."""
    falling = measure in FALLING
    operator = cutoffs.operator or OPERATORS[falling][0]
    groups = {group: tuple(reversed(cuts)) if falling else cuts for group, cuts in cutoffs.groups()}
    dtype = _compared(
        customers.schema[rfm_column(of, RAW[measure])], [value for cuts in groups.values() for value in cuts]
    )
    table = {group: Cut(tuple(in_type([Decimal(v) for v in groups[group]], dtype))) for group in sorted(groups)}
    outer = tuple(rfm_column(of, score) for score in SCORES.values())[: len(next(iter(table), ()))]
    return Cuts(measure=measure, table=table, inclusive="=" in operator, dtype=dtype, bins=bins, outer=outer, of=of)


def _compared(column: pl.DataType, values: Sequence[int | Decimal]) -> pl.DataType:
    """The type in which given cuts are compared: exact, except for float columns and cuts with too many digits."""
    numbers = [Decimal(value).normalize() for value in values]
    decimals = max([0, *(-int(number.as_tuple().exponent) for number in numbers)])
    digits = max([0, *(number.adjusted() + 1 for number in numbers)])
    if column.is_float() or digits > MOST_DIGITS or decimals > MOST_DIGITS:
        return pl.Float64()
    return pl.Int64() if column.is_integer() and not decimals else pl.Decimal(38, decimals)
