"""The figures of arms, and how they differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from segkit.experiments import CONVERSION, SPEND, ArmResult, Capped, Comparison, SegmentOutcome
from segkit.inference.arms import (
    Interval,
    Shares,
    Values,
    difference_of_means,
    difference_of_shares,
    relative,
    standard_error,
)
from segkit.inference.families import detectable, holm, sample_ratio
from segkit.operations.measuring.arms import Arms
from segkit.operations.measuring.outcomes import EVENTS, SPENT
from segkit.results import HELD_OUT

CAPPED_FROM, CAP = 101, 0.99
"""With so many buyers, what one of them has spent counts up to the value at this rank of them."""
FEW_BUYERS = 10
"""With fewer expected in the smaller arm, nothing is said of their money."""


class Arm(NamedTuple):
    """What the customers of an arm did: how many there are, how many bought, and what each buyer spent."""

    name: str
    size: int
    buyers: int
    spent: pl.Series | None

    @property
    def shares(self) -> Shares:
        """How many bought."""
        return Shares(self.buyers, self.size)

    def values(self, cap: Decimal | None = None) -> Values | None:
        """What each customer spent, up to `cap`; None where nobody knows."""
        if self.spent is None:
            return None
        spent = self.spent if cap is None else _up_to(self.spent, cap)
        total = Decimal(spent.sum() or 0)
        mean = float(total) / self.size
        distances = (spent.cast(pl.Float64) - mean) ** 2
        return Values(self.size, total, math.fsum([*distances.to_list(), (self.size - len(spent)) * mean**2]))


def _up_to(spent: pl.Series, cap: Decimal) -> pl.Series:
    return spent.to_frame(SPENT).select(pl.min_horizontal(SPENT, pl.lit(cap, spent.dtype))).to_series()


def arm_of(name: str, rows: pl.DataFrame | None) -> Arm:
    """The arm of these customers, of whom those who did nothing have neither `EVENTS` nor `SPENT`."""
    if rows is None:
        return Arm(name, 0, 0, None)
    buyers = rows.filter(pl.col(EVENTS) > 0)
    return Arm(name, len(rows), len(buyers), buyers[SPENT] if SPENT in rows.columns else None)


def outcome_of(arms: Arms, found: Mapping[str, Arm], elsewhere: int, level: float) -> SegmentOutcome:
    """The arms of a segment, each beside the first one; nothing is adjusted yet."""
    base, *others = arms.shares
    there = [name for name in others if found[name].size and found[base].size]
    return SegmentOutcome(
        name=arms.segment,
        arms=tuple(_result(found[name], arms) for name in arms.shares),
        comparisons=tuple(c for name in there for c in _compared(found[name], found[base], level)),
        ratio_p=sample_ratio({name: found[name].size for name in arms.shares}, arms.shares),
        written_elsewhere=elsewhere if base == HELD_OUT else 0,
    )


def _result(arm: Arm, arms: Arms) -> ArmResult:
    values = arm.values() if arm.size else None
    return ArmResult(
        name=arm.name,
        expected=float(arms.shares[arm.name]),
        customers=arm.size,
        buyers=arm.buyers,
        revenue=values.total if values else None,
    )


def _compared(one: Arm, other: Arm, level: float) -> Iterator[Comparison]:
    by_share = difference_of_shares(one.shares, other.shares, level)
    yield _comparison(one, other, CONVERSION, by_share, one.shares.values, other.shares.values, level)
    first, second = one.values(), other.values()
    if first and second:
        by_mean = difference_of_means(first, second, level)
        yield _comparison(one, other, SPEND, by_mean, first, second, level)


def _comparison(
    one: Arm, other: Arm, metric: str, found: Interval, first: Values, second: Values, level: float
) -> Comparison:
    lift = relative(first, second, level)
    error = standard_error(first, second)
    is_money = metric == SPEND
    in_all = [None if bound is None else bound * one.size for bound in (found.difference, found.low, found.high)]
    return Comparison(
        arm=one.name,
        against=other.name,
        metric=metric,
        difference=found.difference,
        low=found.low,
        high=found.high,
        relative=lift.lift if lift else None,
        relative_low=lift.low if lift else None,
        relative_high=lift.high if lift else None,
        p=found.p,
        p_adjusted=None,
        significant=False,
        detectable=detectable(error) if error else None,
        total=in_all[0],
        total_low=in_all[1],
        total_high=in_all[2],
        capped=_capped(one, other, level) if is_money else None,
    )


def _capped(one: Arm, other: Arm, level: float) -> Capped | None:
    if one.spent is None or other.spent is None:
        return None
    spent = pl.concat([one.spent, other.spent]).sort()
    if len(spent) < CAPPED_FROM:
        return None
    cap = spent[math.ceil(CAP * len(spent)) - 1]
    first, second = one.values(cap), other.values(cap)
    if cap >= spent[-1] or first is None or second is None:
        return None
    found = difference_of_means(first, second, level)
    return Capped(cap, found.difference, found.low, found.high)


def adjusted(segments: Sequence[SegmentOutcome], level: float) -> list[SegmentOutcome]:
    """The segments with what each comparison says once all of the same metric are counted."""
    by_metric: dict[str, list[Comparison]] = {}
    for segment in segments:
        for one in segment.comparisons:
            by_metric.setdefault(one.metric, []).append(one)
    told: dict[int, Comparison] = {}
    for family in by_metric.values():
        tested = [one for one in family if one.p is not None]
        for one, p in zip(tested, holm([one.p for one in tested if one.p is not None]), strict=True):
            told[id(one)] = one._replace(p_adjusted=p, significant=p < 1 - level)
    few = {(s.name, one.arm) for s in segments for one in s.comparisons if _too_few(s, one)}
    return [
        s._replace(
            comparisons=tuple(
                c._replace(significant=c.significant and not (c.metric == SPEND and (s.name, c.arm) in few))
                for c in (told.get(id(one), one) for one in s.comparisons)
            )
        )
        for s in segments
    ]


def _too_few(segment: SegmentOutcome, one: Comparison) -> bool:
    """Whether the smaller arm would have too few buyers if the arms did not differ."""
    arms = [arm for arm in segment.arms if arm.name in (one.arm, one.against)]
    share = sum(arm.buyers for arm in arms) / sum(arm.customers for arm in arms)
    return share * min(arm.customers for arm in arms) < FEW_BUYERS
