"""Measures over events as variables, and what one says of another: nested windows, rows, none and some."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from segkit.proof.logic.space import HIDDEN, Space
from segkit.rules.model.base import Duration
from segkit.rules.model.blocks import CustomerDate
from segkit.rules.model.conditions import Condition
from segkit.rules.model.measures import ACTIVE, COUNTS, ZERO_WHEN_NONE, Measured, Sequel

SINCE = ("days_since_first", "days_since_last")
WHOLE = frozenset({*COUNTS, *SINCE})
Days = tuple[dt.date, dt.date]


class Measure(NamedTuple):
    """What is measured on the day of a run; the same measure is the same variable."""

    events: str
    where: tuple[tuple[str, Condition], ...]
    window: Days | str
    """The first and last day, or how a window is written that differs from customer to customer."""
    sequels: tuple[tuple[str, Sequel], ...]
    measure: str
    of: str | None = None
    n: int | None = None

    @property
    def name(self) -> str:
        """The name of the variable."""
        return f"{HIDDEN}measure {tuple(self)!r}"

    @property
    def alike(self) -> tuple[object, ...]:
        """Measures of which this is the same are compared with each other, so they share their constants."""
        return self.events, "days" if self.measure in SINCE else self.measure, self.of, self.n

    def of_rows(self, measure: str) -> Measure:
        """Another measure of the same rows."""
        return self._replace(measure=measure, of=None, n=None)


def measure_of(spec: Any, measure: str, as_of: dt.date, of: str | None = None) -> Measure:
    """The measure of a section that looks at events: a trait, an event condition, `[value]`."""
    sequels = tuple(spec.sequels.items()) if isinstance(spec, Measured) else ()
    return Measure(
        events=spec.events,
        where=tuple(sorted(spec.where.items(), key=lambda item: item[0])),
        window=_window(spec, as_of),
        sequels=sequels,
        measure=measure,
        of=of,
        n=getattr(spec, "n", None) if measure == "nth" else None,
    )


def _window(spec: Any, as_of: dt.date) -> Days | str:
    def day(point: dt.date | Duration) -> dt.date:
        return point.before(as_of) if isinstance(point, Duration) else point

    if spec.within:
        return day(spec.within), as_of
    if spec.between:
        first, last = map(day, spec.between)
        return first, min(last, as_of)
    if isinstance(spec.since, CustomerDate):
        return repr((spec.since, spec.for_, spec.before))
    first = day(spec.since) if spec.since else dt.date.min
    last = day(spec.before) if spec.before else dt.date.max
    return first, min(last - dt.timedelta(days=1) if last > dt.date.min else last, as_of)


Implies = Callable[[str, Condition, Condition], bool]
"""Whether the first condition on a column of events implies the second."""


def relate_measures(space: Space, measures: Mapping[str, Measure], as_of: dt.date, implies: Implies) -> None:
    """What measures over the events of one table say of each other."""
    known = sorted(measures.items())
    for name, measure in known:
        if measure.measure in SINCE:
            _bound(space, name, measure, as_of)
        count = measure.of_rows("count").name
        if measure.measure != "count" and count in space.full:
            space.relate(name, count, _beside_count(measure.measure), linked=True)
        for other, wider in known:
            if other != name and measure.events == wider.events and _is_part(measure, wider, implies):
                _relate_nested(space, (name, measure), (other, wider), as_of)
    _relate_first_and_last(space, measures)


def _bound(space: Space, name: str, measure: Measure, as_of: dt.date) -> None:
    """Days since an event lie between the ends of its window."""
    if isinstance(measure.window, str):
        space.restrict(name, lambda days: days is None or days >= 0)
        return
    first, last = measure.window
    least, most = (as_of - last).days, (as_of - first).days
    space.restrict(name, lambda days: days is None or least <= days <= most)


def _beside_count(measure: str) -> Callable[[Any, Any], bool]:
    """What a measure may be beside the number of events in the same rows."""
    if measure in ACTIVE:
        return lambda value, count: (value > 0) == (count > 0)
    if measure in ZERO_WHEN_NONE:
        return lambda value, count: bool(count > 0 or value == 0)
    if measure in SINCE:
        return lambda value, count: (value is not None) == (count > 0)
    return lambda value, count: count > 0 or value is None


def _relate_nested(space: Space, part: tuple[str, Measure], whole: tuple[str, Measure], as_of: dt.date) -> None:
    """The rows of one measure are among those of the other."""
    (name, measure), (other, wider) = part, whole
    same = (measure.measure, measure.of) == (wider.measure, wider.of)
    if same and measure.measure in COUNTS:
        space.relate(name, other, lambda some, every: some <= every)
    elif same and measure.measure == "days_since_last":
        space.relate(name, other, lambda some, every: some is None or (every is not None and some >= every))
    elif same and measure.measure == "days_since_first":
        space.relate(name, other, lambda some, every: some is None or (every is not None and some <= every))
    elif measure.measure == "count" and wider.measure == "days_since_last":
        _relate_last(space, part, whole, as_of)


def _relate_last(space: Space, part: tuple[str, Measure], whole: tuple[str, Measure], as_of: dt.date) -> None:
    """The number of events of the last days, and the last event."""
    (name, measure), (other, wider) = part, whole
    if isinstance(measure.window, str) or measure.window[0] == dt.date.min:
        return
    most = (as_of - measure.window[0]).days
    rows = (measure.where, measure.sequels) == (wider.where, wider.sequels)
    # Only then are events that late counted.
    both = rows and measure.window[1] == as_of == wider.window[1]

    def together(count: Any, days: Any) -> bool:
        late = days is not None and days <= most
        return late == (count > 0) if both else count == 0 or late

    space.relate(name, other, together, linked=True)


def _relate_first_and_last(space: Space, measures: Mapping[str, Measure]) -> None:
    for name, measure in sorted(measures.items()):
        last = measure.of_rows("days_since_last").name
        if measure.measure == "days_since_first" and last in space.full:
            space.relate(
                name, last, lambda first, days: (first is None) == (days is None) and (first is None or first >= days)
            )


def _is_part(measure: Measure, wider: Measure, implies: Implies) -> bool:
    """Whether the rows of a measure are among those of another."""
    if measure.window != wider.window:
        if isinstance(measure.window, str) or isinstance(wider.window, str):
            return False
        if not (wider.window[0] <= measure.window[0] and measure.window[1] <= wider.window[1]):
            return False
    if wider.sequels:
        # The day that a sequence begins on is that of the first row in the window, of those that satisfy `where`.
        rows, of_wider = ((one.sequels, one.where, one.window) for one in (measure, wider))
        return repr(rows) == repr(of_wider)
    where = dict(measure.where)
    return all(column in where and implies(column, where[column], condition) for column, condition in wider.where)
