"""Results as JSON: one object each, with `schema_version` first; fields are added, never renamed.

`apply`: `as_of`, `customers`, `segments`, `unmatched` (customers who match no segment), `unlisted` (who are written in
no list), `several` (in more than one), `control` (the control group, where there is one: `percent`, `salt`,
`customers`, `path`), `overlaps` (`first`, `second`, `customers`), `tables` (`name`, `rows`, `left_out` by reason,
`detected`, `paths`),
`distributions` (the stages of `[lifecycle]` and the grades of each score: `column`, `values` with `value`, null
where there is none, `customers`, `share`), `thresholds`, `models` (`name`, `parameters`,
`log_likelihood`, `customers`, `repeaters`), `warnings`, `notes`, `elapsed_seconds`, `directory`, `dry_run`,
`to` (`address`, `table`, `holdout`, `load`) where the lists go to a table, whose `path` in `outputs` is their `list`
there, and `cutoffs` (the files of cutoffs) where some were saved, and `report` (the file) where one was written.
A segment has `name`, `label`, `matched`, `excluded` (all seven reasons, zeros too), `written`, `share` (percent of all
customers), `path` (of its file; null where it has none or several), `outputs` (every file: `path`, `written`, `values`,
`holds`; with an audience, `rows`), `control` (how many of those held out are in the control group), `holdout_path` (of
the list of those held out; null where there is none), `variants` (how many of the written get each), `write`, `profile`
by column (`mean`, `median`, `total`, `share`), and `change` since the last run (`entered`, `left`; null without one);
with an audience, `without_identifier` (how many of the written are in no file).

`rfm`: `as_of`, `customers`, `events`, `bins`, `method`, `ties`, `map`, `thresholds`, `segments` (`name`,
`customers`, `share`, `revenue`, `revenue_share`, `medians`), `grid` (`r`, `f`, `customers`), `guesses`,
`rows_are_orders`, `tables`, `warnings`, `notes`, `elapsed_seconds`, `path`, `cutoffs`, `chart` (files that were
written).

`cohorts`: `as_of`, `by`, `table`, `segment`, `customers`, `events`, `without_events`, `open_period`, `cohorts`
(`cohort`, `customers`, `cells` with `period`, `customers`, `percent`, `revenue`, `open`), `guesses`, `rows_are_orders`,
`tables`, `warnings`, `notes`, `elapsed_seconds`, `path`.

`check`: `path`, `errors`, `warnings` (both counts), `segments`, `columns`, `diagnostics`, which also have `code`,
`name`, `segment`, `at` (where in the rules) and `conflict` (which criteria exclude each other); with the data, `mavr`
(`segment`, `known`, `reach`, `reached`, `needed`, `a_head`, `index`, `m`, `a`, `v`, `p`) and `overlaps` (`a`, `b`,
`customers`); with `--relations`, `relations` (`relation`: `within`, `apart` or `equal`, `segment`, `other`); with
`--against`, `changes` (`segment`, `change`: `added`, `removed`, `same`, `wider`, `narrower`, `apart`, `other` or
`unknown`).

`init`: `path`, `template`, `files`, `tables` (`name`, `rows`), `guesses` (`table`, `role`, `value`, `why`), `segments`,
`left_out` (`name`, `why`), `audits` (`path`, `findings`), `warnings`, `notes`.

`columns`: `path`, `as_of`, `tables` (`table`, `paths`, `rows`, `columns`), `notes`. A column has `column`, `type`,
`from`, `section`, `used_by`, and where all rows were read `personal`, `filled`, `fill` (percent), `unreadable`,
`distinct`, `min`, `max`, `frequent` (`value`, `rows`, `share`) and `shape`; null where there is nothing to say.

`test`: `path`, `defined`, `passed`, `failed` (counts), `tests` (`name`, `path`, `line`, `as_of`, `passed`,
`differences` with `key`, `expected`, `found`; `segments` that are not as expected; `undecided`, `undecided_written`,
`left_out`), `elapsed_seconds`.

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

`history`: `path`, `runs` (days), `rules_changed` (days with another rule file than in the run before), `segments`
(`name`, `first`, `last`, `stayed_percent`, `buyers`, `conversion`, `per_customer`, and `lines` with `as_of`,
`customers`, `entered`, `left`, `stayed_percent`, `buyers`, `conversion`, `revenue`, `per_customer`).

With `--moves`: `path`, `as_of`, `since`, `customers`, `came`, `gone`, `columns`, `moves` (`column`, `from`, `to`,
`customers`; null
is no value, and a number of customers that is not told).

`report`: `path`, `bytes`, `as_of`, `sections`, `left_out` (`section`, `why`).

`diff`: `old` and `new` (`path`, `as_of`, `customers`), `differs`, `segments` (`name`, `old` and `new`: how many are in
it, null where the run has no such segment; `entered`, `left`, `stayed`), `moves` (`from`, `to`, `customers`; a null
segment is none; null unless both runs are exclusive).

A threshold is `column`, `values`, `inclusive`, `keys`, `falls` (low values are the upper side), `within` (the scores,
or values of columns, of those who are cut so; empty for all), `groups` (how many groups such values make, though the
largest alone are shown; 0 without them), `mean` (the value is the mean of the group). A warning or diagnostic is
`severity`, `message`, `path`, `line`, `column`, `hint`. Exact decimals are numbers written with all digits: 19.99,
never 19.989999.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from segkit.codes import CODES, code_of
from segkit.diagnostics import Diagnostic, Severity, without_notes
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
from segkit.histories import HistoryResult, MovesResult, SegmentHistory
from segkit.io.write.json_text import json_text
from segkit.report.numbers import share
from segkit.reports import ReportWritten
from segkit.results import (
    MEMBERS,
    REASONS,
    SCHEMA_VERSION,
    ApplyResult,
    CheckResult,
    Cohort,
    CohortsResult,
    ColumnsResult,
    ColumnValues,
    ControlGroup,
    Criterion,
    DiffResult,
    Distribution,
    Explained,
    ExplainedCustomer,
    ExplainResult,
    FittedModel,
    Funnel,
    InitResult,
    KnownColumn,
    Mavr,
    NearMisses,
    Overlap,
    Profile,
    RfmResult,
    RunInfo,
    SegmentResult,
    TableCounts,
    Threshold,
    Verdict,
    Verdicts,
)


def apply_json(result: ApplyResult) -> str:
    """What a run of a rule file did."""
    return json_text(apply_data(result))


def apply_data(result: ApplyResult) -> dict[str, Any]:
    """What a run of a rule file did, as plain data."""
    return {
        "schema_version": SCHEMA_VERSION,
        "as_of": result.as_of.isoformat(),
        "customers": result.customers,
        "segments": [_segment(s, in_table=result.table is not None) for s in result.segments],
        **({"control": _control(result.control)} if result.control else {}),
        "unmatched": result.unmatched,
        "unlisted": result.unlisted,
        "several": result.several,
        "overlaps": [{"first": o.first, "second": o.second, "customers": o.customers} for o in result.overlaps],
        "tables": tables_json(result.tables),
        "distributions": [_distribution(d) for d in result.distributions],
        "thresholds": _thresholds(result.thresholds),
        "models": [_model(m) for m in result.models],
        "warnings": diagnostics_json(result.warnings),
        "notes": diagnostics_json(result.notes),
        "elapsed_seconds": round(result.elapsed_seconds, 3),
        "directory": result.directory,
        "dry_run": result.dry_run,
        **({"to": result.table._asdict()} if result.table else {}),
        **({"cutoffs": list(result.cutoffs)} if result.cutoffs else {}),
        **({"report": result.report} if result.report else {}),
    }


def _control(group: ControlGroup) -> dict[str, Any]:
    return {**group._asdict(), "percent": float(group.percent)}


def rfm_json(result: RfmResult) -> str:
    """An RFM analysis."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "as_of": result.as_of.isoformat(),
            "customers": result.customers,
            "events": result.events,
            "bins": result.bins,
            "method": result.method,
            "ties": result.ties,
            "map": result.map,
            "thresholds": _thresholds(result.thresholds),
            "segments": [
                {
                    "name": s.name,
                    "customers": s.customers,
                    "share": _percent(s.share),
                    "revenue": s.revenue,
                    "revenue_share": _percent(s.revenue_share),
                    "medians": {"recency_days": s.recency_days, "frequency": s.frequency, "monetary": s.monetary},
                }
                for s in result.segments
            ],
            "grid": [{"r": r, "f": f, "customers": n} for (r, f), n in sorted(result.grid.items())],
            "guesses": dict(result.guesses),
            "rows_are_orders": result.rows_are_orders,
            "tables": tables_json(result.tables),
            "warnings": diagnostics_json(result.warnings),
            "notes": diagnostics_json(result.notes),
            "elapsed_seconds": round(result.elapsed_seconds, 3),
            "path": result.path,
            "cutoffs": result.cutoffs,
            "chart": result.chart,
        }
    )


