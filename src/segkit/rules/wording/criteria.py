"""Criteria in words, as `explain` shows them: `one of "FR", "DE"`, `orders, product is "sand", within 30 days`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from segkit.rules.model.base import shown
from segkit.rules.model.blocks import Inside, Near
from segkit.rules.model.conditions import Condition, Conditions
from segkit.rules.model.measures import CustomerDate, EventCondition, Sequel, Window


def _each(values: Sequence[object], word: str) -> str:
    *head, last = map(shown, values)
    return f"{', '.join(head)} {word} {last}" if head else last


_WORDS: dict[str, Callable[[Any], str]] = {
    "is": lambda v: f"is {shown(v)}",
    "not": lambda v: f"is not {shown(v)}",
    "in": lambda v: f"one of {_each(v, 'or')}" if len(v) > 1 else f"is {_each(v, 'or')}",
    "not_in": lambda v: f"none of {_each(v, 'or')}" if len(v) > 1 else f"is not {_each(v, 'or')}",
    "min": lambda v: f"at least {shown(v)}",
    "max": lambda v: f"at most {shown(v)}",
    "above": lambda v: f"more than {shown(v)}",
    "below": lambda v: f"less than {shown(v)}",
    "between": lambda v: f"{shown(v[0])} to {shown(v[1])}",
    "contains": lambda v: f"contains {_each(v, 'or')}",
    "not_contains": lambda v: f"does not contain {_each(v, 'or')}",
    "starts_with": lambda v: f"starts with {_each(v, 'or')}",
    "not_starts_with": lambda v: f"does not start with {_each(v, 'or')}",
    "ends_with": lambda v: f"ends with {_each(v, 'or')}",
    "not_ends_with": lambda v: f"does not end with {_each(v, 'or')}",
    "matches": lambda v: f"matches {_each(v, 'or')}",
    "not_matches": lambda v: f"does not match {_each(v, 'or')}",
    "before": lambda v: f"before {v}",
    "after": lambda v: f"after {v}",
    "on": lambda v: f"on {v}",
    "within": lambda v: f"in the last {v}",
    "not_within": lambda v: f"not in the last {v}",
    "older_than": lambda v: f"more than {v} ago",
    "within_next": lambda v: f"in the next {v}",
    "anniversary_within": lambda v: f"anniversary in the next {v}",
    "has_any": lambda v: f"has {_each(v, 'or')}",
    "has_all": lambda v: f"has {_each(v, 'and')}",
    "has_none": lambda v: f"has neither {_each(v, 'nor')}" if len(v) > 1 else f"has no {_each(v, 'nor')}",
    "top_percent": lambda v: _share("top", v),
    "bottom_percent": lambda v: _share("bottom", v),
    "missing": lambda v: "no value" if v else "any value",
}
"""Operator -> what it asks, given its operand."""


def _share(end: str, share: Any) -> str:
    groups = f" of each {' and '.join(share.per)}" if share.per else ""
    return f"in the {end} {share.percent} %{groups}"


def condition_text(condition: Condition) -> str:
    """What a condition asks of a value."""
    text = " and ".join(_WORDS[name](operand) for name, operand in condition.operators())
    text += ", in capitals or not" if condition.ignore_case else ""
    return f"{text}, or no value" if condition.or_missing else text


def event_text(condition: EventCondition) -> str:
    """What an event condition asks: the table, which events, and what of them."""
    parts = [condition.events or "", *_which(condition)]
    parts += [f"{key.replace('_', ' ')} {_sequel(sequel)}" for key, sequel in condition.sequels.items()]
    if condition.in_each:
        parts.append(f"in each {condition.in_each}")
    asked = condition.result
    if asked or condition.measure != "count":
        of = f" of {condition.of}" if condition.of else ""
        what = "" if condition.measure == "count" else f"{condition.measure.replace('_', ' ')}{of} "
        parts.append(what + " and ".join(_WORDS[name](operand) for name, operand in (asked or {"min": 1}).items()))
    return ", ".join(filter(None, parts))


def _which(condition: EventCondition) -> Iterator[str]:
    yield from _where(condition.where)
    yield _window(condition)


def _where(conditions: Conditions) -> Iterator[str]:
    yield from (f"{column} {condition_text(condition)}" for column, condition in conditions.items())


def _window(window: Window) -> str:
    if window.within:
        return f"in the last {window.within}"
    if window.between:
        return f"from {_point(window.between[0])} to {_point(window.between[1])}"
    parts = []
    if isinstance(window.since, CustomerDate):
        parts.append(f"since {window.since.column}" + (f" for {window.for_}" if window.for_ else ""))
    elif window.since is not None:
        parts.append(f"since {_point(window.since)}")
    if window.before is not None:
        parts.append(f"before {_point(window.before)}")
    return " and ".join(parts)


def _point(point: object) -> str:
    return str(point) if hasattr(point, "isoformat") else f"{point} ago"


def _sequel(sequel: Sequel) -> str:
    parts = [*([sequel.events] if sequel.events else []), *_where(sequel.where)]
    if sequel.within:
        parts.append(f"within {sequel.within}")
    if sequel.between:
        parts.append(f"{sequel.between[0]} to {sequel.between[1]} after")
    if sequel.same_day is not None:
        parts.append("the same day, too" if sequel.same_day else "not the same day")
    return ", ".join(parts) or "any"


def place_text(place: Near | Inside) -> str:
    """A circle or a zone on the map."""
    if isinstance(place, Near):
        return f"within {place.km} km of {place.latitude}, {place.longitude}"
    return f"in {_each(place.name, 'or')} of {place.path}" if place.name else f"in {place.path}"
