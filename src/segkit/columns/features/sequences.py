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
    events = _first_days(of_kind)
    for key, sequel in spec.sequels.items():
        there = others[sequel.events] if sequel.events else view
        itself = there.name == view.name
        later = rows if itself else there.every_row().filter(KEPT)
        later = later.filter(there.where(sequel.where)) if sequel.where else later
        days = _days(_first_days(later.with_columns(event_of(there).alias(EVENT))))
        events = _kept(events, days, sequel, negated=key == "then_not", itself=itself, as_of=view.context.as_of)
    return of_kind.join(events, on=[KEY, EVENT], how="semi").drop(EVENT)


def event_of(view: View) -> pl.Expr:
    """What tells an event from others of the customer: its id, or the place of its only row."""
    assert isinstance(view.spec, Events)
    if view.spec.id is None:
        return pl.col(ROW)
    return pl.coalesce(ID, pl.lit("\x1f") + pl.col(ROW).cast(pl.String))  # no id begins so


def _first_days(rows: pl.LazyFrame) -> pl.LazyFrame:
    """One row an event, with the day of its first row."""
    return rows.group_by(KEY, EVENT).agg(pl.col(TIME).min())


def _days(events: pl.LazyFrame) -> pl.LazyFrame:
    """The days with events, in order, the event of a day that has one only, and the next day of the customer."""
    one = pl.when(pl.len() == 1).then(pl.col(EVENT).first())
    days = events.group_by(KEY, pl.col(TIME).alias(THERE)).agg(one.alias(ALONE)).sort(THERE)
    return days.with_columns(pl.col(THERE).shift(-1).over(KEY).alias(NEXT))


def _kept(
    events: pl.LazyFrame, days: pl.LazyFrame, sequel: Sequel, *, negated: bool, itself: bool, as_of: dt.date
) -> pl.LazyFrame:
    first, last = sequel.ends
    same_day = negated if sequel.same_day is None else sequel.same_day
    begin = _after(first) if first and first.number else pl.col(TIME) if same_day else pl.col(TIME).dt.offset_by("1d")
    end = _after(last) if last else pl.lit(dt.date.max)
    pairs = (
        events.with_columns(begin.alias(START))
        .sort(START)
        .join_asof(days, left_on=START, right_on=THERE, by=KEY, strategy="forward", check_sortedness=False)
    )
    day = pl.when(pl.col(ALONE) == pl.col(EVENT)).then(NEXT).otherwise(THERE) if itself else pl.col(THERE)
    comes = (day <= end).fill_null(False)
    # A window that is not over may still bring one.
    keeps = comes if not negated else ~comes & (end <= as_of) if last else ~comes
    return pairs.filter(keeps).select(KEY, EVENT, TIME)


def _after(length: Duration) -> pl.Expr:
    return pl.col(TIME).dt.offset_by(length.offset)