def explain_json(result: ExplainResult) -> str:
    """What became of customers, criterion by criterion, and the funnels of segments."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "as_of": result.as_of.isoformat(),
            "run": result.run,
            "customers": [_explained(customer) for customer in result.customers],
            "funnels": [_funnel(funnel) for funnel in result.funnels],
            "near_misses": [_near(one) for one in result.near],
            "unknown": list(result.unknown),
            "warnings": diagnostics_json(result.warnings),
            "notes": diagnostics_json(result.notes),
        }
    )


def test_json(result: Verdicts) -> str:
    """What the tests of a rule file found."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "path": result.path,
            "defined": result.defined,
            "passed": len(result.verdicts) - result.failed,
            "failed": result.failed,
            "tests": [_verdict(verdict) for verdict in result.verdicts],
            "elapsed_seconds": round(result.elapsed_seconds, 3),
        }
    )


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.name,
        "path": verdict.location.path,
        "line": verdict.location.line,
        "as_of": verdict.as_of.isoformat(),
        "passed": verdict.passed,
        "differences": [
            {"key": d.key, "expected": list(d.expected), "found": list(d.found)} for d in verdict.differences
        ],
        "segments": [_explained_segment(one) for one in verdict.wrong],
        "undecided": list(verdict.undecided),
        "undecided_written": list(verdict.undecided_written),
        "left_out": verdict.left_out,
    }


