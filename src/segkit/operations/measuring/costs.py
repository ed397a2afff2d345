"""What is left of the money once writing is paid for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from segkit.experiments import REACHED, SPEND, AfterCost, Comparison, Cost, SegmentOutcome
from segkit.operations.measuring.arms import NOT_WRITTEN
from segkit.rules.model.file import RuleFile


def cost_of(rules: RuleFile) -> Cost | None:
    """What `[evaluate]` says that writing costs, and what is left of the revenue; else what `[mavr]` and `[value]` do.

    None where nothing tells one of the two.
    """
    said, value = rules.evaluate, rules.value
    contact, margin = (said.cost_per_contact, said.margin_percent) if said else (None, None)
    if contact is None:
        contact = rules.mavr.cost_per_contact
    if margin is None and value:
        margin = value.margin_percent
    return None if contact is None or margin is None else Cost(Decimal(contact), Decimal(margin))


def with_costs(
    segments: Sequence[SegmentOutcome], cost: Cost | None, contacts: Mapping[tuple[str, str], int]
) -> list[SegmentOutcome]:
    """The segments, with what is left of the money that each arm has brought in.

    `contacts` has how often the customers of an arm were written to, by segment and arm.
    """
    if cost is None:
        return [*segments]
    return [
        one._replace(comparisons=tuple(_paid(c, cost, contacts.get((one.name, c.arm), 0)) for c in one.comparisons))
        for one in segments
    ]


def _paid(one: Comparison, cost: Cost, contacts: int) -> Comparison:
    """The comparison with what is left; beside a variant, who was written to costs the same there."""
    if one.arm == REACHED:  # by one letter or by several
        return one
    if one.metric != SPEND or one.total is None or one.total_low is None or one.total_high is None:
        return one
    paid = float(cost.per_contact * contacts) if one.against in NOT_WRITTEN else 0.0
    margin = float(cost.margin_percent / 100)
    left = (margin * money - paid for money in (one.total, one.total_low, one.total_high))
    return one._replace(after_cost=AfterCost(*left))
