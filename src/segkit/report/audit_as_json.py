"""An audit as JSON.

`as_of`, `addresses` (what looked at e-mail addresses), `tables` (`name`, `path` (the first), `paths`, `kind`, `key`,
`key_guessed`, `detected`, `rows`, `equal_rows`, `equal_but_key`, `columns`, `consent` (`column`, `said`,
`permitted`, `address`, `without_address`)), `findings` (`table`, `kind`, `column`,
`severity`, `rows`, `values`, `message`), `notes`, `warnings`, `errors` (counts), `path`, `rows_path`. A
column has `name`, `read_as`, `filled`, `missing`, `distinct`, `invalid`, `placeholders` (`value`, `rows`), `min`,
`max`, `personal`, `shape` and `notes`; null where there is nothing to say, or nothing may be shown.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from segkit.audits import AuditedColumn, AuditedTable, AuditFinding, AuditResult, Shown
from segkit.diagnostics import Severity
from segkit.io.write.json_text import json_text
from segkit.results.terms import SCHEMA_VERSION


def audit_json(result: AuditResult) -> str:
    """What was found in files."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "as_of": result.as_of.isoformat(),
            "addresses": result.addresses,
            "tables": [_table(table) for table in result.tables],
            "findings": [_finding(one) for one in result.findings],
            "notes": result.number(Severity.NOTE),
            "warnings": result.number(Severity.WARNING),
            "errors": result.number(Severity.ERROR),
            "path": result.path,
            "rows_path": result.rows_path,
        }
    )


def _table(table: AuditedTable) -> dict[str, Any]:
    return {
        "name": table.name,
        "path": table.paths[0],
        "paths": list(table.paths),
        "kind": table.kind,
        "key": table.key,
        "key_guessed": table.key_guessed,
        "detected": list(table.detected),
        "rows": table.rows,
        "equal_rows": table.equal_rows,
        "equal_but_key": table.equal_but_key,
        "columns": [_column(column) for column in table.columns],
        "consent": [one._asdict() for one in table.consent],
    }


def _column(column: AuditedColumn) -> dict[str, Any]:
    return {
        "name": column.name,
        "read_as": column.read_as,
        "filled": column.filled,
        "missing": column.missing,
        "distinct": column.distinct,
        "invalid": column.invalid,
        "placeholders": [{"value": _shown(one.value), "rows": one.rows} for one in column.placeholders],
        "min": _shown(column.lowest),
        "max": _shown(column.highest),
        "personal": column.personal,
        "shape": column.shape,
        "notes": list(column.notes),
    }


def _finding(one: AuditFinding) -> dict[str, Any]:
    values = [_shown(value) for value in one.values]
    return one._asdict() | {"severity": str(one.severity), "values": values}


def _shown(value: Shown | None) -> Any:
    if isinstance(value, float):
        return round(value, 6) + 0.0  # no -0.0
    return value.isoformat() if isinstance(value, dt.date) else value
