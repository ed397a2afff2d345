"""What came of runs, and what a plan can tell, as JSON.

`evaluate`: `as_of`, `runs` (days), `from`, `until`, `customers`, `in_all` (`metric`, `total`, `low`,
`high`), `left_out` by reason, `guesses`, `level`, `metrics`
(`name`, `kind`),
`cost` (`per_contact`, `margin_percent`), `compared`, `segments` (`name`, `ratio_p`, `written_elsewhere`, `arms` with
`name`, `expected_share`, `customers`, `buyers`, `conversion`, `revenue`, `per_customer`, `metrics` with `metric`,
`customers`, `total`, `share`, `mean`, and `comparisons` with `arm`, `against`, `metric`, `difference`, `low`, `high`,
`relative`, `relative_low`, `relative_high`, `statistic`, `p`, `p_adjusted`, `significant`, `detectable`, `total`,
`total_low`, `total_high`, `capped`, `after_cost`, `too_few`, `variances`), `warnings`. With `--plan`: `as_of`, `from`,
`until`, `customers`, `level`, `metrics`, `segments` (`name`, `customers`, `metrics`, `arms`, `comparisons` with `arm`,
`against`, `metric`, `detectable`, `relative`, `too_few`), `warnings`.
"""

from __future__ import annotations

from typing import Any

from segkit.experiments import (
    CONVERSION,
    SPEND,
    ArmResult,
    Comparison,
    EvaluateResult,
    PlannedSegment,
    PlanResult,
    SegmentOutcome,
    rounded,
)
from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json, six_places
from segkit.results.terms import SCHEMA_VERSION


def evaluate_json(result: EvaluateResult) -> str:
    """What came of a run; figures that are not exact are rounded to six digits behind the point."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "as_of": result.as_of.isoformat(),
            "runs": [day.isoformat() for day in result.runs],
            "from": result.start and result.start.isoformat(),
            "until": result.until and result.until.isoformat(),
            "customers": result.customers,
            "in_all": [
                {"metric": one.metric, **{name: six_places(getattr(one, name)) for name in ("total", "low", "high")}}
                for one in result.in_all
            ],
            "left_out": dict(result.left_out),
            "guesses": dict(result.guesses),
            "level": six_places(100 * result.level),
            "metrics": [{"name": name, "kind": kind} for name, kind in result.metrics.items()],
            "cost": result.cost and result.cost._asdict(),
            "compared": result.compared,
            "segments": [_outcome(one) for one in result.segments],
            "warnings": diagnostics_json(result.warnings),
        }
    )


def plan_json(result: PlanResult) -> str:
    """How small a difference could be seen after a run."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "as_of": result.as_of.isoformat(),
            "from": result.start.isoformat(),
            "until": result.until.isoformat(),
            "customers": result.customers,
            "level": six_places(100 * result.level),
            "metrics": [{"name": name, "kind": kind} for name, kind in result.metrics.items()],
            "segments": [_planned(one) for one in result.segments],
            "warnings": diagnostics_json(result.warnings),
        }
    )


def _outcome(segment: SegmentOutcome) -> dict[str, Any]:
    return {
        "name": segment.name,
        "ratio_p": None if segment.ratio_p is None else rounded("ratio_p", segment.ratio_p),
        "written_elsewhere": segment.written_elsewhere,
        "arms": [
            {
                "name": arm.name,
                "expected_share": six_places(arm.expected),
                "customers": arm.customers,
                "buyers": arm.buyers,
                "conversion": six_places(arm.share(CONVERSION)),
                "revenue": arm.revenue,
                "per_customer": six_places(arm.mean(SPEND)),
                "metrics": _figures(arm),
            }
            for arm in segment.arms
        ],
        "comparisons": [_comparison(one) for one in segment.comparisons],
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    capped, left = one.capped, one.after_cost
    return {
        **{name: rounded(name, value) if isinstance(value, float) else value for name, value in one._asdict().items()},
        "after_cost": left and {name: six_places(money) for name, money in left._asdict().items()},
        "capped": capped
        and {
            "at": capped.at,
            "difference": six_places(capped.difference),
            "low": six_places(capped.low),
            "high": six_places(capped.high),
        },
    }


def _planned(segment: PlannedSegment) -> dict[str, Any]:
    everybody = ArmResult(name="", expected=None, customers=segment.customers, figures=segment.figures)
    return {
        "name": segment.name,
        "customers": segment.customers,
        "metrics": _figures(everybody),
        "arms": [{"name": name, "customers": customers} for name, customers in segment.arms.items()],
        "comparisons": [
            {**one._asdict(), "detectable": six_places(one.detectable), "relative": six_places(one.relative)}
            for one in segment.comparisons
        ],
    }


def _figures(arm: ArmResult) -> list[dict[str, Any]]:
    return [
        {**one._asdict(), "share": six_places(arm.share(one.metric)), "mean": six_places(arm.mean(one.metric))}
        for one in arm.figures
    ]
