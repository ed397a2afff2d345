"""What a few made-up customers cannot tell: all that looks at what is found over all customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from segkit.columns import helpers
from segkit.columns.features.permission import CONSENT, FREQUENCY_CAP, SUPPRESSED
from segkit.columns.helpers import is_hidden, member
from segkit.columns.plan.plan import Plan
from segkit.criteria.sql.parse import sql_columns
from segkit.operations.testing.batches import Batch
from segkit.operations.testing.known import Known
from segkit.rules.model.computed.rfm import rfm_columns
from segkit.rules.model.file import RuleFile
from segkit.words import listed

Roots = frozenset[str]
"""The columns that a test would have to give."""


class Undecided(NamedTuple):
    """Segment -> what its criteria, or the consent for it, look at that the tests of a batch do not give."""

    criteria: Mapping[str, Roots]
    gates: Mapping[str, Roots]


def undecided_in(rules: RuleFile, plan: Plan, batch: Batch) -> Undecided:
    """What the tests of a batch cannot tell, found along the steps of its plan."""
    key = rules.customers.key
    absent = batch.unknown - batch.tests[0].certain | ({key} if batch.tests[0].key is None else set())
    needs: dict[str, Iterable[str]] = {name: step.needs for step in plan.steps for name in step.names}
    needs |= {name: sql_columns(text) for name, text in plan.rules.customers.derive.items()}
    for file, column in plan.listed:  # the lists of a batch are made for the keys that it has
        needs[helpers.listed(file, column)] = {column} - {key}
    found: dict[str, Roots] = {}

    def roots(name: str) -> Roots:
        if name not in found:
            found[name] = frozenset({name} & absent)
            found[name] = found[name].union(*map(roots, needs.get(name, ())))
        return found[name]

    def of_gates(channel: str | None) -> Roots:
        channels = ("", channel) if channel else ("",)
        reasons = (CONSENT, SUPPRESSED, FREQUENCY_CAP)
        return frozenset().union(*(roots(helpers.permission(reason, c)) for reason in reasons for c in channels))

    criteria = {name: roots(member(name)) for name in rules.segment}
    gates = {name: of_gates(segment.channel) for name, segment in rules.segment.items()}
    return Undecided(*({name: of for name, of in both.items() if of} for both in (criteria, gates)))


def why(roots: Roots, rules: RuleFile, known: Known) -> tuple[str, str]:
    """What is not given, as a message says it, and the next step."""
    key = rules.customers.key
    if key in roots:
        return f"`{key}`, which the test does not give", f'give `customer.{key} = "..."`'
    for table in rules.rfm:
        if (columns := rfm_columns(table)[3:]) and roots & set(columns):
            told = f"`{min(roots & set(columns))}`, which is found over all customers"
            return told, f"give {listed(columns[:3])} in `customer`: code and segment follow from them"
    visible = sorted(name for name in roots if not is_hidden(name))
    if visible:
        return f"{listed(visible)}, which is found over all customers", f"give {listed(visible)} in `customer`"
    cut = next(cut for cut in known.cuts if roots & set(cut.names))
    share = cut.names[0].lstrip("\x1f").partition(":")[0]
    hint = "no test can give that: leave the segment out, `segkit explain` shows it with all customers"
    return f"`{share}` of `{cut.path[-1]}`, which ranks all customers", hint
