"""What columns of customers are made of, down to those of their files and to events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from segkit.columns.features.steps import MeasureStep
from segkit.columns.helpers import is_visible
from segkit.columns.plan.plan import Plan
from segkit.criteria.sql.parse import sql_columns
from segkit.rules.tables import CUSTOMERS


class Sources(NamedTuple):
    """The columns that something is made of, itself among them, and whether events are."""

    columns: frozenset[str]
    events: bool

    @property
    def first(self) -> frozenset[str]:
        """The columns with names."""
        return frozenset(filter(is_visible, self.columns))


def sources_of(plan: Plan, names: Iterable[str]) -> Sources:
    """All that these columns are made of; a column of a lookup is made of those that it is joined by."""
    measured = {name for step in plan.steps if isinstance(step, MeasureStep) for name in step.names}
    direct = _direct(plan)
    found, todo = set(names), [*names]
    while todo:
        more = direct.get(todo.pop(), frozenset()) - found
        found |= more
        todo += more
    return Sources(frozenset(found), bool(found & measured))


def _direct(plan: Plan) -> Mapping[str, frozenset[str]]:
    """Column -> those that it is computed from in one step."""
    rules = plan.rules
    direct = {name: step.needs for step in plan.steps for name in step.names}
    for name, path in plan.origins[CUSTOMERS].items():
        if path[0] == "lookup":
            direct[name] = direct.get(name, frozenset()) | rules.lookup[str(path[1])].on.keys()
    derived = {name: sql_columns(text) for name, text in rules.customers.derive.items()}
    return direct | derived
