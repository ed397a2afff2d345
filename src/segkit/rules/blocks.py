"""Blocks of criteria, and the segments made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from segkit.rules.base import Contradiction, Model, Name, NotYet, Number, TextList, as_list
from segkit.rules.conditions import Condition, Conditions
from segkit.rules.guards import Expect
from segkit.rules.measures import (
    ZERO_WHEN_NONE,
    CustomerDate,
    EventCondition,
    EventConditions,
    Measured,
    Window,
)

__all__ = [
    "FAMILIES",
    "ZERO_WHEN_NONE",
    "Behavioural",
    "Block",
    "CustomerDate",
    "EventCondition",
    "Geographic",
    "Measured",
    "Near",
    "Segment",
    "Segments",
    "Window",
]

_DROP_ONE = "take out `everyone`, or the criteria"


class Near(Model):
    """A circle on the map."""

    latitude: Number
    """Degrees, -90 to 90."""
    longitude: Number
    """Degrees, -180 to 180."""
    km: Number
    """Great-circle distance, radius of the earth 6371.0088 km."""


Nears = Annotated[
    tuple[Near, ...],
    BeforeValidator(lambda v: tuple(as_list(v))),
    WithJsonSchema({"anyOf": [{"$ref": "#/$defs/Near"}, {"type": "array", "items": {"$ref": "#/$defs/Near"}}]}),
]


def _short_form(column: str) -> BeforeValidator:
    """A name, or names, stand for a condition on `column`."""
    return BeforeValidator(lambda v: {column: v} if isinstance(v, (str, list, tuple)) else v)


class _Family(Model):
    """Conditions by column, beside the keys that the family has of its own."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Condition]

    @property
    def columns(self) -> Conditions:
        """The conditions, by column."""
        return self.__pydantic_extra__


class Geographic(_Family):
    """Conditions on where customers live."""

    near: Nears = ()
    """Within a circle, or any of several; `[customers] latitude` and `longitude` name the columns."""

    @model_validator(mode="after")
    def _no_zones(self) -> Geographic:
        # Reserved: it must not pass for a column, and mean something else later.
        if "inside" in self.columns:
            raise NotYet("inside")
        return self


class Behavioural(_Family):
    """Conditions on what customers do."""

    did: EventConditions = ()
    """The event condition holds, or all of them; at least one event in its window."""
    did_not: EventConditions = ()
    """`did` would not hold for any of these."""


Family = Conditions
FAMILIES = (
    "demographic", "geographic", "psychographic", "behavioural", "technographic", "firmographic", "needs", "rfm",
    "value",
)  # fmt: skip


class Block(Model):
    """A table of criteria that must all hold."""

    demographic: Family = {}
    """Who they are: age, gender, income, household."""
    geographic: Geographic = Geographic()
    """Where they live."""
    psychographic: Family = {}
    """What they value."""
    behavioural: Annotated[Behavioural, Field(validation_alias=AliasChoices("behavioural", "behavioral"))] = (
        Behavioural()
    )
    """What they do; `behavioral` is read too."""
    technographic: Family = {}
    """What devices they use."""
    firmographic: Family = {}
    """What firm they are, or work for."""
    needs: Family = {}
    """What they need."""
    rfm: Annotated[Conditions, _short_form("rfm_segment")] = {}
    """Conditions on the columns that `[rfm]` computes; a name or names stand for `rfm_segment`."""
    value: Family = {}
    """Conditions on the columns that `[value]` computes."""
    any: tuple[Block, ...] = ()
    """At least one of these blocks holds."""
    all: tuple[Block, ...] = ()
    """All of these blocks hold."""
    none: tuple[Block, ...] = ()
    """None of these blocks holds."""
    in_segment: TextList = ()
    """The criteria of this segment, or of all of these, hold too."""
    not_in_segment: TextList = ()
    """The criteria of this segment, or of any of these, do not hold."""
    sql: str | None = None
    """A true-or-false expression in SQL over all columns, row by row."""

    def criteria(self) -> Iterator[tuple[str, str, Condition]]:
        """Each (family, column, condition) of this block itself, in file order within a family."""
        for family in FAMILIES:
            conditions = getattr(self, family)
            columns = conditions.columns if isinstance(conditions, _Family) else conditions
            for column, condition in columns.items():
                yield family, column, condition

    def blocks(self) -> Iterator[tuple[str, int, Block]]:
        """Each (`any`, `all` or `none`, position, block) directly below this one."""
        for kind in ("any", "all", "none"):
            for position, block in enumerate(getattr(self, kind)):
                yield kind, position, block

    def has_criteria(self) -> bool:
        """Whether the block asks for anything at all."""
        return any(getattr(self, name) != field.default for name, field in Block.model_fields.items())


class Segment(Block):
    """A named block: the customers who satisfy it get one labelled output."""

    label: str | None = None
    """What the segment is called in the summary; default: its name."""
    everyone: bool = False
    """All customers: a segment without criteria must say so."""
    write: bool = True
    """`false`: a building block for other segments, counted but not written."""
    each: TextList = ()
    """One output per combination of the values of these columns."""
    expect: Expect | None = None
    """How many customers it should write; where it does not, nothing is published."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> Segment:
        if self.everyone == self.has_criteria():
            if self.everyone:
                raise Contradiction("`everyone = true` stands beside criteria", _DROP_ONE, key="everyone")
            raise Contradiction("the segment has no criteria", "add some, or say `everyone = true`")
        return self


Segments = dict[Name, Segment]