def _explained(customer: ExplainedCustomer) -> dict[str, Any]:
    return {"key": customer.key, "segments": [_explained_segment(one) for one in customer.segments]}


def _explained_segment(one: Explained) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": one.label,
        "matched": one.matched,
        "outcome": one.outcome,
        "claimed_by": one.claimed_by,
        "variant": one.variant,
        "list": one.file,
        "criteria": _criterion(one.criteria),
    }


def _criterion(criterion: Criterion) -> dict[str, Any]:
    return criterion._asdict() | {
        "parts": [_criterion(part) for part in criterion.parts],
        "scores": [score._asdict() | {"rules": [rule._asdict() for rule in score.rules]} for score in criterion.scores],
    }


def _near(near: NearMisses) -> dict[str, Any]:
    conditions = [
        {**one._asdict(), "nearest": [customer._asdict() for customer in one.nearest]} for one in near.conditions
    ]
    return {
        "segment": near.name,
        "label": near.label,
        "members": near.members,
        "distances": [one._asdict() for one in near.distances],
        "exact": near.exact,
        "conditions": conditions,
    }


def _funnel(funnel: Funnel) -> dict[str, Any]:
    gates = [{"reason": reason, "stopped": stopped, "left": left} for reason, stopped, left in funnel.gates]
    return funnel._asdict() | {"steps": [step._asdict() for step in funnel.steps], "gates": gates}


