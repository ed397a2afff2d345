"""How many customers are in each stage and have each grade."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit.columns.helpers import COUNT
from segkit.columns.plan.known_values import summarised
from segkit.operations.summary.tally import Tally
from segkit.results.parts import Count, Distribution
from segkit.rules.model.file import RuleFile


def tally_of_values(rules: RuleFile, customers: pl.DataFrame) -> Tally:
    """How many customers have each stage of `[lifecycle]` and each grade of a score."""
    # `value_counts` takes three times as long.
    counts = pl.collect_all(
        [customers.lazy().group_by(pl.col(column).alias("value")).len(COUNT) for column in summarised(rules)]
    )
    return Tally(frames={("values", column): frame for column, frame in zip(summarised(rules), counts, strict=True)})


def distributions(rules: RuleFile, tally: Tally) -> tuple[Distribution, ...]:
    """How many customers have each stage and each grade, in their order, zeros too."""
    return tuple(
        Distribution(column, values.kind, tuple(_counts(tally, column, values.names)))
        for column, values in summarised(rules).items()
    )


def _counts(tally: Tally, column: str, names: tuple[str, ...]) -> Iterator[Count]:
    customers = tally.count("customers")
    by_name = dict(tally.frames["values", column].rows())
    for name in (*names, None):
        number = by_name.get(name, 0)
        if number or name is not None:
            yield Count(name, number, 100 * number / customers if customers else 0.0)
