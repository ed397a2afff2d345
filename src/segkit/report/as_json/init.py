"""A new rule file as JSON.

`init`: `path`, `template`, `files`, `tables` (`name`, `rows`), `guesses` (`table`, `role`, `value`, `why`), `segments`,
`left_out` (`name`, `why`), `audits` (`path`, `findings`), `warnings`, `notes`.
"""

from __future__ import annotations

from segkit.io.write.json_text import json_text
from segkit.report.as_json.parts import diagnostics_json
from segkit.results.init import InitResult
from segkit.results.terms import SCHEMA_VERSION


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
