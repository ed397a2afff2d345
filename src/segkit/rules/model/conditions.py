"""A condition on one column: operators and the values they compare with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from segkit.rules.model.base import (
    SCALAR_SCHEMA,
    Comparable,
    Contradiction,
    Day,
    Grouping,
    Length,
    Model,
    Percent,
    Scalar,
    as_list,
    parse_percent,
    shown,
)


def _some(value: Any) -> tuple[Any, ...]:
    """One value or several; `Contradiction` for none, since the condition would say nothing."""
    items = tuple(as_list(value))
    if not items:
        raise Contradiction("the list is empty", "name at least one value, or take the condition out")
    return items


Scalars = Annotated[
    tuple[Scalar, ...],
    BeforeValidator(_some),
    WithJsonSchema({"anyOf": [SCALAR_SCHEMA, {"type": "array", "items": SCALAR_SCHEMA, "minItems": 1}]}),
]
Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(_some),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


def _ordered(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    if isinstance(pair[0], date) != isinstance(pair[1], date):
        raise Contradiction(f"`between` has a number and a date: {shown(pair[0])} and {shown(pair[1])}")
    if pair[0] > pair[1]:
        raise Contradiction(
            f"`between` is empty: {shown(pair[0])} is above {shown(pair[1])}", "the lower one comes first"
        )
    return pair


Range = Annotated[tuple[Comparable, Comparable], AfterValidator(_ordered)]


class Share(Model):
    """A share of all customers, or of each group of them."""

    percent: Percent
    """The share, in percent."""
    per: Grouping = ()
    """The share is taken within each value of this column, or combination of several; a missing value is one too."""


def _share(value: Any) -> Any:
    return value if isinstance(value, (dict, Share)) else {"percent": parse_percent(value)}


ShareOf = Annotated[
    Share,
    BeforeValidator(_share),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 100}, {"$ref": "#/$defs/Share"}]}),
]

MODIFIERS = frozenset({"ignore_case", "or_missing"})


class Condition(Model):
    """All operators named must hold; a missing value satisfies none unless `missing` or `or_missing` says so."""

    is_: Scalar | None = Field(None, alias="is")
    """Equal to this value."""
    not_: Scalar | None = Field(None, alias="not")
    """Different from this value."""
    in_: Scalars | None = Field(None, alias="in")
    """One of these values."""
    not_in: Scalars | None = None
    """None of these values."""
    min: Comparable | None = None
    """At least; numbers and dates."""
    max: Comparable | None = None
    """At most; numbers and dates."""
    above: Comparable | None = None
    """Greater than; numbers and dates."""
    below: Comparable | None = None
    """Less than; numbers and dates."""
    between: Range | None = None
    """From the first to the second, both included; numbers and dates."""
    contains: Texts | None = None
    """The text contains this, or any of these."""
    not_contains: Texts | None = None
    """The text contains none of these."""
    starts_with: Texts | None = None
    """The text starts with this, or any of these."""
    not_starts_with: Texts | None = None
    """The text starts with none of these."""
    ends_with: Texts | None = None
    """The text ends with this, or any of these."""
    not_ends_with: Texts | None = None
    """The text ends with none of these."""
    matches: Texts | None = None
    """A regular expression, or any of these, is found anywhere in the text."""
    not_matches: Texts | None = None
    """None of these regular expressions is found in the text."""
    ignore_case: bool = False
    """Compare text without regard to case, in every operator of this condition."""
    before: Day | None = None
    """Before this day, strictly."""
    after: Day | None = None
    """After this day, strictly."""
    on: Day | None = None
    """On this day."""
    within: Length | None = None
    """From `as_of` minus this duration to `as_of`, both included."""
    not_within: Length | None = None
    """Outside `within`."""
    older_than: Length | None = None
    """Before `as_of` minus this duration."""
    within_next: Length | None = None
    """From `as_of` to `as_of` plus this duration, both included."""
    anniversary_within: Length | None = None
    """The next anniversary is at most this long after `as_of`; that of 29 February is on 1 March in years without
    that day."""
    has_any: Scalars | None = None
    """The list holds one of these or more."""
    has_all: Scalars | None = None
    """The list holds all of these."""
    has_none: Scalars | None = None
    """The list holds none of these."""
    top_percent: ShareOf | None = None
    """Among this share of the highest values of all customers, or of each group, `{ percent = 10, per = "region" }`;
    ties at the edge are in."""
    bottom_percent: ShareOf | None = None
    """Among this share of the lowest values of all customers, or of each group; ties at the edge are in."""
    missing: bool | None = None
    """`true`: there is no value; `false`: there is one."""
    or_missing: bool = False
    """The condition also holds where there is no value."""

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, (dict, Condition)):
            return value
        return {"in": value} if isinstance(value, (list, tuple)) else {"is": value}

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if not any(True for _ in self.operators()):
            raise Contradiction("the condition has no operator", "add one, such as `is`, `in`, `min` or `missing`")
        return self

    def operators(self) -> Iterator[tuple[str, Any]]:
        """The operators that stand in the file, by their name there, without the modifiers."""
        for field, info in type(self).model_fields.items():
            value = getattr(self, field)
            if field in self.model_fields_set and field not in MODIFIERS and value is not None:
                yield info.alias or field, value

    def as_written(self) -> dict[str, Any]:
        """Every key that stands in the file, by its name there, with the modifiers."""
        fields = type(self).model_fields.items()
        return {info.alias or field: getattr(self, field) for field, info in fields if field in self.model_fields_set}


Conditions = dict[str, Condition]
