"""Measures over the events of each customer: all of a table in one `group_by`, unless they put rows together first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from segkit.columns.features.sequences import event_of, followed, has_id
from segkit.columns.helpers import AMOUNT, COUNT, EVENT, ID, KEPT, KEY, LATEST, ROW, TIME, counted, kept_rows_of, since
from segkit.columns.money import as_money, nearest_mean
from segkit.columns.tables.view import View
from segkit.io.read.values.numbers import MONEY
from segkit.rules.model.base import Duration
from segkit.rules.model.blocks import ZERO_WHEN_NONE, CustomerDate, Measured, Window
from segkit.rules.model.conditions import Conditions
from segkit.rules.model.measures import OF_AMOUNT
from segkit.rules.model.sources import Events

ORDERED = frozenset({"first", "last", "nth", "most_frequent"})
TRUNCATED = {"active_weeks": "1w", "active_months": "1mo", "active_quarters": "1q"}
"""Measure -> the length of the calendar periods that it counts; weeks begin on Monday, as in ISO 8601."""


class Period(NamedTuple):
    """The days after `as_of` minus one duration, up to `as_of` minus another."""

    after: Duration
    up_to: Duration


class Measure(NamedTuple):
    """A measured column and its name."""

    name: str
    spec: Measured
    exists: bool = False
    """The measure is whether there is any such event, not how many, so no event has to be told from another."""
    told: bool = False
    """The measure is told beside a criterion: where a few customers are asked about, of these alone."""
    period: Period | None = None
    """Of the events that count, only the rows in this period."""
    only: Conditions | None = None
    """Of the events that count, only the rows that satisfy these conditions."""

    @property
    def since(self) -> str | None:
        """The customer's date that the window starts from, where there is one."""
        return self.spec.since.column if isinstance(self.spec.since, CustomerDate) else None


def dtype_of(measure: Measure, view: View) -> pl.DataType:
    """The type of a measured column."""
    spec = measure.spec
    if measure.exists:
        return pl.Boolean()
    measured = MONEY if _is_amount(spec, view) else pl.Date() if spec.of is None else view.schema[spec.of]
    match spec.measure:
        case "sum":
            return MONEY
        case "mean" | "median" | "gap_median":
            return pl.Float64()
        case "min" | "max" | "first" | "last" | "nth" | "most_frequent":
            return measured
        case _:
            return pl.Int64()


def measured_columns(
    view: View, measures: Sequence[Measure], customer_dates: pl.LazyFrame | None, others: Mapping[str, View]
) -> pl.LazyFrame:
    """One row for each key, and for each reason why rows are left out.

    It has what `of_customer` needs, the number of rows as `COUNT`, their last day as `LATEST`, the doubts of the view,
    and for how many rows a lookup found something. `customer_dates` has the key and those dates of the customer from
    which a window starts; `others` are the views of all event tables.
    """
    rows = view.every_row()
    left_out = None
    if any(_compares_rows(m, view) for m in measures):
        # Comparing rows that are left out with each other takes long, and they may be most: they are only counted.
        left_out, rows = view.left_out(rows), rows.filter(KEPT)
    if customer_dates is not None:
        rows = rows.join(customer_dates, on=KEY, how="left")
    if any(needs_order(m.spec, _events_of(view)) for m in measures):
        order = [TIME, ID, ROW] if has_id(view) else [TIME, ROW]
        rows = rows.sort(order, nulls_last=False).with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW))
    of_table = [
        pl.len().alias(COUNT),
        pl.col(TIME).max().alias(LATEST),
        pl.col(view.doubts.columns).any(),
        pl.col(view.doubts.found).sum(),
    ]
    asked = view.context.told
    of_some = [m for m in measures if m.told and asked is not None]
    frame = _measured(rows, [m for m in measures if m not in of_some], view, others, of_table)
    if asked is not None and of_some:
        few = rows.filter(pl.col(KEY).is_in(sorted(asked)))
        frame = frame.join(_measured(few, of_some, view, others), on=KEY, how="left")
    return frame if left_out is None else pl.concat([frame, left_out.drop(KEPT)], how="diagonal")


