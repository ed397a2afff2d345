"""Rules of who may be written that say nothing about these customers, perhaps because they are written otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.columns.compute import Computed
from segkit.columns.hidden import hidden
from segkit.columns.permission import CONSENT, listed_column, suppression_lists, suppression_table
from segkit.columns.plan import Plan
from segkit.columns.view import kept_rows
from segkit.rules import walk
from segkit.rules.findings import Finding


def idle(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each list that suppresses nobody, and for each consent that nobody gives."""
    if len(computed.frame):
        yield from _lists(plan, computed)
        yield from _consents(plan, computed)


def _lists(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each suppression list that has values, and none of a customer: it may be written otherwise."""
    for (file, column), path in suppression_lists(plan.rules).items():
        name = suppression_table(file)
        kept = kept_rows(computed.counts[name])
        if kept and not computed.frame[listed_column(file, column)].any():
            message = (
                f"`{file}` suppresses nobody: of its {kept:,} values, none is in column `{column}` of the customers"
            )
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
