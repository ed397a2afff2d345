"""`check`: everything wrong with a rule file; with `data`, also what does not fit the real columns and values."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import DataError, RuleError
from segkit.io.read import Workspace
from segkit.io.write import FORMATS
from segkit.operations.evaluation.diagnose import placed, refuse
from segkit.operations.evaluation.doubts.repeated_events import in_two_files
from segkit.operations.evaluation.doubts.values_nobody_has import never_found
from segkit.operations.evaluation.evaluate import evaluate, without_data
from segkit.proof.against import compared
from segkit.proof.prove import Claim, prove
from segkit.proof.words import finding_of
from segkit.results import CheckResult
from segkit.rules.check.families import computed_columns
from segkit.rules.text.loader import Loaded, by_place, load_rules

NOTES = frozenset({"SEG105"})
"""Claims that one may want to know, and that no exit code depends on."""


def check(rules: Path, *, data: bool = False, relations: bool = False, against: Path | None = None) -> CheckResult:
    """What is wrong with a rule file; nothing is written.

    `relations` also tells which segments are within others or apart from them; `against` is another rule file, and
    what changed since is told of each segment.

    Raises `RuleError` only where the file cannot be read at all: whatever is wrong in it is part of the result.
    """
    try:
        loaded = load_rules(rules, formats=FORMATS)
    except RuleError as error:
        if all(d.location is None or d.location.line is None for d in error.diagnostics):
            raise
        return CheckResult(str(rules), tuple(error.diagnostics))
    problems = without_data(loaded)
    if data and not any(d.severity is Severity.ERROR for d in problems):
        problems = _with_data(loaded)
    result = CheckResult(str(rules), tuple(problems), len(loaded.rules.segment), _computed(loaded))
    if any(d.severity is Severity.ERROR for d in problems):
        return result
    proof = prove(loaded.rules, loaded.rules.today(), with_relations=relations)
    known = {problem.location for problem in problems}
    claims = [_claimed(loaded, claim) for claim in proof.claims if not _is_said(loaded, claim, known)]
    changes = compared(_whole(against).rules, loaded.rules) if against else None
    return result._replace(
        diagnostics=(*problems, *sorted(claims, key=by_place)),
        relations=proof.relations if relations else None,
        changes=changes,
    )


def _whole(rules: Path) -> Loaded:
    """Another rule file, that has no errors."""
    loaded = load_rules(rules, formats=FORMATS)
    refuse(without_data(loaded))
    return loaded


def _is_said(loaded: Loaded, claim: Claim, known: Container[SourceLocation | None]) -> bool:
    """Whether a warning at the one criterion in question tells the same."""
    single = claim.code in ("SEG101", "SEG106") and len(claim.conflict) == 1
    return single and loaded.source.at(*claim.conflict[0]) in known


def _claimed(loaded: Loaded, claim: Claim) -> Diagnostic:
    """A claim with its place in the rule file."""
    finding = finding_of(claim)
    severity = Severity.NOTE if finding.code in NOTES else Severity.WARNING
    return Diagnostic(f"{finding.message} [{finding.code}]", loaded.source.at(*claim.at), finding.hint, severity)


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
