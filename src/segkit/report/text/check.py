"""What was found in a rule file, in a line."""

from __future__ import annotations

from segkit.codes import CODES, code_of
from segkit.diagnostics import Diagnostic, Severity, without_notes
from segkit.results import CheckResult
from segkit.words import plural


def named(diagnostic: Diagnostic) -> str:
    """The code and name of what can be allowed; nothing for an error."""
    code = code_of(diagnostic)
    return "" if diagnostic.severity is Severity.ERROR else f"{code} {CODES[code].name}"


def check_text(result: CheckResult) -> str:
    """One line: how many problems, or what the file defines."""
    errors = sum(d.severity is Severity.ERROR for d in result.diagnostics)
    warnings = len(without_notes(result.diagnostics)) - errors
    problems = [plural(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number]
    if problems:
        return f"{result.path}: {' and '.join(problems)}"
    defined = f"{plural(result.segments, 'segment')}, {plural(result.columns, 'computed column')}"
    return f"{result.path}: nothing wrong ({defined})"
