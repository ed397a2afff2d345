"""From a rule file to the computed columns of every customer, and what was found on the way."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns import helpers
from segkit.columns.compute import Computed, compute
from segkit.columns.features.rfm.score_shares import drift
from segkit.columns.helpers import DOUBT, is_hidden
from segkit.columns.plan.faults import faults
from segkit.columns.plan.plan import Plan, make_plan
from segkit.columns.tables.read_lookup import DUPLICATES
from segkit.columns.tables.view import View, kept_rows
from segkit.criteria.context import Context
from segkit.criteria.places import on_the_map
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import DataError, RuleError
from segkit.io.read import ColumnType, Part, Table, Workspace, explain_failure
from segkit.io.read.values.numbers import both_readings
from segkit.operations.evaluation.idle_rules import idle
from segkit.operations.evaluation.open_sources import open_tables
from segkit.operations.evaluation.open_zones import TABLE as ZONES
from segkit.operations.evaluation.open_zones import open_zones
from segkit.operations.evaluation.wrong_keys import refuse_keys
from segkit.operations.progress import Progress
from segkit.results import TableCounts
from segkit.rules import walk
from segkit.rules.check.references import check_references
from segkit.rules.check.windows import empty_windows
from segkit.rules.findings import Finding, Misfits
from segkit.rules.model.sources import Customers
from segkit.rules.text.loader import Loaded, by_place
from segkit.words import plural


class Evaluated(NamedTuple):
    """A plan, its computed columns, the counts of its tables, and warnings."""

    plan: Plan
    computed: Computed
    tables: tuple[TableCounts, ...]
    warnings: tuple[Diagnostic, ...]
    inputs: tuple[tuple[str, Path, Path], ...]
    """Table, path, and the file that has its content: the path itself, or a copy of what came through a pipe."""


def evaluate(loaded: Loaded, as_of: dt.date, ws: Workspace, progress: Progress) -> Evaluated:
    """Every computed column of every customer.

    Raises `RuleError` for what does not fit, `DataError` for what cannot be read.
    """
    warnings = refuse(without_data(loaded))
    warnings += [placed(loaded, finding) for finding in empty_windows(loaded.rules, as_of)]
    progress("opening files")
    tables = open_tables(loaded, ws, Context(as_of))
    zones, unknown = open_zones(loaded, ws)
    refuse(placed(loaded, finding) for finding in unknown)
    context = Context(as_of, zones=zones.areas)
    settled = _settled(loaded, tables, context, ws, progress)
    plan, computed = settled.plan, settled.computed
    warnings += _refuse_bad_values(plan, settled.bad, computed)
    warnings += [_guess(plan.view(name), column) for name, columns in settled.guessed.items() for column in columns]
    refuse_keys(plan, computed)
    if loaded.rules.rfm:
        warnings += [placed(loaded, finding) for finding in drift(loaded.rules.rfm, computed.frame)]
    warnings += sorted((placed(loaded, finding) for finding in idle(plan, computed)), key=by_place)
    counts = tuple(_table_counts(plan, computed, name) for name in computed.counts)
    inputs = [(name, part.path, _content(part)) for name, table in settled.tables.items() for part in table.parts]
    inputs += [(ZONES, path, content) for path, content in zones.files.items()]
    included = [(".".join(map(str, place)), Path(f.path)) for place, f in loaded.source.included.items()]
    inputs += [(place, path, path) for place, path in included]
    return Evaluated(plan, computed, counts, tuple(warnings), tuple(inputs))


class _Settled(NamedTuple):
    """What was computed with all that is known of the tables: unreadable values, and numbers that nothing settles."""

    plan: Plan
    computed: Computed
    tables: Mapping[str, Table]
    bad: Mapping[str, Mapping[str, int]]
    guessed: Mapping[str, Sequence[str]]


def _settled(
    loaded: Loaded, tables: Mapping[str, Table], context: Context, ws: Workspace, progress: Progress
) -> _Settled:
    """Compute, and start again with what is known then, while the whole tables show other than their samples did."""
    while True:
        plan, computed, bad = _computed(loaded, tables, context, ws, progress)
        if computed.padded:
            tables = {**tables, **{name: tables[name]._replace(trims=True) for name in computed.padded}}
            continue
        guessed = {name: _guessed_numbers(plan.view(name)) for name in computed.counts}
        doubtful = {name: [*bad.get(name, ()), *guessed[name]] for name in guessed}
        looked_at = {name: tables[name].settle(columns) for name, columns in doubtful.items()}
        changed = {name: table for name, table in looked_at.items() if table is not tables[name]}
        if not changed:
            return _Settled(plan, computed, tables, bad, guessed)
        tables = {**tables, **changed}


def _computed(
    loaded: Loaded, tables: Mapping[str, Table], context: Context, ws: Workspace, progress: Progress
) -> tuple[Plan, Computed, dict[str, dict[str, int]]]:
    """The plan, its columns, and what the second look finds; the lines of large texts are checked beside that."""
    try:
        plan = plan_for(loaded, tables, context)
        progress(f"reading {', '.join(plan.views)}")
        for name, table in tables.items():
            view = plan.views.get(name)
            table.check_lines(ws, all_read=view is not None and view.doubts.short is not None)
        computed = compute(plan)
        bad = _second_look(plan, computed, ws)
        ws.verify()
    except pl.exceptions.PolarsError as error:
        explained = explain_failure(tables.values()) or _overflow(error)
        if explained is None:
            raise
        raise explained from error
    return plan, computed, bad


def _second_look(plan: Plan, computed: Computed, ws: Workspace) -> dict[str, dict[str, int]]:
    """Table -> column -> how many values cannot be read, where there are any; where lines may be short, they are
    checked.
    """
    bad: dict[str, dict[str, int]] = {}
    for name, counts in computed.counts.items():
        if DOUBT in counts and counts[DOUBT].item():
            view = plan.view(name)
            found, may_be_short = view.second_look()
            bad |= {name: found} if found else {}
            if may_be_short:
                view.table.check_lines(ws, all_read=False)
    return bad


def _content(part: Part) -> Path:
    return part.path if part.path.is_file() else part.source


def _overflow(error: pl.exceptions.PolarsError) -> DataError | None:
    reason = str(error).strip().splitlines()[0]
    if "overflow" not in reason:
        return None
    message = f"a computed number is too large: `{reason}`"
    return DataError(Diagnostic(message, hint="look for it in `sql` and `derive`"))


def without_data(loaded: Loaded) -> list[Diagnostic]:
    """Errors and warnings of a rule file that needs no data to be found out, in the order of the file."""
    found = [*check_references(loaded), *(placed(loaded, fault) for fault in faults(loaded.rules))]
    return sorted(dict.fromkeys(found), key=by_place)


def plan_for(loaded: Loaded, tables: Mapping[str, Table], context: Context) -> Plan:
    """The plan, or `RuleError` with all that does not fit these tables."""
    try:
        return make_plan(loaded.rules, tables, context)
    except Misfits as error:
        raise RuleError(*sorted((placed(loaded, finding) for finding in error.findings), key=by_place)) from error


def placed(loaded: Loaded, finding: Finding) -> Diagnostic:
    """The finding with its place in the rule file."""
    severity = Severity.WARNING if finding.warning else Severity.ERROR
    return Diagnostic(finding.message, loaded.source.at(*finding.path), finding.hint, severity)


def refuse(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The warnings among these; `RuleError` where there are errors."""
    found = list(diagnostics)
    if any(d.severity is Severity.ERROR for d in found):
        raise RuleError(*(d for d in found if d.severity is Severity.ERROR))
    return found


