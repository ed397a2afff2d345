"""What more than one command tells as JSON: warnings, tables, thresholds, and how numbers are rounded.

A threshold is `column`, `values`, `inclusive`, `keys`, `falls` (low values are the upper side), `within` (the scores,
or values of columns, of those who are cut so; empty for all), `groups` (how many groups such values make, though the
largest alone are shown; 0 without them), `mean` (the value is the mean of the group). A warning or diagnostic is
`severity`, `message`, `path`, `line`, `column`, `hint`. Exact decimals are numbers written with all digits: 19.99,
never 19.989999.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from segkit.diagnostics import Diagnostic
from segkit.results.parts import TableCounts, Threshold


def six_places(value: float | None) -> float | None:
    """A figure to six decimal places; none where there is none."""
    return None if value is None else round(value, 6)


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


def thresholds_json(thresholds: Iterable[Threshold]) -> list[dict[str, Any]]:
    """Thresholds, as each command that has some tells them."""
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


def percent(share: float | None) -> float | None:
    """A share in percent to four decimal places; none where there is none."""
    return None if share is None else round(share, 4)
