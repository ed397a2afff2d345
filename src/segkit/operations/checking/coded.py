"""Findings with a code become diagnostics: with their place in the rule file, and as grave as their code is there."""

from __future__ import annotations

from segkit.codes import CODES
from segkit.diagnostics import Diagnostic, Finding, Severity
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded


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
    return about.severity
