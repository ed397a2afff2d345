"""What was found in a rule file, in a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segkit.codes import CODES, code_of
from segkit.diagnostics import Diagnostic, Severity, without_notes
from segkit.results.check import CheckResult
from segkit.words import plural


def named(diagnostic: Diagnostic) -> str:
    """The code and name of what can be allowed; nothing for an error."""
    code = code_of(diagnostic)
    return "" if diagnostic.severity is Severity.ERROR else f"{code} {CODES[code].name}"


def check_text(result: CheckResult) -> str:
    """One line: how many problems, or what the file defines; a line more where the older file has errors."""
    of_old = [one for one in result.diagnostics if one in result.of_older]
    mine = [one for one in result.diagnostics if one not in result.of_older]
    told = [f"{result.path}: {_problems(mine) or _nothing_wrong(result)}"]
    if of_old:
        told.append(f"{result.older}: {_problems(of_old)}, so nothing is compared with it")
    return "\n".join(told)


def _problems(diagnostics: Sequence[Diagnostic]) -> str:
    errors = sum(one.severity is Severity.ERROR for one in diagnostics)
    warnings = len(without_notes(diagnostics)) - errors
    return " and ".join(plural(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number)


def _nothing_wrong(result: CheckResult) -> str:
    defined = f"{plural(result.segments, 'segment')}, {plural(result.columns, 'computed column')}"
    return f"nothing wrong ({defined})"


RELATIONS = {
    "within": "all its customers are in",
    "apart": "none of its customers is in",
    "equal": "the same customers as",
}
CHANGES = {
    "added": "new",
    "removed": "no longer there",
    "same": "matches the same customers",
    "wider": "matches all customers of before, and may match others",
    "narrower": "matches none but customers of before, and may miss some",
    "apart": "matches none of the customers of before",
    "other": "may match others, and miss some",
    "unknown": "what it reads is computed in another way, or of other zones or another day: only data can tell",
}
CRITERIA_ALONE = "Criteria are compared, not consent, lists, claims, limits and draws."
NO_RELATIONS = "No two segments are known to be equal, apart, or one within the other."


def known_text(result: CheckResult) -> Iterator[str]:
    """A line for each relation of two segments, and for what changed in each segment; a line where there is none."""
    if result.relations == ():
        yield NO_RELATIONS
    lines = [(one.segment, f"{RELATIONS[one.relation]} {one.other}") for one in result.relations or ()]
    lines += [(one.segment, CHANGES[one.change]) for one in result.changes or ()]
    width = max((len(name) for name, _ in lines), default=0)
    yield from (f"{name:<{width}}  {said}" for name, said in lines)
    if lines:
        yield CRITERIA_ALONE
