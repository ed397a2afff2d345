"""A report that was written, as JSON.

`report`: `path`, `bytes`, `as_of`, `sections`, `left_out` (`section`, `why`).
"""

from __future__ import annotations

from segkit.io.write.json_text import json_text
from segkit.reports import ReportWritten
from segkit.results.terms import SCHEMA_VERSION


def report_json(result: ReportWritten) -> str:
    """The page that was written, and what is not in it."""
    left_out = [{"section": section, "why": why} for section, why in result.left_out.items()]
    return json_text({"schema_version": SCHEMA_VERSION, **result._asdict(), "left_out": left_out})
