"""Tests of a rule file as JSON.

`test`: `path`, `defined`, `passed`, `failed` (counts), `tests` (`name`, `path`, `line`, `as_of`, `passed`,
`differences` with `key`, `expected`, `found`; `segments` that are not as expected; `undecided`, `undecided_written`,
`left_out`), `elapsed_seconds`.
"""

from __future__ import annotations

from typing import Any

from segkit.io.write.json_text import json_text
from segkit.report.as_json.explain import explained_segment
from segkit.results.terms import SCHEMA_VERSION
from segkit.results.test import Verdict, Verdicts


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
        "segments": [explained_segment(one) for one in verdict.wrong],
        "undecided": list(verdict.undecided),
        "undecided_written": list(verdict.undecided_written),
        "left_out": verdict.left_out,
    }
