"""How many customers are in each stage and have each grade."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit.columns.plan.known_values import summarised
from segkit.results import Count, Distribution
from segkit.rules.model.file import RuleFile


def distributions(rules: RuleFile, customers: pl.DataFrame) -> tuple[Distribution, ...]:
    """How many customers have each stage of `[lifecycle]` and each grade of a score, in their order, zeros too."""
    return tuple(
        Distribution(column, values.kind, tuple(_counts(customers[column], values.names)))
        for column, values in summarised(rules).items()
    )


def _counts(column: pl.Series, names: tuple[str, ...]) -> Iterator[Count]:
    # `value_counts` takes three times as long.
    values, numbers = column.to_frame("value").lazy().group_by("value").len().collect().get_columns()
    by_name = dict(zip(values, numbers, strict=True))
    for name in (*names, None):
        number = by_name.get(name, 0)
        if number or name is not None:
            yield Count(name, number, 100 * number / len(column) if len(column) else 0.0)
