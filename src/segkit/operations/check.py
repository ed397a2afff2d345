"""`check`: everything wrong with a rule file; with `data`, also what does not fit the real columns and values."""

from __future__ import annotations

from pathlib import Path

from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, RuleError
from segkit.io.read import Workspace
from segkit.io.write import FORMATS
from segkit.operations.evaluation.diagnose import placed
from segkit.operations.evaluation.doubts.repeated_events import in_two_files
from segkit.operations.evaluation.doubts.values_nobody_has import never_found
from segkit.operations.evaluation.evaluate import evaluate, without_data
from segkit.operations.testing.given import wrong_tests
from segkit.operations.testing.known import known_of
from segkit.results import CheckResult
from segkit.rules.check.families import computed_columns
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
    problems = without_data(loaded)
    if not any(d.severity is Severity.ERROR for d in problems):
        problems = [*(_with_data(loaded) if data else problems), *_of_tests(loaded)]
    return CheckResult(str(rules), tuple(problems), len(loaded.rules.segment), _computed(loaded))


def _of_tests(loaded: Loaded) -> list[Diagnostic]:
    """What is wrong with the tests of the rule file; `test` runs them."""
    if not loaded.rules.test:
        return []
    return sorted((placed(loaded, finding) for finding in wrong_tests(loaded, known_of(loaded.rules))), key=by_place)


def _with_data(loaded: Loaded) -> list[Diagnostic]:
    try:
        with Workspace() as ws:
            evaluated = evaluate(loaded, loaded.rules.today(), ws, lambda _: None)
            never = [placed(loaded, finding) for finding in never_found(evaluated.plan, evaluated.computed.frame)]
            twice = in_two_files(evaluated.plan)
            return list(dict.fromkeys([*evaluated.warnings, *twice, *sorted(never, key=by_place)]))
    except (RuleError, DataError) as error:
        return list(error.diagnostics)


def _computed(loaded: Loaded) -> int:
    """How many columns the rule file computes."""
    return len(loaded.rules.trait) + len(list(computed_columns(loaded.rules)))