def _measured(
    rows: pl.LazyFrame,
    measures: Sequence[Measure],
    view: View,
    others: Mapping[str, View],
    of_table: Sequence[pl.Expr] = (),
) -> pl.LazyFrame:
    """One row for each key, with the measures of these rows, of sequences too."""
    frame = _grouped(rows, [m for m in measures if not m.spec.sequels], view, of_table)
    for alike in _by_sequence(measures):
        spec = alike[0].spec
        mask = _of_kind(spec, view)
        of_kind = rows if mask is None else rows.filter(mask)
        kept = followed(rows, of_kind, spec, view, others)
        frame = frame.join(_grouped(kept, alike, view), on=KEY, how="left")
    return frame


def _by_sequence(measures: Sequence[Measure]) -> Iterable[list[Measure]]:
    """The measures of events that are kept by a sequence, those of the same events together."""
    groups: dict[str, list[Measure]] = {}
    for measure in measures:
        if measure.spec.sequels:
            window = {name: getattr(measure.spec, name) for name in Window.model_fields}
            groups.setdefault(repr((window, measure.spec.where, measure.spec.sequels)), []).append(measure)
    return groups.values()


def _grouped(
    rows: pl.LazyFrame, measures: Sequence[Measure], view: View, of_table: Sequence[pl.Expr] = ()
) -> pl.LazyFrame:
    """One row for each key, with the measures of these rows."""
    apart = [m for m in measures if _is_apart(m.spec, view)]
    plain = [e for m in measures if not _is_apart(m.spec, view) for e in _aggregates(m, view)]
    once: dict[bytes, pl.Expr] = {}
    same: list[pl.Expr] = []
    for one in plain:
        # What two measures have in common, such as the sum of a trait and that of RFM, is computed once.
        first = once.setdefault(one.meta.undo_aliases().meta.serialize(), one)
        if first is not one:
            same.append(pl.col(first.meta.output_name()).alias(one.meta.output_name()))
    frame = rows.group_by(KEY).agg(*of_table, *once.values()).with_columns(same)
    for measure in apart:
        frame = frame.join(_apart(rows, measure, view), on=KEY, how="left")
    return frame


def of_customer(measure: Measure, view: View) -> pl.Expr:
    """The measure in its final type, from what was measured, or from `kept_rows_of` where every row counts.

    Division and distance in days come here, after adding up. Customers without events have 0 for what counts or adds
    up, false for `exists`; other measures are missing.
    """
    name, spec, dtype = measure.name, measure.spec, dtype_of(measure, view)
    value = pl.col(kept_rows_of(view.name) if _is_every_row(measure, view) else name)
    if spec.measure == "mean":
        count = pl.col(counted(name))
        value = pl.when(count > 0).then(nearest_mean(value.cast(MONEY), count))
    elif spec.measure == "median":
        # What was measured is the sum of the two values in the middle.
        value = nearest_mean(value.cast(MONEY), pl.lit(2))
    elif spec.measure in ("days_since_first", "days_since_last"):
        value = (pl.lit(view.context.as_of) - value).dt.total_days()
    value = value.cast(dtype)
    if measure.exists:
        value = value.fill_null(False)
    elif spec.measure in ZERO_WHEN_NONE:
        value = value.fill_null(pl.lit(0, dtype))
    return value.alias(name)


def _is_amount(spec: Measured, view: View) -> bool:
    assert isinstance(view.spec, Events)
    return spec.measure in OF_AMOUNT and spec.of in (None, view.spec.amount)


def _events_of(view: View) -> Events:
    assert isinstance(view.spec, Events)
    return view.spec


def _is_apart(spec: Measured, view: View) -> bool:
    """Whether the measure looks at events or values made of several rows, so needs a `group_by` of its own."""
    assert isinstance(view.spec, Events)
    if spec.measure in ("most_frequent", "nth"):
        return needs_order(spec, view.spec)
    if not (_is_amount(spec, view) and has_id(view)):
        return False
    per_event = view.spec.repeats_amount and spec.measure in ("sum", "mean")
    return per_event or spec.measure in ("min", "max", "median")


def needs_order(spec: Measured, table: Events) -> bool:
    """Whether the measure asks which row came first; the day of the nth row does not."""
    return spec.measure in ORDERED and not (spec.measure == "nth" and spec.of is None and table.id is None)


def _compares_rows(measure: Measure, view: View) -> bool:
    """Whether the measure puts rows into order, or tells which are the same."""
    spec = measure.spec
    if spec.sequels:
        return True
    if measure.exists:
        return False
    by_id = has_id(view) and spec.measure in ("count", "mean")
    compares = spec.measure in (*ORDERED, *TRUNCATED, "active_days", "distinct", "gap_median", "median")
    return by_id or compares or _is_apart(spec, view)


