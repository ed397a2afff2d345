"""What became of one customer in one segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import polars as pl

from segkit.columns.features.blocks import tree_of
from segkit.columns.plan.plan import Plan
from segkit.criteria.tree import All
from segkit.gates.ledger import Ledger, Line
from segkit.operations.decide import Decision
from segkit.operations.delivery.changes import list_name
from segkit.results.terms import CONTROL, HELD_OUT, WRITTEN
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded

NOT_WRITTEN, CLAIMED = "not_written", "claimed"


class Outcome(NamedTuple):
    """Whether the criteria hold, and what the gates said then.

    `outcome` is `written`, `not_written`, or the reason that stops the customer; None where he does not match.
    `claimed_by` is the segment that claimed him, `file` the list that has him, of members or of those held out;
    `findable` says whether the platform that it is for can find him.
    """

    matched: bool
    outcome: str | None
    claimed_by: str | None = None
    variant: str | None = None
    file: str | None = None
    findable: bool = True


class Looked(Protocol):
    """A run as one looks into it: some or all of its customers, with what their criteria look at."""

    @property
    def loaded(self) -> Loaded:
        """Its rules."""

    @property
    def plan(self) -> Plan:
        """What it computes."""

    @property
    def customers(self) -> pl.DataFrame:
        """One row a customer."""

    def outcome(self, name: str, place: int) -> Outcome:
        """What became of the customer in this row in a segment."""


class Now:
    """What `apply` would do now."""

    def __init__(self, run: Decision) -> None:
        self.run, self.loaded, self.plan, self.customers = run, run.loaded, run.evaluated.plan, run.customers

    def outcome(self, name: str, place: int) -> Outcome:
        """What would become of the customer in this row in a segment."""
        found = outcome_in(self.run.rules, self.run.ledger, name, place)
        return found._replace(file=self._file(name, place, found.outcome))

    def _file(self, name: str, place: int, outcome: str | None) -> str | None:
        if outcome not in (WRITTEN, HELD_OUT, CONTROL):
            return None
        row = self.run.rows.marked.slice(place, 1)
        lists = [one for one in self.run.lists if one.segment == name and one.outcome == outcome]
        found = next((one for one in lists if row.select(one.rows).collect().item()), None)
        return found and (list_name(found) if self.run.rules.output.to else found.name)


def outcome_in(rules: RuleFile, ledger: Ledger, name: str, place: int) -> Outcome:
    """What the ledger says of the customer in this row; it knows of no files."""
    line = ledger.lines[name]
    outcome = outcome_of(line, place, write=rules.segment[name].write)
    return Outcome(
        matched=bool(line.matched[place]),
        outcome=outcome,
        claimed_by=claimed_by(rules, ledger, place) if outcome == CLAIMED else None,
        variant=line.variants[place] if line.variants is not None else None,
    )


def outcome_of(line: Line, place: int, *, write: bool) -> str | None:
    """`written`, `not_written` or the reason that stops the customer in this row; None where he does not match."""
    if not line.matched[place]:
        return None
    if not write:
        return NOT_WRITTEN
    if line.control is not None and line.control[place]:
        return CONTROL
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
