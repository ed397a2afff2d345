"""What `check` found as workflow commands of GitHub Actions, which shows them beside the lines of a change."""

from __future__ import annotations

from segkit.codes import CODES, code_of
from segkit.diagnostics import Diagnostic, Severity
from segkit.results.check import CheckResult

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_IN_MESSAGES, ":": "%3A", ",": "%2C"}


def check_github(result: CheckResult) -> str:
    """One line for each diagnostic; nothing where there are none."""
    return "\n".join(map(_command, result.diagnostics))


def _command(diagnostic: Diagnostic) -> str:
    code, place = code_of(diagnostic), diagnostic.location
    properties: dict[str, object] = {}
    if place:
        properties["file"] = place.path
        if place.line:
            properties["line"] = place.line
        if place.line and place.column:
            # The column behind the last character is that of the end.
            properties |= {"col": place.column, "endColumn": place.column + place.width}
    properties["title"] = f"{code} {CODES[code].name}"
    told = ",".join(f"{name}={_escaped(str(value), _IN_PROPERTIES)}" for name, value in properties.items())
    message = diagnostic.message + (f"\nhint: {diagnostic.hint}" if diagnostic.hint else "")
    return f"::{COMMANDS[diagnostic.severity]} {told}::{_escaped(message, _IN_MESSAGES)}"


def _escaped(text: str, signs: dict[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text)
