"""Events that may count twice: lines that disagree about their total, rows that come again in another file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import polars as pl

from segkit.columns.compute import Computed
from segkit.columns.helpers import AMOUNT, ID, KEY
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import REPEATED_ROW, View
from segkit.diagnostics import Diagnostic, Quotes, Severity
from segkit.errors import DataError
from segkit.io.read import ColumnType, Opened, Table, Workspace
from segkit.io.read.values.texts import normal_key, trimmed
from segkit.operations.evaluation.diagnose import about_table
from segkit.operations.evaluation.doubts.files_alike import alike
from segkit.rules.model.sources import Events, Spelling
from segkit.words import listed, plural

_DAY = "\x1fday"


def repeated_events(plan: Plan, computed: Computed, ws: Workspace) -> list[Diagnostic]:
    """Warnings about files that share events; `DataError` for lines that disagree and for repeats that are an error."""
    warnings = []
    for name in computed.counts:
        view = plan.view(name)
        if not isinstance(view.spec, Events):
            continue
        if view.spec.duplicates == "error" and (count := int(computed.counts[name][REPEATED_ROW].item() or 0)):
            raise _repeats(view, count)
        if view.spec.repeats_amount and view.spec.amount and view.spec.id:
            _refuse_disagreement(view)
        if view.spec.duplicates is None and len(view.table.parts) > 1:
            warnings += _shared(view, view.spec.key or plan.rules.customers.key, plan.spellings, ws)
    return warnings


def _repeats(view: View, count: int) -> DataError:
    rows = "1 row comes" if count == 1 else f"{count:,} rows come"
    hint = '`duplicates = "drop"` counts them once, `"keep"` each time'
    if isinstance(view.spec, Events) and view.spec.id and len(view.table.parts) > 1:
        hint += '; for exports that overlap, `"last_file"` takes each event from the last file that has it'
    place = view.table.place
    return DataError(Diagnostic(f"{rows} more than once, field by field, in `{view.name}`", place, hint))


def _refuse_disagreement(view: View) -> None:
    """`DataError` where the lines of an event have two totals; lines without one do not count."""
    assert isinstance(view.spec, Events)
    amount = pl.col(AMOUNT).drop_nulls()
    events = view.kept().filter(pl.col(ID).is_not_null()).group_by(KEY, ID).agg(amount.unique().sort().alias(AMOUNT))
    odd = events.filter(pl.col(AMOUNT).list.len() > 1).sort(ID).select(ID, pl.col(AMOUNT).list.head(2)).collect()
    if odd.is_empty():
        return
    first, (low, high) = odd[ID][0], odd[AMOUNT][0]
    others = f" and {plural(len(odd) - 1, 'other event')}" if len(odd) > 1 else ""
    totals = f"{low.normalize():f} and {high.normalize():f}"
    message = f"the lines of event `{first}`{others} in `{view.name}` have totals such as {totals}"
    hint = 'leave out `amount_per = "event"` (and the amount in `fill_down`) to add the lines up'
    quotes = Quotes(view.spec.id or "", (first,))
    raise DataError(Diagnostic(message, view.table.place, hint, quotes=quotes))


def _shared(view: View, key: str, spellings: Sequence[Spelling], ws: Workspace) -> list[Diagnostic]:
    """A warning where two files share days, and on those days events: overlapping exports count twice."""
    assert isinstance(view.spec, Events)
    table, spec = view.table, view.spec
    if spec.time not in table.columns:
        return []
    day = table.value(spec.time, type=ColumnType.DATE).alias(_DAY)
    spans = [
        _as_of_table(table, part).select(day.min().alias("first"), day.max().alias("last")) for part in table.parts
    ]
    ranges = [frame.row(0) for frame in pl.collect_all(spans)]
    days: dict[tuple[int, int], tuple[Any, Any]] = {}
    for (one, first), (other, second) in combinations(enumerate(ranges), 2):
        if None not in (*first, *second) and max(first[0], second[0]) <= min(first[1], second[1]):
            days[one, other] = max(first[0], second[0]), min(first[1], second[1])
    events = [_told_apart(view, key, spellings, part) for part in table.parts]
    shared, pairs = 0, []
    for one, other in alike([rows.drop(_DAY) for rows in events], [*days], ws):
        here = pl.col(_DAY).is_between(*days[one, other])
        if count := _rows_in_both(events[one].filter(here), events[other].filter(here)):
            shared += count
            pairs.append((table.parts[one], table.parts[other]))
    if not pairs:
        return []
    names = listed(part.label.name for part in pairs[0])
    stand, twice = ("stands", "counts") if shared == 1 else ("stand", "count")
    message = f"{plural(shared, 'row')} of `{view.name}` {stand} in two files, such as {names}, and {twice} twice"
    overlap = 'give `duplicates = "last_file"` for exports that overlap, ' if spec.id else "give "
    same = all(_whole_rows_in_both(one, other) for one, other in pairs)
    drop = (
        '`duplicates = "drop"` for rows that are the same (in one file, too), or `"keep"`'
        if same
        else '`duplicates = "keep"`'
    )
    hint = f"{overlap}{drop} if that is right"
    return [about_table(message, table, hint)]


def _as_of_table(table: Table, part: Opened) -> pl.LazyFrame:
    """The rows of one file, with the types that the columns have in all files together."""
    return part.frame.select(pl.col(name).cast(column.dtype) for name, column in table.columns.items())


def in_two_files(plan: Plan, ws: Workspace) -> list[Diagnostic]:
    """A note for each event table with ids, or rows where there is no id, that stand in two of its files.

    Where these share days, the run itself warns of it.
    """
    notes = []
    for view in (plan.views[name] for name in plan.rules.events):
        table, spec = view.table, view.spec
        assert isinstance(spec, Events)
        if (
            len(table.parts) < 2
            or spec.duplicates is not None
            or _shared(view, spec.key or plan.rules.customers.key, plan.spellings, ws)
        ):
            continue
        names = [spec.id] if spec.id and spec.id in table.columns else [*table.columns]
        by_id = spec.id is not None and spec.id in table.columns
        told_apart = {names[0]: table.key(names[0])} if by_id else {name: pl.col(name) for name in names}
        each = [_as_of_table(table, part).select(**told_apart).unique() for part in table.parts]
        of_files = pl.concat(each).drop_nulls(names[:1] if by_id else []).group_by(names).len()
        count = int(of_files.filter(pl.col("len") > 1).select(pl.len()).collect(engine="streaming").item())
        if count:
            what = plural(count, "id" if spec.id in table.columns else "row")
            message = f"{what} of `{view.name}` {'stands' if count == 1 else 'stand'} in two files or more"
            hint = 'if these files overlap, give `duplicates`: `"last_file"`, `"drop"`, or `"keep"` if that is right'
            notes.append(replace(about_table(message, table, hint), severity=Severity.NOTE))
    return notes


def _whole_rows_in_both(one: Opened, other: Opened) -> bool:
    """Whether some rows are the same field by field, so that `drop` finds them."""
    try:
        both = other.frame.join(one.frame, on=list(one.names), how="semi", nulls_equal=True).head(1).collect()
    except pl.exceptions.PolarsError:  # columns of other types
        return False
    return not both.is_empty()


def _told_apart(view: View, key: str, spellings: Sequence[Spelling], part: Opened) -> pl.LazyFrame:
    """Key, time, id and amount of the rows of a file, as far as there are such."""
    assert isinstance(view.spec, Events)
    table, spec = view.table, view.spec
    wanted = {name: table.key(name) for name in (key, spec.id) if name and name in table.columns}
    wanted = {name: normal_key(text, spellings) if name == key else text for name, text in wanted.items()}
    if spec.time not in wanted:
        wanted[spec.time] = trimmed(pl.col(spec.time).cast(pl.String))
    if spec.amount and spec.amount in table.columns and spec.amount not in wanted:
        wanted[spec.amount] = table.value(spec.amount, money=True)
    day = table.value(spec.time, type=ColumnType.DATE).alias(_DAY)
    return _as_of_table(table, part).select(day, **wanted)


def _rows_in_both(one: pl.LazyFrame, other: pl.LazyFrame) -> int:
    """How many rows of the second file are those of a row of the first."""
    names = [name for name in one.collect_schema() if name != _DAY]
    both = other.join(one.select(names).unique(), on=names, how="semi", nulls_equal=True)
    return int(both.select(pl.len()).collect().item())
