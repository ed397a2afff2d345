"""Everything is computed until the tables show nothing new about themselves: what a sample left open is settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from segkit.columns.compute import Computed, PaddedKeys, compute
from segkit.columns.features.steps import MeasureStep
from segkit.columns.helpers import DOUBT, KEY
from segkit.columns.plan.plan import Plan, make_plan
from segkit.columns.tables.read_lookup import LookupFailed
from segkit.columns.tables.view import Doubts, SecondLook, View
from segkit.criteria.context import Context
from segkit.engines.foreseen import note_of_memory
from segkit.engines.spread import spread
from segkit.errors import RuleError
from segkit.io.read import Table, Workspace, explain_failure
from segkit.io.read.values.texts import needs_care
from segkit.operations.evaluation.counts import refuse_lost_rows
from segkit.operations.evaluation.diagnose import placed
from segkit.operations.evaluation.doubts.bad_values import guessed_numbers
from segkit.operations.evaluation.too_large import too_large
from segkit.operations.progress import Progress
from segkit.rules.findings import Misfits
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import Loaded, by_place


class Settled(NamedTuple):
    """What was computed with all that is known of the tables.

    `looks` has the second looks at tables with doubtful rows; `guessed` is table -> columns of numbers whose decimal
    comma nothing settles.
    """

    plan: Plan
    computed: Computed
    tables: Mapping[str, Table]
    looks: Mapping[str, SecondLook]
    guessed: Mapping[str, Sequence[str]]


def settle(
    loaded: Loaded,
    tables: Mapping[str, Table],
    context: Context,
    ws: Workspace,
    progress: Progress,
    ready: Callable[[Plan], None] = lambda _: None,
) -> Settled:
    """What is computed once the whole tables show nothing new about themselves.

    Where a whole table shows something else than its sample did, everything is computed again with that knowledge.
    Before that, `ready` may refuse the plan.
    """
    while True:
        outcome = _outcome(loaded, tables, context, ws, progress, ready)
        if isinstance(outcome, Settled):
            return outcome
        tables = {**tables, **outcome}


def settle_types(loaded: Loaded, tables: Mapping[str, Table], context: Context) -> Plan:
    """The plan once the whole tables show nothing new about the types of their columns; nothing is computed.

    Of files with types of their own, only columns of texts that look like something else are read.
    """
    while True:
        plan = None
        try:
            plan = plan_of(loaded, tables, context)
            better = _with_clear_dates(plan, tables) or _better(plan, tables, _doubtful_columns(plan))
        except (pl.exceptions.PolarsError, FileNotFoundError, LookupFailed) as error:
            explained = explain_failure(tables.values()) or too_large(loaded, plan, error)
            if explained is None:
                raise
            raise explained from error
        if not better:
            return plan
        tables = {**tables, **better}


def _doubtful_columns(plan: Plan) -> dict[str, list[str]]:
    """The columns of each table that may show something that their sample did not."""
    doubtful: dict[str, list[str]] = {}
    for name, view in {**plan.lookup_views, **plan.views}.items():
        if view.table.whole:
            continue
        doubtful[name] = guessed_numbers(view)
        # White space around texts changes no type, so columns of texts are not read.
        suspects = tuple(c for c in view.doubts.suspects if not _is_text(view, c))
        look = view._replace(doubts=Doubts(suspects, short=None)).second_look()
        doubtful[name] += [*look.bad, *look.unsettled]
    return doubtful


def _is_text(view: View, column: str) -> bool:
    return view.table.reads_as_text(column, view.reads.type_of(view.table, column)[0])


def _outcome(
    loaded: Loaded,
    tables: Mapping[str, Table],
    context: Context,
    ws: Workspace,
    progress: Progress,
    ready: Callable[[Plan], None],
) -> Settled | Mapping[str, Table]:
    """What was computed, or the tables of which more is known by now."""
    plan = None
    try:
        plan = plan_of(loaded, tables, context)
        if clear := _with_clear_dates(plan, tables):
            return clear
        ready(plan)
        computed = _computed(plan, tables, ws, progress)
        if isinstance(computed, PaddedKeys):
            return {name: tables[name]._replace(care=True) for name in computed.tables}
        looks = _second_looks(plan, computed, ws)
        ws.verify()
        refuse_lost_rows(plan, computed)
    except (pl.exceptions.PolarsError, FileNotFoundError, LookupFailed) as error:
        explained = explain_failure(tables.values()) or too_large(loaded, plan, error)
        if explained is None:
            raise
        raise explained from error
    customers = plan.rules.customers.from_ or CUSTOMERS
    if not tables[customers].care and computed.customers.select(needs_care(pl.col(KEY)).any()).collect().item():
        return {customers: tables[customers]._replace(care=True)}
    guessed = {name: guessed_numbers(plan.view(name)) for name in computed.counts}
    doubtful = {name: [*guessed[name]] for name in guessed}
    for name, look in looks.items():
        doubtful[name] += [*look.bad, *look.unsettled]
    return _better(plan, tables, doubtful) or Settled(
        plan=plan, computed=computed, tables=tables, looks=looks, guessed=guessed
    )


def plan_of(loaded: Loaded, tables: Mapping[str, Table], context: Context) -> Plan:
    """The plan; `RuleError` with all that does not fit these tables."""
    try:
        return make_plan(loaded.rules, tables, context)
    except Misfits as error:
        raise RuleError(*sorted((placed(loaded, finding) for finding in error.findings), key=by_place)) from error


def _computed(plan: Plan, tables: Mapping[str, Table], ws: Workspace, progress: Progress) -> Computed | PaddedKeys:
    """What the plan computes; the lines of large texts are checked in the background meanwhile."""
    progress(f"reading {', '.join(plan.views)}")
    measured = {CUSTOMERS, *(step.measure.spec.events for step in plan.steps if isinstance(step, MeasureStep))}
    for name, table in tables.items():
        view = plan.views.get(name)  # of a table that is only counted, not every column is read
        all_read = view is not None and view.doubts.short is not None and name in measured
        table.check_lines(ws, all_read=all_read)
    if ws.bounds is None:
        if note := note_of_memory(plan):
            ws.note(note)
        return compute(plan)
    with ws.filling():
        return compute(plan, customers=spread(plan, ws, ws.bounds, progress))


def _with_clear_dates(plan: Plan, tables: Mapping[str, Table]) -> Mapping[str, Table]:
    """The tables whose dates say by now whether the day or the month is first; `DataError` where none of them does."""
    unclear = {name: _unclear(view) for name, view in {**plan.lookup_views, **plan.views}.items()}
    better = _better(plan, tables, unclear)
    for name, columns in unclear.items():
        if columns and name not in better and (name != CUSTOMERS or not plan.rules.customers.from_):
            raise plan.view(name).table.unclear_dates(columns[0])
    return better


def _unclear(view: View) -> list[str]:
    """The columns that are read as dates, and read both ways."""
    read = sorted(view.reads.values & view.table.columns.keys())
    return [name for name in read if view.table.reads_both_ways(name, view.reads.type_of(view.table, name)[0])]


def _better(plan: Plan, tables: Mapping[str, Table], doubtful: Mapping[str, Sequence[str]]) -> Mapping[str, Table]:
    """The tables of which all values of these columns show something new."""
    asked = {name: [c for c in cs if c in plan.view(name).table.columns] for name, cs in doubtful.items()}
    if origin := plan.rules.customers.from_:
        # What customers are made of settles what they are.
        asked[origin] = [*asked.get(origin, []), *(c for c in asked.pop(CUSTOMERS, []) if c in tables[origin].columns)]
    settled = {name: tables[name].settle(columns) for name, columns in asked.items()}
    return {name: table for name, table in settled.items() if table is not tables[name]}


def _second_looks(plan: Plan, computed: Computed, ws: Workspace) -> dict[str, SecondLook]:
    """What a second look shows of each table with doubtful rows.

    Where lines may be short, their check is started.
    """
    looks = {}
    for name, counts in computed.counts.items():
        if DOUBT in counts and counts[DOUBT].item():
            view = plan.view(name)
            looks[name] = view.second_look()
            if looks[name].may_be_short:
                view.table.check_lines(ws, all_read=False)
    return looks