def _refuse_bad_values(plan: Plan, bad: Mapping[str, Mapping[str, int]], computed: Computed) -> list[Diagnostic]:
    """Warnings for bad values that count as missing; `DataError` for the others, all tables at once."""
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    for name, columns in bad.items():
        view = plan.view(name)
        if view.spec.bad_values == "error":
            as_read = {column: view.reads.type_of(view.table, column) for column in columns}
            errors += view.table.bad_values_error(as_read).diagnostics
        else:
            warnings += [
                _warning(f"{_unread(count, column)} as missing", view.table) for column, count in columns.items()
            ]
    if errors:
        raise DataError(*errors)
    return warnings


def _unread(count: int, column: str) -> str:
    return f"{plural(count, 'value')} of `{column}` cannot be read and {'counts' if count == 1 else 'count'}"


def _guessed_numbers(view: View) -> list[str]:
    """The columns that are read as numbers with a decimal comma for want of anything that settles it."""
    numbers = (ColumnType.INTEGER, ColumnType.NUMBER)
    found = []
    for name in sorted(view.reads.values & view.table.columns.keys()):
        column, (as_type, money) = view.table.columns[name], view.reads.type_of(view.table, name)
        if column.is_text and column.number.guessed and (money or (as_type or column.type) in numbers):
            found.append(name)
    return found


