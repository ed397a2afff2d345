"""What is left of the money once writing is paid for."""

from __future__ import annotations

from collections.abc import Sequence
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


def with_costs(segments: Sequence[SegmentOutcome], cost: Cost | None) -> list[SegmentOutcome]:
    """The segments, with what is left of the money that each arm has brought in."""
    return [one._replace(comparisons=tuple(_paid(one, c, cost) for c in one.comparisons)) for one in segments]


def _paid(segment: SegmentOutcome, one: Comparison, cost: Cost | None) -> Comparison:
    """The comparison with what is left; beside a variant, who was written to costs the same there."""
    if one.arm == REACHED:  # by one letter or by several
        return one
    if cost is None or one.metric != SPEND or one.total is None or one.total_low is None or one.total_high is None:
        return one
    beside_nobody = one.against in NOT_WRITTEN
    written = next(arm.customers for arm in segment.arms if arm.name == one.arm) if beside_nobody else 0
    margin, paid = float(cost.margin_percent / 100), float(cost.per_contact * written)
    return one._replace(
        after_cost=AfterCost(*(margin * money - paid for money in (one.total, one.total_low, one.total_high)))
    )
