"""Event tables that end long before the day of the run, so that every recency is large and every window empty."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.columns.compute import Computed
from segkit.columns.plan.plan import Plan
from segkit.rules import walk
from segkit.rules.findings import Finding

STALE_AFTER_DAYS = 366


def ended_long_ago(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each table of events, read by a window or a recency, whose last event lies long before `as_of`."""
    as_of = plan.context.as_of
    aged = {table for _, table in walk.ages(plan.rules)}
    for name in plan.rules.events:
        last = computed.last_day(name) if name in aged and name in computed.counts else None
        if last is not None and (as_of - last).days > STALE_AFTER_DAYS:
            message = f"the last event of `{name}` was on {last}, {(as_of - last).days:,} days before {as_of}"
            hint = f"to look at the customers as they stood then: `--as-of {last}`"
            yield Finding(("events", name), message, hint, warning=True)