def window_mask(window: Window, as_of: dt.date) -> pl.Expr | None:
    """Whether an event's day is in the window; None where there is no window."""
    day = pl.col(TIME)
    if window.within:
        return day >= window.within.before(as_of)
    if window.between:
        first, last = (_day(point, as_of) for point in window.between)
        return (day >= first) & (day <= last)
    parts = []
    if isinstance(window.since, CustomerDate):
        start = pl.col(since(window.since.column))
        parts.append((day >= start).fill_null(False))
        if window.for_:
            parts.append((day <= start.dt.offset_by(window.for_.offset)).fill_null(False))
    elif window.since is not None:
        parts.append(day >= _day(window.since, as_of))
    if window.before is not None:
        parts.append(day < _day(window.before, as_of))
    return pl.all_horizontal(parts) if parts else None


def _day(point: dt.date | Duration, as_of: dt.date) -> dt.date:
    return point.before(as_of) if isinstance(point, Duration) else point


def _mask(measure: Measure, view: View) -> pl.Expr | None:
    """Which rows count; where a sequence has kept some, of those rows."""
    day, as_of = pl.col(TIME), view.context.as_of
    parts = [] if measure.spec.sequels else [_of_kind(measure.spec, view)]
    if measure.period:
        parts.append((day > measure.period.after.before(as_of)) & (day <= measure.period.up_to.before(as_of)))
    if measure.only:
        parts.append(view.where(measure.only))
    return _both(parts)


def _of_kind(spec: Measured, view: View) -> pl.Expr | None:
    """Which rows are of the kind that is measured: in the window, and as `where` says."""
    return _both([window_mask(spec, view.context.as_of), view.where(spec.where) if spec.where else None])


def _both(parts: Sequence[pl.Expr | None]) -> pl.Expr | None:
    given = [part for part in parts if part is not None]
    return None if not given else given[0] if len(given) == 1 else pl.all_horizontal(given)


def _value(spec: Measured, view: View) -> pl.Expr:
    """The measured column; exact decimals where it is added up: float sums depend on the order, integer sums wrap."""
    if _is_amount(spec, view):
        return pl.col(AMOUNT)
    if spec.of is None:
        return pl.col(TIME)
    column = pl.col(spec.of)
    return as_money(column, view.schema[spec.of]) if spec.measure in ("sum", "mean", "median") else column


def _aggregates(measure: Measure, view: View) -> list[pl.Expr]:
    spec, name = measure.spec, measure.name
    mask = _mask(measure, view)
    if _is_every_row(measure, view):
        return []
    if measure.exists:
        return [(pl.len() > 0 if mask is None else mask.any()).alias(name)]

    def where(value: pl.Expr) -> pl.Expr:
        return value if mask is None else pl.when(mask).then(value)

    def total(value: pl.Expr) -> pl.Expr:
        # Rows that are left out may add up to more than a decimal holds.
        return pl.when(pl.col(KEPT) if mask is None else mask & pl.col(KEPT)).then(value).sum()

    def rows(value: pl.Expr) -> pl.Expr:
        return value if mask is None else value.filter(mask)

    one: Mapping[str, Callable[[], pl.Expr]] = {
        "count": lambda: _events(where, mask, view),
        "sum": lambda: total(_value(spec, view)),
        "min": lambda: where(_value(spec, view)).min(),
        "max": lambda: where(_value(spec, view)).max(),
        "active_days": lambda: rows(pl.col(TIME)).n_unique(),
        "distinct": lambda: rows(_value(spec, view)).drop_nulls().n_unique(),
        "gap_median": lambda: rows(pl.col(TIME)).unique().sort().diff().dt.total_days().median(),
        "median": lambda: _middle(rows(_value(spec, view))),
        "nth": lambda: rows(pl.col(TIME)).sort().get(_place(spec), null_on_oob=True),
        "days_since_first": lambda: where(pl.col(TIME)).min(),
        "days_since_last": lambda: where(pl.col(TIME)).max(),
        "first": lambda: rows(_value(spec, view)).sort_by(rows(pl.col(ROW))).first(),
        "last": lambda: rows(_value(spec, view)).sort_by(rows(pl.col(ROW))).last(),
    }
    if spec.measure in TRUNCATED:
        return [rows(pl.col(TIME).dt.truncate(TRUNCATED[spec.measure])).n_unique().alias(name)]
    if spec.measure != "mean":
        return [one[spec.measure]().alias(name)]
    value = _value(spec, view)
    known = value.is_not_null() if mask is None else mask & value.is_not_null()
    of_events = _is_amount(spec, view) and has_id(view)
    count = _events(lambda v: pl.when(known).then(v), known, view) if of_events else where(value).count()
    return [total(value).alias(name), count.alias(counted(name))]


