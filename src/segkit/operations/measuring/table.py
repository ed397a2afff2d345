"""What came of a run as a table: a row for each comparison, with the figures of both arms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from segkit.experiments import ArmResult, EvaluateResult, rounded

_OF_COMPARISON = (
    "difference", "low", "high", "relative", "relative_low", "relative_high", "statistic", "p", "p_adjusted",
    "significant", "too_few", "detectable", "total", "total_low", "total_high", "after_cost", "after_cost_low",
    "after_cost_high",
)  # fmt: skip


def rows_of(result: EvaluateResult) -> pl.LazyFrame:
    """All comparisons; figures that are not exact are `rounded`."""
    texts = dict.fromkeys(["segment", "arm", "against", "metric"], pl.String)
    arms = {f"{name}{side}": pl.Int64 for side in ("", "_against") for name in ("customers", "buyers")}  # or who did it
    figures = {name: pl.Boolean if name in ("significant", "too_few") else pl.Float64 for name in _OF_COMPARISON}
    return pl.DataFrame(list(_rows(result)), schema={**texts, **arms, **figures}, orient="row").lazy()


def _rows(result: EvaluateResult) -> Iterator[list[Any]]:
    for segment in result.segments:
        arms = {arm.name: arm for arm in segment.arms}
        for one in segment.comparisons:
            both = [arms[name] for name in (one.arm, one.against)]
            left = one.after_cost or (None, None, None)
            found = [*(getattr(one, name) for name in _OF_COMPARISON if not name.startswith("after_cost")), *left]
            named = zip(_OF_COMPARISON, found, strict=True)
            figures = [rounded(name, value) if isinstance(value, float) else value for name, value in named]
            sizes = [number for arm in both for number in (arm.customers, _did(arm, one.metric))]
            yield [segment.name, one.arm, one.against, one.metric, *sizes, *figures]


def _did(arm: ArmResult, metric: str) -> int | None:
    found = arm.figure(metric)
    return found.customers if found else None
