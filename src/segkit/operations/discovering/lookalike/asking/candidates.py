"""Which columns the card may ask about: those that prospects have, and that do not say who is a member."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from segkit.columns.helpers import member
from segkit.columns.plan.plan import Plan
from segkit.criteria.kinds import Dtypes, kind_of
from segkit.discoveries.lookalike import WHY, LeftOut, Reason
from segkit.errors import RuleError
from segkit.operations.column_facts.personal_columns import personal_among
from segkit.operations.discovering.lookalike.asking.questions import asks_well
from segkit.operations.discovering.made_of import sources_of
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.operations.personal.permission import consents
from segkit.rules.tables import CUSTOMERS
from segkit.rules.walk import permissions
from segkit.words import nearest

OF_MANY = frozenset({"birth date"})
"""Kinds of personal data that ranges of many customers tell nothing personal of."""


class Candidates(NamedTuple):
    """The columns that may be asked about, in the order of the file, and those that are left out."""

    columns: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def candidates(evaluated: Evaluated, segment: str, chosen: Collection[str], elsewhere: Dtypes | None) -> Candidates:
    """The columns of the customers that tell who resembles the members of the segment.

    Those that are `chosen` must be among them: `RuleError` where one is not. `elsewhere` has the types of the columns
    that prospects have, where they are in another file.
    """
    plan = evaluated.plan
    names = [*plan.origins[CUSTOMERS]]
    for name in chosen:
        if name not in names:
            raise RuleError.of(f"customers have no column `{name}`", hint=nearest(name, names, "columns"))
    left_out = {name: LeftOut(name, "not chosen") for name in names if chosen and name not in chosen}
    asked = [name for name in names if name not in left_out]
    left_out |= _of_no_use(plan, segment, asked, elsewhere)
    left_out |= _personal(evaluated, [name for name in asked if name not in left_out])
    for name in chosen:
        if name in left_out:
            raise refused(left_out[name])
    return Candidates(
        tuple(name for name in names if name not in left_out),
        tuple(left_out[name] for name in names if name in left_out),
    )


def refused(one: LeftOut) -> RuleError:
    """The error for a column that was chosen and cannot be asked about."""
    what = f" ({one.what})" if one.what else ""
    message = f"`--columns` names `{one.column}`, which {WHY[one.reason]}{what}"
    return RuleError.of(message, hint=_HINTS.get(one.reason, "take it out"))


_HINTS: Mapping[Reason, str] = {
    "personal": "take it out; a `[trait.NAME]` with `bands`, or one that is true or false, may stand for it",
    "events": "take it out, or let the customer file bring the figure as a column",
}


def _personal(evaluated: Evaluated, names: Collection[str]) -> dict[str, LeftOut]:
    """The columns with personal data, but those of which ranges are asked."""
    plan, places = evaluated.plan, [(CUSTOMERS, name) for name in names]
    found = personal_among(plan, evaluated.computed.customers, places) if names else {}
    kinds = {name: found.get((CUSTOMERS, name)) for name in names}
    return {
        name: LeftOut(name, "personal", kind)
        for name, kind in kinds.items()
        if kind and not (kind in OF_MANY and kind_of(plan.schema[name]) in ("number", "date"))
    }


def _of_no_use(plan: Plan, segment: str, names: Collection[str], elsewhere: Dtypes | None) -> dict[str, LeftOut]:
    """The columns that tell nothing of prospects, or too much."""
    of_seed = sources_of(plan, [member(segment)]).first - {plan.rules.customers.key}
    asked_for = {name for _, _, rule in permissions(plan.rules) for name in (*rule.require, rule.suppress_on) if name}
    of_consent = sources_of(plan, asked_for).first
    found = {}
    for name in names:
        made_of = sources_of(plan, [name])
        kind = kind_of(plan.schema[name]) if name in plan.schema else "other"
        if name == plan.rules.customers.key:
            found[name] = LeftOut(name, "key")
        elif made_of.columns & of_seed:
            found[name] = LeftOut(name, "seed")
        elif made_of.columns & of_consent or (consents(name) is not None and kind != "date"):
            found[name] = LeftOut(name, "consent")
        elif made_of.events:
            found[name] = LeftOut(name, "events")
        elif not asks_well(kind) or name not in plan.context.also[CUSTOMERS]:
            found[name] = LeftOut(name, "type")
        elif elsewhere is not None and (name not in elsewhere or kind_of(elsewhere[name]) != kind):
            found[name] = LeftOut(name, "prospects")
    return found