def _guess(view: View, column: str) -> Diagnostic:
    # Its form, not the value: warnings stand in the manifest, and that holds no customer's data.
    digits = cycle("123456789")
    text = re.sub(r"[0-9]", lambda _: next(digits), view.table.columns[column].number.guessed)
    read, other = both_readings(text)
    message = f"what is written like `{text}` in column `{column}` is read as {read}, with a decimal comma"
    hint = f'give the source `decimal = ","` for {read}, or `thousands = ","` for {other}'
    return _warning(f"{message}; it could be {other}, and no value settles it", view.table, hint)


def _warning(message: str, table: Table, hint: str | None = None) -> Diagnostic:
    return Diagnostic(message, SourceLocation(str(table.paths[0])), hint, Severity.WARNING)


UNKNOWN = "unknown_customer"


def _table_counts(plan: Plan, computed: Computed, name: str) -> TableCounts:
    counts, view = computed.counts[name], plan.view(name)
    reasons = [column for column in counts.columns if column != "rows" and not is_hidden(column)]
    left_out = {reason: int(counts[reason].item() or 0) for reason in reasons}
    if name in computed.matched:
        left_out[UNKNOWN] = kept_rows(counts) - computed.matched[name]
    if isinstance(view.spec, Customers) and view.spec.duplicates != "error":
        left_out[DUPLICATES] = kept_rows(counts) - len(computed.frame)
    types = {f"column {c}": view.table.columns[c].how for c in sorted(view.reads.values & view.table.columns.keys())}
    detected = {**view.table.detected, **{column: how for column, how in types.items() if how}}
    for lookup in plan.lookups_into(name):
        at_once = lookup in view.doubts.lookups
        of = plural(int(counts["rows"].item()), "row") if at_once else plural(len(computed.frame), "customer")
        detected[f"lookup {lookup}"] = f"found for {int(counts[helpers.found(lookup)].item() or 0):,} of {of}"
    if isinstance(view.spec, Customers) and any(block.geographic.places for _, block in walk.blocks(plan.rules)):
        detected["coordinates"] = _located(view.spec, computed.frame)
    return TableCounts(name, int(counts["rows"].item()), left_out, detected, tuple(str(p) for p in view.table.paths))


def _located(spec: Customers, customers: pl.DataFrame) -> str:
    """How many customers have a place on the map; those without are in no circle and no zone."""
    assert spec.latitude is not None and spec.longitude is not None, "checked before the run"
    degrees = [pl.col(name).cast(pl.Float64) for name in (spec.latitude, spec.longitude)]
    known = customers.select(on_the_map(*degrees).sum()).item()
    return f"{int(known or 0):,} of {len(customers):,} customers"
