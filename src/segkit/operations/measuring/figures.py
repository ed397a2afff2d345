"""The figures of arms, and how they differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from segkit.experiments import ArmFigure, ArmResult, Capped, Comparison, InAll, SegmentOutcome
from segkit.inference.arms import (
    Interval,
    Shares,
    Values,
    difference_of_means,
    difference_of_shares,
    relative,
    standard_error,
    together,
)
from segkit.inference.families import detectable, holm, sample_ratio
from segkit.io.read.values.numbers import MONEY
from segkit.operations.measuring.arms import NOT_WRITTEN, Arms
from segkit.operations.measuring.metrics import Measure
from segkit.results.terms import HELD_OUT

CAPPED_FROM, CAP = 101, 0.99
"""With so many buyers, what one of them has spent counts up to the value at this rank of them."""
FEW_BUYERS = 10
"""With fewer expected in the smaller arm, nothing is said of their money."""


class Did(NamedTuple):
    """What the customers of an arm did by a metric: how many did it, and for a mean, the value of each of these."""

    ones: int
    values: pl.Series | None


class Arm(NamedTuple):
    """What the customers of an arm did: how many there are, and what they did, by metric."""

    name: str
    size: int
    did: Mapping[str, Did]

    def shares(self, metric: str) -> Shares:
        """How many did it."""
        return Shares(self.did[metric].ones, self.size)

    def values(self, metric: str, cap: Decimal | None = None) -> Values | None:
        """The values of all customers, up to `cap`; None where the metric has none."""
        values = self.did[metric].values
        if values is None:
            return None
        values = values if cap is None else _up_to(values, cap)
        total = Decimal(values.sum() or 0)
        mean = float(total) / self.size
        distances = (values.cast(pl.Float64) - mean) ** 2
        return Values(self.size, total, math.fsum([*distances.to_list(), (self.size - len(values)) * mean**2]))


def _up_to(values: pl.Series, cap: Decimal) -> pl.Series:
    return values.to_frame("value").select(pl.min_horizontal("value", pl.lit(cap, values.dtype))).to_series()


def arm_of(name: str, rows: pl.DataFrame | None, measures: Sequence[Measure]) -> Arm:
    """The arm of these customers, of whom those who did nothing have missing values."""
    if rows is None:
        return Arm(name, 0, {one.name: Did(0, None) for one in measures})
    return Arm(name, len(rows), {one.name: _did(rows, one) for one in measures})


def _did(rows: pl.DataFrame, measure: Measure) -> Did:
    did = rows.filter(pl.col(measure.did) > 0)
    return Did(len(did), did[measure.value].cast(MONEY) if measure.value else None)


def outcome_of(arms: Arms, found: Mapping[str, Arm], elsewhere: int, level: float, fewest: int = 1) -> SegmentOutcome:
    """The arms of a segment, each beside the first one; nothing is adjusted yet.

    An arm of fewer than `fewest` customers has no figures, and is not compared.
    """
    base, *others = arms.shares
    there = [name for name in others if min(found[name].size, found[base].size) >= fewest]
    return SegmentOutcome(
        name=arms.segment,
        arms=tuple(_result(found[name], arms, fewest) for name in arms.shares),
        comparisons=tuple(c for name in there for c in _compared(found[name], found[base], level)),
        ratio_p=sample_ratio({name: found[name].size for name in arms.shares}, arms.shares),
        written_elsewhere=elsewhere if base == HELD_OUT else 0,
    )


def _result(arm: Arm, arms: Arms, fewest: int) -> ArmResult:
    figures = tuple(figures_of(arm, fewest))
    return ArmResult(name=arm.name, expected=float(arms.shares[arm.name]), customers=arm.size, figures=figures)


def figures_of(arm: Arm, fewest: int) -> Iterator[ArmFigure]:
    """What the arm did, by metric; nothing of fewer than `fewest` customers: that would be what each of them did."""
    for metric, did in arm.did.items() if arm.size == 0 or arm.size >= fewest else ():
        values = arm.values(metric) if arm.size else None
        yield ArmFigure(metric, did.ones, values.total if values else None)


def _compared(one: Arm, other: Arm, level: float) -> Iterator[Comparison]:
    for metric in one.did:
        first, second = one.values(metric), other.values(metric)
        if first and second:
            yield _of_means(one, other, metric, first, second, level)
        else:
            shares = one.shares(metric), other.shares(metric)
            found = difference_of_shares(*shares, level)
            yield _comparison(one, other, metric, found, shares[0].values, shares[1].values, level)


def _of_means(one: Arm, other: Arm, metric: str, first: Values, second: Values, level: float) -> Comparison:
    found = _comparison(one, other, metric, difference_of_means(first, second, level), first, second, level)
    return found._replace(capped=_capped(one, other, metric, level), variances=_variances(first, second))


def _variances(one: Values, other: Values) -> float | None:
    """How often the variance of an arm has that of the other one; None where there is none."""
    if min(one.size, other.size) < 2 or not other.squares:
        return None
    return one.squares / (one.size - 1) / (other.squares / (other.size - 1))


def _comparison(
    one: Arm, other: Arm, metric: str, found: Interval, first: Values, second: Values, level: float
) -> Comparison:
    lift = relative(first, second, level)
    error = standard_error(first, second)
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
        statistic=found.statistic,
        p=found.p,
        p_adjusted=None,
        significant=False,
        detectable=detectable(error) if error else None,
        total=in_all[0],
        total_low=in_all[1],
        total_high=in_all[2],
        capped=None,
        after_cost=None,
        too_few=False,
        variances=None,
    )


def _capped(one: Arm, other: Arm, metric: str, level: float) -> Capped | None:
    both = [did for did in (one.did[metric].values, other.did[metric].values) if did is not None]
    values = pl.concat(both).sort()
    if len(values) < CAPPED_FROM:
        return None
    cap = values[math.ceil(CAP * len(values)) - 1]
    first, second = one.values(metric, cap), other.values(metric, cap)
    if cap >= values[-1] or first is None or second is None:
        return None
    found = difference_of_means(first, second, level)
    return Capped(cap, found.difference, found.low, found.high)


def in_all(arms: Sequence[Arms], found: Mapping[str, Mapping[str, Arm]], level: float, fewest: int) -> Iterator[InAll]:
    """What those written of all segments have brought in beyond those held out, by metric, if each is in one segment.

    The error of the sum is the root of the sum of the squares of their errors. Arms of fewer than `fewest` customers
    are not among them.
    """
    parts: dict[str, list[tuple[float, float]]] = {}
    for one in arms:
        base, *others = (found[one.segment][name] for name in one.shares)
        there = [arm for arm in others if arm.size >= fewest]
        if base.name not in NOT_WRITTEN or not there or base.size < fewest:
            continue
        for metric in base.did:
            held, written = base.values(metric), [arm.values(metric) for arm in there]
            known = [values for values in written if values]
            if held and len(known) == len(written):
                all_ = together(known)
                by_mean = difference_of_means(all_, held, level)
                if by_mean.high is not None:
                    error = by_mean.high - by_mean.difference
                    parts.setdefault(metric, []).append((all_.size * by_mean.difference, all_.size * error))
    for metric, some in parts.items():
        if len(some) > 1:
            total = math.fsum(difference for difference, _ in some)
            error = math.hypot(*(error for _, error in some))
            yield InAll(metric, total, total - error, total + error)


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
    return [s._replace(comparisons=tuple(_told(s, told.get(id(one), one)) for one in s.comparisons)) for s in segments]


def _told(segment: SegmentOutcome, one: Comparison) -> Comparison:
    """The comparison, of which nothing is said where it is of means, and too few have done something."""
    few = _too_few(segment, one)
    return one._replace(too_few=few, significant=one.significant and not few)


def _too_few(segment: SegmentOutcome, one: Comparison) -> bool:
    """Whether, of a mean, the smaller arm would have too few who did something if the arms did not differ."""
    arms = [arm for arm in segment.arms if arm.name in (one.arm, one.against)]
    figures = [figure for arm in arms if (figure := arm.figure(one.metric)) is not None]
    if all(figure.total is None for figure in figures):
        return False
    share = sum(figure.customers for figure in figures) / sum(arm.customers for arm in arms)
    return share * min(arm.customers for arm in arms) < FEW_BUYERS
