"""What became of one customer in one segment, as the ledger has it."""

from __future__ import annotations

from collections.abc import Mapping

from segkit.columns.features.blocks import tree_of
from segkit.columns.plan.plan import Plan
from segkit.criteria.tree import All
from segkit.gates.ledger import Ledger, Line
from segkit.results import WRITTEN
from segkit.rules.model.file import RuleFile

NOT_WRITTEN, CLAIMED = "not_written", "claimed"


def outcome_of(line: Line, place: int, *, write: bool) -> str | None:
    """`written`, `not_written` or the reason that stops the customer in this row; None where he does not match."""
    if not line.matched[place]:
        return None
    if not write:
        return NOT_WRITTEN
    return next((reason for reason, mask in line.stopped.items() if mask[place]), WRITTEN)


def claimed_by(rules: RuleFile, ledger: Ledger, place: int) -> str:
    """The segment that has claimed the customer in this row."""
    assert ledger.claims is not None, "only exclusive runs claim"
    number: int = ledger.claims[place]
    return list(rules.segment)[number]


def trees_of(plan: Plan) -> Mapping[str, All]:
    """The criteria of each segment, as the run has them."""
    rules = plan.rules
    return {
        name: tree_of(("segment", name), segment, rules.customers, plan.context)(plan.schema)
        for name, segment in rules.segment.items()
    }
