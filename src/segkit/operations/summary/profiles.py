"""What the members of a segment are like: mean, median, total and share of chosen columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import polars as pl

from segkit.columns import helpers
from segkit.columns.money import as_money
from segkit.operations.tally import Entry, Tally
from segkit.results import Profile

VALUE = "value"


def tally_of_profiles(customers: pl.DataFrame, members: Mapping[str, pl.Series], columns: Sequence[str]) -> Tally:
    """The total of each column, in all and by segment, and how many members of each segment have each value."""
    numbers: dict[Entry, int | Decimal] = {}
    frames: dict[Entry, pl.DataFrame] = {}
    for column in columns:
        values = customers.select(as_money(pl.col(column), customers.schema[column]).alias(VALUE))
        numbers["total", column] = _sum(values[VALUE])
        numbers |= {("total", column, name): _sum(values[VALUE].filter(mask)) for name, mask in members.items()}
        marked = values.with_columns(mask.alias(helpers.written(name)) for name, mask in members.items())
        counts = [pl.col(helpers.written(name)).sum() for name in members]
        frames["profile", column] = marked.lazy().drop_nulls(VALUE).group_by(VALUE).agg(counts).sort(VALUE).collect()
    return Tally(numbers, frames)


def _sum(values: pl.Series) -> Decimal:
    return Decimal(str(values.sum()))


def profile_of(tally: Tally, name: str, column: str) -> Profile:
    """The profile of a column in one segment; the share is of the total over all customers."""
    counts = (
        tally.frames["profile", column].select(VALUE, pl.col(helpers.written(name)).alias("n")).filter(pl.col("n") > 0)
    )
    known = int(counts["n"].sum())
    if not known:
        return Profile(None, None, None, None)
    total, all_of_it = Decimal(tally.numbers["total", column, name]), Decimal(tally.numbers["total", column])
    return Profile(
        mean=float(total / known),
        median=_median(counts.sort(VALUE), known),
        total=total,
        share=float(100 * total / all_of_it) if all_of_it else None,
    )


def _median(counts: pl.DataFrame, known: int) -> float:
    """The median of values that come so many times each, in order."""
    reached = counts["n"].cast(pl.UInt64).cum_sum()
    places = [reached.search_sorted(rank, side="left") for rank in ((known + 1) // 2, known // 2 + 1)]
    median = counts[VALUE][places].cast(pl.Float64).median()
    assert isinstance(median, float)
    return median
