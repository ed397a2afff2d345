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
    "days_since_first", "days_since_last", "active_days", "active_weeks", "active_months", "active_quarters",
    "nth", "gap_mean", "gap_median", "median", "share",
]  # fmt: skip
ACTIVE = frozenset({"active_days", "active_weeks", "active_months", "active_quarters"})
COUNTS = frozenset({"count", "distinct", *ACTIVE})
"""Measures for which at least 1 is asked where nothing else is."""
ZERO_WHEN_NONE = frozenset({*COUNTS, "sum"})
OF_AMOUNT = frozenset({"sum", "mean", "min", "max", "median"})
"""Measures that take the amount unless `of` names a column."""
OF_DAYS = frozenset({*ACTIVE, "gap_mean", "gap_median"})
"""Measures of the days of events, and of no column."""
NEEDS_COLUMN = frozenset({"distinct", "most_frequent"})
PeriodName = Literal["week", "month", "quarter", "year"]
MOST_PERIODS = 600
"""Of `in_each`, each of which is measured for itself: more than ten years of weeks."""


MOST_EVENTS = 1_000_000
"""The largest `n` of `nth`."""


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


_ONLY_LENGTHS = 'days are counted from the event before: write `within = "30 days"`'
_SAME_DAY = "days before the window are never looked at, so `same_day` has nothing to say"


class Sequel(Model):
    """Events that come after an event, or do not."""

    events: str | None = None
    """The table of the later events; default: that of the event before."""
    where: Conditions = {}
    """Only rows that satisfy these conditions count; that of the event before does not."""
    within: Length | None = None
    """At most this long after the day of the event before; without it, ever after."""
    between: tuple[Length, Length] | None = None
    """From the first to the second after the day of the event before, both included."""
    same_day: bool | None = None
    """Whether an event on the same day counts; days have no inner order. Default: for `then` no, for `then_not` yes."""

    @model_validator(mode="before")
    @classmethod
    def _no_other_window(cls, value: Any) -> Any:
        for key in ("then", "then_not", "since", "before", "for", "measure", "of"):
            if isinstance(value, dict) and key in value:
                raise Contradiction(f"`{key}` cannot stand within `then` or `then_not`", _WITHIN_SEQUEL[key], key=key)
        for key in ("within", "between"):
            if isinstance(value, dict) and any(isinstance(point, dt.date) for point in as_list(value.get(key))):
                raise Contradiction(f"`{key}` has a date within `then` or `then_not`", _ONLY_LENGTHS, key=key)
        return value

    @model_validator(mode="after")
    def _one_window(self) -> Sequel:
        if self.within and self.between:
            raise Contradiction("the window is given twice", "give one of `within` and `between`", key="between")
        if self.between:
            first, last = self.between
            if not all(first.after(day) < last.after(day) for day in _days()):
                hint = 'the shorter one comes first, such as `["30 days", "60 days"]`'
                raise Contradiction(
                    f"the window is empty: it begins {first} and ends {last} after", hint, key="between"
                )
            if self.same_day is not None and first.number:
                raise Contradiction(
                    f"`same_day` stands beside a window that begins {first} after", _SAME_DAY, key="same_day"
                )
        return self

    @property
    def ends(self) -> tuple[Duration | None, Duration | None]:
        """The lengths after the day of the event before that the window is between; None where it has no such end."""
        return self.between or (None, self.within)


_WITHIN_SEQUEL = {
    **dict.fromkeys(("then", "then_not"), "a sequence has two steps: make the first two a trait, or two conditions"),
    **dict.fromkeys(("since", "before", "for"), _ONLY_LENGTHS),
    **dict.fromkeys(("measure", "of"), "what is measured are the events before: put it beside `events`"),
}


