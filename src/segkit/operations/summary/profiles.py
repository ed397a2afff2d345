"""What the members of a segment are like: mean, median, total and share of chosen columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from segkit.columns.money import as_money
from segkit.results import Profile


def profiles(
    customers: pl.DataFrame, members: Mapping[str, pl.Series], columns: Sequence[str]
) -> dict[str, dict[str, Profile]]:
    """Segment -> column -> profile; the share is of the total over all customers."""
    if not columns:
        return {}
    numbers = customers.select(as_money(pl.col(column), customers.schema[column]).alias(column) for column in columns)
    totals = {column: numbers[column].sum() for column in columns}
    return {
        name: {column: _profile(numbers[column].filter(mask), totals[column]) for column in columns}
        for name, mask in members.items()
    }


def _profile(values: pl.Series, all_of_it: Any) -> Profile:
    known = values.drop_nulls()
    if known.is_empty():
        return Profile(None, None, None, None)
    total = Decimal(str(known.sum()))
    median = known.cast(pl.Float64).median()
    assert isinstance(median, float)
    share = float(100 * total / Decimal(str(all_of_it))) if all_of_it else None
    return Profile(float(total / len(known)), median, total, share)
