"""Cohorts as JSON.

`cohorts`: `as_of`, `by`, `table`, `segment`, `customers`, `events`, `without_events`, `open_period`, `cohorts`
(`cohort`, `customers`, `cells` with `period`, `customers`, `percent`, `revenue`, `open`), `guesses`, `rows_are_orders`,
`tables`, `warnings`, `notes`, `elapsed_seconds`, `path`.
"""

from __future__ import annotations

from typing import Any

from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json, percent, tables_json
from segkit.results.cohorts import Cohort, CohortsResult
from segkit.results.terms import SCHEMA_VERSION


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
    cells = [cell._asdict() | {"percent": percent(cell.percent)} for cell in cohort.cells]
    return {"cohort": cohort.name, "customers": cohort.customers, "cells": cells}
