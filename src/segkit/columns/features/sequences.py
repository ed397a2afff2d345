"""Sequences: of the events of a kind, those that are followed by another event, or are not.

For each event, the first day on which a later event may come is looked up among the days with later events (an as-of
join). Where that day has nothing but the event itself, which never follows itself, the next one counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from segkit.columns.helpers import ALONE, EVENT, ID, KEPT, KEY, NEXT, ROW, START, THERE, TIME
from segkit.columns.tables.view import View
from segkit.rules.model.base import Duration
from segkit.rules.model.measures import Measured, Sequel
from segkit.rules.model.sources import Events


def followed(
    rows: pl.LazyFrame, of_kind: pl.LazyFrame, spec: Measured, view: View, others: Mapping[str, View]
) -> pl.LazyFrame:
    """The rows `of_kind` of events that `then` and `then_not` keep; `rows` are all rows of the table that are kept."""
    of_kind = of_kind.with_columns(event_of(view).alias(EVENT))
    events = _first_days(of_kind, view)
    for key, sequel in spec.sequels.items():
        there = others[sequel.events] if sequel.events else view
        later = rows if there.name == view.name else there.every_row().filter(KEPT)
        later = later.filter(there.where(sequel.where)) if sequel.where else later
        later = _first_days(later.with_columns(event_of(there).alias(EVENT)), there).rename({TIME: THERE})
        begin, at_once = _begin(sequel, negated=key == "then_not")
        # The same event may be among the later ones: by its own day, or by lines on a later one.
        itself = there.name == view.name and (at_once or has_id(view))
        days = _days(later) if itself else later.select(KEY, THERE).sort(THERE)
        pairs = (
            events.with_columns(begin.alias(START))
            .sort(START)
            .join_asof(days, left_on=START, right_on=THERE, by=KEY, strategy="forward", check_sortedness=False)
        )
        day = pl.when(pl.col(ALONE) == pl.col(EVENT)).then(NEXT).otherwise(THERE) if itself else pl.col(THERE)
        keeps = _keeps(day, sequel, negated=key == "then_not", as_of=view.context.as_of)
        events = pairs.filter(keeps).select(KEY, EVENT, TIME)
    return of_kind.join(events, on=[KEY, EVENT], how="semi").drop(EVENT)


def _begin(sequel: Sequel, *, negated: bool) -> tuple[pl.Expr, bool]:
    """The first day on which the later event may be, and whether that is the day of the first one."""
    first, _ = sequel.ends
    if first and first.number:
        return _after(first), False
    same_day = negated if sequel.same_day is None else sequel.same_day
    return (pl.col(TIME), True) if same_day else (pl.col(TIME).dt.offset_by("1d"), False)


def _keeps(day: pl.Expr, sequel: Sequel, *, negated: bool, as_of: dt.date) -> pl.Expr:
    """Whether an event is kept that has the next one on this day, or none."""
    _, last = sequel.ends
    end = _after(last) if last else pl.lit(dt.date.max)
    comes = (day <= end).fill_null(False)
    # A window that is not over may still bring one.
    return comes if not negated else ~comes & (end <= as_of) if last else ~comes


def has_id(view: View) -> bool:
    """Whether rows of the table say which event they belong to."""
    assert isinstance(view.spec, Events)
    return view.spec.id is not None


def event_of(view: View) -> pl.Expr:
    """What tells an event from others of the customer: its id, or the place of its only row."""
    if not has_id(view):
        return pl.col(ROW)
    return pl.coalesce(ID, pl.lit("\x1f") + pl.col(ROW).cast(pl.String))  # no id begins so


def _first_days(rows: pl.LazyFrame, view: View) -> pl.LazyFrame:
    """One row an event, with the day of its first row."""
    events = rows.select(KEY, EVENT, TIME)
    return events if not has_id(view) else events.group_by(KEY, EVENT).agg(pl.col(TIME).min())


def _days(events: pl.LazyFrame) -> pl.LazyFrame:
    """The days with events, in order, the event of a day that has one only, and the next day of the customer."""
    one = pl.when(pl.len() == 1).then(pl.col(EVENT).first())
    days = events.group_by(KEY, THERE).agg(one.alias(ALONE)).sort(THERE)
    return days.with_columns(pl.col(THERE).shift(-1).over(KEY).alias(NEXT))


def _after(length: Duration) -> pl.Expr:
    return pl.col(TIME).dt.offset_by(length.offset)
