"""`check`: everything wrong with a rule file, and with `data`, also against the real columns and values."""

from __future__ import annotations

from pathlib import Path

from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, RuleError
from segkit.io.read import Workspace
from segkit.operations.evaluate import evaluate
from segkit.results import CheckResult
from segkit.rules.check import check_references
from segkit.rules.features import RFM_COLUMNS
from segkit.rules.loader import Loaded, load_rules
from segkit.rules.value import VALUE_COLUMNS, not_computed


def check(rules: Path, *, data: bool = False) -> CheckResult:
    """What is wrong with a rule file; nothing is written.

    Raises `RuleError` only where the file cannot be read at all; what is wrong in it is the result.
    """
    try:
        loaded = load_rules(rules)
    except RuleError as error:
        if all(d.location is None or d.location.line is None for d in error.diagnostics):
            raise
        return CheckResult(str(rules), tuple(error.diagnostics))
    found = list(check_references(loaded))
    if data and not any(d.severity is Severity.ERROR for d in found):
        found = _with_data(loaded)
    return CheckResult(str(rules), tuple(found), len(loaded.rules.segment), _computed(loaded))


def _with_data(loaded: Loaded) -> list[Diagnostic]:
    try:
        with Workspace() as ws:
            return list(evaluate(loaded, loaded.rules.today(), ws, lambda _: None).warnings)
    except (RuleError, DataError) as error:
        return list(error.diagnostics)


def _computed(loaded: Loaded) -> int:
    """How many columns the rule file computes."""
    rules = loaded.rules
    value = len(VALUE_COLUMNS) - len(not_computed(rules.value))
    return len(rules.trait) + (len(RFM_COLUMNS) if rules.rfm else 0) + value
