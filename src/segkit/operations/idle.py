"""Rules that say nothing about these customers, perhaps because they are written otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.columns.blocks import segment_column
from segkit.columns.compute import Computed
from segkit.columns.hidden import hidden
from segkit.columns.permission import (
    CONSENT,
    capped_column,
    listed_column,
    suppression_lists,
    suppression_table,
)
from segkit.columns.plan import Plan
from segkit.columns.view import kept_rows
from segkit.operations.occurrences import never_found
from segkit.report.numbers import plural
from segkit.rules import walk
from segkit.rules.findings import Finding, Path


def idle(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each list that suppresses nobody, each consent that nobody gives, and values that nobody has."""
    if len(computed.frame):
        yield from _lists(plan, computed)
        yield from _consents(plan, computed)
        yield from _misspelt(plan, computed)


def _lists(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each suppression list that has values, and none of a customer: it may be written otherwise."""
    for (file, column), path in suppression_lists(plan.rules).items():
        name = suppression_table(file)
        kept = kept_rows(computed.counts[name])
        if not kept:
            message, hint = f"`{file}` suppresses nobody: it has no values", "was all of it saved?"
            yield Finding(path, message, hint, warning=True)
        elif not computed.frame[listed_column(file, column)].any():
            values = plural(kept, "value")
            message = f"`{file}` suppresses nobody: of its {values}, none is in column `{column}` of the customers"
            hint = "are both written alike, without a `.0` behind whole numbers? else the list is not needed"
            yield Finding(path, message, hint, warning=True)


def _consents(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning where nobody consents: what is asked for may be written otherwise in the data."""
    for path, channel, permission in walk.permissions(plan.rules):
        asked = permission.require
        if asked and not computed.frame[hidden(CONSENT, channel)].any():
            message = f"nobody consents: of {len(computed.frame):,} customers, none is as `require` asks"
            hint = f"is {' and '.join(f'`{name}`' for name in asked)} written so? `segkit check --data` looks"
            yield Finding((*path, "require"), message, hint, warning=True)


def _misspelt(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each value that no row has, where a segment that nobody is in, or a cap that nobody reaches, asks
    for it; to look at the others too is for `segkit check --data`.
    """
    columns: dict[Path, str] = {("segment", name): segment_column(name) for name in plan.rules.segment}
    columns |= {path: capped_column(path) for path, _ in walk.caps(plan.rules)}
    without = [path for path, column in columns.items() if not computed.frame[column].any()]
    if without:
        yield from never_found(plan, computed.frame, without)
