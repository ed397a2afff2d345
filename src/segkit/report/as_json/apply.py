"""A run as JSON.

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
"""

from __future__ import annotations

from typing import Any

from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json, percent, tables_json, thresholds_json
from segkit.results.apply import ApplyResult, ControlGroup, Profile, SegmentResult
from segkit.results.parts import Distribution, FittedModel
from segkit.results.terms import MEMBERS, REASONS, SCHEMA_VERSION


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
        "thresholds": thresholds_json(result.thresholds),
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
        "share": percent(segment.share),
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
        "share": percent(profile.share),
    }


def _distribution(distribution: Distribution) -> dict[str, Any]:
    counts = [{"value": c.value, "customers": c.customers, "share": percent(c.share)} for c in distribution.values]
    return {"column": distribution.column, "values": counts}


def _model(model: FittedModel) -> dict[str, Any]:
    """A fitted model, with six digits: a fit is exact to as many, so they are the same on every machine."""
    return {
        "name": model.name,
        "parameters": {name: float(f"{value:.6g}") for name, value in model.parameters.items()},
        "log_likelihood": round(model.log_likelihood, 2),
        "customers": model.customers,
        "repeaters": model.repeaters,
    }
