"""Cutoffs of RFM scores: given by hand, or saved on one day to score later days the same way."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from segkit.rules.model.base import Contradiction, Day, Model, Number, Percent, TextList

MEASURES = ("recency", "frequency", "monetary")
FALLING = frozenset({"recency"})
"""The measures whose low values score high."""
OPERATORS = {True: ("<", "<="), False: (">=", ">")}
"""Whether the measure falls -> what a value may be to a cutoff that it passes; the first is that of cutoffs by hand."""


class GroupCutoffs(Model):
    """The cutoffs among the customers of one recency score, or of one recency and frequency score."""

    r: int
    """The recency score."""
    f: int | None = None
    """The frequency score; for monetary."""
    cuts: tuple[Number, ...]
    """One fewer than `bins`, not falling."""


class MeasureCutoffs(Model):
    """The cutoffs of one measure, over all customers or, with `method = "nested"`, within the scores before it."""

    operator: Literal["<", "<=", ">", ">="] | None = None
    """What a value is to each cutoff that it passes; by hand `<` for recency, else `>=`."""
    cuts: tuple[Number, ...] = ()
    """One fewer than `bins`, not falling."""
    within: tuple[GroupCutoffs, ...] = ()
    """Instead of `cuts`: a table for each group of customers that are cut among themselves."""
    shares: tuple[Percent, ...] = ()
    """The share of the customers that had each score, from 1 on, when these were saved."""

    def groups(self) -> Iterator[tuple[tuple[int, ...], tuple[int | Decimal, ...]]]:
        """The scores that a group shares, and its cuts; no scores where all customers are cut together."""
        if not self.within:
            yield (), self.cuts
        for group in self.within:
            yield (group.r,) if group.f is None else (group.r, group.f), group.cuts


class SavedEvents(Model):
    """What was scored when cutoffs were saved."""

    path: TextList | None = None
    """The file or files."""
    where: str | None = None
    """Which rows counted, in SQL."""
    conditions: TextList = ()
    """Which rows counted, as `where` of the rule file said it."""
    time: str | None = None
    """The column with the day of an event."""
    id: str | None = None
    """The column whose values are one event each."""
    amount: str | None = None
    """The money: a column, or SQL."""
    frequency: Literal["events", "days"] | None = None
    """As in `[rfm]`, which must say the same."""
    monetary: Literal["sum", "mean"] | None = None
    """As in `[rfm]`, which must say the same."""


OfMeasure = Annotated[
    MeasureCutoffs,
    BeforeValidator(lambda v: {"cuts": v} if isinstance(v, tuple) else v),
    WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "number"}}, {"$ref": "#/$defs/MeasureCutoffs"}]}),
]


class Cutoffs(Model):
    """Thresholds, one fewer than `bins` for each measure; `segkit rfm --save-cutoffs` writes a file with this content.

    Those given by hand need the three lists and nothing else.
    """

    recency: OfMeasure
    """Days, not falling."""
    frequency: OfMeasure
    """Events, not falling."""
    monetary: OfMeasure
    """Money, not falling."""
    version: Literal[1] = 1
    """The version of the file of cutoffs."""
    as_of: Day | None = None
    """The day that they were found on."""
    customers: int | None = None
    """How many customers they were found among."""
    bins: int | None = None
    """How many scores they make; `[rfm] bins` is this, or absent."""
    method: Literal["quantile", "nested", "cutoffs"] | None = None
    """How they were found."""
    ties: Literal["low", "high"] | None = None
    """How equal values were treated."""
    events: SavedEvents | None = None
    """What was scored."""

    @model_validator(mode="after")
    def _consistent(self) -> Cutoffs:
        for name in MEASURES:
            _check(name, getattr(self, name))
            if self.bins is not None:
                self.check_count(name, self.bins, key=name)
        return self

    def check_count(self, name: str, bins: int, key: str) -> None:
        """`Contradiction` where a measure has another number of cutoffs, or of shares, than `bins` makes."""
        of: MeasureCutoffs = getattr(self, name)
        for group, cuts in of.groups():
            if len(cuts) != bins - 1:
                among = f" within {_shown(group)}" if group else ""
                message = f"{bins} bins need {bins - 1} cutoffs of `{name}`{among}, but there are {len(cuts)}"
                raise Contradiction(message, key=key)
            if any(not 1 <= score <= bins for score in group):
                raise Contradiction(f"`{name}` has a group {_shown(group)}, but scores go from 1 to {bins}", key=key)
        if of.shares and len(of.shares) != bins:
            raise Contradiction(f"{bins} bins have {bins} shares of `{name}`, but there are {len(of.shares)}", key=key)


def _check(name: str, of: MeasureCutoffs) -> None:
    if of.cuts and of.within:
        raise Contradiction("`cuts` and `within` are two sets of cutoffs", "give one of them", key=name)
    if of.operator and of.operator not in OPERATORS[name in FALLING]:
        allowed = " or ".join(f"`{operator}`" for operator in OPERATORS[name in FALLING])
        raise Contradiction(f"the operator of `{name}` is {allowed}, not `{of.operator}`", key=name)
    groups = list(of.groups())
    depth = MEASURES.index(name)
    if of.within and any(len(group) != depth for group, _ in groups):
        keys = ("has no `within`", "is within `r`", "is within `r` and `f`")[depth]
        raise Contradiction(f"`{name}` {keys}", "the measures are cut one within the other, in this order", key=name)
    if twice := next((group for at, (group, _) in enumerate(groups) if group in dict(groups[:at])), None):
        raise Contradiction(f"`{name}` has the group {_shown(twice)} twice", "keep one of the two", key=name)
    for _, cuts in groups:
        if any(a > b for a, b in pairwise(cuts)):
            raise Contradiction(f"the cutoffs of `{name}` fall: {', '.join(map(str, cuts))}", key=name)


def _shown(group: tuple[int, ...]) -> str:
    return ", ".join(f"`{letter} = {score}`" for letter, score in zip("rf", group, strict=False))