def _is_every_row(measure: Measure, view: View) -> bool:
    """Whether the measure is known from `COUNT`, the number of rows."""
    counts_rows = measure.exists or (measure.spec.measure == "count" and not has_id(view))
    return counts_rows and not measure.spec.sequels and _mask(measure, view) is None


def _middle(values: pl.Expr) -> pl.Expr:
    """The sum of the two values in the middle, which are one where their number is odd; missing where there is none."""
    known = values.drop_nulls().sort()
    size = known.len().cast(pl.Int64)
    return known.get((size - 1) // 2, null_on_oob=True) + known.get(size // 2, null_on_oob=True)


def _events(where: Callable[[pl.Expr], pl.Expr], mask: pl.Expr | None, view: View) -> pl.Expr:
    """The number of events: distinct ids, and each row that has none; all rows if the table has no ids."""
    if not has_id(view):
        return pl.len() if mask is None else mask.sum()
    id_ = pl.col(ID)
    without = id_.is_null() if mask is None else mask & id_.is_null()
    known = id_ if mask is None else id_.filter(mask)
    return known.drop_nulls().n_unique() + without.sum()


def _apart(rows: pl.LazyFrame, measure: Measure, view: View) -> pl.LazyFrame:
    spec, name = measure.spec, measure.name
    mask = _mask(measure, view)
    left = rows if mask is None else rows.filter(mask)
    if spec.measure == "nth":
        return _nth(left, measure, view)
    if spec.measure == "most_frequent":
        assert spec.of is not None
        value = pl.col(spec.of)
        by_value = (
            left.filter(value.is_not_null())
            .group_by(KEY, value.alias(name))
            .agg(pl.len().alias(COUNT), pl.col(ROW).max())
        )
        return by_value.group_by(KEY).agg(pl.col(name).sort_by(COUNT, ROW).last())
    events = event_amounts(left, view)
    amount = pl.col(AMOUNT)
    if spec.measure == "mean":
        return events.group_by(KEY).agg(amount.sum().alias(name), amount.count().alias(counted(name)))
    of_events = _middle(amount) if spec.measure == "median" else getattr(amount, spec.measure)()
    return events.group_by(KEY).agg(of_events.alias(name))


def _nth(rows: pl.LazyFrame, measure: Measure, view: View) -> pl.LazyFrame:
    """The value of the nth event, in the order of their first rows; from the last, that of the event's last row."""
    place = _place(measure.spec)
    value, row = pl.col(measure.spec.of or TIME).alias(measure.name), pl.col(ROW)
    if has_id(view):
        in_order = value.sort_by(row)
        events = rows.group_by(KEY, event_of(view).alias(EVENT)).agg(
            in_order.first() if place >= 0 else in_order.last(), row.min()
        )
    else:
        events = rows.select(KEY, value, row)
    nth = pl.col(measure.name).sort_by(row).get(place, null_on_oob=True)
    return events.group_by(KEY).agg(nth)


def _place(spec: Measured) -> int:
    """The place of the nth event, from 0, or from the last one, -1."""
    assert spec.n, "checked where the rule file is read"
    return spec.n - 1 if spec.n > 0 else spec.n


def event_amounts(rows: pl.LazyFrame, view: View) -> pl.LazyFrame:
    """One row an event: its first day, and the amount of its rows together, missing if they all are."""
    assert isinstance(view.spec, Events)
    amount = pl.col(AMOUNT)
    total = amount.max() if view.spec.repeats_amount else amount.sum()
    with_id = (
        rows.filter(pl.col(ID).is_not_null())
        .group_by(KEY, ID)
        .agg(pl.col(TIME).min(), pl.when(amount.count() > 0).then(total).alias(AMOUNT))
    )
    without = rows.filter(pl.col(ID).is_null()).select(KEY, ID, TIME, AMOUNT)
    return pl.concat([with_id, without])
