"""From a rule file to the computed columns of every customer, and what was found on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns.compute import Computed, compute
from segkit.columns.features.rfm.score_shares import drift
from segkit.columns.features.rfm.top_scores import out_of_reach
from segkit.columns.helpers import DOUBT, KEY
from segkit.columns.plan.faults import faults
from segkit.columns.plan.plan import Plan, make_plan
from segkit.columns.tables.read_lookup import LookupFailed
from segkit.columns.tables.view import SecondLook
from segkit.criteria.context import Context
from segkit.diagnostics import Diagnostic
from segkit.errors import RuleError
from segkit.io.read import Part, Table, Workspace, explain_failure
from segkit.io.read.values.texts import needs_care
from segkit.operations.evaluation.counts import refuse_lost_rows, table_counts
from segkit.operations.evaluation.diagnose import placed, refuse
from segkit.operations.evaluation.doubts.bad_values import (
    guessed_numbers,
    refuse_bad_values,
    refuse_currencies,
    refuse_guesses,
)
from segkit.operations.evaluation.doubts.idle_rules import idle
from segkit.operations.evaluation.doubts.list_cells import other_lists
from segkit.operations.evaluation.doubts.repeated_events import repeated_events
from segkit.operations.evaluation.doubts.unknown_keys import unknown_keys
from segkit.operations.evaluation.doubts.wrong_keys import refuse_headers, refuse_keys
from segkit.operations.evaluation.open_sources import open_tables
from segkit.operations.evaluation.open_zones import TABLE as ZONES
from segkit.operations.evaluation.open_zones import open_zones
from segkit.operations.evaluation.too_large import too_large
from segkit.operations.progress import Progress
from segkit.results import TableCounts
from segkit.rules.check.references import check_references
from segkit.rules.check.windows import empty_windows
from segkit.rules.findings import Misfits
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import Loaded, by_place


class Evaluated(NamedTuple):
    """A plan, its computed columns, the counts of its tables, and warnings."""

    plan: Plan
    computed: Computed
    tables: tuple[TableCounts, ...]
    warnings: tuple[Diagnostic, ...]
    inputs: tuple[tuple[str, Path, Path], ...]
    """Table, path, and the file with the content: the path itself, or a copy of what came through a pipe."""


def evaluate(loaded: Loaded, as_of: dt.date, ws: Workspace, progress: Progress) -> Evaluated:
    """Every computed column of every customer.

    Raises `RuleError` for what does not fit, `DataError` for what cannot be read.
    """
    warnings = refuse(without_data(loaded))
    warnings += [placed(loaded, finding) for finding in empty_windows(loaded.rules, as_of)]
    progress("opening files")
    tables = open_tables(loaded, ws)
    zones, unknown = open_zones(loaded, ws)
    refuse(placed(loaded, finding) for finding in unknown)
    context = Context(as_of, zones=zones.areas)
    settled = _settled(loaded, tables, context, ws, progress)
    plan, computed = settled.plan, settled.computed
    refuse_headers(plan, settled.looks)
    warnings += refuse_bad_values(plan, {name: look.bad for name, look in settled.looks.items() if look.bad}, computed)
    parts = [part for table in settled.tables.values() for part in table.parts]
    warnings += dict.fromkeys(note for part in parts if part.text for note in part.text.notes)  # once a file
    warnings += [placed(loaded, finding) for finding in other_lists(plan)]
    refuse_currencies(plan, computed.counts)
    warnings += repeated_events(plan, computed)
    warnings += refuse_guesses(plan, settled.guessed)
    refuse_keys(plan, computed)
    warnings += unknown_keys(plan, computed)
    if loaded.rules.rfm:
        rfm = loaded.rules.rfm
        of_scores = (*drift(rfm, computed.frame), *out_of_reach(rfm, computed.frame))
        warnings += [placed(loaded, finding) for finding in of_scores]
    warnings += sorted((placed(loaded, finding) for finding in idle(plan, computed)), key=by_place)
    counts = tuple(table_counts(plan, computed, name) for name in computed.counts)
    inputs = [(name, part.path, _content(part)) for name, table in settled.tables.items() for part in table.parts]
    inputs += [(ZONES, path, content) for path, content in zones.files.items()]
    included = [(".".join(map(str, place)), Path(f.path)) for place, f in loaded.source.included.items()]
    inputs += [(place, path, path) for place, path in included]
    return Evaluated(plan=plan, computed=computed, tables=counts, warnings=tuple(warnings), inputs=tuple(inputs))


class _Settled(NamedTuple):
    """What was computed with all that is known of the tables.

    `looks` has the second looks at tables with doubtful rows; `guessed` is table -> columns of numbers whose decimal
    comma nothing settles.
    """

    plan: Plan
    computed: Computed
    tables: Mapping[str, Table]
    looks: Mapping[str, SecondLook]
    guessed: Mapping[str, Sequence[str]]


def _settled(
    loaded: Loaded, tables: Mapping[str, Table], context: Context, ws: Workspace, progress: Progress
) -> _Settled:
    """What is computed once the whole tables show nothing new about themselves.

    Where a whole table shows something else than its sample did, everything is computed again with that knowledge.
    """
    while True:
        plan, computed, looks = _computed(loaded, tables, context, ws, progress)
        in_need = computed.padded or _customers_in_need(computed, tables, loaded.rules.customers.from_ or CUSTOMERS)
        if in_need:
            tables = {**tables, **{name: tables[name]._replace(care=True) for name in in_need}}
            continue
        guessed = {name: guessed_numbers(plan.view(name)) for name in computed.counts}
        doubtful = {name: [*guessed[name]] for name in guessed}
        for name, look in looks.items():
            doubtful[name] += [*look.bad, *look.unsettled]
        doubtful = {name: [c for c in cs if c in plan.view(name).table.columns] for name, cs in doubtful.items()}
        if origin := loaded.rules.customers.from_:
            # What they are made of settles what they are.
            doubtful[origin] += [name for name in doubtful.pop(CUSTOMERS) if name in tables[origin].columns]
        looked_at = {name: tables[name].settle(columns) for name, columns in doubtful.items()}
        changed = {name: table for name, table in looked_at.items() if table is not tables[name]}
        if not changed:
            return _Settled(plan=plan, computed=computed, tables=tables, looks=looks, guessed=guessed)
        tables = {**tables, **changed}


def _customers_in_need(computed: Computed, tables: Mapping[str, Table], name: str) -> frozenset[str]:
    """The table of the customers, if their keys have what spreadsheets put around them."""
    if tables[name].care or not computed.frame.select(needs_care(pl.col(KEY)).any()).item():
        return frozenset()
    return frozenset({name})


def _computed(
    loaded: Loaded, tables: Mapping[str, Table], context: Context, ws: Workspace, progress: Progress
) -> tuple[Plan, Computed, dict[str, SecondLook]]:
    """The plan, its columns, and what second looks at tables show.

    The lines of large texts are checked in the background meanwhile.
    """
    plan = None
    try:
        plan = plan_for(loaded, tables, context)
        progress(f"reading {', '.join(plan.views)}")
        for name, table in tables.items():
            view = plan.views.get(name)
            table.check_lines(ws, all_read=view is not None and view.doubts.short is not None)
        computed = compute(plan)
        looks = _second_looks(plan, computed, ws)
        ws.verify()
        if not computed.padded:
            refuse_lost_rows(plan, computed)
    except (pl.exceptions.PolarsError, LookupFailed) as error:
        explained = explain_failure(tables.values()) or too_large(loaded, plan, error)
        if explained is None:
            raise
        raise explained from error
    return plan, computed, looks


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


def _content(part: Part) -> Path:
    return part.path if part.path.is_file() else part.source


def without_data(loaded: Loaded) -> list[Diagnostic]:
    """The errors and warnings of a rule file that show without the data, in the order of the file."""
    problems = [*check_references(loaded), *(placed(loaded, fault) for fault in faults(loaded.rules))]
    return sorted(dict.fromkeys(problems), key=by_place)


def plan_for(loaded: Loaded, tables: Mapping[str, Table], context: Context) -> Plan:
    """The plan; `RuleError` with all that does not fit these tables."""
    try:
        return make_plan(loaded.rules, tables, context)
    except Misfits as error:
        raise RuleError(*sorted((placed(loaded, finding) for finding in error.findings), key=by_place)) from error
