"""Measures over events: what is counted or summed, in which window, and conditions on the result."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import product
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from segkit.rules.model.base import (
    POINT_SCHEMA,
    Contradiction,
    Duration,
    Length,
    Model,
    Number,
    PointInTime,
    as_list,
    parse_point_in_time,
)
from segkit.rules.model.conditions import Conditions

MeasureName = Literal[
    "count", "sum", "mean", "min", "max", "distinct", "first", "last", "most_frequent",
    "days_since_first", "days_since_last", "active_days",
]  # fmt: skip
ZERO_WHEN_NONE = frozenset({"count", "sum", "distinct", "active_days"})
OF_AMOUNT = frozenset({"sum", "mean", "min", "max"})
"""Measures that take the amount unless `of` names a column."""
NEEDS_COLUMN = frozenset({"distinct", "most_frequent"})


class CustomerDate(Model):
    """A date of the customer that a window starts from."""

    column: str
    """A date column of the customer."""


def _point_or_column(value: Any) -> Any:
    if isinstance(value, (dict, CustomerDate)):
        return CustomerDate.model_validate(value)
    return parse_point_in_time(value)


Since = Annotated[
    dt.date | Duration | CustomerDate,
    PlainValidator(_point_or_column),
    WithJsonSchema({"anyOf": [*POINT_SCHEMA["anyOf"], {"$ref": "#/$defs/CustomerDate"}]}),
]


_FOR_NEEDS = 'write `since = { column = "signed_up" }` beside it, or use `within`'
_EARLIER_FIRST = 'the earlier one comes first, such as `["12 months", "6 months"]`'


def _days() -> Iterator[dt.date]:
    """The first and last days of the months of a whole cycle of leap years.

    Months are shortest or longest when they are counted from these days.
    """
    for year, month in product(range(2000, 2400), range(1, 13)):
        first = dt.date(year, month, 1)
        yield from (first, first - dt.timedelta(days=1))


def _day(point: dt.date | Duration, as_of: dt.date) -> dt.date:
    return point.before(as_of) if isinstance(point, Duration) else point


def _said(point: object) -> str:
    return f"{point} before `as_of`" if isinstance(point, Duration) else f"on {point}"


class Window(Model):
    """Which days count, up to `as_of`; without a window all of them."""

    within: Length | None = None
    """From `as_of` minus this duration to `as_of`, both included."""
    between: tuple[PointInTime, PointInTime] | None = None
    """From the first to the second, both included; dates, or durations before `as_of`."""
    since: Since | None = None
    """From this day, included; a date, a duration before `as_of`, or `{ column = "signed_up" }`."""
    before: PointInTime | None = None
    """Up to this day, excluded; a date, or a duration before `as_of`."""
    for_: Length | None = Field(None, alias="for")
    """With `since = { column = ... }`: for how long from that date."""

    @model_validator(mode="after")
    def _one_window(self) -> Window:
        if sum(w is not None for w in (self.within, self.between)) + bool(self.since or self.before) > 1:
            raise Contradiction("the window is given twice", "give one of `within`, `between`, or `since` and `before`")
        if self.for_ is not None and not isinstance(self.since, CustomerDate):
            raise Contradiction("`for` counts from a date of the customer", _FOR_NEEDS, key="for")
        first, last = self.ends
        settled = type(first) is type(last)  # a date and a duration may meet on one day, and not on another
        if settled and all(self.is_empty(day) for day in _days()):
            hint = _EARLIER_FIRST if first != last else "`before` is the first day that no longer counts"
            raise Contradiction(f"the window is empty: it begins {_said(first)} and ends {_said(last)}", hint)
        return self

    @property
    def ends(self) -> tuple[Any, Any]:
        """What the window is between, where it has two ends."""
        return self.between or (self.since, self.before)

    @property
    def moves(self) -> bool:
        """Whether its days are counted from `as_of`, so that other days count on other days of a run."""
        points = (self.within, *(self.between or ()), self.since, self.before)
        return any(isinstance(point, Duration) for point in points)

    def is_empty(self, as_of: dt.date) -> bool:
        """Whether the window has no day when it is `as_of`; `before` is excluded, the end of `between` included."""
        first, last = self.ends
        if isinstance(first, dt.date) and first > as_of:
            return True
        if first is None or last is None or isinstance(first, CustomerDate):
            return False
        begin, end = _day(first, as_of), _day(last, as_of)
        return begin > end or (begin == end and self.between is None)


class Measured(Window):
    """A measure over the events of each customer."""

    events: str
    """The event table."""
    where: Conditions = {}
    """Only rows that satisfy these conditions count; looked at before rows become events."""
    measure: MeasureName = "count"
    """What is computed; `count` is of distinct ids where the table has an `id`."""
    of: str | None = None
    """The column that is measured; default: the amount, for `first` and `last` the time."""

    @model_validator(mode="after")
    def _measured_column(self) -> Measured:
        if self.measure in NEEDS_COLUMN and self.of is None:
            raise Contradiction(f'`measure = "{self.measure}"` needs `of`, the column to look at', key="measure")
        return self


class EventCondition(Measured):
    """A trait written in place, with the condition on its result beside it."""

    RESULT: ClassVar[tuple[str, ...]] = ("is_", "min", "max", "above", "below")

    is_: Number | None = Field(None, alias="is")
    """The result equals this."""
    min: Number | None = None
    """The result is at least this; 1 for `count`, `distinct` and `active_days`."""
    max: Number | None = None
    """The result is at most this."""
    above: Number | None = None
    """The result is greater than this."""
    below: Number | None = None
    """The result is less than this."""

    @model_validator(mode="after")
    def _has_result(self) -> EventCondition:
        if self.measure in {"first", "last", "most_frequent"}:
            raise Contradiction(
                f'`measure = "{self.measure}"` gives no number to compare',
                "make it a `[trait.NAME]`, and put a condition on that column",
                key="measure",
            )
        if not self.result and self.measure not in {"count", "distinct", "active_days"}:
            raise Contradiction(
                f'`measure = "{self.measure}"` has nothing to compare with',
                "put `is`, `min`, `max`, `above` or `below` beside it",
                key="measure",
            )
        return self

    @property
    def result(self) -> dict[str, Any]:
        """The comparisons that stand beside the measure, by operator."""
        given = {name.rstrip("_"): getattr(self, name) for name in self.RESULT}
        return {name: value for name, value in given.items() if value is not None}


EventConditions = Annotated[
    tuple[EventCondition, ...],
    BeforeValidator(lambda v: tuple(as_list(v))),
    WithJsonSchema(
        {
            "anyOf": [
                {"$ref": "#/$defs/EventCondition"},
                {"type": "array", "items": {"$ref": "#/$defs/EventCondition"}},
            ]
        }
    ),
]