def cohorts_json(result: CohortsResult) -> str:
    """An analysis of cohorts: all figures, whichever is shown."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "as_of": result.as_of.isoformat(),
            "by": result.by,
            "table": result.table,
            "segment": result.segment,
            "customers": result.customers,
            "events": result.events,
            "without_events": result.without_events,
            "open_period": result.open_period,
            "cohorts": [_cohort(cohort) for cohort in result.cohorts],
            "guesses": dict(result.guesses),
            "rows_are_orders": result.rows_are_orders,
            "tables": tables_json(result.tables),
            "warnings": diagnostics_json(result.warnings),
            "notes": diagnostics_json(result.notes),
            "elapsed_seconds": round(result.elapsed_seconds, 3),
            "path": result.path,
        }
    )


def _cohort(cohort: Cohort) -> dict[str, Any]:
    cells = [cell._asdict() | {"percent": _percent(cell.percent)} for cell in cohort.cells]
    return {"cohort": cohort.name, "customers": cohort.customers, "cells": cells}


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
                {"metric": one.metric, **{name: _rounded(getattr(one, name)) for name in ("total", "low", "high")}}
                for one in result.in_all
            ],
            "left_out": dict(result.left_out),
            "guesses": dict(result.guesses),
            "level": _rounded(100 * result.level),
            "metrics": [{"name": name, "kind": kind} for name, kind in result.metrics.items()],
            "cost": result.cost and result.cost._asdict(),
            "compared": result.compared,
            "segments": [_outcome(one) for one in result.segments],
            "warnings": diagnostics_json(result.warnings),
        }
    )


def history_json(result: HistoryResult) -> str:
    """The segments over time; figures that are not exact are rounded to six digits behind the point."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "path": result.path,
            "runs": result.days,
            "rules_changed": result.rules_changed,
            "segments": [_history(segment) for segment in result.segments],
        }
    )


def moves_json(result: MovesResult) -> str:
    """The moves between values of tracked columns."""
    moves = [
        {"column": move.column, "from": move.old, "to": move.new, "customers": move.customers} for move in result.moves
    ]
    told = {name: getattr(result, name) for name in ("path", "as_of", "since", "customers", "came", "gone", "columns")}
    return json_text({"schema_version": SCHEMA_VERSION, **told, "moves": moves})


def report_json(result: ReportWritten) -> str:
    """The page that was written, and what is not in it."""
    left_out = [{"section": section, "why": why} for section, why in result.left_out.items()]
    return json_text({"schema_version": SCHEMA_VERSION, **result._asdict(), "left_out": left_out})


def _history(segment: SegmentHistory) -> dict[str, Any]:
    return {
        "name": segment.name,
        "first": segment.first,
        "last": segment.last,
        "stayed_percent": _rounded(segment.stayed_percent),
        "buyers": segment.buyers,
        "conversion": _rounded(segment.conversion),
        "per_customer": _rounded(segment.per_customer),
        "lines": [
            {name: value for name, value in line._asdict().items() if name != "segment"} for line in segment.lines
        ],
    }


