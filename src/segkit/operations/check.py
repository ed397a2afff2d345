"""`check`: everything wrong with a rule file; with `data`, also what does not fit the real columns and values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from segkit import codes
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, RuleError
from segkit.io.read import Workspace
from segkit.io.write import FORMATS
from segkit.operations.checking.silence import silenced
from segkit.operations.evaluation.diagnose import placed
from segkit.operations.evaluation.doubts.repeated_events import in_two_files
from segkit.operations.evaluation.doubts.values_nobody_has import never_found
from segkit.operations.evaluation.evaluate import evaluate, without_data
from segkit.results import CheckResult
from segkit.rules.check.families import computed_columns
from segkit.rules.check.windows import empty_windows
from segkit.rules.text.loader import Loaded, by_place, load_rules


def check(rules: Path, *, data: bool = False) -> CheckResult:
    """What is wrong with a rule file; nothing is written.

    Raises `RuleError` only where the file cannot be read at all: whatever is wrong in it is part of the result.
    """
    try:
        loaded = load_rules(rules, formats=FORMATS)
    except RuleError as error:
        if all(d.location is None or d.location.line is None for d in error.diagnostics):
            raise
        return CheckResult(str(rules), tuple(error.diagnostics))
    problems = [*without_data(loaded), *map(loaded.source.placed, empty_windows(loaded.rules, loaded.rules.today()))]
    if data and not any(d.severity is Severity.ERROR for d in problems):
        problems = _with_data(loaded)
    problems = silenced(loaded, problems, data=data)
    return CheckResult(str(rules), tuple(problems), len(loaded.rules.segment), _computed(loaded))


def _with_data(loaded: Loaded) -> list[Diagnostic]:
    try:
        with Workspace() as ws:
            evaluated = evaluate(loaded, loaded.rules.today(), ws, lambda _: None)
            never = [placed(loaded, finding) for finding in never_found(evaluated.plan, evaluated.computed.frame)]
            twice = in_two_files(evaluated.plan)
            return list(dict.fromkeys([*evaluated.warnings, *twice, *sorted(never, key=by_place)]))
    except DataError as error:
        return [replace(one, code=one.code or codes.BAD_DATA) for one in error.diagnostics]
    except RuleError as error:
        return list(error.diagnostics)


def _computed(loaded: Loaded) -> int:
    """How many columns the rule file computes."""
    return len(loaded.rules.trait) + len(list(computed_columns(loaded.rules)))
