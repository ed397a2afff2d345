"""The columns that personas are made of: are they there, are they numbers, and where do conditions on them stand."""

from __future__ import annotations

from collections.abc import Sequence

from segkit.columns.features.steps import MeasureStep, transitive
from segkit.columns.helpers import is_visible
from segkit.columns.plan.mentions import mentions
from segkit.columns.plan.plan import Plan
from segkit.criteria.kinds import article, kind_of
from segkit.errors import RuleError
from segkit.rules.check.families import FEATURES
from segkit.rules.model.computed.rfm import rfm_columns
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.toml import toml_key
from segkit.words import listed, nearest

OPTION = "--columns"
_MOST = 12


def require_numbers(plan: Plan, columns: Sequence[str]) -> None:
    """`RuleError` where a column is not there or no number, or none is named: the message has those that there are."""
    if not columns:
        raise _none_named(plan)
    for name in columns:
        if name not in plan.origins[CUSTOMERS]:
            hint = nearest(name, plan.origins[CUSTOMERS], "columns")
            raise RuleError.of(f"customers have no column `{name}`", hint=hint)
        kind = kind_of(plan.schema[name]) if name in plan.context.also[CUSTOMERS] else "other"
        if kind == "number":
            continue
        hint = f"take it out of `{OPTION}`; `segkit columns` shows which columns are numbers"
        if kind == "date":
            hint = f'a `[trait.NAME]` with `days_since = "{name}"`, or with `years_since`, makes a number of it'
        elif name in plan.customers.columns and kind == "text":
            hint += f'; if it is one, say so in `[customers]`: `types.{toml_key(name)} = "number"`'
        raise RuleError.of(f"personas are made of numbers, and `{name}` is {article(kind)}", hint=hint)


def _none_named(plan: Plan) -> RuleError:
    numbers = [name for name, dtype in plan.schema.items() if is_visible(name) and kind_of(dtype) == "number"]
    if not numbers:
        hint = '`[rfm]` with `events = "..."` computes three of events, a `[trait.NAME]` others'
        return RuleError.of("personas are made of numbers, and no column of the customers is one", hint=hint)
    many = len(numbers) > _MOST
    names = listed(numbers[:_MOST], "," if many else "and") + (", and others" if many else "")
    message = f"personas are made of columns that are numbers, and `{OPTION}` names none"
    return RuleError.of(message, hint=f"name them: `{OPTION} {','.join(numbers[:3])}`; the numbers are {names}")


def families_of(plan: Plan, columns: Sequence[str]) -> dict[str, str]:
    """The family in which a condition on each column stands: that of its section, or of the segments that there are.

    Else it is `behavioural` for what is computed of events, and `demographic` for the rest.
    """
    computed = {name: family for family, feature in FEATURES.items() for name in feature.columns(plan.rules)}
    used = {one.column: one.family for one in mentions(plan.rules) if one.table == CUSTOMERS and one.family}
    return {name: computed.get(name) or used.get(name) or _family(plan, name) for name in columns}


def _family(plan: Plan, column: str) -> str:
    steps = {name: step for step in plan.steps for name in step.names}
    of_events = any(isinstance(steps[name], MeasureStep) for name in transitive([column], steps))
    return "behavioural" if of_events else "demographic"


def missing_together(rules: RuleFile, column: str) -> frozenset[str]:
    """The columns that a customer lacks if he lacks this one: those of an RFM table all have a value, or none has."""
    tables = (frozenset(rfm_columns(name)) for name in rules.rfm)
    return next((table for table in tables if column in table), frozenset({column}))
