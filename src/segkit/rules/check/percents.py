"""Shares in percent that are perhaps meant as shares of one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.file import RuleFile


def check_percents(rules: RuleFile) -> Iterator[Finding]:
    """A warning for each share of less than one percent."""
    for path, what, share in _shares(rules):
        if share is not None and 0 < share < 1:
            meant = f"{(100 * Decimal(share)).normalize():f}"
            hint = f"shares are in percent: if you mean {meant} %, say `{path[-1]} = {meant}`"
            yield Finding(path, f"{what} of {share} % is less than a hundredth", hint, warning=True)


def _shares(rules: RuleFile) -> Iterator[tuple[KeyPath, str, Decimal | int | None]]:
    if rules.value:
        yield ("value", "margin_percent"), "a margin", rules.value.margin_percent
    if rules.assignment.control:
        yield ("assignment", "control"), "a control group", rules.assignment.control.percent
    for name, segment in rules.segment.items():
        path = ("segment", name)
        yield (*path, "sample"), "a sample", segment.sample
        yield (*path, "holdout"), "a holdout", segment.holdout
        if segment.limit:
            yield (*path, "limit", "percent"), "a limit", segment.limit.percent
