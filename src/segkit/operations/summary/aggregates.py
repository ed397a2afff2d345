"""What a report draws of all customers: their scores, how their values spread, who is in which segments at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext

import polars as pl

from segkit.columns.features.rfm.cuts import RAW, SCORES
from segkit.columns.helpers import COUNT, TOTAL_HIGH, TOTAL_LOW
from segkit.columns.money import as_money
from segkit.io.read.values.numbers import SCALE
from segkit.operations.summary.tally import DIGITS, Entry, Tally
from segkit.rules.model.computed.rfm import rfm_column
from segkit.rules.model.file import RuleFile

DAYS = (0, 7, 14, 30, 60, 90, 120, 180, 270, 365, 545, 730, 1_095, 1_460, 1_825, 2_555, 3_650)
TIMES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1_000, 10_000)
MONEY = (0, *(digit * 10**place for place in range(13) for digit in (1, 2, 5)))
EDGES: Mapping[str, Sequence[int]] = {"recency": DAYS, "frequency": TIMES, "monetary": MONEY}
"""By measure: where the bars of its histogram begin; they are the same in every run, whatever the data are."""
HALF = 2**64
BITS = 60
"""So many segments are told apart by one number."""


def tally_of_aggregates(rules: RuleFile, customers: pl.DataFrame, written: Mapping[str, pl.Series]) -> Tally:
    """Of these customers, by RFM table: how many have each pair of scores and a segment, and a value in each bar.

    And how many are written in each combination of segments: the bits of a number say in which, in their order.
    """
    frames: dict[Entry, pl.DataFrame] = {("combinations",): _combinations(written)} if written else {}
    for table in rules.rfm:
        frames |= {("bars", table, measure): _bars(table, measure, customers) for measure in RAW}
        spend = rfm_column(table, RAW["monetary"])
        money = in_halves(as_money(pl.col(spend), customers.schema[spend]))
        r, f = (rfm_column(table, SCORES[measure]) for measure in ("recency", "frequency"))
        groups = customers.group_by(r=r, f=f, value=rfm_column(table, "rfm_segment"))
        frames["rfm", table] = groups.agg(pl.len().alias(COUNT), *money)
    return Tally(frames=frames)


def medians_of_measures(rules: RuleFile, customers: pl.LazyFrame) -> Mapping[str, float]:
    """The median of each measure of RFM, by column, of all customers with one: a cut, which does not add up."""
    columns = [rfm_column(table, measure) for table in rules.rfm for measure in RAW.values()]
    if not columns:
        return {}
    values = (pl.col(column).cast(pl.Float64) for column in columns)
    found = customers.select(value.filter(value.is_finite()).median() for value in values).collect()
    return {column: median for column, median in found.row(0, named=True).items() if median is not None}


def in_halves(money: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The sum of exact decimals, in two numbers that never grow too large, and can be added further: see `total`."""
    units = money.to_physical()
    return (units // HALF).sum().alias(TOTAL_HIGH), (units % HALF).sum().alias(TOTAL_LOW)


def total(high: int, low: int) -> Decimal:
    """The sum of which the tally has two numbers."""
    with localcontext(prec=DIGITS):
        return Decimal(high * HALF + low).scaleb(-SCALE)


def _bars(table: str, measure: str, customers: pl.DataFrame) -> pl.DataFrame:
    values = customers[rfm_column(table, RAW[measure])].cast(pl.Float64).drop_nulls()
    edges = pl.Series(EDGES[measure], dtype=pl.Float64)
    found = edges.search_sorted(values.filter(values.is_finite()), side="right")
    return found.alias("bar").to_frame().group_by("bar").len(COUNT)


def _combinations(written: Mapping[str, pl.Series]) -> pl.DataFrame:
    masks = list(written.values())
    numbers = [
        pl.DataFrame([mask.cast(pl.Int64).alias(str(n)) * 2**n for n, mask in enumerate(masks[start : start + BITS])])
        .sum_horizontal()
        .alias(f"in {start}")
        for start in range(0, len(masks), BITS)
    ]
    return pl.DataFrame(numbers).group_by(pl.all()).len(COUNT)
