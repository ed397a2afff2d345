"""Blocks of criteria, and the segments made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Self

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from segkit.rules.model.base import Contradiction, Model, Name, Number, Percent, TextList, as_list
from segkit.rules.model.conditions import Condition, Conditions, Texts
from segkit.rules.model.expect import Expect
from segkit.rules.model.measures import (
    ZERO_WHEN_NONE,
    CustomerDate,
    EventCondition,
    EventConditions,
    Measured,
    Window,
)
from segkit.rules.model.permissions import LimitOf, Split, UnderControl

__all__ = [
    "FAMILIES",
    "ZERO_WHEN_NONE",
    "Behavioural",
    "Block",
    "CustomerDate",
    "EventCondition",
    "Geographic",
    "Inside",
    "Measured",
    "Near",
    "Segment",
    "Segments",
    "Standalone",
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


class Inside(Model):
    """Zones on the map, drawn in a GeoJSON file."""

    path: str
    """GeoJSON file or glob, relative to the rule file; polygons in WGS 84, longitude first."""
    name: Texts | None = None
    """Only the features of this name, or of any of these; default: all features of the file."""
    property: str = "name"
    """The property of the features that holds their name."""


def _zones(value: Any) -> tuple[Any, ...]:
    """The zones as tables; a path alone stands for all of its zones."""
    return tuple({"path": item} if isinstance(item, str) else item for item in as_list(value))


Insides = Annotated[
    tuple[Inside, ...],
    BeforeValidator(_zones),
    WithJsonSchema(
        {
            "anyOf": [
                *(one := [{"type": "string"}, {"$ref": "#/$defs/Inside"}]),
                {"type": "array", "items": {"anyOf": one}},
            ]
        }
    ),
]


SHORT = {"rfm": "rfm_segment", "lifecycle": "lifecycle"}
"""Family in which a name, or a list of names, stands for a condition -> the column of that condition."""


def _short_form(family: str) -> BeforeValidator:
    return BeforeValidator(lambda v: {SHORT[family]: v} if isinstance(v, (str, list, tuple)) else v)


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
    inside: Insides = ()
    """Inside a zone of a GeoJSON file, or of any of several files: a path, or a path and the names of zones."""

    @property
    def places(self) -> dict[str, tuple[Near, ...] | tuple[Inside, ...]]:
        """The criteria that look at where the customer is on the map, by key."""
        return {key: value for key, value in (("near", self.near), ("inside", self.inside)) if value}


class Behavioural(_Family):
    """Conditions on what customers do."""

    did: EventConditions = ()
    """The event condition holds, or all of them; at least one event in its window."""
    did_not: EventConditions = ()
    """`did` would not hold for any of these."""


Family = Conditions
FAMILIES = (
    "demographic", "geographic", "psychographic", "behavioural", "technographic", "firmographic", "needs", "rfm",
    "lifecycle", "value", "score",
)  # fmt: skip


class Block(Model):
    """A table of criteria that must all hold."""

    demographic: Family = {}
    """Who they are: age, gender, income, household."""
    geographic: Geographic = Geographic.model_construct()
    """Where they live."""
    psychographic: Family = {}
    """What they value."""
    behavioural: Annotated[Behavioural, Field(validation_alias=AliasChoices("behavioural", "behavioral"))] = (
        Behavioural.model_construct()
    )
    """What they do; `behavioral` is read too."""
    technographic: Family = {}
    """What devices they use."""
    firmographic: Family = {}
    """What firm they are, or work for."""
    needs: Family = {}
    """What they need."""
    rfm: Annotated[Conditions, _short_form("rfm")] = {}
    """Conditions on the columns that `[rfm]` and `[rfm.NAME]` compute; a name or names stand for `rfm_segment`, that of
    `[rfm]`."""
    lifecycle: Annotated[Conditions, _short_form("lifecycle")] = {}
    """Conditions on `lifecycle`, the stage that `[lifecycle]` computes; a name or names stand for it."""
    score: Family = {}
    """Conditions on the columns that `[score.NAME]` computes: `NAME_score`, `NAME_grade`."""
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


class Standalone(Block):
    """A block that is not part of another one: it asks for something, or says that it means all customers."""

    CALLED: ClassVar[str] = "block"

    everyone: bool = False
    """All customers: where there are no criteria, this must be said."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.everyone and self.has_criteria():
            raise Contradiction("`everyone = true` stands beside criteria", _DROP_ONE, key="everyone")
        if not self.everyone and not self.has_criteria() and not self._may_ask_nothing():
            raise Contradiction(f"the {self.CALLED} has no criteria", "add some, or say `everyone = true`")
        return self

    def _may_ask_nothing(self) -> bool:
        return False


class Segment(Standalone):
    """A named block: the customers who satisfy it get one labelled output."""

    CALLED: ClassVar[str] = "segment"

    label: str | None = None
    """What the segment is called in the summary; default: its name."""
    write: bool = True
    """`false`: a building block for other segments, counted but not written."""
    each: TextList = ()
    """One output per combination of the values of these columns; `variant` is that of `split`."""
    channel: str | None = None
    """By which channel its customers are written; the rules of this channel count beside the general ones."""
    sample: Percent | None = None
    """Only this share of the customers, in percent, drawn by key."""
    limit: LimitOf | None = None
    """At most so many customers: a number, or a table."""
    holdout: Percent | None = None
    """This share of the rest, in percent, drawn by key, is not written but listed in `NAME.holdout.EXT`."""
    control: UnderControl = True
    """`false`: it writes to the control group of `[assignment]`, too, as a recall must."""
    split: Split | None = None
    """Variants and their shares in percent: who is written gets one of them, by key, in the column `variant`."""
    salt: str | None = None
    """What the draws depend on beside the key; default: the segment's name."""
    expect: Expect | None = None
    """How many customers it should write; where it does not, nothing is published."""
    allow: TextList = ()
    """What `segkit check` need not say of this segment: names or codes of its findings, such as `"never-holds"`."""

    @property
    def each_columns(self) -> tuple[str, ...]:
        """The columns of `each` that customers have: the variant of `split` is none of these."""
        return tuple(column for column in self.each if not (self.split and column == "variant"))

    @model_validator(mode="after")
    def _only_if_written(self) -> Segment:
        gates = ("channel", "sample", "limit", "holdout", "split", "salt")
        given = next((name for name in gates if getattr(self, name) is not None), None)
        if given and not self.write:
            message = f"`{given}` has no effect: the segment is not written"
            raise Contradiction(message, f"take out `{given}`, or `write = false`", key=given)
        if not self.control and not self.write:
            message = "`control` has no effect: the segment is not written"
            raise Contradiction(message, "take out `control`, or `write = false`", key="control")
        if self.salt is not None and self.sample is self.holdout is self.split is None:
            raise Contradiction("`salt` goes with `sample`, `holdout` or `split`", "take it out", key="salt")
        return self


Segments = dict[Name, Segment]