class Measured(Window):
    """A measure over the events of each customer."""

    events: str
    """The event table."""
    where: Conditions = {}
    """Only rows that satisfy these conditions count; looked at before rows become events."""
    measure: MeasureName = "count"
    """What is computed; `count` is of distinct ids where the table has an `id`."""
    of: str | None = None
    """The column that is measured; default: the amount, for `first`, `last` and `nth` the time."""
    n: int | None = Field(None, ge=-MOST_EVENTS, le=MOST_EVENTS)
    """For `nth`: which event, from 1 for the first, from -1 for the last."""
    then: Sequel | None = None
    """Only events that are followed by such an event count."""
    then_not: Sequel | None = None
    """Only events that are not followed by such an event count; those whose window is not over yet do not."""

    @model_validator(mode="after")
    def _measured_column(self) -> Measured:
        if self.measure in NEEDS_COLUMN and self.of is None:
            raise Contradiction(f'`measure = "{self.measure}"` needs `of`, the column to look at', key="measure")
        if self.measure == "nth" and not self.n:
            key = "measure" if self.n is None else "n"
            raise Contradiction('`measure = "nth"` needs `n`: 1 is the first event, -1 the last', key=key)
        if self.n is not None and self.measure != "nth":
            raise Contradiction(
                '`n` goes with `measure = "nth"` alone', 'write `measure = "nth"`, or take `n` out', key="n"
            )
        if self.then and self.then.within and not self.then.within.number and not self.then.same_day:
            hint = "`same_day = true` beside it, for another event of that day"
            raise Contradiction("nothing follows later within 0 days", hint, key="then")
        if self.of is not None and self.measure in OF_DAYS:
            hint = "take `of` out: days are counted, whatever stands in other columns"
            raise Contradiction(f'`of` has nothing to say beside `measure = "{self.measure}"`', hint, key="of")
        if self.measure == "share" and not self.where:
            hint = 'such as `where.category = "tools"`'
            raise Contradiction(
                '`measure = "share"` needs `where`: the rows that it is the share of', hint, key="measure"
            )
        return self

    @property
    def sequels(self) -> dict[str, Sequel]:
        """`then` and `then_not`, where they are there."""
        return {key: value for key, value in (("then", self.then), ("then_not", self.then_not)) if value is not None}


def periods_of(length: Duration, period: PeriodName) -> int | None:
    """How many periods a duration has; None where that is no whole number."""
    units = {
        "day": ("day", 1),
        "week": ("day", 7),
        "month": ("month", 1),
        "quarter": ("month", 3),
        "year": ("month", 12),
    }
    (unit, size), (of_unit, of_size) = units[length.unit], units[period]
    number = length.number * size
    return number // of_size if unit == of_unit and number % of_size == 0 else None


class EventCondition(Measured):
    """A trait written in place, with the condition on its result beside it."""

    RESULT: ClassVar[tuple[str, ...]] = ("is_", "min", "max", "above", "below")

    is_: Number | None = Field(None, alias="is")
    """The result equals this."""
    min: Number | None = None
    """The result is at least this; default: 1 for what counts (`count`, `distinct`, `active_days` and its like)."""
    max: Number | None = None
    """The result is at most this."""
    above: Number | None = None
    """The result is greater than this."""
    below: Number | None = None
    """The result is less than this."""
    in_each: PeriodName | None = None
    """The condition holds in each period of the window, which are counted back from `as_of`."""

    @model_validator(mode="after")
    def _whole_periods(self) -> EventCondition:
        if self.in_each is None:
            return self
        ends = (self.within,) if self.within else self.between or ()
        if not ends or not all(isinstance(end, Duration) for end in ends):
            hint = f'`within = "6 {self.in_each}s"`; for calendar months of dates, `measure = "active_months"`'
            raise Contradiction("`in_each` needs a window that is counted back from `as_of`", hint, key="in_each")
        for end in ends:
            assert isinstance(end, Duration)
            if periods_of(end, self.in_each) is None:
                hint = f"a whole number of {self.in_each}s, such as `6 {self.in_each}s`"
                raise Contradiction(f"{end} are no whole number of {self.in_each}s", hint, key="in_each")
        if not 1 <= len(self.periods) <= MOST_PERIODS:
            hint = f'such as `within = "6 {self.in_each}s"`; {MOST_PERIODS} are the most'
            raise Contradiction(f"the window has {len(self.periods):,} {self.in_each}s", hint, key="in_each")
        return self

    @property
    def periods(self) -> range:
        """The periods of `in_each`, by how many of them lie between `as_of` and their end."""
        assert self.in_each is not None
        first, last = self.between or (self.within, None)
        counts = [periods_of(end, self.in_each) or 0 if isinstance(end, Duration) else 0 for end in (last, first)]
        return range(*counts)

    @model_validator(mode="after")
    def _has_result(self) -> EventCondition:
        if self.measure in {"first", "last", "nth", "most_frequent"}:
            raise Contradiction(
                f'`measure = "{self.measure}"` gives no number to compare',
                "make it a `[trait.NAME]`, and put a condition on that column",
                key="measure",
            )
        if not self.result and self.measure not in COUNTS:
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
