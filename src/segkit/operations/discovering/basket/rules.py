"""Rules out of sets that are often together: each item of a set in turn is the one that the others bring along.

Thresholds are compared as whole numbers; as floats, rules of exactly 80 % would be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import polars as pl

from segkit.discoveries.basket import Least, Sort
from segkit.errors import DataError
from segkit.operations.discovering.basket.frequent import COUNT, LAST, PREFIX, SET

RIGHT, OF_LEFT, OF_RIGHT, LEFT_SET, SIZE = "right", "left_count", "right_count", "left_set", "size"
"""Of a rule: the item on the right, the baskets that have each side, the number of the left side among the sets of its
size, and that of the items of both sides; `SET` is the number of both sides together."""
SUPPORT, CONFIDENCE, LIFT = "support", "confidence", "lift"
MOST_RULES = 100_000
"""More rules than anybody reads; as results they take 0.1 GB."""


class Found(NamedTuple):
    """The rules, sorted, and for one that has none: the largest confidence, and the largest lift of those with enough.

    A rule has its left side in `left_0`, `left_1` and so on, null where it is shorter.
    """

    rules: pl.DataFrame
    best_confidence: float | None
    best_lift: float | None


def left(number: int) -> str:
    """The column with an item of the left side."""
    return f"left_{number}"


def rules_of(levels: Sequence[pl.DataFrame], baskets: int, least: Least, sort: Sort) -> Found:
    """The rules of the sets of each size, single items first, of so many baskets.

    Raises `DataError` for more than anybody reads.
    """
    named = _with_items(levels)
    of_sizes = [_rules_of_size(named, size) for size in range(2, len(levels) + 1)]
    possible = pl.concat(of_sizes or [_no_rule()], how="diagonal")
    sure = possible.filter(_reaches(pl.col(COUNT) * 100, pl.col(OF_LEFT), least.confidence))
    both = _exact(COUNT) * baskets, _exact(OF_LEFT) * _exact(OF_RIGHT)
    rules = sure.filter(_reaches(*both, least.lift))
    if len(rules) > MOST_RULES:
        message = f"{len(rules):,} rules are more than anybody reads; {MOST_RULES:,} are the most"
        raise DataError.of(message, hint="ask for more of each: `--support`, `--min-count`, `--confidence` or `--lift`")
    return Found(
        rules=_sorted(_measured(rules, baskets), sort, len(levels) - 1),
        best_confidence=_measured(possible, baskets).select(pl.col(CONFIDENCE).max()).item(),
        best_lift=_measured(sure, baskets).select(pl.col(LIFT).max()).item(),
    )


def _no_rule() -> pl.DataFrame:
    whole = dict.fromkeys((SET, RIGHT, LEFT_SET, left(0)), pl.UInt32)
    return pl.DataFrame(schema={**whole, **dict.fromkeys((COUNT, OF_LEFT, OF_RIGHT, SIZE), pl.Int64)})


def _item(number: int) -> str:
    return f"item_{number}"


def _with_items(levels: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The sets of each size with all of their items, in the order of these."""
    named = [levels[0].select(SET, COUNT, pl.col(LAST).alias(_item(0)))]
    for sets in levels[1:]:
        before = named[-1].drop(COUNT).rename({SET: PREFIX})
        named.append(sets.join(before, on=PREFIX).drop(PREFIX).rename({LAST: _item(len(named))}))
    return [sets.with_columns(pl.col(COUNT).cast(pl.Int64)) for sets in named]


def _rules_of_size(named: Sequence[pl.DataFrame], size: int) -> pl.DataFrame:
    """Each set of this size, with each of its items in turn on the right."""
    lefts = [left(number) for number in range(size - 1)]
    sides = named[size - 2].rename({SET: LEFT_SET, COUNT: OF_LEFT, **{_item(n): lefts[n] for n in range(size - 1)}})
    rights = named[0].select(pl.col(_item(0)).alias(RIGHT), pl.col(COUNT).alias(OF_RIGHT))
    turns = []
    for turn in range(size):
        others = [_item(number) for number in range(size) if number != turn]
        names = {_item(turn): RIGHT, **dict(zip(others, lefts, strict=True))}
        turns.append(named[size - 1].rename(names).select(SET, COUNT, RIGHT, *lefts))
    rules = pl.concat(turns).join(sides, on=lefts).join(rights, on=RIGHT)
    return rules.with_columns(pl.lit(size, pl.Int64).alias(SIZE))


def _reaches(part: pl.Expr, whole: pl.Expr, least: Decimal) -> pl.Expr:
    """Whether part / whole >= least, exactly."""
    asked = Fraction(least)
    wide = part.cast(pl.Int128) * pl.lit(asked.denominator, pl.Int128)
    return wide >= whole.cast(pl.Int128) * pl.lit(asked.numerator, pl.Int128)


def _exact(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int128)


def _measured(rules: pl.DataFrame, baskets: int) -> pl.DataFrame:
    """Up to 90 million baskets, equal lifts are equal floats: only the quotient of two exact products is rounded."""
    count, of_left, of_right = (pl.col(name) for name in (COUNT, OF_LEFT, OF_RIGHT))
    return rules.with_columns(
        (100 * count / baskets).alias(SUPPORT),
        (100 * count / of_left).alias(CONFIDENCE),
        ((count * baskets) / (of_left * of_right)).alias(LIFT),
    )


def _sorted(rules: pl.DataFrame, sort: Sort, longest: int) -> pl.DataFrame:
    """The best first; of equal ones that with more lift, then by left side, then by right side."""
    first = {"lift": [], "confidence": [CONFIDENCE], "support": [COUNT]}[sort]
    best, sides = [*first, LIFT], [left(number) for number in range(max(longest, 1))]
    rules = rules.with_columns(pl.lit(None, pl.UInt32).alias(name) for name in sides if name not in rules.columns)
    descending = [True] * len(best) + [False] * (len(sides) + 1)
    return rules.sort([*best, *sides, RIGHT], descending=descending, nulls_last=False)
