"""The rules as results, and as rows of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from segkit.discoveries.basket import BasketRule
from segkit.operations.discovering.basket.frequent import COUNT
from segkit.operations.discovering.basket.rules import CONFIDENCE, LIFT, OF_LEFT, OF_RIGHT, RIGHT, SUPPORT, left
from segkit.operations.discovering.basket.to_offer import TO_OFFER

COUNTS = (COUNT, OF_LEFT, OF_RIGHT)
MEASURES = (SUPPORT, CONFIDENCE, LIFT)


def as_results(rules: pl.DataFrame, names: Sequence[str]) -> Iterator[BasketRule]:
    """Each rule; `names` are those of the items, by number."""
    lefts = [name for name in rules.columns if name in {left(n) for n in range(len(rules.columns))}]
    for row in rules.select(*COUNTS, *MEASURES, TO_OFFER, RIGHT, *lefts).rows():
        number, of_left, of_right, support, confidence, lift, to_offer, right, *items = row
        yield BasketRule(
            left=tuple(names[item] for item in items if item is not None),
            right=names[right],
            count=number,
            left_count=of_left,
            right_count=of_right,
            support=support,
            confidence=confidence,
            lift=lift,
            to_offer=to_offer,
        )


def as_rows(rules: Sequence[BasketRule], length: int) -> pl.LazyFrame:
    """One row a rule, with a column for each item of the left side that a rule may have."""
    lefts = [f"left_{number + 1}" for number in range(length - 1)]
    fixed = {"count": pl.Int64, "left_count": pl.Int64, "right_count": pl.Int64}
    shares = dict.fromkeys(MEASURES, pl.Float64)
    schema = {**dict.fromkeys((*lefts, "right"), pl.String), **fixed, **shares, TO_OFFER: pl.Int64}
    rows = [
        [*rule.left, *[None] * (length - 1 - len(rule.left)), rule.right, rule.count, rule.left_count, rule.right_count]
        + [round(value, 6) for value in (rule.support, rule.confidence, rule.lift)]
        + [rule.to_offer]
        for rule in rules
    ]
    return pl.DataFrame(rows, schema=schema, orient="row").lazy()
