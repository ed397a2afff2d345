"""What is to be said of the day of a run, beside what is said of its tables."""

from __future__ import annotations

from segkit.diagnostics import Diagnostic, Severity
from segkit.operations.evaluation.diagnose import placed
from segkit.operations.evaluation.doubts.idle_rules import unmatched
from segkit.operations.evaluation.doubts.old_events import ended_long_ago, not_begun, without_rows
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded, by_place


def in_future(rules: RuleFile) -> list[Diagnostic]:
    """The warning about a day that is still to come."""
    if rules.as_of is None or rules.as_of <= rules.model_copy(update={"as_of": None}).today():
        return []
    return [Diagnostic(f"`as_of` {rules.as_of} lies in the future", severity=Severity.WARNING)]


def of_the_day(loaded: Loaded, evaluated: Evaluated) -> list[Diagnostic]:
    """The warnings about what this day's data say nothing about."""
    plan, computed = evaluated.plan, evaluated.computed
    findings = (
        *without_rows(plan, computed),
        *ended_long_ago(plan, computed),
        *not_begun(plan, computed),
        *unmatched(plan, computed),
    )
    return sorted((placed(loaded, finding) for finding in findings), key=by_place)