def _outcome(segment: SegmentOutcome) -> dict[str, Any]:
    return {
        "name": segment.name,
        "ratio_p": None if segment.ratio_p is None else rounded("ratio_p", segment.ratio_p),
        "written_elsewhere": segment.written_elsewhere,
        "arms": [
            {
                "name": arm.name,
                "expected_share": _rounded(arm.expected),
                "customers": arm.customers,
                "buyers": arm.buyers,
                "conversion": _rounded(arm.share(CONVERSION)),
                "revenue": arm.revenue,
                "per_customer": _rounded(arm.mean(SPEND)),
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
        "after_cost": left and {name: _rounded(money) for name, money in left._asdict().items()},
        "capped": capped
        and {
            "at": capped.at,
            "difference": _rounded(capped.difference),
            "low": _rounded(capped.low),
            "high": _rounded(capped.high),
        },
    }


def plan_json(result: PlanResult) -> str:
    """How small a difference could be seen after a run."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "as_of": result.as_of.isoformat(),
            "from": result.start.isoformat(),
            "until": result.until.isoformat(),
            "customers": result.customers,
            "level": _rounded(100 * result.level),
            "metrics": [{"name": name, "kind": kind} for name, kind in result.metrics.items()],
            "segments": [_planned(one) for one in result.segments],
            "warnings": diagnostics_json(result.warnings),
        }
    )


def _planned(segment: PlannedSegment) -> dict[str, Any]:
    everybody = ArmResult(name="", expected=None, customers=segment.customers, figures=segment.figures)
    return {
        "name": segment.name,
        "customers": segment.customers,
        "metrics": _figures(everybody),
        "arms": [{"name": name, "customers": customers} for name, customers in segment.arms.items()],
        "comparisons": [
            {**one._asdict(), "detectable": _rounded(one.detectable), "relative": _rounded(one.relative)}
            for one in segment.comparisons
        ],
    }


def _figures(arm: ArmResult) -> list[dict[str, Any]]:
    return [
        {**one._asdict(), "share": _rounded(arm.share(one.metric)), "mean": _rounded(arm.mean(one.metric))}
        for one in arm.figures
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def diff_json(result: DiffResult) -> str:
    """What changed between two runs."""
    moves = None
    if result.moves is not None:
        moves = [{"from": m.old, "to": m.new, "customers": m.customers} for m in result.moves]
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "old": _run(result.old),
            "new": _run(result.new),
            "differs": result.differs,
            "segments": [
                {
                    "name": s.name,
                    "old": s.old,
                    "new": s.new,
                    "entered": s.entered,
                    "left": s.left,
                    "stayed": s.stayed,
                }
                for s in result.segments
            ],
            "moves": moves,
        }
    )


def _run(run: RunInfo) -> dict[str, Any]:
    return {"path": run.path, "as_of": run.as_of, "customers": run.customers}


def check_json(result: CheckResult) -> str:
    """Everything found in a rule file."""
    errors = sum(d.severity is Severity.ERROR for d in result.diagnostics)
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "path": result.path,
            "as_of": result.as_of and result.as_of.isoformat(),
            "errors": errors,
            "warnings": len(without_notes(result.diagnostics)) - errors,
            "segments": result.segments,
            "columns": result.columns,
            "diagnostics": [_coded(d) for d in result.diagnostics],
            **({} if result.mavr is None else _of_segments(result.mavr, result.overlaps)),
            **({} if result.relations is None else {"relations": [one._asdict() for one in result.relations]}),
            **({} if result.changes is None else {"changes": [one._asdict() for one in result.changes]}),
        }
    )


def _of_segments(answers: Iterable[Mavr], overlaps: Iterable[Overlap]) -> dict[str, Any]:
    """What the data show of the segments."""
    return {
        "mavr": [
            {
                "segment": one.segment,
                "known": _percent(one.known),
                "reach": _percent(one.reach),
                "reached": one.reached,
                "needed": one.needed,
                "a_head": one.a_head,
                "index": _percent(one.compared),
                "m": one.m,
                "a": one.a,
                "v": one.v,
                "p": one.p,
            }
            for one in answers
        ],
        "overlaps": [{"a": pair.first, "b": pair.second, "customers": pair.customers} for pair in overlaps],
    }


def _coded(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic with its code, and where it is in the rules."""
    code = code_of(diagnostic)
    [told] = diagnostics_json([diagnostic])
    return {
        "code": code,
        "name": CODES[code].name,
        "severity": told.pop("severity"),
        "segment": diagnostic.segment,
        "at": diagnostic.at,
        "conflict": list(diagnostic.conflict),
        **told,
    }


def _segment(segment: SegmentResult, *, in_table: bool) -> dict[str, Any]:
    for_platform = segment.without_identifier is not None
    outputs = [
        {
            "path": o.path,
            "written": o.written,
            "values": dict(o.values),
            "holds": o.holds,
            **({"rows": o.rows} if for_platform else {}),
        }
        for o in segment.outputs
    ]
    whole = [o.path for o in segment.outputs if not o.values and o.holds == MEMBERS]
    path = whole[0] if len(whole) == 1 else None
    return {
        "name": segment.name,
        "label": segment.label,
        "matched": segment.matched,
        "excluded": {reason: segment.excluded.get(reason, 0) for reason in REASONS},
        "written": segment.written,
        "share": _percent(segment.share),
        "path": None if in_table else path,
        "outputs": outputs,
        "control": segment.control,
        "holdout_path": segment.holdout and segment.holdout.path,
        "variants": dict(segment.variants),
        "write": segment.write,
        "profile": {column: _profile(p) for column, p in segment.profile.items()},
        "change": segment.change and {"entered": segment.change.entered, "left": segment.change.left},
        **({"without_identifier": segment.without_identifier} if for_platform else {}),
    }


def _profile(profile: Profile) -> dict[str, Any]:
    return {
        "mean": profile.mean,
        "median": profile.median,
        "total": profile.total,
        "share": _percent(profile.share),
    }


def _distribution(distribution: Distribution) -> dict[str, Any]:
    counts = [{"value": c.value, "customers": c.customers, "share": _percent(c.share)} for c in distribution.values]
    return {"column": distribution.column, "values": counts}


def tables_json(tables: Iterable[TableCounts]) -> list[dict[str, Any]]:
    """The tables that were read, as each command tells them."""
    return [
        {
            "name": t.name,
            "rows": t.rows,
            "left_out": dict(t.left_out),
            "detected": dict(t.detected),
            "paths": list(t.paths),
        }
        for t in tables
    ]


def _thresholds(thresholds: Iterable[Threshold]) -> list[dict[str, Any]]:
    return [
        {
            "column": t.column,
            "id": t.id,
            "values": list(t.values),
            "inclusive": t.inclusive,
            "keys": list(t.keys),
            "falls": t.falls,
            "within": dict(t.within),
            "groups": t.groups,
            "customers": t.customers,
            "mean": t.mean,
        }
        for t in thresholds
    ]


def _model(model: FittedModel) -> dict[str, Any]:
    """A fitted model, with six digits: a fit is exact to as many, so they are the same on every machine."""
    return {
        "name": model.name,
        "parameters": {name: float(f"{value:.6g}") for name, value in model.parameters.items()},
        "log_likelihood": round(model.log_likelihood, 2),
        "customers": model.customers,
        "repeaters": model.repeaters,
    }


def diagnostics_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Warnings and notes, as each command tells them."""
    return [
        {
            "severity": str(d.severity),
            "message": d.message,
            "path": d.location.path if d.location else None,
            "line": d.location.line if d.location else None,
            "column": d.location.column if d.location else None,
            "hint": d.hint,
        }
        for d in diagnostics
    ]


def init_json(result: InitResult) -> str:
    """The rule file that was written, and what was guessed for it."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "path": result.path,
            "template": result.template,
            "files": list(result.files),
            "tables": [{"name": name, "rows": rows} for name, rows in result.tables.items()],
            "guesses": [one._asdict() for one in result.guesses],
            "segments": list(result.segments),
            "left_out": [{"name": name, "why": why} for name, why in result.left_out.items()],
            "audits": [{"path": path, "findings": number} for path, number in result.audits.items()],
            "warnings": diagnostics_json(result.warnings),
            "notes": diagnostics_json(result.notes),
        }
    )


