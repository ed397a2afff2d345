"""Who of those that match is written: consent, suppression, contact pressure, draws and limits."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from segkit.addresses import database_of
from segkit.experiments import ARMS
from segkit.rules.model.base import Contradiction, Grouping, Model, Name, Percent, TextList, Unfit, parse_percent
from segkit.rules.model.conditions import Conditions
from segkit.rules.model.measures import Window


class Permission(Model):
    """Whom a message may reach: what must hold, and lists of those who must not be written."""

    may_be_addresses = ("suppress",)
    require: Conditions = {}
    """Conditions on columns; a customer for whom one of them does not hold is not written, nor one without a value."""
    suppress: TextList = ()
    """Files of customers who are never written: one file or glob, or several."""
    suppress_on: str | None = None
    """The column that both the customers and these files have, such as `email`, compared trimmed and in lower case;
    default: the key."""

    @model_validator(mode="after")
    def _goes_together(self) -> Permission:
        if "require" in self.model_fields_set and not self.require:
            hint = "such as `require.email_opt_in = true`; else take it out"
            raise Contradiction("`require` asks for nothing", hint, key="require")
        if any(map(database_of, self.suppress)):
            hint = "export the keys to a file, or join the table as a `[lookup]` and ask for its column"
            raise Contradiction("`suppress` names files, and no database", hint, key="suppress")
        if self.suppress_on and not self.suppress:
            raise Contradiction("`suppress_on` goes with `suppress`", "name the files", key="suppress_on")
        return self


class Consent(Permission):
    """Whom all segments may reach, and those of one channel; nothing on the command line can bypass it."""

    channel: dict[Name, Permission] = {}
    """Beside the general rules, `[consent.channel.NAME]` for segments with `channel = "NAME"`; an empty table is a
    channel without rules of its own."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> Consent:
        if not (self.require or self.suppress or self.channel):
            raise Contradiction("`[consent]` asks for nothing", "such as `require.email_opt_in = true`")
        return self


class Cap(Window):
    """How many messages a customer may get: one with `max` or more in the window is left out."""

    events: str = ""
    """The event table of messages sent."""
    where: Conditions = {}
    """Only messages that satisfy these conditions count."""
    max: Annotated[int, Field(ge=1)] | None = None
    """A customer with this number or more is left out."""

    @model_validator(mode="after")
    def _complete(self) -> Cap:
        given = self.model_fields_set & {*Window.model_fields, "where", "events", "max"}
        if given and not (self.events and self.max):
            lacks = "max" if self.events else "events"
            hint = 'such as `events = "sends", max = 4, within = "7 days"`'
            raise Contradiction(f"a frequency cap needs `{lacks}`", hint)
        return self


class FrequencyCap(Cap):
    """How many messages a customer may get over all channels, and over one channel."""

    channel: dict[Name, Cap] = {}
    """Beside the general cap, `[frequency_cap.channel.NAME]` for segments with `channel = "NAME"`; an empty table is
    a channel without a cap of its own."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> FrequencyCap:
        if not (self.events or any(cap.events for cap in self.channel.values())):
            raise Contradiction("`[frequency_cap]` counts nothing", 'such as `events = "sends", max = 4`')
        return self


class Limit(Model):
    """At most so many customers: a number or a share of those who reach it, the best first."""

    count: Annotated[int, Field(ge=0)] | None = None
    """This number of customers."""
    percent: Percent | None = None
    """This share of those who reach the limit, rounded up."""
    by: str | None = None
    """The column that decides who comes first; missing values come last, ties go by key. Default: the key."""
    order: Literal["ascending", "descending"] | None = None
    """Whether small or large values come first; default: `descending` with `by`, else `ascending`."""
    per: Grouping = ()
    """The limit holds for each value of this column, or combination of several; a missing value is one too."""

    @model_validator(mode="after")
    def _one_size(self) -> Limit:
        if (self.count is None) == (self.percent is None):
            raise Contradiction("a limit is either a `count` or a `percent`", "give one of them")
        return self

    @property
    def falls(self) -> bool:
        """Whether large values come first."""
        return self.order == "descending" or (self.order is None and self.by is not None)


def _limit(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole and not isinstance(value, (dict, Limit)):
        raise Unfit(value, 'a whole number, or a table such as `{ count = 500, by = "revenue" }`')
    return {"count": value} if whole else value


LimitOf = Annotated[
    Limit,
    BeforeValidator(_limit),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"$ref": "#/$defs/Limit"}]}),
]


class Control(Model):
    """Customers of whom no segment writes to any, drawn by key."""

    percent: Percent
    """This share of all customers, in percent."""
    salt: str = ""
    """What the draw depends on beside the key; a new one draws a new group."""


def _control(value: Any) -> Any:
    number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    if not number and not isinstance(value, (dict, Control)):
        raise Unfit(value, 'a share in percent, or a table such as `{ percent = 5, salt = "2026" }`')
    return {"percent": value} if number else value


ControlOf = Annotated[
    Control,
    BeforeValidator(_control),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 100}, {"$ref": "#/$defs/Control"}]}),
]


def _writes_to_all(value: Any) -> Any:
    if not isinstance(value, bool):
        raise Unfit(value, "true or false; a share that is held out of this segment is its `holdout`")
    return value


UnderControl = Annotated[bool, BeforeValidator(_writes_to_all)]
_VARIANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NOT_OF_VARIANTS = frozenset(ARMS)
"""What others than variants are called where they are compared: a variant `control` would count as held out."""


def _split(value: Any) -> Any:
    if not isinstance(value, dict):
        raise Unfit(value, "a table of variants and their shares such as `{ A = 50, B = 50 }`")
    for name, share in value.items():
        parse_percent(share)
        if not _VARIANT.fullmatch(name):
            raise Unfit(name, "the name of a variant: letters, digits, `-` and `_`")
        if name in _NOT_OF_VARIANTS:
            other = "variants are all written to: name each by what it gets, such as `usual`; a `holdout` gets nothing"
            raise Contradiction(f"no variant of `split` can be called `{name}`", other)
    total = sum((Decimal(str(share)) for share in value.values()), Decimal(0))
    if total != 100:
        hint = "shares are in percent: `{ A = 50, B = 50 }`" if total == 1 else None
        raise Contradiction(f"the shares of `split` add up to {total.normalize():f}, not to 100", hint)
    return value


Split = Annotated[
    dict[str, Percent],
    BeforeValidator(_split),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 100}}),
]
