"""Rules that say nothing about these customers, perhaps because the data writes the same values differently."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit import codes
from segkit.columns import helpers
from segkit.columns.compute import Computed
from segkit.columns.features.permission import CONSENT, capped_column, suppression_lists
from segkit.columns.plan.mentions import mentions
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import kept_rows
from segkit.operations.evaluation.doubts.values_nobody_has import never_found
from segkit.rules import walk
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.tables import suppression_table
from segkit.words import plural

MANY = 20
"""How many values that do not occur are told."""
_OCCURRING = "`segkit check --data` shows the values that occur"
"""Values of the data stay out of warnings, which go into manifests."""


def idle(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each list, consent, cap and lookup that says nothing about anybody."""
    if computed.size:
        yield from _lists(plan, computed)
        yield from _consents(plan, computed)
        yield from _caps(plan, computed)
        yield from _lookups(plan, computed)


def _lists(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each suppression list that has no values, or none that a customer has.

    The list and the customers may write the same values differently.
    """
    for (file, column), path in suppression_lists(plan.rules).items():
        name = suppression_table(file)
        kept = kept_rows(computed.counts[name])
        if not kept:
            message, hint = f"`{file}` suppresses nobody: it has no values", "was all of it saved?"
            yield Finding(path, message, hint, warning=True, code=codes.IDLE_RULE)
        elif not computed.column(helpers.listed(file, column)).any():
            values = plural(kept, "value")
            message = f"`{file}` suppresses nobody: of its {values}, none is in column `{column}` of the customers"
            hint = "are both written alike, without a `.0` behind whole numbers? "
            hint += "else the list is not needed"
            yield Finding(path, message, hint, warning=True, code=codes.IDLE_RULE)


def _consents(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning where nobody consents: the data may write differently what `require` asks for."""
    for path, channel, permission in walk.permissions(plan.rules):
        asked = permission.require
        if asked and not computed.column(helpers.permission(CONSENT, channel)).any():
            message = f"nobody consents: of {computed.size:,} customers, none is as `require` asks"
            hint = f"is {' and '.join(f'`{name}`' for name in asked)} written so? `segkit check --data` looks"
            yield Finding((*path, "require"), message, hint, warning=True, code=codes.IDLE_RULE)


def _caps(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """Warnings about caps that stop nobody, so that all may be written, however often they were.

    There is one for each cap over a table without events. Where nobody reaches a cap, there is one for each value that
    its `where` asks for and that no event has.
    """
    for path, cap in walk.caps(plan.rules):
        if cap.events and not kept_rows(computed.counts[cap.events]):
            message = f"the frequency cap stops nobody: `{cap.events}` has no events"
            yield Finding((*path, "events"), message, "was all of it saved?", warning=True, code=codes.IDLE_RULE)
        elif cap.where and not computed.column(capped_column(path)).any():
            for finding in never_found(plan, computed.customers, within=[(*path, "where")]):
                yield finding._replace(hint=_OCCURRING)


def unmatched(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each value that does not occur and that a segment which nobody matches asks for.

    Those in the traits that it names count, too. After `MANY` of them, only their number is told.
    """
    matched = computed.customers.select(pl.col(map(helpers.member, plan.rules.segment)).any()).collect()
    empty = [name for name in plan.rules.segment if computed.size and not matched[helpers.member(name)].item()]
    within: list[KeyPath] = [("segment", name) for name in empty]
    named = {m.column for m in mentions(plan.rules) if m.path[:2] in within}
    within += [("trait", name) for name in plan.rules.trait if name in named]
    found = list(never_found(plan, computed.customers, within=within)) if empty else []
    yield from (finding._replace(hint=_OCCURRING) for finding in found[:MANY])
    if len(found) > MANY:
        message = f"{len(found) - MANY:,} more values that segments without customers ask for do not occur"
        yield Finding(
            found[MANY].path, message, "`segkit check --data` lists them", warning=True, code=codes.VALUE_NOT_FOUND
        )


def _lookups(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each lookup that finds nothing, for customers or for events."""
    for table, counts in computed.counts.items():
        for name in plan.lookups_into(table):
            if counts["rows"].item() and not counts[helpers.found(name)].item():
                message = f"`[lookup.{name}]` finds nothing: no row of `{table}` has a key that is in its file"
                hint = f"is `on` right, and are the keys written alike? the left one is of `{table}`"
                yield Finding(("lookup", name, "on"), message, hint, warning=True, code=codes.IDLE_RULE)
