"""Findings with a code become diagnostics: with their place in the rule file, and as grave as their code is there."""

from __future__ import annotations

from segkit import codes
from segkit.codes import CODES
from segkit.diagnostics import Diagnostic, Finding, Severity
from segkit.operations.checking.sizes import needed
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded

THRESHOLDS = {
    codes.HARDLY_REACHABLE: "reach_percent",
    codes.HARDLY_KNOWN: "known_percent",
    codes.BELOW_AVERAGE: "cost_per_contact",
}
"""Code -> the key of `[mavr]` with its threshold."""


def coded(loaded: Loaded, finding: Finding) -> Diagnostic:
    """The finding with its place in the rule file."""
    source = loaded.source
    return Diagnostic(
        message=finding.message,
        location=source.at(*source.index.path(finding.at)),
        hint=finding.hint,
        severity=severity_of(loaded.rules, finding),
        code=finding.code,
        at=finding.at,
        segment=finding.segment,
        conflict=finding.conflict,
    )


def severity_of(rules: RuleFile, finding: Finding) -> Severity:
    """How grave a finding is; a note about a threshold is a warning where the rule file gives the threshold."""
    about = CODES[finding.code]
    return Severity.WARNING if about.gives_threshold and _is_given(rules, finding) else about.severity


def _is_given(rules: RuleFile, finding: Finding) -> bool:
    """Whether the rule file gives the threshold that the finding is about."""
    if finding.code == codes.TOO_SMALL and finding.segment:
        return needed(rules.segment[finding.segment], rules.mavr).is_given
    return THRESHOLDS.get(finding.code) in rules.mavr.model_fields_set
