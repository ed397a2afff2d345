"""Measures that are made of others: a ratio of what was measured, computed in the row of the customer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import polars as pl

from segkit.columns.features.measures import Measure
from segkit.columns.features.steps import MeasureStep, RowStep, Step, hidden_measure, measured
from segkit.columns.money import nearest_ratio
from segkit.io.read.values.numbers import MONEY
from segkit.rules.findings import KeyPath
from segkit.rules.model.measures import MeasureName


def measure_steps(measure: Measure, path: KeyPath) -> Iterator[Step]:
    """The steps that compute a measure, and what it is made of."""
    compose = COMPOSED.get(measure.spec.measure)
    if compose is None or measure.exists:
        yield MeasureStep(measure, path)
        return
    composed = compose(measure)
    yield from (MeasureStep(part, path) for part in composed.parts)
    yield RowStep(
        name=measure.name,
        needs=frozenset(part.name for part in composed.parts),
        build=lambda _: composed.value,
        path=path,
        dtype=lambda _: pl.Float64(),
    )


class _Composed(NamedTuple):
    parts: tuple[Measure, ...]
    value: pl.Expr


def _gap_mean(measure: Measure) -> _Composed:
    """The days from the first to the last day with an event, divided among the gaps between such days."""
    first, last, days = (
        hidden_measure(measured(measure.spec, kind), period=measure.period)
        for kind in ("days_since_first", "days_since_last", "active_days")
    )
    gaps = pl.col(days.name) - 1
    between = pl.col(first.name) - pl.col(last.name)
    return _Composed((first, last, days), pl.when(gaps > 0).then(between / gaps))


def _share(measure: Measure) -> _Composed:
    """What satisfies `where`, in percent of all; missing where all of it is nothing, or less."""
    spec = measure.spec
    kind: MeasureName = "sum" if spec.of else "count"
    everything = measured(spec, kind, spec.of).model_copy(update={"where": {}})
    all_of_it = hidden_measure(everything, period=measure.period)
    some = hidden_measure(everything, period=measure.period, only=spec.where)
    part, whole = pl.col(some.name), pl.col(all_of_it.name)
    if kind == "count":
        share = 100 * part / whole
    else:
        units, of_all = part.cast(MONEY).to_physical(), whole.cast(MONEY).to_physical()
        # A hundred times as much may be more than 127 bits hold.
        exact = pl.when(units.abs() < 2**120).then(units * 100)
        rounded = 100 * (part.cast(pl.Float64) / whole.cast(pl.Float64))
        share = pl.when(exact.is_not_null()).then(nearest_ratio(exact, of_all)).otherwise(rounded)
    return _Composed((some, all_of_it), pl.when(whole > 0).then(share))


COMPOSED: dict[str, Callable[[Measure], _Composed]] = {"gap_mean": _gap_mean, "share": _share}
