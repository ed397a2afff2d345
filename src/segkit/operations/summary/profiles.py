"""What the members of a segment are like: mean, median, total and share of chosen columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

import polars as pl

from segkit.columns.helpers import written
from segkit.columns.money import as_money
from segkit.operations.summary.tally import Entry, Tally
from segkit.results.apply import Profile

Medians: TypeAlias = Mapping[tuple[str, str], float]
"""By column and segment; nothing for a segment whose members have no value."""


def tally_of_profiles(customers: pl.DataFrame, members: Mapping[str, pl.Series], columns: Sequence[str]) -> Tally:
    """The total of each column, in all and by segment, and how many members of each segment have a value."""
    numbers: dict[Entry, int | Decimal] = {}
    for column in columns:
        values = customers.select(as_money(pl.col(column), customers.schema[column])).to_series()
        numbers["total", column] = _sum(values)
        for name, mask in members.items():
            of_members = values.filter(mask)
            numbers["total", column, name] = _sum(of_members)
            numbers["known", column, name] = of_members.count()
    return Tally(numbers)


def medians(marked: pl.LazyFrame, segments: Sequence[str], columns: Sequence[str]) -> Medians:
    """The median of each column by segment, of customers with marks: a cut, which does not add up."""
    found: dict[tuple[str, str], float] = {}
    schema = marked.collect_schema() if columns else {}
    for column in columns:
        # The same numbers as in the total: floats first become exact decimals.
        value = as_money(pl.col(column), schema[column]).cast(pl.Float64)
        of_segments = [value.filter(written(name)).median().alias(name) for name in segments]
        of_column = marked.select(of_segments).collect().row(0, named=True)
        found |= {(column, name): median for name, median in of_column.items() if median is not None}
    return found


def _sum(values: pl.Series) -> Decimal:
    return Decimal(str(values.sum()))


def profile_of(tally: Tally, of_columns: Medians, name: str, column: str) -> Profile:
    """The profile of a column in one segment; the share is of the total over all customers."""
    known = tally.count("known", column, name)
    if not known:
        return Profile(None, None, None, None)
    total, all_of_it = Decimal(tally.numbers["total", column, name]), Decimal(tally.numbers["total", column])
    return Profile(
        mean=float(total / known),
        median=of_columns[column, name],
        total=total,
        share=float(100 * total / all_of_it) if all_of_it else None,
    )