def columns_json(result: ColumnsResult) -> str:
    """What conditions can be written on."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "path": result.path,
            "as_of": result.as_of.isoformat(),
            "tables": [
                {
                    "table": table.name,
                    "paths": list(table.paths),
                    "rows": table.rows,
                    "columns": [_column(column, table.rows) for column in table.columns],
                }
                for table in result.tables
            ],
            "notes": diagnostics_json(result.notes),
        }
    )


def _column(column: KnownColumn, rows: int | None) -> dict[str, Any]:
    known = {
        "column": column.name,
        "type": column.type,
        "from": column.origin,
        "section": column.section,
        "used_by": list(column.used_by),
    }
    return known | (_values(column.values, rows) if column.values and rows is not None else {})


def _values(values: ColumnValues, rows: int) -> dict[str, Any]:
    lowest, highest = (v.isoformat() if isinstance(v, dt.date) else v for v in (values.lowest, values.highest))
    return {
        "personal": values.personal,
        "filled": values.filled,
        "fill": _percent(share(values.filled, rows)),
        "unreadable": values.unreadable,
        "distinct": values.distinct,
        "min": lowest,
        "max": highest,
        "frequent": [
            {"value": one.value, "rows": one.rows, "share": _percent(share(one.rows, rows))} for one in values.frequent
        ],
        "shape": values.shape,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
