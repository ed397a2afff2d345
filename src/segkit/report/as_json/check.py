"""What `check` found as JSON.

`check`: `path`, `errors`, `warnings` (both counts), `segments`, `columns`, `diagnostics`, which also have `code`,
`name`, `segment`, `at` (where in the rules) and `conflict` (which criteria exclude each other); with the data, `mavr`
(`segment`, `known`, `reach`, `reached`, `needed`, `a_head`, `index`, `m`, `a`, `v`, `p`) and `overlaps` (`a`, `b`,
`customers`); with `--relations`, `relations` (`relation`: `within`, `apart` or `equal`, `segment`, `other`); with
`--against`, `changes` (`segment`, `change`: `added`, `removed`, `same`, `wider`, `narrower`, `apart`, `other` or
`unknown`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from segkit.codes import CODES, code_of
from segkit.diagnostics import Diagnostic, Severity, without_notes
from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json, percent
from segkit.results.check import CheckResult, Mavr
from segkit.results.parts import Overlap
from segkit.results.terms import SCHEMA_VERSION


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
                "known": percent(one.known),
                "reach": percent(one.reach),
                "reached": one.reached,
                "needed": one.needed,
                "a_head": one.a_head,
                "index": percent(one.compared),
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
