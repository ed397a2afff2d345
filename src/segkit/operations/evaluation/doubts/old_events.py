"""Event tables that end long before the day of the run, or begin after it, so that windows are empty."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.columns.compute import Computed
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import AFTER_AS_OF, WHERE
from segkit.rules import walk
from segkit.rules.findings import Finding
from segkit.rules.tables import CUSTOMERS
from segkit.words import plural

STALE_AFTER_DAYS = 366


def without_rows(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each table of customers or events that has a header and nothing else."""
    for name in (name for name in plan.views if name in computed.counts):
        if not computed.counts[name]["rows"].item() and not (name == CUSTOMERS and plan.rules.customers.from_):
            path = (CUSTOMERS,) if name == CUSTOMERS else ("events", name)
            yield Finding(
                path, f"`{name}` has no rows", "was all of it exported?", warning=True, code=codes.DOUBTFUL_DATA
            )


def ended_long_ago(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each table of events, read by a window or a recency, whose last event lies long before `as_of`."""
    as_of = plan.context.as_of
    aged = {table for _, table in walk.ages(plan.rules)}
    for name in plan.rules.events:
        last = computed.last_day(name) if name in aged and name in computed.counts else None
        if last is not None and (as_of - last).days > STALE_AFTER_DAYS:
            message = f"the last event of `{name}` was on {last}, {(as_of - last).days:,} days before {as_of}"
            hint = f"to look at the customers as they stood then: `--as-of {last}`"
            yield Finding(("events", name), message, hint, warning=True, code=codes.DOUBTFUL_DATA)


def not_begun(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each table of which every event that would count lies after `as_of`."""
    for name in plan.rules.events:
        if name not in computed.counts:
            continue
        counts = computed.counts[name].row(0, named=True)
        later = counts[AFTER_AS_OF]
        # Where `where` leaves out all others, the day is not what is wrong.
        if later and not counts.get(WHERE) and computed.last_day(name) is None:
            message = f"`{name}` has no event up to {plan.context.as_of}, and {plural(later, 'event')} after that day"
            yield Finding(("events", name), message, "look at `as_of`", warning=True, code=codes.DOUBTFUL_DATA)
